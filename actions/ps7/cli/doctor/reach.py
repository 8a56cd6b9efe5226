"""The way to PS7 below HTTP, first half: names, addresses, and a proxy.

Opens sockets of its own, with the standard library alone, to see more than an HTTP client tells.
Says nothing to PS7 itself: what is asked over HTTP goes through the plugin's own transport.
"""

from __future__ import annotations

import base64
import errno
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from .finding import Finding, caution, error, listed, ok, shown

if TYPE_CHECKING:
    from ...settings import PS7Settings

_PORTS = {"https": 443, "http": 80}
_MOST_ADDRESSES = 8
_MOST_HEADER_BYTES = 16 * 1024
_SUCCESS, _PROXY_LOGIN = 2, 407
_NO_ROUTE = "there is no route to it"


@dataclass(frozen=True)
class Place:
    """A host and port that is connected to, and the word for who is there."""

    host: str
    port: int
    who: str

    @property
    def text(self) -> str:
        """Write it as a URL does."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{shown(host)}:{self.port}"


def place_of(url: str, who: str) -> Place:
    """Give the place that a URL of the settings names."""
    parts = urlsplit(url)
    return Place(parts.hostname or "", parts.port or _PORTS[parts.scheme], who)


def unread_proxy(settings: PS7Settings) -> str:
    """Say that the environment names a proxy which the plugin does not take; else nothing."""
    parts = urlsplit(settings.base_url)
    named = getproxies().get(parts.scheme) and not proxy_bypass(parts.hostname or "")
    if settings.proxy is not None or not named:
        return ""
    return (
        f"; {parts.scheme.upper()}_PROXY is set, and the plugin does not read it: "
        "if PS7 is behind that proxy, set PS7_PROXY"
    )


def resolve(place: Place, hint: str) -> tuple[Finding, list[str]]:
    """Turn a name into addresses; give none beside an error."""
    host = shown(place.host)
    try:
        entries = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        found = f"the name of {place.who}, {host}, leads to no address"
        how = f"check the name, and that the DNS of this machine knows it{hint}"
        return error("dns", found, how), []
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in entries))[:_MOST_ADDRESSES]
    if addresses == [place.host]:
        return ok("dns", f"{host} is an address: there is no name to resolve"), addresses
    return ok("dns", f"{host} is {listed(addresses)}"), addresses


def knock(
    place: Place, addresses: list[str], seconds: float, hint: str
) -> tuple[Finding, str | None]:
    """Open and close a connection to each address; give the first that opens, if one does."""
    opened: list[str] = []
    failures: dict[str, str] = {}
    for address in addresses:
        try:
            socket.create_connection((address, place.port), seconds).close()
            opened.append(address)
        except OSError as failure:
            failures[address] = _why(failure, seconds)
    if not opened:
        whys = listed(list(dict.fromkeys(failures.values())))
        found = f"no connection to {place.who} at {place.text}: {whys}"
        how = (
            f"check host and port, that {place.who} is up, and that no firewall keeps this "
            f"machine out{hint}"
        )
        return error("tcp", found, how), None
    # Without a route there is no waiting either: usual for IPv6 in a container.
    closed = [f"{address} ({why})" for address, why in failures.items() if why != _NO_ROUTE]
    if closed:
        found = f"{place.text} answers at {listed(opened)}, and not at {listed(closed)}"
        how = f"tell whoever runs the DNS of {place.who}: lookups that try it first lose time"
        return caution("tcp-partly", found, how), opened[0]
    return ok("tcp", f"{place.text} accepts connections"), opened[0]


def _why(failure: OSError, seconds: float) -> str:
    if isinstance(failure, TimeoutError):
        return f"no answer within PS7_CONNECT_TIMEOUT ({seconds:g} s)"
    if isinstance(failure, ConnectionRefusedError):
        return "nobody listens there"
    if failure.errno in {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL}:
        return _NO_ROUTE
    return f"it fails ({errno.errorcode.get(failure.errno or 0, type(failure).__name__)})"


def pass_proxy(connection: socket.socket, proxy_url: str, target: Place) -> Finding:
    """Ask a proxy for a way through to PS7, as the HTTP client does."""
    lines = [f"CONNECT {target.text} HTTP/1.1", f"Host: {target.text}"]
    parts = urlsplit(proxy_url)
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(login.encode()).decode()}")
    try:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        status = _status(connection)
    except OSError:
        status = None
    if status is None:
        found = "what PS7_PROXY names does not answer as an HTTP proxy"
        return error("proxy", found, "check its host and port")
    if status == _PROXY_LOGIN:
        found = "the proxy refuses the credentials in PS7_PROXY, or misses them (HTTP 407)"
        how = "write user and password into PS7_PROXY: http://user:password@host:port"
        return error("proxy-login", found, how)
    if status // 100 != _SUCCESS:
        found = f"the proxy does not let through to {target.text} (HTTP {status})"
        how = "have host and port of PS7 allowed at the proxy, and check that it can reach them"
        return error("proxy-refused", found, how)
    return ok("proxy", f"the proxy lets through to {target.text}")


def _status(connection: socket.socket) -> int | None:
    """Read the head of an answer, and nothing behind it: that belongs to TLS."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = connection.recv(1)
        head += piece
        if not piece or len(head) > _MOST_HEADER_BYTES:
            return None
    words = head.split(None, 2)
    known = len(words) > 1 and words[0].startswith(b"HTTP/") and words[1].isdigit()
    return int(words[1]) if known else None
