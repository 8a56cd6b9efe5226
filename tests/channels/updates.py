"""What Meta posts, as its documents (Cloud API, webhooks) and the tests of pywa 4.5 have it.

The shapes are theirs; names, numbers and texts are made up.
"""

from __future__ import annotations

from typing import Any

PHONE, USER, NUMBER_ID = "5511912345678", "BR.13491208655302741918", "15550001"
WRITER = {"from": PHONE, "from_user_id": USER}
CONTACT = {
    "profile": {"name": "Ana", "username": "ana"},
    "wa_id": PHONE,
    "user_id": USER,
    "parent_user_id": "BR.ENT.11815799212886844830",
}
REPLIED = {"from": "551130000000", "id": "wamid.question"}
MEDIA = {"mime_type": "audio/ogg; codecs=opus", "sha256": "m04p", "id": "1234567890"}


def pressed(kind: str, **reply: object) -> dict[str, Any]:
    content = {"type": kind, kind: reply}
    return {"type": "interactive", "context": REPLIED, "interactive": content}


def text(body: str, **more: object) -> dict[str, Any]:
    return {"type": "text", "text": {"body": body}, **more}


VOICE_NOTE = {"type": "audio", "audio": {**MEDIA, "voice": True}}
ERRORS = [{"code": 131051, "title": "Message type unknown", "message": "Message type unknown"}]
CODE = "ps7-Zm9yIGEgY29kZSBv-"

SAID: dict[str, tuple[dict[str, Any], str | None]] = {
    "a text": (text("/Oi "), "/Oi "),
    "a code and a text": (text(f"Oi {CODE}"), "Oi "),
    "codes and a text": (text(f"{CODE} Oi ps7-{'x' * 16}"), " Oi "),
    "a code alone": (text(CODE), ""),
    "a button": (pressed("button_reply", id="/affirm", title="Sim"), "Sim"),
    "a row of a list": (pressed("list_reply", id="/deny", title="Não", description="x"), "Não"),
    "a button of a template": (
        {"type": "button", "button": {"payload": "/p", "text": "t"}},
        "t",
    ),
    "a picture with a caption": ({"type": "image", "image": {**MEDIA, "caption": "oi"}}, "oi"),
    "a picture": (
        {"type": "image", "image": {**MEDIA, "url": "https://lookaside.example/1"}},
        None,
    ),
    "a voice note": (VOICE_NOTE, None),
    "a flow": (pressed("nfm_reply", name="flow", body="Sent", response_json="{}"), None),
    "what Meta cannot show": ({"type": "unsupported", "errors": ERRORS}, None),
    "an interactive one without its content": ({"type": "interactive", "interactive": None}, None),
}
"""What a customer says, and which text it is; None: the bot chooses an answer."""
PRESSED = {"a button": "/affirm", "a row of a list": "/deny", "a button of a template": "/p"}
"""The id that a client says beside it."""

NOTHING_SAID: dict[str, dict[str, Any]] = {
    "a reaction": {"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": "👍"}},
    "leave to call": pressed("call_permission_reply", response="accept"),
    "an edit": {"type": "edit", "edit": {"original_message_id": "wamid.1", "message": text("Oi")}},
    "a deletion": {"type": "revoke", "revoke": {"original_message_id": "wamid.1"}},
    "another identity": {"type": "system", "system": {"type": "customer_identity_changed"}},
    "news of another kind": {"type": "system", "system": {"body": "…", "type": "?"}},
    "a text in a group": text("Oi", group_id="120363"),
}
"""What wants no answer."""

MOVED: dict[str, tuple[dict[str, Any], str]] = {
    "a number": ({"type": "user_changed_number", "wa_id": "5511900000000"}, "5511900000000"),
    "a number, as before 2024": (
        {"type": "customer_changed_number", "new_wa_id": "5511900000000", "customer": PHONE},
        "5511900000000",
    ),
    "a user id": ({"type": "user_changed_user_id", "user_id": "BR.2"}, "BR.2"),
}
"""What Meta says of a customer who has another, and that."""

UNREADABLE: dict[str, Any] = {
    "a text without a body": {"type": "text", "text": {}},
    "a text that is none": {"type": "text", "text": {"body": 5}},
    "a text without its content": {"type": "text"},
    "no type": {"text": {"body": "Oi"}},
    "a type that is none": {"type": ["text"], "text": {"body": "Oi"}},
    "a wrong time": {**text("Oi"), "timestamp": "soon"},
    "no time": {**text("Oi"), "timestamp": None},
    "no id": {**text("Oi"), "id": None, "timestamp": None},
    "a button without its content": {"type": "button"},
    "a button without a title": pressed("button_reply", id="/affirm"),
    "a button with another title": pressed("button_reply", id="/affirm", title=["Sim"]),
    "a picture without its content": {"type": "image"},
    "a place without its content": {"type": "location", "location": None},
    "a contact of no shape": {"type": "contacts", "contacts": [1]},
    "an order of no shape": {"type": "order", "order": {"product_items": 1}},
}
"""What is not as it is documented, of somebody who can be answered."""

NOBODYS: dict[str, Any] = {
    "null": None,
    "nobody": {**text("Oi"), "from": None, "from_user_id": None},
    "no one writer": {**text("Oi"), "from": ["5511912345678"], "from_user_id": None},
    "of a group": {**text("Oi", group_id="120363"), "system": 1},
    "news without its content": {"type": "system", "system": 1},
    "a new number without it": {"type": "system", "system": {"type": "user_changed_number"}},
}
"""What is answered to nobody."""


def post(*messages: Any, contacts: object = (CONTACT,), **value: object) -> dict[str, Any]:  # noqa: ANN401
    """Return a post of Meta with these messages in it."""
    metadata = {"display_phone_number": "551130000000", "phone_number_id": NUMBER_ID}
    content = {"metadata": metadata, "contacts": contacts, "messages": messages, **value}
    entry = {"id": "1234567890", "changes": [{"field": "messages", "value": content}]}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def message(content: Any, number: int = 1, **more: object) -> Any:  # noqa: ANN401
    """Return a message with its envelope; what is no object stays as it is."""
    if not isinstance(content, dict):
        return content
    return {**WRITER, "id": f"wamid.{number}", "timestamp": "1764374400", **content, **more}
