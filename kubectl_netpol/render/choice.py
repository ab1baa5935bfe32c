"""Which of several files fits, as text and JSON: the one that opens the least beside what is needed first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubectl_netpol.engine.phrases import count
from kubectl_netpol.engine.verdict import Verdict
from kubectl_netpol.render.json_objects import Object, kind, verdict_object
from kubectl_netpol.render.text import wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubectl_netpol.allow.choice import Candidate
    from kubectl_netpol.connection.predict import Prediction
    from kubectl_netpol.console import Console
    from kubectl_netpol.render.text import Names

_WORDS = {True: ("fits", "green"), False: ("does not fit", "red"), None: ("can't tell", "yellow")}


def choice_text(candidates: Sequence[Candidate], names: Names, console: Console) -> str:
    """`candidates`: ranked."""
    lines = []
    for found in candidates:
        word, colour = _WORDS[found.fits]
        lines.append(f"{console.paint(f'{word}:', colour)} {found.name} ({_beside(found)})")
        lines += [f"  {_amiss(one, names)}" for one in found.predictions if one.verdict is not Verdict.ALLOWED]
    best = [found.name for found in equals(candidates)]
    if len(best) > 1:
        lines.append(f"{' and '.join(best)} open and close equally much")
    return wrapped(lines, console)


def equals(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The best ones that fit: more than one where they are equal."""
    fitting = [found for found in candidates if found.fits]
    return [one for one in fitting if (one.beside, one.closes) == (fitting[0].beside, fitting[0].closes)]


def _beside(found: Candidate) -> str:
    opens = f"opens {count(found.beside, 'other pair')} of pods and ports" if found.beside else "opens nothing else"
    return f"{opens}, closes {found.closes}" if found.closes else opens


def _amiss(prediction: Prediction, names: Names) -> str:
    request = prediction.request
    ends = f"{names.end(request.source)} → {names.end(request.destination)}, {request.protocol} {request.port}"
    why = f": {prediction.reason.message}" if prediction.reason else ""
    return f"{ends} is {prediction.verdict.value}{why}"


def choice_object(candidates: Sequence[Candidate]) -> Object:
    found = [
        {
            "file": one.name,
            "fits": one.fits,
            "opensBeside": one.beside,
            "closes": one.closes,
            "predictions": [verdict_object(prediction) for prediction in one.predictions],
        }
        for one in candidates
    ]
    return kind("Choice", {"best": [one.name for one in equals(candidates)], "candidates": found})
