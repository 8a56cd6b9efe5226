"""Named ways in which PS7 fails, as data: what the simulator answers, and what comes of it.

A new one is a new row of one of the tables. Nothing here knows the plugin: outcomes and reasons are
written down from the contract, not computed. A few rows harm no one (outcome `ok`): they bring
along what a client must not mind.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ELSEWHERE: Final = "http://127.0.0.1:9/elsewhere"
"""Where redirects lead unless a simulator is told another place: nothing listens there."""

_Http = Literal["whole", "held", "late", "dated", "echoed", "packed", "endless"]
_Broken = Literal["reset", "closed", "reset-body", "closed-body", "held-body", "dripped"]
_NotHttp = Literal["short", "unsized", "bare"]
Delivery = Literal[_Http, _Broken, _NotHttp]
"""How an answer goes out; see `simulator/delivery.py`."""


@dataclass(frozen=True)
class Fault:
    """One way in which PS7 or the network misbehaves, and what a client is to make of it.

    Examples:
        >>> fault = FAULTS["http-503"]
        >>> fault.outcome, fault.reason, fault.retried
        ('unavailable', 'server_error', True)

    """

    name: str
    """Its name, which is also its contextId: ASCII, easily typed."""
    title: str
    """What happens, in one line (pt-BR)."""
    outcome: str
    """What `ps7_status` must be after a lookup."""
    reason: str
    """Why, in the word of the log line, unless the deadline comes before it."""
    retried: bool = False
    """Whether the same request is to be sent again, as often as attempts and deadline allow."""
    status: int = 200
    body: bytes | Mapping[str, Any] = field(default=b"", repr=False)
    """A mapping goes out as JSON, bytes go out as they are."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Without a Content-Type the answer has `application/json`."""
    delivery: Delivery = "whole"
    after: tuple[str, ...] = ()
    """The faults that are answered first, one request each: once, and in each `failing()`."""

    @property
    def context_id(self) -> str:
        """The contextId that leads to this fault."""
        return self.name


# An answer that would be fine. So it is the fault alone that keeps a client from taking it for a
# customer.
_GOOD: dict[str, Any] = {
    "code": "0",
    "message": "success",
    "expireIn": "3600",
    "payload": {"u_cpf": "22233366638", "u_ag": "0001", "u_cc": "00000018", "u_seg": "Varejo"},
}
_PAGE = b"<!DOCTYPE html><html><body><h1>Em manuten\xc3\xa7\xc3\xa3o</h1></body></html>"
_FORGED = "fora do ar\r\n\x1b[2K\x1b[32mINFO ps7 lookup outcome=ok\x1b[0m\n\x07\u2028outcome=ok"
"""A message that would be another line in a log, or repaint a terminal."""

# The interface's documentation knows three shapes of an error body.
_RESULT = ("resultCode", "resultDesc")
_ERROR = ("error_code", "error_msg")
_CODE = ("code", "message")

# status, outcome, reason, retried, shape and text of the body, title
_STATUSES = (
    (400, "invalid", "bad_request", False, _RESULT, "incorrect request", "Requisição incorreta"),
    (401, "denied", "unauthorized", False, _RESULT, "unauthorized", "Credenciais recusadas"),
    (403, "denied", "forbidden", False, _ERROR, "forbidden", "O gateway nega o acesso"),
    (404, "unavailable", "path_not_found", False, _ERROR, "no such path", "Caminho inexistente"),
    (429, "unavailable", "too_many_requests", True, _ERROR, "slow down", "Requisições demais"),
    (500, "rejected", "business_failure", False, _CODE, "business failure", "Falha de negócio"),
    (502, "unavailable", "server_error", True, _ERROR, "bad gateway", "Resposta inválida do PS7"),
    (503, "unavailable", "server_error", True, _ERROR, "out of service", "O PS7 está fora do ar"),
    (504, "unavailable", "server_error", True, _ERROR, "timeout", "O PS7 demorou demais"),
    (
        520,
        "unavailable",
        "undocumented_status",
        False,
        _ERROR,
        "unknown",
        "Status fora da documentação",
    ),
)

# name, Retry-After, delivery, retried, title
_THROTTLED: tuple[tuple[str, str, Delivery, bool, str], ...] = (
    ("http-429-soon", "1", "whole", True, "Requisições demais: de novo em 1 segundo"),
    ("http-429-date", "1", "dated", True, "Requisições demais: de novo em 1 segundo (data)"),
    ("http-429-far", "3600", "whole", False, "Requisições demais: de novo em 1 hora"),
)

