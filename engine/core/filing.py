"""Files that a customer sends to a question: which are taken, which are refused, what their buttons do."""

from html import escape
from typing import Any

from engine.core.conversation import FileItem, FileStatus
from engine.core.model import File, Files
from engine.core.program import Node
from engine.core.turn import Turn
from engine.core.verdicts import CheckFile, Quiet, Redraw, Refusal, Verdict


def taken(turn: Turn, node: Node, question: File | Files, file: dict[str, Any]) -> Verdict:
    """A file for a collection, or one that an action has to check first."""
    if refused := refusal(turn, question, file):
        return refused
    visit = turn.work.visit
    number = visit.numbered + 1
    if isinstance(question, File):
        item = FileItem(number=number, file=file, status=FileStatus.CHECKING)
        return CheckFile(fields={"files": (item,), "numbered": number}, number=number)
    status = FileStatus.READY if node.use is None else FileStatus.CHECKING
    item = FileItem(number=number, file=file, status=status, value=file)
    fields = {"files": (*visit.files, item), "numbered": number}
    return Redraw(fields=fields) if node.use is None else CheckFile(fields=fields, number=number)


def refusal(turn: Turn, question: File | Files, file: dict[str, Any]) -> Refusal | None:
    """Why a file is of no use here, or None."""
    name, size = str(file.get("name", "")), int(file.get("size", 0))
    if question.photo and file.get("kind") != "photo":
        return Refusal(text=turn.words("answer.photo_wanted"), rule="files.kind")
    if question.accept and not name.lower().endswith(question.accept):
        endings = ", ".join(question.accept)
        return Refusal(text=turn.words("files.format", name=shortened(name), accept=endings), rule="files.format")
    if size == 0:
        return Refusal(text=turn.words("files.empty", name=shortened(name)), rule="files.empty")
    if question.max_size is not None and size > question.max_size:
        limit = turn.formats.size(question.max_size)
        return Refusal(text=turn.words("files.too_big", name=shortened(name), max=limit), rule="files.too_big")
    most = question.maximum if isinstance(question, Files) else None
    if most is not None and len(turn.work.visit.files) >= most:
        return Refusal(text=turn.words("files.too_many", max=most), rule="files.too_many")
    if not file.get("ref"):  # a channel fetches no file that nobody was asked for
        return Refusal(text=turn.words("files.lost", name=shortened(name)), rule="files.lost")
    return None


def shortened(name: str) -> str:
    """A file name for a message: escaped, and not longer than a line."""
    short = name if len(name) <= 60 else f"{name[:40]}…{name[-15:]}"
    return escape(short, quote=False)


def incomplete(turn: Turn, question: Files) -> Quiet | None:
    """What keeps a collection from being an answer, or None."""
    files = turn.work.visit.files
    if any(item.status is FileStatus.CHECKING for item in files):
        return Quiet(notice=turn.words("files.checking"))
    if any(item.status is FileStatus.FAILED for item in files):
        return Quiet(notice=turn.words("files.failed_left"), alert=True)
    if len(files) < question.minimum:
        return Quiet(notice=turn.words("files.too_few", min=question.minimum), alert=True)
    return None


def pressed(turn: Turn, node: Node, kind: str, rest: str) -> Verdict:
    """A file's own buttons: `f` takes it away, `F` tries it again."""
    files = turn.work.visit.files
    item = next((i for i in files if str(i.number) == rest), None)
    if item is None or not isinstance(node.question, File | Files):
        return Quiet(notice=turn.words("button.gone"))
    if kind == "f":
        return Redraw(fields={"files": tuple(i for i in files if i is not item)})
    if item.status is not FileStatus.FAILED or node.use is None:
        return Quiet()
    again = FileItem(number=item.number, file=item.file, status=FileStatus.CHECKING, attempt=item.attempt + 1)
    return CheckFile(fields={"files": tuple(again if i is item else i for i in files)}, number=item.number)
