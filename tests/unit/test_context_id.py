"""Where in a conversation the contextId is, and which of them are usable."""

from __future__ import annotations

from typing import Any

import pytest

from actions.ps7.dialogue.context_id import find, found_as, session_mark, usable, values

PATHS = ["contextId"]


def user(metadata: object = None) -> dict[str, Any]:
    return {"event": "user", "text": "oi", "metadata": metadata}


def found_id(
    latest: object = None, events: list[Any] | None = None, opened_with: object = None
) -> str | None:
    found = find({"metadata": latest}, events or [], opened_with, PATHS)
    return found.context_id if found else None


def test_the_latest_message_comes_first() -> None:
    """A contextId of this turn counts more than any that came before."""
    events = [user({"contextId": "C1"}), user({"contextId": "C2"})]
    assert found_id({"contextId": "C3"}, events, {"contextId": "C0"}) == "C3"


def test_then_the_user_events_of_the_session_newest_first() -> None:
    """A turn without metadata still belongs to the contextId that came last."""
    events = [user({"contextId": "C1"}), user({"contextId": "C2"}), user({}), user()]
    assert found_id({}, events, {"contextId": "C0"}) == "C2"


def test_a_turn_that_was_taken_back_still_brought_its_context_id() -> None:
    """A fallback rewinds the turn, and the customer who arrived with it is there all the same."""
    events = [user({"contextId": "C1"}), user({"contextId": "C2"}), {"event": "rewind"}]
    assert found_id({}, events) == "C2"


@pytest.mark.parametrize(
    "border",
    [
        {"event": "session_started"},
        {"event": "session_ended"},
        {"event": "restart"},
        {"event": "action", "name": "action_session_start"},
    ],
)
def test_no_event_before_the_session_counts(border: dict[str, Any]) -> None:
    """What a customer of an earlier session brought says nothing about this one."""
    events = [user({"contextId": "C1"}), border, {"event": "action", "name": "action_listen"}]
    assert found_id({}, events) is None
    assert found_id({}, [*events, user({"contextId": "C2"})]) == "C2"


def test_an_ordinary_action_is_no_border() -> None:
    """Only the action that opens a session ends the walk."""
    events = [user({"contextId": "C1"}), {"event": "action", "name": "action_listen"}]
    assert found_id({}, events) == "C1"


def test_what_opened_the_session_comes_last() -> None:
    """Rasa keeps the metadata that opened the session in a slot of its own."""
    assert found_id({}, [user({})], {"contextId": "C0"}) == "C0"


def test_what_opened_the_session_is_told_from_what_a_message_brought() -> None:
    """Rasa may have carried it over from a session before."""
    brought = find({"metadata": {"contextId": "C1"}}, [], {"contextId": "C1"}, PATHS)
    carried = find({"metadata": {}}, [user({})], {"contextId": "C1"}, PATHS)
    assert brought is not None
    assert carried is not None
    assert (brought.carried, carried.carried) == (False, True)
    assert brought.fingerprint == carried.fingerprint


@pytest.mark.parametrize("slot", [None, "C0", ["contextId"], 5])
def test_what_opened_the_session_counts_as_an_object_only(slot: object) -> None:
    """A text in `session_started_metadata` is not metadata."""
    assert found_id({}, [], slot) is None


@pytest.mark.parametrize("nothing", [None, "", "   ", "\t\n"])
def test_null_or_blank_is_no_context_id(nothing: object) -> None:
    """A channel that sends the key with nothing in it does not hide what came before."""
    assert found_id({"contextId": nothing}, [user({"contextId": "C1"})]) == "C1"


@pytest.mark.parametrize("odd", [None, "text", 5, ["contextId"], {"other": 1}, True])
def test_metadata_of_any_type_is_survived(odd: object) -> None:
    """Whatever a channel puts into metadata, it is no reason to fail."""
    assert found_id(odd, [user(odd), None, "event", {"event": "user"}]) is None


@pytest.mark.parametrize("message", [None, "text", []])
def test_a_message_that_is_no_object_is_survived(message: object) -> None:
    """A tracker without a latest message has null there."""
    assert find(message, [], None, PATHS) is None


