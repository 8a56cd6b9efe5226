"""`PS7_SEAL_PAYLOAD`: what the seal and the slots hold of PS7's payload."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from actions.ps7 import Outcome
from actions.ps7.api.customer import read_customer
from actions.ps7.dialogue.runtime import Runtime
from actions.ps7.dialogue.turn import Turn
from actions.ps7.slots import CUSTOMER_SLOTS, project, reduced
from actions.ps7.testing import PERSONAS
from tests.support.talk import HOUR, NOW, SEAL_KEY, Snapshot, runtime

KEPT = {"u_seg": "Private", "u_numA": 11.5, "contexto": {"u_cssc": "9", "u_ag": 1}}
PAYLOAD = KEPT | {"u_cpf": " ", "u_id": {"a": "secret"}, "u_ion": "7", "": "Ana"}
PAYLOAD["contexto"] = {"u_cssc": "9", "u_tag": "T", "u_ag": 1, "contexto": "text"}
DECLARED = (*CUSTOMER_SLOTS, "ps7_status", "ps7_context", "u_seg", "u_ion", "u_tag", "tudo")


def looked_up(shared: Runtime) -> Snapshot:
    """Look a customer up; return the tracker after it."""
    message = {"event": "user", "metadata": {"contextId": "ana"}, "timestamp": 1}
    tracker = Snapshot("sender-1", dict.fromkeys(DECLARED), {}, [message])
    turn = Turn(tracker, shared, NOW)
    assert turn.situation.found is not None
    customer = read_customer(PAYLOAD, {}, expires_at=NOW + HOUR, strict_cpf=False).customer
    changes = turn.looked_up(turn.situation.found, Outcome.OK, customer)
    return replace(tracker, slots=tracker.slots | changes)


@pytest.mark.parametrize("setting", ["all", "slots"])
def test_how_much_of_the_payload_is_kept(setting: str, caplog: pytest.LogCaptureFixture) -> None:
    """In the seal and in the slots; each declared slot that stays empty is named once."""
    shared = runtime(seal_payload=setting)
    whole = setting == "all"
    for _ in range(2):
        slots = looked_up(shared).slots
        seal = shared.sealer.open(slots["ps7_context"], "sender-1")
        assert seal is not None
        assert seal.customer is not None
        assert seal.customer.payload == (PAYLOAD if whole else KEPT)
        assert slots["ps7_payload"] == (PAYLOAD if whole else None)
        shown = [slots[name] for name in ("u_seg", "account", "u_ion", "u_tag")]
        assert shown == ["Private", "9", *(["7", "T"] if whole else [None, None])]
    empty = [] if whole else ["ps7_payload", "u_ion", "u_tag"]
    assert [record.getMessage() for record in caplog.records] == [
        f"PS7_SEAL_PAYLOAD leaves the slot {name} empty" for name in empty
    ]


def test_a_whole_payload_that_was_sealed_before_is_shown_no_more() -> None:
    """A slot that is left empty is nulled, also under its other name."""
    names = {"slot_names": {"ps7_payload": "tudo"}, "seal_keys": [SEAL_KEY]}
    tracker = looked_up(runtime(**names))
    assert tracker.slots["tudo"] == PAYLOAD
    turn = Turn(tracker, runtime(**names, seal_payload="slots"), NOW)
    assert turn.verify() == dict.fromkeys(("tudo", "u_ion", "u_tag"))


@pytest.mark.parametrize("name", PERSONAS)
def test_every_documented_slot_has_what_it_needs(name: str) -> None:
    """Whether the seal holds the whole payload or not, fields of the wire included."""
    payload: dict[str, Any] = PERSONAS[name].payload
    whole = read_customer(payload, {}, expires_at=NOW, strict_cpf=False).customer
    less = whole.model_copy(update={"payload": reduced(payload)})
    wires = [slot.wire for slot in CUSTOMER_SLOTS.values() if slot.wire]
    names = {name: name for name in (*CUSTOMER_SLOTS, *wires) if name != "ps7_payload"}
    assert project(names, less) == project(names, whole)
