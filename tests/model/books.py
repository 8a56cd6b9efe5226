"""What must be true after every run, by an oracle of its own: who came, who left, what PS7 said.

The slots, and `verified_context`, name only the customer whose contextId arrived last in this
session, about whom PS7 was asked in it, whose time is not over, and whom no log-out of this
conversation knew. And a customer who arrived in this session, whom PS7 knows and whom nobody logged
out, is known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import takewhile

from tests.model.steps import (
    BASE64,
    FAILURES,
    LIMIT,
    MAX_AGE,
    NAMES,
    UNDEFINED,
    UNUSABLE,
    Bot,
    logged_out_with,
    same,
)

_TOLERANCE = 75.0
"""Seconds by which a token or a seal may be good for too long: clocks, leeway."""
_WAITS, _RETRIED_AFTER = 29.0, 31.0


class Violation(AssertionError):  # noqa: N818 - what it is, not what went wrong
    """What must be true is not."""


def must(is_so: object, text: str) -> None:
    """Check what must be true; the text says what is not."""
    if not is_so:
        raise Violation(text)


@dataclass(frozen=True)
class Arrival:
    """What a message brought; no name if it is refused or unusable."""

    name: str | None
    valid: bool
    sure: bool
    """Valid in spite of all clocks."""


@dataclass(frozen=True)
class Lookup:
    """What PS7 answered about a contextId: a customer or a failure."""

    name: str
    answer: str
    at: float


@dataclass
class Books:
    """The truth about one conversation."""

    bot: Bot
    ps7: dict[str, str] = field(
        default_factory=lambda: {
            **{name: name for name in NAMES},
            BASE64: NAMES[0],
            UNDEFINED: FAILURES[0],
        }
    )
    """What PS7 answers: a customer, or one of the failures."""
    arrivals: list[Arrival] = field(default_factory=list)
    """Those of this session."""
    attacked: bool = False
    """Whether an attacker wrote a slot."""
    written: bool = False
    """Whether an attacker did, or a rewind."""
    typed: bool = False
    """Whether that may leave a slot of a customer: while none is known, it is the bot's own."""
    _lookups: list[Lookup] = field(default_factory=list)
    """Those of this session, the newest last."""
    _asked_ever: set[str] = field(default_factory=set)
    _in_turn: set[str] = field(default_factory=set)
    _held: Lookup | None = None
    _logged_out: set[str] = field(default_factory=set)
    _maybe_out: set[str] = field(default_factory=set)

    def session_starts(self, *, remembers: bool) -> None:
        """Write down that a session starts, in which log-outs may be lost."""
        self.turn_begins()
        self.arrivals, self._lookups, self._held = [], [], None
        if not remembers:
            self._logged_out.clear()

    def turn_begins(self) -> None:
        """Write down that a message comes."""
        self._in_turn = set()

    def arrived(self, name: str, made: float, now: float, *, genuine: bool) -> None:
        """Write down what a message brought, its token made at `made` and good for two minutes."""
        signed = self.bot.signed
        usable = name != UNUSABLE and (genuine or not signed)
        if usable:
            self.ps7.setdefault(same(name), name)
        valid = usable and (not signed or made - _TOLERANCE <= now <= made + 120 + _TOLERANCE)
        sure = usable and (not signed or made <= now <= made + 115)
        if same(name) in self._maybe_out:  # it is logged out by its own text too
            self._maybe_out |= logged_out_with(same(name))
        self.arrivals.append(Arrival(same(name) if usable else None, valid, sure))
        if self._held and self._held.name != self.arrivals[-1].name:
            self._held = None

    def is_written_to(self, *, by_rasa: bool = False) -> None:
        """Write down that an attacker wrote a slot, or (`by_rasa`) that a rewind did."""
        self.attacked |= not by_rasa
        self.written, self._held = True, None

    def asked(self, name: str, now: float) -> None:
        """Judge a lookup, and write down what PS7 answers."""
        came = {one.name for one in self.arrivals if one.valid}
        must(name in came, f"asked about {name}, which did not arrive in this session")
        said = self._said(name)
        waits = said is not None and said.answer == FAILURES[0] and now - said.at < _WAITS
        must(not waits or self.bot.skew, f"asked about {name}, which PS7 rejected just before")
        if not self.attacked and not self.bot.skew:
            must(name not in self._in_turn, f"asked about {name} twice in one turn")
            held = self._held
            good = held and held.name == name and now < held.at + MAX_AGE - _TOLERANCE
            must(not good, f"asked about {name}, who is held")
        lookup = Lookup(name, self.ps7[name], now)
        self._lookups.append(lookup)
        self._in_turn.add(name)
        self._asked_ever.add(name)
        self._held = lookup if lookup.answer not in FAILURES else None
        must(len(self._asked) <= LIMIT, "asked about more contextIds than a session may")

    def answers(self, about: str, answer: str) -> None:
        """Write down what PS7 answers from now on."""
        self.ps7[about] = answer
        if about == NAMES[0]:
            self.ps7[BASE64] = answer

    def logs_out(self, about: set[str]) -> None:
        """Write down a log-out, and what the seals are about that its run was shown."""
        last = [one for one in self.arrivals[-1:] if one.name is not None]
        self._held = None
        self._logged_out |= about | {str(one.name) for one in last if one.sure}
        for name in {*(str(one.name) for one in last), *self._asked_ever}:
            self._maybe_out |= logged_out_with(name)

    @property
    def _asked(self) -> set[str]:
        return {lookup.name for lookup in self._lookups}

    def _said(self, name: str | None) -> Lookup | None:
        return next((one for one in reversed(self._lookups) if one.name == name), None)

    def names(self, customer: str, now: float, where: str) -> None:
        """Judge that a customer is shown."""
        said = self._said(self.arrivals[-1].name) if self.arrivals else None
        if said is None or said.answer != customer:
            raise Violation(f"{where}: {customer} is shown; what counts is {said}")
        over = now > said.at + MAX_AGE + 2 * _TOLERANCE
        must(not over, f"{where}: {customer} is shown, and the time is over")
        out = any(said.name in logged_out_with(each) for each in self._logged_out)
        must(not out, f"{where}: {customer} is shown, whom a log-out knew")

    def owes(self, now: float) -> str | None:
        """Return the contextId whose customer must be known after a lookup, if there is one."""
        named = [arrival for arrival in reversed(self.arrivals) if arrival.name is not None]
        if not named or self.arrivals[-1] is not named[0]:
            return None
        name, said = str(named[0].name), self._said(named[0].name)
        wait = _RETRIED_AFTER + 2 * abs(self.bot.skew)
        waits = said is not None and said.answer == FAILURES[0] and now - said.at < wait
        # A token that is over needs no other one, unless another contextId arrived in between.
        sure = any(one.sure for one in takewhile(lambda one: one.name == name, named))
        few = len(self._asked | {name}) <= LIMIT
        knows = self.ps7[name] not in FAILURES and name not in self._maybe_out
        return name if knows and sure and few and not waits else None

    def outlived(self, was: object, status: object) -> bool:
        """Whether a run does not report as `expired` what Rasa carried over."""
        plain = not self.written and not self._maybe_out
        return plain and was == "ok" and not self.arrivals and status != "expired"
