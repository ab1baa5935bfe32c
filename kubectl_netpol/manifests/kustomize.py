"""What a kustomization says of the files beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubectl_netpol.errors import ManifestError
from kubectl_netpol.manifests.yaml_text import load_all

if TYPE_CHECKING:
    from collections.abc import Iterator


def patch_files(content: str) -> Iterator[str]:
    """The paths of its patches, as typed: parts of objects, and so no manifests. None of one that can't be read."""
    try:
        documents = list(load_all(content, ""))
    except ManifestError:
        return
    for document in documents:
        for field in ("patches", "patchesJson6902", "patchesStrategicMerge"):
            listed = document.get(field) if isinstance(document, dict) else None
            for one in listed if isinstance(listed, list) else ():
                path: Any = one.get("path") if isinstance(one, dict) else one
                if isinstance(path, str):
                    yield path
