"""What docs/security.md and docs/compliance.md name exists, and the code they show works."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING

import jwt
import pytest

from actions import ps7
from actions.ps7.api.connections import MAX_ANSWER_BYTES
from actions.ps7.api.json_text import MAX_DEPTH
from actions.ps7.cli.command import main
from actions.ps7.dialogue import arrival, context_id, history
from actions.ps7.setting_types import MIN_SIGNING_BYTES
from actions.ps7.settings import PREFIX, SECRETS_DIR, ArrivalSettings
from actions.ps7.slot_table import CONTEXT, CUSTOMER_SLOTS, STATUS
from tests.support.arriving import arrived
from tests.support.dialogue import FORGET, LOOK_UP, VERIFY
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from enum import Enum
    from pathlib import Path

DOCS = ROOT / "docs"
NAMES = ("security.md", "compliance.md")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

ENUMS: tuple[type[Enum], ...] = (
    ps7.Identification,
    ps7.Outcome,
    ps7.Reason,
    ps7.SecurityDevice,
    ps7.TokenStatus,
)
OURS = {
    *(member.value for enum in ENUMS for member in enum),
    *ps7.__all__,
    *(f"{PREFIX}{name.upper()}" for name in ps7.PS7Settings.model_fields),
    *(CONTEXT, STATUS, *CUSTOMER_SLOTS),
    *(FORGET, LOOK_UP, VERIFY),
    *("contextId", "encoded", "correlationId", "flowId", "expireIn", "sender_id"),
    *(SECRETS_DIR, history.SESSION_METADATA),
}
THEIRS = {
    # of tokens (RFC 7519)
    *("sub", "iat", "exp", "aud", "nbf"),
    # of Rasa: its files, options, slots' and channels' settings, and what one may type
    *(
        "credentials.yml",
        "endpoints.yml",
        "--enable-api",
        "--auth-token",
        "--jwt-secret",
        "default",
    ),
    *("carry_over_slots_to_new_session: false", "session_persistence: true", "jwt_key"),
    *(
        "privacy:",
        "nlg:",
        "GET /conversations/…/story",
        "collect",
        "/restart",
        "/session_start",
        "/back",
        '/greet{"cpf": "…"}',
    ),
    *("/SetSlots(ps7_status=ok, …)",),
    # of this repository, Python and pytest
    *(
        "domain.yml",
        "requirements/",
        "repr",
        "run",
        "pytest -k NAME",
        "test_",
        "ARRIVAL_KEY",
        "--seconds",
    ),
}

KEY = "a-secret-of-the-back-end-and-ours"
CONTEXT_ID = 'ctx+/="é\\~'
SENDER_ID = '+55 11 \t"né"\\😀'


def written(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def prose(name: str) -> str:
    """Give the text without its code, each run of white space one blank."""
    return " ".join(FENCE.sub("", written(name)).split())


def blocks(language: str) -> list[str]:
    return [code for said, code in FENCE.findall(written("security.md")) if said == language]


def table(header: str) -> list[str]:
    """Give the first column of the table below a header row."""
    rows = written("security.md").partition(f"{header}\n")[2].partition("\n\n")[0].splitlines()
    return [row.split("|")[1].strip() for row in rows[1:]]


@cache
def all_tests() -> set[str]:
    sources = (ROOT / "tests").rglob("test_*.py")
    found = (re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8")) for path in sources)
    return {name for names in found for name in names}


@cache
def texts() -> set[str]:
    """Give every text that stands in the source of the plugin, as Python reads it."""
    trees = (
        ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for path in (ROOT / "actions").rglob("*.py")
        if "testing" not in path.parts
    )
    nodes = (node for tree in trees for node in tree if isinstance(node, ast.Constant))
    return {node.value for node in nodes if isinstance(node.value, str)}


def is_known(span: str) -> bool:
    if span.startswith("test_") and span != "test_":
        return span in all_tests()
    if span.startswith("ps7."):  # a metric
        return span in texts()
    return span in OURS | THEIRS or span.startswith("python -m actions.ps7 ")


@pytest.mark.parametrize("name", NAMES)
def test_every_test_that_is_named_exists(name: str) -> None:
    """A document that promises a test keeps the promise."""
    named = set(re.findall(r"`(test_\w+)`", prose(name))) - {"test_"}
    assert len(named) > 30
    assert named - all_tests() == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_word_in_code_type_is_a_word_of_ours_or_a_known_one_of_theirs(name: str) -> None:
    """Settings, reasons, slots, actions, metrics: each as it stands in the code."""
    spans = re.findall(r"`([^`]+)`", prose(name))
    assert [span for span in spans if not is_known(span)] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    """To a file of this repository."""
    links = re.findall(r"\]\(([^)#]+)", written(name))
    assert links
    assert [link for link in links if not (DOCS / link).exists()] == []


def test_no_word_is_allowed_for_nothing() -> None:
    """What no document says any more is no known word."""
    said = {span for name in NAMES for span in re.findall(r"`([^`]+)`", prose(name))}
    assert THEIRS - said == set()


def test_a_text_of_the_log_is_quoted_as_it_is() -> None:
    """What an operator searches for is what is written."""
    (quoted,) = re.findall(r'says "([^"]+)"', prose("security.md"))
    assert any(text.startswith(quoted) for text in texts())


DEFAULTS = {name: field.default for name, field in ps7.PS7Settings.model_fields.items()}


@pytest.mark.parametrize(
    "figure",
    [
        f"`exp` after `iat`, by {arrival.MAX_SECONDS} s at most",
        f"`exp` is more than {arrival.MAX_SECONDS} s after `iat`",
        f"from {arrival._CLOCKS_DIFFER:.0f} s before `iat`",
        f"at most {arrival.MAX_LENGTH} characters",
        f"text of 1 to {context_id.MAX_LENGTH} printable characters",
        f"each at least {MIN_SIGNING_BYTES} bytes",
        f"`PS7_MAX_CONTEXTS` ({DEFAULTS['max_contexts']})",
        f"`PS7_MAX_AGE` ({DEFAULTS['max_age']:.0f} s)",
        f"{MAX_ANSWER_BYTES // 1024} KiB, no decompression, {MAX_DEPTH} levels",
        f"JWS, {arrival.ALGORITHM}",
    ],
)
def test_every_figure_is_that_of_the_code(figure: str) -> None:
    """Limits and defaults."""
    assert figure in prose("security.md")


def test_every_reason_of_a_refused_arrival_is_explained() -> None:
    """The table has each of them, and no other."""
    reasons = [reason.value for reason in ps7.Reason if reason.value.startswith("arrival_")]
    assert table("| reason | what was wrong |") == [f"`{reason}`" for reason in reasons]


def test_every_claim_is_explained() -> None:
    """Those of a token that we make ourselves."""
    claims = jwt.decode(arrival.sign(KEY, "C1", "s", encoded=0), KEY, [arrival.ALGORITHM])
    named = ", ".join(table("| claim | what it has to be |"))
    assert set(named.split(", ")) == {f"`{claim}`" for claim in claims}


def accepted(token: str, context: str, sender_id: str) -> float:
    """Let a token arrive, and return for how many seconds it may."""
    read = arrived(token, ["another-key-that-is-as-good-as-ours", KEY], sender_id)
    assert read.context_id == context
    assert read.valid is not None
    return read.valid[1] - read.valid[0]


def interpreter(language: str) -> list[str]:
    """Give how a program of one file is started, or skip."""
    if language == "python":
        return [sys.executable]
    command, asked, answer = {
        "java": ("java", "--list-modules", "jdk.compiler"),  # it compiles the file by itself
        "js": ("node", "--version", "v"),
    }[language]
    path = shutil.which(command)
    said = subprocess.run([path, asked], capture_output=True, check=False).stdout if path else b""
    if path is None or answer not in said.decode():
        pytest.skip(f"no {command} here that can run the example of the {language} back-end")
    return [path, "-XX:TieredStopAtLevel=1"] if language == "java" else [path]


@pytest.mark.parametrize("language", ["python", "java", "js"])
def test_the_code_for_a_back_end_makes_a_token_that_is_accepted(
    language: str, tmp_path: Path
) -> None:
    """As it stands in the document, with texts that are awkward in JSON."""
    (code,) = (block for block in blocks(language) if "ARRIVAL_KEY" in block)
    program = tmp_path / code.splitlines()[0].split()[-1]
    program.write_text(code, encoding="utf-8")
    made = subprocess.run(
        [*interpreter(language), str(program), CONTEXT_ID, SENDER_ID],
        env={"ARRIVAL_KEY": KEY, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
        timeout=60,
    )
    clocks_differ = arrival._CLOCKS_DIFFER
    assert accepted(made.stdout.strip(), CONTEXT_ID, SENDER_ID) == 60 + clocks_differ


def test_the_line_that_makes_a_key_makes_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its output is what the setting takes."""
    (line,) = (block for block in blocks("sh") if "secrets." in block)
    made = subprocess.run(
        [sys.executable, *shlex.split(line)[1:]], capture_output=True, text=True, check=True
    )
    monkeypatch.setenv("PS7_ARRIVAL_KEYS", made.stdout.strip())
    assert len(ArrivalSettings.load().arrival_keys or []) == 1


def test_the_command_that_makes_a_token_makes_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m actions.ps7` and what follows."""
    (command,) = re.findall(r"`python -m actions\.ps7 ([^`]+)`", prose("security.md"))
    monkeypatch.setenv("PS7_ARRIVAL_KEYS", f'["{KEY}"]')
    assert main(shlex.split(command)) == 0
    opens = accepted(capsys.readouterr().out.strip(), "123123213", "test-1")
    assert opens == arrival.MAX_SECONDS + arrival._CLOCKS_DIFFER
