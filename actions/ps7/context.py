"""The language both sides speak: who the customer is.

Plain values only. Nothing here knows HTTP, Rasa or the settings.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from .cpf import mask
from .outcomes import Word

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Identification(Word):
    """How far the phone menu or the app knew the customer (`u_id`)."""

    AUTHENTICATED = "authenticated"
    IDENTIFIED = "identified"
    NOT_IDENTIFIED = "not_identified"


class SecurityDevice(Word):
    """The device that the customer has (`u_dseg`)."""

    TOKEN = "token"  # noqa: S105 - the name of a device, not a secret
    CSI = "csi"
    NONE = "none"


class TokenStatus(Word):
    """Whether the device was checked (`u_dsok`), or is not there at all."""

    VALID = "valid"
    INVALID = "invalid"
    ABSENT = "absent"


def is_blank(value: object) -> bool:
    """Whether a value is null or blank: as if its key were not there."""
    match value:
        case None:
            return True
        case str():
            return not value.strip()
    return False


def wire_text(value: object) -> str | None:
    """Read a value of the wire as text.

    Text is stripped, and blank text is None. A number becomes the text that the wire has. Any other
    type is None.
    """
    match value:
        case str():
            return value.strip() or None
        case bool():
            return None
        case int() | float():
            return str(value)
    return None


def field_text(payload: Mapping[str, Any], wire_name: str) -> str | None:
    """Read one field of a payload as text.

    A field that is missing or blank at the top is taken from `contexto`, the upstream payload.
    """
    text = wire_text(payload.get(wire_name))
    if text is None:
        upstream = payload.get("contexto")
        text = wire_text(upstream.get(wire_name)) if isinstance(upstream, dict) else None
    return text


class CustomerContext(BaseModel):
    """What PS7 said about the customer of one conversation.

    Every attribute but `expires_at` and `payload` may be None. A log may contain an instance: its
    `repr` shows only the categorical attributes.
    """

    # `from_attributes`: a host that reloads modules has instances of this class from before.
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, from_attributes=True)

    cpf: str | None = None
    """Natural person's register number: 11 digits if PS7 sent one, zeros in front included."""
    agency: str | None = None
    account: str | None = None
    segment: str | None = None
    ivr_option: str | None = None
    """The option that was chosen in the 30-hours phone menu."""
    phone_number: str | None = None
    id_document: str | None = None
    identification: Identification | None = None
    security_device: SecurityDevice | None = None
    token_status: TokenStatus | None = None
    expires_at: datetime
    """Until when this may be used, in UTC."""
    key: str | None = None
    """The key that the interface made for this context."""
    decoded_context_id: str | None = None
    payload: dict[str, Any] = Field(default_factory=dict)
    """The whole payload. A number that Python would write in another way is its text."""

    @property
    def authenticated(self) -> bool:
        """Whether the customer proved who they are before the chat began."""
        return self.identification == Identification.AUTHENTICATED

    @property
    def token_valid(self) -> bool:
        """Whether the customer's device was checked and accepted."""
        return self.token_status == TokenStatus.VALID

    @property
    def cpf_masked(self) -> str | None:
        """The CPF for display, such as `***.456.789-**`. It is no protection."""
        return mask(self.cpf)

    def field(self, wire_name: str) -> str | None:
        """Return the text of one field of the payload, by its name on the wire."""
        return field_text(self.payload, wire_name)

    def __repr_args__(self) -> Iterator[tuple[str, object]]:
        for name in ("identification", "security_device", "token_status"):
            value = getattr(self, name)
            yield name, value.value if value else None
