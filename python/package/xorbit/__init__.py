"""A distributed hash table to embed: start a node, join a network, put and get values.

    with xorbit.Node(listen="127.0.0.1:0") as node:
        node.put("greeting", "hello")
        print(node.get("greeting").text)

`Node` blocks the thread that calls it and lets others run; `AsyncNode` is the same for asyncio.
What they give back, in `xorbit.reports`, tells the truth about every replica; what they raise, in
`xorbit.errors`, tells not found, unreachable, refused and conflict apart.
"""

import atexit as _atexit

from . import _native
from ._async_node import AsyncNode
from ._native import Namespace, Signer, __version__
from ._node import Node
from ._options import Consistency, NamespaceLike, PathLike, Places, Value
from ._streams import AsyncStream, Stream
from .errors import (
    Busy,
    Closed,
    Conflict,
    NotEnoughReplicas,
    NotFound,
    Refused,
    StartError,
    TimedOut,
    TooLarge,
    Undetermined,
    Unopened,
    Unreachable,
    UsageError,
    XorbitError,
)
from .reports import (
    Address,
    ChunksReport,
    Effort,
    GetReport,
    Info,
    LeaveReport,
    Manifest,
    PutReport,
    Refusal,
    Replica,
    Watched,
    WriteReport,
)

__all__ = [
    "Address",
    "AsyncNode",
    "AsyncStream",
    "Busy",
    "ChunksReport",
    "Closed",
    "Conflict",
    "Consistency",
    "Effort",
    "GetReport",
    "Info",
    "LeaveReport",
    "Manifest",
    "Namespace",
    "NamespaceLike",
    "Node",
    "NotEnoughReplicas",
    "NotFound",
    "PathLike",
    "Places",
    "PutReport",
    "Refusal",
    "Refused",
    "Replica",
    "Signer",
    "StartError",
    "Stream",
    "TimedOut",
    "TooLarge",
    "Undetermined",
    "Unopened",
    "Unreachable",
    "UsageError",
    "Value",
    "Watched",
    "WriteReport",
    "XorbitError",
    "__version__",
]

_atexit.register(_native.leave_interpreter)
