"""Files that are there whole or not at all.

The book's tools load this file alone, which needs no torch: see tools/common.py.
"""

import contextlib
import glob
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

ABANDONED = 3600  # seconds without a write, after which a partial file is a killed program's


def require_writable(**arguments: str | Path | None) -> None:
    """See before a long run that the files it will end in can be written, and make their folders.

    Raises:
        ValueError: naming the argument whose path is a folder, or is in one that cannot be made or
            written to.

    """
    for name, path in arguments.items():
        if path is None:
            continue
        path = Path(path)
        try:
            if path.is_dir():
                raise IsADirectoryError("it is a folder")
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path.parent):
                pass
        except OSError as error:
            message = f"{name}={str(path)!r} cannot be written ({error}): name another"
            raise ValueError(message) from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path`, in a folder that may be new, once it is whole.

    It is always a new file: nothing is written through a link that lies in its place. Of several
    that are written at once, each has its own, and the last to be whole stays. What a killed
    program left goes with the next file of that name, an hour later or more.

    Raises:
        OSError: naming `path`, if it cannot be written, for example because the disk is full.

    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f"{glob.escape(path.name)}.*.partial"):
        with contextlib.suppress(FileNotFoundError):  # another's, just finished
            if time.time() - left.lstat().st_mtime > ABANDONED:
                left.unlink()
    partial = path.with_name(f"{path.name}.{secrets.token_hex(4)}.partial")
    new = open(partial, "xb")  # noqa: SIM115 (before the try: what is there already is another's)
    try:
        with new as file:
            yield file
        os.replace(partial, path)
    except BaseException as error:
        partial.unlink(missing_ok=True)
        # PyTorch's writer closes its zip after a failure, and what is raised is about that
        cause = error.__context__ if isinstance(error, RuntimeError) else error
        if isinstance(cause, OSError) and cause.filename is None:
            raise OSError(cause.errno, cause.strerror, str(path)) from error
        raise


def write_whole(path: Path, text: str) -> None:
    """Write a file, and its folder; a reader sees the old text or the new one, never a half."""
    with replacing(path) as file:
        file.write(text.encode())
