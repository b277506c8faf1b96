"""A few libtorrent DHT nodes on loopback, told what to do line by line.

    libtorrent_peer.py [--nodes N] [--bootstrap IP:PORT]...

Once the nodes know each other and the bootstrap endpoints, the program prints
{"ready":true,"ports":[..],"ids":[hex..],"table":[..]}; if they do not in time,
{"ready":false,"error":..} and exits with status 1.

Then one JSON request a line on stdin, {"id":7,"op":..,"node":index,..}, and one
reply a line on stdout, {"id":7,..} or {"id":7,"error":text}, in the order of the
requests. `quit` or the end of stdin ends the program. Diagnostics go to stderr.

    op             asks                            answers
    table                                          table (contacts of each node)
    held                                           immutable, mutable, peers (of each node)
    join           to (list of IP:PORT)            table; every node meets these, too
    put_immutable  value                           target, stored
    get_immutable  target                          value, value_hex
    put_mutable    seed, salt, seq, cas, value     public_key, stored, seq
    get_mutable    public_key, salt                value, value_hex, seq
    announce       info_hash, port                 stored (null: unknown), sent
    get_peers      info_hash                       peers
    sample         to, target                      num, samples, interval
    direct         to, message                     reply (unsupported here)

Ids, keys and seeds are hex. A value is the content of a bencoded byte string: text
in `value`, or any bytes in `value_hex`. A get answers both: `value` is null where
nothing was found, and also where the bytes are not UTF-8 (then `value_hex` is not).
"""

import argparse
import json
import os
import sys
import time

from libtorrent_node import OPERATION_LIMIT, Node, Refused, endpoint

JOIN_LIMIT = 20.0
# How long a full table is waited for before a usable one will do.
FULL_TABLE_PATIENCE = 10.0
# Contacts that make a table usable: libtorrent stores on the 8 closest.
ENOUGH_CONTACTS = 8


class Network:
    """The nodes of this process."""

    def __init__(self, count):
        self.nodes = [Node() for _ in range(count)]

    def table(self):
        return {"table": [len(node.contacts()) for node in self.nodes]}

    def held(self):
        counters = [node.counters() for node in self.nodes]
        return {
            "immutable": [each["dht.dht_immutable_data"] for each in counters],
            "mutable": [each["dht.dht_mutable_data"] for each in counters],
            # Info hashes that have peers; dht_peers counts the peers themselves.
            "peers": [each["dht.dht_torrents"] for each in counters],
        }

    def join(self, others, limit):
        """Makes every node know every other one and the endpoints `others`."""
        own = {("127.0.0.1", node.port) for node in self.nodes}
        wanted = [(own | set(others)) - {("127.0.0.1", node.port)} for node in self.nodes]
        start = time.monotonic()
        while (waited := time.monotonic() - start) < limit:
            tables = [node.contacts() for node in self.nodes]
            sizes = [len(table) for table in tables]
            missing = [want - table for want, table in zip(wanted, tables)]
            enough = [min(len(want), ENOUGH_CONTACTS) for want in wanted]
            usable = all(size >= least for size, least in zip(sizes, enough))
            if not any(missing) or (usable and waited > FULL_TABLE_PATIENCE):
                return {"table": sizes}
            # Once more each round: a call is lost while the DHT starts, a datagram any time.
            for node, endpoints in zip(self.nodes, missing):
                for each in endpoints:
                    node.session.add_dht_node(each)
            time.sleep(0.1)
        raise Refused(f"tables not filled within {limit:.0f} s: `{sizes}` of `{len(wanted[0])}`")

    def answer(self, request):
        op = request["op"]
        for node in self.nodes:
            # What other nodes' queries have left since the last request.
            node.session.pop_alerts()
        if op == "table":
            return self.table()
        if op == "held":
            return self.held()
        if op == "join":
            return self.join([endpoint(each) for each in request["to"]], OPERATION_LIMIT)
        index = request.get("node", 0)
        if not isinstance(index, int) or not 0 <= index < len(self.nodes):
            raise Refused(f"no node `{index}`, there are {len(self.nodes)}")
        operation = getattr(self.nodes[index], f"op_{op}", None)
        if operation is None:
            raise Refused(f"unknown op `{op}`")
        return operation(request)


def say(message):
    print(json.dumps(message), flush=True)


def serve(network):
    for line in sys.stdin:
        number = None
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise Refused("a request is a JSON object")
            number = request.get("id")
            if request.get("op") == "quit":
                return say({"id": number})
            say({"id": number, **network.answer(request)})
        except KeyError as error:
            say({"id": number, "error": f"missing field `{error.args[0]}`"})
        except (Refused, ValueError, TypeError, AttributeError, RuntimeError) as error:
            say({"id": number, "error": str(error)})


def main():
    arguments = argparse.ArgumentParser(description="libtorrent DHT nodes on loopback")
    arguments.add_argument("--nodes", type=int, default=1, metavar="N")
    arguments.add_argument("--bootstrap", type=endpoint, action="append", default=[], metavar="IP:PORT")
    options = arguments.parse_args()
    try:
        network = Network(options.nodes)
        table = network.join(options.bootstrap, JOIN_LIMIT)
    except Refused as error:
        say({"ready": False, "error": str(error)})
        print(f"error: {error}\nhint: every --bootstrap must be a running IPv4 DHT node", file=sys.stderr)
        return 1
    ids = [node.id.to_bytes().hex() for node in network.nodes]
    say({"ready": True, "ports": [node.port for node in network.nodes], "ids": ids, **table})
    try:
        serve(network)
    except (BrokenPipeError, KeyboardInterrupt):
        pass
    return 0


if __name__ == "__main__":
    try:
        status = main()
    except SystemExit as stop:
        status = stop.code
    sys.stderr.flush()
    # Sessions close one after another, each with its farewells; none is needed here.
    os._exit(status)
