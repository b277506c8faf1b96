"""Why something failed: one class for each kind, with what happened and a way out.

All are `XorbitError`; those that Python has a word for are that, too: what is not found is a
`KeyError`, what cannot be a `ValueError`, a limit that passed a `TimeoutError`, silence a
`ConnectionError`.
"""

from __future__ import annotations

from typing import ClassVar, Literal, Optional

from .reports import Effort, GetReport, PutReport, Refusal

__all__ = [
    "Busy",
    "Closed",
    "Conflict",
    "NotEnoughReplicas",
    "NotFound",
    "Refused",
    "StartError",
    "TimedOut",
    "TooLarge",
    "Undetermined",
    "Unopened",
    "Unreachable",
    "UsageError",
    "XorbitError",
]


class XorbitError(Exception):
    """Something failed."""

    kind: ClassVar[str] = "environment"
    """The same word as in the JSON of the program and of HTTP."""

    message: str
    """What happened, in one line."""
    hint: Optional[str]
    """What can be done about it, if anything is known."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return self.message if self.hint is None else f"{self.message}\nhint: {self.hint}"


class UsageError(XorbitError, ValueError):
    """The caller asked for something impossible. Nothing was sent."""

    kind = "usage"


class TooLarge(UsageError):
    """The value is above the limit of this node, or does not fit one item and must."""

    kind = "too_large"

    length: Optional[int]
    """Bytes of the value."""
    limit: Optional[int]
    """Bytes that it may have."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        length: int | None = None,
        limit: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.length = length
        self.limit = limit


class StartError(XorbitError):
    """A node does not start: something on this machine is in the way."""


class Closed(XorbitError):
    """The node was closed before the request was done."""


class Busy(XorbitError):
    """This node has as many requests on their way as it may."""

    kind = "busy"


class TimedOut(XorbitError, TimeoutError):
    """The limit that the caller gave has passed. The network's own limits are other errors."""

    kind = "timed_out"


class NotFound(XorbitError, KeyError):
    """Enough replicas answered, and the key has no value."""

    kind = "not_found"

    reason: Literal["never_seen", "deleted", "expired"]
    """Why not: no replica that answered holds anything, or it was deleted, or has expired."""
    version: Optional[int]
    """In which version it was deleted or has expired."""
    effort: Optional[Effort]
    """What it cost."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        reason: Literal["never_seen", "deleted", "expired"] = "never_seen",
        version: int | None = None,
        effort: Effort | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason
        self.version = version
        self.effort = effort


class Conflict(XorbitError):
    """The key does not hold the version that the put expected."""

    kind = "conflict"

    current: Optional[int]
    """The version that it holds, as far as is known; None: no value, or nobody said."""

    def __init__(
        self, message: str, *, hint: str | None = None, current: int | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.current = current


class Undetermined(XorbitError):
    """The node that decides who wins did not answer: the put may or may not have happened."""

    kind = "undetermined"

    version: Optional[int]
    """The version that would be there."""

    def __init__(
        self, message: str, *, hint: str | None = None, version: int | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.version = version


class NotEnoughReplicas(XorbitError):
    """Too few replicas stored, or answered."""

    kind = "not_enough_replicas"

    report: Optional[PutReport]
    """Of a put: who stored, who refused and why, and who was silent."""
    found: Optional[GetReport]
    """Of a get: the newest value among the answers, which may be stale."""
    answered: Optional[int]
    """Of a get: how many answered."""
    known: Optional[int]
    """How many replicas are known."""
    needed: Optional[int]
    """How many of them must store or answer."""
    short: Optional[int]
    """Of a value of many chunks: how many chunks too few nodes hold."""
    of: Optional[int]
    """Of how many chunks."""
    refusal: Optional[Refusal]
    """The first node that would not store one of them, if any did not."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        report: PutReport | None = None,
        found: GetReport | None = None,
        answered: int | None = None,
        known: int | None = None,
        needed: int | None = None,
        short: int | None = None,
        of: int | None = None,
        refusal: Refusal | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.report = report
        self.found = found
        self.answered = answered
        self.known = known
        self.needed = needed
        self.short = short
        self.of = of
        self.refusal = refusal


class Refused(XorbitError):
    """What is stored is not what its writer said it is."""

    kind = "refused"


class Unopened(XorbitError):
    """The newest version does not open with the secret of this namespace."""

    kind = "unopened"

    version: Optional[int]
    """Which version."""
    older: Optional[GetReport]
    """The newest older value that opens, if one was found."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        version: int | None = None,
        older: GetReport | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.version = version
        self.older = older


class Unreachable(XorbitError, ConnectionError):
    """Nobody answered."""

    kind = "unreachable"

    effort: Optional[Effort]
    """What it cost."""

    def __init__(
        self, message: str, *, hint: str | None = None, effort: Effort | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.effort = effort
