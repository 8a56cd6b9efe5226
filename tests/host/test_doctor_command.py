"""`rasa-ps7 doctor`: what it takes, what it writes for people and machines, how a user runs it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from actions.ps7.cli.command import main
from tests.host.doctor_servers import (
    SECRETS,
    bare_machine,
    behind_proxy,
    normal,
    wrong,
)
from tests.host.loopback import TLS_IN_TESTS, http
from tests.support.command import command
from tests.support.processes import ROOT

__all__ = ["bare_machine"]
pytestmark = TLS_IN_TESTS

SETTINGS = """\
Settings
  ok       every setting is usable; PS7 is URL
  ok       PS7_SEAL_KEYS is set (1 key)
  ok       PS7_ARRIVAL_KEYS is set (1 key)
"""
BOT = {
    "domain/bot.yml": "session_config: {carry_over_slots_to_new_session: false}",
    "config.yml": "policies: [{name: RulePolicy, enable_fallback_prediction: false}]",
    "endpoints.yml": "action_endpoint: {url: 'http://localhost:5055/webhook'}",
    "actions/__init__.py": "import rasa_ps7",
}
"""A bot without a fault, once the plugin's domain.yml is merged."""
CALLS = "steps: [{action: action_ps7_context}, {action: action_answer}]"
RULE, FLOW = f"rules: [{{rule: Balance, {CALLS}}}]", f"flows: {{balance: {{{CALLS}}}}}"
AS_A_USER = f"""\
{SETTINGS}\
  ok       the certificate in PS7_CA_FILE (TRUSTME) is good until DAY: N days left

Network
  error    the proxy refuses the credentials in PS7_PROXY, or misses them (HTTP 407) [proxy-login]
           Write user and password into PS7_PROXY: http://user:password@host:port.
  skipped  PS7 itself, until this is repaired

1 error, no warnings
"""


@pytest.mark.usefixtures("bare_machine")
async def test_as_a_user_runs_it(tmp_path: Path) -> None:
    """`python -m actions.ps7 doctor`, with nothing in its environment but the settings."""
    refusal = http(status="407 Proxy Authentication Required")
    async with behind_proxy(refusal)(tmp_path) as variables:
        ended = await command("doctor", cwd=tmp_path, variables={**SECRETS, **variables})
    assert re.sub(r"https?://127.*(?=\n)", "URL", normal(ended.out), count=1) == AS_A_USER
    assert (ended.code, ended.err) == (1, "")


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
    out = SETTINGS.replace("URL", "https://cec..example.com") + "\nno errors, no warnings\n"
    assert capsys.readouterr() == (out, "")


@pytest.mark.usefixtures("usable")
def test_json_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    """Every finding with its id and level, and what was not looked at."""
    assert main(["doctor", "--json"]) == 1
    out = json.loads(capsys.readouterr().out)
    *settings, dns = out.pop("findings")
    assert out == {"passes": False, "errors": 1, "warnings": 0, "not_checked": ["ps7"]}
    assert [(finding["section"], finding["id"], finding["level"]) for finding in settings] == [
        ("settings", name, "ok") for name in ("settings", "seal-keys", "arrival-keys")
    ]
    assert settings[1]["do"] is None
    assert dns == {
        "section": "network",
        "id": "dns",
        "level": "error",
        "found": "the name of PS7, cec..example.com, leads to no address",
        "do": "Check the name, and that the DNS of this machine knows it.",
    }


