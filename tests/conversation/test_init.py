"""Bots that `rasa-ps7 init` changed, in a real Rasa: one process learns and runs all of them.

tests/docs/test_walk.py has the bot that `rasa init` makes, with Rasa's own commands.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from actions.ps7.cli.init.yaml_text import without_fallback
from actions.ps7.testing import Simulator
from tests.conversation.fixtures import _rasa_python
from tests.support.init_bots import BOTS, lay_out
from tests.support.processes import ROOT, Process, free_port

pytestmark = pytest.mark.conversation

GREETED, EVERYBODY = "Olá! Sou a assistente do Personnalité.", "Olá!"
AT_START = "file --at-session-start"
SAID = {
    "file": [GREETED, EVERYBODY],
    AT_START: [GREETED, EVERYBODY],
    "folder": [GREETED, EVERYBODY],
    # As before, though the CPF of the one who pays is known by now.
    "payee": [GREETED, "Para qual CPF?", EVERYBODY],
    "actions": [GREETED, "Pago.", EVERYBODY],
}
"""What each bot says to Ana, who greets and then pays, and to Bruno. Its name: and options."""
TRAIN_AND_TALK = """
import asyncio, json, os, sys
from rasa.core.agent import Agent
from rasa.core.channels.channel import CollectingOutputChannel, UserMessage
from rasa.model_training import train
from rasa.utils.endpoints import read_endpoint_config

async def talk(agent):
    out = CollectingOutputChannel()
    for who, text in (("ana", "hi"), ("ana", "pix"), ("bruno", "hi")):
        message = UserMessage(text, out, who, metadata={"contextId": who})
        await agent.handle_message(message)
    return [said["text"] for said in out.messages]

said = {}
for folder in sys.argv[1:]:
    os.chdir(folder)
    model = train("domain", "config.yml", ["data"], output="models").model
    endpoint = read_endpoint_config("endpoints.yml", "action_endpoint")
    said[os.path.basename(folder)] = asyncio.run(talk(Agent.load(model, action_endpoint=endpoint)))
print()
print(json.dumps(said))
"""


@pytest.mark.asyncio(loop_scope="session")
async def test_one_command_makes_bots_know_their_customer(ps7: Simulator, tmp_path: Path) -> None:
    """Greetings by segment, and everything that the bots did before."""
    installed, servers = tmp_path / "installed", []
    installed.mkdir()
    (installed / "rasa_ps7").symlink_to(ROOT / "actions" / "ps7")
    variables = {**ps7.environment, "SANIC_HOST": "127.0.0.1", "PYTHONPATH": str(installed)}
    folders = [tmp_path / name for name in SAID]
    try:
        for folder in folders:
            name, *options = folder.name.split()
            lay_out(folder, BOTS[name])
            init = await Process.start(
                tmp_path / f"{folder.name}.log",
                *(sys.executable, "-m", "rasa_ps7", "init", "--yes", *options),
                cwd=folder,
                variables=variables,
            )
            assert await init.exit_code() == 0, init.output
            port, endpoints = str(free_port()), folder / "endpoints.yml"
            endpoints.write_text(endpoints.read_text().replace("5055", port))
            actions = await Process.start(
                tmp_path / f"{folder.name}-actions.log",
                *(sys.executable, "-m", "rasa_sdk", "--actions", "actions", "--port", port),
                cwd=folder,
                variables=variables,
            )
            servers.append(actions)
            await actions.answers(f"http://127.0.0.1:{port}/health")
        rasa = await Process.start(
            tmp_path / "rasa.log",
            *map(str, (_rasa_python(), "-W", "ignore", "-c", TRAIN_AND_TALK, *folders)),
            cwd=tmp_path,
            variables={"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        servers.append(rasa)
        assert await rasa.exit_code(500.0) == 0, rasa.tail
        assert json.loads(rasa.output.splitlines()[-1]) == SAID
    finally:
        await asyncio.gather(*(server.end() for server in servers))


def test_the_policies_of_a_bot_that_names_none() -> None:
    """What `init` writes in their place is what Rasa takes by itself, but for the fallback."""
    (rasa,) = _rasa_python().parents[1].glob("lib/python*/site-packages/rasa")
    made = (rasa / "cli" / "initial_project" / "config.yml").read_text(encoding="utf-8")
    taken = (rasa / "engine" / "recipes" / "config_files" / "default_config.yml").read_text("utf-8")
    mended = without_fallback(made)
    assert mended is not None
    assert "#   - name" not in mended.partition("\npolicies:")[2]
    policies = YAML(typ="safe").load(taken)["policies"]
    policies[1]["enable_fallback_prediction"] = False
    assert YAML(typ="safe").load(mended)["policies"] == policies
