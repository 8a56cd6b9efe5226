"""The rules of a run, as tables: the first rule whose facts are all true of a reading applies.

`CONTEXT_RULES`, `VERIFY_RULES` and `FORGET_RULES` are those of `action_ps7_context`,
`action_ps7_verify` and `action_ps7_forget`. What a rule does is in `decision`.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from ..outcomes import Outcome, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from .reading import Reading


class Effect(Enum):
    """What a rule does, in words."""

    LOOK_UP = "PS7 is asked, and its answer is sealed"
    RESTORE = "the slots show again what the seal says"
    REFUSE = "the refusal is sealed and logged once, and the customer's slots become null"
    CLEAR = "the customer's slots become null"
    REPEAT = "the last answer about this contextId still applies"
    STATUS = "`ps7_status` is set; if it was `ok`, the customer's slots become null"
    NOTHING = "`ps7_status` and the customer's slots stay"
    LOG_OUT = "this contextId, and every one that a seal is about, is logged out"


class Fact(NamedTuple):
    """What a rule may ask for."""

    words: str
    is_true: Callable[[Reading], bool]


FOUND = Fact("a contextId was found", lambda reading: reading.found is not None)
REFUSED = Fact(
    "the arrival of the contextId was refused",
    lambda reading: reading.found is not None and reading.found.refused is not None,
)
UNUSABLE = Fact(
    "the contextId is not usable",
    lambda reading: reading.found is not None and reading.found.context_id is None,
)
LOGGED_OUT = Fact("the contextId is logged out", lambda reading: reading.logged_out is not None)
TOO_MANY = Fact(
    "this session has asked about `PS7_MAX_CONTEXTS` others",
    lambda reading: reading.too_many,
)
SAME = Fact("the current seal is about this contextId", lambda reading: reading.same)
ANOTHER = Fact(
    "the current seal is about another contextId",
    lambda reading: reading.found is not None and reading.held is not None and not reading.same,
)
NAMED = Fact(
    "the current seal names a customer",
    lambda reading: reading.customer is not None,
)
VALID = Fact("the current seal's customer is still valid", lambda reading: reading.valid)
WAITS = Fact(
    "the last lookup failed, and its retry wait is not over",
    lambda reading: reading.failed is not None,
)
ANYONE = Fact(
    "the current seal, `ps7_status` or `ps7_context` claims a customer",
    lambda reading: reading.claims or reading.says_ok or NAMED.is_true(reading),
)
CLAIMED = Fact(
    "`ps7_status` or `ps7_context` claims a customer, without a valid seal",
    lambda reading: reading.claims,
)
OUTDATED = Fact(
    "the seal is from another session or version, or Rasa rewound the conversation",
    lambda reading: reading.outdated,
)
WAS_HERE = Fact(
    "a seal of this session names a customer",
    lambda reading: any(seal.named for seal in reading.here),
)
SAYS_OK = Fact("`ps7_status` is `ok`", lambda reading: reading.says_ok)
SAID_EXPIRED = Fact(
    "`ps7_status` became `expired` after the newest message",
    lambda reading: reading.said == Outcome.EXPIRED,
)
SAID_TAMPERED = Fact(
    "`ps7_status` became `tampered` after the newest message",
    lambda reading: reading.said == Outcome.TAMPERED,
)


class Rule(NamedTuple):
    """One rule of a table."""

    name: str
    when: tuple[Fact, ...]
    """It applies if all of them are true."""
    then: Effect
    outcome: Outcome | None
    """What `ps7_status` is afterwards; None: as PS7 answers, or as the seal reports."""
    reason: Reason | None = None
    """Of a refusal that does not bring its own."""

    @property
    def condition(self) -> str:
        """When it applies, in words; after all rules before it did not."""
        return "; ".join(fact.words for fact in self.when) or "otherwise"

    @property
    def meaning(self) -> str:
        """Condition and effect, as a sentence."""
        always = self.then is Effect.LOG_OUT
        text = f"{self.then.value}." if always else f"{self.condition}: {self.then.value}."
        return text[0].upper() + text[1:]


OVER = Rule("session-over", (CLAIMED, OUTDATED), Effect.CLEAR, Outcome.EXPIRED)
NO_SEAL = Rule("no-seal-behind", (CLAIMED,), Effect.CLEAR, Outcome.TAMPERED)
CONTEXT_RULES = (
    Rule("logged-out", (LOGGED_OUT,), Effect.REFUSE, Outcome.MISSING, Reason.FORGOTTEN),
    Rule("arrival-refused", (REFUSED,), Effect.REFUSE, Outcome.INVALID),
    Rule("unusable", (UNUSABLE,), Effect.REFUSE, Outcome.INVALID, Reason.UNUSABLE_CONTEXT_ID),
    Rule("held", (SAME, VALID), Effect.RESTORE, Outcome.OK),
    Rule("failed-before", (WAITS,), Effect.REPEAT, None),
    Rule("too-many", (TOO_MANY,), Effect.REFUSE, Outcome.REJECTED, Reason.TOO_MANY_CONTEXT_IDS),
    Rule("look-up", (FOUND,), Effect.LOOK_UP, None),
    OVER,
    NO_SEAL,
    Rule("still-expired", (SAID_EXPIRED,), Effect.STATUS, Outcome.EXPIRED),
    Rule("still-tampered", (SAID_TAMPERED,), Effect.STATUS, Outcome.TAMPERED),
    Rule("gone", (WAS_HERE,), Effect.CLEAR, Outcome.MISSING),
    Rule("nothing-held", (), Effect.STATUS, Outcome.MISSING),
)
VERIFY_RULES = (
    Rule("logged-out", (LOGGED_OUT, ANYONE), Effect.CLEAR, Outcome.MISSING),
    Rule("another-found", (NAMED, ANOTHER), Effect.CLEAR, Outcome.MISSING),
    Rule("held", (VALID,), Effect.RESTORE, Outcome.OK),
    Rule("held-too-old", (NAMED,), Effect.CLEAR, Outcome.EXPIRED),
    OVER,
    NO_SEAL,
    Rule("failed-before", (SAYS_OK,), Effect.STATUS, None),
    Rule("nothing-held", (), Effect.NOTHING, None),
)
FORGET_RULES = (Rule("forget", (), Effect.LOG_OUT, Outcome.MISSING),)


def applying(rules: tuple[Rule, ...], reading: Reading) -> Rule:
    """Return the first rule of a table whose facts are all true."""
    for rule in rules:
        for fact in rule.when:
            if not fact.is_true(reading):
                break
        else:
            return rule
    raise LookupError  # the last rule of a table asks for no fact
