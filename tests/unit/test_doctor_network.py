"""What the doctor makes of a look-up's end, of the connection below it, and of certificates."""

from __future__ import annotations

import socket
import ssl
from base64 import b64encode
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http.client import BadStatusLine, HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from actions.ps7 import PS7Settings, Reason
from actions.ps7.cli.doctor import connection, network
from actions.ps7.cli.findings import Finding, by_variant, finding
from actions.ps7.cli.one_lookup import Asked
from actions.ps7.lookup import tokens
from actions.ps7.lookup.wire import Answer
from actions.ps7.outcomes import LookupFailed
from actions.ps7.telemetry import LookupReport
from tests.support.doctor import assert_found, written
from tests.unit.test_doctor_settings import settings

NOW = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
KEY = ec.generate_private_key(ec.SECP256R1())
JSON, HTML = Answer(500, {}, b' \n{"code": "1"}'), Answer(500, {}, b"<html>")
NO = Answer(401, {}, b"{}")
HEALTHY = "ok ps7: PS7 takes the credentials, and knows no such context"
FAULT = finding("dns", who="PS7", host="nowhere", hint="")


def with_files(**changes: Any) -> PS7Settings:  # noqa: ANN401 - any setting
    """Return settings that were not checked: their files need not be what they should be."""
    return PS7Settings.model_construct(**{**dict(settings()), **changes})


def judged(
    failure: LookupFailed | None,
    answer: Answer | None = JSON,
    below: Finding | bytes | None = None,
    attempts: int = 0,
    **changes: Any,  # noqa: ANN401 - any setting
) -> list[str]:
    asked = Asked(LookupReport(attempts=attempts), answer, None, failure)
    return [written(each) for each in network.judge(asked, below, with_files(**changes), NOW)]


@pytest.mark.parametrize(
    ("reason", "answer", "below", "expected"),
    [
        # By its row: with the status if an answer came, and what a certificate is.
        ("unauthorized", NO, None, "error ps7-credentials: PS7 refuses the credentials (HTTP 401)"),
        ("tls_expired", None, None, "error tls-expired: the certificate of cec.example.com:443 is"),
        # The connection says more, unless it can be made a moment later.
        ("connect", None, FAULT, "error dns: the name of PS7, nowhere, leads to no address"),
        ("connect", None, None, "error ps7-gone: the lookup fails"),
        # A healthy PS7 knows no such context; it answered, so a second connection may fail.
        ("business_failure", JSON, FAULT, f"{HEALTHY} (HTTP 500, its business failure)"),
        ("failure_code", NO, FAULT, f"{HEALTHY} (HTTP 401, a code other than 0)"),
        ("no_payload", NO, FAULT, f"{HEALTHY} (HTTP 401, no payload)"),
        ("business_failure", HTML, None, "warning ps7-500: the answer is HTTP 500, as PS7 says"),
        (None, JSON, None, "error ps7-anybody: PS7 names a customer for a contextId that it"),
    ],
)
def test_what_came_of_the_lookup_is_judged(
    reason: str | None, answer: Answer | None, below: Finding | None, expected: str
) -> None:
    status = None if answer is None else answer.status
    failure = None if reason is None else LookupFailed(Reason(reason), status)
    found = judged(failure, answer, below, client_cert=Path("x"))
    assert_found(found, [expected])
    assert "HTTP None" not in found[0]


@pytest.mark.parametrize("reason", [each for each in Reason if each in by_variant()])
def test_each_end_of_a_lookup_has_its_own_words(reason: Reason) -> None:
    """With a client certificate; and what they leave open is filled in."""
    (found,) = judged(LookupFailed(reason), None, client_cert=Path("x"))
    level = "warning" if reason in {Reason.BAD_REQUEST, Reason.TOO_MANY_REQUESTS} else "error"
    assert found.partition(":")[0] == f"{level} {by_variant()[reason].partition(':')[0]}"


TOKEN = {"app_key": SecretStr("k"), "app_secret": SecretStr("s")}


@pytest.mark.parametrize(
    ("attempts", "changes", "expected"),
    [
        (0, TOKEN, ["ps7-gone"]),
        (1, TOKEN, ["token", "ps7-gone"]),
        *((each, {"app_key": TOKEN["app_key"]}, ["ps7-gone"]) for each in (0, 1)),
    ],
)
def test_a_token_was_fetched_if_ps7_was_asked(
    attempts: int, changes: dict[str, Any], expected: list[str]
) -> None:
    """Where key and secret are set."""
    found = judged(LookupFailed(Reason.CONNECT), None, attempts=attempts, **changes)
    assert [each.split(":")[0].split()[1] for each in found] == expected
    failure = LookupFailed(Reason.TOKEN_UNREADABLE)
    asked = Asked(LookupReport(), None, None, failure)
    (unread, *_) = network.judge(asked, None, with_files(**TOKEN), NOW)
    assert f"API Fabric's {tokens.PATH} is what" in unread.do


