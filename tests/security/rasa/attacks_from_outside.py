"""What takes more than a keyboard: metadata of one's own making, and Rasa's API."""

from __future__ import annotations

from typing import Any

from tests.security.rasa.attack import ANA, CLAIMS, Attack, Attacker
from tests.security.rasa.attacks_in_chat import LOG_OUT
from tests.security.rasa.scene import (
    arrives,
    carries,
    copies,
    executes,
    forges,
    posts,
    restores_the_slots_after,
    says,
    sets,
    takes_the_victims_place,
    triggers,
    what_the_victim_brought,
)

CHANNEL, WRITER = Attacker.CHANNEL, Attacker.WRITER
SAID: dict[str, Any] = {
    "event": "user",
    "text": "qual meu saldo",
    "parse_data": {"intent": {"name": "ask_balance", "confidence": 1.0}, "entities": []},
}
VERIFIED = {"event": "action", "name": "action_ps7_verify"}
SESSION = ({"event": "action", "name": "action_session_start"}, {"event": "session_started"})
DUE = {"event": "followup", "name": "action_answer_balance"}
A_YEAR = 365 * 86400

FROM_OUTSIDE = (
    # Metadata, where there is a door.
    Attack("a bare contextId", CHANNEL, "guarded_bot", (says("oi", carries(contextId=ANA)),)),
    Attack(
        "a bare contextId, by a customer",
        CHANNEL,
        "guarded_bot",
        (arrives("bruno"), says("oi", carries(contextId=ANA))),
        truth="bruno",
    ),
    Attack(
        "the token of another conversation",
        CHANNEL,
        "guarded_bot",
        (says("oi", what_the_victim_brought),),
    ),
    Attack(
        "a token that is over", CHANNEL, "guarded_bot", (says("oi", forges(made=-61, seconds=60)),)
    ),
    Attack("a token for a year", CHANNEL, "guarded_bot", (says("oi", forges(seconds=A_YEAR)),)),
    Attack(
        "a token that nobody signed",
        CHANNEL,
        "guarded_bot",
        (says("oi", forges(key="", algorithm="none")),),
    ),
    Attack(
        "a token signed with another key",
        CHANNEL,
        "guarded_bot",
        (says("oi", forges(key="the attacker made this one, as long as ours")),),
    ),
    Attack(
        "metadata that look like Rasa's own",
        CHANNEL,
        "guarded_bot",
        (says("oi", carries(session_started_metadata={"contextId": ANA}, ps7_status="ok")),),
    ),
    Attack(
        "metadata of a session start",
        CHANNEL,
        "guarded_bot",
        (says("/session_start", carries(contextId=ANA)),),
    ),
    # Rasa's API.
    Attack("every slot", WRITER, "oss_bot", (posts(*sets(**CLAIMS)),)),
    Attack(
        "every slot, over those of a customer",
        WRITER,
        "oss_bot",
        (arrives("bruno"), posts({"event": "reset_slots"}, *sets(**CLAIMS))),
        truth="bruno",
    ),
    Attack(
        "every slot and the seal of another conversation",
        WRITER,
        "oss_bot",
        (copies(*CLAIMS, "ps7_context"),),
    ),
    Attack(
        "the seal of another conversation, over that of a customer",
        WRITER,
        "oss_bot",
        (arrives("bruno"), copies("ps7_context")),
        truth="bruno",
    ),
    Attack(
        "the seal of the customer before, over that of this one",
        WRITER,
        "oss_bot",
        (arrives("ana"), restores_the_slots_after(arrives("bruno"))),
        truth="bruno",
    ),
    Attack(
        "the seal of before the log out",
        WRITER,
        "oss_bot",
        (arrives("ana"), restores_the_slots_after(says("tchau"))),
    ),
    Attack("a restart event", WRITER, "oss_bot", (*LOG_OUT, posts({"event": "restart"}))),
    Attack("a session event", WRITER, "oss_bot", (*LOG_OUT, posts(*SESSION))),
    Attack("a rewind event", WRITER, "oss_bot", (*LOG_OUT, posts({"event": "rewind"}))),
    Attack(
        "metadata at hand that are a text",
        WRITER,
        "oss_bot",
        (posts(*sets(session_started_metadata=ANA)),),
    ),
    Attack(
        "metadata at hand, where there is no door",
        WRITER,
        "oss_bot",
        (posts(*sets(session_started_metadata={"contextId": ANA})),),
    ),
    Attack(
        "metadata at hand, where there is a door",
        WRITER,
        "guarded_bot",
        (posts(*sets(session_started_metadata={"contextId": ANA})),),
    ),
    Attack(
        "a message that was never sent, where there is a door",
        WRITER,
        "guarded_bot",
        (posts({**SAID, "metadata": {"contextId": ANA}}),),
    ),
    Attack(
        "events as if everything had been verified",
        WRITER,
        "oss_bot",
        (posts(*sets(**CLAIMS), SAID, VERIFIED), executes("action_answer_balance")),
    ),
    Attack("an answer that is due", WRITER, "oss_bot", (posts(*sets(**CLAIMS), DUE),)),
    Attack(
        "the answer without its rule",
        WRITER,
        "oss_bot",
        (posts(*sets(**CLAIMS)), executes("action_answer_balance")),
    ),
    Attack(
        "our actions without a rule",
        WRITER,
        "oss_bot",
        (
            posts(*sets(**CLAIMS)),
            *(executes(f"action_ps7_{name}") for name in ("context", "verify", "forget")),
            posts(*sets(**CLAIMS)),
        ),
    ),
    Attack(
        "an intent from the API, with entities",
        WRITER,
        "oss_bot",
        (triggers("ask_balance", **CLAIMS),),
    ),
)

OUT_OF_SCOPE = (
    Attack(
        "a contextId that was guessed or overheard, where there is no door",
        CHANNEL,
        "oss_bot",
        (says("oi", carries(contextId=ANA)),),
    ),
    Attack(
        "the victim's sender id, where there is no door",
        CHANNEL,
        "oss_bot",
        (takes_the_victims_place,),
    ),
    Attack(
        "the victim's sender id, after she came in by the door",
        CHANNEL,
        "guarded_bot",
        (takes_the_victims_place,),
    ),
    Attack(
        "the victim's sender id and a token that was made for it, while it is good",
        CHANNEL,
        "guarded_bot",
        (arrives("ana"),),
    ),
    Attack(
        "a message that was never sent, where there is no door",
        WRITER,
        "oss_bot",
        (posts({**SAID, "metadata": {"contextId": ANA}}),),
    ),
)
"""All of them succeed: what stops them stands in front of Rasa, and is the bank's."""
