"""`python -m examples.webchat`: what its servers are told, and where the page is."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from examples.webchat import __main__ as webchat
from examples.webchat import server
from examples.webchat.server import Backstage, require_client

SERVERS = SimpleNamespace(
    rasa="rasa", ps7="ps7", actions_log=Path("actions"), desk_log=Path("desk")
)


@pytest.mark.parametrize("arguments", [[], ["--signed"]], ids=["unsigned", "signed"])
def test_the_page_shares_its_secrets_with_the_servers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str]
) -> None:
    """Rasa's token, so that the tracker is for the page's server; and the key of an arrival."""
    told: dict[str, Any] = {}

    @contextmanager
    def running(model: Path, *options: str, **settings: str) -> Iterator[SimpleNamespace]:
        told.update(model=model, options=options, settings=settings, ended=False)
        yield SERVERS
        told["ended"] = True

    async def serve(backstage: Backstage, port: int) -> None:
        told.update(backstage=backstage, port=port)
        raise KeyboardInterrupt

    monkeypatch.setattr(webchat, "running", running)
    monkeypatch.setattr(webchat, "trained", lambda models: models / "model")
    monkeypatch.setattr(webchat, "require_client", lambda: told.update(client="there"))
    monkeypatch.setattr(webchat, "_serve", serve)
    monkeypatch.setattr(signal, "signal", lambda which, act: told.update({which.name: act}))
    webchat.main([*arguments, "--port", "7000", "--models", str(tmp_path)])
    token, key = told["backstage"].rasa_token, told["backstage"].arrival_key
    webchat_key = told["settings"].pop("webchat_key")
    credentials = told["options"][-1]
    assert told["options"] == ("--auth-token", token, "--credentials", credentials)
    assert told["settings"] == ({"PS7_ARRIVAL_KEYS": json.dumps([key])} if arguments else {})
    assert len({token, key, webchat_key, "", None} - {None}) == (4 if arguments else 3)
    logs = (Path("actions"), Path("desk"))
    assert told["backstage"] == Backstage("rasa", "ps7", *logs, webchat_key, token, key)
    tested = Path(__file__).with_name("credentials.yml").read_text("utf-8")
    for line in Path(credentials).read_text("utf-8").splitlines():
        assert line.partition("#")[0].rstrip() in tested
    assert (told["port"], told["model"]) == (7000, tmp_path / "model")
    assert told["client"] == "there"
    assert told["ended"]
    with pytest.raises(SystemExit):  # so that no process stays behind
        told["SIGTERM"](signal.SIGTERM, None)


async def test_the_page_is_where_it_says_and_for_this_machine_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Under 127.0.0.1; 127.0.0.2 stands for every other address."""
    serving = asyncio.create_task(webchat._serve(Backstage("", "", tmp_path, tmp_path, ""), 0))
    said = ""
    while "Ctrl+C" not in said:
        assert not serving.done()
        await asyncio.sleep(0.01)
        said += capsys.readouterr().out
    address = said.split()[3]
    async with aiohttp.ClientSession() as http:
        async with http.get(address) as answer:
            assert answer.status == 200
        with pytest.raises(aiohttp.ClientConnectorError):
            await http.get(address.replace("127.0.0.1", "127.0.0.2"))
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving


def test_without_the_client_of_socket_io_nothing_starts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It says what brings it."""
    monkeypatch.setattr(server, "CLIENT", tmp_path / "missing")
    with pytest.raises(SystemExit, match="npm install --no-package-lock"):
        require_client()
