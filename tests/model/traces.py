"""Short walks that broke an earlier version of the plugin, or an earlier reading of its rules.

Each is named by what must hold. The books judge it, as they judge a random walk.
"""

from __future__ import annotations

from tests.model.steps import (
    SPELLED,
    START_PS7,
    UNDEFINED,
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
_RULE = Bot(every=False)
_PS7 = Bot(start=START_PS7)
_PS7_RULE = Bot(start=START_PS7, every=False)
_SIGNED = Bot(signed=True)


def _writes(when: str, value: int, slot: str = "ps7_context") -> Attack:
    return Attack(when, slot, value)


NULL, GARBAGE, FIRST_SEAL, SECOND_SEAL = range(4)
_UNTIL_OVER = (Wait(590), says(), Wait(590), says(), Wait(590))
"""The time of a context is over, and the session is not."""
_KIOSK = [f"visitor-{number}" for number in range(1, 19)]


def _trace(name: str, bot: Bot, *steps: Step) -> tuple[str, Walk]:
    return name, Walk(bot, steps)


# fmt: off - a trace is a line or two
TRACES: dict[str, Walk] = dict(
    (
        # What an earlier release did.
        _trace(
            "a log-out outlives seventeen others of the same session",
            Bot(start=START_PS7, limit=64),
            *(arrives(visitor, "forget") for visitor in _KIOSK),
            *(says("/session_start"), says("context")) * 2,
        ),
        _trace(
            "a log-out outlives seventeen others, each in a session of its own",
            Bot(start=START_PS7),
            *(step for visitor in _KIOSK for step in (arrives(visitor, "forget"), Wait(650))),
            arrives(_KIOSK[0]),
        ),
        _trace(
            "an expiry that verify sees first locks nobody out",
            Bot(every=False, signed=True),
            arrives("ana", "context"),
            *_UNTIL_OVER,
            says("verify"),
            says("context"),
        ),
        _trace(
            "a seal from a clock six hours ahead holds no longer than another",
            Bot(skew=21600),
            arrives("ana", replica=1),
            Answers("ana", "rejected"),
            *_UNTIL_OVER,
            says(),
        ),
        _trace(
            "the same text with encoded 0 is another contextId",
            Bot(),
            arrives("ana 0"),
            arrives("ana"),
        ),
        _trace(
            "after a rewind verify goes by the reverted message",
            Bot(),
            arrives("ana"),
            arrives("diego", "fallback, verify"),
        ),
        _trace(
            "PS7SessionStart keeps a log-out over a restart",
            _PS7,
            arrives("ana", "forget"),
            says("/restart"),
            arrives("ana"),
        ),
        _trace(
            "a restart does not undo a log-out that the tracker still shows",
            Bot(store="all"),
            arrives("ana", "forget"),
            says("/restart"),
            arrives("ana"),
        ),
        _trace(
            "a failure costs one look-up a turn",
            Bot(),
            Answers("ana", "unavailable"),
            arrives("ana", "context"),
        ),
        _trace(
            "a log-out counts against the seal of a clock that is ahead",
            Bot(skew=50),
            arrives("ana", replica=1),
            says("forget"),
            arrives("bruno", attack=_writes(AFTER, FIRST_SEAL)),
            arrives("ana"),
        ),
        _trace(
            "which seal is the newest does not depend on clocks",
            Bot(skew=50),
            says(),
            arrives("ana", replica=1),
            arrives("bruno"),
            Wait(650),
            says(attack=_writes(BEFORE, FIRST_SEAL)),
        ),
        _trace(
            "PS7SessionStart carries nothing over where it sees no domain",
            Bot(start=START_PS7, carries=False, domain=False),
            arrives("ana"),
            Wait(650),
            says(),
        ),
        _trace(
            "the bot's own slots go with a customer whom PS7 no longer knows",
            Bot(),
            arrives("ana", "balance"),
            Answers("ana", "rejected"),
            *_UNTIL_OVER,
            says(),
        ),
        _trace(
            "the bot's own slots go when a contextId turns out to be another customer's",
            Bot(),
            arrives("ana", "balance"),
            Answers("ana", "bruno"),
            *_UNTIL_OVER,
            says(),
        ),
        _trace(
            "the bot's own slots go with a customer whose seal was wiped",
            Bot(),
            arrives("ana", "balance"),
            Answers("ana", "bruno"),
            says(attack=_writes(BEFORE, NULL)),
        ),
        _trace(
            "the bot's own slots go with a customer whom a seal of an earlier session logs out",
            _RULE,
            arrives("ana", "context"),
            says("forget"),
            says("/restart"),
            arrives("ana", "context"),
            says("balance", attack=_writes(BETWEEN, NULL, "ps7_status")),
            says("context", attack=_writes(AFTER, SECOND_SEAL)),
        ),
        # A log-out that logged nobody out.
        _trace(
            "a log-out knows who was known before a message without a token",
            _SIGNED,
            arrives("ana"),
            Wait(130),
            arrives(UNDEFINED, "forget"),
            arrives("ana", token="old"),
        ),
        _trace(
            "a log-out knows who was known before another conversation's token",
            _SIGNED,
            arrives("ana"),
            arrives("bruno", token="another's"),
            says("forget"),
            arrives("ana", token="old"),
        ),
        _trace(
            "a log-out knows who was known before a contextId that PS7 does not know",
            Bot(),
            arrives("ana"),
            arrives(UNDEFINED, "forget"),
            arrives("ana"),
        ),
        _trace(
            "a log-out knows every contextId of its session",
            Bot(),
            arrives("ana"),
            arrives("bruno"),
            says("forget"),
            arrives("ana"),
        ),
        _trace(
            "a log-out knows the session before, while that is shown",
            Bot(),
            arrives("ana"),
            Wait(650),
            says("forget"),
            arrives("ana"),
        ),
        _trace(
            "a log-out goes by the text: encoded 1",
            Bot(),
            arrives("ana", "forget"),
            arrives(SPELLED),
        ),
        _trace(
            "a log-out goes by the text: encoded 0",
            Bot(),
            arrives("ana", "forget"),
            arrives("ana 0"),
        ),
        _trace(
            "verify goes by a log-out first",
            _RULE,
            arrives("ana", "context"),
            says("forget"),
            says("verify", attack=_writes(BEFORE, FIRST_SEAL)),
        ),
        # A customer ends with the session.
        *(
            _trace(
                f"a customer ends with the session: {recipe}",
                bot,
                arrives("ana", "context"),
                Wait(650),
                says("verify"),
                says("context"),
            )
            for recipe, bot in {
                "every turn": Bot(),
                "in rules": _RULE,
                "PS7SessionStart": _PS7,
                "PS7SessionStart, in rules": _PS7_RULE,
                "signed": _SIGNED,
            }.items()
        ),
        _trace(
            "expired stays said until the next message",
            Bot(),
            arrives("ana"),
            Wait(650),
            says("context"),
        ),
        _trace(
            "a rejection ends with the session",
            Bot(),
            Answers("ana", "rejected"),
            arrives("ana"),
            Answers("ana", "ana"),
            says("/session_start"),
            arrives("ana"),
        ),
        _trace(
            "a seal of an earlier session shows no customer if the host hides how this one began",
            Bot(every=False, start=START_PS7, shows=3),
            arrives("ana"),
            Wait(650),
            arrives("bruno", attack=_writes(BETWEEN, FIRST_SEAL)),
            says("context"),
        ),
        _trace(
            "a failed lookup is tried again, of what opened the session too",
            _PS7,
            Answers("ana", "unavailable"),
            arrives("ana", "/session_start"),
            Answers("ana", "ana"),
            says(),
        ),
        _trace(
            "a token that is over and repeats what opened the session takes nobody away",
            Bot(start=START_PS7, signed=True),
            arrives("ana", "/session_start"),
            Wait(130),
            arrives("ana", token="old"),
        ),
        _trace(
            "encoded 1 is the same contextId as none",
            Bot(),
            arrives("ana"),
            arrives(SPELLED),
        ),
        # What an earlier reading of the rules did.
        _trace(
            "an older seal of a contextId does not bring its first customer back",
            Bot(),
            arrives("ana"),
            Answers("ana", "diego"),
            says("context", attack=_writes(AFTER, GARBAGE)),
            arrives("carla"),
            arrives("ana", attack=_writes(BEFORE, FIRST_SEAL)),
        ),
        _trace(
            "a rewind does not undo a log-out",
            Bot(),
            arrives("ana"),
            says("forget"),
            says("/back"),
            Wait(650),
            arrives("ana"),
        ),
        _trace(
            "a seal from before a log-out does not undo it",
            Bot(),
            arrives("ana"),
            says("forget"),
            arrives("bruno"),
            arrives("ana", attack=_writes(BEFORE, FIRST_SEAL)),
        ),
        _trace(
            "a seal of the session before a restart is nobody's",
            Bot(),
            arrives("ana", "/restart"),
            says(attack=_writes(BETWEEN, FIRST_SEAL)),
        ),
        _trace(
            "a rewind does not bring back a customer whom PS7 has rejected",
            Bot(),
            arrives("ana"),
            Answers("ana", "rejected"),
            says(attack=_writes(BEFORE, NULL)),
            says("/back"),
            Wait(650),
            says(),
        ),
        _trace(
            "a log-out is carried on by every run",
            Bot(),
            arrives("bruno", "forget"),
            arrives("ana", "/session_start"),
            says("/back"),
            says("/back"),
            says("/session_start"),
            arrives("bruno"),
        ),
        _trace(
            "a rewind does not forget what opened the session",
            _PS7,
            arrives("bruno", "/session_start"),
            says("/back"),
            says(),
        ),
        _trace(
            "a message without a contextId opens no session with an older one",
            Bot(start=START_PS7, every=False, carries=False),
            arrives("ana", "context"),
            says("/session_start", attack=_writes(BEFORE, 1, "session_started_metadata")),
        ),
        _trace(
            "a contextId asked about already may be asked about beyond the limit",
            _PS7,
            *(arrives(name) for name in ("ana", "bruno", "carla", "diego")),
            Wait(40),
            arrives("ana", "context"),
        ),
        _trace(
            "a forged token uses up no limit",
            Bot(start=START_PS7, signed=True),
            arrives("bruno"),
            arrives("carla", token="forged"),
            arrives("bruno", token="forged"),
            arrives("carla"),
        ),
        _trace(
            "a token is held against the time at which it arrived",
            Bot(start=START_PS7, every=False, signed=True),
            says(),
            arrives("ana"),
            Wait(130),
            says("context"),
        ),
        _trace(
            "the bot's own slots do not stay beside the customer of a seal put back",
            Bot(carries=False),
            arrives("bruno", "balance"),
            arrives("ana", "fallback", attack=_writes(BETWEEN, SECOND_SEAL)),
            says(),
        ),
        _trace(
            "a session that PS7SessionStart opened is known again after hours",
            _PS7,
            arrives("ana", "/session_start"),
            Wait(1501),
            says(),
        ),
        _trace(
            "a token that is over brings nobody whom no rule asked about",
            Bot(every=False, signed=True),
            arrives("bruno", "context"),
            arrives("ana"),
            Wait(130),
            arrives("bruno", "context", token="old"),
        ),
        _trace(
            "a log-out behind a token that is over marks nobody whom no rule asked about",
            Bot(every=False, signed=True),
            arrives("ana", "context"),
            Wait(130),
            arrives("bruno"),
            arrives("ana", "forget", token="old"),
            arrives("bruno", "context"),
        ),
        _trace(
            "a forged token in between does not take a customer away",
            Bot(every=False, signed=True),
            arrives("ana", "context"),
            Wait(650),
            says(),
            arrives("diego", token="forged"),
            arrives("ana", "context", token="old"),
        ),
        _trace(
            "what opens a session is looked up, whatever the limit was spent on before",
            _PS7,
            arrives("bruno"),
            arrives("diego"),
            arrives("carla"),
            arrives("ana", "/session_start"),
            says(),
        ),
    )
)
# fmt: on
