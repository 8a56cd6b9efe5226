"""What may be shown of a customer without `--show`."""

from __future__ import annotations

import pytest

from actions.ps7.cli.masking import masked


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
