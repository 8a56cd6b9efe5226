"""Every link of every Markdown file leads somewhere."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.documents import Link, document, names
from tests.support.processes import ROOT


def fault(link: Link) -> str | None:
    """Say why a link leads nowhere; None where it does, or leaves this project."""
    parts = urlsplit(link.target)
    if parts.scheme in {"https", "mailto"}:
        return None
    where = f"{link.document}:{link.line}: {link.target}"
    folder = posixpath.dirname(link.document)
    name = posixpath.normpath(posixpath.join(folder, unquote(parts.path)))
    name = name if parts.path else link.document
    if parts.scheme or name.startswith("../") or not (ROOT / name).exists():
        return where
    if parts.fragment and parts.fragment not in document(name).anchors:
        return f"{where} (no such heading)"
    return None


@pytest.mark.parametrize("name", names())
def test_every_link_leads_somewhere(name: str) -> None:
    """To a file or folder of this project and to a heading in it; or, openly, out into the net."""
    assert [why for why in map(fault, document(name).links) if why] == []


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("docs/security.md", None),
        ("docs/security.md#the-seal", None),
        ("#see-it", None),
        ("https://semver.org/", None),
        ("docs/nowhere.md", "README.md:1: docs/nowhere.md"),
        ("docs/security.md#nowhere", "README.md:1: docs/security.md#nowhere (no such heading)"),
        ("../outside.md", "README.md:1: ../outside.md"),
        ("http://semver.org/", "README.md:1: http://semver.org/"),
    ],
)
def test_a_link_that_leads_nowhere_is_found(target: str, expected: str | None) -> None:
    """The check itself: files, headings, and what leaves the project."""
    assert fault(Link("README.md", 1, target)) == expected
