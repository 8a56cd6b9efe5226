"""What may be shown of a customer without `--show`."""

from __future__ import annotations

import pytest

from actions.ps7.cli.masking import masked, masked_field


@pytest.mark.parametrize(
    ("slot", "value", "shown"),
    [
        ("ps7_status", "ok", "ok"),
        ("ps7_context", "gAAAA", "(sealed)"),
        ("ps7_context", None, None),
        ("cpf", "52998224725", "***.982.247-**"),
        ("cpf", "CPF", "***"),
        ("cpf", "529982247251", "**********51"),
        ("account", "00123456", "******56"),
        ("agency", "0341", "****"),
        ("account", None, None),
        ("ps7_key", "key-ana", "*******"),
        ("ps7_decoded_context_id", "123123213", "*********"),
        ("u_display", "Ana Maria", "*******ia"),
        ("token_status", "valid", "valid"),
        ("segment", "Private", "Private"),
        ("balance", "100,00", "****00"),
        (
            "ps7_payload",
            {"u_seg": "Private", "u_id": "AUT", "contexto": {"u_cssc": "00004309", "u_id": "7"}},
            {"u_seg": "Private", "u_id": "AUT", "contexto": {"u_cssc": "******09", "u_id": "*"}},
        ),
    ],
)
def test_a_slot_is_shown_as_far_as_it_tells_no_customer(
    slot: str, value: object, shown: object
) -> None:
    """Enumerations as they are, a CPF's middle, the end of what is long, and of keys nothing."""
    assert masked(slot, value) == shown


@pytest.mark.parametrize(
    ("slot", "value", "shown"),
    [
        # A form, an entity or an attacker wrote it.
        ("ps7_status", "529.982.247-25", "************25"),
        ("identification", "52998224725", "*********25"),
        ("token_status", "conta 12345-6", "conta *****-6"),
        ("cpf_masked", "***.982.247-**", "***.982.247-**"),
        ("cpf_masked", "52998224725", "*********25"),
        ("segment", "Ana 52998224725, 0341", "Ana *********25, 0341"),
        ("ivr_option", "7", "7"),
        ("ps7_expires_at", "2026-11-29T12:00:00+00:00", "2026-11-29T12:00:00+00:00"),
        ("ps7_expires_at", "529982247-25", "**********25"),
        # A contextId that arrived
        ("segment", "ctx-abcdef", "**********"),
        ("segment", "of ctx-abcdef.", "**************"),
        ("segment", "ana", "***"),
        ("segment", "Banana", "Banana"),
        ("account", "ctx-abcdef", "**********"),
        ("ps7_status", "ok", "ok"),
    ],
)
def test_a_value_is_masked_in_whichever_slot_it_is(slot: str, value: str, shown: str) -> None:
    """What looks like a CPF or an account, and a contextId that is known."""
    assert masked(slot, value, {"ctx-abcdef", "ana", "ok"}) == shown


ANSWER = {
    "code": 0,
    "message": "Ana Maria",
    "key": "key-1",
    "expireIn": "2026-11-29 12:00:00",
    "payload": {
        "u_cpf": "52998224725",
        "u_seg": "Private 12345",
        "u_dsok": "S",
        "u_id": "52998224725",
        "clientId": "AB-12",
        "12345678901": [{"x": 1.5, "y": None, "z": True}],
    },
}
SHOWN = {
    "code": "0",
    "message": "aaa aaaaa",
    "key": "*****",
    "expireIn": "2026-11-29 12:00:00",
    "payload": {
        "u_cpf": "*********25",
        "u_seg": "Private *****",
        "u_dsok": "S",
        "u_id": "*********25",
        "clientId": "aa-99",
        "(99999999999)": [{"x": "9.9", "y": None, "z": True}],
    },
}


def test_an_answer_is_shown_so_that_it_can_be_sent_to_anybody() -> None:
    """Documented fields as slots are; others by their shape, and so a name that could be data."""
    assert masked_field(ANSWER) == SHOWN
    odd = {"code": "5299822472", "expireIn": "52998224725", "message": "x" * 70}
    shapes = {"code": "9" * 10, "expireIn": "9" * 11, "message": f"{'a' * 60}… (70)"}
    assert masked_field(odd) == shapes
