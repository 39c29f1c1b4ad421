"""What a download can fail of, told in words that say what to do."""

import contextlib
import http.client
import urllib.error
from collections.abc import Iterator
from pathlib import Path

from resnet.data.images import DataError

NO_ANSWER = (  # what torchvision's download raises when the net is at fault, not the disk
    urllib.error.URLError,
    http.client.HTTPException,
    ConnectionError,
    TimeoutError,
    RuntimeError,
)


@contextlib.contextmanager
def storing(name: str, place: Path, otherwise: str) -> Iterator[None]:
    """Make `place` and turn what goes wrong inside into a DataError.

    Args:
        name: of the data set.
        place: the folder it is stored in.
        otherwise: what a reader can do without a connection.

    """
    try:
        place.mkdir(parents=True, exist_ok=True)
        yield
    except DataError:
        raise
    except NO_ANSWER as error:
        raise DataError(
            f"{name} could not be downloaded ({error}). Connect to the internet, or {otherwise}"
        ) from error
    except OSError as error:
        raise DataError(
            f"{name} cannot be stored in {place} ({error}): name a folder that can be written to, "
            "root=... or the environment variable RESNET_DATA"
        ) from error
