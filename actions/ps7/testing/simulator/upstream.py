"""PS7 itself, behind the gateway: which contextId leads to which answer. Pure."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from ..faults import FAULTS
from ..personas import PERSONAS
from .reply import Reply, make_reply

if TYPE_CHECKING:
    from collections.abc import Mapping


def known_answers() -> dict[str, Reply]:
    """Give the answers of every persona and every fault by contextId."""
    customers = {who.context_id: make_reply(200, who.answer) for who in PERSONAS.values()}
    faults = {
        fault.context_id: make_reply(fault.status, fault.body, fault.headers, fault.delivery)
        for fault in FAULTS.values()
    }
    return customers | faults


def answer(upstream_id: str, answers: Mapping[str, Reply]) -> Reply:
    """Answer for a contextId as it came from the gateway: plain, or its Base64 form.

    One that nobody knows is answered as not found.
    """
    plain = upstream_id if upstream_id in answers else _decoded(upstream_id)
    return answers.get(plain, answers["not-found"])


def _decoded(text: str) -> str:
    """Give the text behind a Base64 form, an empty one where it is none."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return ""
