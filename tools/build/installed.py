"""Whether what is installed can run the chapters, said before it fails in one of them."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version

CPU = "cpu"  # the label of a build without CUDA, as in 2.11.0+cpu


def complaint() -> str | None:
    """Say what is wrong with torch and torchvision as installed, and the way out.

    A torch without CUDA satisfies the pin, and pip leaves it; the registry's torchvision, which is
    built against CUDA, then cannot be imported ("operator torchvision::nms does not exist").
    """
    try:
        found = {name: version(name) for name in ("torch", "torchvision")}
    except PackageNotFoundError as error:
        return f"the package {error.name} is not installed; run `make setup`."
    without = [name for name, given in found.items() if given.partition("+")[2] == CPU]
    if len(without) != 1:
        return None
    shown = " and ".join(f"{name} {given}" for name, given in found.items())
    pins = " ".join(f"{name}=={given.partition('+')[0]}" for name, given in found.items())
    install = f"{sys.executable} -m pip install --force-reinstall --no-deps"
    return (
        f"{shown} do not work together: {without[0]} is built without CUDA, the other with it. "
        "Take both from one place: with CUDA (5 GB) by\n"
        f"  {install} {pins}\n"
        "or without it as you took the first, given the versions of both."
    )
