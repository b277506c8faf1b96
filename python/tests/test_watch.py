"""Watching a key from a thread."""

from __future__ import annotations

import threading

import pytest

import xorbit
from conftest import LOOPBACK


def test_a_watch_tells_the_present_version_and_each_newer_one(network: list[xorbit.Node]) -> None:
    first = network[0].put("k", "one", content_type="text/plain")
    with network[1].watch("k") as watch:
        seen = next(watch)
        assert (seen.text, seen.version, seen.content_type) == ("one", first.version, "text/plain")
        network[2].put("k", "two")
        second = next(watch)
        assert second.text == "two" and second.version > seen.version
        network[3].delete("k")
        gone = next(watch)
        assert gone.deleted and gone.value is None and gone.text is None


def test_a_watch_goes_on_where_another_ended(network: list[xorbit.Node]) -> None:
    old = network[0].put("k", "old")
    new = network[0].put("k", "new")
    with network[1].watch("k", after=old.version) as watch:
        assert next(watch).version == new.version
    with network[1].watch("k", after=new.version) as watch:
        with pytest.raises(xorbit.TimedOut):
            watch.wait(timeout_seconds=0.1)


def test_a_limit_that_passed_loses_nothing(network: list[xorbit.Node]) -> None:
    with network[1].watch("k") as watch:
        with pytest.raises(TimeoutError) as passed:
            watch.wait(timeout_seconds=0.05)
        assert isinstance(passed.value, xorbit.TimedOut)
        network[0].put("k", "v")
        seen = watch.wait(timeout_seconds=10)
        assert seen is not None and seen.text == "v"


def test_a_large_value_is_told_by_its_manifest(network: list[xorbit.Node]) -> None:
    network[0].put("k", b"x" * 5000)
    with network[1].watch("k") as watch:
        seen = next(watch)
        assert seen.value is None and seen.manifest is not None and seen.manifest.length == 5000


def test_what_was_sealed_by_another_secret_does_not_open(network: list[xorbit.Node]) -> None:
    secret = xorbit.Namespace.secret("passphrase")
    network[0].put("k", "v", namespace=secret)
    with network[1].watch("k", namespace=secret) as watch:
        assert next(watch).text == "v"


def test_a_thread_that_waits_hears_that_the_watch_or_the_node_was_closed() -> None:
    with xorbit.Node(listen=LOOPBACK) as node:
        node.put("k", "v")
        watches = [node.watch("k"), node.watch("k")]
        for watch in watches:
            next(watch)
        told: list[object] = []
        threads = [threading.Thread(target=lambda w=w: told.append(list(w))) for w in watches]
        for thread in threads:
            thread.start()
        watches[0].close()
        threads[0].join(timeout=10)
        assert told == [[]]
    threads[1].join(timeout=10)
    assert told == [[], []]