def test_settings_that_cannot_be_used_and_a_bot_that_cannot_be_read(
    usable: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What builds on them is not looked at, and that is said."""
    usable.setenv("PS7_USERNAME", "")
    usable.setenv("PS7_CLEAR_SLOTS", "planted")
    (tmp_path / "domain.yml").write_text("slots: [")
    assert main(["doctor", "--bot", "."]) == 1
    out = capsys.readouterr().out
    assert out.count("[settings-") == 2  # the one about slots once, not with the bot again
    assert "\nNetwork\n  skipped  PS7 itself, until this is repaired\n" in out
    assert "\n  skipped  slots, rules and policies, until this is repaired\n" in out
    assert out.endswith("\n3 errors, no warnings\n")


def test_warnings_that_count_and_those_that_are_allowed(
    usable: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In text and in JSON; one that is allowed is shown all the same, and the others count."""
    assert main(["doctor", "--offline", "--strict"]) == 0
    usable.setenv("PS7_PASWORD", "planted")
    usable.setenv("PS7_SEAL_KEYS", "")
    assert main(["doctor", "--offline"]) == 0
    capsys.readouterr()
    strict = ["doctor", "--offline", "--strict"]
    assert main([*strict, "--json"]) == 1
    out = json.loads(capsys.readouterr().out)
    assert (out["passes"], out["errors"], out["warnings"]) == (False, 0, 2)
    allowed = [*strict, "--allow", "settings-unknown"]
    assert main(allowed) == 1
    text = capsys.readouterr().out
    assert "changes nothing [settings-unknown]\n" in text
    assert text.endswith("\nno errors, 1 warning\n")
    assert main([*allowed, "--allow", "seal-keys-unset"]) == 0
    assert capsys.readouterr().out.endswith("\nno errors, no warnings\n")


def test_advice_that_several_findings_share_is_written_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Below the last of them."""
    quotes = "responses: {utter_a: [{text: '{cpf}'}], utter_b: [{text: '{account}'}]}"
    (tmp_path / "domain.yml").write_text(f"slots: {{cpf: {{}}, account: {{}}}}\n{quotes}")
    main(["doctor", "--domain", str(tmp_path), "--only-bot"])
    out = capsys.readouterr().out
    assert (out.count("[response-quotes]"), out.count("{conta_verificada}")) == (2, 1)


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


@pytest.mark.usefixtures("usable")
def test_settings_and_bot_in_one_go(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Settings are this folder's, also where the bot is in another; a file can be named instead."""
    bot = tmp_path / "bot"
    bot.mkdir()
    (bot / ".env").write_text("PS7_PASSWORD=planted")
    (bot / "domain.yml").write_text((ROOT / "domain.yml").read_text())
    (bot / "config.yml").write_text("policies: []")
    (tmp_path / "config.yml").write_text("pipeline: [{name: CompactLLMCommandGenerator}]")
    doctor = ["doctor", "--offline", "--bot", "bot"]
    names = ["settings-elsewhere", "env-readable"]
    assert main(doctor) == 0
    assert re.findall(r" \[([a-z-]+)\]\n", capsys.readouterr().out) == names
    assert main([*doctor, "--config", "config.yml"]) == 0
    names[2:] = ["calm-personal"]
    assert re.findall(r" \[([a-z-]+)\]\n", capsys.readouterr().out) == names


@pytest.mark.usefixtures("bare_machine")
@pytest.mark.parametrize("example", ["oss-bot", "oss-bot-session-start", "calm-bot"])
def test_the_example_bots_are_sound(example: str, capsys: pytest.CaptureFixture[str]) -> None:
    """They have no error, and no warning."""
    folder = str(ROOT / "examples" / example)
    assert main(["doctor", "--bot", folder, "--only-bot", "--json"]) == 0
    found = [text.split(":")[0] for text in wrong(capsys.readouterr().out)]
    assert found == []


@pytest.mark.usefixtures("bare_machine")
@pytest.mark.parametrize("flavour", ["--oss", "--calm"])
@pytest.mark.parametrize("portuguese", [False, True])
def test_the_fragment_that_a_command_prints_is_sound(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    flavour: str,
    portuguese: bool,
) -> None:
    """Also with Portuguese names, once PS7_SLOT_NAMES is what its comment says."""
    main(["domain", flavour, *(["--pt"] if portuguese else [])])
    fragment = capsys.readouterr().out
    (tmp_path / "ps7.yml").write_text(fragment)
    (tmp_path / "bot.yml").write_text("session_config: {carry_over_slots_to_new_session: false}")
    doctor = ["doctor", "--domain", "ps7.yml", "--domain", "bot.yml", "--only-bot", "--json"]
    if portuguese:
        assert main([*doctor, "--strict"]) == 1
        (text,) = wrong(capsys.readouterr().out)
        assert text.startswith("warning slot-name: ")
        (names,) = re.findall(r"PS7_SLOT_NAMES='(.*)'", fragment)
        monkeypatch.setenv("PS7_SLOT_NAMES", names)
    assert main([*doctor, "--strict"]) == 0
    assert wrong(capsys.readouterr().out) == []


@pytest.mark.usefixtures("bare_machine")
@pytest.mark.parametrize(("flavour", "script"), [("--oss", RULE), ("--calm", FLOW)])
def test_the_fragment_for_a_session_start_is_sound_with_what_its_comment_asks_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flavour: str, script: str
) -> None:
    """The class as it stands there, and one rule or flow that calls the look-up first."""
    main(["domain", flavour, "--at-session-start"])
    fragment = capsys.readouterr().out
    code = "".join(re.findall(r"^#     (.*\n)", fragment, re.MULTILINE))
    asked = {"domain/ps7.yml": fragment, "actions/session.py": code, "data/all.yml": script}
    for name, text in {**BOT, **asked}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    doctor = ["doctor", "--bot", ".", "--only-bot", "--strict", "--json"]
    assert (main(doctor), wrong(capsys.readouterr().out)) == (0, [])
    (tmp_path / "actions/session.py").unlink()
    assert main(doctor) == 1
    assert [text.split(":")[0] for text in wrong(capsys.readouterr().out)] == [
        "error session-start-missing"
    ]


