"""The domain fragments that `rasa-ps7 domain` prints: whole, in part, and in Portuguese."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ruamel.yaml import YAML

from actions.ps7.cli.bot.content import influences
from actions.ps7.cli.command import main
from actions.ps7.cli.doctor.judge import check_slots
from actions.ps7.cli.domain import CALM, OSS, PORTUGUESE, Flavour, fragment
from actions.ps7.customer import CUSTOMER_SLOTS, SlotNames
from actions.ps7.settings import PS7Settings
from tests.support.doctor import bot_of
from tests.support.processes import ROOT

PRINTED = {
    "--oss": ROOT / "domain.yml",
    "--calm": ROOT / "examples/calm-bot/domain/ps7.yml",
    "--oss --at-session-start": ROOT / "examples/oss-bot-session-start/domain/ps7/domain.yml",
}
ALWAYS = ["ps7_status", "ps7_context"]
by_flavour = pytest.mark.parametrize("flavour", ["--oss", "--calm"])


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    """Print a fragment, and read it as Rasa's own YAML library does."""
    assert main(["domain", *arguments]) == 0
    domain: dict[str, Any] = YAML(typ="safe").load(capsys.readouterr().out)
    return domain


@pytest.mark.parametrize("options", PRINTED)
def test_the_files_of_the_project_are_what_is_printed(
    capsys: pytest.CaptureFixture[str], options: str
) -> None:
    """Byte for byte: with the wheel alone one merges what the tests of bots do."""
    assert main(["domain", *options.split()]) == 0
    assert capsys.readouterr() == (PRINTED[options].read_text(encoding="utf-8"), "")


@by_flavour
def test_every_slot_can_be_chosen(capsys: pytest.CaptureFixture[str], flavour: str) -> None:
    """Each is declared as the doctor wants it, fields of the wire too."""
    chosen = ["u_display", *CUSTOMER_SLOTS]
    domain = printed(capsys, flavour, "--slots", ",".join(chosen))
    assert sorted(domain["slots"]) == sorted([*ALWAYS, *chosen])
    assert [each.id for each in check_slots(bot_of(domain), {}, ())] == ["slots"]
    assert not any(influences(slot) for slot in domain["slots"].values())


@by_flavour
def test_what_is_chosen_is_all_there_is(capsys: pytest.CaptureFixture[str], flavour: str) -> None:
    """Beside the status and the seal; actions and answers stay."""
    domain = printed(capsys, flavour, "--slots", " segment,u_tag,cpf_masked ,segment,u_tag,")
    assert list(domain["slots"]) == [*ALWAYS, "cpf_masked", "segment", "u_tag"]
    assert domain | {"slots": None} == printed(capsys, flavour) | {"slots": None}
    assert list(printed(capsys, flavour, "--slots", "")["slots"]) == ALWAYS


def test_at_session_start_no_mapping_runs_an_action(capsys: pytest.CaptureFixture[str]) -> None:
    """For CALM as for Open Source, whose file is above."""
    every_turn = printed(capsys, "--calm")
    del every_turn["slots"]["ps7_status"]["mappings"][0]["run_action_every_turn"]
    assert printed(capsys, "--calm", "--at-session-start") == every_turn


def told(text: str) -> dict[str, str]:
    """Return the PS7_SLOT_NAMES in a fragment's comment."""
    names: dict[str, str] = json.loads(re.findall(r"#   PS7_SLOT_NAMES='(.*)'\n", text)[0])
    return names


@pytest.mark.parametrize("flavour", [OSS, CALM])
@pytest.mark.parametrize("chosen", [None, CUSTOMER_SLOTS])
def test_portuguese_names_go_with_their_setting(
    monkeypatch: pytest.MonkeyPatch, flavour: Flavour, chosen: list[str] | None
) -> None:
    """What the comment says is a setting that the action server takes, and finds every slot by."""
    text = fragment(flavour, chosen, names=PORTUGUESE)
    monkeypatch.setenv("PS7_SLOT_NAMES", json.dumps(told(text)))
    names = SlotNames(PS7Settings.load(need_ps7=False).slot_names)
    plain = YAML(typ="safe").load(fragment(flavour, chosen))["slots"]
    translated = YAML(typ="safe").load(text)["slots"]
    assert translated == {names.of(slot): content for slot, content in plain.items()}
    assert names.among(translated) == {names.of(slot): slot for slot in plain}


def test_portuguese_names_are_in_comments_too() -> None:
    """What is the plugin's or the interface's stays."""
    text = fragment(OSS, None, names=PORTUGUESE)
    assert " ".join(told(text).values()) == (
        "cpf_mascarado agencia conta segmento opcao_ura telefone documento identificacao "
        "dispositivo_seguranca situacao_token"
    )
    assert "\n  # telefone:\n" in text
    assert "`identificacao`, `dispositivo_seguranca` and" in text
    assert not re.search(r"\bagency\b(?!\":)", text)


def test_a_bots_own_names_may_be_those_of_other_slots() -> None:
    """Each is renamed once, where it is declared and where a comment names it."""
    names = {"account": "agency", "agency": "agencia", "ps7_status": "estado"}
    text = fragment(OSS, ["account", "agency"], names=names | {"cpf": "not declared"})
    assert told(text) == names
    declared = YAML(typ="safe").load(text)["slots"]
    assert list(declared) == ["estado", "ps7_context", "agencia", "agency"]
    assert "see `estado`" in text
    assert fragment(OSS, ["cpf"], names=PORTUGUESE) == fragment(OSS, ["cpf"])  # nothing to say


def test_calm_warns_of_prompts(capsys: pytest.CaptureFixture[str]) -> None:
    """Beside the fragment, and in it: what is declared can stand in a prompt."""
    main(["domain", "--calm", "--slots", "cpf,account,u_display,segment"])
    out, err = capsys.readouterr()
    assert err == (
        "note: account, cpf, u_display can be in prompts now; an action can read the customer "
        "from verified_context(tracker) instead\n"
    )
    assert "what is declared here can\n#   stand in a prompt" in out
    main(["domain", "--calm", "--slots", "segment"])
    out, err = capsys.readouterr()
    assert err == ""
    assert "Only what can stand in a prompt is declared" in out
