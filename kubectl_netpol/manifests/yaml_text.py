"""YAML text to the values that kubectl reads; the only module that imports PyYAML.

kubectl reads `1e3` and `08` as numbers, and dates and `12:30` as strings; PyYAML differs on each (measured against
sigs.k8s.io/yaml 1.6).
"""

from __future__ import annotations

import contextlib
import math
import re
from typing import TYPE_CHECKING, Any, ClassVar

import yaml

from kubectl_netpol.errors import ManifestError
from kubectl_netpol.fields import shown
from kubectl_netpol.manifests.documents import Document, header, split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_INTEGER = r"[-+]?(0b_*[01][01_]*|0o_*[0-7][0-7_]*|0x_*[0-9a-fA-F][0-9a-fA-F_]*|0[0-7_]*|[1-9][0-9_]*)"
_FLOAT = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
# y and n are booleans to kubectl too, so it refuses them as names and labels; to everything else they are strings.
_BOOLEAN = r"yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF"
_NULL = r"~|null|Null|NULL|"
_TRUE = ("yes", "true", "on")
_NUMBER_START = list("-+0123456789.")
_LAST_INTEGER = 2**64  # beyond it kubectl's numbers are floats
_TAG = "tag:yaml.org,2002:"
_REFUSED_TAGS = ("binary", "set", "timestamp", "omap", "pairs")
# kubectl's bounds on aliases: of so many values, this share may come by them, and less of more.
_FEW_ALIASED, _FEW, _MANY = 100, 400_000, 4_000_000
_SHARE_OF_FEW, _SHARE_OF_MANY = 0.99, 0.10


def loader_class(base: Any) -> Any:
    """One of PyYAML's safe loaders with kubectl's rules for plain scalars and keys.

    Only what JSON has comes out: numbers that JSON lacks and tags such as !!set are errors, and so is an anchor that
    contains itself. Other tags are passed over.
    """

    class Loader(base):  # type: ignore[misc] # the C loader is untyped
        unique_keys = True
        yaml_implicit_resolvers: ClassVar[dict[str, list[Any]]] = {}
        yaml_constructors: ClassVar[dict[str | None, Any]] = {
            tag: constructor
            for tag, constructor in base.yaml_constructors.items()
            if tag and tag.removeprefix(_TAG) in ("null", "str")
        }

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
            if not isinstance(node, yaml.MappingNode):
                raise _error(f"expected an object, got a {node.id}", node)
            self._make_keys_texts(node)
            return dict(super().construct_mapping(node, deep=deep))

        def _make_keys_texts(self, node: Any) -> None:
            seen = set()
            for index, (key_node, value_node) in enumerate(node.value):
                if key_node.tag == f"{_TAG}merge":
                    continue
                key = _key(self.construct_object(key_node, deep=True), key_node)
                if key_node.tag != f"{_TAG}str":
                    text = yaml.ScalarNode(f"{_TAG}str", key, key_node.start_mark, key_node.end_mark)
                    node.value[index] = text, value_node
                if self.unique_keys and key in seen:
                    raise _error(f'duplicate key "{key}"', key_node)
                seen.add(key)

    for tag, pattern, first in (
        ("int", _INTEGER, _NUMBER_START),
        ("float", _FLOAT, _NUMBER_START),
        ("bool", _BOOLEAN, list("yYnNtTfFoO")),
        ("null", _NULL, ["~", "n", "N", ""]),
        ("merge", "<<", ["<"]),
    ):
        Loader.add_implicit_resolver(f"{_TAG}{tag}", re.compile(rf"^(?:{pattern})$"), first)
    for tag, construct in (
        # At once, where PyYAML's own fill them later: so an anchor that contains itself is an error, as to kubectl.
        ("map", lambda loader, node: loader.construct_mapping(node, deep=True)),
        ("seq", lambda loader, node: loader.construct_sequence(node, deep=True)),
        ("int", _construct_integer),
        ("float", _construct_float),
        ("bool", lambda loader, node: loader.construct_scalar(node).lower() in _TRUE),
    ):
        Loader.add_constructor(f"{_TAG}{tag}", construct)
    Loader.add_constructor(None, _construct_tagged)
    return Loader


def _error(problem: str, node: Any) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _key(key: Any, node: Any) -> str:
    """A key as kubectl makes it a text."""
    if isinstance(key, bool):
        return str(key).lower()
    if isinstance(key, float) and key.is_integer() and abs(key) < _LAST_INTEGER:
        return str(int(key))
    if key is None or isinstance(key, dict | list):
        raise _error(f"expected a string as key, got {shown(key)}: quote it", node)
    return str(key)


def _construct_integer(loader: Any, node: Any) -> int | float | str:
    text = loader.construct_scalar(node)
    digits = text.replace("_", "").lower()
    octal = re.fullmatch(r"([-+]?)0([0-7]+)", digits)
    if len(digits) > len(str(_LAST_INTEGER)) and digits.lstrip("+-").isdecimal():
        return _float(digits, node)
    try:
        number = int(f"{octal[1]}0o{octal[2]}" if octal else digits, 0)
    except ValueError:
        raise _error("expected an integer", node) from None
    return number if -_LAST_INTEGER // 2 <= number < _LAST_INTEGER else text


def _construct_float(loader: Any, node: Any) -> float | str:
    return _float(loader.construct_scalar(node), node)


def _float(text: str, node: Any) -> float | str:
    """A number too great for a float stays a text; that is how kubectl reads it."""
    if text.lower().endswith(("inf", "nan")):
        raise _error("JSON has no such number", node)
    try:
        number = float(text)
    except ValueError:
        raise _error("expected a number", node) from None
    return text if math.isinf(number) else number


