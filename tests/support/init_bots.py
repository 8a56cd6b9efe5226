"""Three bots before `rasa-ps7 init`, and what it makes of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

import pytest

PIPELINE = """\
recipe: default.v1
language: pt
assistant_id: init
pipeline:
  - name: WhitespaceTokenizer
  - name: CountVectorsFeaturizer
  - name: LogisticRegressionClassifier
"""
POLICIES = """\
policies:
  - name: MemoizationPolicy
  - name: RulePolicy # rules first
    core_fallback_threshold: 0.3
"""
DOMAIN = """\
version: "3.1"
intents: [greet, pay]

responses:
  utter_greet: # what everybody hears
    - text: "Olá!"

session_config: {session_expiration_time: 60, carry_over_slots_to_new_session: true}
"""
TAKEN = """\
slots:
  cpf: {type: text, mappings: [{type: from_text}]}
  customer_cpf: {type: text, mappings: [{type: from_text}]}
  ps7_cpf: {type: text, mappings: [{type: from_text}]}
"""
"""Names that a bot has for slots of its own."""
_FORM = """\
slots:
  cpf:
    type: text
    mappings:
      - {type: from_text, conditions: [{active_loop: pix_form, requested_slot: cpf}]}
forms:
  pix_form: {required_slots: [cpf]}
"""
_ENDPOINT = 'action_endpoint: {url: "http://localhost:5055/webhook"} # ours\n'

BOTS: dict[str, dict[str, str]] = {
    # One file, no endpoints.yml and no actions at all.
    "file": {"domain.yml": DOMAIN, "config.yml": PIPELINE + POLICIES},
    # A folder, from Windows, in git, with an action server of its own.
    "folder": {
        "domain/a.yml": 'version: "3.1"\r\nintents: [greet, pay]\r\n',
        "domain/texts/b.yml": DOMAIN.replace("intents: [greet, pay]\n", "").replace("\n", "\r\n"),
        "config.yml": (PIPELINE + POLICIES).replace("\n", "\r\n"),
        "endpoints.yml": _ENDPOINT.replace("localhost", "127.0.0.1"),
        "actions/__init__.py": "import logging",
        ".gitignore": "# .env\nmodels/",
    },
    # A form that asks for the CPF of somebody else, one module, and settings of the bank's.
    "payee": {
        "domain.yml": DOMAIN.replace("\nresponses:\n", f"{_FORM}\nresponses:\n"),
        "config.yml": PIPELINE + POLICIES,
        "endpoints.yml": f"{_ENDPOINT}tracker_store:\n  type: InMemory",
        "actions.py": '"""None yet."""\n',
        ".env": "PS7_BASE_URL=https://cec.example.com\nPS7_PASSWORD=planted",
    },
}


def lay_out(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files of a bot."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode())


def tree(without: Collection[str] = ()) -> dict[str, str]:
    """Read every file and folder of the bot. Keys are made by chance: they are left out."""
    return {
        path.as_posix(): re.sub("(PS7_SEAL_KEYS=).*", r"\1…", path.read_bytes().decode())
        if path.is_file()
        else ""
        for path in sorted(Path().rglob("*"))
        if path.parts[0] not in {".git", *without}
    }


def left_to_you(out: str) -> list[str]:
    """Return what `init` leaves to a person."""
    listed = re.findall(r"Left to you\n((?:  .*\n)*)", out)
    return [line.strip() for part in listed for line in part.splitlines()]


def fail_at(full: pytest.MonkeyPatch, step: int, *names: str) -> None:
    """Let the disk be full at one of the steps that these methods of a path make."""
    steps = iter(range(99))

    def failing_once(real: Callable[..., object]) -> Callable[..., object]:
        def counted(path: Path, *to: Path, **options: object) -> object:
            if next(steps) == step:
                raise OSError(28, "No space left on device")
            return real(path, *to, **options)

        return counted

    for name in names:
        full.setattr(Path, name, failing_once(getattr(Path, name)))
