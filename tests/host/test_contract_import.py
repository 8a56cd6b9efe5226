"""The action server imports every module that it finds: the import must be possible, and harmless.

It reads modules below `actions/`, `__main__` included, in an environment that holds the core
dependencies and no test tools. `cli/` and `testing/` are optional: a bot may leave them out.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.host.conftest import Stage
from tests.support.processes import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.versions,
    pytest.mark.asyncio(loop_scope="session"),
]

SCRIPT = Path(__file__).parent / "scripts" / "import_everything.py"
BAD = ("PS7_BASE_URL", "PS7_SEAL_KEYS", "PS7_DEADLINE", "PS7_SECRETS_DIR")


@pytest.mark.parametrize("left_out", ["", "cli", "testing"])
async def test_importing_needs_the_core_dependencies_and_does_nothing(
    stage: Stage, python: Path, left_out: str, tmp_path: Path
) -> None:
    """No settings are read, bad or none; nothing is opened, started, logged or changed."""
    ignored = shutil.ignore_patterns("__pycache__", left_out)
    plugin = shutil.copytree(ROOT / "actions", tmp_path / "actions", ignore=ignored)
    modules = [
        ".".join(path.relative_to(tmp_path).with_suffix("").parts).removesuffix(".__init__")
        for path in plugin.rglob("*.py")
    ]
    (tmp_path / ".env").write_text("PS7_BASE_URL=nonsense\n")
    settings = dict.fromkeys(BAD, "nonsense") if left_out else {}
    command = (python, "-W", "error:::actions", SCRIPT, "actions")
    process = await stage.run(*command, cwd=tmp_path, PYTHONPATH=str(tmp_path), **settings)
    assert await process.exit_code() == 0, process.tail
    result = json.loads(process.output)  # whatever an import says would stand beside it
    assert sorted(result.pop("modules")) == sorted(modules)
    # A server's parts, and tools, are for the functions that use them.
    assert result == {"servers": [], "strangers": [], "events": [], "changed": []}