@pytest.mark.parametrize(("below", "not_reached"), [(FAULT, "ps7"), (None, ""), (b"0", "")])
def test_ps7_is_reached_if_no_connection_fails(
    monkeypatch: pytest.MonkeyPatch, below: Finding | bytes | None, not_reached: str
) -> None:
    """Whatever was found before it."""
    asked = Asked(LookupReport(), None, None, LookupFailed(Reason.READ_TIMEOUT))
    monkeypatch.setattr(network, "look_up", lambda *_: asked)
    below = certificate(99) if isinstance(below, bytes) else below
    monkeypatch.setattr(connection, "look", lambda _: below)
    assert network.check(settings()).not_reached == not_reached


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (10, []),
        (11, ["warning clock: the clock of this machine is 11 s ahead of that of PS7's server"]),
        (120, ["warning clock: the clock of this machine is 120 s ahead of that of PS7's server"]),
        (-121, ["error clock: the clock of this machine is 121 s behind that of PS7's server"]),
        (None, []),
    ],
)
def test_clocks_that_differ_by_too_much_are_named(seconds: int | None, expected: list[str]) -> None:
    """By more than arrival tokens allow for, or by more than one lives; of no date, nothing."""
    theirs = "yesterday"
    if seconds is not None:
        theirs = format_datetime(NOW - timedelta(seconds=seconds), usegmt=True)
    found = judged(LookupFailed(Reason.FAILURE_CODE, 200), Answer(200, {"date": theirs}, b"{}"))
    assert found[1:] == expected


# The connection


PROXY, TUNNEL = "http://proxy.example.com:3128", "Tunnel connection failed:"
REFUSED = "proxy-refused: the proxy does not let through to"


@pytest.mark.parametrize(
    ("proxy", "failure", "expected"),
    [
        (None, socket.gaierror(), "dns: the name of PS7, cec.example.com, leads to no address"),
        (PROXY, UnicodeError(), "dns: the name of the proxy, proxy.example.com, leads to no"),
        (None, TimeoutError("late"), "tcp: no connection to PS7 at cec.example.com:443: late"),
        (PROXY, OSError(13, "No"), "tcp: no connection to the proxy at proxy.example.com:3128: No"),
        (PROXY, BadStatusLine("x"), "proxy: what PS7_PROXY names does not answer as an HTTP proxy"),
        (PROXY, OSError(f"{TUNNEL} 502 Bad"), f"{REFUSED} cec.example.com:443 (HTTP 502)"),
        (PROXY, OSError(f"{TUNNEL} 407 x"), "proxy-login: the proxy refuses the credentials in "),
        (PROXY, ssl.SSLError(1, "x"), "tls: the TLS handshake with cec.example.com:443 fails"),
    ],
)
def test_each_cause_of_no_connection_has_its_finding(
    monkeypatch: pytest.MonkeyPatch, proxy: str | None, failure: Exception, expected: str
) -> None:
    """Each cause with its own finding: what to do differs."""
    found = no_connection(monkeypatch, failure, settings(proxy=proxy))
    assert_found([written(found)], [f"error {expected}"])


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        (["HTTPS_PROXY"], True),
        (["https_proxy", "no_proxy"], False),
        (["http_proxy"], False),
        (["https_proxy", "PS7_PROXY"], False),
    ],
)
def test_a_proxy_that_only_others_read_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: list[str], named: bool
) -> None:
    """Where there is no connection, that may be why."""
    for name in ("HTTPS_PROXY", "https_proxy", "http_proxy", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in variables:
        monkeypatch.setenv(name, ".example.com" if name == "no_proxy" else "http://127.0.0.1:9")
    hint = "; HTTPS_PROXY is not read: if PS7 is behind it, set PS7_PROXY."
    for failure in (TimeoutError(), socket.gaierror()):
        assert no_connection(monkeypatch, failure, settings()).do.endswith(hint) is named


def no_connection(
    monkeypatch: pytest.MonkeyPatch, failure: Exception, given: PS7Settings
) -> Finding:
    """Return what is found where a connection fails like this."""

    def fail(tried: HTTPConnection) -> None:
        assert tried.timeout == given.connect_timeout
        raise failure

    monkeypatch.setattr(HTTPConnection, "connect", fail)
    found = connection.look(given)
    assert isinstance(found, Finding)
    return found


def test_a_proxy_is_shown_its_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """As they are, not as a URL has to write them; and IPv6 addresses are written as in a URL."""
    tunnels: list[Any] = []
    monkeypatch.setattr(HTTPConnection, "set_tunnel", lambda *told: tunnels.append(told))
    for login, port in (("us%40er:p%40ss@", ":8443"), ("", "")):
        url = f"https://cec.example.com{port}"
        given = settings(proxy=f"http://{login}[::1]:9", base_url=url)
        assert "[::1]:9: late" in no_connection(monkeypatch, TimeoutError("late"), given).found
    basic = f"Basic {b64encode(b'us@er:p@ss').decode()}"
    assert [told[1:] for told in tunnels] == [
        ("cec.example.com", 8443, {"Proxy-Authorization": basic}),
        ("cec.example.com", 443, {}),
    ]


# Certificates


def certificate(
    days: float, subject: str = "gateway", extension: x509.ExtensionType | None = None
) -> bytes:
    """Return a certificate (DER) that holds for so many days more."""
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "The Bank")]))
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(NOW - timedelta(days=9))
        .not_valid_after(NOW + timedelta(days=days))
    )
    if extension is not None:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (30, "ok tls-certificate: WHOSE is good until 2026-12-25: 30 days left"),
        (29.9, "warning tls-certificate-ends-soon: WHOSE is good until 2026-12-25: 29 days left"),
        (1, "warning tls-certificate-ends-soon: WHOSE is good until 2026-11-26: 1 day left"),
        (0.5, "warning tls-certificate-ends-soon: WHOSE is good until 2026-11-26: 0 days left"),
        (-0.5, "error tls-certificate-expired: WHOSE ended on 2026-11-25"),
        (-1, "error tls-certificate-expired: WHOSE ended on 2026-11-24"),
    ],
)
def test_the_end_of_ps7s_certificate_is_named_a_month_before(days: float, expected: str) -> None:
    """A month before its end it is time to ask for a new one."""
    found = judged(LookupFailed(Reason.FAILURE_CODE, 200), JSON, certificate(days))
    assert found[0] == expected.replace("WHOSE", "the certificate of PS7 (issued by O=The Bank)")


