"""`make secrets` takes a password for made up if all of it is."""

from __future__ import annotations

import pytest

from scripts.made_up_secrets import is_made_up


@pytest.mark.parametrize(
    ("found", "made_up"),
    [
        ("lower-case words", True),
        ("planted-Pa55word", True),
        ("lower-case-and-Q7", False),
        ("a-key-9", False),
        ("ps7 and more 1", False),
    ],
)
def test_all_of_a_made_up_password_is_words_or_says_so(found: str, made_up: bool) -> None:
    """One that begins with a small letter may be anybody's."""
    assert is_made_up(found) is made_up
