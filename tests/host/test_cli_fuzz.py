"""Made-up folders: whatever lies in one, `init` and `doctor` end soon, and lose nothing of it.

`PS7_FUZZ_FOLDERS` says how many there are (`make fuzz`: 2,000). The number of one that fails makes
it again.
"""

from __future__ import annotations

import os
import random
import shutil
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from actions.ps7.cli.bot import yaml
from tests.support.command import Cli
from tests.support.init_bots import BOTS, lay_out

pytestmark = pytest.mark.slow

FOLDERS = int(os.environ.get("PS7_FUZZ_FOLDERS", "5"))
SECONDS = 5.0 if "PS7_FUZZ_FOLDERS" in os.environ else float("inf")
"""Of the processor, for one command. `make fuzz` asks for it: coverage makes a parser some three
times slower, so that `make test` has the limit of the whole test only."""
COMMANDS = ("doctor --bot . --only-bot", "init --yes", "init --yes --pt")
LARGEST = 2 << 20
"""Bytes of a file that is compared."""

YAML = [
    BOTS["file"]["domain.yml"],
    BOTS["folder"]["domain/a.yml"],
    "",
    "- a\n- b\n",
    "slots: [a]\nforms: 7\nactions: {a: 1}\nresponses: [x]\n",
    "slots: {cpf: {mappings: [{type: from_text}]}, customer_cpf: {}, 7: null, ps7_status: []}\n",
    "responses:\n  utter_greet:\n  - text: |\n      a\n      b\n    condition: x\n",
    "responses:\n  utter_greet:\n  - text: a # b\n\n  - text: [c]\n  'utter_greet ': [x]\n",
    "version: '2.0'\nintents: [a]\n",
    "".join(f"a{i}: &a{i} [{f'*a{i - 1}, ' * 9}]\n" for i in range(1, 9)).replace("*a0", "1"),
    "a: !!python/object/apply:os.system ['touch ran']\n",
    "? [a, b]\n: c\n",
    "---\na: 1\n---\nb: 2\n",
    "responses:\n\tutter_greet: x\n",
    "action_endpoint: {actions_module: '/etc/passwd'}\n",
    "action_endpoint: {url: ['http://x', {y: z}], enable_selective_domain: true}\n",
    '# action_endpoint:\n#   url: "http://localhost:5055/webhook"\n',
    "rest:\nchannels.own.Own:\n/etc/passwd.X:\n....:\n",
    "policies: [{name: TEDPolicy}]\nlanguage: [pt]\n",
    "rules: [{rule: r, steps: [{action: utter_greet}]}]\nstories: 7\nflows: [x]\n",
]
"""Of which some are no domain, and some no YAML."""
HEAVY = [
    "rules:\n" + "- {rule: r, steps: [{intent: a}, {action: b}]}\n" * 4000,
    "nlu:\n" + "- rules\n" * 200_000,
    "intents: [" + "a, " * 120_000 + "a]\n",
    "x: " + "y" * 900_000 + "\n",
    "intents: " + "[a, " * 900 + "\n",
]
"""Some are too much."""
CODE = [
    "",
    "import rasa_ps7\n",
    "class A:\n    def name(self):\n        return 'action_session_start'\n",
    "from dotenv import load_dotenv\nimport os, nowhere\n",
    "def (:\n",
    "(" * 4000,
    "x = '" + "\\d" * 300 + "'\n",
]
SETTINGS = ["", "PS7_BASE_URL=x\n", "PS7_SLOT_NAMES=[\n", "A='\nB\n", "PS7_URL=1\n" * 3000, "=\n\0"]
RULES = ["", ".env\n", "!.env\n", ".env\n!.env", "*\n!*\n", "[\n", "#\n" * 30_000]
FILES: dict[str, list[str]] = {
    **dict.fromkeys(("domain.yml", "domain/a.yml", "domain/x/b.yaml", "domain/bot.yml"), YAML),
    **dict.fromkeys(("config.yml", "endpoints.yml", "credentials.yml", "config/config.yml"), YAML),
    **dict.fromkeys(("data/rules.yml", "data/x/nlu.yml", "tests/t.yml", "domain/ps7/d.yml"), YAML),
    **dict.fromkeys(("actions.py", "actions/__init__.py", "actions/a.py", "channels/own.py"), CODE),
    **dict.fromkeys(("json.py", "actions/ps7/__init__.py"), CODE),
    **dict.fromkeys((".env", "../.env"), SETTINGS),
    **dict.fromkeys((".gitignore", "../.gitignore"), RULES),
    "Makefile": ["train:\n\trasa train\n", "include .env\n"],
    "docker/Dockerfile": ["FROM rasa/rasa-sdk\nCOPY actions /app\n"],
    "requirements.txt": ["rasa-sdk==3.1.1\n", "rasa-sdk\n" * 9000],
    "domain": YAML,
}
ENCODINGS = [*["utf-8"] * 12, "utf-8-sig", "utf-16", "latin-1", "utf-7"]
LINE_ENDS = [*["\n"] * 6, "\r\n", "\r", "\n\r", "\u2028"]
TARGETS = ["..", ".", "self", "nowhere", "/dev/zero", "/dev/null", "/etc/passwd", "../outside"]
ODD_NAMES = [b"\xff.yml", b"a\nb.yml", b"-rf.yml", b"\x1b[2J.yml", "café.yml".encode(), b" .yml"]


