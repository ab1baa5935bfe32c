"""What a rule of a network plugin's own policies requires of a connection: anything that peers and ports can't say.

Rules of Cilium's and Calico's policies have a condition in place of peers and ports; `cilium` and `calico` make them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from kubectl_netpol.engine.verdict import Miss, Note
    from kubectl_netpol.model.objects import Node, Pod
    from kubectl_netpol.model.policies import Direction
    from kubectl_netpol.model.snapshot import Snapshot


class Seen(NamedTuple):
    """One connection as the policies of one end, the subject, see it. The other end: `pod`, `node` and `address`."""

    direction: Direction
    subject: Pod
    pod: Pod | None
    node: Node | None
    address: str | None
    protocol: str
    port: int


class Held(NamedTuple):
    """It holds, by the rule's peer and port at these positions."""

    peer: int | None = None
    port: int | None = None


class Condition(Protocol):
    """`by_address`: whether it may differ between pods that `Plugin.class_of` finds alike.

    A matrix asks less often of one that has these too: `parts`, conditions one of which holds where it does; `about`,
    what of a subject and its port it depends on: equal values hold for the same peers; `same`, equal for conditions
    that are alike.
    """

    @property
    def by_address(self) -> bool: ...

    def holds(self, snapshot: Snapshot, seen: Seen) -> bool | Note | Held:
        """A Note with the reason where that is unknown."""

    def text(self) -> str:
        """The condition in words, as a peer is in `phrases`; "" where the rule's own peers and ports say it."""

    def peers(self) -> tuple[Condition, ...]:
        """Each of its peers as a condition of its own, without ports; none where it is about everyone."""

    def ports_text(self) -> str:
        """Its ports in words, as in `phrases`."""

    def misses(self, snapshot: Snapshot, seen: Seen) -> tuple[Miss, ...]:
        """What keeps it from holding."""

    def names(self, seen: Seen) -> bool:
        """Whether it requires labels of the other end's pod by their values, and the pod has all that it requires."""
