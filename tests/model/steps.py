"""What can happen to a conversation, as data: a bot, and the steps of a walk through it."""

from __future__ import annotations

from dataclasses import dataclass

NAMES = ("ana", "bruno", "carla", "diego", "ana 0")
"""The contextIds of the walks; the last is the text of the first, with `encoded` 0 beside it."""
SPELLED = "ana 1"
"""The first again: `encoded` 1 is the same as none."""
BASE64 = "ana in Base64"
"""The first as the gateway passes it on, with `encoded` 0 beside it: PS7 receives the same."""
UNDEFINED = "undefined"
"""What a page sends that has lost its contextId: PS7 does not know it, and it is not a token."""
UNUSABLE = "unusable"
FAILURES = ("rejected", "unavailable", "denied")

START_OWN, START_PS7 = "Rasa's own", "PS7SessionStart"
LIMIT, MAX_AGE, SESSION_ENDS = 3, 1500, 600


@dataclass(frozen=True)
class Bot:
    """How a bot is built, where it runs, and who may write to it."""

    every: bool = True
    """`action_ps7_context` runs on every turn, not only where a rule says so."""
    start: str = START_OWN
    carries: bool = True
    signed: bool = False
    store: str = "memory"
    skew: int = 0
    """Seconds by which the clock of the second replica is ahead."""
    attacked: bool = True
    unreliable: bool = False
    """The action server may be away for a turn."""


@dataclass(frozen=True)
class Attack:
    """Somebody writes a slot: before our run of the turn, after it, or between two turns."""

    when: str
    slot: str
    value: int
    """Which of the values that this slot had: 0 is null; for `context` 1 is garbage, 2 a seal."""


@dataclass(frozen=True)
class Turn:
    """A message, what it brings and what the bot does then."""

    does: str = "listen"
    brings: str | None = None
    token: str = "new"
    replica: int = 0
    attack: Attack | None = None
    away: bool = False


@dataclass(frozen=True)
class Wait:
    """Time passes."""

    seconds: int


@dataclass(frozen=True)
class Answers:
    """From now on PS7 answers otherwise: with a customer, or an outcome."""

    about: str
    answer: str


Step = Turn | Wait | Answers


@dataclass(frozen=True)
class Walk:
    """A bot and what happens to it."""

    bot: Bot
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return "".join(f"\n    {line!r}" for line in (self.bot, *self.steps))


def same(name: str) -> str:
    """Return the one name of a contextId."""
    return name.removesuffix(" 1")


def logged_out_with(name: str) -> set[str]:
    """Return the contextIds that a log-out of one logs out: those that PS7 receives as the same.

    That is so whatever `encoded` stands beside the one that is logged out.
    """
    if name == BASE64:
        return {BASE64, NAMES[0]}
    text = name.partition(" ")[0]
    others = {BASE64} if text == NAMES[0] else set()
    return others | {each for each in (*NAMES, name) if each.partition(" ")[0] == text}