def test_a_certificate_that_is_not_trusted_is_described() -> None:
    """For which hosts it is, who issued it, when it holds; and OpenSSL's own words."""
    names = x509.SubjectAlternativeName([x509.DNSName("a.example"), x509.DNSName("b.example")])
    for extension, hosts in ((None, "no host at all"), (names, "a.example, b.example")):
        failure = LookupFailed(Reason.TLS_UNKNOWN_CA, detail="no issuer")
        (text,) = judged(failure, None, certificate(9, extension=extension))
        held = "issued by O=The Bank, good from 2026-11-16 to 2026-12-04"
        assert text.startswith(
            "error tls-unknown-ca: the certificate of cec.example.com:443 is not"
        )
        assert text.endswith(f" accepted: no issuer (it is for {hosts}, {held})")


def test_a_certificate_of_ours_that_ps7_asks_for_in_vain_is_named() -> None:
    (text,) = judged(LookupFailed(Reason.TLS_CLIENT_REFUSED), None)
    assert text.startswith("error tls-client-wanted: PS7 asks for a client certificate")


def test_a_certificate_that_openssl_takes_and_we_do_not(tmp_path: Path) -> None:
    """It works, so it is no fault that its dates are not known."""
    assert connection.describe(b"\x30\x00") == "it cannot be read"
    assert list(connection.check_server(b"\x30\x00", NOW)) == []
    trusted = trustme.CA().cert_pem.bytes().replace(b"BEGIN CERT", b"BEGIN TRUSTED CERT")
    file = tmp_path / "ca.pem"
    file.write_bytes(trusted.replace(b"END CERT", b"END TRUSTED CERT"))
    ssl.create_default_context(cafile=file)
    assert list(connection.check_files(with_files(ca_file=file, client_cert=file), NOW)) == []


@pytest.mark.parametrize(
    ("days", "level", "state", "said"),
    [
        (50, "ok", "", "is good until 2027-01-14: 50 days left"),
        (20, "warning", "-ends-soon", "is good until 2026-12-15: 20 days left"),
        (-1, "error", "-expired", "ended on 2026-11-24"),
    ],
)
def test_the_doctor_names_the_ends_of_certificates_in_files(
    tmp_path: Path, days: int, level: str, state: str, said: str
) -> None:
    """The authority that ends last, and the client's own certificate, which is the first.

    An old authority may have an odd serial number, of which cryptography warns.
    """
    ca, client = tmp_path / "ca.pem", tmp_path / "client.pem"
    odd = certificate(-4, "old").replace(b"\x02\x01\x01", b"\x02\x01\x00", 1)
    for file, made in (
        (ca, [certificate(days, "new"), odd]),
        (client, [certificate(days, "bot"), certificate(1, "way up")]),
    ):
        file.write_text("".join(ssl.DER_cert_to_PEM_cert(each) for each in made))
    found = connection.check_files(with_files(ca_file=ca, client_cert=client), NOW)
    assert [written(each) for each in found] == [
        f"{level} authority{state}: the certificate in PS7_CA_FILE (CN=new) {said}",
        f"{level} client-certificate{state}: the certificate in PS7_CLIENT_CERT (CN=bot) {said}",
    ]
    assert list(connection.check_files(settings(), NOW)) == []
