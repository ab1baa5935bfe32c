"""Exceptions that `cli` prints as `error: …` and `hint: …` and turns into an exit status."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class NetpolError(Exception):
    """An error that a user can act on: `message` is one sentence, `hint` the next step, or None."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(NetpolError):
    """Arguments or options are invalid."""


class ManifestError(NetpolError):
    """An invalid object; the message has file, document and the path of the field."""


class ClusterError(NetpolError):
    """The API server is unreachable, refused the request or sent an invalid response; or the kubeconfig is invalid."""


class NotFoundError(ClusterError):
    """The API server has no such object or resource (404)."""


class ExpiredError(ClusterError):
    """The API server no longer has the state that a list began with (410)."""


class ForbiddenError(ClusterError):
    """RBAC forbids a call (403): `verb`, `resource` such as "pods/exec", `namespace` (None: cluster-wide)."""

    def __init__(self, message: str, *, verb: str, resource: str, namespace: str | None) -> None:
        where = f"in namespace {namespace}" if namespace else "at the cluster scope"
        super().__init__(message, f"ask for permission to {verb} {resource} {where}")
        self.verb = verb
        self.resource = resource
        self.namespace = namespace


class TerminatedError(KeyboardInterrupt):
    """SIGTERM: what handles an interrupt handles it too."""


def interrupt_behind(error: Exception) -> KeyboardInterrupt | None:
    """The interrupt that was turned into this error, as waits do that Python's library writes in Python.

    Measured: where it comes while threading.Condition.wait has released its lock, which it does in Thread.start and
    Event.wait, what is raised is RuntimeError("release unlocked lock").
    """
    behind = error.__context__
    return behind if isinstance(behind, KeyboardInterrupt) else None


def nearest(word: str, words: Iterable[str], closeness: float) -> str | None:
    """The one that was probably meant, for a hint. `closeness`: 0 to 1, as difflib has it."""
    import difflib  # noqa: PLC0415 - only for a mistake, and it costs every start a millisecond

    return next(iter(difflib.get_close_matches(word, list(words), 1, closeness)), None)
