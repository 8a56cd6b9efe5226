"""Two Rasa servers, two action servers, PostgreSQL, Redis and nginx: customers are not mixed up."""

from __future__ import annotations

import asyncio
import re
import sys

import pytest

from benchmarks.scale.acts import AS_IT_COMES, PLANS, REPEATING
from benchmarks.scale.programs import PACKAGES, Programs
from tests.conversation.talking import RunningBot
from tests.support.needs import lacking
from tests.support.processes import ROOT

pytestmark = [
    pytest.mark.release,
    pytest.mark.conversation,
    pytest.mark.asyncio(loop_scope="session"),
]


@pytest.mark.timeout(1200)
async def test_servers_die_and_change_and_no_conversation_is_the_worse_for_it(
    oss_bot: RunningBot,
) -> None:
    """Each turn goes to another Rasa server; versions and keys change while users talk.

    Turns are lost only if they were under way on a server that was killed, none where nginx repeats
    action calls, and in the end every tracker holds its own customer. What else must hold stands in
    `verdict.problems`.
    """
    programs = Programs.find()
    if programs.missing:
        lacking("PostgreSQL, Redis and nginx", f"apt-get install {PACKAGES}")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.scale", "--model", oss_bot.model, "--users", "8"),
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PS7_RASA_PYTHON": str(programs.rasa_python)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output = (await process.communicate())[0].decode()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    assert process.returncode == 0, output
    rows = (line.split(" | ") for line in re.findall(r"^\| (.*?) ?\|$", output, re.MULTILINE))
    found = {name: [cell.strip() for cell in cells] for name, *cells in rows}

    assert found["conversations"] == found["trackers right at the end"]
    assert found["turns and trackers mixed up"] == ["0"]
    for plan in PLANS:
        *_, cut_off, failed, refused, lost, beyond = map(int, found[plan.name])
        assert refused > 0
        assert (cut_off > 0) is (plan.name in {AS_IT_COMES, REPEATING})
        assert max(failed, lost) <= (cut_off if plan.name == AS_IT_COMES else 0)
        assert beyond <= cut_off  # a call that is repeated may ask PS7 again
