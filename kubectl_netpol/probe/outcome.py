"""The values that a probe takes and returns."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence


class Outcome(str, Enum):
    """What the network did with one connection. The values are public: JSON has them."""

    OPEN = "open"
    REFUSED = "refused"
    TIMED_OUT = "timed-out"
    UNREACHABLE = "unreachable"
    NO_ANSWER = "no-answer"
    UNRESOLVED = "unresolved"
    NO_TOOL = "no-tool"
    EXEC_FAILED = "exec-failed"
    INCONCLUSIVE = "inconclusive"

    def __str__(self) -> str:
        return self.value


class Target(NamedTuple):
    """Where to connect: an address, or the name of a host outside the cluster."""

    address: str
    port: int


class Observation(NamedTuple):
    """What one probe found.

    `tool` is the program whose output decided, or None. `command` is what a person runs by `kubectl exec` to see the
    same. `exit_code` is the tool's, or None if it was killed at the time limit or did not run. `output` is what it
    printed, of limited length and with control characters escaped.
    """

    outcome: Outcome
    tool: str | None
    command: tuple[str, ...]
    exit_code: int | None
    output: str
    seconds: float


class NameCheck(NamedTuple):
    """Whether a name resolves in the pod, or None if the image has no tool to find out."""

    name: str
    resolves: bool | None
    output: str


class ProbeResult(NamedTuple):
    """One observation per target and one check per name, in the order they were asked for."""

    observations: tuple[Observation, ...]
    names: tuple[NameCheck, ...]


class ExecResult(Protocol):
    """What an exec call returns.

    `exit_code` None: the program's status is not known. `error`: the API's message if it did not start or finish.
    `timed_out`: the deadline ended it. `truncated`: part of the output was dropped.
    """

    @property
    def exit_code(self) -> int | None: ...
    @property
    def stdout(self) -> bytes: ...
    @property
    def stderr(self) -> bytes: ...
    @property
    def error(self) -> str | None: ...
    @property
    def seconds(self) -> float: ...
    @property
    def timed_out(self) -> bool: ...
    @property
    def truncated(self) -> bool: ...


class Exec(Protocol):
    """Runs a program in the source container; the deadline, in seconds, includes the handshake."""

    def __call__(self, argv: Sequence[str], deadline: float, /) -> ExecResult: ...
