"""WhatsApp's Cloud API by pywa: what is in a post of Meta, and how an answer is sent.

pywa reads the first message of a post. Here each one is read alone, so that one that cannot be read
costs no other; and who wrote it is looked for among all the contacts of the post. A customer may
have no phone number: then they are known, and answered, by their user id.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx
from pywa_async.errors import ThrottlingError, WhatsAppError
from pywa_async.types import (
    Button,
    CallbackButton,
    CallbackSelection,
    Message,
    RawUpdate,
    Section,
    SectionList,
    SectionRow,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from pywa_async import WhatsApp

MAX_AGE = 3600.0
"""Seconds: an older message is not answered. Meta repeats one for days if it hears no 200."""
DEADLINE = 10.0
"""Seconds for one message to the Graph API, attempts included."""
TEXT, BODY = 4096, 1024
"""Characters of a text, and of one beside buttons."""
REFUSED = "not delivered"
"""How a message ended that Meta did not take."""
CHOOSE = "Ver opções"
"""What opens a list; also the text beside buttons of a response that has none."""
CODE = re.compile(r"\bps7-[A-Za-z0-9_-]{16,64}(?![\w-])")
"""What a link of the bank, https://wa.me/<number>?text=…, may put into the first message."""

_READ = {"button": CallbackButton, "button_reply": CallbackButton, "list_reply": CallbackSelection}
_NOTHING_SAID = ("call_permission_reply", "edit", "reaction", "revoke", "system")
_CHANGED = ("user_changed_number", "customer_changed_number", "user_changed_user_id")


class Said(NamedTuple):
    """A message of a customer."""

    delivery: str
    """Meta's id of it."""
    phone: str | None
    user_id: str
    """Meta's id of the customer for this business, which outlives a hidden phone number; "" in
    posts of before 2026."""
    text: str | None
    """What was typed, or what is on the button; None: a voice note, a picture, a place or the
    like, and what cannot be read."""
    pressed: str | None
    """The id of a button or of a row: a client of the customer's own can make up any."""
    code: str | None
    """The code of a link of the bank."""
    sent_at: float


def _listed(of: Any, name: str) -> list[Any]:  # noqa: ANN401 - JSON
    found = of.get(name) if isinstance(of, dict) else None
    return found if isinstance(found, list) else []


def split(post: Any, phone_id: str) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
    """Yield each message and status for this number of the bank as a `value` of its own."""
    for change in (each for entry in _listed(post, "entry") for each in _listed(entry, "changes")):
        value = change.get("value") if isinstance(change, dict) else None
        metadata = value.get("metadata") if isinstance(value, dict) else None
        if not isinstance(metadata, dict) or metadata.get("phone_number_id") != phone_id:
            continue
        for kind in ("messages", "statuses"):
            for each in _listed(value, kind):
                number = {"phone_number_id": phone_id, "display_phone_number": ""}
                yield {"metadata": number, "contacts": _listed(value, "contacts"), kind: [each]}


def read(wa: WhatsApp, value: dict[str, Any]) -> Said | None:
    """Return what a customer said; None for a reaction, what is not theirs alone, and the like.

    Raises:
        Exception: the message is not as Meta documents it, of whatever kind pywa meets.

    """
    (message,) = value["messages"]
    if "group_id" in message:
        return None
    kind = (message.get("interactive") or {}).get("type", message["type"])
    if kind in _NOTHING_SAID:
        return None
    value = {**value, "contacts": [_contact(value["contacts"], message)]}
    post = {"entry": [{"id": "", "changes": [{"field": "messages", "value": value}]}]}
    raw = RawUpdate(json.dumps(post).encode(), hmac_header=None, update_hash="")
    reader: Any = _READ.get(kind, Message)
    update = reader.from_update(client=wa, update=raw)
    user, sent_at = update.from_user, update.timestamp.timestamp()
    if isinstance(update, Message):
        text, pressed = update.text or update.caption, None
    else:
        text, pressed = update.title, update.data
    code = None if text is None else CODE.search(text)
    text = text and CODE.sub("", text)
    return Said(str(update.id), user.wa_id, user.bsuid, text, pressed, code and code[0], sent_at)


def unread(value: dict[str, Any]) -> Said | None:
    """Return that somebody said what `read` cannot read; None if one cannot tell who."""
    (message,) = value["messages"]
    try:
        writer = _contact(value["contacts"], message)
    except (AttributeError, KeyError, TypeError):
        return None
    if message.get("type") in _NOTHING_SAID or "group_id" in message:
        return None
    delivery = json.dumps(message.get("id") or message)
    return Said(delivery, writer["wa_id"], writer["user_id"], None, None, None, time.time())


def moved(value: dict[str, Any]) -> tuple[str, str] | None:
    """Return a customer's earlier user id or number, and where they are now; None for other news.

    Raises:
        AttributeError, KeyError, TypeError: the message is not as Meta documents it.

    """
    (message,) = value["messages"]
    system = message.get("system") or {}
    if system.get("type") not in _CHANGED:
        return None
    before = _contact(value["contacts"], message)
    now = system.get("wa_id") or system.get("new_wa_id") or system["user_id"]
    return before["user_id"] or before["wa_id"], now


