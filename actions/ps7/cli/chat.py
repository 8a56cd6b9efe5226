"""`rasa-ps7 chat`: a conversation with a bot that runs, as a customer with a contextId.

Rasa's own `rasa shell` and `rasa interactive` send no metadata, so no customer arrives there.
"""

from __future__ import annotations

import sys
from http import HTTPStatus
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import quote
from uuid import uuid4

from ..conversation import arrival
from ..conversation.arrival import usable
from ..customer import CONTEXT, SlotNames, differing
from .arguments import OnStdin, add_command, context_id
from .bot.yaml import rows, table
from .masking import masked
from .output import CommandError, Output, Tone, Toned
from .texts import refusal
from .variables import load
from .web import ask

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from ..settings import PS7Settings

_COMMANDS = ":as CONTEXT_ID   :slots   :quit"
_SECONDS = 60.0
_REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare this command and its options."""
    add = add_command(commands, "chat", run).add_argument
    add("--as", dest="arrives", type=context_id, metavar="CONTEXT_ID", help="who arrives")
    add("--url", default="http://127.0.0.1:5005", help="where Rasa is (default: %(default)s)")
    add("--sender", metavar="ID", help="the conversation (default: a new one)")
    own = "what Rasa has as its own --auth-token, to show the slots; - reads it from stdin"
    add("--auth-token", metavar="TOKEN", type=OnStdin.or_given(), help=own)
    add("--show", action="store_true", help="do not mask personal data")


def run(options: argparse.Namespace) -> int:
    """Talk until the input ends."""
    out = Output()
    chat = Chat(options.url, options.sender or uuid4().hex, load(), options.auth_token)
    arrives: str | None = options.arrives
    known: dict[str, Any] | None = {}
    out.hint(_COMMANDS)
    for typed in _typed(out):
        command, _, rest = typed.partition(" ")
        if command == ":quit":
            break
        if command == ":as" and usable(rest) is not None:
            arrives = rest
        elif command == ":slots":
            chat.write(out, known or {}, show=options.show)
        elif command.startswith(":"):
            out.line(_COMMANDS)
        else:
            for answer in chat.say(typed, arrives):
                out.line(Toned("bot:", Tone.STRONG), answer)
            arrives, before = None, known
            known = None if before is None else chat.slots()
            if known is None and before is not None:
                out.note(f"The slots are not shown: {chat.hidden}.")
            changed = differing(known or {}, dict.fromkeys(known or {}) | (before or {}))
            chat.write(out, changed, show=options.show)
    return 0


def _typed(out: Output) -> Iterator[str]:
    """Yield what is typed, or piped in, without blank lines."""
    on_terminal = sys.stdin.isatty()
    while True:
        if on_terminal:
            sys.stdout.write("you: ")
            sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            return
        if line.strip():
            if not on_terminal:
                out.line(Toned("you:", Tone.FAINT), line.strip())
            yield line.strip()


class Chat:
    """One conversation with a bot, over Rasa's REST channel."""

    hidden = "Rasa shows them with `rasa run --enable-api`"
    """Why the slots are not shown."""

    def __init__(
        self, url: str, sender: str, settings: PS7Settings, token: str | None = None
    ) -> None:
        self._ours = SlotNames(settings.slot_names)
        self._arrived: set[str] = set()
        self._url = url.rstrip("/")
        self._sender, self._token = sender, token
        self._path = settings.metadata_keys[0].split(".")
        keys = settings.arrival_keys
        self._key = None if keys is None else keys[0].get_secret_value()

    def say(self, text: str, arrives: str | None) -> list[str]:
        """Send a message, with a contextId if one arrives; return the bot's answers."""
        message: dict[str, Any] = {"sender": self._sender, "message": text}
        if arrives is not None:
            self._arrived.add(arrives)
            sent: object = arrives
            if self._key is not None:
                sent = arrival.sign(self._key, arrives, self._sender)
            for step in reversed(self._path):
                sent = {step: sent}
            message["metadata"] = sent
        try:
            answers = ask(f"{self._url}/webhooks/rest/webhook", message, seconds=_SECONDS)
        except HTTPError as error:
            name = "no-rest" if error.code == HTTPStatus.NOT_FOUND else "rasa-answers"
            raise CommandError(refusal(name, url=self._url, status=error.code)) from None
        except (OSError, HTTPException, ValueError) as error:
            why = type(error).__name__
            raise CommandError(refusal("rasa-unreached", url=self._url, why=why)) from None
        if not isinstance(answers, list) or not all(isinstance(each, dict) for each in answers):
            raise CommandError(refusal("rasa-other", url=self._url))
        return [_shown(answer) for answer in answers] or ["(nothing)"]

    def slots(self) -> dict[str, Any] | None:
        """Return the plugin's slots as the tracker has them; None if Rasa does not show it."""
        path = f"/conversations/{quote(self._sender, safe='')}/tracker?include_events=NONE"
        path += f"&token={quote(self._token, safe='')}" if self._token else ""
        try:
            slots = table(ask(self._url + path, seconds=_SECONDS)).get("slots")
        except (OSError, HTTPException, ValueError) as error:
            if getattr(error, "code", None) in _REFUSED:
                self.hidden = "Rasa wants the token that it was started with: --auth-token"
            return None
        shown = table(slots)
        return {name: shown[name] for name in self._ours.among(shown)} if slots == shown else None

    def write(self, out: Output, slots: dict[str, Any], *, show: bool) -> None:
        """Write slots, with what is personal masked, and any contextId that arrived."""
        for name, default in self._ours.among(slots).items():
            value = slots[name]
            if not show or default == CONTEXT:
                value = masked(default, value, self._arrived)
            out.line(f"     {name} = {'null' if value is None else value}")


def _shown(answer: dict[str, Any]) -> str:
    """Return what a chat window shows of an answer, in words."""
    parts = [str(answer["text"])] if "text" in answer else []
    parts += [f"[{table(button).get('title')}]" for button in rows(answer.get("buttons"))]
    return " ".join(parts) or f"({', '.join(answer.keys() - {'recipient_id'})})"
