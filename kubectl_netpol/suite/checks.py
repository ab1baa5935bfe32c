"""One check of a suite: what is asked, in the words of `test`, and what is expected."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kubectl_netpol.model.ports import SinglePort


class Expect(str, Enum):
    OPEN = "open"
    BLOCKED = "blocked"

    def __str__(self) -> str:
        return self.value


class Check(NamedTuple):
    """`names` and `selectors`: source and destination, each given by one of the two, as typed.

    `namespace`: of names typed without one, "" where the suite does not say. `control`: whether a blocked connection
    passes only if something shows that it would be open without the policies. `line`: from 1, of the file.
    """

    name: str
    names: tuple[str | None, str | None]
    selectors: tuple[str | None, str | None]
    ports: tuple[SinglePort, ...]
    expect: Expect
    namespace: str = ""
    control: bool = True
    file: str = ""
    line: int = 1
