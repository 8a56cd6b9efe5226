"""Named ways in which PS7 fails, as data: what the simulator answers, and the outcome it leads to.

A fault is reached like a customer: by sending its name as the contextId. A new one is a new row of
`_FAULTS`, and a new way of sending an answer a small function in `simulator/delivery.py`. Nothing
here knows the plugin: the outcomes are written down from the contract, not computed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Delivery = Literal["whole", "held"]
"""How an answer goes out: at once, or so late that nobody waits for it."""

_HTML = {"Content-Type": "text/html; charset=utf-8"}
_PAGE = b"<!DOCTYPE html><html><body><h1>Em manuten\xc3\xa7\xc3\xa3o</h1></body></html>"
_BEYOND_THE_CAP = 65 * 1024
"""Bytes: one more KiB than an answer may have."""


@dataclass(frozen=True)
class Fault:
    """One way in which PS7 fails."""

    name: str
    """Its name, which is also its contextId: ASCII, easily typed."""
    title: str
    """What happens, in one line (pt-BR)."""
    outcome: str
    """What `ps7_status` must say after a lookup."""
    status: int = 200
    body: bytes | Mapping[str, Any] = field(default=b"", repr=False)
    """A mapping goes out as JSON, bytes go out as they are."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Without a Content-Type the answer says `application/json`."""
    delivery: Delivery = "whole"

    @property
    def context_id(self) -> str:
        """The contextId that leads to this fault."""
        return self.name


def _good_but(**changed: object) -> dict[str, object]:
    """Give an answer that would be fine, but for what is changed.

    So it is the fault alone that keeps a client from taking it for a customer.
    """
    payload = {"u_cpf": "22233366638", "u_ag": "0001", "u_cc": "00000018", "u_seg": "Varejo"}
    return {"code": "0", "message": "success", "expireIn": "3600", "payload": payload, **changed}


def _without_payload() -> dict[str, object]:
    answer = _good_but()
    del answer["payload"]
    return answer


_FAULTS = (
    Fault(
        "not-found",
        "PS7 não conhece este contexto (code 1)",
        "rejected",
        body={"code": "1", "message": "context not found"},
    ),
    Fault(
        "no-payload",
        "PS7 responde sem payload",
        "rejected",
        body=_without_payload(),
    ),
    Fault(
        "empty-payload",
        "PS7 responde com payload vazio",
        "rejected",
        body=_good_but(payload={}),
    ),
    Fault(
        "http-400",
        "PS7 considera o pedido incorreto",
        "invalid",
        400,
        {"resultCode": "400", "resultDesc": "incorrect request"},
    ),
    Fault(
        "http-401",
        "PS7 não aceita as credenciais do bot",
        "denied",
        401,
        {"resultCode": "401", "resultDesc": "unauthorized"},
    ),
    Fault(
        "http-403",
        "O gateway proíbe o acesso do bot",
        "denied",
        403,
        {"error_code": "403", "error_msg": "forbidden"},
    ),
    Fault(
        "http-404",
        "O caminho não existe no gateway",
        "unavailable",
        404,
        {"error_code": "404", "error_msg": "no such path"},
    ),
    Fault(
        "http-500",
        "Falha de negócio documentada (500)",
        "rejected",
        500,
        {"code": "1", "message": "business failure"},
    ),
    Fault(
        "http-503",
        "PS7 está fora do ar (503)",
        "unavailable",
        503,
        {"error_code": "503", "error_msg": "service unavailable"},
    ),
    Fault(
        "unreadable",
        "Uma página HTML com status 200 no lugar do JSON",
        "unavailable",
        body=_PAGE,
        headers=_HTML,
    ),
    Fault(
        "too-large",
        "Uma resposta com mais de 64 KiB",
        "unavailable",
        body=_good_but(message="x" * _BEYOND_THE_CAP),
    ),
    Fault(
        "slow",
        "PS7 não responde a tempo",
        "unavailable",
        body=_good_but(),
        delivery="held",
    ),
)

FAULTS: dict[str, Fault] = {fault.name: fault for fault in _FAULTS}
"""Every fault by its name."""
