"""Reads the grammar of Calico's selectors: `app == 'web' && has(team) || !(tier in {'a', "b"})`."""

from __future__ import annotations

import re
from typing import Any

from kubectl_netpol.fields import BadField, text
from kubectl_netpol.model.calico import NAMESPACE, AllOf, AnyOf, Compare, Not, Selector, Term

_NEXT = r"""[ \t]*(?:
    (?P<call>has\([ \t]*(?P<has>[\w./-]+)[ \t]*\)|all\([ \t]*\)|global\([ \t]*\))
  | (?P<value>"[^"]*"|'[^']*')
  | (?P<sign>==|!=|&&|\|\||[(){},!])
  | (?P<key>[A-Za-z0-9_./-]+)
)"""
_OPERATORS = (
    (r"[ \t]*==", Compare.EQUAL),
    (r"[ \t]*!=", Compare.NOT_EQUAL),
    (r"[ \t]*contains", Compare.CONTAINS),
    (r"[ \t]*starts[ \t]*with", Compare.STARTS_WITH),
    (r"[ \t]*ends[ \t]*with", Compare.ENDS_WITH),
    (r"[ \t]*not[ \t]*in", Compare.NOT_IN),
    (r"[ \t]*in", Compare.IN),
)
EVERYTHING = AllOf()
_DEEPEST = 50


def read_selector_text(value: Any, path: str, prefix: str = "", *, whole: Selector | None = None) -> Selector | None:
    """The selector, None for an absent or empty one. BadField for what does not parse.

    `prefix` goes before its keys. `whole`: what all() means; global() is the opposite, and only known with it.
    """
    if value is None:
        return None
    written = text(value, path, empty=True)
    if not written.strip(" \t"):
        return None
    parser = _Parser(written, path, prefix, whole)
    found = parser.any_of()
    parser.end()
    return found


IN_A_NAMESPACE = Term(NAMESPACE, Compare.HAS)


class _Parser:
    def __init__(self, written: str, path: str, prefix: str, whole: Selector | None) -> None:
        self._text = written
        self._path = path
        self._prefix = prefix
        self._whole = whole
        self._at = 0
        self._depth = 0

    def any_of(self) -> Selector:
        parts = [self._all_of()]
        while self._took("||"):
            parts.append(self._all_of())
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))

    def end(self) -> None:
        if self._text[self._at :].strip(" \t"):
            raise self._error()

    def _all_of(self) -> Selector:
        parts = [self._term()]
        while self._took("&&"):
            parts.append(self._term())
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _term(self) -> Selector:
        negated = False
        while self._took("!"):
            negated = not negated
        found = self._operand()
        return Not(found) if negated else found

    def _operand(self) -> Selector:
        if self._took("("):
            self._depth += 1
            if self._depth > _DEEPEST:
                raise BadField(self._path, "invalid selector: nested too deeply")
            inner = self.any_of()
            self._expect(")")
            self._depth -= 1
            return inner
        found = self._next()
        if found is None or not (found["call"] or found["key"]):
            raise self._error()
        self._at = found.end()
        if found["key"]:
            return self._comparison(found["key"])
        if found["has"]:
            return Term(self._prefix + found["has"], Compare.HAS)
        if found["call"].startswith("all"):
            return self._whole or EVERYTHING
        if self._whole is None:
            raise BadField(self._path, "global() is for the namespaceSelector of a rule only")
        return Not(self._whole)

    def _comparison(self, key: str) -> Selector:
        for pattern, test in _OPERATORS:
            if found := re.compile(pattern).match(self._text, self._at):
                self._at = found.end()
                values = self._values() if test in (Compare.IN, Compare.NOT_IN) else (self._value(),)
                return Term(self._prefix + key, test, values)
        raise self._error()

    def _values(self) -> tuple[str, ...]:
        """A set; a comma after the last value is allowed."""
        values = []
        self._expect("{")
        while (found := self._next()) and found["value"]:
            values.append(self._value())
            if not self._took(","):
                break
        self._expect("}")
        return tuple(values)

    def _value(self) -> str:
        found = self._next()
        if found is None or not found["value"]:
            raise self._error("a value in quotes")
        self._at = found.end()
        return found["value"][1:-1]

    def _next(self) -> re.Match[str] | None:
        return re.compile(_NEXT, re.VERBOSE | re.ASCII).match(self._text, self._at)

    def _took(self, sign: str) -> bool:
        found = self._next()
        if found is None or found["sign"] != sign:
            return False
        self._at = found.end()
        return True

    def _expect(self, sign: str) -> None:
        if not self._took(sign):
            raise self._error(sign)

    def _error(self, expected: str = "") -> BadField:
        rest = self._text[self._at :].strip(" \t")
        where = f'at "{rest}"' if rest else "at its end"
        fault = f"expected {expected} {where}" if expected else f"can't parse it {where}"
        return BadField(
            self._path,
            f'invalid selector "{self._text}": {fault}',
            "write key == 'value', key in {'a', 'b'}, has(key), !has(key), joined by && or ||",
        )
