"""Short walks that broke an earlier version of the plugin, or an earlier reading of its rules.

Each is named by what must be true, and of a kind of its own. The books judge it, as they judge a
random walk.
"""

from __future__ import annotations

from tests.model.steps import (
    BASE64,
    START_PS7,
    Answers,
    Attack,
    Bot,
    Step,
    Wait,
    Walk,
    arrives,
    says,
)

BEFORE, AFTER, BETWEEN = "before", "after", "between"
NULL, GARBAGE, FIRST_SEAL, SECOND_SEAL = range(4)
_RULE = Bot(every=False)
_PS7 = Bot(start=START_PS7)
_SIGNED_RULE = Bot(every=False, signed=True)
_UNTIL_OVER = (Wait(590), says(), Wait(590), says(), Wait(590))
"""The time of a context is over, and the session is not."""
_KIOSK = [f"visitor-{number}" for number in range(1, 19)]


def _of(bot: Bot, *steps: Step) -> Walk:
    return Walk(bot, steps)


def _writes(when: str, value: int, slot: str = "ps7_context") -> Attack:
    return Attack(when, slot, value)


SESSIONS = {
    **{
        f"a customer ends with the session: {bot.start}": _of(
            bot, arrives("ana", "context"), Wait(650), says("verify"), says("context")
        )
        for bot in (_RULE, _PS7)
    },
    "a failed lookup is tried again, of what opened the session too": _of(
        _PS7,
        *(Answers("ana", "unavailable"), arrives("ana", "/session_start")),
        *(Answers("ana", "ana"), says()),
    ),
    "a session that PS7SessionStart opened is known again after hours": _of(
        _PS7, arrives("ana", "/session_start"), Wait(1501), says()
    ),
}
LOG_OUTS = {
    "a log-out outlives seventeen others, each in a session of its own": _of(
        _PS7,
        *(step for visitor in _KIOSK for step in (arrives(visitor, "forget"), Wait(650))),
        arrives(_KIOSK[0]),
    ),
    "PS7SessionStart keeps a log-out over a restart": _of(
        _PS7, arrives("ana", "forget"), says("/restart"), arrives("ana")
    ),
    "a log-out knows who was known before a contextId that PS7 does not know": _of(
        Bot(), arrives("ana"), arrives("undefined", "forget"), arrives("ana")
    ),
    "a log-out knows the session before, while that is shown": _of(
        Bot(), arrives("ana"), Wait(650), says("forget"), arrives("ana")
    ),
    "a log-out goes by the text: encoded 0": _of(Bot(), arrives("ana", "forget"), arrives("ana 0")),
    "a log-out goes by what PS7 receives: Base64": _of(
        Bot(), arrives("ana", "forget"), arrives(BASE64)
    ),
    "a log-out goes by what PS7 receives: of Base64": _of(
        Bot(), arrives(BASE64, "forget"), arrives("ana")
    ),
    "a log-out knows a contextId that is logged out by what PS7 receives": _of(
        _PS7,
        *(arrives(BASE64, "forget"), arrives("ana", "/session_start")),
        *(says("forget"), arrives("ana 0")),
    ),
    "log-outs of nobody do not make a customer's forgotten": _of(
        Bot(every=False, start=START_PS7, forgetful=True),
        *(arrives("ana", "context"), says("forget")),
        *(Answers(name, "rejected") for name in _KIOSK[:8]),
        *(step for name in _KIOSK[:8] for step in (arrives(name, "forget"), Wait(650))),
        arrives("ana", "context"),
    ),
    "a log-out is carried on by every run": _of(
        Bot(),
        *(arrives("bruno", "forget"), arrives("ana", "/session_start")),
        *(says("/back"), says("/back"), says("/session_start"), arrives("bruno")),
    ),
}
SEALS = {
    "a seal from a clock six hours ahead holds no longer than another": _of(
        Bot(skew=21600),
        arrives("ana", replica=1),
        *(Answers("ana", "rejected"), *_UNTIL_OVER, says()),
    ),
    "which seal is the newest does not depend on clocks": _of(
        Bot(skew=50),
        *(says(), arrives("ana", replica=1), arrives("bruno"), Wait(650)),
        says(attack=_writes(BEFORE, FIRST_SEAL)),
    ),
    "a rewind does not bring back a customer whom PS7 has rejected": _of(
        Bot(),
        *(arrives("ana"), Answers("ana", "rejected")),
        *(says(attack=_writes(BEFORE, NULL)), says("/back"), Wait(650), says()),
    ),
    "a failure costs one look-up a turn": _of(
        Bot(), Answers("ana", "unavailable"), arrives("ana", "context")
    ),
    "the bot's own slots go with a customer whom PS7 no longer knows": _of(
        Bot(),
        *(arrives("ana", "balance"), Answers("ana", "rejected"), *_UNTIL_OVER, says()),
    ),
    "the bot's own slots go with a customer whom a seal of an earlier session logs out": _of(
        _RULE,
        *(arrives("ana", "context"), says("forget"), says("/restart"), arrives("ana", "context")),
        says("balance", attack=_writes(BETWEEN, NULL, "ps7_status")),
        says("context", attack=_writes(AFTER, SECOND_SEAL)),
    ),
    "a contextId asked about already may be asked about beyond the limit": _of(
        _PS7,
        *(arrives(name) for name in ("ana", "bruno", "carla", "diego")),
        *(Wait(40), arrives("ana", "context")),
    ),
}
TOKENS = {
    "a token that is over brings nobody whom no rule asked about": _of(
        _SIGNED_RULE,
        *(arrives("bruno", "context"), arrives("ana"), Wait(130)),
        arrives("bruno", "context", token="old"),
    ),
    "a forged token in between does not make a token that is over useless": _of(
        _SIGNED_RULE,
        *(arrives("ana", "context"), arrives("diego", token="forged"), Wait(130)),
        arrives("ana", "context", token="old"),
    ),
    "a forged token in between does not take a customer away": _of(
        _SIGNED_RULE,
        *(arrives("ana", "context"), Wait(650), says()),
        *(arrives("diego", token="forged"), arrives("ana", "context", token="old")),
    ),
}
TRACES = SESSIONS | LOG_OUTS | SEALS | TOKENS
