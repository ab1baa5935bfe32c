"""The options of kubectl that choose a cluster, a user and a namespace, as a value that costs nothing to import."""

from __future__ import annotations

from typing import NamedTuple


class ClusterOptions(NamedTuple):
    """Which cluster, as which user, in which namespace; None where not given. `request_timeout` in seconds.

    `plugin`: the network plugin of manifests, as a snapshot has it; a cluster shows its own. `recursive`: manifests in
    folders of folders too.
    """

    kubeconfig: str | None = None
    context: str | None = None
    cluster: str | None = None
    user: str | None = None
    namespace: str | None = None
    as_user: str | None = None
    as_groups: tuple[str, ...] = ()
    as_uid: str | None = None
    request_timeout: float | None = None
    plugin: str | None = None
    recursive: bool = False

    def arguments(self) -> list[str]:
        """The options with which another command, or kubectl, uses the same cluster as the same user.

        With those of manifests, for which there is no cluster.
        """
        found: list[str] = []
        for name in ("kubeconfig", "context", "cluster", "user"):
            if value := getattr(self, name):
                found += [f"--{name}", value]
        found += ["--as", self.as_user] if self.as_user else []
        for group in self.as_groups:
            found += ["--as-group", group]
        found += ["--as-uid", self.as_uid] if self.as_uid else []
        found += ["-R"] if self.recursive else []
        return found + (["--plugin", self.plugin.lower()] if self.plugin else [])
