"""The action server imports every module that it finds: the import must be possible, and harmless.

It reads modules below `actions/`, `__main__` included, in an environment that holds the core
dependencies and no test tools.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.host.conftest import Stage
from tests.support.processes import ROOT, Process

pytestmark = [pytest.mark.versions, pytest.mark.asyncio(loop_scope="session")]

SCRIPTS = Path(__file__).parent / "scripts"
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in (ROOT / "actions").rglob("*.py")
]
BAD_SETTINGS = {
    "PS7_BASE_URL": "nonsense",
    "PS7_SEAL_KEYS": "nonsense",
    "PS7_DEADLINE": "nonsense",
    "PS7_SECRETS_DIR": "/nonsense",
}


async def imported(stage: Stage, python: Path, package: str, cwd: Path, **variables: str) -> Any:  # noqa: ANN401 - JSON
    """Import a whole package in a fresh interpreter; return what the script prints."""
    process = await Process.start(
        stage.log("imported"),
        *(python, "-W", "error:::actions", SCRIPTS / "import_everything.py", package),
        cwd=cwd,
        variables={"PYTHONPATH": str(cwd), **variables},
    )
    stage.processes.append(process)
    assert await process.exit_code() == 0, process.tail
    # Whatever an import says would stand beside it.
    return json.loads(process.output)


@pytest.mark.parametrize("settings", [{}, BAD_SETTINGS], ids=["no settings", "bad settings"])
async def test_importing_needs_the_core_dependencies_and_does_nothing(
    stage: Stage, python: Path, settings: dict[str, str], tmp_path: Path
) -> None:
    """No settings are read, nothing is opened, started, logged or changed."""
    (tmp_path / ".env").write_text("PS7_BASE_URL=nonsense\n")
    (tmp_path / "actions").symlink_to(ROOT / "actions")

    result = await imported(stage, python, "actions", tmp_path, **settings)

    assert sorted(result["modules"]) == sorted(MODULES)
    assert "actions.ps7.testing.simulator.__main__" in MODULES
    assert result["changed"] == []
    assert result["events"] == []
    # A server's parts, and tools, are for the functions that use them.
    assert [name for name in result["brought"] if name.startswith("aiohttp.web")] == []
    assert result["refused"] == []
    assert {"pytest", "hypothesis"} <= set(result["strangers"]), "nothing would be refused"
