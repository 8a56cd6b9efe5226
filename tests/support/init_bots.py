"""Two bots before `rasa-ps7 init`, and what it makes of them."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

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
version: "3.1"
intents: [greet, pay]
slots:
  cpf:
    type: text
    mappings:
      - {type: from_text, conditions: [{active_loop: pix_form, requested_slot: cpf}]}
forms:
  pix_form: {required_slots: [cpf]}
"""

BOTS: dict[str, dict[str, str]] = {
    # One file, no endpoints.yml and no actions at all.
    "file": {"domain.yml": DOMAIN, "config.yml": PIPELINE + POLICIES},
    # A folder, from Windows, with a form that asks for the CPF of somebody else, one module of
    # actions, a server for them, and settings of the bank's.
    "folder": {
        "domain/a.yml": _FORM.replace("\n", "\r\n"),
        "domain/texts/b.yml": DOMAIN.replace("intents: [greet, pay]\n", "").replace("\n", "\r\n"),
        "config.yml": (PIPELINE + POLICIES).replace("\n", "\r\n"),
        "endpoints.yml": 'action_endpoint: {url: "http://127.0.0.1:5055/webhook"} # ours\n',
        "actions.py": '"""None yet."""\n',
        ".env": "PS7_BASE_URL=https://cec.example.com\nPS7_PASSWORD=planted",
        ".gitignore": "# .env\nmodels/",
    },
}


def shell(line: str) -> None:
    """Run a line of a shell, which has to succeed."""
    subprocess.run(["sh", "-c", line], check=True, capture_output=True)


def lay_out(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files of a bot."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode())


def lay_out_bot(changed: Mapping[str, str | None], name: str = "file") -> dict[str, str]:
    """Write a bot with some files changed, or left out (None); return all of it."""
    files = {**BOTS[name], **changed}
    lay_out(Path(), {path: text for path, text in files.items() if text is not None})
    return tree()


def tree() -> dict[str, str]:
    """Read every file and folder of the bot. Keys are made by chance: they are left out."""
    found = {}
    for path in sorted(Path().rglob("*")):
        if path.parts[0] != ".git":
            text = path.read_bytes().decode(errors="replace") if path.is_file() else ""
            found[path.as_posix()] = re.sub("(PS7_SEAL_KEYS=).*", r"\1…", text)
    return found


def left_to_you(out: str) -> list[str]:
    """Return what `init` leaves to a person."""
    listed = re.findall(r"Left to you\n((?:  .*\n)*)", out)
    return [line.strip() for part in listed for line in part.splitlines()]
