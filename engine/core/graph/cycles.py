"""Which edges close a loop: those that lead up the file to a step from which they can be reached. Pure."""

from collections.abc import Iterable, Mapping, Sequence

Ends = tuple[str, str]


def closing(order: Sequence[str], pairs: Iterable[Ends]) -> frozenset[Ends]:
    """The edges to take out so that no loop is left. Edges down the file always stay; one up the file stays when
    it only joins another branch."""
    place = {name: index for index, name in enumerate(order)}
    known = list(pairs)
    ahead: dict[str, list[str]] = {name: [] for name in order}
    for source, target in known:
        if place[target] > place[source]:
            ahead[source].append(target)
    back = set()
    upwards = sorted((pair for pair in known if place[pair[1]] <= place[pair[0]]), key=lambda pair: place[pair[0]])
    for source, target in upwards:
        if reaches(ahead, target, source):
            back.add((source, target))
        else:
            ahead[source].append(target)
    return frozenset(back)


def reaches(ahead: Mapping[str, list[str]], start: str, goal: str) -> bool:
    """Whether a way leads from one step to another; to itself: yes."""
    seen = {start}
    todo = [start]
    while todo:
        name = todo.pop()
        if name == goal:
            return True
        for target in ahead[name]:
            if target not in seen:
                seen.add(target)
                todo.append(target)
    return False
