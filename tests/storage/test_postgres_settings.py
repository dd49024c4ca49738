"""A wrong DATABASE_URL, a server that refuses: one sentence that says which setting and what to do, no password."""

import socket
import ssl

import pytest

from storage.errors import ConstraintBroken, StoreError
from storage.postgres_address import Address, parse
from storage.postgres_errors import explain_postgres
from storage.postgres_store import PostgresStore
from tests.postgres import Server
from tests.storage.samples import Writer

SECRET = "s3cret"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://x/y", "no address of a PostgreSQL database"),
        ("stepgram.db", "postgresql://user:password@host:5432/database"),
        (f"postgresql://me:{SECRET}@host", "names no database"),
        (f"postgresql://me:{SECRET}/x@host/db", "%2F"),
        (f"postgresql://me:{SECRET}@host:five/db", "port"),
        (f"postgresql://me:{SECRET}@host:70000/db", "number from 1 to 65535"),
        (f"postgresql://me:{SECRET}@one:1,two:2/db", "several hosts"),
        (f"postgresql://me:{SECRET}@host/db?sslmod=require", "option 'sslmod'"),
        (f"postgresql://me:{SECRET}@host/db?sslmode=yes", "sslmode"),
        (f"postgresql://me:{SECRET}@host/db?pool=1", "number from 2 to 500"),
        (f"postgresql://me:{SECRET}@host/db?connect_timeout=soon", "connect_timeout"),
    ],
)
def test_an_address_that_cannot_be_read(url: str, words: str) -> None:
    with pytest.raises(StoreError) as caught:
        PostgresStore(url)
    assert words in str(caught.value)
    assert SECRET not in str(caught.value)


def test_an_address_in_all_its_parts() -> None:
    full = parse("postgres://an%40na:p%2Fw%3A@db.example:6000/shop%20x?sslmode=require&connect_timeout=3&pool=4")
    assert full == Address(
        host="db.example",
        port=6000,
        database="shop x",
        user="an@na",
        password="p/w:",
        sslmode="require",
        timeout=3.0,
        pool=4,
    )
    assert "p/w" not in f"{full} {full!r}"
    assert str(parse("postgresql://[::1]:7000/x")) == "postgresql://[::1]:7000/x"
    plain = parse("postgresql:///x")
    assert (plain.host, plain.port, plain.user, plain.password) == ("localhost", 5432, None, None)
    by_socket = parse("postgresql://me@/x?host=/tmp/s&port=5555")
    assert (by_socket.host, by_socket.port) == ("/tmp/s", 5555)
    assert parse("postgresql://%2Ftmp%2FSocket/x").host == "/tmp/Socket"
    assert parse("postgresql://h/x?sslrootcert=/c.pem").sslmode == "verify-full"
    with pytest.raises(StoreError, match=r"certificate /nowhere\.pem"):
        _ = parse("postgresql://h/x?sslrootcert=/nowhere.pem").ssl


async def test_by_socket_and_by_port(database_url: str, postgres_server: Server) -> None:
    name = database_url.rpartition("/")[2]
    for url in (
        f"postgres://postgres@/{name}?host={postgres_server.folder}&port={postgres_server.port}",
        f"postgresql://postgres@localhost:{postgres_server.port}/{name}?sslmode=disable",
    ):
        store = PostgresStore(url)
        await store.open()
        await store.commit([Writer(url[:12]).next()])
        await store.close()


