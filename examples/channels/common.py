"""What the channels of this folder share, once a channel has verified that a post is its service's.

- A sender id is a keyed digest: no phone number is in tracker, log or token.
- Each delivery is taken once, and an old one never.
- The contextId comes with the message, or the bank's back-end is asked for it.
- The turn does not end with the post, and an answer that cannot be sent costs no turn.

It knows no service, and nothing of PS7 but the key `contextId`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import re
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakValueDictionary

import aiohttp
from rasa.core.channels.channel import OutputChannel, UserMessage
from rasa.shared.exceptions import RasaException
from sanic import Blueprint, response

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping

    from sanic.request import Request
    from sanic.response import HTTPResponse

    Handler = Callable[[UserMessage], Awaitable[Any]]
    Receive = Callable[[Handler, Request], Coroutine[Any, Any, HTTPResponse]]

TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]+\.eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{16,}")
"""An arrival token (PS7_ARRIVAL_KEYS). What else a customer can type is never a contextId."""
SESSION = 1800.0
"""Seconds of silence after which the back-end is asked again: fewer than Rasa's session has."""
MAX_AGE = 3600.0
"""Seconds for which a delivery is remembered, and after which one is too old."""
MOST = 100_000
"""How many deliveries, and how many contextIds, a process remembers."""
KEY_LENGTH = 32
MALFORMED = (AttributeError, LookupError, TypeError, ValueError)
"""What reading a post raises that is not as its service documents it."""

_log = logging.getLogger(__name__)


def required(credentials: Mapping[str, Any] | None, *names: str) -> list[str]:
    """Return these credentials.

    Raises:
        RasaException: some are missing; the text names them.

    """
    missing = [name for name in names if not (credentials or {}).get(name)]
    if missing:
        raise RasaException(f"credentials.yml: missing or blank: {', '.join(missing)}")
    return [str((credentials or {})[name]) for name in names]


def same(one: str, other: str) -> bool:
    """Whether two texts are equal, in constant time. A header can hold surrogates."""
    left, right = (text.encode("utf-8", "surrogatepass") for text in (one, other))
    return hmac.compare_digest(left, right)


def signature(secret: str, content: bytes) -> str:
    """Return what Meta, and a back-end that calls `callback`, puts into its header."""
    return "sha256=" + hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def refused(channel: str, why: str) -> HTTPResponse:
    """Answer a post that reaches no conversation."""
    _log.warning("%s: a post was refused: %s", channel, why)
    return response.text("", status=403)


def parsed(request: Request) -> Any:  # noqa: ANN401 - JSON
    """Return the JSON of a post; None if it is not JSON."""
    try:
        return json.loads(request.body)
    except (ValueError, RecursionError):
        return None


class Recent:
    """Values by name, the oldest of which go: after so many seconds, or when there are too many."""

    def __init__(self, seconds: float) -> None:
        """Begin with none."""
        self._seconds = seconds
        self._kept: dict[str, tuple[float, str]] = {}

    def put(self, name: str, value: str = "") -> None:
        """Keep a value, as the newest."""
        self._kept.pop(name, None)
        self._kept[name] = (time.monotonic(), value)

    def get(self, name: str) -> str | None:
        """Return a value that is still kept."""
        too_old = time.monotonic() - self._seconds
        while self._kept and (
            len(self._kept) > MOST or next(iter(self._kept.values()))[0] < too_old
        ):
            del self._kept[next(iter(self._kept))]
        return self._kept.get(name, (0.0, None))[1]


class Message(NamedTuple):
    """What somebody wrote."""

    delivery: str
    """The service's id of it."""
    address: str
    """The number or the account of the sender."""
    text: str
    sent_at: float = 0.0
    """When, if the service says so."""
    context: str | None = None
    """A contextId of which the service is sure."""
    ask: dict[str, str] | None = None
    """What the back-end is asked otherwise: by `phone`, or by the `code` of a link."""


class Configured:
    """A channel whose constructor takes what credentials.yml has of it."""

    @classmethod
    def from_credentials(cls, credentials: dict[str, Any] | None) -> Any:  # noqa: ANN401 - a channel
        """Read credentials.yml; Rasa calls this."""
        return cls(credentials or {})  # type: ignore[call-arg]

    def get_output_channel(self) -> None:
        """Return none: what the bot says unasked finds no address behind a sender id."""


class To(OutputChannel):
    """Sends to an address that only this object knows. A service that fails costs no turn."""

    def __init__(self, channel: OutputChannel, address: str) -> None:
        """Take the channel that sends, and where to."""
        self._channel, self._address = channel, address

    def name(self) -> str:
        """Return the name by which responses are chosen."""
        return str(self._channel.name())

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:  # noqa: ARG002
        """Send it there. An exception's text may hold the address: only its kind is logged."""
        try:
            await self._channel.send_response(self._address, message)
        except Exception as error:  # noqa: BLE001 - of any library
            _log.error("%s: an answer was not sent: %s", self.name(), type(error).__name__)