@pytest.mark.usefixtures("bare_machine")
@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("PS7_SLOT_NAMES", '{"agency": "agencia"}', "error slot-names: PS7_SLOT_NAMES calls "),
        ("PS7_CLEAR_SLOTS", '["saldo"]', "warning clear-slots: PS7_CLEAR_SLOTS names saldo, "),
        ("PS7_SLOT_NAMES", "planted", "error settings-bad: PS7_SLOT_NAMES cannot be used; "),
    ],
)
def test_settings_about_slots_are_checked_with_the_bot_alone_too(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    variable: str,
    value: str,
    expected: str,
) -> None:
    """One that cannot be used is named, and the bot is checked all the same."""
    monkeypatch.setenv(variable, value)
    domain = str(ROOT / "domain.yml")
    main(["doctor", "--domain", domain, "--only-bot", "--json"])
    (found,) = wrong(capsys.readouterr().out)
    assert found.startswith(expected)


@pytest.mark.usefixtures("bare_machine")
@pytest.mark.parametrize(
    ("setting", "said"),
    [
        (("3600", None), []),
        (("3601", None), ["warning max-age"]),
        (("901", 15), ["warning max-age"]),
        (("7200", 0), []),
    ],
)
def test_a_max_age_longer_than_a_session_is_named(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    setting: tuple[str, int | None],
    said: list[str],
) -> None:
    """A customer ends with the session; Rasa's own time is 60 minutes, and 0 is without end."""
    max_age, minutes = setting
    monkeypatch.setenv("PS7_MAX_AGE", max_age)
    config = "{}" if minutes is None else f"{{session_expiration_time: {minutes}}}"
    (tmp_path / "more.yml").write_text(f"session_config: {config}")
    files = ("--domain", str(ROOT / "domain.yml"), "--domain", str(tmp_path / "more.yml"))
    main(["doctor", *files, "--only-bot", "--json"])
    found = [text.split(":")[0] for text in wrong(capsys.readouterr().out)]
    assert found == said
