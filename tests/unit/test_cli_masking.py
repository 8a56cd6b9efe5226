"""What may be shown of a customer without `--show`."""

from __future__ import annotations

import pytest

from actions.ps7.cli.masking import masked, masked_field

PAYLOAD = {"u_seg": "Private", "u_id": "AUT", "contexto": {"u_cssc": "00004309", "u_id": "7"}}
NOON = "2026-11-29T12:00:00+00:00"
EXPIRIES = (
    "1234567890",
    "2026-11-29 12:00:00",
    "2026-11-29T12:00Z",
    "2026-11-29T12:00:00.123456-0300",
)


@pytest.mark.parametrize(
    ("slot", "value", "shown"),
    [
        ("ps7_status", "ok", "ok"),
        ("ps7_context", "gAAAA", "(sealed)"),
        ("ps7_context", None, None),
        ("cpf", "52998224725", "***.982.247-**"),
        ("cpf", "529982247251", "**********51"),
        ("cpf", "CPF", "***"),
        ("account", "00123456", "******56"),
        ("agency", "03411", "*****"),
        ("agency", "034112", "****12"),
        *(("segment", "12345", "*****"), ("segment", "1/2/3/4/5", "*******/5")),
        *(("segment", f"1{each}2345", f"{'*' * (len(each) + 3)}45") for each in (".", "-", " -")),
        ("segment", "1 - 2345", "1 - 2345"),
        ("ps7_key", "key-ana", "*******"),
        ("segment", "Private", "Private"),
        ("balance", "100,00", "****00"),
        ("ps7_payload", PAYLOAD, {**PAYLOAD, "contexto": {"u_cssc": "******09", "u_id": "*"}}),
        # A form, an entity or an attacker wrote it.
        ("ps7_status", "529.982.247-25", "************25"),
        ("token_status", "conta 12345-6", "conta *****-6"),
        ("segment", "Ana 52998224725, 0341", "Ana *********25, 0341"),
        ("cpf_masked", "***.982.247-**", "***.982.247-**"),
        ("cpf_masked", "52998224725", "*********25"),
        ("ps7_expires_at", NOON, NOON),
        ("ps7_expires_at", "529982247-25", "**********25"),
        # A contextId that arrived
        ("account", "ctx-ab", "******"),
        ("segment", "of ctx-ab.", "**********"),
        ("segment", "maria", "*****"),
        ("segment", "Santamaria", "Santamaria"),
    ],
)
def test_a_slot_is_shown_as_far_as_it_tells_no_customer(
    slot: str, value: object, shown: object
) -> None:
    """Enumerations as they are, a CPF's middle, the end of what is long, and of keys nothing.

    A CPF, an account or a contextId that is known is masked in whichever slot it is.
    """
    assert masked(slot, value, {"ctx-ab", "maria", "ok"}) == shown


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("code", 0, "0"),
        *(("code", shown, shown) for shown in ("1234", "-1", "A" * 20)),
        *(("code", "12345", "99999"), ("code", "A" * 21, "a" * 21)),
        ("code", "5299822472", "9999999999"),
        ("message", "x" * 60, "a" * 60),
        ("message", "Ana Maçã €5", "aaa aaaa ?9"),
        ("message", "x" * 61, f"{'a' * 60}… (61)"),
        *((name, "key-1", "*****") for name in ("key", "decodedContextId")),
        *((name, "1234567", "*****67") for name in ("u_ion", "data")),
        *(("expireIn", each, each) for each in EXPIRIES),
        ("expireIn", "52998224725", "99999999999"),
        ("u_cpf", "52998224725", "*********25"),
        ("u_seg", "Private 12345", "Private *****"),
        ("u_dsok", " S ", " S "),
        ("u_id", "52998224725", "*********25"),
        ("clientId", "AB-12", "aa-99"),
        *(("payload", {name: None}, {name: None}) for name in ("a" * 40, "u_1234")),
        ("payload", {"a" * 41: None, "u_12345": None}, {f"({'a' * 41})": None, "(a_99999)": None}),
        ("payload", {"12345678901": [1.5, None, True]}, {"(99999999999)": ["9.9", None, True]}),
    ],
)
def test_an_answer_is_shown_so_that_it_can_be_sent_to_anybody(
    field: str, value: object, shown: object
) -> None:
    """Documented fields as slots are; others by their shape, and so a name that could be data."""
    assert masked_field({field: value}) == {field: shown}
