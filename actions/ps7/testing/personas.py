"""Named customers, as data: what PS7 answers about each, and what a bot must know afterwards.

All of them are made up. `answer` is PS7's side and `slots` the bot's; both are written down from
the interface's documentation and the slot table, so that one checks the other. A new customer is a
new row of `_PERSONAS`. Nothing here knows the plugin or the simulator.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Persona:
    """A customer who arrives at the bot with a contextId.

    Examples:
        >>> ana = PERSONAS["ana"]
        >>> ana.payload["u_cc"], ana.slots["account"]
        ('00123456', '00123456')

    """

    name: str
    context_id: str
    """What the channel sends with the conversation: ASCII, easily typed."""
    title: str
    """Who arrives, how they were identified and whether their token is valid, in a line (pt-BR)."""
    answer: dict[str, Any] = field(repr=False)
    """The whole JSON body of PS7's answer."""
    slots: dict[str, str | None] = field(repr=False)
    """What a bot that declares every slot must end up with, nulls included, by default names.

    `ps7_context`, `ps7_expires_at` and `ps7_payload` are left out: the first two differ from run to
    run, and the third is `payload`.
    """

    @property
    def payload(self) -> dict[str, Any]:
        """The customer's data as on the wire, under `payload` or under `data`."""
        payload: dict[str, Any] = self.answer.get("payload") or self.answer["data"]
        return payload


_SENT = ("u_cpf", "u_ag", "u_cc", "u_seg", "u_id", "u_dseg", "u_dsok")
_KNOWN = ("cpf", "cpf_masked", "identification", "security_device", "token_status")
_AS_SENT = {
    "agency": "u_ag",
    "account": "u_cc",
    "segment": "u_seg",
    "ivr_option": "u_dest",
    "phone_number": "u_numA",
    "id_document": "u_tpid",
}


def _sent(*values: object) -> dict[str, Any]:
    return dict(zip(_SENT, values, strict=True))


def _known(*values: str | None) -> dict[str, str | None]:
    return dict(zip(_KNOWN, values, strict=True))


def _persona(
    name: str,
    title: str,
    payload: dict[str, Any],
    known: dict[str, str | None],
    *,
    under: str = "payload",
    **envelope: object,
) -> Persona:
    """Return a persona; `known` are the slots that do not show simply the text that was sent."""
    key = f"key-{name}"
    usual = {"message": "success", "code": "0", "key": key, "expireIn": "3600"}
    answer = {**usual, "decodedContextId": name, under: payload, **envelope}
    return Persona(name, name, title, answer, _slots(payload, known, key, name))


def _slots(
    payload: dict[str, Any], known: dict[str, str | None], key: str, decoded: str
) -> dict[str, str | None]:
    as_sent = {slot: payload.get(field_name) for slot, field_name in _AS_SENT.items()}
    found = {"ps7_status": "ok", **known, "ps7_key": key, "ps7_decoded_context_id": decoded}
    return {**as_sent, **found}


# The example of the interface's documentation, word for word. Its account has another name in
# `contexto`, it carries no `code`, and its `expireIn` is a date of the past.
_EXAMPLE_FIELDS = {
    "u_cpf": "CPF",
    "u_ag": "Agency",
    "u_seg": "segment",
    "u_dest": "IVR-30hours chosen option",
    "u_numA": "Customer PhoneNumber",
    "u_dseg": "Token",
    "u_dsok": "S",
    **dict.fromkeys(("u_ion", "u_display", "u_ura", "u_fmt", "u_codop", "u_tag"), ""),
    "u_tpid": "S",
}
_EXAMPLE_ACCOUNT = "13156463165468461654"
_EXAMPLE_PAYLOAD = {
    **_EXAMPLE_FIELDS,
    "u_cc": _EXAMPLE_ACCOUNT,
    "contexto": {**_EXAMPLE_FIELDS, "u_cssc": _EXAMPLE_ACCOUNT},
}
_EXAMPLE = Persona(
    name="exemplo",
    context_id="123123213",
    title="O exemplo da documentação da interface, ao pé da letra",
    answer={"expireIn": "2021-03-21", "key": "12311", "decodedContextId": "2"}
    | {"payload": _EXAMPLE_PAYLOAD},
    slots=_slots(_EXAMPLE_PAYLOAD, _known("CPF", None, None, "token", "valid"), "12311", "2"),
)

