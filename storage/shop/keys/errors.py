"""What can be wrong with keys, in sentences for the operator. Never holds a key, a word of a seed or a part of one."""


class KeyTrouble(Exception):  # noqa: N818 - says what is the matter; the sentence is the message
    """A key cannot be used; the message says why and what to do. Never with the key in it."""


class MissingLibraries(KeyTrouble):
    """Real addresses need the libraries of the extra `crypto`."""

    def __init__(self) -> None:
        super().__init__("real addresses need libraries that are not installed: pip install 'stepgram[crypto]'")


class Mismatch(KeyTrouble):
    """Two ways of computing an address gave two results: it is not shown to anybody."""
