"""The settings of a bot, for a command that does not ask PS7."""

from __future__ import annotations

from pydantic import Field, SecretStr

from .. import setting_types as types
from ..settings import PS7Settings


class BotSettings(PS7Settings):
    """The settings of a bot where PS7 is not asked, so that it need not be configured."""

    base_url: types.BaseUrl = Field(
        default="http://127.0.0.1", description=PS7Settings.model_fields["base_url"].description
    )
    username: types.HeaderValue = Field(default=SecretStr("none"), description=types.HEADER_TEXT)
    password: types.HeaderValue = Field(default=SecretStr("none"), description=types.HEADER_TEXT)
