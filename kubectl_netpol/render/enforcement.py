"""Whether a cluster enforces its policies, and how to try it, as text and JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.diagnosis.enforcement import TRIAL
from kubectl_netpol.render.json_objects import Object, kind
from kubectl_netpol.render.text import wrapped

if TYPE_CHECKING:
    from kubectl_netpol.console import Console
    from kubectl_netpol.diagnosis.enforcement import Enforcement

_WORDS = {True: ("enforced", "green"), False: ("not enforced", "red"), None: ("can't tell", "yellow")}
_ANSWERS = {True: "yes", False: "no", None: "can't tell"}


def enforcement_text(found: Enforcement, console: Console) -> str:
    """NetworkPolicies first, in the first line; then the other kinds that are there, and the commands of a trial."""
    word, colour = _WORDS[found.enforced]
    lines = [f"{console.paint(f'{word}:', colour)} NetworkPolicies; {found.kinds[0].why}"]
    lines += [f"  {one.kind}: {_ANSWERS[one.enforced]}, {one.why}" for one in found.kinds[1:]]
    text = wrapped(lines, console)
    trial = "\n".join(f"  {command}" for command in TRIAL)
    return f"{text}\nto see it, in a namespace of its own:\n{trial}"


def enforcement_object(found: Enforcement) -> Object:
    kinds = [{"kind": one.kind, "enforced": one.enforced, "why": one.why} for one in found.kinds]
    return kind("Enforcement", {"plugin": found.plugin, "enforced": found.enforced, "kinds": kinds, "trial": [*TRIAL]})