def put(name: str) -> Path | None:
    """Make room for a file; none if something else is in the way."""
    path = Path(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return None if os.path.lexists(path) else path


def a_file(made: random.Random) -> None:
    name = made.choice([*FILES])
    text = made.choice(FILES[name]).replace("\n", made.choice(LINE_ENDS))
    raw = text.encode(made.choice(ENCODINGS), errors="replace")
    if made.random() < 0.1:
        at = made.randrange(len(raw) + 1)
        raw = raw[:at] + made.randbytes(3) + raw[at:]
    if made.random() < 0.1:
        raw = raw.rstrip()
    if path := put(name):
        path.write_bytes(raw)


def a_thing(made: random.Random) -> None:
    if path := put(made.choice([*FILES, "data", "actions", "data/x.yml", "actions/x.py"])):
        made.choice(THINGS)(path, made)


def a_weight(made: random.Random) -> None:
    if path := put(made.choice(["domain.yml", "domain/h.yml", "data/h.yml", "config.yml", ".env"])):
        path.write_text(made.choice(HEAVY))


def a_name(made: random.Random) -> None:
    folder = Path(made.choice(["data", "domain", "actions", "."]), made.choice(["", "d/" * 60]))
    if put(str(folder / "x")):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + made.choice(ODD_NAMES))).write_text("a: 1\n")


def truncated(path: Path, made: random.Random) -> None:
    path.touch()
    os.truncate(path, made.choice([(1 << 20) + 1, 1 << 33]))


THINGS: list[Callable[[Path, random.Random], object]] = [
    lambda path, made: path.symlink_to(made.choice(TARGETS)),
    lambda path, _: os.mkfifo(path),
    lambda path, _: path.mkdir(),
    truncated,
]
STEPS = {a_file: 36, a_thing: 12, a_name: 6, a_weight: 1}
"""And how often each is taken."""


def everything(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Return what lies in a folder: of each its mode, and its content or where it leads."""
    found = {}
    for path in folder.rglob("*"):
        about, content = path.lstat(), b""
        if stat.S_ISLNK(about.st_mode):
            content = os.fsencode(path.readlink())
        elif stat.S_ISREG(about.st_mode) and about.st_size <= LARGEST:
            content = path.read_bytes()
        found[str(path.relative_to(folder))] = (about.st_mode, content)
    return found


UNCOMMENTED = {b"# action_endpoint:", b'#   url: "http://localhost:5055/webhook"'}


def assert_kept(before: dict[str, tuple[int, bytes]], after: dict[str, tuple[int, bytes]]) -> None:
    """Check that each line is where it was, in its order; a domain may lie in its folder now."""
    for name, (mode, content) in before.items():
        moved = name not in after and name in {"bot/domain.yml", "bot/domain"}
        now, text = after["bot/domain/bot.yml" if moved else name]
        private = 0o777 if Path(name).name == ".env" else 0
        assert now | private == mode | private, name
        assert stat.S_ISREG(mode) or text == content, name
        if text != content:
            # A last line without an end gets one; that all ends are alike is looked at below.
            lines = iter([line.rstrip(b"\r") for line in text.split(b"\n")])
            were = [line.rstrip(b"\r") for line in content.removesuffix(b"\n").split(b"\n")]
            assert {line for line in were if line not in lines} <= UNCOMMENTED, name
            if 0 < content.count(b"\n") == content.count(b"\r\n"):
                assert text.count(b"\n") == text.count(b"\r\n"), name


@pytest.mark.parametrize("number", range(FOLDERS))
def test_an_odd_folder_costs_nothing(
    cli: Cli, isolated: pytest.MonkeyPatch, tmp_path: Path, number: int
) -> None:
    """It ends soon, with 0 or 1 and no traceback; each line that was there is there.

    What it read once is not read again from its memory: each command begins without.
    """
    lay_out(tmp_path, {"outside/x.yml": "intents: [outside]\n"})
    (tmp_path / "bot").mkdir()
    isolated.chdir(tmp_path / "bot")
    made = random.Random(number)  # noqa: S311 - not a secret
    for step in made.choices([*STEPS], [*STEPS.values()], k=made.randrange(2, 25)):
        step(made)
    before = everything(tmp_path)
    for line in COMMANDS:
        yaml._kept.clear()
        begun = time.process_time()
        code, out, err = cli(line)
        assert time.process_time() - begun < SECONDS
        assert code in {0, 1}, err
        assert "Traceback" not in out + err
        assert code == 0 or out or err
    assert not list(tmp_path.rglob("ran"))
    assert_kept(before, everything(tmp_path))
    isolated.chdir("/")
    shutil.rmtree(tmp_path)
