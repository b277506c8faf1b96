"""The wheel and the program `xorbit`, in one network."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

import xorbit
from conftest import LOOPBACK, Program


def test_the_program_gets_what_the_wheel_puts(program: Program, network: list[xorbit.Node]) -> None:
    receipt = network[2].put("from-python", "hello", content_type="text/plain")
    assert program.run("get", "from-python").stdout == "hello"
    told = json.loads(program.run("get", "from-python", "--json").stdout)
    assert told["version"] == receipt.version and told["target"] == receipt.target


def test_the_wheel_gets_what_the_program_puts(program: Program, network: list[xorbit.Node]) -> None:
    told = json.loads(program.run("put", "from-program", "hello", "--json").stdout)
    report = network[3].get("from-program")
    assert (report.text, report.version) == ("hello", told["version"])
    program.run("delete", "from-program")
    with pytest.raises(xorbit.NotFound) as missing:
        network[3].get("from-program")
    assert missing.value.reason == "deleted"


def test_a_swap_of_the_one_is_a_conflict_for_the_other(
    program: Program, network: list[xorbit.Node]
) -> None:
    old = network[0].put("k", "1")
    program.run("put", "k", "2", "--if-version", str(old.version))
    with pytest.raises(xorbit.Conflict):
        network[1].put("k", "3", if_version=old.version)
    lost = program.run("put", "k", "3", "--if-version", str(old.version), check=False)
    assert lost.returncode == 4


def test_named_signed_and_secret_namespaces_are_the_same(
    program: Program, network: list[xorbit.Node], tmp_path: Path
) -> None:
    network[0].put("k", "named", namespace="films")
    assert program.run("get", "k", "--namespace", "films").stdout == "named"

    signer = xorbit.Signer.generate()
    key_file = tmp_path / "key"
    key_file.write_text(signer.seed.hex())
    key_file.chmod(0o600)
    program.run("put", "k", "signed", "--signer", str(key_file))
    theirs = xorbit.Namespace.of(signer.public_key)
    assert network[1].get("k", namespace=theirs).text == "signed"

    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct horse battery staple\n")
    passphrase.chmod(0o600)
    program.run("put", "k", "sealed", "--secret-file", str(passphrase))
    secret = xorbit.Namespace.secret("correct horse battery staple")
    assert network[2].get("k", namespace=secret).text == "sealed"


def test_topics_and_large_values_are_the_same(
    program: Program, network: list[xorbit.Node], tmp_path: Path
) -> None:
    network[1].announce("films", 7001)
    assert "127.0.0.1:7001" in program.run("peers", "films").stdout
    file = tmp_path / "photo"
    file.write_bytes(bytes(range(256)) * 100)
    program.run("put", "photo", "--file", str(file))
    assert network[4].get("photo").value == file.read_bytes()


def test_the_wheel_joins_a_node_of_the_program(foreign_node: str) -> None:
    with xorbit.Node(listen=LOOPBACK, join=foreign_node) as node:
        assert node.joined()
        receipt = node.put("k", "v")
        assert receipt.replicas.known == 2
        assert node.get("k", consistency="all").agreed == 2


def test_wheel_and_program_are_of_one_version(xorbit_bin: Path) -> None:
    told = subprocess.run([xorbit_bin, "--version"], capture_output=True, text=True, check=True)
    assert told.stdout.split()[1] == xorbit.__version__
