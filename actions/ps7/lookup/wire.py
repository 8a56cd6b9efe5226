"""What goes to PS7 and what comes back, as plain values. No socket, no clock, no Rasa.

Source: Huawei Cloud CEC API reference, "Invoking the PS7 System (chat_itau_contextos)".
"""

from __future__ import annotations

import json
import re
from codecs import BOM_UTF8
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import TypeAdapter, ValidationError

from ..customer import (
    SLOTS,
    CustomerContext,
    Identification,
    SecurityDevice,
    TokenStatus,
    has_cpf_form,
    is_blank,
    is_valid_cpf,
    normalise_cpf,
    wire_text,
)
from ..outcomes import LookupFailed, Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..settings import PS7Settings

# The request

METHOD = "POST"
PATH = "/apiaccess/rest/ccmessaging/v1/itau/ps7/contextos"
HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Connection": "close",
}
"""Of every request: JSON in, JSON out, nothing to unpack, and no other request after it."""


@dataclass
class Request:
    """One request, as it goes out. Its `repr` shows no header and no body."""

    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def build_request(
    settings: PS7Settings,
    context_id: str,
    *,
    encoded: int | None,
    correlation_id: str | None,
    flow_id: str,
) -> Request:
    """Build the request of a lookup.

    `encoded` goes out as text, as the interface documents; None leaves it to `PS7_ENCODED`. For 0
    the gateway sends the contextId on as it is, else in Base64. The ids are those of `lookup`.
    """
    headers = {
        **HEADERS,
        "userName": settings.username.get_secret_value(),
        "password": settings.password.get_secret_value(),
        "x-itau-flowID": flow_id,
    }
    if correlation_id is not None:
        headers["x-itau-correlationID"] = correlation_id
    if settings.api_key is not None:
        headers["x-itau-apikey"] = settings.api_key.get_secret_value()
    if settings.app_key is not None:
        headers["x-app-key"] = settings.app_key.get_secret_value()
    body = {"contextId": context_id}
    mode = settings.encoded if encoded is None else encoded
    if mode is not None:
        body["encoded"] = str(mode)
    return Request(settings.base_url + PATH, headers, json.dumps(body).encode())


# The answer

_OK = 200
_SUCCESS_CODES = (None, "0", "0.0")
_STATUSES = {
    **dict.fromkeys(range(300, 400), Reason.REDIRECT),
    400: Reason.BAD_REQUEST,
    401: Reason.UNAUTHORIZED,
    403: Reason.FORBIDDEN,
    404: Reason.PATH_NOT_FOUND,
    429: Reason.TOO_MANY_REQUESTS,
    500: Reason.BUSINESS_FAILURE,
    **dict.fromkeys((502, 503, 504), Reason.SERVER_ERROR),
}


@dataclass
class Answer:
    """One answer, as it came in. Its `repr` shows only the status."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Read by names in lower case; aiohttp's take any."""
    body: bytes = field(repr=False)


class Decoded(NamedTuple):
    """A customer, and what in the answer its interface does not document."""

    customer: CustomerContext
    undocumented: tuple[str, ...]
    """Wire names of the fields whose values are not documented."""
    expiry: Expiry
    sent: frozenset[str]
    """Wire names of the fields that an attribute comes from, and that were there."""


def decode(
    answer: Answer, *, received_at: datetime, max_age: float, strict_cpf: bool = False
) -> Decoded:
    """Read an answer: first the status, then the code, then the payload; or raise LookupFailed.

    `received_at` is the moment of receipt (UTC), `max_age` the longest use in seconds.
    """
    if answer.status != _OK:
        raise _status_error(answer, received_at)
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        raise LookupFailed(Reason.COMPRESSED, _OK)
    try:
        envelope = parse(answer.body)
    except ValueError:
        raise LookupFailed(Reason.NOT_JSON, _OK) from None
    if not isinstance(envelope, dict):
        raise LookupFailed(Reason.NOT_AN_OBJECT, _OK)
    code = envelope.get("code")
    if code not in _SUCCESS_CODES and not _is_success(code):
        raise LookupFailed(Reason.FAILURE_CODE, _OK)
    payload = envelope.get("payload")
    if not isinstance(payload, dict) or not payload:
        payload = _payload_as_data(payload, envelope)
    expiry = usable_until(envelope.get("expireIn"), received_at, max_age)
    return read_customer(payload, envelope, expiry=expiry, strict_cpf=strict_cpf)


