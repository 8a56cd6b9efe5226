"""What `init` leaves to a person: what no edit of a bot's files does, with its file and line."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import TYPE_CHECKING

from ...customer import SESSION_ACTION
from ..bot import surroundings
from ..bot.code import lines
from ..bot.yaml import rows, table
from ..doctor import server
from ..findings import listed
from ..texts import left_to_you

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .target import Target

_STARTS_ACTIONS = r"rasa[-_/]sdk|run actions|(?i:COPY|ADD)\b.*\bactions\b|--actions\b"
_IMAGE_OF_SDK = r"^\s*image:.*\brasa[-_/]sdk\b"
_OLD_RASA = r"\brasa/rasa(?:-full)?:v?[012]\.|^\s*[\"']?rasa\s*[=~]=\s*[012]\."
_SDK = re.compile(r"^\s*[\"']?rasa[-_]sdk\s*==\s*([\d.]+)", re.MULTILINE | re.IGNORECASE)
_REQUIRES_SDK = r"(?i)^\s*[\"']?rasa[-_]sdk\b"
_OLDEST = [3, 6, 2]


def of_the_code(target: Target) -> Iterator[str]:
    """Yield what the bot's own code needs, or loses."""
    bot = target.bot
    if bot.own_session_start and not target.options.at_session_start and not bot.is_calm:
        yield left_to_you("session-start", place=place_of(target, SESSION_ACTION))
    for finding in server.lacking(bot):
        yield f"{finding.found}. {finding.do}"
    if bot.code_less_actions and bot.code is None:
        yield left_to_you("actions-elsewhere", names=listed(bot.code_less_actions[:3]))
    policies = [str(table(each).get("name")) for each in rows((bot.config or {}).get("policies"))]
    learns = bot.config is not None and (not policies or "TEDPolicy" in policies)
    if learns and any(script.title.startswith("story ") for script in bot.scripts or ()):
        yield left_to_you("ted")


def of_the_surroundings(target: Target) -> Iterator[str]:
    """Yield what installs and starts the bot: requirements, containers, other machines."""
    required = surroundings.texts(surroundings.REQUIRES)
    if named := lines(required, _REQUIRES_SDK):
        yield left_to_you("requirements", files=listed(named))
    yield from _sdk({pin for _, text in required for pin in _SDK.findall(text)})
    built = surroundings.texts(surroundings.BUILDS)
    composed = [each for each in built if "compose" in each[0].name.lower()]
    images = [each for each in built if "dockerfile" in each[0].name.lower()]
    if found := lines(images, _STARTS_ACTIONS) + lines(composed, _IMAGE_OF_SDK):
        yield left_to_you("image", files=listed(found))
    if found := lines([*built, *required], _OLD_RASA):
        yield left_to_you("rasa-old", files=listed(found))
    endpoint = target.bot.action_endpoint
    if server.is_remote(endpoint):
        services = listed([str(file) for file, _ in composed] or ["it"])
        yield left_to_you("remote", at=server.address(endpoint), services=services)


def _sdk(pins: set[str]) -> Iterator[str]:
    here = version("rasa-sdk")
    for pin in sorted(pins):
        wanted, held = ([int(part) for part in re.findall(r"\d+", text)] for text in (pin, here))
        if wanted[:2] != held[:2]:
            yield left_to_you("sdk-old" if wanted < _OLDEST else "sdk", pin=pin, here=here)


def place_of(target: Target, word: str) -> str:
    """Return where the bot's code has a word, as `file:line`."""
    code = target.bot.code
    found = lines(code.files.items(), word) if code is not None else []
    return found[0] if found else "not found"


def moved_domain(target: Target) -> Iterator[str]:
    """Yield which files say that the domain is one file, which Rasa then looks for in vain."""
    file, folder = target.sources["domain"][0], target.domain
    named = rf"(?<![\w.-]){re.escape(file.name)}\b"
    says = rf"^(?!.*(--domain|-d)[ =]{re.escape(folder.as_posix())}(?![\w./-])).*"
    says += rf"({named}|\brasa (train|test|interactive|visualize|data)\b)"
    said = lines(surroundings.texts(surroundings.BUILDS), says)
    others = surroundings.texts(surroundings.OTHERS)
    said += lines([each for each in others if file.name in each[1]], named)
    if said := list(dict.fromkeys(said)):
        yield left_to_you("domain-moved", folder=folder, files=", ".join(said))
