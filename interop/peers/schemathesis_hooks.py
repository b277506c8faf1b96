"""What Schemathesis cannot know of itself."""

import json

import schemathesis


@schemathesis.serializer("application/pkarr.org/relays#payload")
def payload(_context, value):
    """Bytes as they are; what is no bytes becomes some."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.hook
def filter_case(_context, case):
    """Parameters that exclude each other, which a description cannot say."""
    return not (pair(case.query, "namespace", "from") or pair(case.headers, "If-Match", "If-None-Match"))


def pair(given, one, other):
    """Whether both are given."""
    return bool(given) and one in given and other in given
