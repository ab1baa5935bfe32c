"""The patches that a kustomization names."""

from __future__ import annotations

import pytest

from kubectl_netpol.manifests.kustomize import patch_files


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(
            "patches: [{path: a.yaml}, {path: ../b.yaml, target: {kind: Pod}}]",
            ["a.yaml", "../b.yaml"],
            id="in patches",
        ),
        pytest.param("patchesStrategicMerge: [a.yaml]", ["a.yaml"], id="in patchesStrategicMerge"),
        pytest.param("patchesJson6902: [{path: a.json, target: {}}]", ["a.json"], id="in patchesJson6902"),
        pytest.param("patches: [{patch: '- op: remove'}]", [], id="a patch that is written there"),
        pytest.param("patches: a.yaml", [], id="no list"),
        pytest.param("patches: [1, null]", [], id="no paths"),
        pytest.param("resources: [a.yaml]", [], id="resources"),
        pytest.param("- a", [], id="a list"),
        pytest.param("a: [", [], id="no YAML"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_the_patches_of_a_kustomization(text: str, found: list[str]) -> None:
    assert list(patch_files(text)) == found
