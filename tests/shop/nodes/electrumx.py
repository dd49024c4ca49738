"""The Electrum protocol: a real ElectrumX server over litecoind."""

import socket
import sys
from pathlib import Path

from tests.shop.nodes.litecoin import Litecoind
from tests.shop.nodes.running import CACHE, NoNode, Running, free_port

INSTALL = (
    "run `.ci/nodes`, or `python3 -m venv ~/.cache/stepgram-nodes/electrumx && "
    "~/.cache/stepgram-nodes/electrumx/bin/pip install 'e-x[leveldb]==2.0.0'`"
)


HASTY = """
from electrumx.cli.electrumx_server import main
from electrumx.server.transport import PaddedRSTransport
PaddedRSTransport.WAIT_FOR_BUFFER_GROWTH_SECONDS = 0.02
main()
"""
"""The server holds a small answer back for up to a second, so that nobody can tell what was asked by its size."""


class ElectrumX:
    """A server over a node. `hasty`: it holds no answer back. `poll`: milliseconds between two looks at its node."""

    def __init__(self, folder: Path, node: Litecoind, *, hasty: bool = True, poll: int = 200) -> None:
        home = CACHE / "electrumx" / "bin"
        script = home / "electrumx_server"
        if not script.exists() or sys.platform == "win32":
            raise NoNode(f"there is no ElectrumX server on this machine: {INSTALL}")
        self.port = free_port()
        self.url = f"tcp://127.0.0.1:{self.port}"
        environment = {
            "COIN": "Litecoin",
            "NET": "regtest",
            "DAEMON_URL": node.url,
            "DB_DIRECTORY": str(folder),
            "DB_ENGINE": "leveldb",
            "ALLOW_ROOT": "1",
            "PEER_DISCOVERY": "off",
            "PEER_ANNOUNCE": "",
            "SERVICES": f"tcp://127.0.0.1:{self.port}",
            "COST_SOFT_LIMIT": "0",
            "COST_HARD_LIMIT": "0",
        }
        command = [str(home / "python3"), str(script)]
        environment |= {"DAEMON_POLL_INTERVAL_BLOCKS": str(poll), "DAEMON_POLL_INTERVAL_MEMPOOL": str(poll)}
        if hasty:
            command[1:] = ["-c", HASTY]
        self.running = Running(command, folder, environment=environment)
        self.running.wait(self._up)

    def _up(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True

    def stop(self) -> None:
        self.running.stop()
