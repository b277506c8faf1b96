"""Puts and gets on a network of libtorrent nodes in one process, in full mesh on loopback.

Prints one line of JSON. Every put must be stored by eight nodes, and every get must return what was put: a network
whose tables are not full looks fast because its puts reach few nodes.
"""

import argparse
import hashlib
import json
import os
import random
import select
import socket
import sys
import time

from libtorrent_session import lt, open_session

REPLICAS = 8
WINDOWS = (1, 32)
VALUE_BYTES = 100
FILLING_SECONDS = 60
# A full mesh may leave a few contacts in libtorrent's replacement lists.
ENOUGH_OF_A_TABLE = 0.9
IDLE_SECONDS = 2
OPERATION_SECONDS = 20

# The first key pair of RFC 8032, section 7.1; libtorrent wants the secret in its expanded form.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC_KEY = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")


def expanded(seed):
    digest = bytearray(hashlib.sha512(seed).digest())
    digest[0] &= 248
    digest[31] = digest[31] & 63 | 64
    return bytes(digest)


SECRET_KEY = expanded(SEED)


def fail(what, hint):
    print(f"error: {what}\nhint: {hint}", file=sys.stderr, flush=True)
    os._exit(2)


class Network:
    """The sessions, and one place to wait for alerts of any of them."""

    def __init__(self, count):
        self.epoll = select.epoll()
        self.bells = {}
        self.sessions = []
        addresses = []
        for _ in range(count):
            session, port = open_session(alerts=lt.alert.category_t.dht_notification)
            ours, theirs = socket.socketpair()
            for end in (ours, theirs):
                end.setblocking(False)
            session.set_alert_fd(theirs.fileno())
            self.epoll.register(ours, select.EPOLLIN)
            self.bells[ours.fileno()] = (len(self.sessions), ours, theirs)
            self.sessions.append(session)
            addresses.append(("127.0.0.1", port))
        for here, session in enumerate(self.sessions):
            for there, address in enumerate(addresses):
                if here != there:
                    session.add_dht_node(address)

    def alerts(self, seconds):
        """Waits until some session has something to say; yields pairs of node number and alert."""
        for fd, _ in self.epoll.poll(seconds):
            number, ours, _ = self.bells[fd]
            ours.recv(4096)
            for alert in self.sessions[number].pop_alerts():
                yield number, alert

    def fill_tables(self):
        """Waits until every table holds nearly all other nodes and stops growing; returns the smallest."""
        deadline = time.monotonic() + FILLING_SECONDS
        before = None
        while time.monotonic() < deadline:
            sizes = self.table_sizes(deadline)
            enough = ENOUGH_OF_A_TABLE * (len(self.sessions) - 1)
            if min(sizes) >= enough and sizes == before:
                return min(sizes)
            before = sizes
            time.sleep(1)
        fail(f"the smallest of {len(self.sessions)} tables holds `{min(before)}` nodes", "is the machine overloaded?")

    def table_sizes(self, deadline):
        sizes = [None] * len(self.sessions)
        for session in self.sessions:
            session.post_dht_stats()
        while None in sizes and time.monotonic() < deadline:
            for number, alert in self.alerts(1):
                if isinstance(alert, lt.dht_stats_alert):
                    sizes[number] = sum(bucket["num_nodes"] for bucket in alert.routing_table)
        return [size or 0 for size in sizes]


class Operation:
    """One put or get: where it starts, and what tells that it is done."""

    def __init__(self, node, item):
        self.node = node
        self.item = item
        self.began = None
        self.first = None
        self.done = None

    def landed(self):
        """An answer came that may not be the last."""
        self.first = self.first or time.perf_counter()

    def ended(self):
        self.landed()
        self.done = time.perf_counter()


class Put(Operation):
    def hear(self, alert):
        self.ended()
        if alert.num_success != REPLICAS:
            fail(f"a put was stored by `{alert.num_success}` nodes, not {REPLICAS}", "the tables are not full")


class ImmutablePut(Put):
    name = "immutable put"

    def start(self, session):
        return session.dht_put_immutable_item(self.item.value).to_bytes()


class MutablePut(Put):
    name = "mutable put"

    def start(self, session):
        session.dht_put_mutable_item(SECRET_KEY, PUBLIC_KEY, self.item.value, self.item.salt)
        return self.item.salt


class ImmutableGet(Operation):
    name = "immutable get"

    def start(self, session):
        session.dht_get_immutable_item(lt.sha1_hash(self.item.target))
        return self.item.target

    def hear(self, alert):
        self.ended()
        check_value(alert.item, self.item)


