"""Write the secret files that Compose and Kubernetes hand to the servers, one value in each.

    python examples/deploy/make_secrets.py

Needs `cryptography`. What is there already is left as it is, so that it can be run again; the
credentials of PS7 are for you to fill in. Where there are no certificates in `tls/`, an authority
is made up that signs one for each server, for a year; its own key is kept nowhere.
"""

from __future__ import annotations

import argparse
import json
import secrets
from datetime import datetime, timedelta, timezone
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

FOLDER = Path(__file__).parent / "secrets"
FILL_IN = "fill-me-in"
SERVERS = ("actions", "balancer", "rasa", "postgres", "redis", "proxy")
NAMESPACE = "assistant"
PUBLIC_HOST = "assistant.example.com"
"""Where customers reach the bot: the host of the Ingress, whose certificate is the proxy's."""
AUTHORITY = "made-up authority"
VALID = timedelta(days=365)
SIGNS = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    **dict.fromkeys(
        (
            *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
            *("key_agreement", "encipher_only", "decipher_only"),
        ),
        False,
    ),
)


def seal_keys() -> str:
    """Make what `PS7_SEAL_KEYS` takes: the same for every replica of the action server."""
    return json.dumps([Fernet.generate_key().decode()])


def arrival_keys() -> str:
    """Make what `PS7_ARRIVAL_KEYS` takes: the back-end that opens the chat has it as well."""
    return json.dumps([secrets.token_urlsafe(32)])


FILES: dict[str, Callable[[], str]] = {
    "ps7/PS7_USERNAME": lambda: FILL_IN,
    "ps7/PS7_PASSWORD": lambda: FILL_IN,
    "ps7/PS7_SEAL_KEYS": seal_keys,
    "ps7/PS7_ARRIVAL_KEYS": arrival_keys,
    "stores/POSTGRES_PASSWORD": secrets.token_hex,
    "stores/DB_PASSWORD": secrets.token_hex,
    "stores/REDIS_PASSWORD": secrets.token_hex,
}
"""Each file and how it comes to its value. A folder is a Secret in Kubernetes."""
CERTIFICATES = ("ca.crt", *(f"{name}.{kind}" for name in SERVERS for kind in ("crt", "key")))
"""What `tls/` holds. Your own authority's files go there under the same names."""


def write(folder: Path) -> list[Path]:
    """Write those that are missing; return the ones that are still for you to bring."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    for name, make in FILES.items():
        _write(folder / name, make())
    tls = folder / "tls"
    if not tls.exists():
        for name, text in made_up_certificates():
            _write(tls / name, text)
    missing = [path for path in map(tls.joinpath, CERTIFICATES) if not path.exists()]
    return [path for path in map(folder.joinpath, FILES) if path.read_text() == FILL_IN] + missing


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(mode=0o700, exist_ok=True)
    if not file.exists():
        file.write_text(text, encoding="ascii")
        # Compose mounts the file itself, with this mode, for a user that is nobody here: the
        # folder is what keeps others out.
        file.chmod(0o644)


def made_up_certificates() -> Iterator[tuple[str, str]]:
    """Yield the files of `tls/`, by their names."""
    authority = ec.generate_private_key(ec.SECP256R1())
    public = authority.public_key()
    root = (
        _started(AUTHORITY, public)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(SIGNS, critical=True)
    )
    yield "ca.crt", _signed(root, authority)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(public)
    for name in SERVERS:
        key = ec.generate_private_key(ec.SECP256R1())
        server = (
            _started(name, key.public_key())
            .add_extension(x509.SubjectAlternativeName(_names(name)), critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(issuer, critical=False)
        )
        yield f"{name}.crt", _signed(server, authority)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        yield f"{name}.key", pem.decode()


def _names(server: str) -> list[x509.GeneralName]:
    """Return what a server is called: in Compose, in Kubernetes, and on its own machine."""
    hosts = [server, f"{server}.{NAMESPACE}", f"{server}.{NAMESPACE}.svc", "localhost"]
    if server == "proxy":
        hosts.append(PUBLIC_HOST)
    return [*map(x509.DNSName, hosts), x509.IPAddress(IPv4Address("127.0.0.1"))]


def _started(subject: str, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(AUTHORITY))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))  # clocks differ
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _signed(certificate: x509.CertificateBuilder, authority: ec.EllipticCurvePrivateKey) -> str:
    return certificate.sign(authority, SHA256()).public_bytes(Encoding.PEM).decode()


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Write the secret files of the deployment.")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    for file in write(parser.parse_args(arguments).folder):
        print(f"to be filled in: {file}")


if __name__ == "__main__":
    main()
