"""A picture is what its script draws, and a figure what was measured."""

from __future__ import annotations

import re
import runpy
import subprocess
from collections.abc import Callable
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.version import Version

from actions.ps7 import Outcome, PS7Settings
from actions.ps7.conversation.state import REFUSED_FOR
from actions.ps7.lookup.breaker import LONGEST_PAUSE
from benchmarks.figures import number, over, shown
from tests.docs.documents import document, names
from tests.support.dialogue import FORGET, VERIFY
from tests.support.pins import pinned
from tests.support.processes import ROOT
from tests.support.talk import Talk

FIGURE = r"(?<![\w.])\d[\d,.]*\d|(?<![\w.])\d"
SECTIONS = {
    section.partition("\n")[0]: section
    for section in document("docs/figures.md").text.split("\n## ")
    if "benchmarks/results/" in section
}
PICTURES = ROOT / "docs" / "pictures"
SCRIPTS = sorted({*PICTURES.glob("*.py")} - {PICTURES / "drawing.py"})
IMAGES = ROOT / "docs" / "images"
BOX = r'<rect [^>]*x="(.+?)" y="(.+?)" width="(.+?)" height="(.+?)" rx="8"/>\n<text[^>]*>([^<]+)<'
ARROW = r'<path [^>]*d="M([\d.]+) ([\d.]+)([^"]+)" marker-end[^>]*>\n<text[^>]*>([^<]+)<'


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_a_picture_is_what_its_script_draws(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In each of its languages. Running the script draws it anew."""
    monkeypatch.syspath_prepend(PICTURES)  # as if it were run
    drawn: dict[str, str] = runpy.run_path(str(path))["pictures"]()
    assert {name: (IMAGES / name).read_text(encoding="utf-8") for name in drawn} == drawn


def test_every_picture_is_on_a_page() -> None:
    """Of its language; a picture without words is on pages of both."""
    linked = {
        (link.rpartition("/")[2], "pt" if ".pt-BR." in name else "en")
        for name in names()
        for link in document(name).links
    }
    shown = {path.name for path in IMAGES.iterdir()}
    languages = {name: "pt" if ".pt-BR." in name else "en" for name in shown}
    assert {*languages.items()} - linked == set()


def forge(talk: Talk) -> None:
    """Let slots claim a customer whom no seal names."""
    talk.set_slots(ps7_status="ok", ps7_context=None, cpf="1").brings("elisa").run(VERIFY)


ASKED = "PS7 is asked"
ARROWS: dict[tuple[str, str, str], Callable[[Talk], object]] = {
    ("missing", ASKED, "a contextId arrives"): lambda talk: talk.arrives("elisa"),
    (ASKED, "ok", "PS7 knows it"): lambda talk: talk.arrives("ana"),
    (ASKED, "rejected, invalid", "PS7 does not know it"): lambda talk: talk.arrives("ana"),
    ("rejected, invalid", ASKED, "again after 30 s"): lambda talk: talk.later(seconds=30).look_up(),
    (ASKED, "denied, unavailable", "PS7 refuses us, or is away"): lambda talk: talk.arrives("ana"),
    ("denied, unavailable", ASKED, "again with the next message"): lambda talk: talk.arrives(),
    ("ok", "expired", "time or session is over"): lambda talk: talk.comes_back().look_up(),
    ("expired", "missing", "without a contextId"): lambda talk: talk.arrives(),
    ("ok", "missing", "action_ps7_forget"): lambda talk: talk.run(FORGET),
    ("tampered", "missing", "without a contextId"): lambda talk: talk.arrives(),
    ("", "tampered", "from any state: slots claim a customer"): forge,
}
"""Which state each arrow leaves and reaches, what stands at it, and what makes that happen."""
BESIDE: list[tuple[str, str, Callable[[Talk], object]]] = [
    ("ok", "expired", lambda talk: talk.later(hours=1).run(VERIFY)),
    ("", ASKED, lambda talk: talk.arrives("diego")),
    ("ok", ASKED, lambda talk: talk.later(hours=1).arrives("ana")),
    ("", "missing", lambda talk: talk.run(FORGET)),
]
"""What the words say beside: of the time that is over, and of any state."""


def arrows(name: str) -> list[tuple[str, str, str]]:
    """Read the arrows of a picture: which box each of them leaves and reaches, and what it says."""
    drawn = (IMAGES / name).read_text(encoding="utf-8")
    boxes = re.findall(BOX, drawn)

    def at(x: float, y: float) -> str:
        for left, top, width, height, state in boxes:
            beside, below = x - float(left), y - float(top)
            if 0 <= beside <= float(width) and 0 <= below <= float(height):
                return str(state)
        return ""

    found = []
    for x, y, path, said in re.findall(ARROW, drawn):
        end = dict(re.findall(r"([HV])([\d.]+)", f"H{x}V{y}{path}"))
        found.append((at(float(x), float(y)), at(float(end["H"]), float(end["V"])), said))
    return found


def in_state(state: str) -> Talk:
    """Begin a conversation that is in a state."""
    talk = Talk()
    if state == "tampered":
        talk.set_slots(ps7_status="ok", cpf="1").arrives()
    elif state == "expired":
        talk.arrives("ana").comes_back().look_up()
    else:
        talk.arrives(*() if state == "missing" else ("ana", Outcome(state)))
    assert talk.slots["ps7_status"] == state
    return talk


def test_the_arrows_of_the_status_lead_where_the_plugin_goes() -> None:
    """Each is played, from every state that it leaves to every one that it reaches."""
    drawn, translated = arrows("status.svg"), arrows("status.pt-BR.svg")
    assert drawn == [*ARROWS]
    names = {"o PS7 é consultado": ASKED}
    leads = [[names.get(state, state) for state in arrow[:2]] for arrow in translated]
    assert leads == [[*arrow[:2]] for arrow in drawn]
    played = [(*arrow[:2], happens) for arrow, happens in ARROWS.items()]
    waits = f" {REFUSED_FOR.total_seconds():g} s"
    assert waits in drawn[3][2]
    assert waits in translated[3][2]
    for leaves, reaches, happens in [*played, *BESIDE]:
        ways = product(leaves.split(", ") if leaves else Outcome, reaches.split(", "))
        for before, after in ways:
            talk = Talk() if before == ASKED else in_state(before)
            if before == ASKED:
                talk.ps7["ana"] = Outcome(after)
            asked = len(talk.asked)
            happens(talk)
            is_asked = len(talk.asked) > asked
            assert is_asked == (ASKED in {before, after}), (before, after)
            assert after in {talk.slots["ps7_status"], ASKED}, (before, after)


@pytest.mark.parametrize("name", ["breaker.svg", "breaker.pt-BR.svg"])
def test_the_picture_of_the_circuit_breaker_has_the_defaults(name: str) -> None:
    """Failures in a row, and the first, second and longest pause. What fails opens it."""
    fields, drawn = PS7Settings.model_fields, (IMAGES / name).read_text(encoding="utf-8")
    reset, longest = fields["breaker_reset"].default, LONGEST_PAUSE / 60
    assert f">{fields['breaker_failures'].default} fa" in drawn
    assert f" {reset:g} s, " in drawn
    assert f": {2 * reset:g} s, {4 * reset:g} s … {longest:g} min<" in drawn
    names = {"Fechado": "Closed", "Sonda": "Probe", "Aberto": "Open"}
    leads = [f"{names.get(one, one)} {names.get(other, other)}" for one, other, _ in arrows(name)]
    to_and_fro = ["Closed Probe", "Probe Open", "Probe Closed"]
    assert leads == [*to_and_fro, "Open Probe", "Probe Closed", "Probe Open"]


def test_every_result_is_linked_once() -> None:
    """By a section that says what it means."""
    linked = re.findall(r"benchmarks/results/([\w-]+\.md)", "".join(SECTIONS.values()))
    assert sorted(linked) == sorted(
        path.name for path in (ROOT / "benchmarks" / "results").glob("*.md")
    )


@pytest.mark.parametrize("section", SECTIONS.values(), ids=SECTIONS)
def test_every_figure_of_a_table_or_list_was_measured(section: str) -> None:
    """The page repeats what stands in the whole tables, to the digit."""
    linked = re.findall(r"benchmarks/results/[\w-]+\.md", section)
    measured = "".join((ROOT / path).read_text(encoding="utf-8") for path in linked)
    lines = [line for line in section.splitlines() if line.startswith(("|", "- ", "  "))]
    figures = set(re.findall(FIGURE, re.sub(r"\(.*?\)", "", "\n".join(lines))))
    assert figures - set(re.findall(FIGURE, measured)) == set()


def test_the_matrix_has_the_cells_of_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each rasa-sdk on each Python, once; what is beside it, and whether it has gRPC."""
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(stdout=""))
    nox = runpy.run_path(str(ROOT / "noxfile.py"))
    header = ("rasa-sdk", "beside it", *(f"Python {each}" for each in nox["PYTHONS"]))
    shown = [
        (python, *row[:2], found)
        for row in document("docs/figures.md").table(*header).rows
        for python, found in zip(nox["PYTHONS"], row[2:], strict=True)
        if found in {"all", "no gRPC"}
    ]
    beside = {nox["NEWEST"]: "the newest", nox["OLDEST"]: "the oldest"}
    made = []
    for python, pins in nox["CELLS"]:
        sdk = pinned(pins)["rasa-sdk"]
        has = "all" if Version(sdk) >= Version("3.10") else "no gRPC"
        made.append((python, sdk, beside.get(pins, "the newest that fit"), has))
    assert sorted(made) == sorted(shown)


def test_rounds_become_a_figure() -> None:
    """The median of ours over theirs, round by round; rounded; quartiles, not extremes."""
    assert (over([2, 9, 8], [1, 3, 8]), over([1], [4])) == (2, 0.25)
    values = [0.1234, 1, 4.654, 12.34, 99.94, 100.6, 1561.4]
    written = ["0.12", "1.00", "4.65", "12.3", "99.9", "101", "1,561"]
    assert [number(value) for value in values] == written
    assert [shown([4.0]), shown([9, 1, 2, 3, 4])] == ["4.00", "3.00 (2.00 to 4.00)"]
