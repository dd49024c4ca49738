"""A real backend on 127.0.0.1, a real HTTP session, the shipped plugins' real tables."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import ClientSession

from engine.actions import Context
from engine.actions.testing import Database, context
from storage.plugin_sql import TABLES
from tests.backend import Backend

World = Callable[..., Context]


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    async with Backend() as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as opened:
        yield opened


@pytest.fixture
def database() -> Database:
    return Database.of(TABLES)


@pytest.fixture
def local(database: Database) -> World:
    """Contexts without a backend: the embedded database is the shop."""

    def make(**fields: Any) -> Context:
        return context(database=database, **fields)

    return make


@pytest.fixture
def remote(database: Database, backend: Backend, session: ClientSession) -> World:
    """Contexts with API_BASE_URL set."""

    def make(**fields: Any) -> Context:
        environment = {"API_BASE_URL": backend.url + "/"}
        return context(database=database, http=session, environment=environment, **fields)

    return make
