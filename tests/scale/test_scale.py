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

    What must hold stands in `verdict.problems`: in the end every tracker holds its own customer.
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
    rows = dict(re.findall(r"^\| (.*?) \| \d+ \| \d+ \| (\d+) \|", output, re.MULTILINE))
    hit = {plan.name for plan in PLANS if int(rows[plan.name])}
    assert hit == {AS_IT_COMES, REPEATING}, "no call was cut off: this test shows nothing"
