"""TLS and the proxy: what the plugin trusts, what it shows, and which refusal is logged."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
import socket
import socketserver
import ssl
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat
from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificate
from opentelemetry.metrics import CallbackOptions
from typing_extensions import Self

from actions.ps7 import PS7Client, PS7Settings, Reason, SettingsError, runtime, telemetry
from actions.ps7.cli.doctor import connection
from actions.ps7.testing import Simulator
from tests.host.loopback import TLS_IN_TESTS, Server, http
from tests.host.test_client import GOOD, failure_of, settings_for
from tests.support.log import Log
from tests.support.processes import free_port

Issue = Callable[["Authority", "Authority"], ssl.SSLContext]
"""What a server shows, from the bank's own authority and another one."""

pytestmark = [
    *(pytest.mark.versions, pytest.mark.usefixtures("isolated"), *TLS_IN_TESTS),
]
V1_2, V1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
REASON = "with TLS 1.3 the alert comes after the handshake: asyncio of 3.10 loses it"
LOSES_ALERTS = pytest.mark.skipif(sys.version_info < (3, 11), reason=REASON)


class Bank(socketserver.TCPServer):
    """PS7 behind TLS. It blocks in a thread: asyncio's servers send no alert about a client."""

    def __init__(
        self, context: ssl.SSLContext, answer: bytes = http(GOOD, "Connection: close")
    ) -> None:
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self.context, self.answer = context, answer
        self.heard: list[bytes] = []
        """Requests."""
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    def url(self, host: str = "localhost") -> str:
        return f"https://{host}:{self.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def finish_request(self, request: Any, _: object) -> None:  # noqa: ANN401 - as it is declared
        """Talk, and close the connection whether the client has gone or not."""
        request.settimeout(5)
        with suppress(OSError), request:
            request.getpeername()  # one that has gone: `ssl` would leave the socket open
            secured = self.context.wrap_socket(
                request, server_side=True, do_handshake_on_connect=False
            )
            with suppress(OSError):
                secured.do_handshake()
                heard = b""
                while b"}" not in heard and (piece := secured.recv(65536)):
                    heard += piece
                self.heard.append(heard)
                secured.sendall(self.answer)
            # Bytes that are not read would reset the connection, and take the alert with them.
            with socket.socket(fileno=secured.detach()) as plain:
                plain.shutdown(socket.SHUT_WR)
                while plain.recv(65536):
                    pass


@dataclass
class Authority:
    """An authority of a test's own, in files."""

    folder: Path
    name: str
    ca: trustme.CA = field(default_factory=trustme.CA)

    @property
    def file(self) -> Path:
        path = self.folder / f"{self.name}.pem"
        self.ca.cert_pem.write_to_path(path)
        return path

    def server(self, *hosts: str, **more: Any) -> ssl.SSLContext:  # noqa: ANN401 - handed on
        """Return the server's side with a certificate for these hosts."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ca.issue_cert(*hosts, **more).configure_cert(context)
        return context

    def client(self, **more: Any) -> Path:  # noqa: ANN401 - handed on
        """Write a client's certificate with its key into one file."""
        path = self.folder / f"client-of-{self.name}.pem"
        self.ca.issue_cert("bot.example", **more).private_key_and_cert_chain_pem.write_to_path(path)
        return path


def mutual(bank_ca: Authority, version: ssl.TLSVersion) -> ssl.SSLContext:
    """Return the side of a server that wants a certificate of the bank's."""
    context = bank_ca.server("localhost")
    context.verify_mode = ssl.CERT_REQUIRED
    bank_ca.ca.configure_trust(context)
    context.minimum_version = context.maximum_version = version
    return context


@pytest.fixture
def bank_ca(tmp_path: Path) -> Authority:
    """Return the bank's own authority."""
    return Authority(tmp_path, "bank")


@pytest.fixture
def other_ca(tmp_path: Path) -> Authority:
    """Return another authority."""
    return Authority(tmp_path, "other")


