"""How laws are run: the same examples each time, unless NETPOL_LAWS=N asks for N other ones of each law."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_LONG = int(os.environ.get("NETPOL_LAWS", "0"))


def lawful(examples: int) -> settings:
    return settings(
        max_examples=_LONG or examples,
        derandomize=not _LONG,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
