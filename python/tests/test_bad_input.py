"""Whatever is handed in, the answer is an exception that says what is wrong with it."""

from __future__ import annotations

from typing import Any, Callable, Iterator

import pytest

import xorbit
from conftest import LOOPBACK

SURROGATE = "\ud800"


@pytest.fixture(scope="module")
def node() -> Iterator[xorbit.Node]:
    with xorbit.Node(listen=LOOPBACK) as node:
        yield node


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"listen": "127.0.0.1:99999"}, "`127.0.0.1:99999` is not ADDR:PORT"),
        ({"listen": "127.0.0.1:-1"}, "is not ADDR:PORT"),
        ({"listen": "127.0.0.1"}, "is not ADDR:PORT"),
        ({"listen": "localhost:0"}, "is not ADDR:PORT"),
        ({"listen": SURROGATE}, "the address is no Unicode text"),
        ({"listen": ["127.0.0.1:0", "127.0.0.2:0"]}, "one IPv4 and one IPv6 address at most"),
        ({"join": "nowhere"}, "`nowhere` is not HOST:PORT"),
        ({"join": "127.0.0.1:0"}, "is not HOST:PORT"),
        ({"join": "127.0.0.1:70000"}, "is not HOST:PORT"),
        ({"replicas": 0}, "0 replicas are not between 1 and 20"),
        ({"replicas": 21}, "21 replicas are not between 1 and 20"),
        ({"replicas": -1}, "`replicas` cannot be -1"),
        ({"max_value_bytes": -1}, "`max_value_bytes` cannot be -1"),
        ({"bandwidth_cap_bytes_per_s": 2**40}, "`bandwidth_cap_bytes_per_s` cannot be"),
        ({"network_key": b"short"}, "a network key of 5 bytes"),
        ({"network_key": b"k" * 32, "public": True}, "the public network cannot be sealed"),
        ({"network": SURROGATE}, "the name of the network is no Unicode text"),
    ],
)
def test_a_node_that_cannot_be_is_a_usage_error(options: dict[str, Any], words: str) -> None:
    with pytest.raises(xorbit.UsageError, match=words) as refused:
        xorbit.Node(**{"listen": LOOPBACK, **options})
    assert isinstance(refused.value, ValueError) and refused.value.kind == "usage"


def test_an_address_that_cannot_be_had_is_a_start_error(node: xorbit.Node) -> None:
    with pytest.raises(xorbit.StartError, match="cannot listen on") as taken:
        xorbit.Node(listen=node.address)
    assert taken.value.hint is not None and "take another" in taken.value.hint
    assert str(taken.value).endswith(f"\nhint: {taken.value.hint}")
    with pytest.raises(xorbit.StartError) as nowhere:
        xorbit.Node(listen="192.0.2.1:0")
    assert nowhere.value.hint is not None
    with pytest.raises(xorbit.StartError):
        xorbit.Node(listen=LOOPBACK, data_dir="/dev/null")


PUTS: list[tuple[str, dict[str, Any], str]] = [
    ("", {}, "the key is empty"),
    ("k" * 1025, {}, "the key has 1025 bytes"),
    (SURROGATE, {}, "the key is no Unicode text"),
    ("k", {"value": SURROGATE}, "the value is no Unicode text"),
    ("k", {"ttl_seconds": 0}, "a life of 0ns is not between"),
    ("k", {"ttl_seconds": -1}, "-1 is no number of seconds"),
    ("k", {"ttl_seconds": float("nan")}, "NaN is no number of seconds"),
    ("k", {"ttl_seconds": float("inf")}, "inf is no number of seconds"),
    ("k", {"ttl_seconds": 366 * 86400}, "is not between"),
    ("k", {"content_type": "t" * 129}, "the content type has 129 bytes"),
    ("k", {"content_type": SURROGATE}, "the content type is no Unicode text"),
    ("k", {"namespace": SURROGATE}, "the name of the namespace is no Unicode text"),
    ("k", {"if_version": -1}, "-1 is no version"),
    ("k", {"if_version": 2**63}, "is no version"),
    ("k", {"if_version": 1, "if_absent": True}, "exclude each other"),
    ("k", {"plain": True, "namespace": "secret"}, "a secret namespace takes none"),
]


@pytest.mark.parametrize(("key", "options", "words"), PUTS)
def test_a_put_that_cannot_be_is_a_usage_error(
    node: xorbit.Node, key: str, options: dict[str, Any], words: str
) -> None:
    if options.get("namespace") == "secret":
        options = {**options, "namespace": xorbit.Namespace.secret("passphrase")}
    value = options.pop("value", "v") if "value" in options else "v"
    with pytest.raises(xorbit.UsageError, match=words):
        node.put(key, value, **options)


def test_other_requests_that_cannot_be_are_usage_errors(node: xorbit.Node) -> None:
    consistency: Any = "most"
    requests: list[tuple[Callable[[], object], str]] = [
        (lambda: node.get("k" * 2000), "2000 bytes"),
        (lambda: node.get(SURROGATE), "no Unicode text"),
        (lambda: node.get("k", consistency=consistency), "`most` is no consistency"),
        (lambda: node.delete(""), "the key is empty"),
        (lambda: node.delete("k", if_version=-7), "-7 is no version"),
        (lambda: next(node.watch("")), "the key is empty"),
        (lambda: node.watch("k", after=-1), "-1 is no version"),
        (lambda: node.watch("k").wait(-1), "-1 is no number of seconds"),
        (lambda: node.announce("", 1), "the topic is empty"),
        (lambda: node.announce("t", 0), "0 is no port"),
        (lambda: node.announce("t", 65536), "65536 is no port"),
        (lambda: node.peers(SURROGATE), "no Unicode text"),
        (lambda: node.joined(-1), "no number of seconds"),
        (lambda: node.leave(-1), "no number of seconds"),
        (lambda: xorbit.Namespace.of("nobody"), "`nobody` is not a public key"),
        (lambda: xorbit.Namespace.secret(""), "passphrase"),
        (lambda: xorbit.Namespace.secret("p" * 1025), "passphrase"),
        (lambda: xorbit.Signer.from_seed(b"short"), "a seed of 5 bytes"),
    ]
    for request, words in requests:
        with pytest.raises(xorbit.UsageError, match=words):
            request()


def test_what_is_of_the_wrong_type_is_a_type_error(node: xorbit.Node) -> None:
    wrong: Any = 7
    requests: list[Callable[[], object]] = [
        lambda: node.put(wrong, "v"),
        lambda: node.put("k", wrong),
        lambda: node.put("k", "v", namespace=wrong),
        lambda: node.put("k", "v", ttl_seconds="soon"),  # type: ignore[arg-type]
        lambda: node.get(wrong),
        lambda: node.get("k", consistency=wrong),
        lambda: node.announce("t", "80"),  # type: ignore[arg-type]
        lambda: xorbit.Node(listen=wrong),
        lambda: xorbit.Node(listen=LOOPBACK, network=wrong),
        lambda: xorbit.Node(listen=LOOPBACK, network_key=wrong),
        lambda: xorbit.Node(listen=LOOPBACK, data_dir=wrong),
        lambda: xorbit.Namespace.secret(wrong),
    ]
    for request in requests:
        with pytest.raises(TypeError):
            request()


def test_a_moment_beyond_pythons_years_is_the_last_of_them() -> None:
    from xorbit.reports import moment

    assert moment(0).isoformat() == "1970-01-01T00:00:00+00:00"
    assert moment(2**64 - 1).year == 9999
