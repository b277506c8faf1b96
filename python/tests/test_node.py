"""What a node does for the thread that calls it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Callable

import pytest

import xorbit
from conftest import LOOPBACK


def test_what_one_puts_another_gets(network: list[xorbit.Node]) -> None:
    receipt = network[1].put("greeting", "hello", content_type="text/plain")
    assert receipt.version is not None
    assert receipt.replicas.known == 5
    assert len(receipt.replicas.stored) >= receipt.replicas.needed
    assert receipt.chunks is None

    report = network[4].get("greeting")
    assert (report.value, report.text) == (b"hello", "hello")
    assert (report.version, report.target) == (receipt.version, receipt.target)
    assert report.content_type == "text/plain"
    assert report.agreed >= 3 and report.known == 5
    assert isinstance(report.effort.took, timedelta)


def test_bytes_of_all_kinds_are_values(network: list[xorbit.Node]) -> None:
    raw = bytes(range(256))
    values: list[bytes | bytearray | memoryview] = [raw, bytearray(raw), memoryview(raw)]
    for value in values:
        network[0].put("raw", value)
        assert network[1].get("raw").value == raw
    with pytest.raises(UnicodeDecodeError):
        network[1].get("raw").text


def test_an_empty_value_is_a_value(network: list[xorbit.Node]) -> None:
    network[0].put("empty", "")
    assert network[1].get("empty").value == b""


def test_what_is_missing_is_a_key_error_or_the_default(network: list[xorbit.Node]) -> None:
    with pytest.raises(KeyError) as missing:
        network[0].get("nothing")
    assert isinstance(missing.value, xorbit.NotFound)
    assert missing.value.reason == "never_seen" and missing.value.version is None
    assert missing.value.effort is not None and missing.value.effort.answered > 2
    assert str(missing.value) == "key `nothing` not found"
    assert network[0].get("nothing", None) is None
    assert network[0].get("nothing", default="other") == "other"


def test_a_deleted_key_is_told_apart_from_one_never_seen(network: list[xorbit.Node]) -> None:
    network[0].put("short-lived", "hello")
    deleted = network[1].delete("short-lived")
    with pytest.raises(xorbit.NotFound) as missing:
        network[2].get("short-lived")
    assert missing.value.reason == "deleted"
    assert missing.value.version == deleted.version
    with pytest.raises(xorbit.NotFound):
        network[0].delete("never-there")


def test_a_swap_goes_over_the_version_expected_and_no_other(network: list[xorbit.Node]) -> None:
    first = network[0].put("counter", "1", if_absent=True)
    second = network[1].put("counter", "2", if_version=first.version)
    with pytest.raises(xorbit.Conflict) as lost:
        network[2].put("counter", "3", if_version=first.version)
    assert lost.value.current == second.version
    assert lost.value.hint is not None and str(second.version) in lost.value.hint
    with pytest.raises(xorbit.Conflict):
        network[2].put("counter", "4", if_absent=True)
    with pytest.raises(xorbit.Conflict):
        network[2].delete("counter", if_version=first.version)
    assert network[3].get("counter").text == "2"


def test_a_life_in_seconds_says_until_when(network: list[xorbit.Node]) -> None:
    receipt = network[0].put("brief", "hello", ttl_seconds=90.5)
    assert receipt.expires is not None
    life = receipt.expires - datetime.now(timezone.utc)
    assert timedelta(seconds=60) < life <= timedelta(seconds=91)
    assert network[1].get("brief").expires == receipt.expires


def test_namespaces_are_apart(network: list[xorbit.Node]) -> None:
    node = network[0]
    signer = xorbit.Signer.generate()
    mine = xorbit.Namespace.signed(signer)
    secret = xorbit.Namespace.secret("correct horse", name="test")
    node.put("k", "in default")
    node.put("k", "in other", namespace="other")
    node.put("k", "in mine", namespace=mine)
    node.put("k", "in secret", namespace=secret)

    other = network[1]
    assert other.get("k").text == "in default"
    assert other.get("k", namespace=xorbit.Namespace.open("other")).text == "in other"
    assert other.get("k", namespace=xorbit.Namespace.of(signer.public_key)).text == "in mine"
    again = xorbit.Namespace.secret(b"correct horse", "test")
    assert (again.owner, again.is_secret) == (secret.owner, True)
    assert other.get("k", namespace=again).text == "in secret"
    with pytest.raises(xorbit.UsageError, match="without its signer"):
        other.put("k", "forged", namespace=xorbit.Namespace.of(signer.public_key))
    assert xorbit.Signer.from_seed(signer.seed).public_key == signer.public_key


@pytest.mark.parametrize("consistency", ["first", "quorum", "all"])
def test_a_get_waits_for_as_many_as_it_is_told(
    network: list[xorbit.Node], consistency: xorbit.Consistency
) -> None:
    network[0].put("k", "v")
    report = network[1].get("k", consistency=consistency)
    assert report.text == "v"
    if consistency == "all":
        assert report.agreed + report.missing + report.stale == 5


def test_a_plain_value_has_no_life_of_its_own(network: list[xorbit.Node]) -> None:
    network[0].put("plain", "v", plain=True)
    assert network[1].get("plain").expires is None


def test_a_large_value_comes_back_whole(network: list[xorbit.Node]) -> None:
    value = bytes(range(256)) * 400
    receipt = network[0].put("large", value)
    assert receipt.chunks is not None and receipt.chunks.stored > 100
    report = network[1].get("large")
    assert report.value == value
    assert report.manifest is not None
    assert report.manifest.length == len(value) and len(report.manifest.hash) == 32


def test_a_value_above_the_limit_is_refused_before_anything_is_sent() -> None:
    with xorbit.Node(listen=LOOPBACK, max_value_bytes=5000) as node:
        assert node.max_value_bytes == 5000
        with pytest.raises(xorbit.TooLarge) as refused:
            node.put("k", b"x" * 5001)
        assert (refused.value.length, refused.value.limit) == (5001, 5000)
        assert isinstance(refused.value, ValueError) and refused.value.hint
        with pytest.raises(xorbit.TooLarge):
            node.put("k", b"x" * 2000, plain=True)


def test_peers_announce_themselves_and_are_found(network: list[xorbit.Node]) -> None:
    receipt = network[1].announce("films", 7001)
    assert receipt.version is None and receipt.replicas.stored
    network[2].announce("films", 7002, seed=True)
    assert sorted(network[3].peers("films")) == [("127.0.0.1", 7001), ("127.0.0.1", 7002)]
    network[2].announce("ports", None)
    assert list(network[3].peers("ports")) == [network[2].address]
    assert list(network[0].peers("nobody")) == []


def test_a_node_says_how_it_is(network: list[xorbit.Node]) -> None:
    info = network[0].info()
    assert len(info.id) == 40 and info.listening == tuple(network[0].addresses)
    assert info.contacts[0] > 0 and info.contacts[1] == 0 and not info.read_only
    assert info.replicas == 8
    assert network[0].address.host == "127.0.0.1"
    assert repr(network[0]) == f"<xorbit.Node at {network[0].address}>"


def test_a_network_of_one_works_and_leaves_nothing_to_hand_over_but_its_own() -> None:
    with xorbit.Node(listen=LOOPBACK) as node:
        node.put("k", "v")
        assert node.get("k").text == "v"
        assert not node.joined(0.01)
        report = node.leave(within_seconds=1)
        assert report.items == 1


def test_networks_of_other_names_or_keys_do_not_mix(network: list[xorbit.Node]) -> None:
    door = network[0].address
    with xorbit.Node(listen=LOOPBACK, join=door, network="other") as other:
        assert not other.joined(0.3)
        # It was told whom to join and knows nobody: silence is no absence.
        with pytest.raises((xorbit.Unreachable, xorbit.NotFound)):
            other.get("k")
    key = b"k" * 32
    with xorbit.Node(listen=LOOPBACK, network_key=key) as sealed:
        with xorbit.Node(listen=LOOPBACK, network_key=key, join=sealed.address) as friend:
            assert friend.joined()
            friend.put("k", "v")
            assert sealed.get("k").text == "v"


def test_an_ephemeral_node_with_nobody_there_is_told_so() -> None:
    with xorbit.Node(listen=LOOPBACK) as gone:
        door = gone.address
    with xorbit.Node(listen=LOOPBACK, join=door, ephemeral=True) as client:
        with pytest.raises(xorbit.Unreachable) as silence:
            client.get("k")
        assert isinstance(silence.value, ConnectionError) and silence.value.hint
        with pytest.raises(xorbit.Unreachable):
            client.put("k", "v")


def test_a_node_comes_back_from_its_directory(tmp_path: Path) -> None:
    directory = tmp_path / "data"
    with xorbit.Node(listen=LOOPBACK, data_dir=directory) as node:
        node.put("k", "v")
        identity = node.info().id
        with pytest.raises(xorbit.StartError) as taken:
            xorbit.Node(listen=LOOPBACK, data_dir=directory)
        assert taken.value.hint == "close the other node first, or give another directory"
    with xorbit.Node(listen=LOOPBACK, data_dir=directory) as node:
        assert (node.get("k").text, node.info().id) == ("v", identity)


def test_a_closed_node_says_so_however_often_it_is_closed() -> None:
    node = xorbit.Node(listen=LOOPBACK)
    node.close()
    node.close()
    requests: list[Callable[[], object]] = [
        node.info,
        lambda: node.get("k"),
        lambda: node.put("k", "v"),
        lambda: next(node.watch("k")),
        lambda: next(node.peers("topic")),
    ]
    for request in requests:
        with pytest.raises(xorbit.Closed):
            request()
