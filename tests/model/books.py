"""What must be true after every run, by an oracle of its own: who came, who left, what PS7 said.

The slots, and `verified_context`, name only the customer whose contextId arrived last in this
session, about whom PS7 was asked in it, whose time is not over, and whom no log-out of this
conversation knew. And a customer who arrived in this session, whom PS7 knows and whom nobody logged
out, is known.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import takewhile

from tests.model.steps import FAILURES, MAX_AGE, NAMES, UNDEFINED, UNUSABLE, Bot, same, text_of

ENDLESS = 0
"""The session of a tracker that does not show how its session began."""
_TOLERANCE = 75.0
"""Seconds by which a token or a seal may be good for too long: clocks, leeway."""
_RETRIED_AFTER = 31.0


class Violation(AssertionError):  # noqa: N818 - what it is, not what went wrong
    """What must be true is not."""


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
        default_factory=lambda: {name: name for name in NAMES} | {UNDEFINED: FAILURES[0]}
    )
    """What PS7 answers: a customer, or one of the failures."""
    session: int = ENDLESS
    shown: int = ENDLESS
    """The session that the run sees: this one, or on a host that hides its beginning ENDLESS."""
    arrivals: list[Arrival] = field(default_factory=list)
    """Those of this session."""
    attacked: bool = False
    """Whether an attacker wrote a slot."""
    written: bool = False
    """Whether an attacker did, or a rewind."""
    typed: bool = False
    """Whether that may leave a slot of a customer: while none is known, it is the bot's own."""
    _just: Arrival | None = None
    """What arrived in this turn: a host that hides events shows it all the same."""
    _ever: set[str] = field(default_factory=set)
    """What arrived with a good token in any session."""
    _lookups: defaultdict[int, list[Lookup]] = field(default_factory=lambda: defaultdict(list))
    """Those of a session, the newest last."""
    _in_turn: set[str] = field(default_factory=set)
    _held: Lookup | None = None
    _logged_out: set[str] = field(default_factory=set)
    _maybe_out: set[str] = field(default_factory=set)

    def turn_begins(self) -> None:
        """Write down that a message comes."""
        self._in_turn, self._just = set(), None

    def session_starts(self, *, remembers: bool) -> None:
        """Write down that a session starts, in which log-outs may be lost."""
        self.turn_begins()
        self.session += 1
        self.arrivals, self._held = [], None
        if not remembers:
            self._logged_out.clear()

    def arrived(self, name: str, made: float, now: float, *, genuine: bool) -> None:
        """Write down what a message brought, its token made at `made` and good for two minutes."""
        signed = self.bot.signed
        usable = name != UNUSABLE and (genuine or not signed)
        if usable:
            self.ps7.setdefault(same(name), name)
        valid = usable and (not signed or made - _TOLERANCE <= now <= made + 120 + _TOLERANCE)
        sure = usable and (not signed or made <= now <= made + 115)
        self._just = Arrival(same(name) if usable else None, valid, sure)
        self.arrivals.append(self._just)
        self._ever |= {same(name)} if valid else set()
        if self._held and self._held.name != self._just.name:
            self._held = None

    def is_written_to(self, *, by_rasa: bool = False) -> None:
        """Write down that an attacker wrote a slot, or (`by_rasa`) that a rewind did.

        A host that hides events then shows an older state, and nothing of what came later.
        """
        self.attacked |= not by_rasa
        self.written, self._held = True, None
        if self.bot.shows is not None:
            self._just = None
            self._logged_out.clear()

    def asked(self, name: str, now: float) -> None:
        """Judge a lookup, and write down what PS7 answers."""
        endless = self.shown == ENDLESS
        if name not in (self._ever if endless else {a.name for a in self.arrivals if a.valid}):
            raise Violation(f"asked about {name}, which did not arrive in this session")
        if not self.attacked and not self.bot.skew and self.bot.shows is None:
            if name in self._in_turn:
                raise Violation(f"asked about {name} twice in one turn")
            held = self._held
            if held and held.name == name and now < held.at + MAX_AGE - _TOLERANCE:
                raise Violation(f"asked about {name}, who is held")
        lookup = Lookup(name, self.ps7[name], now)
        self._lookups[self.shown].append(lookup)
        self._in_turn.add(name)
        self._held = lookup if lookup.answer not in FAILURES else None
        if len(self._asked) > self.bot.limit and not endless:
            raise Violation("asked about more contextIds in one session than allowed")

    def logs_out(self, about: set[str]) -> None:
        """Write down a log-out, and what the seals are about that its run was shown."""
        last = self._here[-1] if self._here else None
        sure = {last.name} if last and last.name and last.sure else set()
        maybe = {last.name} if last and last.name else set()
        if self.bot.shows is not None:  # it may have been shown any earlier message
            maybe |= self._ever
        asked = {lookup.name for lookups in self._lookups.values() for lookup in lookups}
        self._held = None
        self._logged_out |= {text_of(name) for name in about | sure}
        self._maybe_out |= {text_of(name) for name in asked | maybe}

    @property
    def _here(self) -> list[Arrival]:
        """What the run is shown to have arrived in its session."""
        if self.shown == ENDLESS:
            return [] if self._just is None else [self._just]
        return self.arrivals

    @property
    def _asked(self) -> set[str]:
        return {lookup.name for lookup in self._lookups[self.shown]}

    def _said(self, name: str | None) -> Lookup | None:
        lookups = reversed(self._lookups[self.shown])
        return next((lookup for lookup in lookups if lookup.name == name), None)

    def names(self, customer: str, now: float, where: str) -> None:
        """Judge that a customer is shown."""
        here, lookups = self._here, self._lookups[self.shown]
        if self.shown == ENDLESS and self.written:  # an older seal may be the newest that is shown
            if customer not in {lookup.answer for lookup in lookups}:
                raise Violation(f"{where}: {customer} is shown, who was never known here")
            return
        said = self._said(here[-1].name) if here else None
        if self.shown == ENDLESS and not here:
            said = lookups[-1] if lookups else None
        if said is None or said.answer != customer:
            raise Violation(f"{where}: {customer} is shown; what counts is {said}")
        if now > said.at + MAX_AGE + 2 * _TOLERANCE:
            raise Violation(f"{where}: {customer} is shown, and the time is over")
        if text_of(said.name) in self._logged_out:
            raise Violation(f"{where}: {customer} is shown, whom a log-out knew")

    def owes(self, now: float) -> str | None:
        """Return the contextId whose customer must be known after a lookup, if there is one."""
        named = [arrival for arrival in reversed(self._here) if arrival.name is not None]
        if not named or self._here[-1] is not named[0]:
            return None
        name, said = str(named[0].name), self._said(named[0].name)
        wait = _RETRIED_AFTER + 2 * abs(self.bot.skew)
        waits = said is not None and said.answer == FAILURES[0] and now - said.at < wait
        # A token that is over needs no other one, unless another contextId arrived in between.
        sure = any(one.sure for one in takewhile(lambda one: one.name == name, named))
        few = len(self._asked | {name}) <= self.bot.limit
        knows = self.ps7[name] not in FAILURES and text_of(name) not in self._maybe_out
        return name if knows and sure and few and not waits else None

    def outlived(self, was: object, status: object) -> bool:
        """Whether a run does not report as `expired` what Rasa carried over."""
        plain = not self.written and self.bot.shows is None and not self._maybe_out
        return plain and was == "ok" and not self.arrivals and status != "expired"