async def test_what_a_server_refuses(postgres_server: Server, database_url: str) -> None:
    name = database_url.rpartition("/")[2]
    here = f"127.0.0.1:{postgres_server.port}"
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = closed.getsockname()[1]
    postgres_server.execute(
        "DO $$ BEGIN CREATE ROLE locked LOGIN PASSWORD 'right'; CREATE ROLE plain LOGIN;"
        " CREATE ROLE crowd LOGIN CONNECTION LIMIT 0; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    )
    for url, words in (
        (
            f"postgresql://locked:{SECRET}@{here}/{name}",
            "Correct user and password in DATABASE_URL (the user is locked)",
        ),
        (f"postgresql://stranger@{here}/{name}", "Correct user and password"),
        (f"postgresql://postgres@{here}/nowhere", "createdb nowhere"),
        (f"postgresql://postgres@{here}/{name}?sslmode=require", "sslmode=disable"),
        (f"postgresql://crowd@{here}/{name}", "no connection left"),
        (f"postgresql://postgres@127.0.0.1:{nobody}/{name}", "Start PostgreSQL, or correct the host and the port"),
        (
            f"postgresql://postgres@/{name}?host=/tmp/nowhere&port=5999",
            "no socket of a PostgreSQL server in /tmp/nowhere",
        ),
        (f"postgresql://postgres@no-such-host.invalid/{name}", "there is no host no-such-host.invalid"),
    ):
        with pytest.raises(StoreError) as caught:
            await PostgresStore(url).open()
        assert words in str(caught.value), caught.value
        assert SECRET not in str(caught.value)
        assert "\n" not in str(caught.value)


async def test_rights_and_a_database_that_is_read_only(postgres_server: Server, empty_database_url: str) -> None:
    name = empty_database_url.rpartition("/")[2]
    postgres_server.execute(
        "DO $$ BEGIN CREATE ROLE plain LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
        f"REVOKE ALL ON DATABASE {name} FROM public",
        f"GRANT CONNECT ON DATABASE {name} TO plain",
    )
    postgres_server.execute("REVOKE ALL ON SCHEMA public FROM public", database=name)
    plain = PostgresStore(postgres_server.url(name, "plain"))
    with pytest.raises(StoreError, match=r"GRANT ALL .*as it was before"):
        await plain.open()
    owner = PostgresStore(empty_database_url)
    await owner.open()
    await owner.close()
    with pytest.raises(StoreError, match="GRANT ALL"):
        await plain.open()
    postgres_server.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await owner.open()
    with pytest.raises(StoreError, match="Let DATABASE_URL name the primary server"):
        await owner.commit([Writer().next()])
    with pytest.raises(StoreError, match="primary server"):
        async with owner.transaction() as transaction:
            await transaction.apply(Writer().next())
    await owner.close()


class Said(Exception):
    """As the driver raises what the server said."""

    def __init__(self, sqlstate: str, text: str) -> None:
        super().__init__(text)
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (Said("53100", "could not extend file: No space left on device"), "The disk of the server is full"),
        (Said("54000", "index row size 9000 exceeds btree version 4 maximum"), "too big"),
        (Said("58030", "could not read block"), "disk failed"),
        (Said("XX001", "invalid page in block 7"), "last backup"),
        (Said("08P01", "unsupported startup parameter: jit"), "pgbouncer"),
        (Said("57P03", "the database system is starting up"), "stopped or started"),
        (Said("57014", "canceling statement due to statement timeout"), "took too long"),
        (Said("22001", "value too long for type character varying(64)"), "Shorten"),
        (Said("42601", "syntax error at or near X\nLINE 1: ..."), "refused a statement: syntax error at or near X."),
        (ssl.SSLCertVerificationError("certificate verify failed"), "sslrootcert"),
        (TimeoutError(), "does not answer"),
        (ConnectionResetError("gone"), "cannot be reached: gone"),
    ],
)
def test_what_cannot_be_had_in_a_test(error: Exception, words: str) -> None:
    told = explain_postgres(error, parse(f"postgresql://me:{SECRET}@h/x"))
    assert isinstance(told, StoreError)
    assert words in str(told)
    assert "postgresql://me@h:5432/x" in str(told)
    assert "\n" not in str(told)


def test_what_is_not_of_the_database_stays_as_it_is() -> None:
    here = parse("postgresql://h/x")
    for error in (ValueError("x"), StoreError("y"), KeyError("z")):
        assert explain_postgres(error, here) is error
    assert isinstance(explain_postgres(Said("23505", "duplicate key"), here), ConstraintBroken)
