"""TLS and the proxy: what the plugin trusts, what it shows, and which refusal is logged."""

from __future__ import annotations

import asyncio
import base64
import logging
import socket
import ssl
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from opentelemetry.metrics import CallbackOptions
from typing_extensions import Self

from actions.ps7 import ConnectionFailed, PS7Client, PS7Settings, Reason, SettingsError
from actions.ps7.api import telemetry
from actions.ps7.api.transport import tls_context
from actions.ps7.testing import Simulator
from tests.host.loopback import LENGTH, TLS_IN_TESTS, http
from tests.host.test_client import GOOD, failure_of, lines, settings_for
from tests.support.processes import free_port

Issue = Callable[["Authority", "Authority"], ssl.SSLContext]
"""What a server shows, from the bank's own authority and another one."""

PEM = serialization.Encoding.PEM
pytestmark = [pytest.mark.versions, pytest.mark.usefixtures("isolated"), *TLS_IN_TESTS]
V1_2, V1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
BOTH = [
    V1_2,
    pytest.param(
        V1_3,
        marks=pytest.mark.skipif(
            sys.version_info < (3, 11),
            reason="with TLS 1.3 the alert comes after the handshake: asyncio of 3.10 loses it",
        ),
    ),
]


@dataclass(eq=False)
class Bank:
    """PS7 behind TLS. It blocks in a thread: asyncio's servers send no alert about a client."""

    context: ssl.SSLContext
    answer: bytes = http(GOOD, "Connection: close")
    accepted: int = field(default=0, init=False)
    """Connections, those that did not get through the handshake included."""
    heard: list[bytes] = field(default_factory=list, init=False)
    """Requests."""
    _socket: socket.socket = field(init=False)
    _thread: threading.Thread = field(init=False)
    _ends: bool = field(default=False, init=False)

    @property
    def port(self) -> int:
        port: int = self._socket.getsockname()[1]
        return port

    def url(self, host: str = "localhost") -> str:
        return f"https://{host}:{self.port}"

    def __enter__(self) -> Self:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends = True
        socket.create_connection(self._socket.getsockname()).close()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            with connection:
                if self._ends:
                    return
                self.accepted += 1
                connection.settimeout(5)
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        secured = self.context.wrap_socket(
            connection, server_side=True, do_handshake_on_connect=False
        )
        try:
            secured.do_handshake()
            request = b""
            while b"\r\n\r\n" not in request or not _is_whole(request):
                if not (piece := secured.recv(65536)):
                    secured.close()
                    return
                request += piece
            self.heard.append(request)
            secured.sendall(self.answer)
            secured.close()
        except OSError:
            # Bytes that are not read would reset the connection, and take the alert with them.
            with socket.socket(fileno=secured.detach()) as plain:
                _drain(plain)


def _is_whole(request: bytes) -> bool:
    head, _, body = request.partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    return len(body) >= (int(length[1]) if length else 0)


def _drain(plain: socket.socket) -> None:
    try:
        plain.settimeout(5)
        plain.shutdown(socket.SHUT_WR)
        while plain.recv(65536):
            pass
    except OSError:
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


@pytest.fixture
def bank_ca(tmp_path: Path) -> Authority:
    """Return the bank's own authority."""
    return Authority(tmp_path, "bank")


@pytest.fixture
def other_ca(tmp_path: Path) -> Authority:
    """Return another authority."""
    return Authority(tmp_path, "other")


async def refused(bank: Bank, url: str, said: pytest.LogCaptureFixture, **more: Any) -> Reason:  # noqa: ANN401
    """Look up in vain; return the reason. Nothing of the request went out, and only once."""
    async with PS7Client(settings_for(url, **more)) as client:
        failure = await failure_of(client)
    assert (type(failure), failure.outcome.value, failure.status) == (
        ConnectionFailed,
        "unavailable",
        None,
    )
    assert lines(said) == [("unavailable", failure.reason.value, "-", "1")]
    assert bank.heard == []
    assert bank.accepted == 1
    return failure.reason


