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
    Edit(
        "kubernetes/client/configuration.py",
        "import six\nfrom six.moves import http_client as httplib\n",
        "import http.client as httplib\n",
    ),
    Edit(
        "kubernetes/client/configuration.py",
        "six.iteritems(self.logger):\n                logger.addHandler",
        "self.logger.items():\n                logger.addHandler",
    ),
    Edit(
        "kubernetes/client/configuration.py",
        "six.iteritems(self.logger):\n                logger.setLevel(logging.DEBUG)",
        "self.logger.items():\n                logger.setLevel(logging.DEBUG)",
    ),
    Edit(
        "kubernetes/client/configuration.py",
        "six.iteritems(self.logger):\n                logger.setLevel(logging.WARNING)",
        "self.logger.items():\n                logger.setLevel(logging.WARNING)",
    ),
    # No request of ours has a form, and no answer to a websocket a cookie: mimetypes and http.cookies take 3 ms.
    Edit("urllib3/__init__.py", "from .filepost import _TYPE_FIELDS, encode_multipart_formdata\n", ""),
    Edit("urllib3/__init__.py", '    "encode_multipart_formdata",\n', ""),
    Edit("urllib3/_request_methods.py", "from .filepost import _TYPE_FIELDS, encode_multipart_formdata\n", ""),
    Edit(
        "urllib3/_request_methods.py",
        "            if encode_multipart:\n",
        "            if encode_multipart:\n                from .filepost import encode_multipart_formdata\n\n",
    ),
    Edit("websocket/_cookiejar.py", "import http.cookies\n", ""),
    Edit(
        "websocket/_cookiejar.py",
        "    def add(self, set_cookie: Optional[str]) -> None:\n        if set_cookie:\n",
        "    def add(self, set_cookie: Optional[str]) -> None:\n"
        "        if set_cookie:\n"
        "            import http.cookies\n\n",
    ),
    Edit(
        "websocket/_cookiejar.py",
        "    def set(self, set_cookie: str) -> None:\n        if set_cookie:\n",
        "    def set(self, set_cookie: str) -> None:\n        if set_cookie:\n            import http.cookies\n\n",
    ),
    Edit("urllib3/http2/__init__.py", "from importlib.metadata import version\n", ""),
    # Its pattern takes 5 ms to compile, and most files have printable ASCII alone.
    Edit("yaml/reader.py", "    NON_PRINTABLE = re.compile('", "    NON_PRINTABLE = ('"),
    Edit(
        "yaml/reader.py",
        "        match = self.NON_PRINTABLE.search(data)\n",
        "        if data.isascii() and data.replace('\\t', '').replace('\\n', '').replace('\\r', '').isprintable():\n"
        "            return\n"
        "        match = re.search(self.NON_PRINTABLE, data)\n",
    ),
    # Our loader has patterns of its own, so these are for nobody: eight of them take 2 ms to compile.
    Edit(
        "yaml/resolver.py",
        "import re\n",
        "import re as _re\n"
        "\n"
        "class re:\n"
        "    X = _re.X\n"
        "\n"
        "    def compile(pattern, flags=0):\n"
        "        return re(pattern, flags)\n"
        "\n"
        "    def __init__(self, pattern, flags):\n"
        "        self.pattern, self.flags = pattern, flags\n"
        "\n"
        "    def match(self, text):\n"
        "        return _re.match(self.pattern, text, self.flags)\n",
    ),
    Edit("yaml/constructor.py", "    timestamp_regexp = re.compile(\n", "    timestamp_regexp = (\n"),
    Edit(
        "yaml/constructor.py",
        "(?P<tz_minute>[0-9][0-9]))?))?)?$''', re.X)\n",
        "(?P<tz_minute>[0-9][0-9]))?))?)?$''')\n",
    ),
    Edit(
        "yaml/constructor.py",
        "self.timestamp_regexp.match(node.value)",
        "re.match(self.timestamp_regexp, node.value, re.X)",
    ),
    # Three patterns of IPv6 addresses take 4 ms to compile, and a host without a colon is none.
    Edit(
        "urllib3/util/url.py",
        '_IPV6_RE = re.compile("^" + _IPV6_PAT + "$")\n'
        '_IPV6_ADDRZ_RE = re.compile("^" + _IPV6_ADDRZ_PAT + "$")\n'
        '_BRACELESS_IPV6_ADDRZ_RE = re.compile("^" + _IPV6_ADDRZ_PAT[2:-2] + "$")\n',
        '_IPV6_ADDRZ = "^" + _IPV6_ADDRZ_PAT + "$"\n_BRACELESS_IPV6_ADDRZ = "^" + _IPV6_ADDRZ_PAT[2:-2] + "$"\n',
    ),
    Edit("urllib3/util/url.py", "_IPV6_ADDRZ_RE.match(host)", '":" in host and re.match(_IPV6_ADDRZ, host)'),
    Edit("urllib3/util/url.py", "_HOST_PORT_RE = re.compile(_HOST_PORT_PAT, re.UNICODE | re.DOTALL)\n", ""),
    Edit(
        "urllib3/util/url.py",
        "_HOST_PORT_RE.fullmatch(host_port)",
        "re.compile(_HOST_PORT_PAT, re.UNICODE | re.DOTALL).fullmatch(host_port)",
    ),
    Edit("urllib3/util/ssl_.py", "_BRACELESS_IPV6_ADDRZ_RE, ", "_BRACELESS_IPV6_ADDRZ, "),
    Edit("urllib3/util/ssl_.py", "import socket\n", "import re\nimport socket\n"),
    Edit(
        "urllib3/util/ssl_.py",
        "_BRACELESS_IPV6_ADDRZ_RE.match(hostname)",
        '":" in hostname and re.match(_BRACELESS_IPV6_ADDRZ, hostname)',
    ),
    Edit(
        "urllib3/http2/__init__.py",
        '    h2_version = version("h2")\n',
        '    from importlib.metadata import version\n\n    h2_version = version("h2")\n',
    ),
)
