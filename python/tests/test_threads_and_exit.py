"""Threads, signals, forks, and the end of the interpreter."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import xorbit
from conftest import LOOPBACK

PRELUDE = """
import asyncio, os, sys, threading
import xorbit
node = xorbit.Node(listen="127.0.0.1:0")
node.put("k", "v")
"""


def test_threads_share_a_node(network: list[xorbit.Node]) -> None:
    def work(number: int) -> bool:
        node = network[number % len(network)]
        node.put(f"key {number}", f"value {number}")
        return node.get(f"key {number}").text == f"value {number}"

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(work, range(400)))


def test_others_run_while_one_thread_waits(network: list[xorbit.Node]) -> None:
    watch, ran = network[0].watch("never put"), threading.Event()
    waiting = threading.Thread(target=lambda: list(watch))
    waiting.start()
    threading.Thread(target=ran.set).start()
    assert ran.wait(timeout=10)
    watch.close()
    waiting.join(timeout=10)
    assert not waiting.is_alive()


WAITS = {
    "a watch": "next(node.watch('never put'))",
    "a watch with a limit": "node.watch('never put').wait(timeout_seconds=60)",
    "a task": "asyncio.run(later(node))",
}


def heed_ctrl_c() -> None:
    """What a shell runs in the background inherits deaf ears."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS.keys())
def test_ctrl_c_ends_a_wait(wait: str) -> None:
    story = f"""{PRELUDE}
async def tick():
    # A signal that comes just before the loop goes to sleep is seen when it next wakes.
    while True:
        await asyncio.sleep(0.05)
async def later(node):
    ticking = asyncio.ensure_future(tick())
    async with xorbit.AsyncNode(listen="127.0.0.1:0") as other:
        print("waiting", flush=True)
        await other.watch("never put").__anext__()
try:
    print("waiting", flush=True)
    {wait}
except KeyboardInterrupt:
    print("interrupted", node.get("k").text)
"""
    with subprocess.Popen(
        [sys.executable, "-c", story],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_ctrl_c,
    ) as child:
        try:
            assert child.stdout is not None
            expected = 2 if "later" in wait else 1
            for _ in range(expected):
                assert child.stdout.readline() == "waiting\n"
            child.send_signal(signal.SIGINT)
            told, complaints = child.communicate(timeout=20)
        finally:
            # One that does not heed it must not hold up the tests.
            child.kill()
    assert (told, complaints, child.returncode) == ("interrupted v\n", "", 0)


EXITS = {
    "with a node open": "",
    "with a watch open": "watch = node.watch('k'); next(watch)",
    "with a daemon thread that waits": """
def wait():
    for seen in node.watch('k'):
        begun.set()
begun = threading.Event()
threading.Thread(target=wait, daemon=True).start()
begun.wait()
""",
    "with daemon threads at work": """
def work(number):
    while True:
        node.put(f"key {number}", "v" * 3000)
        begun.set()
begun = threading.Event()
for number in range(4):
    threading.Thread(target=work, args=(number,), daemon=True).start()
begun.wait()
""",
    "with a task left behind": """
async def story():
    other = await xorbit.AsyncNode(listen="127.0.0.1:0").start()
    asyncio.ensure_future(other.watch("k").__anext__())
    await asyncio.sleep(0)
asyncio.run(story())
""",
    "with a loop that nobody closed": """
async def story():
    other = await xorbit.AsyncNode(listen="127.0.0.1:0").start()
    global waiting
    waiting = [asyncio.ensure_future(other.put(f"key {number}", "v")) for number in range(50)]
    await asyncio.sleep(0)
loop = asyncio.new_event_loop()
loop.run_until_complete(story())
for one in waiting:
    one.cancel()
loop.run_until_complete(asyncio.gather(*waiting, return_exceptions=True))
loop.close()
""",
    "in the middle of a thread of a pool": """
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(4)
for number in range(100):
    pool.submit(node.put, f"key {number}", "v")
""",
    "by sys.exit inside of with": """
with node:
    sys.exit(0)
""",
}


@pytest.mark.parametrize("end", EXITS.values(), ids=EXITS.keys())
def test_the_interpreter_ends_in_silence(end: str) -> None:
    for _ in range(5):
        done = subprocess.run(
            [sys.executable, "-c", f"{PRELUDE}\n{end}\nprint('over')"],
            capture_output=True,
            text=True,
            timeout=30,
        )
        said = "" if "sys.exit" in end else "over\n"
        assert (done.stdout, done.stderr, done.returncode) == (said, "", 0)


def test_a_node_left_open_writes_what_it_remembers(
    tmp_path: Path, network: list[xorbit.Node]
) -> None:
    story = """
import sys, xorbit
node = xorbit.Node(listen="127.0.0.1:0", join=sys.argv[1], data_dir=sys.argv[2])
node.joined()
node.put("k", "v")
"""
    directory = tmp_path / "data"
    args = [sys.executable, "-c", story, str(network[0].address), str(directory)]
    subprocess.run(args, check=True, timeout=30)
    with xorbit.Node(listen=LOOPBACK, data_dir=directory) as node:
        assert node.info().remembered > 0


def test_a_forked_child_is_told_that_the_node_is_its_parents_and_may_start_its_own() -> None:
    story = f"""{PRELUDE}
import warnings
warnings.simplefilter("ignore")
child = os.fork()
if child == 0:
    try:
        node.get("k")
    except xorbit.UsageError as error:
        print(error.message, flush=True)
    node.close()
    with xorbit.Node(listen="127.0.0.1:0") as own:
        own.put("k", "own")
        print(own.get("k").text, flush=True)
else:
    _, status = os.waitpid(child, 0)
    print(status, node.get("k").text)
"""
    done = subprocess.run(
        [sys.executable, "-c", story], capture_output=True, text=True, timeout=30
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "the node was started before this process was forked, and runs in its parent",
        "own",
        "0 v",
    ]