def _construct_tagged(loader: Any, node: Any) -> Any:
    if node.tag.startswith(_TAG) and node.tag.removeprefix(_TAG) in _REFUSED_TAGS:
        raise _error(f"could not determine a constructor for the tag {node.tag!r}", node)
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


_Loader = loader_class(getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _loader(text: str) -> Any:
    try:
        return _Loader(text)
    except UnicodeEncodeError as error:  # libyaml; PyYAML's own reader raises a YAMLError
        raise yaml.reader.ReaderError(
            "<unicode string>", error.start, ord(text[error.start]), "unicode", error.reason
        ) from None


def _check_aliases(root: Any) -> None:
    """YAMLError where aliases unfold to more than kubectl would read."""
    sizes: dict[int, int] = {}
    again = 0

    def size(node: Any) -> int:
        nonlocal again
        found = sizes.get(id(node))
        if found is not None:
            again += 1
            return found
        sizes[id(node)] = 0  # while it is being counted: an anchor that contains itself is an error later
        parts = [] if isinstance(node, yaml.ScalarNode) else node.value
        if isinstance(node, yaml.MappingNode):
            parts = [part for pair in parts for part in pair]
        sizes[id(node)] = found = 1 + sum(map(size, parts))
        return found

    total = size(root)
    aliased, values = total - len(sizes), total + again
    many = min(max((values - _FEW) / (_MANY - _FEW), 0), 1)
    if aliased > _FEW_ALIASED and aliased > values * (_SHARE_OF_FEW - (_SHARE_OF_FEW - _SHARE_OF_MANY) * many):
        raise _error("the aliases unfold to too many values", root)


@contextlib.contextmanager
def _out_of_range(loader: Any) -> Iterator[None]:
    """YAMLError for what PyYAML's scanner lets Python refuse: an escape beyond Unicode, a version of 5,000 digits."""
    try:
        yield
    except (ValueError, OverflowError):
        mark = loader.get_mark() if hasattr(loader, "get_mark") else None  # libyaml has none, and finds it by itself
        raise yaml.scanner.ScannerError(None, None, "a number is out of range", mark) from None


def _nodes(text: str) -> Iterator[Any]:
    """The node tree of every document, with lines and columns."""
    loader = _loader(text)
    try:
        with _out_of_range(loader):
            while loader.check_node():
                yield loader.get_node()
    finally:
        loader.dispose()


def _loaded(text: str) -> Iterator[Any]:
    """Every document of a text."""
    loader = _loader(text)
    try:
        with _out_of_range(loader):
            while loader.check_node():
                yield _constructed(loader, text)
    finally:
        loader.dispose()


def _constructed(loader: Any, text: str) -> Any:
    """The next document, which is there."""
    node = loader.get_node()
    if "&" in text:
        _check_aliases(node)
    return loader.construct_document(node)


def _text_of(document: Document) -> str:
    return document.text if document.open_ else f"---{document.text}"


def load_all(content: str, source: str, wanted: Callable[[str, str], bool] | None = None) -> Iterator[Any]:
    """Every document of a YAML stream, None for an empty one; each key is a text, and unique in its object.

    Of a document whose apiVersion and kind are not `wanted` these two alone, where they can be told without parsing.
    Raises ManifestError with source, number of the document and line.
    """
    number, before = 1, 0
    try:
        for document in split(content):
            before = document.line
            if wanted and (found := header(document)) and not wanted(*found):
                yield {"apiVersion": found[0], "kind": found[1]}
                number += 1
                continue
            for loaded in _loaded(_text_of(document)):
                yield loaded
                number += 1
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {before + mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise ManifestError(f"{source}, document {number}{line}: {problem}") from None
    except RecursionError:
        raise ManifestError(f"{source}, document {number}: nested too deeply") from None


def compose_all(content: str) -> Iterator[Any]:
    """The node tree of every document, with lines and columns; nothing after what is no YAML."""
    with contextlib.suppress(yaml.YAMLError):
        yield from _nodes(content)


def load_first(content: str) -> Any:
    """The first document of a YAML stream as kubectl reads a kubeconfig: the last of duplicate keys counts.

    Raises ValueError with line and column, and no part of the content: that may be a password.
    """
    try:
        loader = _loader(content)
        loader.unique_keys = False
        with _out_of_range(loader):
            return _constructed(loader, content) if loader.check_node() else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        # PyYAML puts what it quotes of the content in quotation marks.
        problem = re.sub(r"(['\"]).*\1", "…", getattr(error, "problem", None) or "invalid YAML", flags=re.DOTALL)
        raise ValueError(f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else problem) from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


class Lines:
    """The lines of one document's fields. `before`: how many lines are before its text."""

    def __init__(self, root: Any, before: int) -> None:
        self._root = root
        self._before = before

    def of(self, path: str) -> int:
        """The line, from 1, of a field such as checks[2].port; where that is missing, of what it is missing in."""
        node = self._root
        line: int = node.start_mark.line
        for key, position in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
            if key and isinstance(node, yaml.MappingNode):
                found = [pair for pair in node.value if pair[0].value == key]
            elif position and isinstance(node, yaml.SequenceNode):
                found = [(item, item) for item in node.value[int(position) :][:1]]
            else:
                break
            if not found:
                break
            start, node = found[0]
            line = start.start_mark.line
        return self._before + line + 1


def load_with_lines(content: str, source: str) -> list[tuple[Any, Lines]]:
    """As `load_all`, each document with the lines of its fields."""
    loaded = list(load_all(content, source))
    lines = [Lines(node, document.line) for document in split(content) for node in _nodes(_text_of(document))]
    return list(zip(loaded, lines, strict=True))
