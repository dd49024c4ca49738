"""The process's settings, read once from the environment and `.env`. No flow's settings (see bot.yaml)."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import parse_qs, urlsplit

import msgspec


class SettingsError(Exception):
    """A setting has a bad value; the message is one sentence that names the variable."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, rename=None):
    """What `stepgram` needs to know before it reads a flow."""

    flows: Path = Path("flows")
    """STEPGRAM_FLOWS: the folder of flows."""
    database: Path = Path("data/stepgram.sqlite3")
    """STEPGRAM_DATABASE: the SQLite file."""
    database_url: str | None = None
    """DATABASE_URL: a PostgreSQL database in place of the file; its password never shows up anywhere."""
    files: Path = Path("data/files")
    """STEPGRAM_FILES: the folder of received files."""
    plugins: Path = Path("plugins")
    """STEPGRAM_PLUGINS: a folder of the product's own plugins; it need not exist."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """STEPGRAM_LOG_LEVEL."""
    synchronous: Literal["FULL", "NORMAL"] = "FULL"
    """STEPGRAM_SYNCHRONOUS: NORMAL is faster and may lose the last moments when the power fails."""
    api_base_url: str | None = None
    """API_BASE_URL: the backend of the plugins; unset, they use the embedded database."""
    web_host: str = "127.0.0.1"
    """STEPGRAM_WEB_HOST: the address that the page listens on; elsewhere than on this machine it wants a token."""
    web_port: Annotated[int, msgspec.Meta(ge=0, le=65535)] | None = None
    """STEPGRAM_WEB_PORT; 0: any free one; unset: 8080, or the next one that is free."""
    web_token: str | None = None
    """STEPGRAM_WEB_TOKEN: what the page's address must carry; unset, one is made where it is needed."""
    web_max_file: Annotated[int, msgspec.Meta(ge=1)] = 2000 * 1024 * 1024
    """STEPGRAM_WEB_MAX_FILE: bytes that one uploaded file may have."""
    web_open: bool = True
    """STEPGRAM_WEB_OPEN: open the browser when there is one."""
    webhook_secret: str | None = None
    """STEPGRAM_WEBHOOK_SECRET: what signals by HTTP are signed with, several separated by commas; unset: none come."""
    webhook_host: str = "127.0.0.1"
    """STEPGRAM_WEBHOOK_HOST: the address that signals come in at."""
    webhook_port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 8090
    """STEPGRAM_WEBHOOK_PORT; 0: any free one."""
    session: Path = Path("data/telegram")
    """STEPGRAM_SESSION: the folder of the Telegram session, as secret as the token."""
    page: bool = False
    """STEPGRAM_PAGE: with Telegram, the page in the browser too; without Telegram there is always the page."""
    telegram_api_id: int | None = None
    """TELEGRAM_API_ID."""
    telegram_api_hash: str | None = None
    """TELEGRAM_API_HASH."""
    telegram_bot_token: str | None = None
    """TELEGRAM_BOT_TOKEN."""

    @property
    def place(self) -> str:
        """Where the data is, in words that tell no secret."""
        if self.database_url is None:
            return str(self.database)
        found = urlsplit(self.database_url)
        host = found.hostname or parse_qs(found.query).get("host", ["this machine"])[0]
        return f"the PostgreSQL database {found.path.lstrip('/') or found.username or 'postgres'} on {host}"

    @property
    def kept(self) -> Path:
        """The folder of plugins' small files, beside that of received files. No backup has it."""
        return self.files.parent / "kept"

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """Any of them may have signed a signal; none: no signals come by HTTP."""
        return tuple(part.strip() for part in (self.webhook_secret or "").split(",") if part.strip())

    @property
    def telegram(self) -> bool:
        """Whether anything of Telegram is set."""
        return bool(self.telegram_api_id or self.telegram_api_hash or self.telegram_bot_token)

    def telegram_credentials(self) -> tuple[int, str, str]:
        """API id, API hash and token of the bot. Raises SettingsError that names what is missing."""
        if self.telegram_api_id and self.telegram_api_hash and self.telegram_bot_token:
            return self.telegram_api_id, self.telegram_api_hash, self.telegram_bot_token
        given = {
            "TELEGRAM_API_ID": self.telegram_api_id,
            "TELEGRAM_API_HASH": self.telegram_api_hash,
            "TELEGRAM_BOT_TOKEN": self.telegram_bot_token,
        }
        missing = " and ".join(name for name, value in given.items() if not value)
        raise SettingsError(
            f"For Telegram {missing} must be set, too: README.md says where to get it. Without any TELEGRAM_… setting "
            "there is the page in the browser."
        )


