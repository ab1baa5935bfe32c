"""YAML text to the values that kubectl reads; the only module that imports PyYAML.

kubectl reads `1e3` and `08` as numbers, and dates and `12:30` as strings; PyYAML differs on each (measured against
sigs.k8s.io/yaml 1.6).
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any, ClassVar

import yaml

from kubectl_netpol.errors import ManifestError
from kubectl_netpol.fields import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = r"[-+]?(0b_*[01][01_]*|0o_*[0-7][0-7_]*|0x_*[0-9a-fA-F][0-9a-fA-F_]*|0[0-7_]*|[1-9][0-9_]*)"
_FLOAT = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
# y and n are booleans to kubectl too, so it refuses them as names and labels; to everything else they are strings.
_BOOLEAN = r"yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF"
_NULL = r"~|null|Null|NULL|"
_TRUE = ("yes", "true", "on")
_NUMBER_START = list("-+0123456789.")


class _Loader(_Base):  # type: ignore[misc] # the C loader is untyped
    """SafeLoader with kubectl's rules for plain scalars.

    Only what JSON has comes out: tags such as !!set and !!timestamp are errors, and so is an anchor that contains
    itself.
    """

    unique_string_keys = True
    yaml_implicit_resolvers: ClassVar[dict[str, list[Any]]] = {}
    yaml_constructors: ClassVar[dict[str | None, Any]] = {
        tag: constructor
        for tag, constructor in _Base.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in ("null", "str")
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        if not isinstance(node, yaml.MappingNode):
            raise _error(f"expected an object, got a {node.id}", node)
        if self.unique_string_keys:
            self._check_keys(node)
        return dict(super().construct_mapping(node, deep=deep))

    def _check_keys(self, node: Any) -> None:
        seen = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise _error(f"expected a string as key, got {shown(key)}: quote it", key_node)
            if key in seen:
                raise _error(f'duplicate key "{key}"', key_node)
            seen.add(key)


def _error(problem: str, node: Any) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _construct_integer(loader: _Loader, node: Any) -> int:
    digits = loader.construct_scalar(node).replace("_", "").lower()
    octal = re.fullmatch(r"([-+]?)0([0-7]+)", digits)
    return int(f"{octal[1]}0o{octal[2]}" if octal else digits, 0)


_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(rf"^(?:{_INTEGER})$"), _NUMBER_START)
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(rf"^(?:{_FLOAT})$"), _NUMBER_START)
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(rf"^(?:{_BOOLEAN})$"), list("yYnNtTfFoO"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(rf"^(?:{_NULL})$"), ["~", "n", "N", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"^<<$"), ["<"])
# At once, where PyYAML's own fill them later: so an anchor that contains itself is an error, as it is to kubectl.
_Loader.add_constructor("tag:yaml.org,2002:map", lambda loader, node: loader.construct_mapping(node, deep=True))
_Loader.add_constructor("tag:yaml.org,2002:seq", lambda loader, node: loader.construct_sequence(node, deep=True))
_Loader.add_constructor("tag:yaml.org,2002:int", _construct_integer)
_Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(loader.construct_scalar(node)))
_Loader.add_constructor("tag:yaml.org,2002:bool", lambda loader, node: loader.construct_scalar(node).lower() in _TRUE)


def load_all(content: str, source: str) -> Iterator[Any]:
    """Every document of a YAML stream, None for an empty one; each key must be a string and unique in its object.

    Raises ManifestError with source, number of the document and line.
    """
    number = 1
    try:
        for number, document in enumerate(yaml.load_all(content, _Loader), 1):
            yield document
            number += 1  # noqa: PLW2901 - an error now is in the next document
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or str(error)
        raise ManifestError(f"{source}, document {number}{line}: {problem}") from None
    except ValueError as error:
        raise ManifestError(f"{source}, document {number}: {error}") from None
    except RecursionError:
        raise ManifestError(f"{source}, document {number}: nested too deeply") from None


def compose_all(content: str) -> Iterator[Any]:
    """The node tree of every document, with lines and columns; nothing after what is no YAML."""
    with contextlib.suppress(yaml.YAMLError):
        yield from yaml.compose_all(content, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def load_first(content: str) -> Any:
    """The first document of a YAML stream as kubectl reads a kubeconfig: the last of duplicate keys counts.

    Raises ValueError with line and column, and no part of the content: that may be a password.
    """
    try:
        loader = _Loader(content)
        loader.unique_string_keys = False
        return loader.get_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        # PyYAML puts what it quotes of the content in quotation marks.
        problem = re.sub(r"(['\"]).*\1", "…", getattr(error, "problem", None) or "invalid YAML", flags=re.DOTALL)
        raise ValueError(f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else problem) from None
    except ValueError:
        raise ValueError("invalid number") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
