"""What comes bit by bit: versions of a watched key, peers of a topic."""

from __future__ import annotations

from typing import AsyncIterator, Generic, Iterator, TypeVar

from . import _native
from ._asynchronous import outcome

_T = TypeVar("_T")


class Stream(Iterator[_T], Generic[_T]):
    """An iterator over what comes. It begins with the first that is asked for.

    `with` ends it at the block's end; else it ends when it is closed or dropped.
    """

    def __init__(self, native: _native.Stream[_T]) -> None:
        self._native = native

    def __iter__(self) -> Stream[_T]:
        return self

    def __next__(self) -> _T:
        item = self.wait()
        if item is None:
            raise StopIteration
        return item

    def wait(self, timeout_seconds: float | None = None) -> _T | None:
        """The next, or None at the end; if nothing comes within that time, `TimedOut`.

        What comes after that is not lost: ask again.
        """
        return self._native.next().wait(timeout_seconds)

    def close(self) -> None:
        """Ends it; a thread that waits for the next hears that there is none."""
        self._native.close()

    def __enter__(self) -> Stream[_T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncStream(AsyncIterator[_T], Generic[_T]):
    """An asynchronous iterator over what comes. It begins with the first that is asked for.

    Cancelled while it waits it loses nothing: ask again. `async with` ends it at the block's end;
    else it ends when it is closed or dropped.
    """

    def __init__(self, native: _native.Stream[_T]) -> None:
        self._native = native

    def __aiter__(self) -> AsyncStream[_T]:
        return self

    async def __anext__(self) -> _T:
        item = await outcome(self._native.next())
        if item is None:
            raise StopAsyncIteration
        return item

    def close(self) -> None:
        """Ends it; a task that waits for the next hears that there is none."""
        self._native.close()

    async def __aenter__(self) -> AsyncStream[_T]:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()
