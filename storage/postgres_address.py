"""A PostgreSQL database's address as `DATABASE_URL` gives it. Pure; the password is in no text that this makes."""

import ssl
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from storage.errors import StoreError

SCHEMES: Final = ("postgresql", "postgres")
PORT: Final = 5432
POOL: Final = 10
"""Connections at once at most, if `pool` in the address says nothing."""
_MOST: Final = 500
_SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_KNOWN: Final = ("sslmode", "sslrootcert", "host", "port", "connect_timeout", "pool")
_EXAMPLE: Final = "Write it as postgresql://user:password@host:5432/database."


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the database is and how to get in."""

    host: str
    """A name, an address, or the folder of a Unix socket."""
    port: int
    database: str
    user: str | None
    password: str | None = field(repr=False)
    """None: the driver looks into PGPASSWORD and the password file."""
    sslmode: str | None = None
    sslrootcert: str | None = None
    timeout: float = 10.0
    """Seconds to connect in."""
    pool: int = POOL

    def __str__(self) -> str:
        """For people: without the password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = f"{self.user}@" if self.user else ""
        return f"postgresql://{user}{host}:{self.port}/{self.database}"

    @property
    def ssl(self) -> Any:
        """As asyncpg takes it. Raises StoreError when the certificate's file cannot be read."""
        if self.sslrootcert is None:
            return self.sslmode
        if self.sslmode in ("disable", "allow", "prefer"):
            return self.sslmode
        try:
            context = ssl.create_default_context(cafile=self.sslrootcert)
        except (OSError, ssl.SSLError) as error:
            raise StoreError(
                f"The certificate {self.sslrootcert} (sslrootcert in DATABASE_URL) cannot be read: {error.strerror}."
                " Give the path of the server's root certificate in PEM form."
            ) from error
        context.check_hostname = self.sslmode == "verify-full"
        return context


def parse(url: str) -> Address:
    """Raises StoreError that says which part of DATABASE_URL is wrong, never its password."""
    scheme, mark, rest = url.strip().partition("://")
    if not mark or scheme not in SCHEMES:
        raise StoreError(f"DATABASE_URL is no address of a PostgreSQL database. {_EXAMPLE}")
    place, _, query = rest.partition("?")
    entrance, _, path = place.partition("/")
    login, _, server = entrance.rpartition("@")
    user, has_password, password = login.partition(":")
    host, port = _server(server)
    options = _options(query)
    database = unquote(path)
    if not database or "/" in database:
        raise StoreError(
            f"DATABASE_URL names no database behind the host. {_EXAMPLE} In a password, write / as %2F, ? as %3F,"
            " # as %23 and @ as %40."
        )
    return Address(
        host=options.get("host") or host or "localhost",
        port=_number("port", options["port"], 65535) if "port" in options else port,
        database=database,
        user=unquote(user) or None,
        password=unquote(password) if has_password else None,
        sslmode=_sslmode(options),
        sslrootcert=options.get("sslrootcert"),
        timeout=float(_number("connect_timeout", options.get("connect_timeout", "10"), 3600)),
        pool=_number("pool", options.get("pool", str(POOL)), _MOST, least=2),
    )


def _server(text: str) -> tuple[str, int]:
    if "," in text:
        raise StoreError("DATABASE_URL names several hosts. Name one: the server that takes writes.")
    if text.startswith("["):
        host, _, after = text[1:].partition("]")
        port = after.removeprefix(":")
    else:
        host, _, port = text.partition(":")
    return unquote(host), _number("port", port, 65535) if port else PORT


def _options(query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(set(options) - set(_KNOWN))
    if unknown:
        raise StoreError(f"DATABASE_URL has an option {unknown[0]!r}. Possible are {', '.join(_KNOWN)}.")
    return options


def _sslmode(options: dict[str, str]) -> str | None:
    mode = options.get("sslmode")
    if mode is not None and mode not in _SSL_MODES:
        raise StoreError(f"sslmode in DATABASE_URL is {mode!r}. Possible are {', '.join(_SSL_MODES)}.")
    return "verify-full" if mode is None and "sslrootcert" in options else mode


def _number(name: str, text: str, most: int, least: int = 1) -> int:
    if text.isascii() and text.isdigit() and least <= int(text) <= most:
        return int(text)
    raise StoreError(
        f"The {name} in DATABASE_URL is not a number from {least} to {most}. {_EXAMPLE} In a password, write : as %3A,"
        " / as %2F, ? as %3F, # as %23 and @ as %40."
    )
