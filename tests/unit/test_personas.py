"""The named customers and faults: what a demo, a bot's tests and this project's tests stand on."""

from __future__ import annotations

import json
import re

import pytest
from stdnum.br import cpf

from actions.ps7.context import Outcome
from actions.ps7.errors import RETRIED_REASONS, RETRIED_STATUSES, Reason
from actions.ps7.testing import FAULTS, PERSONAS, Fault, Persona

ANSWER_CAP = 64 * 1024
SLOTS = {
    "ps7_status",
    "cpf",
    "cpf_masked",
    "agency",
    "account",
    "segment",
    "ivr_option",
    "phone_number",
    "id_document",
    "identification",
    "security_device",
    "token_status",
    "ps7_key",
    "ps7_decoded_context_id",
}
DOCUMENTED_ANSWER = """
{"expireIn": "2021-03-21", "key": "12311", "decodedContextId": "2",
 "payload": {"u_cpf": "CPF", "u_cc": "13156463165468461654", "u_ag": "Agency", "u_seg": "segment",
  "u_dest": "IVR-30hours chosen option", "u_numA": "Customer PhoneNumber", "u_dseg": "Token",
  "u_dsok": "S", "u_ion": "", "u_display": "", "u_ura": "", "u_fmt": "", "u_codop": "", "u_tag": "",
  "u_tpid": "S",
  "contexto": {"u_cpf": "CPF", "u_cssc": "13156463165468461654", "u_ag": "Agency",
   "u_seg": "segment", "u_dest": "IVR-30hours chosen option", "u_numA": "Customer PhoneNumber",
   "u_dseg": "Token", "u_dsok": "S", "u_ion": "", "u_display": "", "u_ura": "", "u_fmt": "",
   "u_codop": "", "u_tag": "", "u_tpid": "S"}}}
"""

each_persona = pytest.mark.parametrize("persona", PERSONAS.values(), ids=PERSONAS)
each_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)


def test_names_and_context_ids_are_easily_typed_and_lead_to_one_answer_each() -> None:
    """No contextId stands for two things, and every keyboard has the keys for it."""
    everyone: list[Persona | Fault] = [*PERSONAS.values(), *FAULTS.values()]
    typed = [one.context_id for one in everyone]
    assert len(set(typed)) == len(typed)
    assert len({one.name for one in everyone}) == len(everyone)
    for text in [*typed, *(one.name for one in everyone)]:
        assert re.fullmatch(r"[a-z0-9-]{3,16}", text), text


def test_the_table_is_keyed_by_name() -> None:
    """`PERSONAS["ana"]` is Ana and `FAULTS["slow"]` is slow."""
    assert all(name == persona.name for name, persona in PERSONAS.items())
    assert all(name == fault.name for name, fault in FAULTS.items())


def test_the_documented_example_is_word_for_word() -> None:
    """The interface's own example answers its own contextId."""
    example = PERSONAS["exemplo"]
    assert example.context_id == "123123213"
    assert example.answer == json.loads(DOCUMENTED_ANSWER)
    assert example.slots == {
        "ps7_status": "ok",
        "cpf": "CPF",
        "cpf_masked": None,
        "agency": "Agency",
        "account": "13156463165468461654",
        "segment": "segment",
        "ivr_option": "IVR-30hours chosen option",
        "phone_number": "Customer PhoneNumber",
        "id_document": "S",
        "identification": None,
        "security_device": "token",
        "token_status": "valid",
        "ps7_key": "12311",
        "ps7_decoded_context_id": "2",
    }


@each_persona
def test_a_persona_says_what_every_slot_must_hold(persona: Persona) -> None:
    """Nulls stand there too: a bot's test can compare the whole of it."""
    assert persona.slots.keys() == SLOTS
    assert persona.slots["ps7_status"] == Outcome.OK
    assert all(value is None or isinstance(value, str) for value in persona.slots.values())


def test_the_customers_differ_in_everything_a_dialogue_branches_on() -> None:
    """Each documented value, its absence, and the bank's segments occur."""

    def seen(slot: str) -> set[str | None]:
        return {persona.slots[slot] for persona in PERSONAS.values()}

    assert seen("identification") == {"authenticated", "identified", "not_identified", None}
    assert seen("security_device") == {"token", "csi", "none", None}
    assert seen("token_status") == {"valid", "invalid", "absent", None}
    assert seen("segment") == {
        *("Varejo", "Uniclass", "Personnalité", "Private", "Empresas"),
        "segment",
    }


