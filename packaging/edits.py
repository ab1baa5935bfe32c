"""Changes to the pinned dependencies, made while they are staged for the zipapp.

`import kubernetes` runs every generated API and model (300 ms); the zipapp has neither. Each edit names text that
must occur exactly once in the pinned file, so that a new version can't be changed by accident.
"""

from __future__ import annotations

from typing import NamedTuple


class Edit(NamedTuple):
    """In `path`, relative to the staged tree, `old` becomes `new`."""

    path: str
    old: str
    new: str


LAZY = '''"""{doc}.

Copyright The Kubernetes Authors, Apache License 2.0. Changed for the kubectl netpol zipapp: each name is loaded when it
is first asked for.
"""

import importlib

HOMES = {homes}


def __getattr__(name):
    if name not in HOMES:
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
    module = importlib.import_module(HOMES[name], __name__)
    return module if HOMES[name] == "." + name else getattr(module, name)
'''


def _lazy(doc: str, homes: dict[str, tuple[str, ...]]) -> str:
    """An `__init__` whose names live in `homes`: submodule to names (none: the submodule itself)."""
    table = {name: f".{module}" for module, names in homes.items() for name in names or (module,)}
    lines = "".join(f"    {name!r}: {home!r},\n" for name, home in table.items())
    return LAZY.format(doc=doc, homes="{\n" + lines + "}")


EXCEPTIONS = (
    "ApiAttributeError",
    "ApiException",
    "ApiKeyError",
    "ApiTypeError",
    "ApiValueError",
    "OpenApiException",
)
KUBE_CONFIG = (
    "KUBE_CONFIG_DEFAULT_LOCATION",
    "list_kube_config_contexts",
    "load_kube_config",
    "load_kube_config_from_dict",
    "new_client_from_config",
    "new_client_from_config_dict",
)

REPLACED = {
    "kubernetes/client/__init__.py": _lazy(
        "The Kubernetes API client without its generated APIs",
        {
            "api_client": ("ApiClient",),
            "configuration": ("Configuration",),
            "exceptions": EXCEPTIONS,
            "models": (),
            "rest": (),
        },
    ),
    "kubernetes/client/models/__init__.py": '"""No models in the kubectl netpol zipapp: it reads raw JSON."""\n',
    "kubernetes/config/__init__.py": _lazy(
        "Kubernetes configuration",
        {
            "config_exception": ("ConfigException",),
            "incluster_config": ("load_incluster_config",),
            "kube_config": KUBE_CONFIG,
        },
    ),
}

EDITS = (
    Edit(
        "kubernetes/__init__.py",
        "".join(
            f"from . import {name}\n"
            for name in ("client", "config", "dynamic", "watch", "stream", "utils", "leaderelection")
        ),
        "",
    ),
    Edit("kubernetes/client/api_client.py", "from dateutil.parser import parse\n", ""),
    Edit(
        "kubernetes/client/api_client.py",
        "            return parse(string).date()\n",
        "            from dateutil.parser import parse\n            return parse(string).date()\n",
    ),
    Edit(
        "kubernetes/client/api_client.py",
        "            return parse(string)\n",
        "            from dateutil.parser import parse\n            return parse(string)\n",
    ),
    Edit("kubernetes/client/api_client.py", "from multiprocessing.pool import ThreadPool\n", ""),
    Edit(
        "kubernetes/client/api_client.py",
        "            self._pool = ThreadPool(self.pool_threads)\n",
        "            from multiprocessing.pool import ThreadPool\n"
        "            self._pool = ThreadPool(self.pool_threads)\n",
    ),
    Edit("kubernetes/client/configuration.py", "import multiprocessing\n", ""),
    Edit("kubernetes/client/configuration.py", "multiprocessing.cpu_count() * 5", "(os.cpu_count() or 1) * 5"),
    Edit("kubernetes/client/rest.py", "from requests.utils import should_bypass_proxies\n", ""),
    Edit(
        "kubernetes/client/rest.py",
        "        if configuration.proxy and not should_bypass_proxies(",
        "        if configuration.proxy:\n            from requests.utils import should_bypass_proxies\n"
        "        if configuration.proxy and not should_bypass_proxies(",
    ),
    Edit("kubernetes/config/kube_config.py", "import oauthlib.oauth2\n", ""),
    Edit("kubernetes/config/kube_config.py", "from requests_oauthlib import OAuth2Session\n", ""),
    Edit(
        "kubernetes/config/kube_config.py",
        "        request = OAuth2Session(\n",
        "        import oauthlib.oauth2\n        from requests_oauthlib import OAuth2Session\n"
        "        request = OAuth2Session(\n",
    ),
    Edit("urllib3/http2/__init__.py", "from importlib.metadata import version\n", ""),
    Edit(
        "urllib3/http2/__init__.py",
        '    h2_version = version("h2")\n',
        '    from importlib.metadata import version\n\n    h2_version = version("h2")\n',
    ),
)
