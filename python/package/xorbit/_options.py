"""What callers give, checked and in the form that the native half takes."""

from __future__ import annotations

import os
from typing import Any, Iterable, Literal, Union

from . import _native
from .errors import UsageError
from .reports import Address

Value = Union[str, bytes, bytearray, memoryview]
"""What can be put: bytes, or a text, which is put as UTF-8."""

Consistency = Literal["first", "quorum", "all"]
"""How many replicas a get waits for: the first valid answer, a majority, or every one known."""

Places = Union[str, Address, Iterable[Union[str, Address]]]
"""One or more of `ADDR:PORT`."""

PathLike = Union[str, "os.PathLike[str]"]

NamespaceLike = Union[_native.Namespace, str]
"""A namespace, or the name of an open one."""


def node_options(
    *,
    listen: Places | None,
    join: Places,
    network: str,
    network_key: bytes | None,
    public: bool,
    data_dir: PathLike | None,
    replicas: int | None,
    ephemeral: bool,
    bandwidth_cap_bytes_per_s: int | None,
    max_value_bytes: int | None,
) -> dict[str, Any]:
    """How a node shall be."""
    return {
        "listen": [] if listen is None else places(listen),
        "join": places(join),
        "network": unicode("name of the network", network),
        "network_key": network_key,
        "public": public,
        "data_dir": None if data_dir is None else os.fspath(data_dir),
        "replicas": replicas,
        "ephemeral": ephemeral,
        "bandwidth_cap_bytes_per_s": bandwidth_cap_bytes_per_s,
        "max_value_bytes": max_value_bytes,
    }


def put_options(
    *,
    namespace: NamespaceLike | None,
    ttl_seconds: float | None,
    content_type: str | None,
    plain: bool,
    if_version: int | None,
    if_absent: bool,
) -> dict[str, Any]:
    """How a put shall be."""
    return {
        "namespace": namespace_of(namespace),
        "ttl_seconds": ttl_seconds,
        "content_type": None if content_type is None else unicode("content type", content_type),
        "plain": plain,
        "if_version": if_version,
        "if_absent": if_absent,
    }


def places(told: Places) -> list[str]:
    """A list of one or more of `ADDR:PORT`."""
    if isinstance(told, (str, Address)):
        told = [told]
    return [unicode("address", str(place)) for place in told]


def namespace_of(told: NamespaceLike | None) -> _native.Namespace | None:
    """The namespace, that of a name being open."""
    if isinstance(told, str):
        return _native.Namespace.open(unicode("name of the namespace", told))
    return told


def value_bytes(value: Value) -> bytes:
    """The bytes to put."""
    if isinstance(value, str):
        return unicode("value", value).encode()
    if isinstance(value, bytes):
        return value
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    raise TypeError(f"a value is str or bytes, not {type(value).__name__}")


def unicode(what: str, text: str) -> str:
    """The same text, if it can be written as UTF-8."""
    if not isinstance(text, str):
        raise TypeError(f"the {what} is a str, not {type(text).__name__}")
    try:
        text.encode()
    except UnicodeEncodeError as cause:
        message = f"the {what} is no Unicode text: {cause.reason} at position {cause.start}"
        raise UsageError(message, hint="it has halves of surrogate pairs; decode it anew") from cause
    return text


class Raise:
    """Stands for no default: what is not found is raised."""


RAISE = Raise()
