"""Suite files to checks; what is invalid is a ManifestError that names file, line and field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_netpol.connection.resolve import parse_reference
from kubectl_netpol.errors import ManifestError, UsageError
from kubectl_netpol.fields import BadField, known_fields, mapping, sequence, shown, text
from kubectl_netpol.manifests.reader import SUITE
from kubectl_netpol.manifests.yaml_text import load_with_lines
from kubectl_netpol.model.ports import parse_ports, parse_protocol, single_ports
from kubectl_netpol.model.selectors import parse_selector
from kubectl_netpol.model.validation import is_namespace_name
from kubectl_netpol.suite.checks import Check, Expect

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.model.ports import RulePorts

# Either of the two says which pods are at that end.
_ENDS = (("from", "fromSelector"), ("to", "toSelector"))
_DEFAULTS = ("namespace", "from", "fromSelector", "to", "toSelector", "port", "protocol", "expect", "control")
_CHECK = ("name", *_DEFAULTS)
_SUITE = ("apiVersion", "kind", "defaults", "checks")
_NO_CONTROL = "none"


def read_suites(texts: Iterable[tuple[str, str]]) -> tuple[Check, ...]:
    """The checks of files, which are (name, content), in order. No check has the name of another one of its file."""
    return tuple(check for file, content in texts for check in _read_file(file, content))


def _read_file(file: str, content: str) -> list[Check]:
    content = content.removeprefix("\ufeff")
    if content.lstrip().startswith("{"):
        content = content.replace("\t", " ")  # JSON may be indented by tabs, YAML not
    found: dict[str, Check] = {}
    for document, lines in load_with_lines(content, file):
        if document is None:
            continue
        try:
            for position, check in enumerate(_suite(document)):
                place = f"checks[{position}]"
                if check.name in found:
                    message = f'another check, in line {found[check.name].line}, is named "{check.name}"'
                    raise BadField(f"{place}.name", message)  # noqa: TRY301 - reported as all others
                found[check.name] = check._replace(file=file, line=lines.of(place))
        except BadField as error:
            raise ManifestError(f"{file}, line {lines.of(error.path)}: {error}", error.hint) from None
    if not found:
        raise ManifestError(f"{file}: no TestSuite", "it begins with apiVersion: netpol/v1 and kind: TestSuite")
    return list(found.values())


def _suite(document: Any) -> list[Check]:
    suite = mapping(document, "")
    version, kind = (text(suite.get(key), key) for key in ("apiVersion", "kind"))
    if kind != SUITE[1]:
        raise BadField("kind", f"expected {SUITE[1]}, got {shown(kind)}", "-F reads suites, -f reads manifests")
    if version != SUITE[0]:
        raise BadField("apiVersion", f"expected {SUITE[0]}, got {shown(version)}")
    known_fields(suite, "", _SUITE)
    defaults = mapping(suite.get("defaults"), "defaults")
    known_fields(defaults, "defaults", _DEFAULTS)
    checks = sequence(suite.get("checks"), "checks")
    if not checks:
        raise BadField("checks", "is empty, so nothing could fail")
    return [_check(_Fields(mapping(own, f"checks[{i}]"), defaults, f"checks[{i}]")) for i, own in enumerate(checks)]


class _Fields:
    """The fields of a check, from the suite's defaults where it does not have them itself."""

    def __init__(self, own: dict[str, Any], defaults: dict[str, Any], path: str) -> None:
        known_fields(own, path, _CHECK)
        given = {key for end in _ENDS if own.keys() & set(end) for key in end}
        self._own, self._place = own, path
        self._defaults = {key: value for key, value in defaults.items() if key not in given}

    def path(self, key: str) -> str:
        here = key in self._own or key not in self._defaults
        return f"{self._place}.{key}" if here else f"defaults.{key}"

    def get(self, key: str) -> Any:
        return self._own[key] if key in self._own else self._defaults.get(key)

    def text(self, key: str, *, empty: bool = False) -> str:
        return text(self.get(key), self.path(key), empty=empty)

    def error(self, key: str, message: str, hint: str | None = None) -> BadField:
        return BadField(self.path(key), message, hint)


def _check(fields: _Fields) -> Check:
    name = fields.text("name")
    if not name.isprintable():
        raise fields.error("name", "must be one line, without control characters")
    namespace = "" if fields.get("namespace") is None else fields.text("namespace")
    if namespace and not is_namespace_name(namespace):
        raise fields.error("namespace", f'invalid namespace "{namespace}"')
    names: list[str | None] = []
    selectors: list[str | None] = []
    for by_name, by_selector in _ENDS:
        typed, selector = _end(fields, by_name, by_selector)
        names.append(typed)
        selectors.append(selector)
    expect = fields.text("expect")
    if expect not in tuple(Expect):
        raise fields.error("expect", f"expected open or blocked, got {shown(expect)}")
    control = fields.get("control")
    if control not in (None, _NO_CONTROL):
        raise fields.error("control", f"expected {_NO_CONTROL}, got {shown(control)}", "leave it out to ask for one")
    return Check(
        name,
        (names[0], names[1]),
        (selectors[0], selectors[1]),
        single_ports(_ports(fields)),
        Expect(expect),
        namespace,
        control is None,
    )


def _end(fields: _Fields, by_name: str, by_selector: str) -> tuple[str | None, str | None]:
    if fields.get(by_selector) is None:
        typed = fields.text(by_name)
        try:
            parse_reference(typed, "default")
        except UsageError as error:
            raise fields.error(by_name, error.message, error.hint) from None
        return typed, None
    if fields.get(by_name) is not None:
        raise fields.error(by_selector, f"{by_name} is given too", "one of the two says which pods")
    selector = fields.text(by_selector, empty=True)
    try:
        parse_selector(selector)
    except UsageError as error:
        raise fields.error(by_selector, error.message, error.hint) from None
    return None, selector


def _ports(fields: _Fields) -> RulePorts:
    protocol = "TCP"
    try:
        if fields.get("protocol") is not None:
            protocol = parse_protocol(fields.text("protocol"))
    except UsageError as error:
        raise fields.error("protocol", error.message, error.hint) from None
    port = fields.get("port")
    typed = str(port) if isinstance(port, int) and not isinstance(port, bool) else fields.text("port")
    try:
        return parse_ports(typed, protocol)
    except UsageError as error:
        raise fields.error("port", error.message, error.hint) from None
