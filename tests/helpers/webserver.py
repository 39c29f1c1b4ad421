"""A web server on this machine, so that downloads are tried for real."""

from __future__ import annotations

import contextlib
import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path


class Mirror(http.server.SimpleHTTPRequestHandler):
    """A web server for one folder that keeps quiet."""

    def log_message(self, *_args: object) -> None:
        pass


@contextlib.contextmanager
def serving(folder: Path, handler: type[Mirror] = Mirror) -> Iterator[str]:
    """Serve the folder's files; yield the address, which ends in a slash."""
    make = functools.partial(handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), make) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
