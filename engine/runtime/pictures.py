"""Pictures of flows for channels: the path of a `Show.photo` of kind `path` becomes a file that may be read."""

from pathlib import Path

from engine.loading.pictures import locate


def picture_path(folder: Path, relative: str) -> Path | None:
    """The real file in the folder of flows, without symbolic links; asks the disk.

    None when it is not there, is no picture (.png .jpg .jpeg .gif .webp), or lies outside of the folder, by
    `..`, as an absolute path or behind a link. Never raises: a part of the path may be what a customer typed.
    """
    found = locate(folder, relative)
    return found if isinstance(found, Path) else None
