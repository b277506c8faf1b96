"""One libtorrent DHT node: the operations, and what libtorrent's alerts mean.

A libtorrent node counts itself: a lookup that is led back to its own address asks
and stores there like anywhere else, so `stored` 8 may be 7 others and the asker.
"""

import hashlib
import time

import libtorrent as lt

# Below the 20 s that callers allow, so that they read our error, not their own.
OPERATION_LIMIT = 18.0
START_LIMIT = 20.0
POLL = 0.01

SETTINGS = {
    "listen_interfaces": "127.0.0.1:0",
    "enable_dht": True,
    "enable_lsd": False,
    "enable_upnp": False,
    "enable_natpmp": False,
    # Hosts named here serve a lookup but never enter the table: see Network.join.
    "dht_bootstrap_nodes": "",
    # All nodes share one address; the default keeps one contact per address.
    "dht_restrict_routing_ips": False,
    "dht_restrict_search_ips": False,
    # The defaults ban an address above 5 packets/s and answer at 8 kB/s at most.
    "dht_block_ratelimit": 100_000,
    "dht_upload_rate_limit": 100_000_000,
    "dht_max_dht_items": 100_000,
    "dht_max_torrents": 100_000,
    "dht_max_peers": 100_000,
    # The default may repeat one sample for six hours.
    "dht_sample_infohashes_interval": 0,
    "alert_queue_size": 100_000,
    "alert_mask": lt.alert_category.dht
    | lt.alert_category.dht_operation
    | lt.alert_category.stats
    | lt.alert_category.status
    | lt.alert_category.error,
}


class Refused(Exception):
    """The request cannot be carried out; its text is the reply's `error`."""


class Node:
    """One session: one DHT node on its own port. Operations are methods op_NAME."""

    def __init__(self):
        self.session = lt.session(SETTINGS)
        self.port = self._await(udp_port_of, "the listening socket")
        self.id = self._own_id()

    def contacts(self):
        """The endpoints in the routing table proper.

        Contacts that we only heard of, those that merely asked us something included,
        wait in a replacement cache, which this alert leaves out. libtorrent tries one
        of them every 5 s; add_dht_node is the quick way in.
        """
        self.session.dht_live_nodes(self.id)
        return self._await(live_endpoints_of, "the routing table")

    def counters(self):
        """The session's DHT counters by name."""
        self.session.post_session_stats()
        return self._await(counters_of, "the session counters")

    def op_put_immutable(self, request):
        # `bytes` becomes a byte string. The binding bencodes, we do not.
        target = self.session.dht_put_immutable_item(value_in(request))

        def stored(alert):
            if isinstance(alert, lt.dht_put_alert) and alert.target == target:
                return {"target": target.to_bytes().hex(), "stored": alert.num_success}

        return self._await(stored, "put_immutable")

    def op_get_immutable(self, request):
        target = lt.sha1_hash(hex_in(request, "target", 20))
        self.session.dht_get_immutable_item(target)

        def item(alert):
            if isinstance(alert, lt.dht_immutable_item_alert) and alert.target == target:
                return told_value(found_item(alert))

        return self._await(item, "get_immutable")

    def op_put_mutable(self, request):
        # The binding signs with the seq that it read plus one and never sends a cas.
        for field in ("seq", "cas"):
            if request.get(field) is not None:
                raise Refused(f"unsupported: libtorrent's binding takes no `{field}`")
        salt = salt_in(request)
        expanded, public = expand_seed(hex_in(request, "seed", 32))
        self.session.dht_put_mutable_item(expanded, public, value_in(request), salt)

        def stored(alert):
            if isinstance(alert, lt.dht_put_alert) and alert.public_key == public and alert.salt == salt:
                return {"public_key": public.hex(), "stored": alert.num_success, "seq": alert.seq}

        return self._await(stored, "put_mutable")

    def op_get_mutable(self, request):
        public, salt = hex_in(request, "public_key", 32), salt_in(request)
        self.session.dht_get_mutable_item(public, salt)

        def item(alert):
            # Each newer version met on the way has an alert, too; the authoritative
            # one is the last and comes also when nothing was found.
            if not isinstance(alert, lt.dht_mutable_item_alert) or not alert.authoritative:
                return None
            if (alert.key, alert.salt) != (public, salt):
                return None
            found = found_item(alert)
            return {**told_value(found), "seq": None if found is None else alert.seq}

        return self._await(item, "get_mutable")

    def op_announce(self, request):
        """Announces, and waits until every holder has answered or is given up.

        libtorrent passes these answers to nobody, so how many stored it is for the
        holders to tell; `sent` counts the announcements that went out.
        """
        info_hash, port = lt.sha1_hash(hex_in(request, "info_hash", 20)), request["port"]
        before = self.counters()["dht.dht_announce_peer_out"]
        # No flags: `seed` makes the lookup skip peers that announced as seeds, and
        # `implied_port` would announce our UDP port instead of `port`.
        self.session.dht_announce(info_hash, port, 0)
        self._await_lookup("announce", lambda alert: None)
        deadline = time.monotonic() + OPERATION_LIMIT
        while (now := self.counters())["dht.dht_allocated_observers"]:
            if time.monotonic() > deadline:
                raise Refused(f"announce: holders silent for {OPERATION_LIMIT:.0f} s")
            time.sleep(POLL)
        return {"stored": None, "sent": now["dht.dht_announce_peer_out"] - before}

    def op_get_peers(self, request):
        wanted = lt.sha1_hash(hex_in(request, "info_hash", 20))
        peers = set()

        def collect(alert):
            if isinstance(alert, lt.dht_get_peers_reply_alert) and alert.info_hash == wanted:
                peers.update(alert.peers())

        self.session.dht_get_peers(wanted)
        self._await_lookup("get_peers", collect)
        return {"peers": [f"{ip}:{port}" for ip, port in sorted(peers)]}

    def op_sample(self, request):
        to, target = endpoint(request["to"]), lt.sha1_hash(hex_in(request, "target", 20))
        self.session.dht_sample_infohashes(to, target)

        def samples(alert):
            if isinstance(alert, lt.dht_sample_infohashes_alert) and alert.endpoint == to:
                return {
                    "num": alert.num_infohashes,
                    "samples": [key.to_bytes().hex() for key in alert.samples],
                    "interval": int(alert.interval.total_seconds()),
                }

        # Silence and an error reply look the same here: no alert ever comes.
        return self._await(samples, "sample")

    def op_direct(self, _request):
        raise Refused("unsupported: libtorrent's binding has no dht_direct_request")

    def _await_lookup(self, what, collect):
        """Hands each alert to `collect` until no get_peers lookup runs any more.

        No alert tells the end of such a lookup; the list of running ones does. A
        session takes its calls in order, so the first list holds our lookup already.
        """

        def running(alert):
            collect(alert)
            if isinstance(alert, lt.dht_stats_alert):
                return any(each["type"].startswith("get_peers") for each in alert.active_requests)

        deadline = time.monotonic() + OPERATION_LIMIT
        while time.monotonic() < deadline:
            self.session.post_dht_stats()
            if not self._await(running, what):
                return
            time.sleep(POLL)
        raise Refused(f"{what}: the lookup did not end within {OPERATION_LIMIT:.0f} s")

    def _await(self, pick, what):
        """Shows alerts to `pick` until it answers something other than None.

        `pick` sees every alert of a batch, and must copy what it needs: the next call
        of pop_alerts frees them.
        """
        deadline = time.monotonic() + OPERATION_LIMIT
        while (left := deadline - time.monotonic()) > 0:
            self.session.wait_for_alert(int(left * 1000) + 1)
            picked = [pick(alert) for alert in self.session.pop_alerts()]
            for answer in picked:
                if answer is not None:
                    return answer
        raise Refused(f"{what}: no answer within {OPERATION_LIMIT:.0f} s")

    def _own_id(self):
        # No call tells it, but the saved state does: the id, then the address.
        deadline = time.monotonic() + START_LIMIT
        while time.monotonic() < deadline:
            state = self.session.session_state()
            saved = lt.write_session_params_buf(state, lt.save_state_flags_t.save_dht_state)
            if ids := lt.bdecode(saved).get(b"dht state", {}).get(b"node-id"):
                return lt.sha1_hash(ids[0][:20])
            time.sleep(POLL)
        raise Refused(f"the DHT on port `{self.port}` did not start")