def _payload_as_data(payload: object, envelope: Mapping[str, Any]) -> dict[str, Any]:
    """Return the payload under the neighbours' name, if its own has nothing; or LookupFailed."""
    if _is_empty(payload):
        payload = envelope.get("data")
        if _is_empty(payload):
            raise LookupFailed(Reason.NO_PAYLOAD, _OK)
    if not isinstance(payload, dict):
        raise LookupFailed(Reason.NOT_AN_OBJECT, _OK)
    return payload


def _is_success(code: object) -> bool:
    """Whether a code that is not as documented means success: a number, blank, or among blanks."""
    return not isinstance(code, (bool, dict, list)) and wire_text(code) in _SUCCESS_CODES


def _is_empty(value: object) -> bool:
    return not value if isinstance(value, dict) else is_blank(value)


def _status_error(answer: Answer, received_at: datetime) -> LookupFailed:
    status = answer.status
    reason = _STATUSES.get(status, Reason.UNDOCUMENTED_STATUS)
    return LookupFailed(reason, status, retry_after=retry_after(answer, received_at))


def retry_after(answer: Answer, received_at: datetime) -> float | None:
    """Return the seconds that `Retry-After` asks to wait, stated as such or as an HTTP date.

    None if it asks nothing that can be understood (RFC 9110, section 10.2.3).
    """
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:  # an older form, without a zone: HTTP dates are in UTC
            moment = moment.replace(tzinfo=timezone.utc)
        return max(0.0, (moment - received_at).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


# JSON

MAX_DEPTH = 64
"""Nesting beyond this is no customer context; it would only strain what reads it later."""

_SAFE_DIGITS = 15
"""JavaScript, gRPC and databases use doubles: a whole number of so many characters survives."""


def _refuse(_constant: str) -> None:
    """Refuse NaN and Infinity: Python reads them, JSON does not know them."""
    raise ValueError


def _int(literal: str) -> int | str:
    return int(literal) if len(literal) <= _SAFE_DIGITS and literal != "-0" else literal


def _float(literal: str) -> float | str:
    value = float(literal)
    return value if str(value) == literal else literal


_JSON = json.JSONDecoder(parse_int=_int, parse_float=_float, parse_constant=_refuse)
"""A number that a store might write in another way than the wire becomes its text."""


def parse(body: bytes) -> Any:  # noqa: ANN401 - JSON can be anything
    """Read a body as JSON, in UTF-8 or else in Latin-1; ValueError if it cannot be read.

    Half a character, which no store keeps, is refused. The last of duplicate keys counts.
    """
    body = body.removeprefix(BOM_UTF8)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    try:
        value = _JSON.decode(text)
        if "\\u" in text:  # a lone surrogate can only be an escape, and has no UTF-8
            json.dumps(value, ensure_ascii=False).encode()
        if text.count("{") + text.count("[") > MAX_DEPTH:
            _check_depth(value, MAX_DEPTH)
        return value  # noqa: TRY300 - what raises below must raise out of the `try`
    except (ValueError, RecursionError):
        pass
    raise ValueError  # out here, since the error of the decoder carries the whole body along


def _check_depth(value: object, depth: int) -> None:
    if isinstance(value, (dict, list)):
        if depth == 0:
            raise ValueError
        for inner in value.values() if isinstance(value, dict) else value:
            _check_depth(inner, depth - 1)


# How long it is valid: `expireIn`. The interface documents no unit for it.

ZONE = "America/Sao_Paulo"
MAX_SECONDS = 31 * 86400
"""A larger number is no number of seconds; it may be a moment or a date without its dashes."""

_SECONDS = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_MOMENT = TypeAdapter(datetime)
_MOST_SHOWN = 40


class Expiry(NamedTuple):
    """Until when an answer may be used, in UTC."""

    until: datetime
    problem: str | None = None
    """What is wrong with `expireIn`; None if nothing is, or if there is none."""
    shape: str = ""
    """What a wrong one looks like, without its value: digits as 9, letters as a."""


def usable_until(expire_in: object, received_at: datetime, max_age: float) -> Expiry:
    """Return the moment (UTC) from which an answer is too old.

    `expire_in` is what the wire has. A number: seconds from receipt, up to 31 days. A date: the
    end of that day in Brazil's official time. A date-time: that moment, in the same zone if it
    names none. What cannot be read, or is not in the future at receipt, is as if absent, since the
    documented example is both a date and long past.

    `max_age` (seconds from receipt) is the upper limit, and applies if nothing else does.
    """
    limit = received_at + timedelta(seconds=max_age)
    text = wire_text(expire_in)
    if text is None:
        wrong = not _is_empty(expire_in)
        return Expiry(limit, "cannot be read", type(expire_in).__name__) if wrong else Expiry(limit)
    stated = _stated(text, received_at)
    if stated is None:
        return Expiry(limit, "cannot be read", _shape(text))
    if stated > received_at:
        return Expiry(min(stated, limit))
    return Expiry(limit, "is 0 or less" if _SECONDS.fullmatch(text) else "is past", _shape(text))


def _stated(text: str, received_at: datetime) -> datetime | None:
    try:
        if _SECONDS.fullmatch(text):
            seconds = float(text)
            return received_at + timedelta(seconds=seconds) if seconds <= MAX_SECONDS else None
        if _DATE.fullmatch(text):
            next_day = date.fromisoformat(text) + timedelta(days=1)
            return _in_brazil(datetime.combine(next_day, time.min))
        if not _DATE.match(text):
            return None
        moment = _MOMENT.validate_python(text)
        return _in_brazil(moment) if moment.tzinfo is None else moment.astimezone(timezone.utc)
    except (ValidationError, ValueError, OverflowError, ZoneInfoNotFoundError):
        return None


def _in_brazil(moment: datetime) -> datetime:
    return moment.replace(tzinfo=ZoneInfo(ZONE)).astimezone(timezone.utc)


def _shape(text: str) -> str:
    shown = ("9" if c.isnumeric() else "a" if c.isalpha() else c for c in text[:_MOST_SHOWN])
    return "".join(c if c.isprintable() else "?" for c in shown)


# The customer: which field of the wire becomes what

CODES: dict[str, dict[str, Any]] = {
    "u_id": {
        "aut": Identification.AUTHENTICATED,
        "ide": Identification.IDENTIFIED,
        "nid": Identification.NOT_IDENTIFIED,
    },
    "u_dseg": {
        "token": SecurityDevice.TOKEN,
        "csi": SecurityDevice.CSI,
        "none": SecurityDevice.NONE,
    },
    "u_dsok": {"s": TokenStatus.VALID, "n": TokenStatus.INVALID},
}
"""The codes that the interface documents, by field; they compare without regard to case."""
UPSTREAM_ACCOUNT = "u_cssc"
"""`contexto` calls the account by this name in the documented example."""
UNUSED = frozenset({"u_ion", "u_display", "u_ura", "u_fmt", "u_codop", "u_tag", "contexto"})
"""Fields that the documented example has, and that no attribute comes from."""
_NO_TEXT: dict[str, str | None] = dict.fromkeys(slot.wire for slot in SLOTS if slot.wire)
_NAMES = frozenset(_NO_TEXT)
_READ = _NAMES | {UPSTREAM_ACCOUNT}


def _texts(source: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields that an attribute comes from, as far as they have text."""
    texts = {}
    for name, value in source.items():
        if name in _READ and (text := wire_text(value)) is not None:
            texts[name] = text
    return texts


def read_customer(
    payload: dict[str, Any], envelope: Mapping[str, Any], *, expiry: Expiry, strict_cpf: bool
) -> Decoded:
    """Read the customer from an answer's payload and what is around it (`envelope`).

    A value outside a documented list is None, and its field is named as undocumented: fail closed.
    A CPF that is not 11 digits is named too, and stays, unless `strict_cpf` asks for valid check
    digits.
    """
    upstream = payload.get("contexto")
    below = _texts(upstream) if isinstance(upstream, dict) else {}
    found = below | _texts(payload)
    if account := found.get("u_cc") or below.get(UPSTREAM_ACCOUNT):
        found["u_cc"] = account
    text = _NO_TEXT | found
    code, undocumented = {}, []
    for name, known in CODES.items():
        value = text[name] or ""
        # A Kelvin sign in lower case is a k.
        code[name] = known.get(value.lower()) if value.isascii() else None
        if text[name] and code[name] is None:
            undocumented.append(name)
    number = text["u_cpf"]
    if number is not None:
        number = normalise_cpf(number)
        is_valid = not strict_cpf or is_valid_cpf(number)
        if not is_valid or not has_cpf_form(number):
            undocumented.append("u_cpf")
        number = number if is_valid else None
    device, accepted = code["u_dseg"], code["u_dsok"]
    if device in (None, SecurityDevice.NONE):
        accepted = None if device is None else TokenStatus.ABSENT
    customer = CustomerContext(
        cpf=number,
        agency=text["u_ag"],
        account=text["u_cc"],
        segment=text["u_seg"],
        ivr_option=text["u_dest"],
        phone_number=text["u_numA"],
        id_document=text["u_tpid"],
        identification=code["u_id"],
        security_device=device,
        token_status=accepted,
        expires_at=expiry.until,
        key=wire_text(envelope.get("key")),
        decoded_context_id=wire_text(envelope.get("decodedContextId")),
        payload=payload,
    )
    return Decoded(customer, tuple(undocumented), expiry, _NAMES & found.keys())
