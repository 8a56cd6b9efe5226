"""What pure tests share."""

from tests.support.command import cli  # noqa: F401 - a fixture
