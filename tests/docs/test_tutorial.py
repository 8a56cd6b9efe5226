"""From a clone to one's own bot by the README, and on by the tutorial: each shows what it says.

Until the tutorial has its own config.yml, Rasa learns without a neural net: that is not as on a
reader's machine.
"""

from __future__ import annotations

import re
import shutil
from itertools import zip_longest
from pathlib import Path

import pytest

from tests.docs.documents import Block, document
from tests.support.init_bots import PIPELINE, POLICIES
from tests.support.interpreters import rasa_python
from tests.support.needs import lacking
from tests.support.reader import README, Reader, block

TUTORIAL = document("docs/tutorial.md")
LATER = ("docs/integration.md", "docs/reference.md", "docs/testing.md")
BIN = ".venv-actions/bin/"
(CHECK,) = (each.code for each in document(LATER[0]).blocks if "--allow http" in each.code)
READY = "Rasa server is up and running."


def shown(code: str) -> re.Pattern[str]:
    """Return what finds the output that a page shows: "…" leaves out lines, or some of a line."""
    lines = [
        r"(?:.*\n)*?" if line == "…" else ".*".join(map(re.escape, line.split("…"))) + r"\n"
        for line in code.splitlines()
    ]
    return re.compile("".join(lines))


@pytest.mark.conversation
async def test_the_tutorial_shows_what_one_sees_and_its_bot_takes_what_later_pages_show(
    tmp_path: Path,
) -> None:
    """The README's bot answers by segment.

    Then every file, command and output, in the order of the page; a line of JSON is the desk's.

    With the files of the later pages its tests still pass, which load every action, and so does a
    story. `profiles` is what the guide takes a reader's own module for.
    """
    if not shutil.which("curl"):
        lacking("curl", "apt-get install curl")
    assert f'"{READY}"' in TUTORIAL.prose
    (promised,) = re.findall(r'The bot answers "([^"]+)"', README.prose)
    reader = Reader(tmp_path, rasa_python())
    config = PIPELINE.replace(": pt", ": en") + POLICIES
    (reader.bot / "config.yml").write_text(config, encoding="utf-8")
    try:
        await reader.installs()
        for server in ("rasa-ps7 simulate", "-m rasa_sdk", "rasa train"):
            await reader.follows(block(server))
        for who, answer in {"ana": promised, "bruno": "Hey! How are you?"}.items():
            await reader.talks(block("chat --as").strip().replace("ana", who), ["hi"])
            assert f"you: hi\nbot: {answer}\n     ps7_status = ok\n" in reader.output
        assert reader.all_output.count("PS7 lookup: outcome=ok reason=ok") == 2
        for each, after in zip_longest(TUTORIAL.blocks, TUTORIAL.blocks[1:]):
            if each.path:
                write(reader, each)
            elif each.language == "sh":
                seen = after.code if after and after.language == "text" else ""
                await reader.follows(each.code, re.findall("(?m)^you: (.*)$", seen))
            else:
                desk = each.code.startswith("{")
                said = reader.servers["examples/desk.py"].output if desk else reader.output
                assert shown(each.code).fullmatch(said), f"{each}:\n{said}"
        assert READY in reader.servers["rasa run"].output
        await reader.types(f"{BIN}{CHECK}")
        assert sorted(re.findall(r"\[([\w-]+)\]", reader.output)) == ["arrival-keys-unset", "http"]
    finally:
        await reader.leaves()

    (reader.bot / "actions" / "profiles.py").touch()
    files = [each for page in LATER for each in document(page).blocks if each.path]
    for each in files:
        write(reader, each)
    tests = sum(each.code.count("def test_") for each in (*TUTORIAL.blocks, *files))
    await reader.types(f"{BIN}python -m pytest -q")
    assert f"{tests} passed" in reader.output
    assert "Warning" not in reader.output
    (story,) = (each.code for each in document(LATER[2]).blocks if "rasa test" in each.code)
    await reader.types(story)


def write(reader: Reader, shown: Block) -> None:
    """Write a file that a page shows."""
    (reader.bot / str(shown.path)).parent.mkdir(exist_ok=True)
    (reader.bot / str(shown.path)).write_text(shown.code, encoding="utf-8")


def test_both_languages_show_the_same() -> None:
    """What is seen included: the bot speaks Portuguese in both."""
    portuguese = document("docs/tutorial.pt-BR.md").blocks
    assert [each[2:] for each in portuguese] == [each[2:] for each in TUTORIAL.blocks]