async def agency(url: str, **more: Any) -> str | None:  # noqa: ANN401 - any setting
    async with PS7Client(settings_for(url, **more)) as client:
        return (await client.lookup("C1")).agency


# Which authorities it trusts


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
async def test_a_certificate_of_the_authority_in_the_file_is_good(
    bank_ca: Authority, host: str
) -> None:
    """`PS7_CA_FILE`; for a name and for an address."""
    with Bank(bank_ca.server(host)) as bank:
        assert await agency(bank.url(host), ca_file=bank_ca.file) == "0341"
    assert len(bank.heard) == 1


async def test_a_certificate_of_the_systems_authorities_is_good(
    bank_ca: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the setting. OpenSSL reads them from where `SSL_CERT_FILE` says."""
    monkeypatch.setenv("SSL_CERT_FILE", str(bank_ca.file))
    with Bank(bank_ca.server("localhost")) as bank:
        assert await agency(bank.url()) == "0341"


def loaded(folder: Path, *pems: bytes) -> ssl.SSLContext:
    """Return the server's side with a key and certificates as they are."""
    chain = folder / "chain.pem"
    chain.write_bytes(b"".join(pems))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


def with_its_authority(_: Authority, other: Authority) -> ssl.SSLContext:
    """Send another authority's own certificate along, to be trusted."""
    leaf = other.ca.issue_cert("localhost").private_key_and_cert_chain_pem.bytes()
    return loaded(other.folder, leaf, other.ca.cert_pem.bytes())


def signed_by_itself(_: Authority, other: Authority) -> ssl.SSLContext:
    return loaded(other.folder, other.ca.private_key_pem.bytes(), other.ca.cert_pem.bytes())


def living(begin: int, end: int) -> Issue:
    """Return what issues a certificate that is good between two days from now."""
    now = datetime.now(timezone.utc)
    life = {"not_before": now + timedelta(days=begin), "not_after": now + timedelta(days=end)}
    return lambda bank, _: bank.server("localhost", **life)


def of_yesteryear(bank: Authority, _: Authority) -> ssl.SSLContext:
    """Speak TLS 1.1 at most, whatever the machine's own configuration of OpenSSL allows."""
    context = bank.server("localhost")
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def naming(name: str) -> Issue:
    """Issue a certificate for this name."""
    return lambda bank, _: bank.server(name)


UNTRUSTED: dict[str, tuple[Issue, str, Reason]] = {
    "another authority": (with_its_authority, "localhost", Reason.TLS_UNKNOWN_CA),
    "signed by itself": (signed_by_itself, "localhost", Reason.TLS_UNKNOWN_CA),
    "ran out yesterday": (living(-9, -1), "localhost", Reason.TLS_EXPIRED),
    "of tomorrow: without a word of its own": (living(1, 9), "localhost", Reason.TLS),
    "without TLS 1.2": (of_yesteryear, "localhost", Reason.TLS),
    **{
        f"{certified} for {host}": (naming(certified), host, Reason.TLS_WRONG_HOST)
        for certified, host in (
            ("ps7.example", "localhost"),
            ("ps7.example", "127.0.0.1"),
            ("localhost", "127.0.0.1"),
            ("127.0.0.1", "localhost"),
            ("127.0.0.2", "127.0.0.1"),
        )
    },
}


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
@pytest.mark.parametrize("behind_a_proxy", [False, True], ids=["direct", "proxy"])
@pytest.mark.parametrize("name", UNTRUSTED)
async def test_a_certificate_that_is_not_good_is_refused(
    bank_ca: Authority,
    other_ca: Authority,
    said: pytest.LogCaptureFixture,
    name: str,
    behind_a_proxy: bool,
) -> None:
    """Once, and nothing of the request goes out; a proxy that opens TLS is refused as well."""
    issue, host, reason = UNTRUSTED[name]
    with Bank(issue(bank_ca, other_ca)) as bank:
        async with Proxy() as proxy:
            more = {"proxy": f"http://{proxy.address}"} if behind_a_proxy else {}
            found = await refused(bank, bank.url(host), said, ca_file=bank_ca.file, **more)
    assert found is reason


async def test_without_its_file_an_authority_is_not_trusted_and_the_file_is_trusted_alone(
    bank_ca: Authority,
    other_ca: Authority,
    monkeypatch: pytest.MonkeyPatch,
    said: pytest.LogCaptureFixture,
) -> None:
    """A bank that names its authority wants no other, not even the system's, to vouch for PS7."""
    with Bank(bank_ca.server("localhost")) as bank:
        assert await refused(bank, bank.url(), said) is Reason.TLS_UNKNOWN_CA
    said.clear()
    monkeypatch.setenv("SSL_CERT_FILE", str(bank_ca.file))
    with Bank(bank_ca.server("localhost")) as bank:
        found = await refused(bank, bank.url(), said, ca_file=other_ca.file)
    assert found is Reason.TLS_UNKNOWN_CA


# What it shows


def mutual(bank_ca: Authority, version: ssl.TLSVersion) -> ssl.SSLContext:
    """Return the side of a server that wants a certificate of the bank's."""
    context = bank_ca.server("localhost")
    context.verify_mode = ssl.CERT_REQUIRED
    bank_ca.ca.configure_trust(context)
    context.minimum_version = context.maximum_version = version
    return context


@pytest.mark.parametrize("version", [V1_2, V1_3])
async def test_the_clients_certificate_is_shown(
    bank_ca: Authority, version: ssl.TLSVersion
) -> None:
    """`PS7_CLIENT_CERT`, its key in the same file."""
    with Bank(mutual(bank_ca, version)) as bank:
        shown = {"ca_file": bank_ca.file, "client_cert": bank_ca.client()}
        assert await agency(bank.url(), **shown) == "0341"


@pytest.mark.parametrize("behind_a_proxy", [False, True], ids=["direct", "proxy"])
async def test_until_when_both_certificates_are_good_is_known(
    bank_ca: Authority, monkeypatch: pytest.MonkeyPatch, behind_a_proxy: bool
) -> None:
    """From the first lookup on: PS7's own, not the proxy's, and the one that is shown to it."""
    monkeypatch.setattr(telemetry, "certificate_ends", {})
    first = datetime(2040, 1, 1, tzinfo=timezone.utc)
    ends = {"ps7": first, "client": first + timedelta(days=1)}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    bank_ca.ca.issue_cert("localhost", not_after=ends["ps7"]).configure_cert(context)
    shown = {"ca_file": bank_ca.file, "client_cert": bank_ca.client(not_after=ends["client"])}
    with Bank(context) as bank:
        async with Proxy() as proxy:
            more = {"proxy": f"http://{proxy.address}"} if behind_a_proxy else {}
            await agency(bank.url(), **shown, **more)
    read = telemetry.read_certificates(CallbackOptions())
    assert {(str(each.attributes), each.value) for each in read} == {
        (str({"certificate": whose}), end.timestamp()) for whose, end in ends.items()
    }


async def test_a_certificate_whose_end_is_not_known_is_shown_all_the_same(
    bank_ca: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL takes forms that `cryptography` does not."""
    monkeypatch.setattr(telemetry, "certificate_ends", {})
    client = bank_ca.client()
    trusted = client.read_bytes().replace(b"BEGIN CERT", b"BEGIN TRUSTED CERT")
    client.write_bytes(trusted.replace(b"END CERT", b"END TRUSTED CERT"))
    with Bank(mutual(bank_ca, V1_2)) as bank:
        assert await agency(bank.url(), ca_file=bank_ca.file, client_cert=client) == "0341"
    assert [*telemetry.certificate_ends] == ["ps7"]


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize("shown", [False, True], ids=["none", "of another authority"])
async def test_a_server_refuses_a_client_that_it_does_not_trust(
    bank_ca: Authority,
    other_ca: Authority,
    said: pytest.LogCaptureFixture,
    version: ssl.TLSVersion,
    shown: bool,
) -> None:
    """Which a client learns from an alert, with TLS 1.3 only after the handshake."""
    more = {"client_cert": other_ca.client()} if shown else {}
    with Bank(mutual(bank_ca, version)) as bank:
        reason = await refused(bank, bank.url(), said, ca_file=bank_ca.file, **more)
    assert reason is Reason.TLS_CLIENT_REFUSED


# Connections that break under TLS are no matter of certificates


@pytest.mark.parametrize(
    ("answer", "reasons", "attempts"),
    [
        (http(b"", status="400 Bad Request"), {Reason.TLS}, 1),
        (b"", {Reason.CONNECT, Reason.CONNECTION_LOST}, 3),
    ],
    ids=["a port without TLS", "closed in the handshake"],
)
async def test_a_port_that_ends_no_handshake(
    answer: bytes, reasons: set[Reason], attempts: int
) -> None:
    """Nothing goes out in the clear; a server on its way up or down is asked again."""
    heard = []

    async def end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(1000))
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(end, "127.0.0.1", 0)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with PS7Client(settings_for(url)) as client:
        failure = await failure_of(client)
    server.close()
    assert failure.reason in reasons
    assert len(heard) == attempts
    assert not any(b"userName" in bytes_sent for bytes_sent in heard)


# The proxy


@dataclass(eq=False)
class Proxy:
    """A proxy that knows CONNECT alone."""

    refusal: bytes | None = None
    """What it says instead of letting a connection through."""
    heard: list[bytes] = field(default_factory=list, init=False)
    """The heads of what it was asked for."""
    _server: asyncio.Server = field(init=False)
    _pumps: list[asyncio.Task[None]] = field(default_factory=list, init=False)

    @property
    def address(self) -> str:
        host, port = self._server.sockets[0].getsockname()
        return f"{host}:{port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._talk, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for pump in self._pumps:
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard.append(await reader.readuntil(b"\r\n\r\n"))
        if self.refusal is not None:
            writer.write(self.refusal)
            writer.close()
            return
        host, port = self.heard[-1].split()[1].decode().split(":")
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        for source, target in ((reader, far_writer), (far_reader, writer)):
            self._pumps.append(asyncio.create_task(_pump(source, target)))


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while piece := await source.read(65536):
            target.write(piece)
            await target.drain()
    except OSError:
        pass
    finally:
        target.close()


async def test_a_proxy_gets_the_connection_and_nothing_that_is_secret(bank_ca: Authority) -> None:
    """`PS7_PROXY`: it sees host and port; its own password is not PS7's business."""
    with Bank(bank_ca.server("localhost")) as bank:
        async with Proxy() as proxy:
            url = f"http://planted-user:planted-pass@{proxy.address}"
            assert await agency(bank.url(), ca_file=bank_ca.file, proxy=url) == "0341"
        port = bank.port
    (head,) = proxy.heard
    assert head.startswith(f"CONNECT localhost:{port} HTTP/1.1\r\n".encode())
    login = base64.b64encode(b"planted-user:planted-pass")
    assert f"proxy-authorization: basic {login.decode()}".lower().encode() in head.lower()
    assert b"username" not in head.lower()
    (request,) = bank.heard
    assert b"planted" not in request
    assert b"proxy-authorization" not in request.lower()


@pytest.mark.parametrize(
    "status", ["403 Forbidden", "407 Proxy Authentication Required", "502 Bad Gateway"]
)
async def test_a_proxy_that_refuses_is_named_as_the_reason(
    caplog: pytest.LogCaptureFixture, status: str
) -> None:
    """Its status is not PS7's, and what it says is not repeated."""
    caplog.set_level(logging.DEBUG)
    refusal = http(b"planted-body", "X-Planted: planted-header", status=f"{status} planted")
    async with Proxy(refusal=refusal) as proxy:
        url = f"http://u:planted-pass@{proxy.address}"
        async with PS7Client(settings_for("https://127.0.0.1:9", proxy=url)) as client:
            failure = await failure_of(client)
        assert len(proxy.heard) == 1
    assert (type(failure), failure.reason, failure.status) == (ConnectionFailed, Reason.PROXY, None)
    said = [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    assert "planted" not in "\n".join([*said, repr(failure), str(failure), repr(client.settings)])


async def test_a_proxy_that_is_down_is_named_as_the_reason() -> None:
    """It is not PS7 that does not answer."""
    proxy = f"http://127.0.0.1:{free_port()}"
    async with PS7Client(settings_for("https://127.0.0.1:9", proxy=proxy)) as client:
        failure = await failure_of(client)
    assert (type(failure), failure.reason) == (ConnectionFailed, Reason.PROXY)


# Files that are none


@pytest.fixture
def files(bank_ca: Authority, other_ca: Authority, tmp_path: Path) -> dict[str, str]:
    """Write files of all kinds; return their paths by name."""
    leaf, other = bank_ca.ca.issue_cert("bot.example"), other_ca.ca.issue_cert("bot.example")
    key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
    locked = key.private_bytes(
        PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"secret")
    )
    written = {
        "ca": bank_ca.ca.cert_pem.bytes(),
        "cert": leaf.cert_chain_pems[0].bytes(),
        "key": leaf.private_key_pem.bytes(),
        "both": leaf.private_key_and_cert_chain_pem.bytes(),
        "another key": other.private_key_pem.bytes(),
        "locked key": locked,
        "text": b"no certificate at all\n",
        "nothing": b"",
    }
    for name, content in written.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "folder").mkdir()
    return {name: str(tmp_path / name) for name in [*written, "folder", "missing"]}


CA, CERT, KEY = "PS7_CA_FILE", "PS7_CLIENT_CERT", "PS7_CLIENT_KEY"
FAULTS: list[tuple[dict[str, str], list[str]]] = [
    ({CA: "missing"}, [CA]),
    ({CA: "folder"}, [CA]),
    ({CA: "text"}, [CA]),
    ({CA: "nothing"}, [CA]),
    ({CA: "key"}, [CA]),
    ({CERT: "missing"}, [CERT]),
    ({CERT: "folder"}, [CERT]),
    ({CERT: "text"}, [CERT]),
    ({CERT: "cert"}, [CERT]),
    ({CERT: "cert", KEY: "another key"}, [CERT]),
    ({CERT: "cert", KEY: "locked key"}, [CERT]),
    ({CERT: "cert", KEY: "text"}, [CERT]),
    ({CERT: "cert", KEY: "missing"}, [KEY]),
    ({CERT: "both", KEY: "missing"}, [KEY]),
    ({CERT: "cert", KEY: "folder"}, [KEY]),
    ({KEY: "missing"}, [KEY]),
    ({CA: "missing", CERT: "text", KEY: "missing"}, [CA, KEY]),
    ({CA: "text", CERT: "missing"}, [CA, CERT]),
]


def loaded_with(files: dict[str, str], given: dict[str, str]) -> PS7Settings:
    """Load settings from an environment that names these files."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in Simulator(port=443).environment.items():
            environment.setenv(name, value)
        for name, file in given.items():
            environment.setenv(name, files[file])
        return PS7Settings.load()


@pytest.mark.parametrize(("given", "at_fault"), FAULTS, ids=str)
def test_a_file_that_cannot_be_used_stops_the_start_with_its_variables_name(
    files: dict[str, str], given: dict[str, str], at_fault: list[str]
) -> None:
    """And with no other, so that operations look in the right place; the path is not shown."""
    with pytest.raises(SettingsError) as caught:
        loaded_with(files, given)
    said = str(caught.value).splitlines()[1:]
    assert [line.split()[0] for line in said] == at_fault
    assert files["missing"].rpartition("/")[0] not in str(caught.value)


@pytest.mark.parametrize(
    "given", [{CA: "ca"}, {CERT: "both"}, {CERT: "cert", KEY: "key"}, {CERT: "both", KEY: "key"}]
)
def test_files_that_can_be_used_are_taken(files: dict[str, str], given: dict[str, str]) -> None:
    """A key may stand with its certificate or apart."""
    tls_context(loaded_with(files, given))
