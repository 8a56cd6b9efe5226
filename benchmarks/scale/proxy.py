"""nginx in front of the Rasa servers and of the action servers, and what its log says afterwards.

It stands where a cluster's load balancers would. It is as nginx comes: a request that reached no
server goes to the next one, and a POST that reached one is not sent again. `repeat_calls` changes
that for the action calls alone. Whom it asks, it asks over TLS, and takes no other certificate than
one of the run's authority.
"""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.scale.crew import until_it_says

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.scale.authority import Authority
    from benchmarks.scale.crew import Crew
    from benchmarks.scale.programs import Programs

TURN_HEADER = "X-Turn"
"""Messages with an even number go to one Rasa server, those with an odd one to the other."""
SERVER_HEADER = "X-Rasa"
"""Which Rasa server has answered."""

_AS_IT_COMES = "error timeout"
_REPEATING = "error timeout non_idempotent"
_CALLS = "calls.log"
_FAILED = 500
_CONFIGURATION = """\
daemon off;
user {user};
worker_processes 1;
pid nginx.pid;
error_log stderr notice;
events {{ worker_connections 1024; }}
http {{
  log_format call '$status|$upstream_addr|$upstream_connect_time';
  access_log off;
  client_max_body_size 16m;
  ssl_certificate {shows.certificate};
  ssl_certificate_key {shows.key};
  proxy_ssl_verify on;
  proxy_ssl_trusted_certificate {trusts};
  proxy_ssl_name localhost;
  client_body_temp_path body;
  proxy_temp_path proxied;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;

  # Round robin would give a turn to the other server by chance. This way it always does.
  map $http_x_turn $rasa {{ ~[02468]$ even; default odd; }}
  upstream even {{ server {rasa[0]}; server {rasa[1]} backup; }}
  upstream odd {{ server {rasa[1]}; server {rasa[0]} backup; }}
  server {{
    listen 127.0.0.1:{rasa_port} ssl;
    add_header {server_header} $upstream_addr always;
    location = /ready {{ return 204; }}
    location / {{ proxy_pass https://$rasa; }}
  }}

  # A server that has failed is tried again at once (nginx would leave it alone for a while).
  upstream actions {{ server {actions[0]} max_fails=0; server {actions[1]} max_fails=0; }}
  server {{
    listen 127.0.0.1:{actions_port} ssl;
    access_log {calls} call;
    location / {{
      proxy_pass https://actions;
      proxy_next_upstream {next_upstream};
    }}
  }}
}}
"""


class Call(NamedTuple):
    """One action call, from nginx's log."""

    answered_by: str | None
    """Host and port of the server that has answered, None if none did."""
    refused: bool
    """Whether a server refused the connection."""
    cut_off: bool
    """Whether it reached a server that did not answer it."""

    @property
    def failed(self) -> bool:
        """Whether nobody answered it."""
        return self.answered_by is None

    @classmethod
    def of(cls, line: str) -> Call:
        """Read a line of the log: two servers were tried here, and the first refused.

        `200|127.0.0.1:5055, 127.0.0.1:5056|-, 0.000`
        """
        status, asked, connected = line.split("|")
        reached = [seconds != "-" for seconds in connected.split(", ")]
        answered_by = None if int(status) >= _FAILED else asked.split(", ")[-1]
        return cls(answered_by, not all(reached), sum(reached) > (answered_by is not None))


class Proxy:
    """nginx in front of two Rasa servers and two action servers, each given as host and port."""

    def __init__(
        self,
        programs: Programs,
        crew: Crew,
        authority: Authority,
        *,
        rasa: Sequence[str],
        actions: Sequence[str],
    ) -> None:
        self._crew, self._authority = crew, authority
        self._shows = authority.issue("nginx")
        self._folder = crew.folder / "nginx"
        self._command = (programs.nginx, "-p", self._folder, "-c", "nginx.conf", "-e", "stderr")
        self._rasa, self._actions, self._repeats = rasa, actions, False
        self._rasa_port, self._actions_port = crew.port(), crew.port()

    @property
    def rasa_url(self) -> str:
        """Where the channel sends its messages."""
        return f"https://localhost:{self._rasa_port}"

    @property
    def actions_url(self) -> str:
        """Where Rasa sends its action calls."""
        return f"https://localhost:{self._actions_port}/webhook"

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        self._folder.mkdir()
        self._configure(_AS_IT_COMES)
        self._process = await self._crew.start("nginx", *self._command)
        await self._process.answers(f"{self.rasa_url}/ready", self._authority.trust)

    async def repeat_calls(self) -> None:
        """From now on, give an action call whose server dies to the other one as well."""
        if self._repeats:
            return
        self._repeats = True
        self._configure(_REPEATING)
        await self._crew.run("nginx-reload", *self._command, "-s", "reload")
        await until_it_says(self._process, "exited with code 0")

    def calls(self) -> list[Call]:
        """Return the action calls so far, in the order in which they ended."""
        lines = (self._folder / _CALLS).read_text().splitlines()
        return [Call.of(line) for line in lines]

    def _configure(self, next_upstream: str) -> None:
        text = _CONFIGURATION.format(
            user=getpass.getuser(),
            rasa=self._rasa,
            rasa_port=self._rasa_port,
            server_header=SERVER_HEADER,
            actions=self._actions,
            actions_port=self._actions_port,
            shows=self._shows,
            trusts=self._authority.file,
            calls=_CALLS,
            next_upstream=next_upstream,
        )
        (self._folder / "nginx.conf").write_text(text)
