"""`rasa-ps7 doctor` on the way to PS7: DNS, TCP, a proxy, TLS. It names the fault, and no other."""

from __future__ import annotations

import socket
import ssl
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from actions.ps7.cli.doctor import handshake, reach
from tests.host.doctor_servers import (
    BY_TLS,
    CA,
    REACHED,
    SETTINGS,
    TIME,
    TLS,
    TLS_IN_TESTS,
    WELL,
    Case,
    bare_machine,
    behind_proxy,
    blunt,
    judge,
    nowhere,
    secured,
    summary,
)
from tests.host.loopback import http
from tests.host.test_client import settings_for
from tests.host.test_tls import Authority, Bank

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["bare_machine"]
pytestmark = TLS_IN_TESTS

OPERATOR = "ell whoever runs PS7's gateway, and check this machine's clock.\n"

CASES = [
    Case("well-tls", (), secured(), BY_TLS + TLS + WELL + summary(0, 0), code=0),
    Case(
        "dns",
        ("dns",),
        nowhere("https://cec..example.com"),
        SETTINGS.replace("URL", "https://cec..example.com")
        + TIME
        + """\

Network
  error    the name of PS7, cec..example.com, leads to no address
           Check the name, and that the DNS of this machine knows it.
  skipped  TCP, TLS and PS7 itself, until this is repaired
"""
        + summary(),
    ),
    Case(
        "tcp",
        ("tcp",),
        nowhere("https://127.0.0.1:{port}"),
        SETTINGS
        + TIME
        + """\

Network
  ok       127.0.0.1 is an address: there is no name to resolve
  error    no connection to PS7 at 127.0.0.1:PORT: nobody listens there
           Check host and port, that PS7 is up, and that no firewall keeps this machine out.
  skipped  TLS and PS7 itself, until this is repaired
"""
        + summary(),
    ),
    Case(
        "tls-none",
        ("tls-none",),
        blunt(http(status="400 Bad Request")),
        SETTINGS
        + TIME
        + REACHED
        + """\
  error    127.0.0.1:PORT does not speak TLS
           Check the port of PS7_BASE_URL: one for http may answer there.
  skipped  PS7 itself, until this is repaired
"""
        + summary(),
    ),
    Case(
        "tls",
        ("tls",),
        blunt(b""),
        SETTINGS
        + TIME
        + REACHED
        + """\
  error    the TLS handshake with 127.0.0.1:PORT fails (WORD)
           Check the port of PS7_BASE_URL, ask whoever runs PS7's gateway what it wants (TLS 1.2 \
at least), and whether something in between, such as a firewall, ends connections.
  skipped  PS7 itself, until this is repaired
"""
        + summary(),
    ),
    Case(
        "tls-unknown-ca",
        ("tls-unknown-ca",),
        secured(trusts="other"),
        BY_TLS
        + """\
  error    the certificate of 127.0.0.1:PORT is not accepted: it is for 127.0.0.1, issued by \
trustme vVERSION, good until DAY
           Nobody whom we trust issued it: put the certificate of the authority that issued it \
into the file of PS7_CA_FILE.
  skipped  PS7 itself, until this is repaired
"""
        + summary(),
    ),
    Case(
        "tls-wrong-host",
        ("tls-wrong-host",),
        secured("cec.example.com"),
        BY_TLS
        + """\
  error    the certificate of 127.0.0.1:PORT is not accepted: it is for cec.example.com, issued \
by trustme vVERSION, good until DAY
           It is for another host: write in PS7_BASE_URL a name that the certificate is for, or \
have one issued for the name that stands there.
  skipped  PS7 itself, until this is repaired
"""
        + summary(),
    ),
    Case(
        "tls-expired",
        ("tls-expired",),
        secured(not_before=-9, not_after=-1),
        BY_TLS
        + """\
  error    the certificate of 127.0.0.1:PORT is not accepted: it is for 127.0.0.1, issued by \
trustme vVERSION, good until DAY
           Its time is over: t"""
        + OPERATOR
        + """\
  skipped  PS7 itself, until this is repaired
"""
        + summary(),
    ),
    Case(
        "tls-early",
        ("tls-certificate",),
        secured(not_before=1, not_after=9),
        BY_TLS
        + """\
  error    the certificate of 127.0.0.1:PORT is not accepted (certificate is not yet valid): \
it is for 127.0.0.1, issued by trustme vVERSION, good until DAY
           T"""
        + OPERATOR
        + """\
  skipped  PS7 itself, until this is repaired
"""
        + summary(),
    ),
    Case(
        "tls-ends-soon",
        ("tls-certificate-ends-soon",),
        secured(not_before=-9, not_after=10),
        BY_TLS
        + """\
  ok       TLSv1.3 with 127.0.0.1:PORT: its certificate is trusted, and is for this host
  warning  the certificate of PS7 (issued by trustme vVERSION) is good until DAY: 9 days left
           Tell whoever runs PS7's gateway.
"""
        + WELL
        + summary(0, 1),
        code=0,
    ),
    *(
        Case(
            f"tls-client-wanted-{version.name}",
            ("tls-client-wanted",),
            secured(wants=version),
            BY_TLS
            + """\
  error    PS7 asks for a certificate of ours, and none is set
           Set PS7_CLIENT_CERT, and PS7_CLIENT_KEY if the key is in a file of its own.
  skipped  PS7 itself, until this is repaired
"""
            + summary(),
        )
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    ),
    *(
        Case(
            f"tls-client-refused-{version.name}",
            ("tls-client-refused",),
            secured(wants=version, shows="other"),
            SETTINGS
            + TIME
            + CA
            + """\
  ok       the certificate in PS7_CLIENT_CERT (trustme vVERSION) is good until DAY: N days left
"""
            + REACHED
            + """\
  error    PS7 does not accept the certificate in PS7_CLIENT_CERT
           Check that it is the one that was registered at PS7's gateway, and that it still holds.
  skipped  PS7 itself, until this is repaired
"""
            + summary(),
        )
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    ),
    Case(
        "proxy-well",
        (),
        behind_proxy(),
        BY_TLS
        + """\
  ok       the proxy lets through to 127.0.0.1:PORT
"""
        + TLS
        + WELL
        + summary(0, 0),
        code=0,
    ),
    Case(
        "proxy-login",
        ("proxy-login",),
        behind_proxy(http(status="407 Proxy Authentication Required")),
        BY_TLS
        + """\
  error    the proxy refuses the credentials in PS7_PROXY, or misses them (HTTP 407)
           Write user and password into PS7_PROXY: http://user:password@host:port.
  skipped  TLS and PS7 itself, until this is repaired
"""
        + summary(),
    ),
    Case(
        "proxy-refused",
        ("proxy-refused",),
        behind_proxy(http(status="403 Forbidden")),
        BY_TLS
        + """\
  error    the proxy does not let through to 127.0.0.1:PORT (HTTP 403)
           Have host and port of PS7 allowed at the proxy, and check that it can reach them.
  skipped  TLS and PS7 itself, until this is repaired
"""
        + summary(),
    ),
    Case(
        "proxy-none",
        ("proxy",),
        behind_proxy(b"SSH-2.0-OpenSSH\r\n\r\n"),
        BY_TLS
        + """\
  error    what PS7_PROXY names does not answer as an HTTP proxy
           Check its host and port.
  skipped  TLS and PS7 itself, until this is repaired
"""
        + summary(),
    ),
    Case(
        "proxy-down",
        ("tcp",),
        behind_proxy(down=True),
        SETTINGS
        + TIME
        + CA
        + """\

Network
  ok       127.0.0.1 is an address: there is no name to resolve
  error    no connection to the proxy at 127.0.0.1:PORT: nobody listens there
           Check host and port, that the proxy is up, and that no firewall keeps this machine out.
  skipped  the proxy, TLS and PS7 itself, until this is repaired
"""
        + summary(),
    ),
]


@pytest.mark.usefixtures("bare_machine")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_the_fault_is_named_and_nothing_else(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Word for word; the exit code says whether there is one, and no secret is shown."""
    await judge(case, tmp_path, monkeypatch, capsys)


def test_a_certificate_that_cannot_be_looked_at_any_more(tmp_path: Path) -> None:
    """The server is gone when it is looked at once more."""
    bank = Authority(tmp_path, "bank")
    with Bank(bank.server("127.0.0.1")) as server:
        ways = [socket.create_connection(("127.0.0.1", server.port))]

        def connect() -> socket.socket:
            if not ways:
                raise ConnectionRefusedError
            return ways.pop()

        settings = settings_for(server.url("127.0.0.1"))
        place = reach.place_of(settings.base_url, "PS7")
        (finding,) = handshake.shake(connect, place, settings, datetime.now(timezone.utc))
    assert finding.found == f"the certificate of {place.text} is not accepted: it cannot be read"
