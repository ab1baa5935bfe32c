"""A network plugin whose reading of all policies is the verdict: what it is asked, and which one it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubectl_netpol.engine.layers import Layer
    from kubectl_netpol.engine.readings import Reading
    from kubectl_netpol.engine.verdict import Connection, End, Note
    from kubectl_netpol.model.objects import Node, Pod
    from kubectl_netpol.model.policies import Direction, Policy, Rule
    from kubectl_netpol.model.snapshot import Snapshot


class Plugin(Protocol):
    """One plugin's reading of one snapshot.

    `policies`: all that it reads, NetworkPolicies among them, and `rules`: theirs, as they are asked.
    `blocks`: every CIDR that these name.
    """

    @property
    def policies(self) -> tuple[Policy, ...]: ...

    @property
    def rules(self) -> tuple[tuple[Policy, Rule], ...]: ...

    @property
    def blocks(self) -> frozenset[str]: ...

    def layers(self, pod: Pod, direction: Direction) -> tuple[Layer, ...]:
        """As `layers.layers_of`."""

    def asked(self, pod: Pod, direction: Direction) -> tuple[Policy, ...]:
        """The policies that have a say on the pod in this direction, or may."""

    def isolating(self, pod: Pod, direction: Direction) -> tuple[Policy, ...]:
        """Those by which what no rule decides is blocked."""

    def isolates(self, policy: Policy, direction: Direction) -> bool | None:
        """Whether what no rule decides is blocked of whom this policy selects; None where that is unknown.

        The policy is one of `policies`, and the direction its own, or that of a rule of it.
        """

    def selecting(self, pod: Pod) -> tuple[Policy, ...]:
        """Those that select the pod for sure."""

    def class_of(self, pod: Pod) -> object:
        """What conditions may tell pods apart by, but for their addresses: pods with equal values are alike."""

    def of_node(self, node: Node) -> Pod | Note | None:
        """A pod to which the policies apply that do to the node, or why these are not known, or None: none does."""

    def readings(self, connection: Connection, direction: Direction, peer: End, plain: Reading) -> Iterator[Reading]:
        """As `readings.readings_of`, from the plain one."""

    def difference(self, connection: Connection) -> str:
        """What it does with a connection that the NetworkPolicy API does not; "" where the verdict's reason says it."""


def plugin_of(snapshot: Snapshot) -> Plugin | None:
    """The plugin that decides, made once for each snapshot; None where the NetworkPolicy API does."""
    if snapshot.plugin is None:
        return None
    found: Plugin | None = snapshot.memo.get("plugin")
    if found is None:
        found = snapshot.memo["plugin"] = _made(snapshot)
    return found


def _made(snapshot: Snapshot) -> Plugin:
    if snapshot.plugin == "Cilium":
        from kubectl_netpol.engine.cilium import Cilium  # noqa: PLC0415 - only where it runs

        return Cilium(snapshot)
    from kubectl_netpol.engine.calico import Calico  # noqa: PLC0415 - only where it runs

    return Calico(snapshot)
