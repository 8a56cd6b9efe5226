"""Who logged out stays out: whatever came before the log-out, with it, and after it."""

from __future__ import annotations

import pytest

from tests.security.planted import CONTEXT_IDS
from tests.security.runner import Attack, Must, each, rows, succeeded
from tests.security.servers import Servers
from tests.security.steps import Step, brings, claims, comes_back, notes, restores, runs, seals
from tests.security.values import SIGNED, kept, present, sender_of, token
from tests.support.dialogue import FORGET, LOOK_UP

pytestmark = pytest.mark.asyncio(loop_scope="session")

ANA = CONTEXT_IDS["ana"]
STAYS_OUT = Must(verify="missing", look_up="missing")
STAYS_OUT_ANYHOW = Must(look_up="missing")
"""No look-up has run in this session, or the status was wiped: so verify leaves another one."""
_looks_up, _logs_out = runs(LOOK_UP), runs(FORGET)
_ana_again, _old_token = brings(ANA), brings(token("ana", made=-130.0))


def _hidden_by(*arrival: Step, again: Step = _ana_again) -> tuple[Step, ...]:
    """Log out after an arrival that could hide the customer, who then comes again."""
    return *arrival, _logs_out, again


BEFORE = [
    *rows(
        "ana",
        STAYS_OUT,
        {
            "`undefined` comes with the log-out": _hidden_by(brings("undefined")),
            "`null` comes with the log-out": _hidden_by(brings("null")),
            "`undefined` was looked up before it": _hidden_by(brings("undefined"), _looks_up),
            "no usable contextId comes with it": _hidden_by(brings([ANA])),
        },
    ),
    *rows("diego after ana", STAYS_OUT, {"the contextId before the last one": _hidden_by()}),
    *rows(
        "ana",
        STAYS_OUT,
        {
            "an unusable text was refused before it": _hidden_by(
                brings("undefined"), _looks_up, again=_old_token
            ),
            "another's token comes with it": _hidden_by(
                brings(token("diego", sub=sender_of("diego"))), again=_old_token
            ),
        },
        SIGNED,
    ),
]
"""What could hide a customer from the log-out, such as a page sends that dropped its contextId."""

AFTER = [
    *rows(
        "logged out",
        STAYS_OUT,
        {
            "the contextId, with `encoded` 1": brings(ANA, encoded=1),
            "the contextId, with `encoded` 0": brings(ANA, encoded="0"),
            "the seal of before": seals(kept("ana")),
            "all slots of before": restores("ana"),
            "the seal broken": (claims("ana"), seals("broken")),
            "the customer's slots": (claims("ana"), seals(present)),
        },
    ),
    *rows("logged out", STAYS_OUT_ANYHOW, {"the seal wiped": seals(None, None)}),
    *rows("logged out", STAYS_OUT, {"a new token": brings(token("ana"))}, SIGNED),
    *rows("diego after a log-out", STAYS_OUT, {"the contextId": _ana_again}),
    *rows(
        "diego after a log-out",
        STAYS_OUT_ANYHOW,
        {"the contextId, a session later": (comes_back, _ana_again)},
    ),
    *rows(
        "logged out, a session ago",
        STAYS_OUT,
        {
            "the contextId": _ana_again,
            "the contextId as the note of a session": notes(ANA),
            "the contextId, and all slots of before": (restores("ana"), _ana_again),
        },
    ),
    *rows(
        "logged out, a session ago",
        STAYS_OUT_ANYHOW,
        {"the contextId, and the seal wiped": (seals(None, None), _ana_again)},
    ),
    *rows("logged out, a session ago", STAYS_OUT, {"a new token": brings(token("ana"))}, SIGNED),
]
"""What could bring the customer back."""


@each([*BEFORE, *AFTER])
async def test_who_logged_out_stays_out(servers: Servers, attack: Attack) -> None:
    """In this session and in the next one, as long as the tracker shows a seal that knows of it."""
    assert await succeeded(servers, [attack]) == []
