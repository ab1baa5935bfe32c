"""YAML in and out with the values that kubectl reads and writes; everything that needs PyYAML.

kubectl's YAML knows `1e3` and `08` as no strings, and dates and `12:30` as nothing else; PyYAML differs on
each (measured against sigs.k8s.io/yaml 1.6).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar

import yaml

from kubectl_netpol.errors import ManifestError

if TYPE_CHECKING:
    from collections.abc import Iterator

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


_INTEGER = re.compile(r"[-+]?(0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|0[0-7_]*|[1-9][0-9_]*)")


_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


# y and n are booleans to kubectl too, so it refuses them as names and labels; nothing else takes them: strings here.
_BOOLEAN = re.compile(r"yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF")


_NULL = re.compile(r"~|null|Null|NULL|")


_TRUE = ("yes", "true", "on")


_NUMBER_START = list("-+0123456789.")


class _Loader(_Base):  # type: ignore[misc] # the C loader is untyped
    """SafeLoader with kubectl's idea of plain scalars; keys must be strings, and each key stands once.

    Only what JSON has comes out: tags such as !!set and !!timestamp are errors.
    """

    yaml_implicit_resolvers: ClassVar[dict[str, list[Any]]] = {}
    yaml_constructors: ClassVar[dict[str | None, Any]] = {
        tag: constructor
        for tag, constructor in _Base.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in ("null", "str", "seq")
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        if not isinstance(node, yaml.MappingNode):
            raise yaml.constructor.ConstructorError(None, None, "an object is wanted here", node.start_mark)
        seen = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is no string: quote it", key_node.start_mark
                )
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f'the key "{key}" stands twice', key_node.start_mark
                )
            seen.add(key)
        self.flatten_mapping(node)
        return dict(super().construct_mapping(node, deep=deep))


def _construct_map(loader: _Loader, node: Any) -> Iterator[dict[str, Any]]:
    found: dict[str, Any] = {}
    yield found
    found.update(loader.construct_mapping(node))


def _construct_integer(loader: _Loader, node: Any) -> int:
    digits = loader.construct_scalar(node).replace("_", "").lower()
    octal = re.fullmatch(r"([-+]?)0([0-7]+)", digits)
    return int(f"{octal[1]}0o{octal[2]}" if octal else digits, 0)


_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(rf"^(?:{_INTEGER.pattern})$"), _NUMBER_START)


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(rf"^(?:{_FLOAT.pattern})$"), _NUMBER_START)


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(rf"^(?:{_BOOLEAN.pattern})$"), list("yYnNtTfFoO"))


_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(rf"^(?:{_NULL.pattern})$"), ["~", "n", "N", ""])


_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"^<<$"), ["<"])


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_map)


_Loader.add_constructor("tag:yaml.org,2002:int", _construct_integer)


_Loader.add_constructor("tag:yaml.org,2002:float", lambda loader, node: float(loader.construct_scalar(node)))


_Loader.add_constructor("tag:yaml.org,2002:bool", lambda loader, node: loader.construct_scalar(node).lower() in _TRUE)


def load_all(content: str, source: str) -> Iterator[Any]:
    """Every document of a YAML stream, None for an empty one; ManifestError with file, document and line."""
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


_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_./-]*")


_NOT_A_STRING = ("y", "n", "yes", "no", "on", "off", "true", "false", "null")


class _Dumper(yaml.SafeDumper):
    """SafeDumper that leaves only those strings plain that every YAML reads as strings, and no aliases."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def _represent_text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    plain = _PLAIN.fullmatch(value) and value.lower() not in _NOT_A_STRING
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if plain else '"')


_Dumper.add_representer(str, _represent_text)


def dump(value: Any) -> str:
    """YAML of plain data that kubectl reads back as the same."""
    return str(yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=4096))
