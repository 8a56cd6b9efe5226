"""The seal: what it keeps, for which conversation it opens, and that it shows nothing."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import datetime, timedelta, timezone
from itertools import product

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from actions.ps7 import Outcome
from actions.ps7.conversation.arrival import fingerprint
from actions.ps7.conversation.seal import Answer, Contents, Seal, Sealer
from tests.support.customer import CUSTOMER, NOW
from tests.support.talk import DIEGO, FORMAT_BEFORE, SEAL_KEY

pytestmark = pytest.mark.versions

SENDER = "+5511999998888"
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
NAMES = tuple(map(str, range(64)))
SEALED = Contents(
    outcome=Outcome.OK,
    sealed_at=NOW,
    session="1.5",
    answer=Answer(context_id="ana", encoded=0, customer=CUSTOMER),
    logged_out=("a", "b"),
)


def opened(said: object) -> Contents | None:
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
    assert repr(SEALED) == "Contents(outcome='ok')"


@pytest.mark.parametrize(
    ("after", "valid"), [(-61, False), (-60, True), (3599, True), (3600, False)]
)
def test_a_seal_is_valid_until_its_moment(after: int, valid: bool) -> None:
    """At the moment itself it is too old; one from more than a minute in the future does not hold.

    A seal without a customer is never good.
    """
    moment = NOW + timedelta(seconds=after)
    assert SEALED.is_valid_at(moment) is valid
    for answer in (Answer(context_id="ana"), None):
        assert not SEALED.model_copy(update={"answer": answer}).is_valid_at(moment)


def test_a_seal_of_the_format_before_is_ours_and_can_only_be_expired() -> None:
    """Only its log-outs are read: the deploy of a new version is no attack."""
    sealer = Sealer([NEW, SEAL_KEY])
    assert sealer.open(FORMAT_BEFORE, "sender-2") is None
    began = datetime.fromtimestamp(0, timezone.utc)
    contents = Contents(outcome=Outcome.OK, sealed_at=began, logged_out=(DIEGO,))
    assert sealer.open(FORMAT_BEFORE, "sender-1") == contents
    assert not contents.is_valid_at(began)
    assert sealer.seals([FORMAT_BEFORE], "sender-1") == [Seal.of(FORMAT_BEFORE, contents)]


@pytest.mark.parametrize(
    ("said", "logged_out"),
    [
        ({"version": 5, "logged_out": ["a", "b"], "who": "new"}, ("a", "b")),
        ({"version": 5, "logged_out": [*NAMES, "the oldest"]}, NAMES),
        ({"version": 5, "logged_out": [1, ["a"], "b"]}, ("b",)),
        ({"version": 5, "logged_out": "ab"}, ()),
        (["of another shape"], ()),
        (b"no JSON", ()),
        ({**SEALED.model_dump(mode="json"), "outcome": "new"}, ("a", "b")),
    ],
)
def test_of_a_newer_version_the_log_outs_are_read(
    said: object, logged_out: tuple[str, ...]
) -> None:
    """Every version says them: while two are rolled out, no log-out is lost."""
    contents = opened(said)
    assert contents is not None
    assert (contents.session, contents.answer, contents.outcome) == (None, None, "ok")
    assert contents.logged_out == logged_out


def test_a_seal_with_fields_that_a_later_version_adds_is_read_without_them() -> None:
    """So two versions may take turns in one conversation, and what both know goes round."""
    said = SEALED.model_dump(mode="json")
    said["answer"] |= {"x_later": "x"}
    said["answer"]["customer"] |= {"x_later": "x"}
    assert opened({**said, "x_later": ["x"]}) == SEALED


def test_a_process_keeps_seals_without_customer_and_contextid() -> None:
    """So a session with hundreds of seals costs little, and memory has a limit."""
    sealer = Sealer([NEW])
    decoded = CUSTOMER.model_copy(update={"decoded_context_id": "ana2"})
    answers = [
        Answer(context_id="ana", encoded=0, customer=decoded),
        Answer(context_id="ana"),
        None,
    ]
    texts = [sealer.close(SEALED.model_copy(update={"answer": a}), SENDER) for a in answers]
    foreign, longest, too_long = sealer.close(SEALED, "another"), "x" * 4096, "x" * 4097
    for _ in range(2):
        seals = sealer.seals([*texts, foreign, longest, too_long, ""], SENDER)
        assert [seal.text for seal in seals] == texts
    assert {"52998224725", "0001", "ana", SENDER}.isdisjoint(repr(seals).split("'"))
    ana = fingerprint("ana")
    assert [seal.about for seal in seals] == [fingerprint("ana", 0), ana, ""]
    assert [seal.names for seal in seals] == [(ana, fingerprint("ana2")), (ana,), ()]
    kept = sealer._kept.cache_info()
    assert (kept.hits, kept.misses, kept.maxsize) == (6, 6, 1024)
    assert sealer.seals(texts, "another") == []


SENDERS = (
    *("ana-1", "ANA-1", "Ana-1", " ana-1", "ana-1 ", "ana-1\u00a0", "ana\u00ad-1", "ana\u20111"),
    *("é", "e\u0301", "É", "\ufb01", "fi", "\u212a", "K", "k", "ß", "ss", "1", "01", "", "\x00"),
    *("\ud800", "?", r"\ud800", "s" * 10_000),
)


def test_two_sender_ids_that_differ_never_open_each_other_s_seals() -> None:
    """Case, blanks, and Unicode's forms of one text, too.

    Rasa takes any text as the name of a conversation, half a character included.
    """
    sealer = Sealer([NEW])
    seals = {sender: sealer.close(SEALED, sender) for sender in SENDERS}
    for sender, other in product(SENDERS, SENDERS):
        is_own = sender == other
        assert (sealer.open(seals[sender], other) == SEALED) is is_own, (sender, other)
        assert len(sealer.seals([seals[sender]], other)) == is_own


@given(st.lists(st.text(), min_size=2, max_size=2, unique=True))
def test_whatever_two_sender_ids_differ_in(senders: list[str]) -> None:
    """Any text of Unicode."""
    sealer = Sealer([NEW])
    text = sealer.close(SEALED, senders[0])
    assert (sealer.open(text, senders[0]), sealer.open(text, senders[1])) == (SEALED, None)