def _contact(contacts: list[Any], message: dict[str, Any]) -> dict[str, Any]:
    """Return who wrote a message, by what the message itself says and by the contact that fits."""
    known = {each.get("wa_id"): each.get("user_id") for each in contacts if isinstance(each, dict)}
    phone, user_id = message.get("from"), message.get("from_user_id")
    user_id = user_id or (phone and known.get(phone))
    if not (phone or user_id):
        raise KeyError("from")
    return {"wa_id": phone, "user_id": user_id or ""}


def failure(value: dict[str, Any]) -> int | None:
    """Return Meta's code of why a message of the bot was not delivered, None for other news."""
    (status,) = value["statuses"]
    codes = [each.get("code") for each in _listed(status, "errors") if isinstance(each, dict)]
    return next((each for each in codes if isinstance(each, int)), None)


def parts(text: str, size: int) -> Iterator[str]:
    """Yield a text in parts of at most this many characters, cut between words if it can be."""
    while len(text := text.strip()) > size:
        found = max(text.rfind(mark, size // 2, size) for mark in "\n ")
        cut = found if found > 0 else size
        yield text[:cut].strip()
        text = text[cut:]
    if text:
        yield text


def keyboard(buttons: list[dict[str, Any]]) -> list[Button] | SectionList | None:
    """Return buttons, or a list, as WhatsApp takes them whole; None if it does not."""
    titles = [str(each["title"]) for each in buttons]
    ids = [str(each.get("payload") or each["title"]) for each in buttons]
    options = [*zip(titles, ids, strict=True)]
    unique = len({*titles}) == len({*ids}) == len(options) > 0
    if not unique or any(each.get("url") for each in buttons):
        return None
    longest, payload = max(map(len, titles)), max(map(len, ids))
    if len(options) <= 3 and longest <= 20 and payload <= 256:  # noqa: PLR2004 - Meta's
        return [Button(title, data) for title, data in options]
    if len(options) <= 10 and longest <= 24 and payload <= 200:  # noqa: PLR2004 - Meta's
        return SectionList(CHOOSE, [Section(CHOOSE, [SectionRow(*each) for each in options])])
    return None


class Sender:
    """Sends, and never raises: a message that is not taken is counted, and the turn goes on.

    What a method returns is "" once Meta has the message. Else it says whether the customer may
    have it all the same: `not delivered: …` or `perhaps delivered: …`, with Meta's code.
    """

    def __init__(self, wa: WhatsApp, count: Callable[[str], None]) -> None:
        """Take pywa's client, and what counts a failure."""
        self._wa, self._count = wa, count

    async def text(self, to: str, text: str) -> str:
        """Send a text, in parts if it is too long for one message."""
        failures = [
            await self._send(self._wa.send_message, to=to, text=part) for part in parts(text, TEXT)
        ]
        return next(filter(None, failures), "")

    async def choices(self, to: str, text: str, buttons: list[dict[str, Any]]) -> str:
        """Send what can be pressed; as lines of text if WhatsApp does not take it whole."""
        if (keys := keyboard(buttons)) is not None:
            *before, body = parts(text or CHOOSE, BODY)
            for part in before:
                await self.text(to, part)
            why = await self._send(self._wa.send_message, to=to, text=body, buttons=keys)
            if not why.startswith(REFUSED):
                return why
            text = body
        lines = [f"• {each['title']} {each.get('url') or ''}".strip() for each in buttons]
        return await self.text(to, "\n".join([text, *lines]))

    async def picture(self, to: str, link: str) -> str:
        """Send a picture that Meta fetches, or its link if Meta does not take it."""
        if not link.startswith("https://"):  # pywa would take it for a file's name
            return await self.text(to, link)
        why = await self._send(self._wa.send_image, to=to, image=link)
        return await self.text(to, link) if why.startswith(REFUSED) else why

    async def _send(self, send: Callable[..., Awaitable[object]], **message: object) -> str:
        """Send, again if Meta says so, within a deadline. A lost answer is not sent twice."""
        pause, until = 0.5, time.monotonic() + DEADLINE
        while True:
            try:
                await asyncio.wait_for(send(**message), until - time.monotonic())
            except WhatsAppError as error:
                code, status, ending = str(error.code), error.status_code or 0, REFUSED
                again = isinstance(error, ThrottlingError) or bool(error.is_transient)
                again = again or status == 429 or status >= 500  # noqa: PLR2004
            except Exception as error:  # noqa: BLE001 - its text may hold the address
                code, again = type(error).__name__, isinstance(error, httpx.ConnectError)
                ending = REFUSED if again else "perhaps delivered"
            else:
                return ""
            if not again or time.monotonic() + pause > until:
                self._count(f"an answer was not taken (code {code})")
                return f"{ending}: code {code}"
            await asyncio.sleep(pause)
            pause *= 2
