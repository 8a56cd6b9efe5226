"""`make release`: what it refuses, writes, runs and leaves."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts import release
from tests.support.processes import ROOT

VERSION = release.own_version(ROOT)

EMPTY = "# C\n\n## [Unreleased]\n\n## [0.0.9] - 2026-01-01\n\n- B.\n"
GOOD = {
    "own": "0.1.0",
    "changelog": EMPTY.replace("\n\n## [0.0.9]", "\n\n### Fixed\n\n- A.\n\n## [0.0.9]"),
    "branch": "main",
    "changes": "",
}


@pytest.mark.parametrize(
    ("version", "changed", "problem"),
    [
        ("0.1.0", {}, None),
        *(
            (text, {}, f"{text or 'nothing'} is no version: make release VERSION=x.y.z")
            for text in ("", "1", "01.1.0", "0.1.0.1", "v0.1.0", "0.1.0rc1")
        ),
        ("0.9.1", {"own": "0.10.0"}, "0.9.1 is older than 0.10.0 in pyproject.toml"),
        ("0.1.9", {"own": "0.1.10"}, "0.1.9 is older than 0.1.10 in pyproject.toml"),
        ("0.0.9", {"own": "0.0.9"}, "CHANGELOG.md has 0.0.9 already"),
        ("0.0.9", {"own": "0.0.9", "changelog": GOOD["changelog"].replace("0.9]", "0.90]")}, None),
        ("0.1.0", {"branch": ""}, "a release is made on main, and this is no branch"),
        ("0.1.0", {"changelog": EMPTY}, "CHANGELOG.md says nothing under Unreleased"),
        ("0.1.0", {"branch": "topic"}, "a release is made on main, and this is topic"),
        ("0.1.0", {"changes": " M file"}, "there are changes that are not committed:\n M file"),
    ],
)
def test_a_release_is_refused_before_anything_is_written(
    version: str, changed: dict[str, str], problem: str | None
) -> None:
    """Everything that can be known before anything is written."""
    found = release.problems(version, **{**GOOD, **changed})
    assert found == ([] if problem is None else [problem])


def test_the_version_is_written_where_it_is_the_project_s() -> None:
    """Not where it is a part of another, or that of something else. Only what is new is dated."""
    named = """
version = "{0}"
VERSION = "{0}"
LABEL org.opencontainers.image.version="{0}"
image: ps7-actions:{0} ps7-rasa:{0}
"""
    others = """
image: ps7-actions:0.1.01 ps7-actions:0.1.0.1 maps7-actions:0.1.0 ps7-actions:0-1-0 redis:0.1.0
target-version = "0.1.0"
"""
    text = named.format("0.1.0") + others
    assert release.renamed(text, "0.1.0", "0.2.0") == named.format("0.2.0") + others
    head = "## [Unreleased]\n"
    expected = f"{head}\n## [0.2.0] - 2026-02-01\n\n- A.\n{head}"
    assert release.dated(f"{head}\n- A.\n{head}", "0.2.0", "2026-02-01") == expected


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a repository that holds this project's versioned files, and targets that note a run."""
    tracked = git(ROOT, "ls-files", "CHANGELOG.md", *release.VERSIONED).splitlines()
    for name in tracked:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    (tmp_path / "Makefile").write_text(
        "%:\n\t@echo $@ >>ran; mkdir -p dist; echo $@ >dist/$@; test ! -e no-$@\n"
    )
    (tmp_path / ".gitignore").write_text("dist\nran\nno-*\nsign\nconfig\n")
    (tmp_path / "ran").touch()
    signs, config = tmp_path / "sign", tmp_path / "config"
    signs.write_text("#!/bin/sh\ncat >/dev/null; echo '[GNUPG:] SIG_CREATED ' >&2; echo signed\n")
    signs.chmod(0o755)
    config.write_text(
        f"[user]\nname = c\nemail = c@example.com\n[gpg]\nprogram = {signs}\n"
        "[init]\ndefaultBranch = main\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "Begin")
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder; return what it says."""
    return subprocess.check_output(["git", *arguments], cwd=folder, text=True)


def test_one_command_makes_a_release(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It writes the version, runs what must pass, builds, commits and tags; it pushes nothing."""
    (project / "dist").mkdir()
    (project / "dist" / "of-a-release-before").touch()
    assert release.main("7.8.9", project) == 0

    assert (project / "ran").read_text().split() == ["test", "release-check", "wheel", "sbom"]
    assert git(project, "status", "--short") == ""
    assert git(project, "log", "-1", "--format=%s") == "Version 7.8.9\n"
    check = ["sha256sum", *sorted(release.TARGETS)]
    sums = subprocess.check_output(check, cwd=project / "dist", text=True)
    assert {each.name for each in (project / "dist").iterdir()} == {*release.TARGETS}
    told = git(project, "for-each-ref", "--format=%(contents)", "refs/tags/v7.8.9")
    assert told.startswith(f"rasa-ps7 7.8.9\n\n{sums}signed")
    assert "git push --atomic origin main v7.8.9" in capfd.readouterr().out

    changelog = (project / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"\n## \[Unreleased\]\n\n## \[7\.8\.9\] - \d{4}-\d\d-\d\d\n\n", changelog)
    changed = git(project, "diff", "--name-only", "HEAD~").split()
    assert {"CHANGELOG.md", "Dockerfile", "examples/deploy/compose.yaml"} <= set(changed)
    texts = [(project / name).read_text(encoding="utf-8") for name in changed[1:]]
    assert [text for text in texts if VERSION in text] == []


@pytest.mark.parametrize(
    ("fails", "said", "ran"),
    [
        ("no-release-check", "make release-check failed", "test\nrelease-check\n"),
        ("sign", "No release: git cannot sign", ""),
    ],
)
def test_a_release_that_fails_is_none(
    fails: str, said: str, ran: str, project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing is committed or tagged, and no later target runs. A key is tried before the first."""
    (project / fails).write_text("#!/bin/sh\nexit 1\n")
    assert release.main("7.8.9", project) == 1
    assert said in capfd.readouterr().err
    assert (project / "ran").read_text() == ran
    assert (git(project, "status", "--short") != "") is bool(ran)
    assert git(project, "log", "--format=%s") == "Begin\n"
    assert git(project, "tag") == ""


def test_the_list_of_parts_is_made_of_what_the_image_pins(tmp_path: Path) -> None:
    """The metrics' too, under the name of the wheel that it lies beside."""
    program, read = tmp_path / "cyclonedx-py", tmp_path / "read"
    program.write_text(f'#!/bin/sh\ncat >"{read}" && echo "$@" >>"{read}"\n')
    program.chmod(0o755)
    command = ("scripts/make-sbom", str(program), str(tmp_path / "dist"))
    subprocess.run(command, cwd=ROOT, check=True)
    pins = [(ROOT / f"requirements/{name}.txt").read_text() for name in ("container", "telemetry")]
    told = read.read_text()
    assert told.startswith("".join(pins))
    file = f"{tmp_path}/dist/rasa_ps7-{VERSION}.cdx.json"
    options = "--output-reproducible --index-url  --mc-type library --pyproject pyproject.toml"
    assert told.endswith(f"\nrequirements {options} --output-file {file} -\n")
