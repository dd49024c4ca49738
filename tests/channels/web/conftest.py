"""A site for every test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.channels.web.site import Site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with Site(tmp_path) as running:
        yield running
