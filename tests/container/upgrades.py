"""New versions of the Compose try under load, as the runbook has them: `renew` and `rollback`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.container.engine import part
from tests.container.talk import ANSWERED, Summary, Talk
from tests.deploy.runbook import prepared
from tests.support.waiting import until

if TYPE_CHECKING:
    from tests.container.stack import Stack

NOW, NEXT = "ps7-actions:0.1.0", "ps7-actions:0.2.0"
EVIDENCE = "what the bad image said last"
BAD = f'ENTRYPOINT ["sh", "-c", "echo {EVIDENCE}; exit 1"]'


class Servers:
    """The action servers, and whoever upgrades them."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.file = stack.deploy / "compose.yaml"

    def build(self, image: str, change: str) -> str:
        """Make an image that differs, as a build would; return its id."""
        container = self.stack.docker("create", NOW).strip()
        made = self.stack.docker("commit", "--change", change, container, image).strip()
        self.stack.docker("rm", container)
        return made

    def run(self) -> set[str]:
        """Return the ids of the images that run."""
        names = self.stack.docker("compose", "ps", "--format", "{{.Name}}", "actions").split()
        assert len(names) == 2, names
        return {
            self.stack.docker("inspect", "--format", "{{.Image}}", each).strip() for each in names
        }

    def type(self, line: str, ends: str = "done") -> str:
        """Type a line of the runbook, see how it ends, and return what it says."""
        script = f"{prepared('compose')}\n{line} 2>&1 && echo done || echo failed"
        said = self.stack.shell(script)
        assert said.endswith(f"{ends}\n"), said
        return said


async def all_of_them(stack: Stack, talk: Talk, began: float) -> None:
    """Renew and roll back; no turn is lost."""
    users = [asyncio.create_task(user) for user in talk.all()]
    servers = Servers(stack)
    first = await asyncio.to_thread(servers.run)
    for step in (renewed, rolled_back, refused, other_files):
        before = len(talk.turns)
        what = await asyncio.to_thread(step, servers, first)
        await more_turns(talk, 2 * len(users))
        summary = Summary.of(talk.turns[before:])
        part(f"{what}: {summary}", began)
        assert summary.told.keys() == {ANSWERED}, "a turn was lost"
    for user in users:
        user.cancel()
    await asyncio.gather(*users, return_exceptions=True)


async def more_turns(talk: Talk, turns: int) -> None:
    """Let so many end, of which the first ones began before: a step may take less than a turn."""
    enough = len(talk.turns) + turns
    await until("more turns", lambda: len(talk.turns) >= enough)


def renewed(servers: Servers, first: set[str]) -> str:
    """Replace the servers by those of a second tag."""
    second = servers.build(NEXT, "ENV VERSION=0.2.0")
    servers.file.write_text(servers.file.read_text().replace(NOW, NEXT))
    servers.type("renew actions")
    assert servers.run() == {second} != first
    return "renewed to another tag"


def rolled_back(servers: Servers, first: set[str]) -> str:
    """Go back, without a registry."""
    servers.type("rollback actions")
    assert servers.run() == first
    return "rolled back"


def refused(servers: Servers, first: set[str]) -> str:
    """Take no image that does not come up; say what it said."""
    servers.build(NEXT, BAD)
    said = servers.type("renew actions", ends="failed")
    assert EVIDENCE in said, said
    assert servers.run() == first
    servers.type("rollback actions")
    assert servers.run() == first
    return "a bad image is refused, and its last words are kept"


def other_files(servers: Servers, first: set[str]) -> str:
    """Renew nothing in a terminal that has other files than what runs."""
    other = "COMPOSE_FILE=examples/deploy/compose.yaml; renew actions"
    said = servers.type(other, ends="failed")
    assert "compose.ps7-tls.yaml" in said, said
    assert servers.run() == first
    return "with other files, nothing is renewed"
