"""What the servers of the demo and of the chats are told when they start."""

from __future__ import annotations

import importlib
import os
import pydoc
import re
import signal
import socket
import sys
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import psutil
import pytest

from tests.support.processes import ROOT, printed

pytestmark = pytest.mark.slow

servers = pydoc.importfile(str(ROOT / "examples" / "oss-bot" / "servers.py"))


def test_each_server_is_told_where_the_others_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the desk gets Rasa's token: without it no agent could write, or return a conversation."""
    told: dict[str, dict[str, str]] = {}
    said: dict[str, str] = {}
    logs: dict[str, Path] = {}
    asked: list[str] = []

    def start(
        command: list[str], variables: dict[str, str], log: Path
    ) -> AbstractContextManager[None]:
        name = command[2]
        said[name], told[name], logs[name] = " ".join(command), variables, log
        return nullcontext()

    monkeypatch.setattr(servers, "_process", start)
    monkeypatch.setattr(servers.Server, "wait_for", lambda _, url: asked.append(url))
    secret = {"webchat_key": "made up as well", "PS7_SEAL_KEYS": "k"}
    with servers.running(Path("a model"), "--auth-token", "made up", **secret) as running:
        pass
    listens = {re.findall(r"(?:--port|-p) (\d+)", said[name])[0]: name for name in said}

    def who(url: str) -> str:
        return listens[str(urlsplit(url).port)]

    assert {
        (name, variable): who(value)
        for name, variables in told.items()
        for variable, value in variables.items()
        if "://" in value
    } == {
        ("rasa_sdk", "PS7_BASE_URL"): "rasa_ps7",
        ("rasa_sdk", "HANDOVER_URL"): "examples.desk",
        ("examples.desk", "RASA_URL"): "rasa",
        ("rasa", "ACTION_ENDPOINT_URL"): "rasa_sdk",
    }
    assert {*map(who, asked)} == {*said}, "each is waited for"
    assert (who(running.rasa), who(running.ps7)) == ("rasa", "rasa_ps7")
    assert (running.actions_log, running.desk_log) == (logs["rasa_sdk"], logs["examples.desk"])
    actions, desk = told["rasa_sdk"], told["examples.desk"]
    here = {"PS7_SEAL_KEYS": "k", "SANIC_HOST": "127.0.0.1"}
    assert actions.items() >= {**servers.OF_THE_BOT, **here}.items()
    assert desk["HANDOVER_TOKEN"] == actions["HANDOVER_TOKEN"]
    assert [name for name in told if "made up as well" in told[name].values()] == ["rasa"]
    assert Path(told["rasa"]["PYTHONPATH"], "channels", "webchat.py").is_file()
    assert " -i 127.0.0.1 " in said["rasa"], "for this machine alone, as the others"
    assert " --model a model " in said["rasa"]
    assert said["rasa"].endswith(f" --auth-token {desk['RASA_TOKEN']}")
    assert Path(desk["PYTHONPATH"], "examples", "desk.py").is_file()