OPENSSL_SAYS = {
    Reason.TLS: "certificate is not yet valid",
    Reason.TLS_UNKNOWN_CA: "self-signed certificate|unable to get local issuer certificate",
    Reason.TLS_EXPIRED: "certificate has expired",
    Reason.TLS_WRONG_HOST: r"mismatch, certificate is not valid for '(localhost|127\.0\.0\.1)'",
    Reason.TLS_CLIENT_REFUSED: "ALERT",
}


async def refused(
    bank: Bank,
    log: Log,
    host: str = "localhost",
    **more: Any,  # noqa: ANN401 - any setting
) -> Reason:
    """Look up in vain; return the reason. Nothing of the request went out, and only once.

    The log has OpenSSL's own words as well.
    """
    async with PS7Client(settings_for(bank.url(host), **more)) as client:
        report = (await client.ask("C1")).report
    assert (report.outcome, report.status, report.attempts) == ("unavailable", None, 1)
    assert bank.heard == []
    assert log()[-1] == f"WARNING TLS with PS7 failed: {report.detail}"
    assert re.search(OPENSSL_SAYS[report.reason], report.detail)
    return report.reason


# Which authorities it trusts


async def test_the_authorities_are_those_of_the_system_or_the_file_only(
    bank_ca: Authority,
    other_ca: Authority,
    monkeypatch: pytest.MonkeyPatch,
    log: Log,
) -> None:
    """A bank that names its authority wants no other, not even the system's, to vouch for PS7.

    OpenSSL reads the system's from where `SSL_CERT_FILE` says.
    """
    with Bank(bank_ca.server("localhost")) as bank:
        assert await refused(bank, log) is Reason.TLS_UNKNOWN_CA
        monkeypatch.setenv("SSL_CERT_FILE", str(bank_ca.file))
        assert await refused(bank, log, ca_file=other_ca.file) is Reason.TLS_UNKNOWN_CA
        async with PS7Client(settings_for(bank.url())) as client:
            assert (await client.lookup("C1")).agency == "0341"


def of_another(*, by_itself: bool) -> Issue:
    """Return what shows another authority's certificate, by itself or sent along to be trusted."""

    def issue(_: Authority, other: Authority) -> ssl.SSLContext:
        leaf = other.ca.issue_cert("localhost").private_key_and_cert_chain_pem
        first = other.ca.private_key_pem if by_itself else leaf
        chain = other.folder / "chain.pem"
        chain.write_bytes(first.bytes() + other.ca.cert_pem.bytes())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context

    return issue


def living(begin: int, end: int) -> Issue:
    """Return what issues a certificate that is good between two days from now."""
    now = datetime.now(timezone.utc)
    life = {"not_before": now + timedelta(days=begin), "not_after": now + timedelta(days=end)}
    return lambda bank, _: bank.server("localhost", **life)


UNTRUSTED: dict[str, tuple[Issue, str, Reason]] = {
    "another authority": (of_another(by_itself=False), "localhost", Reason.TLS_UNKNOWN_CA),
    "signed by itself": (of_another(by_itself=True), "localhost", Reason.TLS_UNKNOWN_CA),
    "ran out yesterday": (living(-9, -1), "localhost", Reason.TLS_EXPIRED),
    "of tomorrow: without a word of its own": (living(1, 9), "localhost", Reason.TLS),
    "another name": (lambda bank, _: bank.server("x.com"), "localhost", Reason.TLS_WRONG_HOST),
    "no address": (lambda bank, _: bank.server("x.com"), "127.0.0.1", Reason.TLS_WRONG_HOST),
}


@pytest.mark.parametrize("name", UNTRUSTED)
async def test_a_certificate_that_is_not_good_is_refused(
    bank_ca: Authority, other_ca: Authority, log: Log, name: str
) -> None:
    """Once, and nothing of the request goes out; through a proxy as well, which opens no TLS."""
    issue, host, reason = UNTRUSTED[name]
    with Bank(issue(bank_ca, other_ca)) as bank:
        async with Proxy() as proxy:
            for more in ({}, {"proxy": proxy.url}):
                assert await refused(bank, log, host, ca_file=bank_ca.file, **more) is reason