def test_paths_are_tried_in_order_and_lead_into_objects() -> None:
    """`PS7_METADATA_KEYS` names dotted paths; the first that leads to something wins."""
    paths = ["channel.ps7.contextId", "cvg_body.contextId", "contextId"]
    metadata = {"contextId": "C3", "channel": {"ps7": "no object"}, "cvg_body": {"contextId": "C2"}}
    found = find({"metadata": metadata}, [], None, paths)
    assert found is not None
    assert found.context_id == "C2"


def test_each_place_is_searched_with_all_paths_before_the_next() -> None:
    """A later path in a newer message wins over an earlier path in an older one."""
    events = [user({"a": "OLD"})]
    found = find({"metadata": {"b": "NEW"}}, events, None, ["a", "b"])
    assert found is not None
    assert found.context_id == "NEW"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("123123213", "123123213"),
        ("a", "a"),
        ("x" * 256, "x" * 256),
        ("ação-€", "ação-€"),
        (0, "0"),
        (12345, "12345"),
        (-5, "-5"),
        (2**80, str(2**80)),
        (12345.0, "12345"),
        (float(2**53 - 1), str(2**53 - 1)),
    ],
)
def test_usable_context_ids(value: object, text: str) -> None:
    """Printable text without white space, and whole numbers as their digits."""
    assert usable(value) == text


@pytest.mark.parametrize(
    "value",
    [
        "x" * 257,
        "two words",
        " led",
        "trailed ",
        "line\nbreak",
        "tab\there",
        "nul\x00",
        "escape\x1b[31m",
        "no-break\u00a0space",
        "right-to-left\u202e",
        "zero-width\u200b",
        "lone\ud800",
        True,
        False,
        1.5,
        float(2**53),
        float("nan"),
        float("inf"),
        10**256,
        pytest.param(10**5000, id="5001 digits"),
        [],
        ["C1"],
        {},
        {"id": "C1"},
    ],
)
def test_unusable_context_ids(value: object) -> None:
    """Anything else is found, and found unusable."""
    assert usable(value) is None


def test_the_longest_number_that_is_usable() -> None:
    """256 digits fit, as 256 characters do."""
    assert usable(10**255) == "1" + "0" * 255


def test_a_number_and_its_digits_are_the_same_context_id() -> None:
    """Over gRPC the number 5 arrives as 5.0; that must not look like another customer."""
    prints = {find({"metadata": {"contextId": value}}, [], None, PATHS) for value in ("5", 5, 5.0)}
    assert len({found.fingerprint for found in prints if found}) == 1


def test_unusable_values_are_told_apart() -> None:
    """The next unusable contextId is another one; the same again is the same."""

    def fingerprint(value: object) -> str:
        found = find({"metadata": {"contextId": value}}, [], None, PATHS)
        assert found is not None
        assert found.context_id is None
        return found.fingerprint

    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    values = [[1], [2], {"a": 1}, "two words", "three  words", True, 10**5000, nested]
    assert len({fingerprint(value) for value in values}) == len(values)
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint('["1"]' + " ") != fingerprint(["1"])


def test_the_same_text_with_another_encoded_is_told_apart() -> None:
    """0, 1 and none, beside it or by default; no text looks like another with its `encoded`."""

    def fingerprint(value: object, encoded: object, default: int | None = None) -> str:
        metadata = {"contextId": value, "encoded": encoded}
        found = find({"metadata": metadata}, [], None, PATHS, default)
        assert found is not None
        return found.fingerprint

    assert len({fingerprint("C1", encoded) for encoded in (0, 1, None)}) == 3
    assert fingerprint("C1", None, 1) == fingerprint("C1", "1", 0)
    assert fingerprint("encoded 0 text C1", None) != fingerprint("C1", 0)


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, 0),
        (1, 1),
        (0.0, 0),
        (1.0, 1),
        ("0", 0),
        ("1", 1),
        (2, None),
        ("2", None),
        (True, None),
        (False, None),
        (None, None),
        (0.5, None),
        ([], None),
        (" 1", None),
    ],
)
def test_encoded_beside_the_context_id(value: object, encoded: int | None) -> None:
    """0 and 1 in each form in which a channel may write them; anything else is not there."""
    found = find({"metadata": {"contextId": "C1", "encoded": value}}, [], None, PATHS)
    assert found is not None
    assert found.encoded == encoded


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("3fa85f64-5717-4562-b3fc-2c963f66afa6", True),
        ("a.B_c-9", True),
        ("x" * 128, True),
        ("52998224726", True),
        ("52998224725", False),
        ("000.529.982_247-25", False),
        ("x" * 129, False),
        ("", False),
        ("two words", False),
        ("line\nbreak", False),
        ("trailing\n", False),
        ("ação", False),
        (5, False),
        (None, False),
    ],
)
def test_ids_beside_the_context_id(value: object, taken: bool) -> None:
    """Ids go into headers and the log: only short plain ones are taken, and no CPF."""
    metadata = {"contextId": "C1", "correlationId": value, "flowId": value}
    found = find({"metadata": metadata}, [], None, PATHS)
    assert found is not None
    assert (found.correlation_id, found.flow_id) == ((value, value) if taken else (None, None))


