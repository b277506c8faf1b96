"""The same for asyncio, and what becomes of tasks that are cancelled."""

from __future__ import annotations

import asyncio
import gc
from contextlib import AsyncExitStack
from typing import AsyncIterator

import pytest

import xorbit
from conftest import LOOPBACK

# More than a node watches at once.
MANY_WATCHES = 130


async def two_nodes(stack: AsyncExitStack) -> tuple[xorbit.AsyncNode, xorbit.AsyncNode]:
    first = await stack.enter_async_context(xorbit.AsyncNode(listen=LOOPBACK))
    second = xorbit.AsyncNode(listen=LOOPBACK, join=first.address)
    await stack.enter_async_context(second)
    assert await second.joined() and await first.joined()
    return first, second


def test_what_one_puts_another_gets() -> None:
    async def story() -> None:
        async with AsyncExitStack() as stack:
            first, second = await two_nodes(stack)
            receipt = await first.put("greeting", "hello", ttl_seconds=60)
            report = await second.get("greeting", consistency="all")
            assert (report.text, report.version) == ("hello", receipt.version)
            assert await second.get("nothing", None) is None
            with pytest.raises(KeyError):
                await second.get("nothing")
            with pytest.raises(xorbit.Conflict):
                await second.put("greeting", "hi", if_absent=True)
            deleted = await second.delete("greeting", if_version=receipt.version)
            assert deleted.version is not None
            assert (await first.info()).contacts == (1, 0)
            assert (await first.leave(1)).not_handed_over == 0

    asyncio.run(story())


def test_many_requests_are_on_their_way_at_once() -> None:
    async def story() -> None:
        async with AsyncExitStack() as stack:
            first, second = await two_nodes(stack)
            keys = [f"key {number}" for number in range(200)]
            await asyncio.gather(*(first.put(key, key) for key in keys))
            reports = await asyncio.gather(*(second.get(key) for key in keys))
            assert [report.text for report in reports] == keys

    asyncio.run(story())


def test_peers_come_one_by_one() -> None:
    async def story() -> None:
        async with AsyncExitStack() as stack:
            first, second = await two_nodes(stack)
            await first.announce("films", 7001)
            assert [peer async for peer in second.peers("films")] == [("127.0.0.1", 7001)]

    asyncio.run(story())


def test_a_watch_tells_each_version_until_it_is_closed() -> None:
    async def story() -> None:
        async with AsyncExitStack() as stack:
            first, second = await two_nodes(stack)
            await first.put("k", "one")
            told = []
            async with second.watch("k") as watch:
                async for seen in watch:
                    told.append("gone" if seen.deleted else seen.text)
                    if seen.text == "one":
                        await first.put("k", "two")
                    elif seen.text == "two":
                        await first.delete("k")
                    else:
                        watch.close()
            assert told == ["one", "two", "gone"]

    asyncio.run(story())


def test_a_cancelled_wait_loses_no_version() -> None:
    async def story() -> None:
        async with AsyncExitStack() as stack:
            first, second = await two_nodes(stack)
            watch = second.watch("k")
            await first.put("k", "0")
            for number in range(40):
                assert await next_patiently(watch) == str(number)
                await first.put("k", str(number + 1))

    async def next_patiently(watch: AsyncIterator[xorbit.Watched]) -> str | None:
        while True:
            # Times out before, at and after the moment at which something comes.
            for patience in [0.0, 0.0005, 0.001, 0.002, 0.005]:
                try:
                    return (await asyncio.wait_for(watch.__anext__(), patience)).text
                except asyncio.TimeoutError:
                    pass

    asyncio.run(asyncio.wait_for(story(), 60))


def test_cancelled_and_dropped_watches_leave_nothing_behind() -> None:
    async def story() -> None:
        async with AsyncExitStack() as stack:
            first, second = await two_nodes(stack)
            await first.put("k", "v")
            for number in range(MANY_WATCHES):
                watch = second.watch("k")
                assert (await watch.__anext__()).text == "v"
                waiting = asyncio.ensure_future(watch.__anext__())
                await asyncio.sleep(0)
                waiting.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiting
                del watch, waiting
                gc.collect()

    asyncio.run(story())


def test_a_cancelled_start_starts_nothing_and_can_be_tried_again() -> None:
    async def story() -> None:
        node = xorbit.AsyncNode(listen=LOOPBACK)
        starting = asyncio.ensure_future(node.start())
        await asyncio.sleep(0)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        async with node:
            await node.put("k", "v")
            with pytest.raises(xorbit.UsageError, match="started before"):
                await node.start()

    asyncio.run(story())


def test_a_node_that_was_not_started_says_so() -> None:
    async def story() -> None:
        node = xorbit.AsyncNode(listen=LOOPBACK)
        assert repr(node) == "<xorbit.AsyncNode not started>"
        with pytest.raises(xorbit.UsageError, match="not started"):
            await node.get("k")
        with pytest.raises(xorbit.UsageError, match="is not ADDR:PORT"):
            await xorbit.AsyncNode(listen="nowhere").start()

    asyncio.run(story())


def test_what_waits_when_the_node_is_closed_hears_of_it() -> None:
    async def story() -> None:
        async with xorbit.AsyncNode(listen=LOOPBACK) as gone:
            door = gone.address
        node = await xorbit.AsyncNode(listen=LOOPBACK, join=door, ephemeral=True).start()
        get = asyncio.ensure_future(node.get("k"))
        await asyncio.sleep(0)
        await node.close()
        with pytest.raises((xorbit.Closed, xorbit.Unreachable)):
            await get

    asyncio.run(story())


def test_a_node_outlives_the_loop_that_started_it() -> None:
    node = xorbit.AsyncNode(listen=LOOPBACK)
    asyncio.run(start_and_put(node))
    assert asyncio.run(node.get("k")).text == "v"
    asyncio.run(node.close())


async def start_and_put(node: xorbit.AsyncNode) -> None:
    await node.start()
    await node.put("k", "v")