class MutableGet(Operation):
    """Ends with the authoritative answer, although the first one may be believed earlier."""

    name = "mutable get"

    def start(self, session):
        session.dht_get_mutable_item(PUBLIC_KEY, self.item.salt)
        return self.item.salt

    def hear(self, alert):
        value = alert.item
        if value:
            check_value(value, self.item)
            self.landed()
        if alert.authoritative:
            check_value(value, self.item)
            self.ended()


class Item:
    def __init__(self, label):
        self.value = label.encode().ljust(VALUE_BYTES, b".")
        self.salt = label.encode()
        self.target = hashlib.sha1(b"%d:%s" % (len(self.value), self.value)).digest()
        self.home = None


def check_value(value, item):
    if value != item.value:
        fail(f"a get returned `{value!r}`", f"`{item.value!r}` was put")


def name_of(alert):
    """What `start` returned for the operation that this alert belongs to."""
    if isinstance(alert, lt.dht_put_alert):
        return alert.salt if any(alert.public_key) else alert.target.to_bytes()
    if isinstance(alert, lt.dht_immutable_item_alert):
        return alert.target.to_bytes()
    if isinstance(alert, lt.dht_mutable_item_alert):
        return alert.salt
    return None


def perform(network, operations, window):
    """Runs the operations, so many at a time. Returns seconds and CPU seconds."""
    waiting = iter(operations)
    running = {}

    def start_one():
        operation = next(waiting, None)
        if operation is not None:
            operation.began = time.perf_counter()
            name = operation.start(network.sessions[operation.node])
            running[operation.node, name] = operation

    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(window):
        start_one()
    while running:
        heard = False
        for number, alert in network.alerts(OPERATION_SECONDS):
            heard = True
            place = number, name_of(alert)
            operation = running.get(place)
            if operation is not None:
                operation.hear(alert)
                if operation.done:
                    del running[place]
                    start_one()
        if not heard:
            operation = next(iter(running.values()))
            fail(f"no answer to `{operation.name}` for {OPERATION_SECONDS} s", "is the machine overloaded?")
    return time.perf_counter() - wall, time.process_time() - cpu


def quantile(times, share):
    return sorted(times)[round((len(times) - 1) * share)] * 1000


def row(operations, window, wall, cpu):
    first = [operation.first - operation.began for operation in operations]
    last = [operation.done - operation.began for operation in operations]
    return {
        "operation": operations[0].name,
        "window": window,
        "p50_ms": quantile(first, 0.5),
        "p99_ms": quantile(first, 0.99),
        "last_answer_p50_ms": quantile(last, 0.5),
        "cpu_ms": cpu * 1000 / len(operations),
        "per_second": len(operations) / wall,
    }


def measure(network, window, keys):
    """One window: all puts, then all gets, each from another node than its put."""
    nodes = range(len(network.sessions))
    for put, get in ((ImmutablePut, ImmutableGet), (MutablePut, MutableGet)):
        items = [Item(f"{put.name} {number} of {keys}, {window} at a time") for number in range(keys)]
        for kind in (put, get):
            operations = []
            for item in items:
                node = random.choice([node for node in nodes if node != item.home])
                item.home = node
                operations.append(kind(node, item))
            yield row(operations, window, *perform(network, operations, window))


def idle(network):
    """CPU that the nodes spend on nothing but being there, in milliseconds a second."""
    wall, cpu = time.perf_counter(), time.process_time()
    while time.perf_counter() < wall + IDLE_SECONDS:
        for _ in network.alerts(0.1):
            pass
    return (time.process_time() - cpu) * 1000 / (time.perf_counter() - wall)


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--nodes", type=int, default=50)
    arguments.add_argument("--keys", type=int, default=1000)
    arguments = arguments.parse_args()
    random.seed(5)
    network = Network(arguments.nodes)
    smallest = network.fill_tables()
    result = {
        "implementation": f"libtorrent {lt.__version__}",
        "nodes": arguments.nodes,
        "keys": arguments.keys,
        "smallest_table": smallest,
        "idle_cpu_ms_per_second": idle(network),
        "rows": [row for window in WINDOWS for row in measure(network, window, arguments.keys)],
    }
    print(json.dumps(result), flush=True)
    # Closing the sessions one after the other would take seconds and prove nothing.
    os._exit(0)


if __name__ == "__main__":
    main()
