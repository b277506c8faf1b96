"""From a request on its way to something that an asyncio task can await."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TypeVar

from . import _native

_T = TypeVar("_T")


async def outcome(pending: _native.Pending[_T]) -> _T:
    """Awaits what the request comes to. A task that is cancelled meanwhile hears no more of it."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    pending.call_when_done(partial(loop.call_soon_threadsafe, _resolve, done))
    try:
        await done
    except BaseException:
        pending.cancel()
        raise
    return pending.take()


def _resolve(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
