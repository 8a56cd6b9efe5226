"""What must hold after every run, from books of its own: who came, who left, what PS7 said.

The slots, and `verified_context`, name no one but the customer whose contextId arrived last as far
as this run's tracker shows (in this session, else the one carried over), who is not logged out, and
whose time is not over; a contextId of an earlier session is not asked about again unless it arrives
anew; and a customer who arrived in this session, whom PS7 knows and who did not log out, is known.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import takewhile

from tests.model.steps import FAILURES, MAX_AGE, NAMES, UNUSABLE, Bot

_TOLERANCE = 75.0
"""Seconds by which a token or a seal may be taken for good too long: clocks, leeway."""
_RETRIED_AFTER = 31.0


class Violation(AssertionError):  # noqa: N818 - what it is, not what went wrong
    """What must hold does not."""


@dataclass(frozen=True)
class Arrival:
    """A contextId that a message brought; no name where its token is not the bank's."""

    session: int
    name: str | None
    valid: bool
    sure: bool
    """Valid whatever the clocks say."""
    number: int


@dataclass
class Books:
    """The truth about one conversation."""

    bot: Bot
    ps7: dict[str, str] = field(default_factory=lambda: {name: name for name in NAMES})
    """What PS7 answers: a customer, or one of the failures."""
    session: int = 0
    arrivals: list[Arrival] = field(default_factory=list)
    """Those that may count: where nothing is carried over, a new session begins with none."""
    attacked: bool = False
    """Whether an attacker wrote a slot. From then on customers may be denied, and none shown."""
    typed: bool = False
    """Whether that was a slot of a customer: while none is known, it is the bot's own."""
    start_failed: bool = False
    _count: int = 0
    _seen: int = 0
    _written: int = 0
    _blind: bool = False
    _said: dict[str, tuple[str, float]] = field(default_factory=dict)
    _asked: defaultdict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    _logged_out: dict[str, int] = field(default_factory=dict)
    _maybe_out: set[str | None] = field(default_factory=set)
    _last_asked: str | None = None
    _last_known: str | None = None
    in_turn: Counter[str] = field(default_factory=Counter)

    def _next(self) -> int:
        self._count += 1
        return self._count

    def arrived(self, name: str, made: float, now: float, *, genuine: bool) -> None:
        """Write down what a message brought, its token made at `made` and good for two minutes."""
        if name != UNUSABLE:
            self.ps7.setdefault(name, name)
        usable, signed = name != UNUSABLE, self.bot.signed
        valid = not signed or (genuine and made - _TOLERANCE <= now <= made + 120 + _TOLERANCE)
        sure = not signed or (genuine and made <= now <= made + 115)
        known = name if genuine or not signed else None
        self.arrivals.append(
            Arrival(self.session, known, valid and usable, sure and usable, self._next())
        )

    def is_written_to(self, *, by_rasa: bool = False) -> None:
        """Write down that an attacker wrote a slot; `by_rasa`: a rewind did."""
        self.attacked |= not by_rasa
        self._written = self._next()

    def session_starts(
        self, *, carries: bool, remembers: bool, by_rasa: bool = False, watched: bool = True
    ) -> None:
        """Write down that a session starts; `by_rasa`: without a run of ours.

        What no run of ours has seen before Rasa carried the slots over does not bind. And what was
        written meanwhile cannot be told from what was there, unless this turn is `watched`: a run
        of ours follows while the tracker still shows the session before.
        """
        self.session += 1
        self._blind |= by_rasa and not watched and self._written > self._seen
        self.in_turn.clear()
        if by_rasa:
            self.arrivals = [arrival for arrival in self.arrivals if arrival.number <= self._seen]
        if not carries:
            self.arrivals = []
        if not remembers:
            self._logged_out = {}

    def runs(self) -> None:
        """Write down that a run of ours sees what has arrived."""
        self._seen = self._next()

    def asked(self, name: str, now: float) -> None:
        """Hold a look-up against the rules, and write down what PS7 answers."""
        here = [a for a in self.arrivals if a.session == self.session and a.name == name]
        if not here:
            raise Violation(f"asked about {name}, which did not arrive in this session")
        if not any(arrival.valid for arrival in here):
            raise Violation(f"asked about {name}, whose token was never good on arrival")
        self._asked[self.session].add(name)
        if len(self._asked[self.session]) > self.bot.limit:
            raise Violation("asked about more contextIds in one session than allowed")
        self.in_turn[name] += 1
        if self.in_turn[name] > 1 and not self.attacked and not self.bot.skew:
            raise Violation(f"asked about {name} twice in one turn")
        self._said[name] = (self.ps7[name], now)
        self._last_asked = name
        if self.ps7[name] not in FAILURES:
            self._last_known = name

    def logs_out(self, *, shown: bool) -> None:
        """Write down a log-out; `shown`: the slots said `ok` before it."""
        self._maybe_out |= {self._last_asked, self._last_known}
        if not self.arrivals:
            return
        last = self.arrivals[-1]
        self._maybe_out.add(last.name)
        here = last.session == self.session
        if last.sure and last.name and (here or (shown and not self.attacked)):
            self._logged_out[last.name] = self._next()

    def names(self, customer: str, now: float, where: str) -> None:
        """Hold a customer who is shown against who may be."""
        if self._blind:
            return
        if not self.arrivals:
            raise Violation(f"{where}: {customer} is shown, and no contextId counts")
        last = self.arrivals[-1]
        name = last.name
        said, at = self._said.get(name or "", ("nothing", 0.0))
        if name is None or said != customer:
            raise Violation(f"{where}: {customer} is shown; PS7 last said {said} of {name}")
        if not any(arrival.valid for arrival in self.arrivals if arrival.name == name):
            raise Violation(f"{where}: {customer} is shown without a good token")
        if now > at + MAX_AGE + 2 * _TOLERANCE:
            raise Violation(f"{where}: {customer} is shown, and the time is over")
        if self._logged_out.get(name, 0) > last.number:
            raise Violation(f"{where}: {customer} is shown and has logged out")
        if name in self._logged_out:
            raise Violation(f"{where}: {customer} is shown, who logged out earlier")

    def owes(self, now: float) -> str | None:
        """Return the contextId whose customer must be known after a look-up, if there is one."""
        if not self.arrivals or self.attacked or self.start_failed:
            return None
        last = self.arrivals[-1]
        name = last.name
        here = [arrival for arrival in self.arrivals if arrival.session == self.session]
        if last.session != self.session or name is None or name in self._maybe_out:
            return None
        said, at = self._said.get(name, ("", 0.0))
        waits = said == "rejected" and now - at < _RETRIED_AFTER + 2 * abs(self.bot.skew)
        # A token that is over needs no other one, unless another contextId arrived in between.
        named = [arrival for arrival in reversed(here) if arrival.name is not None]
        sure = any(one.sure for one in takewhile(lambda one: one.name == name, named))
        few = len({arrival.name for arrival in here}) <= self.bot.limit
        knows = self.ps7.get(name, FAILURES[0]) not in FAILURES
        return name if sure and few and knows and not waits else None
