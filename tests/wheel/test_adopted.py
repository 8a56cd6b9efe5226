"""Every way in which a bot takes the plugin in: a real action server, and a lookup through it.

A folder is copied as docs/integration.md copies it, without the command and the test kit.

The bot has actions of its own, the example's, which read the customer from the seal.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from actions.ps7.testing import Simulator
from tests.host.conftest import seal_keys
from tests.support.action_server import ActionServer
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY, Dialogue
from tests.support.interpreters import PYTHONS, usable
from tests.support.processes import ROOT
from tests.wheel.conftest import Environments

OWN = ROOT / "examples" / "oss-bot" / "actions"
ALONE = "rasa_ps7"
BALANCE = "action_answer_balance"
OWN_ACTIONS = (
    *(BALANCE, "action_answer_account"),
    *("action_hand_over", "action_offer_ivr_option"),
)


class Way(NamedTuple):
    """A way in which a bot takes the plugin in."""

    package: str
    """What `--actions` names: the bot's folder, where it has one."""
    wheel: bool = False
    """The wheel, and not a folder."""

    def lay_out(self, home: Path) -> Path:
        """Make the bot's folder."""
        package = home / self.package
        package.mkdir()
        for module in OWN.glob("*.py"):
            code = module.read_text(encoding="utf-8")
            if not self.wheel:
                code = code.replace("from rasa_ps7 import", "from .ps7 import")
                code = code.replace("import rasa_ps7 ", "from . import ps7 ")
            (package / module.name).write_text(code, encoding="utf-8")
        if not self.wheel:
            optional = shutil.ignore_patterns("cli", "testing")
            shutil.copytree(ROOT / "actions" / "ps7", package / "ps7", ignore=optional)
        return home


pytestmark = pytest.mark.release

WAYS = {
    "the wheel imported": Way("actions", wheel=True),
    "the folder": Way("actions"),
    "the wheel alone": Way(ALONE, wheel=True),
    "the folder in another package": Way("bot_actions"),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("python", PYTHONS)
async def test_a_customer_is_looked_up(
    python: Path, way: Way, environments: Environments, tmp_path: Path
) -> None:
    """Once, and the bot's own actions then know them; no action is registered twice."""
    own_actions = OWN_ACTIONS if way.package != ALONE else ()
    async with Simulator() as ps7:
        settings: dict[str, Any] = {**ps7.environment, "PS7_SEAL_KEYS": seal_keys()}
        server = await ActionServer.start(
            environments(usable(python), way.wheel),
            tmp_path / "server.log",
            actions=way.package,
            cwd=way.lay_out(tmp_path) if own_actions else tmp_path,
            **{**settings, "PYTHONPATH": ""},
        )
        try:
            user = Dialogue()
            changes = await user.turn(server.send, metadata={"contextId": "ana"})
            assert (changes["ps7_status"], changes["account"]) == ("ok", "00123456")
            if own_actions:
                (said,) = (await server.send(user.call(BALANCE)))["responses"]
                assert (said["response"], said["balance"]) == ("utter_balance", "R$ 15.230,75")
            assert [request.json for request in ps7.requests] == [{"contextId": "ana"}]
        finally:
            await server.process.kill()
    registered = re.findall(r"egistered function for '(\w+)'", server.process.output)
    assert sorted(registered) == sorted((LOOK_UP, VERIFY, FORGET, *own_actions))
    assert server.process.complaints == []
