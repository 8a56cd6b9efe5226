"""The connection below a lookup, opened once more: what a `Reason` does not tell.

Nothing here judges whether the certificate of PS7 is trusted: the lookup has done so.
"""

from __future__ import annotations

import base64
import re
import socket
import ssl
import warnings
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from cryptography import x509

from ..findings import Finding, finding, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from ...settings import PS7Settings

_PORTS = {"https": 443, "http": 80}
_TUNNEL_REFUSED = re.compile(r"Tunnel connection failed: (\d+)")
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"})
_DAYS_LEFT = 30
"""From then on it is time to ask for a new certificate."""


def look(settings: PS7Settings) -> Finding | bytes | None:
    """Connect to PS7 as a lookup does, through the proxy if there is one.

    Return the first fault, or the certificate that PS7 shows; None if it answers without TLS.
    """
    proxy = settings.proxy.get_secret_value() if settings.proxy else None
    first, ps7 = urlsplit(proxy or settings.base_url), urlsplit(settings.base_url)
    port, seconds = first.port or _PORTS[first.scheme], settings.connect_timeout
    connection = HTTPConnection(str(first.hostname), port, timeout=seconds)
    if proxy is not None and ps7.scheme == "https":
        login = f"{unquote(first.username or '')}:{unquote(first.password or '')}"
        basic = f"Basic {base64.b64encode(login.encode()).decode()}"
        headers = {"Proxy-Authorization": basic} if first.username else {}
        connection.set_tunnel(str(ps7.hostname), ps7.port or _PORTS["https"], headers)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if settings.client_cert is not None:
        context.load_cert_chain(settings.client_cert, settings.client_key)
    try:
        connection.connect()
        if ps7.scheme == "http":
            return None
        with context.wrap_socket(connection.sock, server_hostname=ps7.hostname) as secured:
            return secured.getpeercert(binary_form=True)
    except ssl.SSLError as failure:
        return _no_tls(failure, settings)
    except (OSError, HTTPException, UnicodeError) as failure:
        return _no_connection(failure, settings)
    finally:
        connection.close()


def address(url: str) -> str:
    """Return host and port of a URL, as a URL writes them."""
    parts = urlsplit(url)
    host = shown(parts.hostname or "")
    return f"{f'[{host}]' if ':' in host else host}:{parts.port or _PORTS[parts.scheme]}"


def _no_tls(failure: ssl.SSLError, settings: PS7Settings) -> Finding:
    at, word = address(settings.base_url), getattr(failure, "reason", None)
    return finding("tls-none" if word in _NOT_TLS else "tls", at=at, why=word)


def _no_connection(failure: Exception, settings: PS7Settings) -> Finding:
    proxy = settings.proxy.get_secret_value() if settings.proxy else None
    first, who = (settings.base_url, "PS7") if proxy is None else (proxy, "the proxy")
    if isinstance(failure, HTTPException):
        return finding("proxy")
    if refusal := _TUNNEL_REFUSED.match(str(failure)):
        key = "proxy-login" if refusal[1] == "407" else "proxy-refused"
        return finding(key, at=address(settings.base_url), status=refusal[1])
    ps7 = urlsplit(settings.base_url)
    unread = getproxies().get(ps7.scheme) and not proxy_bypass(ps7.hostname or "")
    hint = f"; {ps7.scheme.upper()}_PROXY is not read: if PS7 is behind it, set PS7_PROXY"
    hint = hint if unread and proxy is None else ""
    if isinstance(failure, (socket.gaierror, UnicodeError)):
        host = shown(urlsplit(first).hostname or "")
        return finding("dns", who=who, host=host, hint=hint)
    why = getattr(failure, "strerror", None) or str(failure)
    return finding("tcp", who=who, at=address(first), why=why, hint=hint)


def check_server(der: bytes, now: datetime) -> Iterator[Finding]:
    """Return how long the certificate that PS7 shows is still valid."""
    for certificate in _load(ssl.DER_cert_to_PEM_cert(der).encode()):
        yield _expiry("tls-certificate", certificate.issuer, certificate, now)


def check_files(settings: PS7Settings, now: datetime) -> Iterator[Finding]:
    """Return how long the certificates in the files of the settings are still valid."""
    # Of several authorities, the last to end: others may be there until nothing needs them.
    trusted = _load(settings.ca_file.read_bytes()) if settings.ca_file else []
    for last in sorted(trusted, key=lambda each: each.not_valid_after_utc)[-1:]:
        yield _expiry("authority", last.subject, last, now)
    # What is shown is the first one; those that follow are the way up to an authority.
    for own in _load(settings.client_cert.read_bytes())[:1] if settings.client_cert else ():
        yield _expiry("client-certificate", own.subject, own, now)


def describe(der: bytes) -> str:
    """Return the hosts, the issuer and the dates of a certificate that is not trusted."""
    for certificate in _load(ssl.DER_cert_to_PEM_cert(der).encode()):
        begin, end = certificate.not_valid_before_utc.date(), certificate.not_valid_after_utc.date()
        try:
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
            hosts = shown(", ".join(str(name.value) for name in names.value))
        except (x509.ExtensionNotFound, ValueError):
            hosts = "no host at all"
        issuer = shown(certificate.issuer.rfc4514_string())
        return f"it is for {hosts}, issued by {issuer}, good from {begin} to {end}"
    return "it cannot be read"


def _load(pem: bytes) -> list[x509.Certificate]:
    """Load certificates; none if OpenSSL takes a form that `cryptography` does not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd serial numbers, which old authorities have
        try:
            return x509.load_pem_x509_certificates(pem)
        except ValueError:
            return []


def _expiry(key: str, name: x509.Name, held: x509.Certificate, now: datetime) -> Finding:
    end = held.not_valid_after_utc
    days = (end - now).days
    state = "-expired" if days < 0 else "-ends-soon" if days < _DAYS_LEFT else ""
    left = f"{days} day{'' if days == 1 else 's'}"
    return finding(key + state, whose=shown(name.rfc4514_string()), end=end.date(), left=left)
