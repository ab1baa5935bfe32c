"""Changes to the pinned dependencies in the zipapp.

`import kubernetes` imports every generated API and model (300 ms). The package uses only its Configuration, and calls
the API by urllib3 and websocket. The text of each edit must occur exactly once in the pinned file, so a new version
can't be changed by accident.
"""

from __future__ import annotations

from typing import NamedTuple


class Edit(NamedTuple):
    """In `path`, relative to the folder of all packages, `old` becomes `new`."""

    path: str
    old: str
    new: str


REPLACED = {
    "kubernetes/__init__.py": '"""The Kubernetes client; the kubectl netpol zipapp has only its Configuration."""\n',
    "kubernetes/client/__init__.py": '"""Only the Configuration: see kubernetes."""\n',
}

EDITS = (
    # Only the connection: the application and its dispatchers import inspect, which takes 10 ms.
    Edit(
        "websocket/__init__.py",
        "from ._app import (  # noqa: F401\n"
        "    WebSocketApp as WebSocketApp,\n"
        "    set_reconnect as set_reconnect,\n"
        ")\n",
        "",
    ),
    Edit("websocket/_core.py", "from ._dispatcher import DispatcherBase, WrappedDispatcher\n", ""),
    Edit("websocket/_core.py", "Optional[Union[DispatcherBase, WrappedDispatcher]]", "Any"),
    Edit("kubernetes/client/configuration.py", "import multiprocessing\n", ""),
    Edit("kubernetes/client/configuration.py", "multiprocessing.cpu_count() * 5", "(os.cpu_count() or 1) * 5"),
    Edit("urllib3/http2/__init__.py", "from importlib.metadata import version\n", ""),
    Edit(
        "urllib3/http2/__init__.py",
        '    h2_version = version("h2")\n',
        '    from importlib.metadata import version\n\n    h2_version = version("h2")\n',
    ),
)