VARIABLES: Final[Mapping[str, str]] = {
    "flows": "STEPGRAM_FLOWS",
    "database": "STEPGRAM_DATABASE",
    "database_url": "DATABASE_URL",
    "files": "STEPGRAM_FILES",
    "plugins": "STEPGRAM_PLUGINS",
    "log_level": "STEPGRAM_LOG_LEVEL",
    "synchronous": "STEPGRAM_SYNCHRONOUS",
    "api_base_url": "API_BASE_URL",
    "web_host": "STEPGRAM_WEB_HOST",
    "web_port": "STEPGRAM_WEB_PORT",
    "web_token": "STEPGRAM_WEB_TOKEN",
    "web_max_file": "STEPGRAM_WEB_MAX_FILE",
    "web_open": "STEPGRAM_WEB_OPEN",
    "webhook_secret": "STEPGRAM_WEBHOOK_SECRET",
    "webhook_host": "STEPGRAM_WEBHOOK_HOST",
    "webhook_port": "STEPGRAM_WEBHOOK_PORT",
    "session": "STEPGRAM_SESSION",
    "page": "STEPGRAM_PAGE",
    "telegram_api_id": "TELEGRAM_API_ID",
    "telegram_api_hash": "TELEGRAM_API_HASH",
    "telegram_bot_token": "TELEGRAM_BOT_TOKEN",
}
"""Field → environment variable."""

_WANTED: Final[Mapping[str, str]] = {
    "log_level": "DEBUG, INFO, WARNING or ERROR",
    "synchronous": "FULL or NORMAL",
    "database_url": "an address such as postgresql://user:password@host/name; for a SQLite file set STEPGRAM_DATABASE",
    "web_port": "a port from 0 to 65535",
    "webhook_port": "a port from 0 to 65535",
    "webhook_secret": "at least 32 characters without spaces, such as `openssl rand -hex 32` makes; several separated "
    "by commas",
    "web_max_file": "a number of bytes, such as 52428800",
    "web_open": "1 or 0",
    "page": "1 or 0",
    "telegram_api_hash": "the 32 characters of 0-9 and a-f that my.telegram.org shows",
    "telegram_bot_token": "the whole line that @BotFather gave, such as 123456789:AAE…",
    "web_token": "at least 16 letters, digits, - and _",
    "telegram_api_id": "a whole number",
    "api_base_url": "an address that begins with http:// or https://",
}


_FORMS: Final[Mapping[str, re.Pattern[str]]] = {
    "api_base_url": re.compile(r"https?://.*"),
    "database_url": re.compile(r"postgres(ql)?://.*"),
    "web_token": re.compile(r"[A-Za-z0-9_-]{16,200}"),
    "webhook_secret": re.compile(r"[!-+\--~]{32,200}(\s*,\s*[!-+\--~]{32,200})*"),
    "telegram_api_hash": re.compile(r"[0-9a-fA-F]{32}"),
    "telegram_bot_token": re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{20,100}"),
}


def read_environment(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The environment, with the KEY=VALUE lines of `folder/.env` behind it: what is set outside wins.

    Raises SettingsError when `.env` cannot be read or has a line of another form.
    """
    return {**_dotenv(folder / ".env"), **environment}


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Settings from variables; an empty one counts as not set. Raises SettingsError."""
    given = {field: environment.get(name, "").strip() for field, name in VARIABLES.items()}
    given = {field: value for field, value in given.items() if value}
    for field in ("log_level", "synchronous"):
        if field in given:
            given[field] = given[field].upper()
    for field, value in given.items():
        _check(field, value)
    return msgspec.convert(given, Settings, strict=False, dec_hook=_path)


def _check(field: str, value: str) -> None:
    good = _FORMS[field].fullmatch(value) is not None if field in _FORMS else True
    try:
        msgspec.convert({field: value}, Settings, strict=False, dec_hook=_path)
    except msgspec.ValidationError:
        good = False
    if not good:
        wanted = _WANTED.get(field, "another value")
        raise SettingsError(f"{VARIABLES[field]} has a value that does not fit: please give {wanted}.")


def _path(kind: type, value: object) -> object:
    assert kind is Path, "msgspec knows every other kind of a setting by itself"
    return Path(str(value)).expanduser()


def _dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The file {path} cannot be read as UTF-8 text: please check it.") from error
    found: dict[str, str] = {}
    for number, raw in enumerate(lines, start=1):
        line = raw.strip().removeprefix("export ").strip()
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.strip().isidentifier():
            raise SettingsError(f"Line {number} of {path} is not of the form NAME=VALUE: please correct it.")
        found[name.strip()] = _unquoted(value.strip())
    return found


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return value.split(" #", 1)[0].rstrip()
