"""Settings as the command line sees them: the environment, then what options say. Shared by all commands."""

import os
import shlex
import sys
from pathlib import Path

import msgspec

from engine.settings import Settings, SettingsError, read_environment, settings_from


def environment() -> dict[str, str]:
    """The environment with `.env` of the working directory behind it. Raises SettingsError."""
    return read_environment(os.environ, Path.cwd())


def coloured() -> bool:
    """Whether standard output is a terminal that understands colours and wants them."""
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def settings(*, flows: Path | None = None, database: Path | None = None) -> Settings:
    """The settings, with options in place of variables. Raises SettingsError.

    A database file named by option takes the place of DATABASE_URL, too, and keeps received files beside it, unless
    STEPGRAM_FILES says where.
    """
    found = environment()
    read = settings_from(found)
    if flows is not None:
        read = msgspec.structs.replace(read, flows=flows)
    if database is not None:
        files = read.files if found.get("STEPGRAM_FILES") else database.parent / "files"
        read = msgspec.structs.replace(read, database=database, database_url=None, files=files)
    if read.database.is_symlink():  # its lock is beside the file itself, and the file itself is what is replaced
        read = msgspec.structs.replace(read, database=Path(os.path.realpath(read.database)))
    return read


def migration_command(place: str) -> str:
    """What to type to migrate the database file `place` (empty: a server), seen from this folder and environment."""
    try:
        usual = settings()
    except SettingsError:
        usual = Settings()
    if not place or (usual.database_url is None and str(usual.database) == place):
        return "stepgram migrate"
    return f"stepgram migrate --database {shlex.quote(place)}"


def flows_of(read: Settings) -> Path:
    """The folder of flows. Raises SettingsError when there is none, with what to do."""
    if read.flows.is_dir():
        return read.flows
    if read.flows.exists():
        raise SettingsError(
            f"“{read.flows}” is a file. A bot needs the folder that it is in: please name that one. "
            "A single file can be checked: `stepgram check FILE`."
        )
    raise SettingsError(
        f"There is no folder of flows at “{read.flows}”. Go to your project's folder, or name the folder: "
        "`stepgram check DIR`, `stepgram chat --flows DIR`, or STEPGRAM_FLOWS=DIR for all commands. "
        "A flow is one YAML file in it, such as flows/hello.yaml."
    )
