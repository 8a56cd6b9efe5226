"""Every way in which a bot takes the plugin in: a real action server, and a lookup through it.

A folder is copied as README.md copies it, without the command and the test kit.

The bot has an action of its own, the example's, which reads the customer from the seal.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from cryptography.fernet import Fernet

from actions.ps7.testing import Simulator
from tests.support.action_server import ActionServer, launch
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY, Dialogue
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.wheel.environment import Environments

pytestmark = pytest.mark.asyncio(loop_scope="session")

OWN = ROOT / "examples" / "oss-bot" / "actions"
BALANCE = "action_answer_balance"


@dataclass(frozen=True)
class Way:
    """A way in which a bot takes the plugin in."""

    package: str
    """What `--actions` names: the bot's folder, where it has one."""
    wheel: bool = False
    folder: bool = False
    own_actions: tuple[str, ...] = (BALANCE,)

    def lay_out(self, home: Path) -> Path:
        """Make the bot's folder."""
        if not self.own_actions:
            return home
        package = home / self.package
        package.mkdir()
        imports = "import rasa_ps7\n" if self.wheel else ""
        (package / "__init__.py").write_text(f'"""The actions of a bot."""\n{imports}')
        balance = (OWN / "balance.py").read_text(encoding="utf-8")
        if not self.folder:
            balance = balance.replace("from .ps7 import", "from rasa_ps7 import")
        (package / "balance.py").write_text(balance, encoding="utf-8")
        if self.folder:
            optional = shutil.ignore_patterns("cli", "testing")
            shutil.copytree(ROOT / "actions" / "ps7", package / "ps7", ignore=optional)
        return home


WAYS = {
    "the wheel alone": Way("rasa_ps7", wheel=True, own_actions=()),
    "the wheel imported": Way("actions", wheel=True),
    "the folder": Way("actions", folder=True),
    "the folder in another package": Way("bot_actions", folder=True),
}
BOTH = Way("actions", wheel=True, folder=True)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def ps7() -> AsyncIterator[Simulator]:
    """Stand in for PS7."""
    async with Simulator() as running:
        yield running


def variables(ps7: Simulator) -> dict[str, Any]:
    """Give the settings; nothing of this project can be imported but what is installed."""
    keys = f'["{Fernet.generate_key().decode()}"]'
    return {**ps7.environment, "PS7_SEAL_KEYS": keys, "PYTHONPATH": ""}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def servers(
    python: Path,
    ps7: Simulator,
    environments: Environments,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[dict[str, ActionServer]]:
    """Start one for each way, side by side: most of a start is waiting."""

    async def start(way: Way) -> ActionServer:
        home = tmp_path_factory.mktemp("bot")
        environment = environments.get(python, with_wheel=way.wheel)
        return await ActionServer.start(
            environment.python,
            home / "server.log",
            actions=way.package,
            cwd=way.lay_out(home),
            **variables(ps7),
        )

    started = await asyncio.gather(*map(start, WAYS.values()))
    yield dict(zip(WAYS, started, strict=True))
    complaints = [server.process.complaints for server in started]
    await asyncio.gather(*(server.process.kill() for server in started))
    assert complaints == [[]] * len(started)


@pytest.mark.parametrize("name", WAYS)
async def test_every_action_is_registered_once(servers: dict[str, ActionServer], name: str) -> None:
    """Ours and the bot's own, none of them twice, and no base class."""
    expected = sorted((LOOK_UP, VERIFY, FORGET, *WAYS[name].own_actions))
    async with servers[name].connect() as connection:
        assert sorted(await connection.actions()) == expected

    said = re.findall(r"egistered function for '(\w+)'", servers[name].process.output)
    assert sorted(said) == expected


@pytest.mark.parametrize("name", WAYS)
async def test_a_customer_is_looked_up(
    servers: dict[str, ActionServer], ps7: Simulator, name: str
) -> None:
    """Once, and the bot's own action then knows whom it talks to."""
    server = servers[name]
    user = Dialogue()
    ps7.requests.clear()

    changes = await user.turn(server.send, metadata={"contextId": "ana"})

    assert (changes["ps7_status"], changes["account"]) == ("ok", "00123456")
    assert [request.json for request in ps7.requests] == [{"contextId": "ana"}]
    for action in WAYS[name].own_actions:
        answer = await server.send(user.call(action))
        assert answer["events"] == []
        (response,) = answer["responses"]
        said = [response[name] for name in ("response", "conta_verificada", "balance")]
        assert said == ["utter_balance", "00123456", "R$ 15.230,75"]


async def test_the_folder_and_the_wheel_together_stop_the_server(
    python: Path, ps7: Simulator, environments: Environments, tmp_path: Path
) -> None:
    """With one line that says what to do. Each would have its own actions, settings and keys."""
    process = await launch(
        environments.get(python).python,
        tmp_path / "server.log",
        cwd=BOTH.lay_out(tmp_path),
        variables=variables(ps7),
    )
    try:
        code = await process.exit_code()
    finally:
        await process.kill()

    assert code == 1
    assert "Traceback" not in process.output
    assert process.output.splitlines()[-1] == (
        "rasa-ps7 is loaded twice, as actions.ps7 and as rasa_ps7: keep one of them. Delete the "
        "folder that was copied, or uninstall the package; and import it by one name everywhere."
    )
