"""What is where Rasa is: the plugin's needs beside Rasa's pins, and a domain that Rasa reads."""

from __future__ import annotations

import pytest
import tomli
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from actions.ps7.cli.domain import CALM, OSS, PORTUGUESE, fragment
from actions.ps7.customer import CUSTOMER_SLOTS
from tests.conversation.cast import BOTS
from tests.conversation.fixtures import InRasa
from tests.conversation.harness import FRAGMENT, OSS_BOT
from tests.conversation.spoken import CUSTOMER_SLOTS as DECLARED
from tests.support.interpreters import rasa_python
from tests.support.pins import ADDED_TO_RASA, RASA_PINS, pinned
from tests.support.processes import ROOT, run
from tests.unit.test_doctor_files import GOOD, REFUSED

RASA = {canonicalize_name(name): version for name, version in pinned(RASA_PINS).items()}
ADDED = {canonicalize_name(name): version for name, version in pinned(ADDED_TO_RASA).items()}
PYDANTIC, SDK = canonicalize_name("pydantic"), canonicalize_name("rasa-sdk")


@pytest.mark.release
@pytest.mark.conversation
def test_pydantic_alone_is_over_rasas_pin() -> None:
    """Of all that is there, pip finds nothing else that does not fit."""
    check = run(rasa_python(), "-m", "pip", "check")
    wants = f"rasa {pinned(RASA_PINS)['rasa']} has requirement pydantic<1.10.10"
    assert check.stdout == f"{wants}, but you have pydantic {ADDED[PYDANTIC]}.\n"


def test_what_the_plugin_needs_is_added_and_nothing_of_rasas_replaced_but_pydantic() -> None:
    """Every dependency of pyproject.toml; what both files pin is the same there and here."""
    project = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    requirements = map(Requirement, project["dependencies"])
    needed = {canonicalize_name(each.name): each.specifier for each in requirements}
    there = RASA | ADDED
    assert [name for name in needed if not needed[name].contains(there[name])] == []
    assert [name for name in ADDED if RASA.get(name, ADDED[name]) != ADDED[name]] == [PYDANTIC]


READ = """
from rasa.shared.core.domain import Domain

def slots(text):
    try:
        return sorted(slot.name for slot in Domain.from_yaml(text).slots)
    except Exception:
        return None

found = [slots(text) for text in given]
"""
ALWAYS = ("ps7_context", "ps7_status", "session_started_metadata")
"""The last one is Rasa's own."""


def test_the_bots_have_the_files_themselves() -> None:
    """What is trained and tested is no copy that could grow old."""
    for name in ("oss_bot", "kiosk"):
        assert (BOTS[name].folder / "domain" / "ps7" / "domain.yml").samefile(FRAGMENT)
    assert (OSS_BOT / "rasa_ps7").samefile(ROOT / "actions" / "ps7")


def _all_turned_on(text: str) -> str:
    """Return the fragment with the slots that stand in its comments."""
    before, start, rest = text.partition("  # phone_number:")
    comments, responses, after = rest.partition("responses:")
    lines = f"{start}{comments}".replace("  # And any field", "  # # And any field").splitlines()
    slots = (line.replace("# ", "", 1) if line.startswith("  #") else line for line in lines)
    return "\n".join([before, *slots, f"{responses}{after}"])


@pytest.mark.conversation
def test_rasa_reads_whatever_fragment_was_asked_for(in_rasa: InRasa) -> None:
    """Whole, in part and in Portuguese; one for CALM is none for Rasa Open Source.

    Of what it leaves to the bot, in comments, only the `#` has to go.
    """
    expected: dict[str, tuple[str, ...] | None] = {
        fragment(OSS, None): DECLARED,
        fragment(OSS, list(CUSTOMER_SLOTS), at_session_start=True): (*CUSTOMER_SLOTS,),
        _all_turned_on(FRAGMENT.read_text(encoding="utf-8")): (*CUSTOMER_SLOTS, "u_display"),
        fragment(OSS, ["cpf", "agency"], names=PORTUGUESE): ("agencia", "cpf"),
        fragment(CALM, None): None,
    }
    found = in_rasa(READ, *expected)
    assert found == [each and sorted([*each, *ALWAYS]) for each in expected.values()]


@pytest.mark.conversation
def test_rasa_refuses_what_the_doctor_says_that_it_does(in_rasa: InRasa) -> None:
    """And takes the rest; what Rasa 1 called `templates:` it overlooks."""
    refused = [domain for domain, _ in REFUSED if "templates" not in domain]
    taken = [slots is not None for slots in in_rasa(READ, *refused, *GOOD)]
    assert taken == [*([False] * len(refused)), *([True] * len(GOOD))]
