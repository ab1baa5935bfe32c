"""What a user can cause, as exceptions that `cli` turns into `error: …`, `hint: …` and an exit status."""

from __future__ import annotations


class NetpolError(Exception):
    """An error that a user can act on: `message` is one sentence, `hint` the next step or None."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(NetpolError):
    """The words typed do not make sense."""


class ManifestError(NetpolError):
    """An object can't be read; the message names file, document and the path in the object."""


class ClusterError(NetpolError):
    """The API server can't be reached, or refused, or answered nonsense."""


class NotFoundError(ClusterError):
    """The API server has no such object or resource (404)."""


class ForbiddenError(ClusterError):
    """RBAC forbids a call (403): `verb`, `resource` such as "pods/exec", `namespace` (None: cluster-wide)."""

    def __init__(self, message: str, *, verb: str, resource: str, namespace: str | None) -> None:
        where = f"in namespace {namespace}" if namespace else "in the whole cluster"
        super().__init__(message, f"ask for the verb {verb} on {resource} {where}")
        self.verb = verb
        self.resource = resource
        self.namespace = namespace
