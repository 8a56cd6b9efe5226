"""From PS7's answer to a `CustomerContext`: which field of the wire becomes what. Pure."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from .. import cpf
from ..context import (
    CustomerContext,
    Identification,
    SecurityDevice,
    TokenStatus,
    field_text,
    wire_text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

_Code = TypeVar("_Code")

# Codes as the interface documents them, compared without regard to case.
_IDENTIFICATION = {
    "aut": Identification.AUTHENTICATED,
    "ide": Identification.IDENTIFIED,
    "nid": Identification.NOT_IDENTIFIED,
}
_DEVICE = {
    "token": SecurityDevice.TOKEN,
    "csi": SecurityDevice.CSI,
    "none": SecurityDevice.NONE,
}
_ACCEPTED = {"s": TokenStatus.VALID, "n": TokenStatus.INVALID}

_CPF = "u_cpf"
UPSTREAM_ACCOUNT = "u_cssc"
"""`contexto` calls the account by this name in the documented example."""


class Decoded(NamedTuple):
    """A customer, and the wire names of the fields whose values the interface does not document."""

    customer: CustomerContext
    undocumented: tuple[str, ...]


def read_customer(
    payload: dict[str, Any],
    envelope: Mapping[str, Any],
    *,
    expires_at: datetime,
    strict_cpf: bool,
) -> Decoded:
    """Read the customer from an answer's payload and what stands around it (`envelope`).

    A value outside a documented list is None, and its field is named as undocumented: fail closed.
    A CPF that is not 11 digits is named too, and stays, unless `strict_cpf` asks for valid check
    digits.
    """
    raw = partial(field_text, payload)
    undocumented: list[str] = []

    def code(wire_name: str, known: Mapping[str, _Code]) -> _Code | None:
        text = raw(wire_name)
        meaning = known.get(text.lower()) if text else None
        if text and meaning is None:
            undocumented.append(wire_name)
        return meaning

    device = code("u_dseg", _DEVICE)
    accepted = code("u_dsok", _ACCEPTED)
    token_status = {None: None, SecurityDevice.NONE: TokenStatus.ABSENT}.get(device, accepted)
    number = _read_cpf(raw(_CPF), undocumented, strict=strict_cpf)
    customer = CustomerContext(
        cpf=number,
        agency=raw("u_ag"),
        account=raw("u_cc") or field_text({"contexto": payload.get("contexto")}, UPSTREAM_ACCOUNT),
        segment=raw("u_seg"),
        ivr_option=raw("u_dest"),
        phone_number=raw("u_numA"),
        id_document=raw("u_tpid"),
        identification=code("u_id", _IDENTIFICATION),
        security_device=device,
        token_status=token_status,
        expires_at=expires_at,
        key=wire_text(envelope.get("key")),
        decoded_context_id=wire_text(envelope.get("decodedContextId")),
        payload=payload,
    )
    return Decoded(customer, tuple(undocumented))


def _read_cpf(text: str | None, undocumented: list[str], *, strict: bool) -> str | None:
    if text is None:
        return None
    number = cpf.normalise(text)
    if not cpf.has_form(number) or (strict and not cpf.is_valid(number)):
        undocumented.append(_CPF)
    return number if not strict or cpf.is_valid(number) else None
