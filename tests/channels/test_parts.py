"""What the channels' shared part and WhatsApp's messages do, without a bot."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.conversation.fixtures import _rasa_python
from tests.support.processes import ROOT


@pytest.mark.conversation
@pytest.mark.xdist_group("channels")
def test_what_needs_no_bot() -> None:
    """Credentials, what is remembered, and buttons: `parts.py` looks at each."""
    subprocess.run(
        [_rasa_python(), "-W", "ignore", Path(__file__).with_name("parts.py")],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        check=True,
        timeout=100,
    )
