"""A libtorrent session that is nothing but a DHT node on loopback."""

import os
import socket
import sys

try:
    import libtorrent as lt
except ImportError:
    sys.exit("error: this Python has no module `libtorrent`\nhint: pip install libtorrent==2.1.1")

# Above what any benchmark reaches: a limit would be measured instead of the node.
PACKETS_PER_SECOND = 1_000_000
BYTES_PER_SECOND = 100_000_000
# The default keeps 700 items and searches all of them for one to drop at each put beyond that.
ITEMS = 1_000_000


def free_port():
    """A UDP port that nobody uses; libtorrent wants TCP and UDP on one number, so it cannot choose for itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def open_session(alerts=0, **more):
    """Starts a node without bootstrap hosts. Returns the session and its port."""
    port = free_port()
    session = lt.session(
        {
            "listen_interfaces": f"127.0.0.1:{port}",
            "enable_dht": True,
            "enable_lsd": False,
            "enable_upnp": False,
            "enable_natpmp": False,
            "enable_incoming_utp": False,
            "enable_outgoing_utp": False,
            "dht_bootstrap_nodes": "",
            "dht_restrict_routing_ips": False,
            "dht_restrict_search_ips": False,
            "dht_block_ratelimit": PACKETS_PER_SECOND,
            "dht_upload_rate_limit": BYTES_PER_SECOND,
            "dht_max_dht_items": ITEMS,
            "alert_mask": alerts,
            **more,
        }
    )
    return session, port


def wait_until_closed():
    """Blocks until the program that started this one is gone."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
