"""Names and addresses: what the doctor says of a host some of whose addresses do not answer."""

from __future__ import annotations

import errno
import socket
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from actions.ps7.cli.doctor import reach
from actions.ps7.cli.doctor.reach import Place

if TYPE_CHECKING:
    from collections.abc import Iterator

PS7 = Place("cec.example.com", 443, "PS7")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Listen on one address of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def place(listener: socket.socket) -> Place:
    return Place("cec.example.com", listener.getsockname()[1], "PS7")


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://cec.example.com", "cec.example.com:443"),
        ("http://localhost", "localhost:80"),
        ("http://[::1]:8099", "[::1]:8099"),
    ],
)
def test_a_place_is_written_as_in_a_url(url: str, text: str) -> None:
    """With the port that its scheme stands for."""
    assert reach.place_of(url, "PS7").text == text


def test_a_name_that_the_dns_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver's own words are the same in no two systems."""

    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    finding, addresses = reach.resolve(PS7, "")
    assert (finding.found, addresses) == (
        "the name of PS7, cec.example.com, leads to no address",
        [],
    )


def test_a_name_with_several_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is named once."""
    entries = [(0, 0, 0, "", (address, 443)) for address in ("::1", "127.0.0.1", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)
    finding, addresses = reach.resolve(PS7, "")
    assert addresses == ["::1", "127.0.0.1"]
    assert finding.found == "cec.example.com is ::1 and 127.0.0.1"


def refusing(monkeypatch: pytest.MonkeyPatch, address: str, failure: OSError) -> None:
    """Let connections to one address fail, and all others go through."""
    connect = socket.create_connection

    def try_it(target: tuple[str, int], timeout: float) -> socket.socket:
        if target[0] == address:
            raise failure
        return connect(target, timeout)

    monkeypatch.setattr(socket, "create_connection", try_it)


def test_an_address_that_does_not_answer_beside_one_that_does(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lookup that tries it first loses time, so somebody should know."""
    refusing(monkeypatch, "127.0.0.2", ConnectionRefusedError())
    there = place(listener)
    finding, opened = reach.knock(there, ["127.0.0.2", "127.0.0.1"], 1, "")
    assert opened == "127.0.0.1"
    assert (finding.id, finding.found) == (
        "tcp-partly",
        f"{there.text} answers at 127.0.0.1, and not at 127.0.0.2 (nobody listens there)",
    )


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (TimeoutError(), "no answer within PS7_CONNECT_TIMEOUT (1.5 s)"),
        (ConnectionRefusedError(), "nobody listens there"),
        (OSError(errno.ENETUNREACH, ""), "there is no route to it"),
        (OSError(errno.EACCES, ""), "it fails (EACCES)"),
        (OSError(), "it fails (OSError)"),
    ],
)
def test_why_there_is_no_connection(
    monkeypatch: pytest.MonkeyPatch, failure: OSError, why: str
) -> None:
    """In words, once for all addresses that fail alike."""

    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(socket, "create_connection", fail)
    finding, opened = reach.knock(PS7, ["127.0.0.1", "127.0.0.2"], 1.5, "")
    assert opened is None
    assert finding.found == f"no connection to PS7 at cec.example.com:443: {why}"


def test_an_address_without_a_route_is_not_worth_a_word(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As IPv6 in a container: nobody waits for it."""
    refusing(monkeypatch, "::1", OSError(errno.ENETUNREACH, ""))
    finding, opened = reach.knock(place(listener), ["::1", "127.0.0.1"], 1, "")
    assert (finding.id, opened) == ("tcp", "127.0.0.1")


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n\x16\x03", "proxy"),
        (b"HTTP/1.0 204\r\n\r\n", "proxy"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "proxy-refused"),
        (b"HTTP/1.1 OK\r\n\r\n", "proxy"),
        (b"ICY 200 OK\r\n\r\n", "proxy"),
        (b"\r\n\r\n", "proxy"),
        (b"", "proxy"),
        (b"x" * 20_000, "proxy"),
    ],
)
def test_what_a_proxy_may_answer(answer: bytes, name: str) -> None:
    """What stands behind its answer is left for TLS."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(answer)
        theirs.shutdown(socket.SHUT_WR)
        finding = reach.pass_proxy(ours, "http://127.0.0.1:3128", PS7)
        assert finding.id == name
        assert (finding.level.value == "ok") == (b" 20" in answer and answer.startswith(b"HTTP"))
        if answer.endswith(b"\x16\x03"):
            assert ours.recv(9) == b"\x16\x03"
        asked = theirs.recv(999)
    assert asked == b"CONNECT cec.example.com:443 HTTP/1.1\r\nHost: cec.example.com:443\r\n\r\n"


def test_a_proxy_is_shown_its_credentials() -> None:
    """As they are, not as a URL has to write them."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        reach.pass_proxy(ours, "http://us%40er:p%40ss@127.0.0.1:3128", PS7)
        *_, login, _, _ = theirs.recv(999).decode().split("\r\n")
    assert login == f"Proxy-Authorization: Basic {b64encode(b'us@er:p@ss').decode()}"


def test_a_proxy_that_hangs_up() -> None:
    """Before the question is out."""
    ours, theirs = socket.socketpair()
    theirs.close()
    with ours:
        finding = reach.pass_proxy(ours, "http://user:p%40ss@127.0.0.1:3128", PS7)
    assert finding.id == "proxy"
    assert "p" + "@ss" not in repr(finding)
