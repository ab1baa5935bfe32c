"""--as-pod: a pod that does not exist yet, by its labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.errors import UsageError
from kubectl_netpol.model.objects import Pod
from kubectl_netpol.model.selectors import Operator, parse_selector

if TYPE_CHECKING:
    from kubectl_netpol.commands.common.inputs import Inputs

NAME = "new-pod"


def with_pod(inputs: Inputs, labels: str | None) -> Inputs:
    """Inputs that have the pod in their namespace; LABEL=VALUE, several joined by commas, "" for none, None: no pod.

    UsageError for other labels.
    """
    if labels is None:
        return inputs
    selector = parse_selector(labels)
    if any(one.operator is not Operator.IN or len(one.values) != 1 for one in selector.requirements):
        raise UsageError(
            f'invalid labels "{labels}"', "write LABEL=VALUE, several joined by commas: app=web,tier=front"
        )
    pod = Pod(inputs.namespace, NAME, {one.key: one.values[0] for one in selector.requirements}, planned=True)
    return inputs._replace(as_pod=pod)
