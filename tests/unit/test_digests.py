"""Keyed digests: the same everywhere for the same text, and of no use without the key."""

from __future__ import annotations

from uuid import RFC_4122, UUID

import pytest

from actions.ps7.digests import KeyedDigest


@pytest.mark.parametrize(
    ("text", "short", "uuid"),
    [
        ("123123213", "57e18ae22e42", "57e18ae2-2e42-84e8-a343-c3f8516584a5"),
        ("", "aba8fbb63aa8", "aba8fbb6-3aa8-8620-bef7-0746fab403d7"),
        ("a\udfff", "d1e61cc1f370", "d1e61cc1-f370-87ba-b6a9-d79f7e17e76c"),
    ],
    ids=["digits", "none", "half a character"],
)
def test_a_digest_is_the_same_in_every_release_and_a_uuid_of_the_free_kind(
    text: str, short: str, uuid: str
) -> None:
    """A correlation id lives as long as a conversation, which may outlast an upgrade.

    Version 8 and the usual variant (RFC 9562): it is random only to those without the key.
    """
    digest = KeyedDigest("a key", "a purpose")
    assert "a key" not in str(vars(digest)), "a debugger does not show it"
    assert (digest.short(text), digest.uuid(text)) == (short, uuid)
    assert (UUID(uuid).version, UUID(uuid).variant) == (8, RFC_4122)
    for key, purpose in (("another", "a purpose"), ("a key", "another"), ("a key ", "a purpose")):
        other = KeyedDigest(key, purpose)
        assert other.short(text) != short
        assert other.uuid(text) != uuid