_PERSONAS = (
    _EXAMPLE,
    _persona(
        "ana",
        "Ana, Personnalité: autenticada, token válido",
        _sent("52998224725", "0341", "00123456", "Personnalité", "AUT", "Token", "S")
        | {"u_dest": "saldo", "u_numA": "5511900000001", "u_tpid": "RG"},
        _known("52998224725", "***.982.247-**", "authenticated", "token", "valid"),
    ),
    _persona(
        "bruno",
        "Bruno, Varejo: só identificado, token não validado",
        _sent("11144477735", "1200", "00004321", "Varejo", "IDE", "Token", "N")
        | {"u_dest": "cartao", "u_numA": "5521900000002"},
        _known("11144477735", "***.444.777-**", "identified", "token", "invalid"),
    ),
    _persona(
        "carla",
        "Carla, Uniclass: não identificada, sem dispositivo de segurança",
        _sent("98765432100", "0077", "00555501", "Uniclass", "NID", "none", "N"),
        _known("98765432100", "***.654.321-**", "not_identified", "none", "absent"),
    ),
    _persona(
        "diego",
        "Diego, Private: autenticado, CSI válido, validade em forma de data",
        _sent("39053344705", "0910", "00900019", "Private", "AUT", "CSI", "S")
        | {"u_dest": "investimentos", "u_tpid": "CNH"},
        _known("39053344705", "***.533.447-**", "authenticated", "csi", "valid"),
        expireIn="2099-12-31",
    ),
    _persona(
        "elisa",
        "Elisa, Empresas: identificada, CSI não validado",
        _sent("15350946056", "3003", "00700070", "Empresas", "IDE", "CSI", "N")
        | {"u_dest": "pagamentos"},
        _known("15350946056", "***.509.460-**", "identified", "csi", "invalid"),
    ),
    _persona(
        "fabio",
        "Fábio, Varejo: autenticado, token válido, dados só em payload.contexto",
        {
            "contexto": {
                "u_cpf": "86288366757",
                "u_ag": "0015",
                "u_cssc": "00001509",
                "u_seg": "Varejo",
                "u_id": "AUT",
                "u_dseg": "Token",
                "u_dsok": "S",
            },
        },
        _known("86288366757", "***.883.667-**", "authenticated", "token", "valid")
        | {"agency": "0015", "account": "00001509", "segment": "Varejo"},
    ),
    _persona(
        "gisele",
        "Gisele, Personnalité: autenticada, sem dispositivo, CPF em 14 dígitos",
        _sent("00001234567890", "0002", "00020002", "Personnalité", "AUT", "none", ""),
        _known("01234567890", "***.345.678-**", "authenticated", "none", "absent"),
    ),
    _persona(
        "heitor",
        "Heitor, Uniclass: identificado, token válido, dados em data, e não em payload",
        _sent("71428793860", "0440", "00440440", "Uniclass", "IDE", "Token", "S"),
        _known("71428793860", "***.287.938-**", "identified", "token", "valid"),
        under="data",
    ),
    _persona(
        "iara",
        "Iara, Varejo: autenticada, token válido, números sem aspas, contexto de 2 segundos",
        _sent(45317828791, 2468, 10203040, "Varejo", "AUT", "Token", "S"),
        _known("45317828791", "***.178.287-**", "authenticated", "token", "valid")
        | {"agency": "2468", "account": "10203040"},
        code=0,
        expireIn=2,
    ),
    _persona(
        "joao",
        "João, Empresas: identificação desconhecida, nada sobre o token, CPF com pontuação",
        _sent("123.456.789-09", " 0099 ", "00990099", "Empresas", "BIO", None, None),
        _known("12345678909", "***.456.789-**", None, None, None) | {"agency": "0099"},
    ),
)

PERSONAS: dict[str, Persona] = {persona.name: persona for persona in _PERSONAS}
"""The customers, by name.

Examples:
    >>> PERSONAS["diego"].slots["segment"]
    'Private'

"""
