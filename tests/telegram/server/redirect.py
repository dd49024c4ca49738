"""Leads every client of the library to the loopback server: in this process, or in a child process by a made
`sitecustomize.py`.

The product knows nothing of it: the library's one place that opens a TCP connection is wrapped.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyrogram.connection.transport import TCP

from tests.telegram.server import keys
from tests.telegram.server.quicker import quick_storage

ROOT = Path(__file__).resolve().parents[3]

CHILD = '''\
"""Made by the Telegram tests: leads pyrogram (or kurigram) of this process to the server on 127.0.0.1:{port}."""

import importlib.abc
import importlib.machinery
import sys


def lead(module):
    real = module.TCP.connect

    async def connect(self, address):
        return await real(self, ("127.0.0.1", {port}))

    module.TCP.connect = connect


def trust(module):
    module.server_public_keys[{fingerprint}] = module.PublicKey({modulus}, {exponent})


CHANGES = {{"pyrogram.connection.transport.tcp.tcp": lead, "pyrogram.crypto.rsa": trust}}


class Finder(importlib.abc.MetaPathFinder):
    """Changes the two modules right after they are loaded; until then nothing of the library is imported."""

    def find_spec(self, name, path, target=None):
        change = CHANGES.get(name)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target) if change else None
        if spec is None:
            return None
        load = spec.loader.exec_module

        def changed(module):
            load(module)
            change(module)

        spec.loader.exec_module = changed
        return spec


sys.meta_path.insert(0, Finder())
'''


@contextmanager
def redirected(port: int) -> Iterator[None]:
    """While it is open every connection of the library in this process goes to 127.0.0.1:`port`."""
    real = TCP.connect

    async def connect(self: TCP, _address: object) -> object:
        return await real(self, ("127.0.0.1", port))

    TCP.connect = connect
    keys.trust()
    try:
        with quick_storage():
            yield
    finally:
        TCP.connect = real
        keys.distrust()


def child_environment(port: int, folder: Path) -> dict[str, str]:
    """The variables that lead a child process to the server; `folder` gets the made module and stays as long as
    children start."""
    folder.mkdir(parents=True, exist_ok=True)
    text = CHILD.format(port=port, fingerprint=keys.FINGERPRINT, modulus=keys.MODULUS, exponent=keys.EXPONENT)
    (folder / "sitecustomize.py").write_text(text, encoding="utf-8")
    return {"PYTHONPATH": f"{folder}:{ROOT}"}