class Inbox:
    """What becomes of a message whose post was verified."""

    def __init__(
        self, channel: str, credentials: Mapping[str, Any], max_age: float = MAX_AGE
    ) -> None:
        """Read what every channel of this folder has in credentials.yml.

        Raises:
            RasaException: something is missing or too short.

        """
        (self._key,) = required(credentials, "sender_key")
        if len(self._key) < KEY_LENGTH:
            raise RasaException(f"credentials.yml: sender_key needs {KEY_LENGTH} characters")
        self._url = str(credentials.get("context_url") or "")
        self._token = required(credentials, "context_token")[0] if self._url else ""
        self._deadline = aiohttp.ClientTimeout(float(credentials.get("context_deadline", 1.0)))
        self._opening = credentials.get("opening", "/greet")
        self._channel, self._max_age = channel, max_age
        self._taken, self._contexts = Recent(max_age), Recent(SESSION)
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._turns: set[asyncio.Task[None]] = set()
        self._http: aiohttp.ClientSession | None = None

    @property
    def http(self) -> aiohttp.ClientSession:
        """Return the connections of this process."""
        if self._http is None or self._http.closed:
            self._http = aiohttp.ClientSession()
        return self._http

    def webhook(
        self, handler: Handler, receive: Receive, verify_token: str | None = None
    ) -> Blueprint:
        """Return the routes of a channel. Its name lets Rasa's own channel run beside it."""
        name = f"{self._channel}_verified"
        webhook = Blueprint(name, name)
        webhook.add_route(partial(receive, handler), "/webhook", methods=["POST"], name="receive")

        @webhook.get("/")
        async def health(_: Request) -> HTTPResponse:
            return response.json({"status": "ok"})

        @webhook.get("/webhook")
        async def verify(request: Request) -> HTTPResponse:
            """Answer Meta's question whether this webhook is ours."""
            if not verify_token or not same(request.args.get("hub.verify_token", ""), verify_token):
                return refused(self._channel, "verify token")
            return response.text(request.args.get("hub.challenge", ""))

        @webhook.listener("before_server_stop")  # type: ignore[untyped-decorator]
        async def close(*_: object) -> None:
            if self._turns:
                await asyncio.wait(self._turns, timeout=10)
            if self._http is not None:
                await self._http.close()

        return webhook

    def digest(self, address: str) -> str:
        """Return the sender id of an address: no phone number, and the same each time."""
        text = f"{self._channel}:{address}".encode()
        return hmac.new(self._key.encode(), text, hashlib.sha256).hexdigest()[:32]

    def is_old(self, sent_at: float) -> bool:
        """Whether a post is older than what is remembered."""
        return not abs(time.time() - sent_at) <= self._max_age  # NaN is old

    def is_new(self, delivery: str) -> bool:
        """Whether this is the first post with this id; from then on it is not."""
        if self._taken.get(delivery) is not None:
            return False
        self._taken.put(delivery)
        return True

    def take_all(
        self, handler: Handler, output: OutputChannel, messages: Iterable[Message]
    ) -> HTTPResponse:
        """Take what a service repeats until it gets a 200, so that one it repeats is a 200."""
        old = False
        try:
            for message in messages:
                if self.is_old(message.sent_at):
                    old = True
                elif self.is_new(message.delivery):
                    self.take(handler, output, message)
        except MALFORMED as error:
            _log.warning("%s: a post was not understood: %s", self._channel, type(error).__name__)
        return refused(self._channel, "too old") if old else response.text("")

    def take(self, handler: Handler, output: OutputChannel, message: Message) -> asyncio.Task[None]:
        """Let the bot answer, after the sender's earlier messages.

        An arrival token in the text or in a link is for the plugin to verify.
        """
        text, context, ask = message.text, message.context, message.ask or {}
        for said in (text, ask.get("code", "")):
            if message.context is None and (token := TOKEN.search(said)):
                context, text = token[0], text.replace(token[0], "").strip()
        told = {
            "text": text or self._opening,
            "output_channel": To(output, message.address),
            "sender_id": self.digest(message.address),
            "message_id": self.digest(message.delivery),  # WhatsApp's has the number in it
            "input_channel": self._channel,
        }
        turn = asyncio.create_task(self._turn(handler, told, context, ask))
        self._turns.add(turn)
        turn.add_done_callback(self._turns.discard)
        return turn

    async def _turn(
        self, handler: Handler, message: dict[str, Any], context: str | None, ask: dict[str, str]
    ) -> None:
        sender = message["sender_id"]
        async with self._locks.setdefault(sender, asyncio.Lock()):
            if context is None and "code" not in ask:
                context = self._contexts.get(sender)
            if context is None and ask and self._url:
                context = await self._ask({"sender": sender, **ask})
            if context is not None:
                self._contexts.put(sender, context)
            metadata = {"contextId": context} if context else {}
            try:
                await handler(UserMessage(**message, metadata=metadata))
            except Exception as error:  # noqa: BLE001 - its text may hold what the customer said
                _log.error("%s: a turn failed: %s", self._channel, type(error).__name__)

    async def _ask(self, question: dict[str, str]) -> str | None:
        """Return the contextId that the back-end knows, "" if it knows none, None if it is away."""
        headers = {"Authorization": f"Bearer {self._token}"}
        options = {"headers": headers, "timeout": self._deadline, "allow_redirects": False}
        try:
            async with self.http.post(self._url, json=question, **options) as answer:
                if answer.status == 404:  # noqa: PLR2004 - nobody of that number
                    return ""
                answer.raise_for_status()
                return str((await answer.json())["contextId"] or "")
        except (aiohttp.ClientError, asyncio.TimeoutError, *MALFORMED) as e:
            _log.warning("%s: the back-end gave no contextId: %s", self._channel, type(e).__name__)
            return None
