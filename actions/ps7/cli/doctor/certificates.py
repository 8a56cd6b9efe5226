"""Until when certificates hold, and for whom they are: PS7's own, and those in our files.

Certificates as bytes in, findings out. Whether a chain is trusted is found out in a handshake,
elsewhere.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, TypeVar

from cryptography import x509
from cryptography.x509.oid import ExtensionOID, NameOID

from .finding import Finding, caution, error, listed, ok, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from ...settings import PS7Settings

_Loaded = TypeVar("_Loaded")

DAYS_LEFT = 30
"""From then on it is time to ask for a new one."""
_MOST_NAMES = 5
_SUCCESSOR = "put its successor into the file of PS7_CA_FILE"
_BUNDLE = 10
"""Of more authorities than these, one that ends is hardly PS7's."""


def server(der: bytes, now: datetime) -> Finding:
    """Say how long the certificate that PS7 showed still holds."""
    how = "tell whoever runs PS7's gateway"
    try:
        certificate = _parsed(x509.load_der_x509_certificate, der)
        whose = f"the certificate of PS7 (issued by {_name(certificate.issuer)})"
        return _expiry(whose, "tls-certificate", certificate, now, how)
    except ValueError:  # OpenSSL has taken it, so lookups will work
        found = "the certificate of PS7 is in a form whose dates are not read here"
        return caution("tls-certificate-unreadable", found, how)


def describe(der: bytes) -> str:
    """Say for whom a certificate is that was not trusted, who issued it, and until when."""
    certificate = _parsed(x509.load_der_x509_certificate, der)
    return (
        f"it is for {_hosts(certificate)}, issued by {_name(certificate.issuer)}, "
        f"good until {_day(certificate)}"
    )


def files(settings: PS7Settings, now: datetime) -> list[Finding]:
    """Say how long the certificates in the files of the settings still hold."""
    found: list[Finding] = []
    if settings.ca_file is not None:
        found += _authorities(settings.ca_file, now)
    if settings.client_cert is not None:
        # What is shown is the first one; those that follow are the way up to an authority.
        own = _read(settings.client_cert)
        if own:
            whose = f"the certificate in PS7_CLIENT_CERT ({_name(own[0].subject)})"
            how = "ask for a new one, and put it into the file of PS7_CLIENT_CERT"
            found.append(_expiry(whose, "client-certificate", own[0], now, how))
        else:
            found.append(_unreadable("PS7_CLIENT_CERT", "client-certificate"))
    return found


def _authorities(file: Path, now: datetime) -> Iterator[Finding]:
    trusted = _read(file)
    if not trusted:
        yield _unreadable("PS7_CA_FILE", "authority")
        return
    trusted.sort(key=lambda certificate: certificate.not_valid_after_utc)
    ended = [certificate for certificate in trusted if certificate.not_valid_after_utc < now]
    good = trusted[len(ended) :]
    if len(trusted) == 1:
        whose = f"the certificate in PS7_CA_FILE ({_name(trusted[0].subject)})"
        yield _expiry(whose, "authority", trusted[0], now, _SUCCESSOR)
    elif not good:
        found = (
            f"all {len(trusted)} certificates in PS7_CA_FILE ended, the last on {_day(ended[-1])}"
        )
        yield error("authority-expired", found, _SUCCESSOR)
    elif len(trusted) > _BUNDLE:
        found = f"{len(good)} of {len(trusted)} certificates in PS7_CA_FILE are good"
        yield ok("authority", found)
    else:
        if ended:
            names = listed([_name(certificate.subject) for certificate in ended])
            found = f"{len(ended)} of {len(trusted)} certificates in PS7_CA_FILE ended ({names})"
            yield caution("authority-ended", found, "remove what nobody uses any more")
        whose = f"the certificate in PS7_CA_FILE that ends next ({_name(good[0].subject)})"
        yield _expiry(whose, "authority", good[0], now, _SUCCESSOR)


def _read(file: Path) -> list[x509.Certificate]:
    """Read the certificates of a PEM file that OpenSSL has taken; it takes more kinds than we."""
    try:
        return _parsed(x509.load_pem_x509_certificates, file.read_bytes())
    except (OSError, ValueError):
        return []


def _parsed(load: Callable[[bytes], _Loaded], data: bytes) -> _Loaded:
    """Load certificates, old ones too: what is odd about their serial numbers is not our matter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load(data)


def _unreadable(variable: str, prefix: str) -> Finding:
    return caution(
        f"{prefix}-unreadable",
        f"the certificates in the file of {variable} are in a form whose dates are not read here",
        "write them as `BEGIN CERTIFICATE` blocks to have their dates checked",
    )


def _expiry(
    whose: str, prefix: str, certificate: x509.Certificate, now: datetime, how: str
) -> Finding:
    if certificate.not_valid_before_utc > now:
        day = certificate.not_valid_before_utc.date().isoformat()
        how = f"check the clock of this machine; if it is right, {how}"
        return error(f"{prefix}-early", f"{whose} is not good before {day}", how)
    days = (certificate.not_valid_after_utc - now).days
    if days < 0:
        return error(f"{prefix}-expired", f"{whose} ended on {_day(certificate)}", how)
    text = f"{whose} is good until {_day(certificate)}: {days} day{'' if days == 1 else 's'} left"
    if days < DAYS_LEFT:
        return caution(f"{prefix}-ends-soon", text, how)
    return ok(prefix, text)


def _day(certificate: x509.Certificate) -> str:
    return certificate.not_valid_after_utc.date().isoformat()


def _name(name: x509.Name) -> str:
    for kind in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        for attribute in name.get_attributes_for_oid(kind):
            return shown(str(attribute.value))
    return "no name"


def _hosts(certificate: x509.Certificate) -> str:
    try:
        extension = certificate.extensions.get_extension_for_oid(
            ExtensionOID.SUBJECT_ALTERNATIVE_NAME
        )
    except (x509.ExtensionNotFound, ValueError):
        return "no host at all"
    names = [shown(str(name.value)) for name in extension.value]  # type: ignore[attr-defined]
    if not names:
        return "no host at all"
    more = len(names) - _MOST_NAMES
    return listed(names) if more <= 0 else f"{', '.join(names[:_MOST_NAMES])} and {more} others"