# name, delivery, reason, retried, title
_BROKEN: tuple[tuple[str, Delivery, str, bool, str], ...] = (
    ("reset", "reset", "connection_lost", True, "Conexão derrubada antes da resposta"),
    ("closed", "closed", "connection_lost", True, "Conexão fechada antes da resposta"),
    ("reset-body", "reset-body", "connection_lost", True, "Conexão derrubada no meio do corpo"),
    ("closed-body", "closed-body", "connection_lost", True, "Conexão fechada no meio do corpo"),
    ("slow", "held", "read_timeout", True, "O PS7 não responde a tempo"),
    ("slow-body", "held-body", "read_timeout", True, "O corpo para no meio"),
    ("drip", "dripped", "deadline", False, "O corpo chega byte a byte, sem acabar a tempo"),
    ("endless", "endless", "answer_too_large", False, "O corpo não acaba nunca"),
    ("gzip-bomb", "packed", "compressed", False, "48 KiB em gzip que viram 48 MiB"),
    ("short-length", "short", "not_http", False, "Content-Length menor que o corpo"),
    ("bad-length", "unsized", "not_http", False, "Content-Length que não é um número"),
)


def _fault(name: str, title: str, outcome: str, reason: str, **answer: Any) -> Fault:
    """Return a fault of a good answer, but for what is given."""
    return Fault(name, title, outcome, reason, **{"body": _GOOD, **answer})


_OTHERS = (
    _fault(
        *("not-found", "O PS7 não conhece este contexto (code 1)", "rejected", "failure_code"),
        body={"code": "1", "message": "context not found"},
    ),
    _fault(
        *("no-payload", "O PS7 responde sem payload", "rejected", "no_payload"),
        body={name: value for name, value in _GOOD.items() if name != "payload"},
    ),
    _fault(
        *("empty-payload", "O PS7 responde com payload vazio", "rejected", "no_payload"),
        body={**_GOOD, "payload": {}},
    ),
    _fault(
        *("unreadable", "Uma página HTML com status 200 no lugar do JSON"),
        *("unavailable", "not_json"),
        body=_PAGE,
        headers={"Content-Type": "text/html; charset=utf-8"},
    ),
    _fault(
        *("too-large", "Uma resposta com mais de 64 KiB", "unavailable", "answer_too_large"),
        body={**_GOOD, "message": "x" * 65 * 1024},  # a KiB more than it may have,
    ),
    _fault(
        *("huge-header", "100 KiB de cabeçalhos", "unavailable", "not_http"),
        headers={"X-Padding": "x" * 100 * 1024},
    ),
    _fault(
        *("not-http", "Bytes que não são HTTP", "unavailable", "not_http"),
        body=bytes(range(256)),
        delivery="bare",
    ),
    _fault(
        *("forged-message", "A mensagem de erro traz quebras de linha e códigos ANSI"),
        *("rejected", "business_failure"),
        status=500,
        body={"code": "1", "message": _FORGED},
    ),
    _fault(
        *("echo", "O gateway devolve os cabeçalhos da requisição, inclusive a senha"),
        *("denied", "forbidden"),
        status=403,
        body=b"",
        delivery="echoed",
    ),
    _fault(
        *("cookie", "Uma boa resposta que traz um cookie", "ok", "ok"),
        headers={"Set-Cookie": "session=of-this-customer; Path=/"},
    ),
    _fault("late", "Uma boa resposta depois de 50 a 250 ms", "ok", "ok", delivery="late"),
    _fault(
        *("flapping", "Duas falhas, e depois boas respostas", "ok", "ok"),
        after=("http-503", "reset"),
    ),
)


def _all() -> Iterator[Fault]:
    yield from _OTHERS
    for status, outcome, reason, retried, shape, text, title in _STATUSES:
        body = dict(zip(shape, (str(status), text), strict=True))
        named = (f"http-{status}", f"{title} ({status})")
        yield Fault(*named, outcome, reason, retried, status, body)
    for name, seconds, delivery, retried, title in _THROTTLED:
        yield Fault(
            *(name, title, "unavailable", "too_many_requests", retried, 429),
            body=dict(zip(_ERROR, ("429", "slow down"), strict=True)),
            headers={"Retry-After": seconds},
            delivery=delivery,
        )
    for status in (301, 302, 307, 308):
        named = (f"http-{status}", f"O gateway redireciona para outro host ({status})")
        moved = {"Location": ELSEWHERE}
        yield _fault(*named, "unavailable", "redirect", status=status, headers=moved)
    for name, delivery, reason, retried, title in _BROKEN:
        yield _fault(name, title, "unavailable", reason, retried=retried, delivery=delivery)


FAULTS: dict[str, Fault] = {fault.name: fault for fault in _all()}
"""The faults, by name.

Examples:
    >>> [name for name, fault in FAULTS.items() if fault.outcome == "denied"]
    ['echo', 'http-401', 'http-403']

"""
