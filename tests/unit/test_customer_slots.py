"""The projection: what each slot should hold, under which name, and only what differs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from actions.ps7 import CustomerContext
from actions.ps7.conversation.state import filled_otherwise
from actions.ps7.customer import (
    _WIRE,
    CUSTOMER_SLOTS,
    PERSON_SLOTS,
    SlotNames,
    differing,
    project,
    same_customer,
    sealed_payload,
)
from tests.support.customer import CUSTOMER


def named(*slots: str, **renames: str) -> dict[str, str]:
    return SlotNames(renames).among(slots)


def test_a_row_without_an_attribute_shows_its_field(monkeypatch: pytest.MonkeyPatch) -> None:
    """So a new slot is one row."""
    monkeypatch.setitem(_WIRE, "display_name", "u_ion")
    assert project({"nome": "display_name"}, CUSTOMER) == {"nome": "7"}


def test_without_a_customer_every_slot_is_null() -> None:
    """No value of a customer stays."""
    ours = named(*CUSTOMER_SLOTS, "u_ion", "ps7_status", "ps7_context")
    assert project(ours, None) == dict.fromkeys([*CUSTOMER_SLOTS, "u_ion"])


@pytest.mark.parametrize(
    ("declared", "renames", "written"),
    [
        # the domain is the configuration, and the bot's own slots are its own
        (["segment", "balance", "ps7", "cpf2", "u_é"], {}, {"segment": "Personnalité"}),
        # fields of the wire: as sent but for blanks around; of `contexto` where the top has none
        (["u_cpf", "u_ion"], {}, {"u_cpf": "529.982.247-25", "u_ion": "7"}),
        (["u_tag", "u_missing"], {}, {"u_tag": "T", "u_missing": None}),
        # a default name that was renamed is the bot's own again, or another slot's new name
        (["agency", "agencia"], {"agency": "agencia"}, {"agencia": "0001"}),
        (["u_cc", "conta"], {"u_cc": "conta"}, {"conta": None}),
        (
            ["agency", "account"],
            {"agency": "account", "account": "agency"},
            {"account": "0001", "agency": "0012345-6"},
        ),
        (["u_cpf"], {"cpf": "u_cpf"}, {"u_cpf": "52998224725"}),
        # a field that PS7 renamed fills its slot again
        (["segment"], {"segment": "segment_before", "u_ion": "segment"}, {"segment": "7"}),
    ],
)
def test_declared_slots_of_ours_are_written_under_the_bots_names(
    declared: list[str], renames: dict[str, str], written: dict[str, Any]
) -> None:
    """And no others."""
    assert project(named(*declared, **renames), CUSTOMER) == written
    assert {SlotNames(renames).of(name) for name in renames} == set(renames.values())


@pytest.mark.parametrize(
    "renames", [{"cpf": "account"}, {"cpf": "x", "account": "x"}, {"balance": "y"}, {"u-cpf": "x"}]
)
def test_renames_that_collide_are_refused(renames: dict[str, str]) -> None:
    """Two slots under one name, or a slot that is not ours."""
    with pytest.raises(ValueError, match=r"^$"):
        SlotNames(renames)


@pytest.mark.parametrize(
    ("present", "wanted", "changes"),
    [
        ({"a": "1"}, {"a": "2"}, {"a": "2"}),
        ({"a": "1"}, {"a": None}, {"a": None}),
        ({"a": 1}, {"a": "1"}, {"a": "1"}),
        ({"a": 1}, {"a": True}, {"a": True}),
        ({"a": False}, {"a": 0}, {"a": 0}),
        ({"a": {"n": 1.0}}, {"a": {"n": 1}}, {}),
        ({"a": ""}, {"a": None}, {"a": None}),
    ],
)
def test_only_what_differs_is_written(
    present: dict[str, Any], wanted: dict[str, Any], changes: dict[str, Any]
) -> None:
    """Compared as JSON: a number is not its text, but 1.0 is 1, as it comes back over gRPC."""
    assert differing(wanted, present) == changes


@pytest.mark.parametrize("junk", [None, 5, ["from_text"], [None], {}, {"from_text": 1}])
def test_a_domain_that_cannot_be_read_fills_nothing(junk: object) -> None:
    """Whatever stands where a domain, its slots, a slot, its mappings or a type should."""
    for domain in (
        junk,
        {"slots": junk},
        {"slots": {"cpf": junk}},
        {"slots": {"cpf": {"mappings": junk}}},
        {"slots": {"cpf": {"mappings": [junk, {"type": junk}, {}]}}},
    ):
        assert filled_otherwise(domain, ["cpf"]) == {}


def test_of_a_domain_only_the_slots_asked_about_count() -> None:
    """With the first mapping that is not one of actions."""
    mapped = {"mappings": [{"type": "custom"}, {"type": "from_entity"}, {"type": "from_text"}]}
    domain = {"slots": {"cpf": mapped, "other": mapped, "agency": {"mappings": []}}}
    assert filled_otherwise(domain, ["cpf", "agency", "account"]) == {"cpf": "from_entity"}


UNKNOWN = CustomerContext(expires_at=CUSTOMER.expires_at)
LATER = {"expires_at": CUSTOMER.expires_at + timedelta(seconds=1)}


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"segment": "Varejo", "payload": {}, "key": "2", "token_status": None}, True),
        *(({slot: value}, False) for slot in PERSON_SLOTS for value in ("x", None)),
    ],
)
def test_the_same_customer_is_the_same_in_all_that_tells_a_person(
    change: dict[str, object], *, same: bool
) -> None:
    """Two persons of one company have its CNPJ and account in common, not document and phone."""
    other = CUSTOMER.model_copy(update={**LATER, **change})
    assert same_customer(CUSTOMER, other) is same_customer(other, CUSTOMER) is same


def test_a_customer_without_a_cpf_is_the_same_until_the_next_lookup() -> None:
    """And no customer is the same as none."""
    for customer in (CUSTOMER.model_copy(update={"cpf": None}), UNKNOWN):
        assert same_customer(customer, customer)
        assert not same_customer(customer, customer.model_copy(update=LATER))
    assert not same_customer(UNKNOWN, None)
    assert not same_customer(None, None)


def test_a_seal_keeps_the_payload_that_the_bot_declares() -> None:
    """What the bot declares: the documented fields, declared ones, or all for `ps7_payload`."""
    payload = {"u_seg": "P", "u_numA": 11.5, "u_cpf": " ", "u_id": {"a": "secret"}, "u_ion": "7"}
    payload |= {"": "Ana", "contexto": {"u_cssc": "9", "u_tag": "T", "u_ag": 1, "contexto": "x"}}
    payload["u_dseg"] = ["secret"]
    kept = {"u_seg": "P", "u_numA": 11.5, "u_cpf": " ", "contexto": {"u_ag": 1}}
    assert sealed_payload(payload, named("cpf", "u_seg")) == kept
    assert sealed_payload(payload, named("u_ion", "extra", u_tag="extra")) == {
        **kept,
        "u_ion": "7",
        "contexto": {"u_ag": 1, "u_tag": "T"},
    }
    assert sealed_payload(payload, named("ps7_payload")) == payload
