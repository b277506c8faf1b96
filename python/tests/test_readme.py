"""The README's code is run as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)


def test_the_first_block_does_start_join_put_and_get_in_five_lines() -> None:
    assert len(BLOCKS[0].splitlines()) == 5
    assert run(BLOCKS[0]) == "hello\n"


@pytest.mark.parametrize("block", BLOCKS[1:])
def test_every_other_block_runs_and_prints_what_its_comments_say(block: str) -> None:
    expected = re.findall(r"print\(.*?\)  # (.*)", block)
    assert run(block).splitlines() == expected


def run(block: str) -> str:
    """What the block prints in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
