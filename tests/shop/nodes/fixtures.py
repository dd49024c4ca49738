"""The nodes as fixtures: `from tests.shop.nodes.fixtures import anvil`. Each is started once, when it is asked for."""

from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

import pytest

from tests.shop.nodes.anvil import Anvil
from tests.shop.nodes.bcoin import Bcoin
from tests.shop.nodes.electrumx import ElectrumX
from tests.shop.nodes.litecoin import Litecoind
from tests.shop.nodes.litesvm import Svm
from tests.shop.nodes.running import NoNode


class _Node(Protocol):
    def stop(self) -> None: ...


N = TypeVar("N", bound=_Node)


def _for_session(start: Callable[[], N]) -> Iterator[N]:
    try:
        node = start()
    except NoNode as reason:
        pytest.skip(str(reason))
    try:
        yield node
    finally:
        node.stop()


@pytest.fixture(scope="session")
def anvil(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    """ETH."""
    yield from _for_session(lambda: Anvil(tmp_path_factory.mktemp("anvil")))


@pytest.fixture(scope="session")
def litecoind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Litecoind]:
    """LTC, and Bitcoin Core's dialect."""
    yield from _for_session(lambda: Litecoind(tmp_path_factory.mktemp("ltc")))


@pytest.fixture(scope="session")
def electrumx(litecoind: Litecoind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ElectrumX]:
    """The Electrum protocol over `litecoind`."""
    yield from _for_session(lambda: ElectrumX(tmp_path_factory.mktemp("electrumx"), litecoind))


@pytest.fixture(scope="session")
def bcoin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bcoin]:
    """BTC."""
    yield from _for_session(lambda: Bcoin(tmp_path_factory.mktemp("bcoin")))


@pytest.fixture(scope="session")
def svm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Svm]:
    """SOL."""
    yield from _for_session(lambda: Svm(tmp_path_factory.mktemp("svm")))
