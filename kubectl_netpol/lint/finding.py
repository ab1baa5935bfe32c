"""What lint finds: the numbered checks, and one finding as a value."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from kubectl_netpol.engine.codes import Code

if TYPE_CHECKING:
    from kubectl_netpol.model.policies import Policy


class Severity(str, Enum):
    """The values of --fail-on, the gravest first.

    ERROR: the policy provably does not do what it says for any pod. WARNING: for some pods, or it is probably not
    meant. INFO: advice, and what rests on pods that were not read.
    """

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return list(Severity).index(self)


class Check(NamedTuple):
    """One thing that lint looks for. `number` and `code` never change. `severity`: the gravest that it gives."""

    number: str
    code: Code
    severity: Severity
    title: str


_E, _W, _I = Severity
CHECKS = (
    Check("NP001", Code.POLICY_SELECTS_NOTHING, _E, "A policy that selects no pod"),
    Check("NP002", Code.PEER_MATCHES_NOTHING, _E, "A peer that matches no pod"),
    Check("NP003", Code.SERVICE_PORT_IN_RULE, _W, "A Service's port in place of the pod's"),
    Check("NP004", Code.SPLIT_PEER, _W, "A dash that makes two peers of one"),
    Check("NP005", Code.SPLIT_RULE, _W, "A dash that makes two rules of one"),
    Check("NP006", Code.NAMESPACE_NAME_LABEL, _E, "A namespace named by a label that no namespace has"),
    Check("NP007", Code.NO_WAY_TO_DNS, _W, "Isolation without a way to DNS"),
    Check("NP008", Code.UNKNOWN_NAMED_PORT, _E, "A port name that pods don't have"),
    Check("NP009", Code.REDUNDANT_RULE, _W, "A rule that others cover for every pod"),
    Check("NP010", Code.REDUNDANT_POLICY, _W, "A policy that others cover for every pod"),
    Check("NP011", Code.RULE_MATCHES_NOTHING, _E, "A rule whose every peer matches nothing"),
    Check("NP012", Code.OPEN_TO_WORLD, _I, "Open to the world on a port that is not published"),
    Check("NP013", Code.NO_DEFAULT_DENY, _I, "A namespace without default deny"),
    Check("NP014", Code.UNDECLARED_PORT, _I, "A port number that no selected pod declares"),
    Check("NP015", Code.SAME_PRIORITY, _W, "Two policies of a tier with the same priority"),
    Check("NP016", Code.UNREACHABLE_RULE, _W, "A tier's rule that nothing reaches"),
    Check("NP017", Code.CONTROLLER_LABEL, _W, "A selector by a label that a controller sets"),
    Check("NP018", Code.REFUSED_BY_SERVER, _E, "A policy that the API server refuses"),
    Check("NP019", Code.EXCEPT_OUTSIDE_BLOCK, _E, "An except outside its block"),
    Check("NP020", Code.BLOCK_HOLDS_PODS, _W, "A block of addresses that holds pods"),
    Check("NP021", Code.HOST_ADDRESS_IN_EXCEPT, _W, "The address of a node in except"),
    Check("NP022", Code.TYPES_CONTRADICT_RULES, _E, "Rules of a direction that policyTypes leaves out"),
    Check("NP023", Code.IMPOSSIBLE_PORT, _E, "A port that no connection can have"),
    Check("NP024", Code.HOST_NETWORK, _W, "A policy for pods on the host network"),
    Check("NP025", Code.POLICY_MISSES_POD, _I, "A policy that misses a pod by a slip in a label"),
    Check("NP026", Code.NOT_IN_WITHOUT_KEY, _I, "A NotIn that matches what has no such label"),
    Check("NP027", Code.OPENS_REPLIES, _I, "A rule for the ports of clients, which replies don't need"),
    Check("NP028", Code.CLIENTS_BEHIND_NODES, _I, "A block of clients that come by a node"),
    Check("NP029", Code.NO_WAY_TO_API_SERVER, _I, "Egress isolation without a way to the API server"),
    Check("NP030", Code.NODE_DNS_CACHE, _I, "A way to the cluster's DNS, and none to the cache of the node"),
)
BY_CODE = {check.code: check for check in CHECKS}
BY_NUMBER = {check.number: check for check in CHECKS}


class Subject(NamedTuple):
    """The object that a finding is about: of a kind in `model.kinds`; `namespace` "" for one that is in none."""

    kind: str
    namespace: str
    name: str

    @property
    def title(self) -> str:
        """NAMESPACE/NAME of a NetworkPolicy, NAME of a Namespace, else with the kind in front."""
        named = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return named if self.kind in ("NetworkPolicy", "Namespace") else f"{self.kind} {named}"


class Edit(NamedTuple):
    """A change of one object's text, at a path in it.

    `operation`: "replace" a scalar by `text`, "rename" the key of an entry to it, "append" it to a list; "join" an
    item of a list to the one before it; "remove" an item.
    """

    operation: str
    path: str
    text: str = ""


class Repair(NamedTuple):
    """The edits that mend one finding, and the policy that they make of it."""

    edits: tuple[Edit, ...]
    policy: Policy


class Finding(NamedTuple):
    """`path`: of the field, "" for the whole object. `proof`: why it is so here. `fix`: what to do, a sentence."""

    check: Check
    severity: Severity
    subject: Subject
    path: str
    message: str
    proof: tuple[str, ...] = ()
    fix: str = ""
    repair: Repair | None = None

    @property
    def code(self) -> Code:
        return self.check.code

    @property
    def number(self) -> str:
        return self.check.number


def subject_of(policy: Policy) -> Subject:
    return Subject(policy.kind, policy.namespace, policy.name)


def found(
    code: Code,
    severity: Severity,
    policy: Policy,
    path: str,
    message: str,
    *,
    proof: tuple[str, ...] = (),
    fix: str = "",
    repair: Repair | None = None,
) -> Finding:
    """A finding about a policy."""
    return Finding(BY_CODE[code], severity, subject_of(policy), path, message, proof, fix, repair)
