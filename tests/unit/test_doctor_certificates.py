"""What the doctor says about certificates: until when they hold, and for whom they are."""

from __future__ import annotations

import ssl
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from actions.ps7 import PS7Settings
from actions.ps7.cli.doctor import certificates
from tests.unit.test_doctor_settings import settings

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)
KEY = ec.generate_private_key(ec.SECP256R1())


def certificate(
    *,
    days: float,
    begins: float = -9,
    subject: str | None = "gateway",
    extension: x509.ExtensionType | None = None,
) -> x509.Certificate:
    """Give a certificate that holds for so many days more."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)] if subject else [])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "The Bank")]))
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(NOW + timedelta(days=begins))
        .not_valid_after(NOW + timedelta(days=days))
    )
    if extension is not None:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(KEY, hashes.SHA256())


def der(made: x509.Certificate) -> bytes:
    return made.public_bytes(serialization.Encoding.DER)


def pem(*made: x509.Certificate) -> bytes:
    return b"".join(each.public_bytes(serialization.Encoding.PEM) for each in made)


@pytest.mark.parametrize(
    ("days", "begins", "expected"),
    [
        (90, -9, ("ok", "tls-certificate", "is good until 2027-02-23: 90 days left")),
        (30, -9, ("ok", "tls-certificate", "is good until 2026-12-25: 30 days left")),
        (
            29.9,
            -9,
            ("warning", "tls-certificate-ends-soon", "is good until 2026-12-25: 29 days left"),
        ),
        (1.5, -9, ("warning", "tls-certificate-ends-soon", "is good until 2026-11-27: 1 day left")),
        (-1, -9, ("error", "tls-certificate-expired", "ended on 2026-11-24")),
        (90, 2, ("error", "tls-certificate-early", "is not good before 2026-11-27")),
    ],
)
def test_how_long_the_servers_certificate_holds(
    days: float, begins: float, expected: tuple[str, str, str]
) -> None:
    """A month before its end somebody should know."""
    finding = certificates.server(der(certificate(days=days, begins=begins)), NOW)
    level, name, text = expected
    assert (finding.level.value, finding.id, finding.found) == (
        level,
        name,
        f"the certificate of PS7 (issued by The Bank) {text}",
    )


def test_a_server_certificate_that_openssl_takes_and_we_do_not() -> None:
    """That lookups work is found out in the handshake."""
    finding = certificates.server(b"\x30\x00", NOW)
    assert (finding.level.value, finding.id, finding.found) == (
        "warning",
        "tls-certificate-unreadable",
        "the certificate of PS7 is in a form whose dates are not read here",
    )


HOSTS = [
    (None, "no host at all"),
    (x509.SubjectAlternativeName([]), "no host at all"),
    (x509.SubjectAlternativeName([x509.DNSName("a.example")]), "a.example"),
    (
        x509.SubjectAlternativeName([x509.DNSName(f"{letter}.example") for letter in "abcdefg"]),
        "a.example, b.example, c.example, d.example, e.example and 2 others",
    ),
    (x509.SubjectAlternativeName([x509.DNSName("a" * 101)]), "a" * 100 + "…"),
]


@pytest.mark.parametrize(("extension", "hosts"), HOSTS)
def test_a_certificate_that_is_not_trusted_is_described(
    extension: x509.ExtensionType | None, hosts: str
) -> None:
    """For whom it is, whose it is, until when."""
    made = certificate(days=9, extension=extension)
    assert certificates.describe(der(made)) == (
        f"it is for {hosts}, issued by The Bank, good until 2026-12-04"
    )


def test_files_of_the_settings_are_looked_at(tmp_path: Path) -> None:
    """The authority that ends next, and the client's own certificate, which stands first."""
    ca, client = tmp_path / "ca.pem", tmp_path / "client.pem"
    ca.write_bytes(pem(certificate(days=50, subject="old"), certificate(days=40, subject="new")))
    client.write_bytes(pem(certificate(days=20, subject=None), certificate(days=1)))
    found = _files(ca, client)
    assert found == [
        (
            "ok",
            "authority",
            (
                "the certificate in PS7_CA_FILE that ends next (new) is good until 2027-01-04: 40 "
                "days left"
            ),
        ),
        (
            "warning",
            "client-certificate-ends-soon",
            "the certificate in PS7_CLIENT_CERT (no name) is good until 2026-12-15: 20 days left",
        ),
    ]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (
            [-5, -3, 90],
            [
                (
                    "warning",
                    "authority-ended",
                    "2 of 3 certificates in PS7_CA_FILE ended (CA 0 and CA 1)",
                ),
                (
                    "ok",
                    "authority",
                    (
                        "the certificate in PS7_CA_FILE that ends next (CA 2) is good until "
                        "2027-02-23: 90 days left"
                    ),
                ),
            ],
        ),
        (
            [-5] * 2 + [1] * 9,
            [("ok", "authority", "9 of 11 certificates in PS7_CA_FILE are good")],
        ),
        (
            [-5] * 11,
            [
                (
                    "error",
                    "authority-expired",
                    "all 11 certificates in PS7_CA_FILE ended, the last on 2026-11-20",
                )
            ],
        ),
        (
            [-5],
            [
                (
                    "error",
                    "authority-expired",
                    "the certificate in PS7_CA_FILE (CA 0) ended on 2026-11-20",
                )
            ],
        ),
    ],
)
def test_authorities_whose_time_is_over(
    tmp_path: Path, days: list[int], expected: list[tuple[str, str, str]]
) -> None:
    """Some of several are a matter of order; all of them are a fault."""
    file = tmp_path / "ca.pem"
    made = [certificate(days=left, subject=f"CA {number}") for number, left in enumerate(days)]
    file.write_bytes(pem(*made))
    assert _files(file) == expected


def test_a_form_that_openssl_takes_and_we_do_not(tmp_path: Path) -> None:
    """`TRUSTED CERTIFICATE`: it works, so it is no error that its dates are not known."""
    trusted = trustme.CA().cert_pem.bytes().replace(b"BEGIN CERT", b"BEGIN TRUSTED CERT")
    file = tmp_path / "ca.pem"
    file.write_bytes(trusted.replace(b"END CERT", b"END TRUSTED CERT"))
    ssl.create_default_context(cafile=file)
    assert [found[:2] for found in _files(file, file)] == [
        ("warning", "authority-unreadable"),
        ("warning", "client-certificate-unreadable"),
    ]


def test_an_old_authority_with_an_odd_serial_number(tmp_path: Path) -> None:
    """Some stand in the systems' own bundles; cryptography warns of each of them."""
    odd = der(certificate(days=90)).replace(b"\x02\x01\x01", b"\x02\x01\x00", 1)
    file = tmp_path / "ca.pem"
    file.write_text(ssl.DER_cert_to_PEM_cert(odd))
    assert [found[:2] for found in _files(file)] == [("ok", "authority")]


def _files(ca: Path, client: Path | None = None) -> list[tuple[str, str, str]]:
    given = {**dict(settings()), "ca_file": ca, "client_cert": client}
    found = certificates.files(PS7Settings.model_construct(**given), NOW)
    return [(finding.level.value, finding.id, finding.found) for finding in found]


def test_settings_without_files() -> None:
    """Nothing to say."""
    assert certificates.files(settings(), NOW) == []