def udp_port_of(alert):
    if isinstance(alert, lt.listen_failed_alert):
        raise Refused(alert.message())
    if isinstance(alert, lt.listen_succeeded_alert) and alert.socket_type == lt.socket_type_t.udp:
        return alert.port


def live_endpoints_of(alert):
    if isinstance(alert, lt.dht_live_nodes_alert):
        return {tuple(node["endpoint"]) for node in alert.nodes}


def counters_of(alert):
    if isinstance(alert, lt.session_stats_alert):
        return dict(alert.values)


def found_item(alert):
    """The item of a get's alert, or None where nothing was found.

    The binding shows "nothing" as an empty string, with seq 0 and whatever bytes lie
    in the signature. Only the alert's text keeps it apart from a stored empty string.
    """
    if alert.item == b"" and alert.message().endswith("[ <uninitialized> ]"):
        return None
    return alert.item


def told_value(item):
    """The two value fields of a get's answer."""
    if item is None:
        return {"value": None, "value_hex": None}
    if not isinstance(item, bytes):
        raise Refused(f"not a byte string: `{item!r}`")
    try:
        text = item.decode()
    except UnicodeDecodeError:
        text = None
    return {"value": text, "value_hex": item.hex()}


def hex_in(request, field, length):
    content = bytes.fromhex(request[field])
    if len(content) != length:
        raise Refused(f"`{field}` has {len(content)} bytes, not {length}")
    return content


def value_in(request):
    if "value_hex" in request:
        return bytes.fromhex(request["value_hex"])
    return request["value"].encode()


def salt_in(request):
    return (request.get("salt") or "").encode()


def endpoint(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


# Ed25519 (RFC 8032, section 5.1.5), since the binding derives no keys.
P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
BASE_Y = 4 * pow(5, -1, P) % P


def expand_seed(seed):
    """The 64-byte key that libtorrent signs with, and the public key.

    libtorrent wants the clamped SHA-512 of the seed, not the seed.
    """
    digest = bytearray(hashlib.sha512(seed).digest())
    digest[0] &= 248
    digest[31] = digest[31] & 127 | 64
    scalar = int.from_bytes(digest[:32], "little")
    total, power = (0, 1, 1, 0), (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)
    while scalar:
        if scalar & 1:
            total = added(total, power)
        power = added(power, power)
        scalar >>= 1
    inverse = pow(total[2], -1, P)
    x, y = total[0] * inverse % P, total[1] * inverse % P
    return bytes(digest), (y | (x & 1) << 255).to_bytes(32, "little")


def added(one, other):
    """The sum of two points in extended coordinates; the formula doubles, too."""
    (x1, y1, z1, t1), (x2, y2, z2, t2) = one, other
    a, b = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2)
    c, d = 2 * D * t1 * t2, 2 * z1 * z2
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P
