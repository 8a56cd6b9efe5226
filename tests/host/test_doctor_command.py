"""`rasa-ps7 doctor`: what it takes, what it gives to machines, and how a user runs it."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

import pytest

from actions.ps7.cli.command import main
from tests.host.doctor_servers import (
    SECRETS,
    SETTINGS,
    TIME,
    TLS_IN_TESTS,
    bare_machine,
    named,
    normal,
    summary,
)
from tests.host.test_doctor_ps7 import CASES as PS7
from tests.host.test_doctor_way import CASES as WAY
from tests.support.processes import ROOT

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["bare_machine"]
pytestmark = TLS_IN_TESTS


@pytest.mark.usefixtures("bare_machine")
@pytest.mark.parametrize("name", ["well-tls", "tls-expired", "token-refused", "ps7-credentials"])
async def test_as_a_user_runs_it(name: str, tmp_path: Path) -> None:
    """`python -m actions.ps7 doctor`, with nothing in its environment but the settings."""
    (case,) = [case for case in (*WAY, *PS7) if case.name == name]
    async with case.serve(tmp_path) as variables:
        code, out, err = await run(tmp_path, "doctor", **{**SECRETS, **variables, **case.settings})
    text, names = named(out)
    assert normal(text) == case.expected
    assert (code, err, names) == (case.code, "", case.names)


async def run(folder: Path, *arguments: str | Path, **variables: str) -> tuple[int, str, str]:
    """Run the command in a folder, and wait for its end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "actions.ps7", *arguments),
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@pytest.fixture
def usable(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Set what must be set, for a PS7 that is not there."""
    request.getfixturevalue("bare_machine")
    for name, value in {**SECRETS, "PS7_BASE_URL": "https://cec..example.com"}.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.mark.usefixtures("usable")
def test_offline_leaves_the_network_out(capsys: pytest.CaptureFixture[str]) -> None:
    """The settings alone."""
    assert main(["doctor", "--offline"]) == 0
    out = SETTINGS.replace("URL", "https://cec..example.com") + TIME + summary(0, 0)
    assert capsys.readouterr() == (out, "")


@pytest.mark.usefixtures("usable")
def test_json_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    """Every finding with its id and level, and what was not looked at."""
    assert main(["doctor", "--json"]) == 1
    out = json.loads(capsys.readouterr().out)
    *settings, dns = out.pop("findings")
    assert out == {
        "passes": False,
        "errors": 1,
        "warnings": 0,
        "not_checked": ["tcp", "tls", "ps7"],
    }
    assert [(finding["section"], finding["id"], finding["level"]) for finding in settings] == [
        ("settings", name, "ok") for name in ("settings", "seal-keys", "arrival-keys", "time")
    ]
    assert settings[1] == {
        "section": "settings",
        "id": "seal-keys",
        "level": "ok",
        "found": "PS7_SEAL_KEYS is set (1 key)",
        "do": None,
    }
    assert dns == {
        "section": "network",
        "id": "dns",
        "level": "error",
        "found": "the name of PS7, cec..example.com, leads to no address",
        "do": "Check the name, and that the DNS of this machine knows it.",
    }


def test_strict_lets_warnings_count(
    usable: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In text and in JSON."""
    assert main(["doctor", "--offline", "--strict"]) == 0
    usable.setenv("PS7_PASWORD", "planted")
    assert main(["doctor", "--offline"]) == 0
    assert main(["doctor", "--offline", "--strict"]) == 1
    capsys.readouterr()
    assert main(["doctor", "--offline", "--strict", "--json"]) == 1
    out = json.loads(capsys.readouterr().out)
    assert (out["passes"], out["errors"], out["warnings"]) == (False, 0, 1)


def test_a_finding_that_is_as_somebody_wants_it(
    usable: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is said all the same, and does not count; the others do."""
    usable.setenv("PS7_PASWORD", "planted")
    usable.setenv("PS7_SEAL_KEYS", "")
    strict = ["doctor", "--offline", "--strict", "--allow", "settings-unknown"]
    assert main(strict) == 1
    out = capsys.readouterr().out
    assert "changes nothing [settings-unknown]\n" in out
    assert out.endswith(summary(0, 1))
    assert main([*strict, "--allow", "seal-keys-unset"]) == 0
    assert capsys.readouterr().out.endswith(summary(0, 0))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--only-bot"], "--only-bot needs --bot or --domain: there is no bot to look at\n"),
        (["--bot", "nowhere"], "nowhere is no folder: --bot takes that of a bot\n"),
    ],
)
def test_options_that_do_not_fit(
    capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    """One line, and nothing is checked."""
    assert main(["doctor", *arguments]) == 1
    assert capsys.readouterr() == ("", complaint)


def test_secret_files_are_read_as_the_action_server_reads_them(
    usable: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their names are looked at too."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in ("PS7_PASSWORD", "PS7_PASWORD"):
        (secrets / name).write_text("planted")
    usable.delenv("PS7_PASSWORD")
    usable.setenv("PS7_SECRETS_DIR", str(secrets))
    assert main(["doctor", "--offline"]) == 0
    out = capsys.readouterr().out
    assert (
        "  warning  PS7_PASWORD is no variable of this plugin and changes nothing [settings-" in out
    )
    assert out.endswith(summary(0, 1))


@pytest.mark.usefixtures("usable")
def test_settings_and_bot_in_one_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Settings are this folder's, also where the bot is in another."""
    bot = tmp_path / "bot"
    bot.mkdir()
    (bot / ".env").write_text("PS7_PASSWORD=planted")
    (bot / "domain.yml").write_text((ROOT / "domain.yml").read_text())
    assert main(["doctor", "--offline", "--bot", "bot"]) == 0
    text, names = named(capsys.readouterr().out)
    assert names == ("settings-elsewhere", "session-carry-over")
    assert text.startswith("Settings\n")
    assert "\n\nBot\n  ok       the domain was read, from one file\n" in text


def test_a_setting_about_slots_that_cannot_be_used_is_named_once(
    usable: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the settings, and the bot is looked at all the same."""
    usable.setenv("PS7_SLOT_NAMES", "planted")
    (tmp_path / "domain.yml").write_text((ROOT / "domain.yml").read_text())
    assert main(["doctor", "--offline", "--domain", "domain.yml"]) == 1
    text, names = named(capsys.readouterr().out)
    assert names == ("settings-bad", "session-carry-over")
    assert text.endswith(summary(1, 1))


@pytest.mark.parametrize("scheme", ["HTTPS", "https"])
def test_a_proxy_that_only_others_would_take(
    usable: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], scheme: str
) -> None:
    """Where there is no connection, that may be why."""
    usable.setenv(f"{scheme}_proxy", "http://planted:planted@127.0.0.1:9")
    hint = (
        "knows it; HTTPS_PROXY is set, and the plugin does not read it: if PS7 is behind that "
        "proxy, set PS7_PROXY.\n"
    )
    assert main(["doctor"]) == 1
    assert hint in capsys.readouterr().out
    usable.setenv("no_proxy", ".example.com")
    assert main(["doctor"]) == 1
    assert "HTTPS_PROXY" not in capsys.readouterr().out


@pytest.mark.parametrize("example", ["oss-bot", "oss-bot-rule", "calm-bot"])
async def test_the_example_bots_are_sound(example: str, tmp_path: Path) -> None:
    """They have no error, and no warning but one that leaves a choice to the bank."""
    folder = ROOT / "examples" / example
    code, out, err = await run(tmp_path, "doctor", "--bot", folder, "--only-bot", "--json")
    assert (code, err) == (0, "")
    wrong = [found["id"] for found in json.loads(out)["findings"] if found["level"] != "ok"]
    assert wrong == ([] if example == "calm-bot" else ["session-carry-over"])
