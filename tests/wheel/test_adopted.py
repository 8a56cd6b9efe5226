"""Every way in which a bot takes the plugin in: a real action server, and a lookup through it.

A folder is copied as docs/integration.md copies it, without the command and the test kit.

The bot has actions of its own, the example's, which read the customer from the seal.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from actions.ps7.testing import Simulator
from tests.host.conftest import seal_keys
from tests.matrix.hosts import over_http
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY, Dialogue
from tests.support.interpreters import PYTHONS, usable
from tests.support.processes import ROOT

OWN = ROOT / "examples" / "oss-bot" / "actions"
BALANCE = "action_answer_balance"
ALONE, OURS = "rasa_ps7", [LOOK_UP, VERIFY, FORGET]

pytestmark = pytest.mark.release

WAYS = {
    "the wheel imported": ("actions", True),
    "the folder": ("actions", False),
    "the wheel alone": (ALONE, True),
    "the folder in another package": ("bot_actions", False),
}
"""What `--actions` names: the bot's folder, where it has one. The wheel, or not."""


def lay_out(package: Path, by_wheel: bool) -> None:
    """Make the folder of a bot's actions."""
    for module in OWN.rglob("*.py"):
        code, inside = module.read_text(encoding="utf-8"), module.relative_to(OWN)
        if not by_wheel:
            up = "." * len(inside.parts)
            code = code.replace("from rasa_ps7 import", f"from {up}ps7 import")
            code = code.replace("import rasa_ps7 ", "from . import ps7 ")
        (package / inside).parent.mkdir(parents=True, exist_ok=True)
        (package / inside).write_text(code, encoding="utf-8")
    if not by_wheel:
        optional = shutil.ignore_patterns("cli", "testing")
        shutil.copytree(ROOT / "actions" / "ps7", package / "ps7", ignore=optional)


@pytest.mark.parametrize(("package", "by_wheel"), WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("python", PYTHONS)
async def test_a_customer_is_looked_up(
    python: Path, package: str, by_wheel: bool, installed: Path, tmp_path: Path
) -> None:
    """Once, and the bot's own actions then know them; no action is registered twice."""
    expected = OURS
    if package != ALONE:
        lay_out(tmp_path / package, by_wheel)
        own = ["action_answer_account", BALANCE, "action_hand_over", "action_offer_ivr_option"]
        expected = [*OURS, *own]
    async with Simulator() as ps7:
        settings = {
            **ps7.environment,
            "PS7_SEAL_KEYS": seal_keys(),
            "PYTHONPATH": str(installed) if by_wheel else "",
        }
        options = {"actions": package, "cwd": tmp_path}
        async with over_http(usable(python), tmp_path, settings | options) as send:
            user = Dialogue()
            changes = await user.turn(send, metadata={"contextId": "ana"})
            assert (changes["ps7_status"], changes["account"]) == ("ok", "00123456")
            if package != ALONE:
                (said,) = (await send(user.call(BALANCE)))["responses"]
                assert (said["response"], said["balance"]) == ("utter_balance", "R$ 15.230,75")
        assert [request.json for request in ps7.requests] == [{"contextId": "ana"}]
    registered = re.findall(
        r"egistered function for '(\w+)'", (tmp_path / "actions.log").read_text()
    )
    assert sorted(registered) == sorted(expected)
