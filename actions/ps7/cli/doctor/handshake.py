"""The way to PS7 below HTTP, second half: TLS, as the plugin does it, and what went wrong in it."""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING

from ...api import tls
from ...errors import Reason
from . import certificates
from .finding import Finding, error, ok

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from datetime import datetime

    from ...settings import PS7Settings
    from .reach import Place

_SECONDS_TO_JUDGE = 0.2
"""With TLS 1.3 a server judges our certificate when we believe to be done. Its alert comes after
this time, and after as long as the way there and back takes."""
_TELL = "tell whoever runs PS7's gateway, and check this machine's clock"
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})


def shake(
    connect: Callable[[], socket.socket], place: Place, settings: PS7Settings, now: datetime
) -> list[Finding]:
    """Shake hands over a new connection: chain and name are checked, our certificate is shown."""
    context = tls.context(settings)
    started = time.monotonic()
    try:
        with context.wrap_socket(connect(), server_hostname=place.host) as secured:
            der = secured.getpeercert(binary_form=True) or b""
            version = secured.version()
            _wait_for_an_alert(secured, _SECONDS_TO_JUDGE + time.monotonic() - started)
    except OSError as failure:
        return [_refusal(failure, connect, place, settings)]
    text = f"{version} with {place.text}: its certificate is trusted, and is for this host"
    return [ok("tls", text), certificates.server(der, now)]


def _wait_for_an_alert(secured: ssl.SSLSocket, seconds: float) -> None:
    secured.settimeout(seconds)
    try:
        secured.recv(1)
    except TimeoutError:
        return  # it has nothing to say, and waits for a request


def _refusal(
    failure: OSError, connect: Callable[[], socket.socket], place: Place, settings: PS7Settings
) -> Finding:
    reason = tls.reason(failure)
    if isinstance(failure, ssl.SSLCertVerificationError):
        found = f"the certificate of {place.text} is not accepted"
        if reason is Reason.TLS:  # one of the many that have no word of their own
            found += f" ({failure.verify_message})"
        return not_trusted(reason, f"{found}: {_described(connect, place)}", settings)
    if reason is Reason.TLS_CLIENT_REFUSED:
        return client_refused(settings)
    if isinstance(failure, ssl.SSLError) and failure.reason in _NO_TLS:
        return error(
            "tls-none",
            f"{place.text} does not speak TLS",
            "check the port of PS7_BASE_URL: one for http may answer there",
        )
    word = getattr(failure, "reason", None) or type(failure).__name__
    return error(
        "tls",
        f"the TLS handshake with {place.text} fails ({word})",
        "check the port of PS7_BASE_URL, ask whoever runs PS7's gateway what it wants (TLS 1.2 at "
        "least), and whether something in between, such as a firewall, ends connections",
    )


def not_trusted(reason: Reason | None, found: str, settings: PS7Settings) -> Finding:
    """Say which of a certificate's faults it was, and what to do about it."""
    if settings.ca_file is None:
        how = "if the bank's own authority issued it, put that one's certificate into a file and "
        how += "set PS7_CA_FILE"
    else:
        how = "put the certificate of the authority that issued it into the file of PS7_CA_FILE"
    another = "write in PS7_BASE_URL a name that the certificate is for, or have one issued for "
    another += "the name that stands there"
    repairs = {
        Reason.TLS_UNKNOWN_CA: ("tls-unknown-ca", f"nobody whom we trust issued it: {how}"),
        Reason.TLS_WRONG_HOST: ("tls-wrong-host", f"it is for another host: {another}"),
        Reason.TLS_EXPIRED: ("tls-expired", f"its time is over: {_TELL}"),
    }
    usual = ("tls-certificate", _TELL)
    name, advice = repairs.get(reason or Reason.TLS, usual)
    return error(name, found, advice)


def client_refused(settings: PS7Settings) -> Finding:
    """Say that PS7 wants another certificate of ours, or one at all."""
    if settings.client_cert is None:
        return error(
            "tls-client-wanted",
            "PS7 asks for a certificate of ours, and none is set",
            "set PS7_CLIENT_CERT, and PS7_CLIENT_KEY if the key is in a file of its own",
        )
    return error(
        "tls-client-refused",
        "PS7 does not accept the certificate in PS7_CLIENT_CERT",
        "check that it is the one that was registered at PS7's gateway, and that it still holds",
    )


def _described(connect: Callable[[], socket.socket], place: Place) -> str:
    """Look at a certificate that is not trusted: shake hands once more, and say nothing after."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with context.wrap_socket(connect(), server_hostname=place.host) as secured:
            return certificates.describe(secured.getpeercert(binary_form=True) or b"")
    except (OSError, ValueError):
        return "it cannot be read"
