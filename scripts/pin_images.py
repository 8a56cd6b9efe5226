"""Pins each base image by its digest, wherever a file names one: `make digests`.

    python scripts/pin_images.py Dockerfile examples/deploy

A registry is asked by a program that knows it: crane, skopeo or docker buildx, whichever is there.
The tag stays in front of the digest, so that it can be pinned anew. Our own images have none.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAMS = {
    "crane": ("digest", "{}"),
    "skopeo": ("inspect", "--no-tags", "--format", "{{{{.Digest}}}}", "docker://{}"),
    "docker": ("buildx", "imagetools", "inspect", "--format", "{{{{.Manifest.Digest}}}}", "{}"),
}
"""Each of them prints the digest of the list of an image's platforms."""
_NAMED = re.compile(
    r"(?P<before>^FROM |^ARG \w+_IMAGE=|^\s+image: )"
    r"(?P<tag>(?!ps7-)[\w./:-]+:[\w.-]+)(?:@sha256:[0-9a-f]{64})?(?=\s|$)",
    re.MULTILINE,
)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def digest(image: str) -> str:
    """Ask the registry for the digest of an image.

    Raises:
        SystemExit: no program is there, or what it says is no digest.

    """
    for name, arguments in PROGRAMS.items():
        if program := shutil.which(name):
            command = [program, *(each.format(image) for each in arguments)]
            done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True)  # noqa: S603 - one of the above
            if done.returncode or not _DIGEST.fullmatch(done.stdout.strip()):
                raise SystemExit(f"{name} gives no digest of {image}: nothing is pinned")
            return done.stdout.strip()
    raise SystemExit(f"one of these has to be there: {', '.join(PROGRAMS)}")


def main(places: list[str]) -> None:
    """Ask for all of them first; then write."""
    files = [file for place in map(Path, places) for file in (place, *place.rglob("*"))]
    texts = {
        file: file.read_text(encoding="utf-8")
        for file in files
        if file.name.endswith(("Dockerfile", ".yaml")) and file.is_file()
    }
    images = {found["tag"] for text in texts.values() for found in _NAMED.finditer(text)}
    known = {image: digest(image) for image in sorted(images)}
    for file, text in texts.items():
        file.write_text(
            _NAMED.sub(
                lambda found: f"{found['before']}{found['tag']}@{known[found['tag']]}", text
            ),
            encoding="utf-8",
        )
    sys.stdout.write("".join(f"{image}@{found}\n" for image, found in known.items()))


if __name__ == "__main__":
    main(sys.argv[1:])
