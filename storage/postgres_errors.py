"""What a PostgreSQL driver can say, in sentences for an operator: which setting is wrong, what to do. Pure.

The driver is not imported: its errors are told apart by their SQLSTATE and by Python's own kinds.
"""

import re
import socket
import ssl
from collections.abc import Callable
from typing import Final

from storage.errors import ConstraintBroken, StoreBusy, StoreError, StoreUnavailable
from storage.postgres_address import Address

_STOPPING: Final = frozenset({"57P01", "57P02", "25P03"})
"""The server ended the session."""
_STARTING: Final = "57P03"
_AGAIN: Final = frozenset({"40001", "40P01", "53300", _STARTING})
"""The server asks for a repetition, or has no room at this moment."""
_BROKEN: Final = ("closed", "released", "closing", "in progress", "unexpected")
"""What the driver itself says when a line ends under its feet."""
_OF_THE_STATEMENT: Final = frozenset({"54000", "22001", "0A000", "57014", "42501", "3F000"})
"""There is advice, but the same statement fails again."""
_STALE_PLAN: Final = "InvalidCachedStatementError"
_VALUE: Final = re.compile(r"(invalid input for query argument \$\d+): .*", re.DOTALL)
_TABLE: Final = re.compile(r'relation "([^"]*)" does not exist')


def sqlstate(error: BaseException) -> str:
    """The five characters of the server's error; empty when it is none."""
    return str(getattr(error, "sqlstate", None) or "")


def not_yet(error: BaseException) -> bool:
    """Whether the server is on its way up."""
    return sqlstate(error) == _STARTING


def lost(error: BaseException) -> bool:
    """Whether the line broke, so that nobody knows what became of the statement that ran."""
    if isinstance(error, ConnectionError | TimeoutError | FileNotFoundError | socket.gaierror | EOFError):
        return True
    state = sqlstate(error)
    if state:
        return state in _STOPPING or state.startswith("08")
    return _of_the_driver(error) and any(word in str(error) for word in _BROKEN)


def passing(error: BaseException) -> bool:
    """Whether the same may go well in a moment."""
    return lost(error) or sqlstate(error) in _AGAIN or type(error).__name__ == _STALE_PLAN


def _of_the_driver(error: BaseException) -> bool:
    return type(error).__module__.startswith("asyncpg")


def explain_postgres(error: Exception, address: Address) -> Exception:
    """The error as one of ours, with a sentence that says what to do. What is no error of the driver stays as it
    is."""
    state = sqlstate(error)
    if isinstance(error, StoreError) or not (state or _of_the_driver(error) or isinstance(error, OSError | EOFError)):
        return error
    if state.startswith("23"):
        return ConstraintBroken(f"The database refused a row: {error}.")
    if state == "42P01" and (found := _TABLE.search(str(error))):
        return StoreError(f"The database {address} refused a statement: no such table: {found[1]}.")
    advice = _ADVICE.get(state)
    if advice is not None:
        kind = StoreBusy if state in _AGAIN else StoreError if state in _OF_THE_STATEMENT else StoreUnavailable
        return kind(f"The database {address}: {_first_line(error)}. {advice(address)}")
    if not state or lost(error):
        return StoreUnavailable(_about_the_line(error, address))
    return StoreError(f"The database {address} refused a statement: {_first_line(error)}.")


def _about_the_line(error: Exception, address: Address) -> str:
    """It could not be reached, or not any more."""
    where = f"The database {address}"
    match error:
        case socket.gaierror():
            return f"{where}: there is no host {address.host}. Correct the host in DATABASE_URL."
        case FileNotFoundError():
            return (
                f"{where}: there is no socket of a PostgreSQL server in {address.host} with port {address.port}."
                " Start the server, or correct `host` and `port` in DATABASE_URL."
            )
        case ConnectionRefusedError():
            return (
                f"{where}: nobody answers at {address.host} on port {address.port}. Start PostgreSQL, or correct the"
                " host and the port in DATABASE_URL."
            )
        case ssl.SSLCertVerificationError():
            return (
                f"{where}: the server's certificate is not trusted ({_first_line(error)}). Name its root"
                " certificate with sslrootcert in DATABASE_URL, and the host by the name in the certificate."
            )
        case TimeoutError():
            return (
                f"{where} does not answer. Check that the server is up, that host and port in DATABASE_URL are right,"
                " and that no firewall is in between."
            )
    if "SSL" in str(error):
        return (
            f"{where}: {_first_line(error)}. Switch SSL on at the server, or take sslmode=disable in DATABASE_URL when"
            " the line is safe without it."
        )
    return (
        f"{where} cannot be reached: {_first_line(error) or type(error).__name__}. Check that the PostgreSQL server is"
        " up; nothing that was confirmed is lost."
    )


def _first_line(error: BaseException) -> str:
    """Without the value that the driver could not send: it may be a customer's."""
    text = _VALUE.sub(r"\1", str(error))
    return text.partition("\n")[0].rstrip(". ")


def _login(address: Address) -> str:
    return (
        f"Correct user and password in DATABASE_URL (the user is {address.user or 'not named there'}), or let this user"
        " in from this host in the server's pg_hba.conf."
    )


def _always(text: str) -> Callable[[Address], str]:
    return lambda _address: text


_DISK: Final = "The disk of the server is full. Make room on it; nothing that was confirmed is lost."
_AGAIN_LATER: Final = "Others changed the same rows at the same moment. Try again."
_GOING: Final = "The server is being stopped or started. It is tried again; nothing that was confirmed is lost."
_RIGHTS: Final = "Give the user of DATABASE_URL the rights: GRANT ALL ON the database, its schema and its tables."
_CONNECTIONS: Final = (
    "The server has no connection left. Raise max_connections there, or lower this process's share with `pool=5` in"
    " DATABASE_URL."
)

_ADVICE: Final[dict[str, Callable[[Address], str]]] = {
    "28P01": _login,
    "28000": _login,
    "3D000": lambda address: f"Make it with `createdb {address.database}`, or correct its name in DATABASE_URL.",
    "53300": _always(_CONNECTIONS),
    "53100": _always(_DISK),
    "53200": _always("The server is out of memory. Give it more, or lower its max_connections and work_mem."),
    "25006": _always("It takes no writes: a standby, or set to read-only. Let DATABASE_URL name the primary server."),
    "42501": _always(_RIGHTS),
    "3F000": _always(_RIGHTS),
    "40001": _always(_AGAIN_LATER),
    "40P01": _always(_AGAIN_LATER),
    "55P03": _always(_AGAIN_LATER),
    "57014": _always("The statement took too long or waited too long for others. Try again; check the server's load."),
    "57P01": _always(_GOING),
    "57P02": _always(_GOING),
    "57P03": _always(_GOING),
    "25P03": _always("A transaction was left open for 10 seconds and was undone. Do nothing slow inside of one."),
    "25P02": _always("An error has undone this transaction. Begin again."),
    "54000": _always("A value is too big for the database. Keep files in the file store, not in answers."),
    "22001": _always("A text is longer than its column. Shorten it."),
    "08P01": _always("Let DATABASE_URL name the server itself, not a pooler such as pgbouncer in front of it."),
    "0A000": _always("Use PostgreSQL 13 or newer."),
    "58030": _always("Reading or writing the server's disk failed. Check the disk, then start again."),
    "XX001": _always("The server's files are damaged. Stop, keep a copy, and restore the last backup."),
}
