"""Lines of a drawing: straight pieces, soft bends and curves, as points. Values and pure functions."""

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

from engine.core.records import record

Point = tuple[float, float]
_BEND: Final = 10.0


@record
class Piece:
    """From where the line is to `end`; a curve when there are `handles`, else straight."""

    end: Point
    handles: tuple[Point, Point] | None = None


@record
class Path:
    """A line without gaps."""

    start: Point
    pieces: tuple[Piece, ...]

    @property
    def end(self) -> Point:
        return self.pieces[-1].end if self.pieces else self.start

    def data(self) -> str:
        """As the `d` of an SVG path."""
        words = [f"M{_number(self.start)}"]
        for piece in self.pieces:
            if piece.handles is None:
                words.append(f"L{_number(piece.end)}")
            else:
                words.append(f"C{_number(piece.handles[0])} {_number(piece.handles[1])} {_number(piece.end)}")
        return " ".join(words)

    def points(self, steps: int = 16) -> Iterator[Point]:
        """Points along it, `steps` for each piece."""
        at = self.start
        yield at
        for piece in self.pieces:
            for step in range(1, steps + 1):
                yield _along(at, piece, step / steps)
            at = piece.end

    def moved(self, dx: float, dy: float) -> "Path":
        """The same line somewhere else, to a hundredth of a pixel."""

        def shift(point: Point) -> Point:
            return (round(point[0] + dx, 2), round(point[1] + dy, 2))

        pieces = tuple(
            Piece(
                end=shift(piece.end),
                handles=(shift(piece.handles[0]), shift(piece.handles[1])) if piece.handles else None,
            )
            for piece in self.pieces
        )
        return Path(start=shift(self.start), pieces=pieces)


def number(value: float) -> str:
    """At most one digit after the point, none where it is 0."""
    return "0" if abs(value) < 0.05 else f"{value:.1f}".removesuffix(".0")


def _number(point: Point) -> str:
    return f"{number(point[0])} {number(point[1])}"


def _along(start: Point, piece: Piece, part: float) -> Point:
    end = piece.end
    if piece.handles is None:
        return (start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part)
    one, two = piece.handles
    rest = 1 - part
    weights = (rest**3, 3 * rest * rest * part, 3 * rest * part * part, part**3)
    x = sum(w * point[0] for w, point in zip(weights, (start, one, two, end), strict=True))
    y = sum(w * point[1] for w, point in zip(weights, (start, one, two, end), strict=True))
    return (x, y)


def flowing(points: Sequence[Point]) -> Path:
    """Downwards through points: straight where they stand below each other, else a soft S, vertical at both ends."""
    pieces: list[Piece] = []
    x, y = points[0]
    for end in points[1:]:
        if abs(end[0] - x) < 0.5:
            if end[1] - y > 0.01:
                pieces.append(Piece(end=(x, end[1])))
            y = end[1]
            continue
        middle = (y + end[1]) / 2
        pieces.append(Piece(end=end, handles=((x, middle), (end[0], middle))))
        x, y = end
    return Path(start=points[0], pieces=tuple(_joined(points[0], pieces)))


def _joined(start: Point, pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Straight pieces that go on in the same direction become one."""
    kept: Piece | None = None
    for piece in pieces:
        if kept is not None and kept.handles is None and piece.handles is None:
            kept = piece
            continue
        if kept is not None:
            yield kept
        kept = piece
    if kept is not None:
        yield kept


def bent(corners: Sequence[Point]) -> Path:
    """Along corners, each made round."""
    pieces: list[Piece] = []
    at = corners[0]
    for corner, after in itertools.pairwise(corners):
        before_length, after_length = _length(at, corner), _length(corner, after)
        radius = min(_BEND, before_length / 2, after_length / 2)
        if radius < 0.5:
            pieces.append(Piece(end=corner))
            at = corner
            continue
        enter, leave = _towards(corner, at, radius), _towards(corner, after, radius)
        handles = (_towards(corner, at, radius * 0.45), _towards(corner, after, radius * 0.45))
        pieces += [Piece(end=enter), Piece(end=leave, handles=handles)]
        at = leave
    pieces.append(Piece(end=corners[-1]))
    return Path(start=corners[0], pieces=tuple(pieces))


def _length(one: Point, two: Point) -> float:
    return abs(one[0] - two[0]) + abs(one[1] - two[1])


def _towards(start: Point, end: Point, far: float) -> Point:
    length = _length(start, end)
    return (start[0] + (end[0] - start[0]) * far / length, start[1] + (end[1] - start[1]) * far / length)
