"""A shop with its backend for every test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.actions.catalog import Catalog
from engine.actions.discovery import discover
from tests.backend import Backend
from tests.journeys.shop import ROOT, Customer, Shop


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    return discover([ROOT / "plugins"])


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    async with Backend() as running:
        yield running


@pytest.fixture
async def shop(tmp_path: Path, catalog: Catalog, backend: Backend) -> AsyncIterator[Shop]:
    async with Shop(tmp_path, catalog, backend=backend) as opened:
        yield opened


@pytest.fixture
async def hasty(tmp_path: Path, catalog: Catalog, backend: Backend) -> AsyncIterator[Shop]:
    """A shop that gives up an attempt after 0.4 seconds."""
    async with Shop(tmp_path, catalog, backend=backend, seconds=0.4) as opened:
        yield opened


@pytest.fixture
def anna(shop: Shop) -> Customer:
    return shop.customer("Anna")