def test_a_server_leaves_no_process_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It ends with its workers, and was told no setting that is meant for a real PS7."""
    monkeypatch.setenv("PS7_PROXY", "http://proxy.example")
    log = tmp_path / "log"
    command = ["sh", "-c", "env; sleep 60 & echo worker $!; exec sleep 60"]
    with servers._process(command, {"PS7_USERNAME": "chat"}, log) as process:
        while "worker" not in (said := log.read_text()):
            assert process.poll() is None
    assert [each for each in said.splitlines() if each.startswith("PS7_")] == ["PS7_USERNAME=chat"]
    deadline = time.monotonic() + 10
    with suppress(psutil.NoSuchProcess):
        while psutil.Process(int(said.split()[-1])).status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline, "waited 10 s: the worker ends"
            time.sleep(0.02)


def test_a_server_that_does_not_start_shows_its_log(tmp_path: Path) -> None:
    """At once: there is nothing to wait for."""
    command = ["sh", "-c", "echo no such model; exit 1"]
    with (
        servers._process(command, {}, tmp_path / "log") as process,
        pytest.raises(SystemExit, match="Rasa does not start:\nno such model"),
    ):
        servers.Server("Rasa", process, tmp_path / "log").wait_for("http://127.0.0.1:1/")


@pytest.mark.parametrize("younger", ["", "config.yml", "domain/ps7/slots.yml", "data/rules.yml"])
def test_a_bot_is_trained_if_one_of_its_files_is_younger(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, younger: str
) -> None:
    """And if that fails, the chat says what Rasa said, and does not start with the old model."""
    rasa, model = tmp_path / "rasa", tmp_path / "oss-bot.tar.gz"
    rasa.write_text("#!/bin/sh\necho no intent is named so; exit 1\n")
    rasa.chmod(0o755)
    monkeypatch.setattr(servers, "BOT", tmp_path)
    monkeypatch.setattr(servers, "RASA_PYTHON", str(rasa))
    ages = dict.fromkeys(("config.yml", "domain/ps7/slots.yml", "data/rules.yml"), 1_000)
    for name, age in (ages | {model.name: 2_000} | ({younger: 3_000} if younger else {})).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (age, age))
    if younger:
        with pytest.raises(SystemExit, match="no intent is named so"):
            servers.trained(tmp_path)
    else:
        assert servers.trained(tmp_path) == model


@pytest.mark.parametrize("faults", [[], ["--faults"]])
def test_the_chat_says_what_the_desk_got(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    faults: list[str],
) -> None:
    """After one has talked, as the desk's log has it. Settings for another bot are not for it.

    Before that, it says who can arrive, and on request what can go wrong at PS7.
    """
    monkeypatch.syspath_prepend(servers.BOT)
    for name in ("", ".cli.command", ".testing"):  # else the plugin would be loaded twice
        here = importlib.import_module(f"actions.ps7{name}")
        monkeypatch.setitem(sys.modules, f"rasa_ps7{name}", here)
    chat = importlib.import_module("chat")
    (tmp_path / "desk.log").write_text('{"reason": "ask_human"}\n', encoding="utf-8")
    running = SimpleNamespace(rasa="http://rasa.example", desk_log=tmp_path / "desk.log")

    def talk(command: list[str]) -> int:
        sys.stdout.write(f"{command} {[*os.environ]}\n")
        return 3

    monkeypatch.setattr(chat, "trained", Path)
    monkeypatch.setattr(chat, "running", {tmp_path: nullcontext(running)}.__getitem__)
    monkeypatch.setattr(chat, "command", talk)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(os, "environ", {"PS7_BASE_URL": "https://ps7.example", "HOME": "/"})
    monkeypatch.setattr(sys, "argv", ["chat.py", "--models", str(tmp_path), *faults])
    assert chat.main() == 3
    said = capsys.readouterr().out
    assert re.search(r"(?m)^  :as ana  +Ana, ", said)
    listed = re.search(r"(?m)^  :as not-found ", said)
    assert (listed is None, "FAULTS=1" in said) == (not faults, not faults)
    assert said.endswith(
        "\n['chat', '--url', 'http://rasa.example'] ['HOME']\n"
        '\nWhat the agents\' desk was handed over:\n{"reason": "ask_human"}\n'
    )


def test_the_demo_plays_to_its_end() -> None:
    """PS7 is asked once for each arrival, who cannot be known is not, and no server is left.

    Settings of this terminal for a real PS7, such as a proxy, are not for its servers.
    """
    proxy = {"PS7_PROXY": "http://127.0.0.1:1"}
    demo = printed(sys.executable, "examples/demo.py", variables=os.environ | proxy)
    turns = re.findall(r"ps7_status (\w+)   requests at PS7: (\d)", demo)
    customers = [("ok", "1"), ("ok", "0")] * 5
    away = [("rejected", "1"), ("unavailable", "0"), ("ok", "1")]
    assert turns == [*customers, *[("ok", "1")] * 2, *away, ("tampered", "0"), ("ok", "1")]
    assert "    the desk got cpf_masked ***.982.247-**   segment Personnalité " in demo
    assert "   transcript customer: quero falar com uma pessoa\n" in demo
    assert demo.endswith("    the bot has ps7_status missing\n")
    (port,) = re.findall(r"action server: http://127\.0\.0\.1:(\d+)", demo)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(port)))
