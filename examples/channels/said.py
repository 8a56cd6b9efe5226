"""What a bot or an agent says, as a page gets it; and what was said so far, from Rasa's tracker.

Pure, so that both the channel in Rasa and the page's server have it: a page that comes back reads
the same as one that was there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    Seal = Callable[[str], str]


def messages(said: Mapping[str, Any], seal: Seal) -> list[dict[str, Any]]:
    """Return an answer, as Rasa hands it to a channel, in the shapes of Rasa's own socketio.

    The first has the words, what can be pressed, `custom` as it is, and of what an agent's desk
    says its `id` and who speaks: an agent's name, or null. Each payload is sealed.
    """
    first = {name: said[name] for name in ("text", "custom") if said.get(name)}
    if replies := said.get("quick_replies") or said.get("buttons"):
        first["quick_replies"] = _sealed(replies, seal)
    if "message_key" in said:
        first |= {"id": said["message_key"], "agent": said.get("agent")}
    attached = []
    if image := said.get("image"):
        attached.append({"type": "image", "payload": {"src": image}})
    if (attachment := said.get("attachment")) and attachment != image:
        attached.append(attachment)
    if elements := said.get("elements"):
        carousel = {"template_type": "generic", "elements": _sealed(elements, seal)}
        attached.append({"type": "template", "payload": carousel})
    return [*([first] if first else []), *({"attachment": each} for each in attached)]


def _sealed(value: object, seal: Seal) -> object:
    if isinstance(value, dict):
        return {
            name: seal(each) if name == "payload" and isinstance(each, str) else _sealed(each, seal)
            for name, each in value.items()
        }
    return [_sealed(each, seal) for each in value] if isinstance(value, list) else value


def history(events: Iterable[Mapping[str, Any]], seal: Seal) -> Iterator[dict[str, Any]]:
    """Yield all that was said: the customer's as `you` with the `id` of the message.

    Of a button they read its title, and nothing of what opened the conversation. Slots and other
    metadata stay here.
    """
    for event in events:
        metadata, text = event.get("metadata") or {}, event.get("text") or ""
        if event["event"] == "user":
            unsaid = text.startswith("/") or metadata.get("is_external")
            shown = metadata.get("title") or ("" if unsaid else text)
            yield {"you": shown, "id": metadata.get("correlationId")}
        elif event["event"] == "bot":
            yield from messages({**(event.get("data") or {}), **metadata, "text": text}, seal)
        elif event["event"] == "resume":  # also when the desk's word about it found no page
            yield {"custom": {"data": {"conversation": "returned"}}}
