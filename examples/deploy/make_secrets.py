"""Write the secret files that Compose and Kubernetes hand to the servers, one value in each.

    python examples/deploy/make_secrets.py

Needs `cryptography`. What is there already is left as it is, so that it can be run again; the
credentials of PS7 are for you to fill in.
"""

from __future__ import annotations

import argparse
import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FOLDER = Path(__file__).parent / "secrets"
FILL_IN = "fill-me-in"


def seal_keys() -> str:
    """Make what `PS7_SEAL_KEYS` takes: the same for every replica of the action server."""
    return json.dumps([Fernet.generate_key().decode()])


FILES: dict[str, Callable[[], str]] = {
    "ps7/PS7_USERNAME": lambda: FILL_IN,
    "ps7/PS7_PASSWORD": lambda: FILL_IN,
    "ps7/PS7_SEAL_KEYS": seal_keys,
    "stores/DB_PASSWORD": secrets.token_hex,
    "stores/REDIS_PASSWORD": secrets.token_hex,
}
"""Each file and how it comes to its value. A folder is a Secret in Kubernetes."""


def write(folder: Path) -> list[Path]:
    """Write those that are missing; give the ones that still want filling in."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for name, make in FILES.items():
        file = folder / name
        file.parent.mkdir(mode=0o700, exist_ok=True)
        if not file.exists():
            file.write_text(make(), encoding="ascii")
            # Compose mounts the file itself, with this mode, for a user that is nobody here: the
            # folder is what keeps others out.
            file.chmod(0o644)
    return [path for path in map(folder.joinpath, FILES) if path.read_text() == FILL_IN]


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Write the secret files of the deployment.")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    for file in write(parser.parse_args(arguments).folder):
        print(f"fill in: {file}")


if __name__ == "__main__":
    main()
