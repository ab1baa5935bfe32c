"""Labels that controllers put on pods and that stand in no manifest, where policies tell pods apart by them.

A StatefulSet's replicas have their numbers, an indexed Job's pods theirs; hashes and UIDs are not known before the pods
are there, so one template becomes a pod for each value that policies name, and one with none of these.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubectl_netpol.model.objects import Pod
    from kubectl_netpol.policies.meta import Object

_INDEX, _NAME = "apps.kubernetes.io/pod-index", "statefulset.kubernetes.io/pod-name"
_COMPLETION = "batch.kubernetes.io/job-completion-index"
_JOB_NAMES = ("job-name", "batch.kubernetes.io/job-name")
_UIDS = ("controller-uid", "batch.kubernetes.io/controller-uid")
_TEMPLATE_HASH, _REVISION, _GENERATION = "pod-template-hash", "controller-revision-hash", "pod-template-generation"
_KEYS = frozenset((_INDEX, _NAME, _COMPLETION, *_JOB_NAMES, *_UIDS, _TEMPLATE_HASH, _REVISION, _GENERATION))
# Each kind's keys whose value is not known; those of one group have the same value.
_UNKNOWN = {
    "Deployment": ((_TEMPLATE_HASH,),),
    "ReplicaSet": ((_TEMPLATE_HASH,),),
    "StatefulSet": ((_REVISION,),),
    "DaemonSet": ((_REVISION,), (_GENERATION,)),
    "Job": (_UIDS,),
    "CronJob": (_UIDS, _JOB_NAMES),
}
_ANOTHER = "?"  # a value that no selector can name
_QUOTED = re.compile(r"[\"']([^\"']*)[\"']")


class Named(dict[str, set[str]]):
    """The keys of controllers' labels that policies name, each with the values that they name."""

    def add(self, policy: Any) -> None:
        """The labels that an object of any kind of policy names, in a map, an expression or a text of Calico's."""
        if isinstance(policy, list):
            for entry in policy:
                self.add(entry)
        elif isinstance(policy, dict):
            self._add_key(policy.get("key"), policy.get("values"))
            for key, value in policy.items():
                self._add_key(key, [value])
                self.add(value)
        elif isinstance(policy, str):
            for key in _KEYS:
                if key in policy:
                    self._add_key(key, _QUOTED.findall(policy))

    def _add_key(self, key: Any, values: Any) -> None:
        bare = key.rpartition(":")[2] if isinstance(key, str) else None  # Cilium has a source before it: k8s:app
        if bare in _KEYS:
            self.setdefault(bare, set()).update(value for value in values or () if isinstance(value, str))


class _Replicas(NamedTuple):
    """Pods that a controller numbers."""

    numbers: range
    keys: tuple[str, ...]


def replicas_of(kind: str, item: Object, template: Pod, named: Named) -> tuple[Pod, ...]:
    """The pods of a workload that policies may tell apart; none where they name none of its labels.

    `item`: the workload; `template`: its pod, which has the labels that are known.
    """
    choices: list[list[tuple[str, dict[str, str]]]] = []
    numbered = _numbered(kind, item)
    if numbered and (keys := [key for key in numbered.keys if key in named]):
        choices.append(
            [_numbered_pod(template.name, number, keys) for number in _told_apart(numbered, template, named)]
        )
    for group in _UNKNOWN.get(kind, ()):
        if keys := [key for key in group if key in named]:
            values = sorted({value for key in keys for value in named[key] if _may_be(kind, group, template, value)})
            choices.append([("", dict.fromkeys(keys, _ANOTHER))])
            choices[-1] += [(f"-{value}", dict.fromkeys(keys, value)) for value in values]
    if not choices:
        return ()
    return tuple(
        template._replace(
            name=template.name + "".join(suffix for suffix, _ in chosen),
            labels={**template.labels, **{key: value for _, labels in chosen for key, value in labels.items()}},
        )
        for chosen in product(*choices)
    )


def _may_be(kind: str, group: tuple[str, ...], template: Pod, value: str) -> bool:
    """Whether a controller may give a pod of this workload the value."""
    if group == _JOB_NAMES:
        return re.fullmatch(rf"{re.escape(template.name)}-\d+", value) is not None
    return kind != "StatefulSet" or value.startswith(f"{template.name}-")


def _numbered(kind: str, item: Object) -> _Replicas | None:
    spec = _object(item.get("spec"))
    if kind == "StatefulSet":
        first = _count(_object(spec.get("ordinals")).get("start"), 0)
        return _Replicas(range(first, first + _count(spec.get("replicas"), 1)), (_INDEX, _NAME))
    if kind == "CronJob":
        spec = _object(_object(spec.get("jobTemplate")).get("spec"))
    if kind in ("Job", "CronJob") and spec.get("completionMode") == "Indexed":
        return _Replicas(range(_count(spec.get("completions"), 1)), (_COMPLETION,))
    return None


def _object(value: Any) -> Object:
    return value if isinstance(value, dict) else {}


def _count(value: Any, default: int) -> int:
    return value if isinstance(value, int) and value >= 0 else default


def _told_apart(numbered: _Replicas, template: Pod, named: Named) -> Iterable[int]:
    """The numbers that policies name, and the first of the others, which are all alike."""
    texts = set().union(*(named.get(key, ()) for key in numbered.keys))
    found = {number for number in _numbers(texts, template.name) if number in numbered.numbers}
    other = next((number for number in numbered.numbers if number not in found), None)
    return sorted(found if other is None else {*found, other})


def _numbers(texts: Iterable[str], name: str) -> set[int]:
    bare = (text.removeprefix(f"{name}-") for text in texts)
    return {int(text) for text in bare if text.isascii() and text.isdecimal() and str(int(text)) == text}


def _numbered_pod(name: str, number: int, keys: list[str]) -> tuple[str, dict[str, str]]:
    return f"-{number}", {key: f"{name}-{number}" if key == _NAME else str(number) for key in keys}
