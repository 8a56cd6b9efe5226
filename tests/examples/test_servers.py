"""What the servers of the demo and of the chats are told when they start."""

from __future__ import annotations

import pydoc
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from examples.demo import server
from tests.support.processes import ROOT, free_port

servers = pydoc.importfile(str(ROOT / "examples" / "oss-bot" / "servers.py"))


async def test_the_demo_keeps_settings_for_a_real_ps7_from_its_servers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Those of this terminal: its servers have their own."""
    monkeypatch.setenv("PS7_PROXY", "http://proxy.example")
    starting = server(
        f"http://127.0.0.1:{free_port()}",
        *("sh", "-c", "env >told"),
        cwd=tmp_path,
        settings={"PS7_USERNAME": "demo"},
    )
    with pytest.raises(SystemExit):  # it has ended
        await starting.__aenter__()
    told = (tmp_path / "told").read_text(encoding="utf-8").splitlines()
    assert [each for each in told if each.startswith("PS7_")] == ["PS7_USERNAME=demo"]


def test_the_desk_gets_the_token_of_rasa(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it no agent could write to the customer, or return the conversation."""
    told: dict[str, dict[str, str]] = {}

    def start(
        command: list[str], variables: dict[str, str], _: Path
    ) -> AbstractContextManager[None]:
        told[command[2]] = variables
        return nullcontext()

    monkeypatch.setattr(servers, "_process", start)
    monkeypatch.setattr(servers.Server, "wait_for", lambda *_: None)
    with servers.running(Path("a model"), "--auth-token", "made up"):
        assert told["examples.desk"]["RASA_TOKEN"] == "made up"
