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

from .report import Finding, caution, error, ok, shown

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
    if word in _NOT_TLS:
        how = "check the port of PS7_BASE_URL: one for http may answer there"
        return error("tls-none", f"{at} does not speak TLS", how)
    how = "check the port of PS7_BASE_URL, whether the gateway speaks TLS 1.2 or newer, and "
    how += "whether something in between, such as a firewall, ends connections"
    return error("tls", f"the TLS handshake with {at} fails ({word})", how)


def _no_connection(failure: Exception, settings: PS7Settings) -> Finding:
    proxy = settings.proxy.get_secret_value() if settings.proxy else None
    first, who = (settings.base_url, "PS7") if proxy is None else (proxy, "the proxy")
    if isinstance(failure, HTTPException):
        found = "what PS7_PROXY names does not answer as an HTTP proxy"
        return error("proxy", found, "check its host and port")
    refusal = _TUNNEL_REFUSED.match(str(failure))
    if refusal is not None and refusal[1] == "407":
        found = "the proxy refuses the credentials in PS7_PROXY, or misses them (HTTP 407)"
        how = "write user and password into PS7_PROXY: http://user:password@host:port"
        return error("proxy-login", found, how)
    if refusal is not None:
        at = address(settings.base_url)
        found = f"the proxy does not let through to {at} (HTTP {refusal[1]})"
        how = "have host and port of PS7 allowed at the proxy, and check that it can reach them"
        return error("proxy-refused", found, how)
    ps7 = urlsplit(settings.base_url)
    unread = getproxies().get(ps7.scheme) and not proxy_bypass(ps7.hostname or "")
    hint = f"; {ps7.scheme.upper()}_PROXY is not read: if PS7 is behind it, set PS7_PROXY"
    hint = hint if unread and proxy is None else ""
    if isinstance(failure, (socket.gaierror, UnicodeError)):
        found = f"the name of {who}, {shown(urlsplit(first).hostname or '')}, leads to no address"
        how = "check the name, and that the DNS of this machine knows it"
        return error("dns", found, f"{how}{hint}")
    why = getattr(failure, "strerror", None) or str(failure)
    found = f"no connection to {who} at {address(first)}: {why}"
    how = f"check host and port, that {who} is up, and that no firewall keeps this machine out"
    return error("tcp", found, f"{how}{hint}")


def check_server(der: bytes, now: datetime) -> Iterator[Finding]:
    """Return how long the certificate that PS7 shows is still valid."""
    for certificate in _load(ssl.DER_cert_to_PEM_cert(der).encode()):
        whose = f"the certificate of PS7 (issued by {shown(certificate.issuer.rfc4514_string())})"
        how = "tell the team that runs PS7's gateway"
        yield _expiry(whose, "tls-certificate", certificate, now, how)


def check_files(settings: PS7Settings, now: datetime) -> Iterator[Finding]:
    """Return how long the certificates in the files of the settings are still valid."""
    # Of several authorities, the last to end: others may be there until nothing needs them.
    trusted = _load(settings.ca_file.read_bytes()) if settings.ca_file else []
    for last in sorted(trusted, key=lambda each: each.not_valid_after_utc)[-1:]:
        whose = f"the certificate in PS7_CA_FILE ({shown(last.subject.rfc4514_string())})"
        how = "put its successor into the file of PS7_CA_FILE"
        yield _expiry(whose, "authority", last, now, how)
    # What is shown is the first one; those that follow are the way up to an authority.
    for own in _load(settings.client_cert.read_bytes())[:1] if settings.client_cert else ():
        whose = f"the certificate in PS7_CLIENT_CERT ({shown(own.subject.rfc4514_string())})"
        how = "ask for a new one, and put it into the file of PS7_CLIENT_CERT"
        yield _expiry(whose, "client-certificate", own, now, how)


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


def _expiry(whose: str, prefix: str, held: x509.Certificate, now: datetime, how: str) -> Finding:
    end = held.not_valid_after_utc
    days = (end - now).days
    if days < 0:
        return error(f"{prefix}-expired", f"{whose} ended on {end.date()}", how)
    text = f"{whose} is good until {end.date()}: {days} day{'' if days == 1 else 's'} left"
    return caution(f"{prefix}-ends-soon", text, how) if days < _DAYS_LEFT else ok(prefix, text)
