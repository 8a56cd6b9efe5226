"""Keyed digests: the same everywhere for the same text, and of no use without the key."""

from __future__ import annotations

import re
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actions.ps7.telemetry import KeyedDigest

DIGEST = KeyedDigest("a key", "a purpose")
texts = st.text() | st.sampled_from(["\ud800", "a\udfff"])


@given(texts)
def test_a_digest_is_twelve_hexadecimal_digits_or_a_uuid_of_the_free_kind(text: str) -> None:
    """Of any text, half a character included, and always the same.

    Version 8 and the usual variant (RFC 9562): it is random only to those without the key.
    """
    again = KeyedDigest("a key", "a purpose")
    assert re.fullmatch("[0-9a-f]{12}", DIGEST.short(text))
    value = UUID(DIGEST.uuid(text))
    assert (value.version, value.variant) == (8, RFC_4122)
    assert (DIGEST.short(text), str(value)) == (again.short(text), again.uuid(text))


@pytest.mark.parametrize(
    ("key", "purpose"),
    [("another key", "a purpose"), ("a key", "another purpose"), ("a key ", "a purpose")],
)
def test_another_key_or_purpose_gives_another_digest(key: str, purpose: str) -> None:
    """Two of them do not show that they are of one text."""
    other = KeyedDigest(key, purpose)
    assert other.short("5511900000001") != DIGEST.short("5511900000001")
    assert other.uuid("5511900000001") != DIGEST.uuid("5511900000001")


def test_digests_do_not_change_with_a_release() -> None:
    """A correlation id holds for a conversation, which may outlast an upgrade."""
    assert DIGEST.short("123123213") == "57e18ae22e42"
    assert DIGEST.uuid("123123213") == "57e18ae2-2e42-84e8-a343-c3f8516584a5"


def test_a_digest_does_not_show_its_key() -> None:
    """Not even in a debugger's list of local variables."""
    assert "a key" not in str(vars(DIGEST))
