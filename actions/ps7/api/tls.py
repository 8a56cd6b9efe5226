"""TLS: which authorities we trust, which certificate we show, and what went wrong.

Knows `ssl` and the settings, and no HTTP.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from ..errors import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..settings import PS7Settings

# X509_V_ERR_* of OpenSSL, from openssl/x509_vfy.h.
_VERIFY_CODES = {
    10: Reason.TLS_EXPIRED,
    18: Reason.TLS_UNKNOWN_CA,  # self-signed
    19: Reason.TLS_UNKNOWN_CA,  # self-signed, further up the chain
    20: Reason.TLS_UNKNOWN_CA,  # its issuer is not trusted
    21: Reason.TLS_UNKNOWN_CA,  # there is no issuer at all
    62: Reason.TLS_WRONG_HOST,  # a name
    64: Reason.TLS_WRONG_HOST,  # an address
}
_CERTIFICATE_ALERTS = ("CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED", "HANDSHAKE_FAILURE")
"""What a server's alert is about where it does not accept the client's certificate, or the lack
of one. TLS 1.2 servers say the last where none was shown; a lack of common ciphers looks alike."""


def context(settings: PS7Settings) -> ssl.SSLContext:
    """Build what a connection is checked by: TLS 1.2 at least, chain and host name verified.

    `PS7_CA_FILE` is trusted instead of the system's authorities; `PS7_CLIENT_CERT` is shown.
    """
    made = ssl.create_default_context(cafile=settings.ca_file)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.client_cert is not None:
        made.load_cert_chain(settings.client_cert, settings.client_key)
    return made


def reason(error: BaseException) -> Reason | None:
    """Return what TLS found wrong, None where the error is not about TLS."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _VERIFY_CODES.get(getattr(cause, "verify_code", 0), Reason.TLS)
        if isinstance(cause, ssl.SSLError):
            alert = getattr(cause, "reason", None) or ""  # OpenSSL's errors alone have it
            refused = "ALERT" in alert and any(word in alert for word in _CERTIFICATE_ALERTS)
            return Reason.TLS_CLIENT_REFUSED if refused else Reason.TLS
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what led to it, the errors that aiohttp carries as attributes included."""
    while error is not None:
        # aiohttp's own classes derive from those of `ssl` and lack their attributes.
        carried = getattr(error, "certificate_error", None) or getattr(error, "os_error", None)
        yield carried if isinstance(carried, BaseException) else error
        error = error.__cause__ or error.__context__
