"""A certificate authority of one run, and what the servers of the run show to each other.

Its files are named as those of `examples/deploy/`.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, NamedTuple

import trustme

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HERE = ("localhost", "127.0.0.1")


class Certificate(NamedTuple):
    """The files that a server needs to show who it is."""

    certificate: Path
    key: Path


class Authority:
    """Makes certificates for servers that are reached by some names."""

    def __init__(self, folder: Path, hosts: Sequence[str] = HERE) -> None:
        """Take a folder for the files, which is made."""
        folder.mkdir()
        self._folder, self._hosts = folder, hosts
        self._made = trustme.CA()
        self.file = folder / "ca.crt"
        """What those who connect have to trust."""
        self._made.cert_pem.write_to_path(self.file)

    @property
    def trust(self) -> ssl.SSLContext:
        """What a client of ours takes for right: this authority, and the host's name."""
        return ssl.create_default_context(cafile=self.file)

    def issue(self, name: str) -> Certificate:
        """Make a certificate for a server, in files of this name."""
        made = self._made.issue_cert(*self._hosts)
        files = Certificate(self._folder / f"{name}.crt", self._folder / f"{name}.key")
        files.certificate.write_bytes(made.cert_chain_pems[0].bytes())
        files.key.write_bytes(made.private_key_pem.bytes())
        files.key.chmod(0o600)
        return files