def test_the_customers_differ_in_the_form_of_their_answer() -> None:
    """What the interface and its neighbours are known to send, each at one customer."""
    assert PERSONAS["ana"].payload["u_cpf"] == PERSONAS["ana"].slots["cpf"]
    assert PERSONAS["fabio"].payload.keys() == {"contexto"}
    assert PERSONAS["gisele"].payload["u_cpf"] == "000" + str(PERSONAS["gisele"].slots["cpf"])
    assert "payload" not in PERSONAS["heitor"].answer
    assert PERSONAS["heitor"].payload is PERSONAS["heitor"].answer["data"]
    assert isinstance(PERSONAS["iara"].payload["u_cc"], int)
    assert PERSONAS["iara"].answer["expireIn"] == 2


@pytest.mark.parametrize("name", [name for name in PERSONAS if name != "exemplo"])
def test_a_made_up_cpf_has_valid_check_digits(name: str) -> None:
    """So the customers stay themselves under `PS7_STRICT_CPF` too, and the mask fits the number."""
    slots = PERSONAS[name].slots
    number = str(slots["cpf"])
    assert len(number) == 11
    assert cpf.is_valid(number)
    assert slots["cpf_masked"] == f"***.{number[3:6]}.{number[6:9]}-**"


def test_no_two_customers_share_a_value_that_tells_them_apart() -> None:
    """A value of one customer at another one is a leak, and must be seen as one."""
    for slot in ("cpf", "account", "ps7_key", "ps7_decoded_context_id"):
        values = [persona.slots[slot] for persona in PERSONAS.values()]
        assert len(set(values)) == len(values), slot


@each_fault
def test_a_fault_says_what_it_leads_to(fault: Fault) -> None:
    """Outcome and reason are of the closed lists, and never one that needs no PS7."""
    assert Outcome(fault.outcome) in {
        Outcome.OK,
        Outcome.INVALID,
        Outcome.REJECTED,
        Outcome.DENIED,
        Outcome.UNAVAILABLE,
    }
    assert (Reason(fault.reason) is Reason.OK) == (fault.outcome == Outcome.OK)
    assert fault.title
    assert fault.context_id == fault.name


@each_fault
def test_only_what_may_pass_is_retried(fault: Fault) -> None:
    """By the contract's list; one that asks for more time than there is, is not."""
    passing = fault.reason in RETRIED_REASONS or fault.status in RETRIED_STATUSES
    assert fault.retried == (passing and fault.name != "http-429-far")


def test_what_is_answered_first_are_faults() -> None:
    """A fault that passes begins with others, and all of them may pass."""
    assert FAULTS["flapping"].after
    assert all(FAULTS[name].retried for fault in FAULTS.values() for name in fault.after)


@pytest.mark.parametrize(
    "name",
    [
        *("too-large", "huge-header", "slow", "slow-body", "drip", "endless", "gzip-bomb"),
        *("reset", "closed", "reset-body", "closed-body", "short-length", "bad-length"),
        *("http-301", "http-302", "http-307", "http-308", "cookie", "late", "flapping"),
    ],
)
def test_faults_of_a_good_answer_fail_by_their_fault_alone(name: str) -> None:
    """A client without a size cap, a deadline and so on would take these for a customer."""
    body = FAULTS[name].body
    assert isinstance(body, dict)
    assert body["code"] == "0"
    assert cpf.is_valid(body["payload"]["u_cpf"])


def test_what_is_too_large_is_larger_than_an_answer_may_be() -> None:
    """A body beyond the cap, and a header beyond what any client reads."""
    assert len(json.dumps(FAULTS["too-large"].body)) > ANSWER_CAP
    assert len(FAULTS["huge-header"].headers["X-Padding"]) == 100 * 1024


def test_a_forged_message_would_be_a_line_of_a_log() -> None:
    """It breaks lines in every way there is, and talks to terminals."""
    body = FAULTS["forged-message"].body
    assert isinstance(body, dict)
    assert len(body["message"].splitlines()) > 3
    assert "\x1b[" in body["message"]
    assert "outcome=ok" in body["message"]


def test_their_repr_shows_no_customer() -> None:
    """A failing assertion prints names and titles, and no CPF."""
    assert "52998224725" not in repr(PERSONAS["ana"])
    assert "ana" in repr(PERSONAS["ana"])
    assert "22233366638" not in repr(FAULTS["slow"])
