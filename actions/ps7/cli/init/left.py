"""What `init` leaves to a person: what no edit of a bot's files does, with its file and line."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from ...slots import SESSION_ACTION
from ..bot import surroundings
from ..bot.code import lines
from ..bot.yaml import rows, table
from ..doctor import server
from ..findings import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .target import Target

_STARTS_ACTIONS = r"rasa[-_/]sdk|run actions|(?i:COPY|ADD)\b.*\bactions\b|--actions\b"
_CONTAINER = re.compile(r".*Dockerfile.*|.*compose.*", re.IGNORECASE)
_SDK = re.compile(r"^\s*[\"']?rasa[-_]sdk\s*==\s*([\d.]+)", re.MULTILINE | re.IGNORECASE)
_REQUIRES_SDK = r"(?i)^\s*[\"']?rasa[-_]sdk\b"
_OLDEST = (3, 6, 2)


def of_the_code(target: Target) -> Iterator[str]:
    """Yield what the bot's own code needs, or loses."""
    bot, options = target.bot, target.options
    if bot.own_session_start and not options.at_session_start and not bot.is_calm:
        yield (
            f"your {SESSION_ACTION} ({_place(target, SESSION_ACTION)}) runs before the lookup: "
            "if it greets, derive it from PS7SessionStart, as docs/integration.md shows"
        )
    for finding in server.lacking(bot):
        yield f"{finding.found}. {finding.do}"
    if bot.code_less_actions and bot.code is None:
        yield (
            f"let what runs {listed(bot.code_less_actions[:3])} load the plugin with `import "
            "rasa_ps7`: its code was not found, so nothing was put there"
        )
    policies = [str(table(each).get("name")) for each in rows((bot.config or {}).get("policies"))]
    learns = bot.config is not None and (not policies or "TEDPolicy" in policies)
    if learns and any(script.title.startswith("story ") for script in bot.scripts or ()):
        yield "TED learns from stories, and may answer otherwise outside them: run your tests again"


def of_the_surroundings(target: Target) -> Iterator[str]:
    """Yield what installs and starts the bot: requirements, containers, other machines."""
    required = surroundings.requirements(target.around, Path())
    if named := lines(required, _REQUIRES_SDK):
        yield f"add rasa-ps7 to {listed(named)}, or the next environment starts without it"
    pins = [pin for _, text in required for pin in _SDK.findall(text)]
    yield from _sdk(pins)
    built = surroundings.builds(target.around, Path())
    containers = [(file, text) for file, text in built if _CONTAINER.fullmatch(file.name)]
    images = [(file, text) for file, text in containers if "compose" not in file.name.lower()]
    if found := lines(images, _STARTS_ACTIONS):
        yield (
            f"the image of {listed(found)} needs the plugin: put the wheel beside it, and add "
            "`COPY rasa_ps7-*.whl /tmp/` and `RUN pip install /tmp/rasa_ps7-*.whl`"
        )
    if server.is_remote(target.bot.action_endpoint):
        services = listed(
            [str(file) for file, _ in containers if (file, _) not in images] or ["it"]
        )
        at = server.address(target.bot.action_endpoint)
        yield (
            f"the action server is {at}: give it the PS7_ variables of the .env (in {services}, by "
            "`env_file:`), install the plugin there and start it again. The simulator has to run "
            "beside it: `docker compose exec SERVICE rasa-ps7 simulate --port 8099`"
        )


def _sdk(pins: list[str]) -> Iterator[str]:
    try:
        here = version("rasa-sdk")
    except PackageNotFoundError:
        return
    for pin in dict.fromkeys(pins):
        wanted = [int(part) for part in re.findall(r"\d+", pin)]
        if wanted[:2] == [int(part) for part in re.findall(r"\d+", here)][:2]:
            continue
        old = tuple(wanted) < _OLDEST
        how = "the plugin needs 3.6.2 at least" if old else f"install rasa-sdk=={pin} here"
        yield f"the bot pins rasa-sdk {pin}, and this environment has {here}: {how}, and test it"


def _place(target: Target, word: str) -> str:
    """Return where the bot's code has a word, as `file:line`."""
    code = target.bot.code
    found = lines(code.files.items(), word) if code is not None else []
    return found[0] if found else "not found"


def session_start(target: Target, *, alone: bool) -> str:
    """Return what a bot with a session start of its own has to do; alone: nothing else looks up."""
    return (
        f"derive your {SESSION_ACTION} ({_place(target, SESSION_ACTION)}) from "
        "PS7SessionStart, as docs/integration.md shows: until then "
        + ("nobody is known" if alone else "the first message finds no customer")
    )


def moved_domain(target: Target) -> Iterator[str]:
    """Yield which files say that the domain is one file, which Rasa then looks for in vain."""
    file, folder = target.sources["domain"][0], target.domain
    says = rf"^(?!.*(--domain|-d)[ =]{re.escape(folder.as_posix())}\b).*"
    says += rf"({re.escape(file.name)}|\brasa (train|test|interactive|visualize|data)\b)"
    if said := lines(surroundings.builds(target.around, Path()), says):
        yield (
            f"the domain is a folder now: `rasa train` fails without `--domain {folder}`; see to "
            f"{', '.join(said)}"
        )
