"""Signed arrival: a contextId is accepted only inside a token that the bank's back-end signed.

On an open channel, a user can send any contextId. If `PS7_ARRIVAL_KEYS` is set, the channel sends
an arrival token instead (JWS with HS256, RFC 7515), with these claims:

    contextId   the contextId; `encoded` beside it, if PS7 needs it
    sub         the `sender_id` of the conversation that the token was made for
    iat, exp    when it was made and until when it may arrive (RFC 7519), at most 120 s apart

Reading is pure: keys, a token and a sender id in, a `Found` out. The library is PyJWT.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jwt
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError

from .. import clock
from ..outcomes import Reason
from .context_id import Found, encoding, fingerprint, unusable, usable

if TYPE_CHECKING:
    from collections.abc import Sequence

ALGORITHM = "HS256"
MAX_SECONDS = 120
"""From `iat` to `exp`: time enough for a page to open a chat, and for nothing else."""
MAX_LENGTH = 4096
"""Characters of a token. Nothing longer is even decoded."""
_CLOCKS_DIFFER = 10.0
"""Seconds by which the back-end's clock may be ahead of ours."""

ARRIVAL_REFUSED = {
    Reason.ARRIVAL_SIGNATURE: "no key of PS7_ARRIVAL_KEYS signed its token",
    Reason.ARRIVAL_CLAIMS: "claims of its token are missing or cannot be used",
    Reason.ARRIVAL_CONVERSATION: "its token was made for another conversation",
    Reason.ARRIVAL_TIME: "its token was no longer valid as it came, or not yet",
    Reason.TOO_MANY_CONTEXT_IDS: "this session has asked about too many others",
}
"""Why an arrival was refused, in words."""


class _Claims(BaseModel):
    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    context_id: Any = Field(alias="contextId")
    encoded: Any = None
    sub: str
    iat: FiniteFloat
    exp: FiniteFloat


class ArrivalVerifier:
    """Verifies arrival tokens. Without keys every contextId is accepted as it came."""

    def __init__(self, keys: Sequence[str], default_encoded: int | None = None) -> None:
        """Take the secrets of the bank's back-end, newest first; each of them may have signed.

        `default_encoded` goes to PS7 if a token has no `encoded`.
        """
        self._keys = tuple(keys)
        self._default_encoded = default_encoded

    def read(self, found: Found, sender_id: str) -> Found:
        """Return what was found with the contextId of its token; or refused, and why.

        Everything is verified but the time: see `Found.may_arrive_at`.
        """
        if not self._keys:
            return found if found.context_id is not None else refused(found)
        claims = self._verified(found.value)
        if isinstance(claims, Reason):
            return refused(found, claims)
        try:
            said = _Claims.model_validate(claims)
        except ValidationError:
            return refused(found, Reason.ARRIVAL_CLAIMS)
        context_id = usable(said.context_id)
        if context_id is None or not 0 < said.exp - said.iat <= MAX_SECONDS:
            return refused(found, Reason.ARRIVAL_CLAIMS)
        if said.sub != sender_id:
            return refused(found, Reason.ARRIVAL_CONVERSATION)
        # It decides who is looked up, so it is the token's: what came beside that is not signed.
        encoded = encoding(said.encoded, self._default_encoded)
        return replace(
            found,
            context_id=context_id,
            fingerprint=fingerprint(context_id, encoded),
            encoded=encoded,
            valid=(said.iat - _CLOCKS_DIFFER, said.exp),
        )

    def _verified(self, token: object) -> dict[str, Any] | Reason:
        """Return the claims of a token that one of the keys signed, else why it is refused."""
        if not isinstance(token, str) or len(token) > MAX_LENGTH:
            return Reason.ARRIVAL_SIGNATURE
        for key in self._keys:
            try:
                return jwt.decode(token, key, algorithms=[ALGORITHM], options=_LEFT_TO_US)
            except (jwt.InvalidAudienceError, jwt.ImmatureSignatureError):
                return Reason.ARRIVAL_CLAIMS  # of a token that this key signed
            # A token's JSON can be nested deeper than Python reads, and its text no Unicode.
            except (jwt.PyJWTError, RecursionError, UnicodeError):
                continue
        return Reason.ARRIVAL_SIGNATURE


_LEFT_TO_US: Any = {
    "verify_signature": True,
    **dict.fromkeys(("verify_exp", "verify_iat", "verify_sub", "verify_jti"), False),
}
"""`situation` judges the time, by the message that brought the token, and `_Claims` the types.
PyJWT judges `aud` and `nbf`: a token for another audience is not for this bot."""


def refused(found: Found, reason: Reason | None = None) -> Found:
    """Return what was found without its contextId and what came beside it.

    No reason: the value is not usable.
    """
    return Found(None, unusable(found.value), value=found.value, refused=reason)


def sign(
    key: str,
    context_id: str,
    sender_id: str,
    *,
    seconds: int = MAX_SECONDS,
    encoded: int | None = None,
) -> str:
    """Make the token by which a contextId arrives in one conversation, as a back-end would.

    `key` is the newest of `PS7_ARRIVAL_KEYS`; `seconds` is how long from now it may arrive.
    """
    made = int(clock.utc_now().timestamp())
    claims = {"contextId": context_id, "sub": sender_id, "iat": made, "exp": made + seconds}
    more = {} if encoded is None else {"encoded": encoded}
    return jwt.encode(claims | more, key, algorithm=ALGORITHM)