def test_python_decides_how_strictly_a_certificate_is_read() -> None:
    """From 3.13 on an authority needs the key identifiers of RFC 5280, and before it does not."""
    ours, python = settings_for("https://ps7.example").tls_context(), ssl.create_default_context()
    assert (ours.verify_flags, ours.verify_mode) == (python.verify_flags, python.verify_mode)


async def test_no_file_of_the_environment_gets_the_keys_of_a_connection(
    bank_ca: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`SSLKEYLOGFILE`: who reads it could read customers and credentials."""
    keys = tmp_path / "keys"
    monkeypatch.setenv("SSLKEYLOGFILE", str(keys))
    with Bank(bank_ca.server("localhost")) as bank:
        async with PS7Client(settings_for(bank.url(), ca_file=bank_ca.file)) as client:
            await client.lookup("C1")
    assert "SECRET" not in keys.read_text()
    assert ssl.create_default_context().keylog_filename == str(keys), "this test shows nothing"


# What it shows


@pytest.mark.parametrize("version", [V1_2, V1_3])
@pytest.mark.parametrize("form", ["CERTIFICATE", "TRUSTED CERTIFICATE"])
async def test_a_server_shows_and_trusts_what_it_read_when_it_started(
    bank_ca: Authority,
    other_ca: Authority,
    monkeypatch: pytest.MonkeyPatch,
    version: ssl.TLSVersion,
    form: str,
) -> None:
    """`PS7_CLIENT_CERT`, its key in the same file; of the second form its end is not known.

    It is the first of its file, and not the authority's that follows. Its end is known before the
    first lookup, and new files on the disk change nothing.
    """
    monkeypatch.setattr(telemetry._certificate_ends, "_figures", {})
    monkeypatch.setattr(runtime, "_runtimes", [])
    end = datetime(2030, 1, 1, tzinfo=timezone.utc)
    cert, trusted = bank_ca.client(not_after=end), bank_ca.file
    both = cert.read_bytes() + trusted.read_bytes()
    cert.write_bytes(both.replace(b"CERTIFICATE", form.encode()))
    with Bank(mutual(bank_ca, version)) as bank:
        settings = settings_for(bank.url(), ca_file=trusted, client_cert=cert)
        async with runtime.get_or_create(settings).client as client:
            read = telemetry._certificate_ends._read(CallbackOptions())
            cert.write_bytes(other_ca.client().read_bytes())
            trusted.write_bytes(other_ca.file.read_bytes())
            assert (await client.lookup("C1")).agency == "0341"
    known = [({"certificate": "client"}, end.timestamp())]
    assert [(one.attributes, one.value) for one in read] == (known if form == "CERTIFICATE" else [])


@pytest.mark.parametrize("version", [V1_2, V1_3])
def test_the_doctor_sees_ps7s_certificate_where_ps7_wants_the_clients(
    bank_ca: Authority, version: ssl.TLSVersion
) -> None:
    """With TLS 1.2 there is no certificate to see for who shows none."""
    with Bank(mutual(bank_ca, version)) as bank:
        shown = {"ca_file": bank_ca.file, "client_cert": bank_ca.client()}
        seen = connection.look(settings_for(bank.url(), **shown))
    authority = bank_ca.ca.cert_pem.bytes()
    assert isinstance(seen, bytes)
    assert load_der_x509_certificate(seen).issuer == load_pem_x509_certificate(authority).subject


@pytest.mark.parametrize("version", [V1_2, pytest.param(V1_3, marks=LOSES_ALERTS)])
@pytest.mark.parametrize("shown", [False, True], ids=["none", "of another authority"])
async def test_a_server_refuses_a_client_that_it_does_not_trust(
    bank_ca: Authority,
    other_ca: Authority,
    log: Log,
    version: ssl.TLSVersion,
    shown: bool,
) -> None:
    """Which a client learns from an alert, with TLS 1.3 only after the handshake."""
    more: dict[str, Any] = {"client_cert": other_ca.client()} if shown else {}
    with Bank(mutual(bank_ca, version)) as bank:
        reason = await refused(bank, log, ca_file=bank_ca.file, **more)
    assert reason is Reason.TLS_CLIENT_REFUSED


# The proxy


class Proxy(Server):
    """A proxy that knows CONNECT alone, or refuses even that."""

    def __init__(self, refusal: bytes | None = None) -> None:
        """Take what it says instead of letting a connection through."""
        super().__init__([] if refusal is None else [refusal], stays=False)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://planted-user:planted-pass@{self.address}"

    async def _talk(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        if self.pieces:
            await super()._talk(reader, writer, number)
            return
        self.heard.append(await reader.readuntil(b"\r\n\r\n"))
        host, port = self.heard[-1].split()[1].decode().split(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        with suppress(OSError):
            while piece := await source.read(65536):
                target.write(piece)
                await target.drain()
    finally:
        target.close()


async def test_a_proxy_gets_the_connection_and_nothing_that_is_secret(bank_ca: Authority) -> None:
    """`PS7_PROXY`: it sees host and port; its own password is not PS7's business."""
    with Bank(bank_ca.server("localhost")) as bank:
        async with Proxy() as proxy:
            settings = settings_for(bank.url(), ca_file=bank_ca.file, proxy=proxy.url)
            async with PS7Client(settings) as client:
                await client.lookup("C1")
        address = bank.url().removeprefix("https://")
    (head,), (request,) = (proxy.heard, bank.heard)
    assert head.startswith(f"CONNECT {address} HTTP/1.1\r\n".encode())
    login = base64.b64encode(b"planted-user:planted-pass")
    assert f"proxy-authorization: basic {login.decode()}".lower().encode() in head.lower()
    assert b"username" not in head.lower()
    assert b"planted" not in request
    assert b"proxy-authorization" not in request.lower()


@pytest.mark.parametrize("status", ["403 Forbidden", None])
async def test_a_proxy_that_refuses_or_is_down_is_named_as_the_reason(
    caplog: pytest.LogCaptureFixture, status: str | None
) -> None:
    """Its status is not PS7's, and what it says is not repeated."""
    caplog.set_level(logging.DEBUG)
    refusal = http(b"planted-body", "X-Planted: planted-header", status=f"{status} planted")
    async with Proxy(refusal=refusal) as proxy:
        url = proxy.url if status else f"http://u:planted-pass@127.0.0.1:{free_port()}"
        async with PS7Client(settings_for("https://127.0.0.1:9", proxy=url)) as client:
            failure = await failure_of(client)
        assert len(proxy.heard) == (1 if status else 0)
    assert (failure.reason, failure.status) == (Reason.PROXY, None)
    said = [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    shown = "\n".join([*said, repr(failure), str(failure), repr(client.settings)])
    assert "planted-pass" not in shown


# Files that are none


@pytest.mark.parametrize(
    ("key", "at_fault"),
    [
        ("", "PS7_CLIENT_CERT"),
        ("another key", "PS7_CLIENT_CERT"),
        ("locked key", "PS7_CLIENT_CERT"),
        ("missing", "PS7_CLIENT_KEY"),
    ],
)
def test_a_key_that_does_not_open_stops_the_start_with_its_variables_name(
    bank_ca: Authority,
    isolated: pytest.MonkeyPatch,
    key: str,
    at_fault: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """And with no other, so that operations look in the right place.

    Nor is anybody asked for a pass phrase. A file that is none, tests/unit/test_settings.py has.
    """
    leaf, other = (bank_ca.ca.issue_cert("bot.example") for _ in range(2))
    leaf.cert_chain_pems[0].write_to_path("cert")
    leaf.private_key_pem.write_to_path("key")
    other.private_key_pem.write_to_path("another key")
    opened = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
    lock = serialization.BestAvailableEncryption(b"secret")
    Path("locked key").write_bytes(opened.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
    given = {"PS7_CLIENT_CERT": "cert", "PS7_CLIENT_KEY": "key"}
    for name, value in (Simulator(port=443).environment | given).items():
        isolated.setenv(name, value)
    assert PS7Settings.load().tls_context().minimum_version is V1_2
    isolated.setenv("PS7_CLIENT_KEY", key)
    with pytest.raises(SettingsError, match=f":\n  {at_fault} cannot be used; .+$"):
        PS7Settings.load()
    assert capfd.readouterr().err == ""
