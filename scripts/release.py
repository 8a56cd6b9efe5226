"""`make release VERSION=x.y.z`: checks, dates, tests, builds, commits and tags. Pushes nothing.

    python scripts/release.py 0.2.0

Needs a clean tree on `main`, and a key that git signs with. Whatever fails before the commit leaves
the new version in the files: `git restore .` undoes it.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[1]
UNRELEASED = "## [Unreleased]\n"
VERSIONED = ("pyproject.toml", "Dockerfile", "examples/deploy", "actions/ps7/cli")
"""The files and folders that name the version: tests hold them together."""
TARGETS = ("test", "release-check", "wheel", "sbom")

_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")
_OWN_VERSION = re.compile(r'^version = "([^"]+)"$', re.MULTILINE)
_NAMED = r'(^(?:version|VERSION) = "|image\.version="|\bps7-\w+:){}(?!\.?\d)'


def problems(version: str, *, own: str, changelog: str, branch: str, changes: str) -> list[str]:
    """Return what speaks against a release, one line each."""
    found = []
    if not _VERSION.fullmatch(version):
        found.append(f"{version or 'nothing'} is no version: make release VERSION=x.y.z")
    elif _numbers(version) < _numbers(own):
        found.append(f"{version} is older than {own} in pyproject.toml")
    if f"\n## [{version}]" in changelog:
        found.append(f"CHANGELOG.md has {version} already")
    if "\n- " not in changelog.partition(UNRELEASED)[2].partition("\n## ")[0]:
        found.append("CHANGELOG.md says nothing under Unreleased")
    if branch != "main":
        found.append(f"a release is made on main, and this is {branch or 'no branch'}")
    if changes:
        found.append(f"there are changes that are not committed:\n{changes}")
    return found


def _numbers(version: str) -> list[int]:
    return [int(number) for number in version.split(".")]


def dated(changelog: str, version: str, day: str) -> str:
    """Return the changelog with what was not released under a version, and nothing above it."""
    return changelog.replace(UNRELEASED, f"{UNRELEASED}\n## [{version}] - {day}\n", 1)


def renamed(text: str, old: str, new: str) -> str:
    """Return a file with the new version where it names the old one: itself, label, images."""
    return re.sub(_NAMED.format(re.escape(old)), rf"\g<1>{new}", text, flags=re.MULTILINE)


def write(root: Path, version: str, day: str) -> None:
    """Write the version and the date into the files."""
    own = own_version(root)
    for name in _git(root, "ls-files", *VERSIONED).splitlines():
        text = (root / name).read_text(encoding="utf-8")
        (root / name).write_text(renamed(text, own, version), encoding="utf-8")
    changelog = root / "CHANGELOG.md"
    text = changelog.read_text(encoding="utf-8")
    changelog.write_text(dated(text, version, day), encoding="utf-8")


def own_version(root: Path) -> str:
    """Read the version of the project."""
    (found,) = _OWN_VERSION.findall((root / "pyproject.toml").read_text(encoding="utf-8"))
    return str(found)


def sums(files: Iterable[Path]) -> str:
    """Return the SHA-256 of each file, as `sha256sum` writes it."""
    return "".join(
        f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(files)
    )


def _git(root: Path, *arguments: str) -> str:
    command = ["git", *arguments]
    done = subprocess.run(  # noqa: S603 - git, with what stands in this file
        command, cwd=root, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout.rstrip()


def _signs(root: Path) -> bool:
    """Let git sign a commit that no branch gets: the tag itself comes last, after all tests."""
    command = ["git", "commit-tree", "-S", "-m", "Can git sign?", "HEAD^{tree}"]
    done = subprocess.run(command, cwd=root, check=False, stdout=subprocess.DEVNULL)  # noqa: S603 - as above
    return done.returncode == 0


def main(version: str, root: Path = ROOT) -> int:
    """Make a release; return the exit code."""
    found = problems(
        version,
        own=own_version(root),
        changelog=(root / "CHANGELOG.md").read_text(encoding="utf-8"),
        branch=_git(root, "branch", "--show-current"),
        changes=_git(root, "status", "--short"),
    )
    if not found and not _signs(root):
        found = ["git cannot sign: see user.signingkey and gpg.format in `git help config`"]
    if found:
        sys.stderr.write("".join(f"No release: {problem}\n" for problem in found))
        return 1
    write(root, version, datetime.now(timezone.utc).date().isoformat())
    shutil.rmtree(root / "dist", ignore_errors=True)
    for target in TARGETS:
        done = subprocess.run(["make", target], cwd=root, check=False)  # noqa: S603, S607 - as above
        if done.returncode:
            sys.stderr.write(
                f"No release: make {target} failed. `git restore .` undoes the version.\n"
            )
            return 1
    built = sums((root / "dist").iterdir())
    _git(root, "commit", "--quiet", "--all", "--message", f"Version {version}")
    title = f"rasa-ps7 {version}"
    _git(root, "tag", "--sign", f"v{version}", "--message", title, "--message", built)
    sys.stdout.write(
        f"{built}{title} is committed and tagged here, and nowhere else. CONTRIBUTING.md says what "
        f"is left to do, such as:\n    git push --atomic origin main v{version}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
