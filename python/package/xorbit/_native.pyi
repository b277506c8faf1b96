"""The native half: what the package's two faces stand on, not for programs to use."""

from typing import Any, Callable, Generic, TypeVar, final

from .reports import Address, GetReport, Info, LeaveReport, PutReport, Watched

_T = TypeVar("_T")

__all__ = ["Namespace", "Node", "Pending", "Signer", "Stream", "__version__", "leave_interpreter"]

__version__: str

def leave_interpreter() -> None: ...
@final
class Pending(Generic[_T]):
    def wait(self, timeout_seconds: float | None) -> _T: ...
    def call_when_done(self, callback: Callable[[], object]) -> None: ...
    def take(self) -> _T: ...
    def cancel(self) -> None: ...

@final
class Stream(Generic[_T]):
    def next(self) -> Pending[_T | None]: ...
    def close(self) -> None: ...

@final
class Node:
    @staticmethod
    def start(options: dict[str, Any]) -> Pending[Node]: ...
    def local_addrs(self) -> list[Address]: ...
    def max_value_bytes(self) -> int: ...
    def put(self, key: str, value: bytes, options: dict[str, Any]) -> Pending[PutReport]: ...
    def delete(
        self, key: str, namespace: Namespace | None, if_version: int | None
    ) -> Pending[PutReport]: ...
    def get(
        self, key: str, namespace: Namespace | None, consistency: str
    ) -> Pending[GetReport]: ...
    def watch(
        self, key: str, namespace: Namespace | None, after: int | None
    ) -> Stream[Watched]: ...
    def announce(self, topic: str, port: int | None, seed: bool) -> Pending[PutReport]: ...
    def peers(self, topic: str) -> Stream[Address]: ...
    def joined(self, limit_seconds: float) -> Pending[bool]: ...
    def info(self) -> Pending[Info]: ...
    def leave(self, within_seconds: float | None) -> Pending[LeaveReport]: ...
    def close(self) -> Pending[None]: ...

@final
class Signer:
    """An Ed25519 key that signs what is put in a namespace of its own."""

    @staticmethod
    def generate() -> Signer:
        """A new one, from the randomness of the machine."""

    @staticmethod
    def from_seed(seed: bytes) -> Signer:
        """The one of this seed of 32 bytes."""

    @property
    def seed(self) -> bytes:
        """The seed, 32 bytes: whoever has it can sign."""

    @property
    def public_key(self) -> str:
        """The public key, 64 hexadecimal digits."""

@final
class Namespace:
    """Under whose key keys live, and so who may write them; in a secret one also who may read."""

    @staticmethod
    def open(name: str) -> Namespace:
        """The open namespace of a public name: whoever knows the name can read and write."""

    @staticmethod
    def signed(signer: Signer) -> Namespace:
        """The namespace of a signer: only it can write, everybody with its public key can read."""

    @staticmethod
    def of(public_key: str) -> Namespace:
        """Somebody's signed namespace, to read; a public key has 64 hexadecimal digits."""

    @staticmethod
    def secret(passphrase: str | bytes, name: str = "default") -> Namespace:
        """The secret namespace of a passphrase: whoever knows it can read and write, nobody else.

        Slow on purpose, about a tenth of a second: make it once and keep it.
        """

    @property
    def owner(self) -> str:
        """Whose it is: a public key of 64 hexadecimal digits."""

    @property
    def is_secret(self) -> bool:
        """Whether only who knows a passphrase can read here."""
