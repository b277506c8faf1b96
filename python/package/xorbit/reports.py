"""What nodes tell: the receipts of puts, the reports of gets, and how a node is.

Fields have the names that they have in the Rust library. Ids and targets are 40 hexadecimal
digits, spans of time are `timedelta`, moments are `datetime` in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import NamedTuple, Optional, Tuple

__all__ = [
    "Address",
    "ChunksReport",
    "Effort",
    "GetReport",
    "Info",
    "LeaveReport",
    "Manifest",
    "PutReport",
    "Refusal",
    "Replica",
    "Watched",
    "WriteReport",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LAST_MOMENT = datetime.max.replace(tzinfo=timezone.utc)


def moment(unix_ms: int) -> datetime:
    """The moment so many milliseconds after 1970 began, or the last one that Python knows."""
    try:
        return _EPOCH + timedelta(milliseconds=unix_ms)
    except OverflowError:
        return _LAST_MOMENT


class Address(NamedTuple):
    """An IP address and port; a string of it is what `join` takes."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True)
class Effort:
    """What a lookup cost."""

    asked: int
    """Queries sent."""
    answered: int
    """Replies received."""
    hops: int
    """How many nodes stand between us and the closest one, it included."""
    took: timedelta
    """From the request to its end."""


@dataclass(frozen=True)
class Replica:
    """One of the nodes that a key is kept on."""

    id: str
    """Its id."""
    endpoint: Optional[Address]
    """Its address; None: the asking node itself."""


@dataclass(frozen=True)
class Refusal:
    """A node that would not store, and why."""

    replica: Replica
    """Which node."""
    code: int
    """The error code (BEP 5, BEP 44); 0: it gave no token to write with."""
    text: str
    """What it said."""


@dataclass(frozen=True)
class WriteReport:
    """What became of a write at each replica."""

    known: int
    """How many replicas are known: at most as many as the network is set to."""
    needed: int
    """How many of them must store: a majority."""
    stored: Tuple[Replica, ...]
    """Those that said they stored, closest first."""
    refused: Tuple[Refusal, ...]
    """Those that would not."""
    silent: Tuple[Replica, ...]
    """Those that did not answer."""
    effort: Effort
    """What it cost."""


@dataclass(frozen=True)
class ChunksReport:
    """What became of the chunks of a value that does not fit one item."""

    stored: int
    """Chunks that a majority of their replicas keep long enough."""
    short: int
    """Chunks that fewer keep."""
    refusal: Optional[Refusal]
    """The first node that would not store a chunk that fewer keep, if any did not."""
    sent: int
    """Copies sent to other nodes."""
    held: int
    """Copies that replicas kept already."""
    asked: int
    """Queries sent to find the replicas."""


@dataclass(frozen=True)
class PutReport:
    """A put, deletion or announcement that enough replicas took."""

    target: str
    """Where in the key space the key lies."""
    version: Optional[int]
    """The version it has now; None for an announcement."""
    expires: Optional[datetime]
    """Until when it lives."""
    replicas: WriteReport
    """Where it was stored."""
    chunks: Optional[ChunksReport]
    """The chunks of a value that does not fit one item."""


@dataclass(frozen=True)
class Manifest:
    """The chunks of a value that does not fit one item."""

    length: int
    """Bytes of the whole value."""
    hash: bytes
    """BLAKE3 of the whole value."""
    chunks: int
    """How many chunks the value and its tree have in all."""


@dataclass(frozen=True)
class GetReport:
    """A value that was found."""

    target: str
    """Where in the key space the key lies."""
    value: bytes = field(repr=False)
    """The value."""
    manifest: Optional[Manifest]
    """The chunks of a value that does not fit one item."""
    content_type: Optional[str]
    """What kind of value it is, as its writer said."""
    version: int
    """Its version."""
    expires: Optional[datetime]
    """Until when it lives; None: it is plain, and lives two hours from its last put."""
    source: Replica
    """Who it came from: the closest replica that holds this version, or the node that gave it."""
    agreed: int
    """Replicas that hold this version."""
    stale: int
    """Replicas that hold an older one."""
    missing: int
    """Replicas that hold none."""
    silent: int
    """Replicas that did not answer."""
    known: int
    """How many replicas are known."""
    repairing: int
    """Replicas that are being given this version now."""
    effort: Effort
    """What it cost."""

    @property
    def text(self) -> str:
        """The value as UTF-8; anybody may have written it, so be ready for UnicodeDecodeError."""
        return self.value.decode()


@dataclass(frozen=True)
class Watched:
    """A version of a watched key, newer than those told before."""

    target: str
    """Where in the key space the key lies."""
    version: int
    """The version."""
    deleted: bool
    """The key was deleted in this version."""
    opens: bool
    """It can be read with what the watcher knows."""
    value: Optional[bytes] = field(repr=False)
    """The value; None if there is none to read, or if it has many chunks."""
    manifest: Optional[Manifest]
    """The chunks of a value that does not fit one item: get it by itself."""
    content_type: Optional[str]
    """What kind of value it is, as its writer said."""
    expires: Optional[datetime]
    """Until when it lives; None: it is plain, and lives two hours from its last put."""
    source: Replica
    """Who told of it first."""

    @property
    def text(self) -> Optional[str]:
        """The value as UTF-8, if there is one to read."""
        return None if self.value is None else self.value.decode()


@dataclass(frozen=True)
class Info:
    """How a node is."""

    id: str
    """Its id."""
    listening: Tuple[Address, ...]
    """What it listens on."""
    advertised: Tuple[Address, ...]
    """What others on the same network can reach it at."""
    external: Tuple[Address, ...]
    """Where others see it, as far as they agree."""
    contacts: Tuple[int, int]
    """Contacts in its tables: IPv4, IPv6."""
    remembered: int
    """Contacts that its data directory remembered when it started."""
    replicas: int
    """Replicas of a value, as its network is set to."""
    read_only: bool
    """It answers no queries."""
    items: int
    """Items that it holds for others."""
    item_bytes: int
    """Their bytes."""
    members: int
    """Members of sets that it holds for others, removed ones that are remembered included."""
    topics: int
    """Topics with peers that it holds."""
    peers: int
    """Their peers."""
    up: timedelta
    """How long it has run."""


@dataclass(frozen=True)
class LeaveReport:
    """What a leave came to."""

    items: int
    """Items that were kept for others to their end."""
    not_handed_over: int
    """Of these, those that not all nodes which should hold them now are known to hold."""
    members: int
    """Members of sets, removed ones that are remembered included."""
    members_not_handed_over: int
    """Of these, those that not all nodes which should hold them now are known to hold."""
