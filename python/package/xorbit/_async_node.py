"""A node for asyncio."""

from __future__ import annotations

from typing import TypeVar, overload

from . import _native
from ._asynchronous import outcome
from ._options import (
    RAISE,
    Consistency,
    NamespaceLike,
    PathLike,
    Places,
    Raise,
    Value,
    namespace_of,
    node_options,
    put_options,
    unicode,
    value_bytes,
)
from ._streams import AsyncStream
from .errors import NotFound, UsageError
from .reports import Address, GetReport, Info, LeaveReport, PutReport, Watched

_D = TypeVar("_D")


class AsyncNode:
    """A node, driven from asyncio; any number of tasks may use it at once, in any event loop.

    `async with AsyncNode(...) as node` starts it, and stops it at the block's end; so do `await
    node.start()` and `await node.close()`. A task that is cancelled no longer waits; what it sent is
    not called back, so a put may still happen.
    """

    def __init__(
        self,
        *,
        listen: Places | None = None,
        join: Places = (),
        network: str = "xorbit",
        network_key: bytes | None = None,
        public: bool = False,
        data_dir: PathLike | None = None,
        replicas: int | None = None,
        ephemeral: bool = False,
        bandwidth_cap_bytes_per_s: int | None = None,
        max_value_bytes: int | None = None,
    ) -> None:
        """Says how the node shall be; it starts with `start` or `async with`.

        - `listen`: an IPv4 and an IPv6 `ADDR:PORT` at most, port 0 being any that is free; if not
          given all addresses of the machine, port 8000.
        - `join`: one or more `HOST:PORT` of nodes that run; without any, a new network begins.
        - `network`: the network's name; those of other names do not mix with it.
        - `network_key`: 32 bytes that seal the network: who lacks them can neither join nor read.
        - `public`: join the planet-wide Mainline network instead of one's own.
        - `data_dir`: keep identity, contacts and what is held in this directory. A put is answered
          once it is durable.
        - `replicas`: how many nodes shall hold each record, 1 to 20, 8 if not given: a setting of a
          whole network.
        - `ephemeral`: answer nobody, for a client that soon leaves.
        - `bandwidth_cap_bytes_per_s`: a cap on all that is sent.
        - `max_value_bytes`: the largest value that it puts or gets, 64 MiB if not given (256 KiB on
          the public network).
        """
        self._options = node_options(
            listen=listen,
            join=join,
            network=network,
            network_key=network_key,
            public=public,
            data_dir=data_dir,
            replicas=replicas,
            ephemeral=ephemeral,
            bandwidth_cap_bytes_per_s=bandwidth_cap_bytes_per_s,
            max_value_bytes=max_value_bytes,
        )
        self._begun = False
        self._native: _native.Node | None = None

    async def start(self) -> AsyncNode:
        """Starts the node, which begins to join at once and serves from the first moment.

        Raises `StartError` if something on this machine is in the way, `UsageError` if the options
        are impossible or if it was started before.
        """
        if self._begun:
            raise UsageError("the node was started before", hint="make a new `AsyncNode`")
        self._begun = True
        try:
            self._native = await outcome(_native.Node.start(self._options))
        except BaseException:
            self._begun = False
            raise
        return self

    @property
    def _running(self) -> _native.Node:
        if self._native is None:
            hint = "use `async with node`, or `await node.start()` first"
            raise UsageError("the node was not started", hint=hint)
        return self._native

    async def __aenter__(self) -> AsyncNode:
        return await self.start()

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        place = "not started" if self._native is None else f"at {self.address}"
        return f"<xorbit.AsyncNode {place}>"

    @property
    def address(self) -> Address:
        """The first address that it listens on: what others give as `join`."""
        return self.addresses[0]

    @property
    def addresses(self) -> list[Address]:
        """All addresses that it listens on."""
        return self._running.local_addrs()

    @property
    def max_value_bytes(self) -> int:
        """The largest value that it puts or gets."""
        return self._running.max_value_bytes()

    async def put(
        self,
        key: str,
        value: Value,
        *,
        namespace: NamespaceLike | None = None,
        ttl_seconds: float | None = None,
        content_type: str | None = None,
        plain: bool = False,
        if_version: int | None = None,
        if_absent: bool = False,
    ) -> PutReport:
        """Puts a value under a key of 1 to 1,024 bytes, and tells where it was stored.

        - `namespace`: a `Namespace`, or the name of an open one; the open one named `default`.
        - `ttl_seconds`: how long it lives, at most 365 days; 7 days if not given.
        - `content_type`: what kind of value it is, at most 128 bytes.
        - `plain`: just the bytes, for two hours, as other Mainline programs store them.
        - `if_version`: only if the key holds exactly this version: compare-and-swap.
        - `if_absent`: only if the key holds no value.

        Raises `Conflict`, `Undetermined`, `NotEnoughReplicas`, `TooLarge`, `Unreachable`,
        `UsageError`, `Busy` or `Closed`.
        """
        options = put_options(
            namespace=namespace,
            ttl_seconds=ttl_seconds,
            content_type=content_type,
            plain=plain,
            if_version=if_version,
            if_absent=if_absent,
        )
        return await outcome(self._running.put(unicode("key", key), value_bytes(value), options))

    @overload
    async def get(
        self,
        key: str,
        *,
        namespace: NamespaceLike | None = None,
        consistency: Consistency = "quorum",
    ) -> GetReport: ...

    @overload
    async def get(
        self,
        key: str,
        default: _D,
        *,
        namespace: NamespaceLike | None = None,
        consistency: Consistency = "quorum",
    ) -> GetReport | _D: ...

    async def get(
        self,
        key: str,
        default: _D | Raise = RAISE,
        *,
        namespace: NamespaceLike | None = None,
        consistency: Consistency = "quorum",
    ) -> GetReport | _D:
        """Gets the value of a key, with what the replicas said of it.

        If there is none, the default, or `NotFound` (a `KeyError`) if no default is given.

        - `namespace`: as in `put`.
        - `consistency`: how many replicas to wait for: `first`, `quorum` or `all`.

        Raises `NotFound`, `NotEnoughReplicas`, `Unopened`, `TooLarge`, `Refused`, `Unreachable`,
        `UsageError`, `Busy` or `Closed`.
        """
        place = namespace_of(namespace)
        try:
            return await outcome(self._running.get(unicode("key", key), place, consistency))
        except NotFound:
            if isinstance(default, Raise):
                raise
            return default

    async def delete(
        self,
        key: str,
        *,
        namespace: NamespaceLike | None = None,
        if_version: int | None = None,
    ) -> PutReport:
        """Deletes the value of a key, which is remembered as long as the value would have lived.

        Raises `NotFound` if there is nothing to delete, else as `put`.
        """
        place = namespace_of(namespace)
        return await outcome(self._running.delete(unicode("key", key), place, if_version))

    def watch(
        self,
        key: str,
        *,
        namespace: NamespaceLike | None = None,
        after: int | None = None,
    ) -> AsyncStream[Watched]:
        """Tells of each newer version of a key, as it comes: an asynchronous iterator.

        The present version is told first; with `after`, only versions above that one. The last
        version is never missed, those that were overwritten meanwhile may be.

        The iterator raises `Unreachable` if nobody answers when it begins, `Busy` and `UsageError`;
        it ends when the node is closed.
        """
        place = namespace_of(namespace)
        return AsyncStream(self._running.watch(unicode("key", key), place, after))

    async def announce(self, topic: str, port: int | None, *, seed: bool = False) -> PutReport:
        """Announces a peer of a topic at this machine, on this TCP or UDP port.

        A topic is any text, or an info hash of 40 hexadecimal digits. Without a port it is the one
        that others see this node's own datagrams come from. `seed`: it has the whole (BEP 33).
        """
        return await outcome(self._running.announce(unicode("topic", topic), port, seed))

    def peers(self, topic: str) -> AsyncStream[Address]:
        """Finds the peers of a topic: an asynchronous iterator over each once, as they come."""
        return AsyncStream(self._running.peers(unicode("topic", topic)))

    async def joined(self, limit_seconds: float = 10.0) -> bool:
        """Waits until the node has a contact, up to that limit; tells whether it has."""
        return await outcome(self._running.joined(limit_seconds))

    async def info(self) -> Info:
        """How the node is."""
        return await outcome(self._running.info())

    async def leave(self, within_seconds: float | None = None) -> LeaveReport:
        """Hands what it keeps for others off to those who will be closest without it.

        Within that time, or the usual 10 s. It serves on until `close`.
        """
        return await outcome(self._running.leave(within_seconds))

    async def close(self) -> None:
        """Stops the node; what others wait for here raises `Closed`.

        A node that holds values for others calls `leave` before. Closing twice does no harm.
        """
        await outcome(self._running.close())
