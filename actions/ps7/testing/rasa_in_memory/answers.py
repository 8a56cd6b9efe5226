"""What the user reads: the messages of an action as bot events, answers of the domain filled in.

The rules are those of rasa/core/nlg and of RemoteAction in rasa/core/actions/action.py. Where Rasa
picks one of several variations by chance, the first is taken: tests want the same text every time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .domain import Domain

_FILLED = ("text", "image", "custom", "buttons", "attachment", "quick_replies")


def bot_message(
    response: Mapping[str, Any], domain: Domain, slots: Mapping[str, Any], channel: str
) -> dict[str, Any] | None:
    """Return the bot event of one message of an action, None where Rasa would say nothing.

    Nothing is said for `response=` with a name that the domain lacks or no variation of which fits.
    """
    message = dict(response)
    draft: dict[str, Any] = {}
    if name := message.pop("response", None):
        variation = _variation(domain.get("responses", {}).get(name, []), slots, channel)
        if not variation:
            return None
        values = {**slots, **message}
        draft = {k: _fill(v, values) if k in _FILLED else v for k, v in variation.items()}
        draft["utter_action"] = name
    if buttons := message.pop("buttons", None):
        draft["buttons"] = [*draft.get("buttons", []), *buttons]
    draft.update({key: value for key, value in message.items() if value})
    text = draft.pop("text", None)
    data = {key: draft.pop(key, None) for key in ("elements", "quick_replies", "buttons")}
    image, attachment = draft.pop("image", None), draft.pop("attachment", None)
    data |= {"attachment": attachment or image, "image": image, "custom": draft.pop("custom", None)}
    return {"event": "bot", "text": text, "data": data, "metadata": draft}


def _variation(
    variations: Iterable[dict[str, Any]], slots: Mapping[str, Any], channel: str
) -> dict[str, Any] | None:
    """Return the variation that fits best: the channel counts more than the condition."""
    fitting = [
        variation
        for variation in variations
        if variation.get("channel") in {None, channel}
        and all(
            _same(slots.get(condition["name"]), condition["value"])
            for condition in variation.get("condition") or []
        )
    ]
    fitting.sort(key=lambda each: (each.get("channel") is None, not each.get("condition")))
    return fitting[0] if fitting else None


def _same(slot: object, wanted: object) -> bool:
    if isinstance(slot, str) and isinstance(wanted, str):
        return slot.casefold() == wanted.casefold()
    return slot == wanted


def _fill(value: object, values: Mapping[str, Any]) -> object:
    if isinstance(value, list):
        return [_fill(each, values) for each in value]
    if isinstance(value, dict):
        return {key: _fill(each, values) for key, each in value.items()}
    return _fill_text(value, values) if isinstance(value, str) else value


def _fill_text(text: str, values: Mapping[str, Any]) -> str:
    """Put slots and arguments into `{name}`. An unknown name leaves the whole text as it is."""
    try:
        filled = re.sub(r"{([^\n{}]+?)}", r"{0[\1]}", text).format(values)
        return text.format({}) if "0[" in filled else filled  # what stood in double braces
    except KeyError:
        return text
