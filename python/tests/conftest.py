"""Networks on loopback, and the program `xorbit` beside them."""

from __future__ import annotations

import os
import re
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Iterator

import pytest

import xorbit

LOOPBACK = "127.0.0.1:0"


class Program:
    """The program `xorbit`, against one network."""

    def __init__(self, path: Path, join: str) -> None:
        self.path = path
        self.join = join

    def run(self, *args: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs one verb that joins the network."""
        return subprocess.run(
            [self.path, *args, "--join", self.join],
            check=check,
            capture_output=True,
            text=True,
            timeout=60,
        )


@pytest.fixture(scope="session")
def xorbit_bin() -> Path:
    """The program as `XORBIT_BIN` names it."""
    path = os.environ.get("XORBIT_BIN")
    if path is None:
        pytest.fail("XORBIT_BIN is not set: run `cargo xtask python`, or name the program there")
    return Path(path)


def wait_until_known(node: xorbit.Node, count: int) -> None:
    """Waits until that many nodes know each other as far as this one sees."""
    deadline = time.monotonic() + 30
    assert node.joined(30)
    while node.put("everybody", "here", namespace="fixture").replicas.known < count:
        assert time.monotonic() < deadline, "the nodes do not come to know each other"


@pytest.fixture
def network() -> Iterator[list[xorbit.Node]]:
    """Five nodes on loopback that know each other."""
    with ExitStack() as nodes:
        first = nodes.enter_context(xorbit.Node(listen=LOOPBACK))
        others = [
            nodes.enter_context(xorbit.Node(listen=LOOPBACK, join=first.address)) for _ in range(4)
        ]
        everybody = [first, *others]
        for node in everybody:
            wait_until_known(node, len(everybody))
        yield everybody


@pytest.fixture
def program(xorbit_bin: Path, network: list[xorbit.Node]) -> Program:
    """The program in the network of the wheel's nodes."""
    return Program(xorbit_bin, str(network[0].address))


@pytest.fixture
def foreign_node(xorbit_bin: Path) -> Iterator[str]:
    """The address of a node that the program runs."""
    args = [str(xorbit_bin), "node", "--listen", LOOPBACK, "--http", "off"]
    with subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as node:
        try:
            assert node.stdout is not None
            address = None
            for line in node.stdout:
                found = re.search(r"ready: node \w+ at ([0-9.:]+)", line)
                if found:
                    address = found.group(1)
                    break
            assert address, "the program ended before it was ready"
            yield address
        finally:
            node.kill()