def test_only_what_stands_beside_the_hit_is_taken() -> None:
    """`encoded` at the top says nothing about a contextId further down."""
    metadata = {"encoded": 0, "channel": {"contextId": "C1", "flowId": "F1"}}
    found = find({"metadata": metadata}, [], None, ["channel.contextId"])
    assert found is not None
    assert (found.encoded, found.flow_id) == (None, "F1")


def test_the_repr_shows_no_value() -> None:
    """What was found may be printed without telling who it is."""
    metadata = {"contextId": "secret-1", "correlationId": "secret-2", "flowId": "secret-3"}
    assert "secret" not in repr(find({"metadata": metadata}, [], None, PATHS))


# -- the whole session ----------------------------------------------------------------------------


def test_everything_that_this_session_brought_the_newest_first() -> None:
    """Each message counts, taken back or not, and the latest one too."""
    events = [
        user({"contextId": "C0"}),
        {"event": "session_started"},
        user({"contextId": "C1"}),
        user({"contextId": "not usable"}),
        {"event": "rewind"},
        user({}),
        user({"contextId": 7.0}),
    ]
    latest = {"metadata": {"contextId": "C8"}}
    came = ["C8", 7.0, "not usable", "C1"]
    assert list(values(latest, events, PATHS)) == [(value, None) for value in came]
    assert list(values(None, [], PATHS)) == []


def test_in_each_message_the_first_path_that_has_something_counts() -> None:
    """As it does for the contextId that counts now."""
    metadata = {"contextId": " ", "channel": {"contextId": "C1", "encoded": 1}}
    both = [*PATHS, "channel.contextId"]
    came = values({"metadata": metadata}, [user({"contextId": "C0"})], both, 0)
    assert list(came) == [("C1", 1), ("C0", 0)]


@pytest.mark.parametrize("value", ["C1", 7.0, "not usable", ["C1"]])
@pytest.mark.parametrize("encoded", [None, 0, 1])
def test_a_value_alone_is_found_as_it_is_in_metadata(value: object, encoded: int | None) -> None:
    """With nothing but `encoded` beside it."""
    metadata = {"contextId": value, "encoded": encoded}
    assert found_as(value, encoded) == find({"metadata": metadata}, [], None, PATHS)


@pytest.mark.parametrize(
    ("events", "mark"),
    [
        ([], ""),
        ([user({"contextId": "C1"})], ""),
        ([{"event": "session_started", "timestamp": 1.5}, user()], "1.5"),
        (
            [
                {"event": "session_started", "timestamp": 1.5},
                {"event": "restart", "timestamp": 2.25},
                {"event": "action", "name": "action_listen", "timestamp": 3.0},
                "no event",
            ],
            "2.25",
        ),
    ],
)
def test_a_session_is_known_by_what_opened_it(events: list[Any], mark: str) -> None:
    """The newest border counts; a conversation without any is one session."""
    assert session_mark(events) == mark


@pytest.mark.parametrize("odd", [None, "text", 5, ["ps7"], True, {"other": {"contextId": "C1"}}])
def test_a_path_through_something_else_leads_nowhere(odd: object) -> None:
    """Each step but the last must be an object that has the next one."""
    found = find({"metadata": {"channel": odd}}, [], None, ["channel.ps7.contextId"])
    assert found is None
