"""Ids fit callback data, do not repeat, and are repeatable from a seed."""

import re

import pytest

from engine.runtime.identity import SecretIds, SeededIds


@pytest.mark.parametrize("ids", [SecretIds(), SeededIds(7)])
def test_ids_have_their_form_and_do_not_repeat(ids):
    conversations = {ids.conversation() for _ in range(500)}
    files = {ids.file() for _ in range(500)}
    assert len(conversations) == len(files) == 500
    assert all(re.fullmatch(r"[a-z0-9]{10}", item) for item in conversations)
    assert all(re.fullmatch(r"[a-z0-9]{24}", item) for item in files)


def test_the_same_seed_gives_the_same_ids():
    assert [SeededIds(3).conversation() for _ in range(2)] == [SeededIds(3).conversation()] * 2
    assert SeededIds(3).conversation() != SeededIds(4).conversation()
