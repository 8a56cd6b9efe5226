"""The seal: what it keeps, for which conversation it opens, and that it shows nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime, timedelta, timezone

import pytest
from cryptography.fernet import Fernet

from actions.ps7 import Outcome
from actions.ps7.conversation.seal import Head, Seal, Sealer
from tests.support.customer import CUSTOMER, NOW
from tests.support.talk import DIEGO, FORMAT_BEFORE, SEAL_KEY

pytestmark = pytest.mark.versions

SENDER = "+5511999998888"
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
SEALED = Seal(
    number=7,
    outcome=Outcome.OK,
    sealed_at=NOW,
    fingerprint="f" * 22,
    context_id="ana",
    encoded=1,
    session="1.5",
    logged_out=("a", "b"),
    customer=CUSTOMER,
)


def opened(said: object) -> Seal | None:
    """Open a seal that says this: bytes, or what is written as JSON."""
    text = said if isinstance(said, bytes) else json.dumps(said).encode()
    plain = hashlib.sha256(SENDER.encode()).digest() + text
    return Sealer([NEW]).open(Fernet(NEW).encrypt(plain).decode(), SENDER)


def test_a_key_that_was_rotated_still_opens_and_a_retired_one_no_more() -> None:
    """The newest key seals, all of them open: every attribute, the payload in its depth."""
    before = Sealer([OLD]).close(SEALED, SENDER)
    assert Sealer([NEW, OLD]).open(before, SENDER) == SEALED
    assert Sealer([NEW]).open(Sealer([NEW, OLD]).close(SEALED, SENDER), SENDER) == SEALED
    assert Sealer([NEW]).open(before, SENDER) is None


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", "ok", "não é", "\ud800", 5, True, [], {}, b"bytes"),
        # A bot may use the key for more.
        pytest.param(Fernet(NEW).encrypt(b'{"outcome": "ok"}').decode(), id="no seal of ours"),
    ],
)
def test_anything_else_in_the_slot_is_no_seal(value: object) -> None:
    """Whatever is written into the slot, opening it does not fail."""
    assert Sealer([NEW]).open(value, SENDER) is None


def test_nothing_is_readable_in_a_seal() -> None:
    """Neither the customer nor the sender, raw or in Base64; nor that two are of one customer."""
    text = Sealer([NEW]).close(SEALED, SENDER)
    raw = base64.urlsafe_b64decode(text)
    for secret in ("52998224725", "0012345", SENDER, "Personnalit", "12311", "outcome"):
        assert secret.encode() not in raw
        assert secret not in text
    assert text != Sealer([NEW]).close(SEALED, SENDER)
    assert repr(SEALED) == "Seal(outcome='ok')"


@pytest.mark.parametrize(
    ("after", "valid"), [(-61, False), (-60, True), (3599, True), (3600, False)]
)
def test_a_seal_is_valid_until_its_moment(after: int, valid: bool) -> None:
    """At the moment itself it is too old; one from more than a minute in the future does not hold.

    A seal without a customer is never good.
    """
    assert SEALED.valid_at(NOW + timedelta(seconds=after)) is valid
    failed = SEALED.model_copy(update={"outcome": Outcome.UNAVAILABLE, "customer": None})
    assert not failed.valid_at(NOW + timedelta(seconds=after))


def test_a_seal_of_the_format_before_is_ours_and_can_only_be_expired() -> None:
    """Only its number and its log-outs are read: the deploy of a new version is no attack."""
    sealer = Sealer([NEW, SEAL_KEY])
    assert sealer.open(FORMAT_BEFORE, "sender-2") is None
    seal = sealer.open(FORMAT_BEFORE, "sender-1")
    began = datetime.fromtimestamp(0, timezone.utc)
    assert seal == Seal(number=1, outcome=Outcome.OK, sealed_at=began, logged_out=(DIEGO,))
    assert Head.of("", seal).of_another_version
    assert not Head.of("", SEALED).of_another_version


@pytest.mark.parametrize(
    ("said", "number", "logged_out"),
    [
        ({"version": 4, "number": 9, "logged_out": ["a", "b"], "who": "new"}, 9, ("a", "b")),
        ({"version": 4, "number": 9, "logged_out": [str(n) for n in range(65)]}, 9, 64),
        ({"version": 4, "number": True, "logged_out": [1, ["a"], "b"]}, 0, ("b",)),
        (["of another shape"], 0, ()),
        (b"no JSON", 0, ()),
        ({**SEALED.model_dump(mode="json"), "outcome": "new"}, 7, ("a", "b")),
    ],
)
def test_of_a_newer_version_the_number_and_the_log_outs_are_read(
    said: object, number: int, logged_out: tuple[str, ...] | int
) -> None:
    """Every version says them: while two are rolled out, no log-out is lost."""
    seal = opened(said)
    assert seal is not None
    assert (Head.of("", seal).of_another_version, seal.number) == (True, number)
    assert logged_out in (seal.logged_out, len(seal.logged_out))


@pytest.mark.parametrize(("said", "read"), [(1, 1), (-1, 0), (True, 0), (None, 0)])
def test_of_a_newer_version_it_is_read_how_many_log_outs_are_of_customers(
    said: object, read: int
) -> None:
    """They are forgotten last; what is not such a number is none."""
    seal = opened({"version": 4, "number": 9, "logged_out": ["a", "b"], "customers_out": said})
    assert seal is not None
    assert seal.customers_out == read


def test_a_seal_with_fields_that_a_later_version_adds_is_read_without_them() -> None:
    """So two versions may take turns in one conversation, and what both know goes round."""
    said = SEALED.model_dump(mode="json")
    said["customer"] |= {"x_later": "x"}
    assert opened({**said, "x_later": ["x"]}) == SEALED


def test_a_process_keeps_heads_without_customer_and_contextid() -> None:
    """So a session with hundreds of seals costs little, and memory has a limit."""
    sealer = Sealer([NEW])
    texts = [sealer.close(SEALED.model_copy(update={"number": n}), SENDER) for n in (2, 1, 3)]
    foreign, longest, too_long = sealer.close(SEALED, "another"), "x" * 4096, "x" * 4097
    for _ in range(2):
        heads = sealer.heads([*texts, foreign, longest, too_long, ""], SENDER)
        assert [head.number for head in heads] == [3, 2, 1]
    assert {"52998224725", "0001", "ana", SENDER}.isdisjoint(repr(heads).split("'"))
    kept = sealer._kept.cache_info()
    assert (kept.hits, kept.misses, kept.maxsize) == (6, 6, 1024)
    assert sealer.heads(texts, "another") == []


@pytest.mark.parametrize("sender_id", ["", "\ud800", "s" * 10_000])
def test_any_sender_id_has_seals_of_its_own(sender_id: str) -> None:
    """Rasa takes any text as the name of a conversation, half a character included."""
    sealer = Sealer([NEW])
    seal = sealer.close(SEALED, sender_id)
    assert sealer.open(seal, sender_id) == SEALED
    assert sealer.open(seal, SENDER) is None
