"""What is said of metadata in which no contextId was found."""

from __future__ import annotations

import pytest

from actions.ps7.conversation.arrival import describe_metadata

PATHS = [["contextId"], ["channel", "ps7_ctx"]]
LOOKS = "looks like one: PS7_METADATA_KEYS"


@pytest.mark.parametrize(
    "metadata",
    [
        *(None, ["contextID"], {}),
        {"model_id": "m", "assistant_id": "a", "session_id": 1, "is_external": True},
    ],
)
def test_what_rasa_adds_is_not_named(metadata: object) -> None:
    """Every message has the first three, a reminder the last."""
    assert describe_metadata(metadata, PATHS) is None


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"locale": "pt", "app": {"version": 3}, "model_id": "m"}, "keys: app, locale"),
        ({"customData": {"contextId": "C1"}}, f"keys: customData; customData.contextId {LOOKS}"),
        ({"Context-Id": 5}, f"keys: Context-Id; Context-Id {LOOKS}"),
        ({"context_id": {"id": 1}}, f"keys: context_id; context_id {LOOKS}"),
        ({"channel": {"x": 1}, "PS7-Ctx": 5}, f"keys: PS7-Ctx, channel; PS7-Ctx {LOOKS}"),
        ({"a": {"b": {"contextId": "C1"}}}, f"keys: a; a.b.contextId {LOOKS}"),
        ({"a": {"b": {"c": {"contextId": "C1"}}}}, "keys: a"),
        (
            {"a": [{"contextId": "C1"}], "contextID": " ", "ctxId": "C1"},
            "keys: a, contextID, ctxId",
        ),
        ({"user12345": {"contextId": 1}, "": 1, "é": 1, 5: 1}, "keys: none that can be shown"),
        ({"a" * 40: 1, "b" * 41: 1, "n12_34": 1}, f"keys: {'a' * 40}, n12_34"),
        ({"cpf_529-982-247-25": 1, "n12_345": 1}, "keys: none that can be shown"),
        ({f"k{n}": n for n in range(10)}, "keys: k0, k1, k2, k3, k4, k5, k6, k7"),
    ],
)
def test_keys_are_named_and_a_near_miss_too(metadata: object, said: str) -> None:
    """Keys alone, at most eight, none that may hold a number of a customer."""
    assert describe_metadata(metadata, PATHS) == said
