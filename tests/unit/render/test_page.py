"""The page of a matrix: its data, that it loads nothing, and how a browser draws it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from kubectl_netpol.cli import main

if TYPE_CHECKING:
    from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
MANIFEST = """
{kind: Pod, apiVersion: v1, metadata: {name: san, namespace: shop, labels: {run: san}},
 spec: {containers: [{name: c}]}, status: {phase: Running, podIP: 10.0.0.1}}
---
{kind: Pod, apiVersion: v1, metadata: {name: web, namespace: shop, labels: {run: web}},
 spec: {containers: [{name: c, ports: [{name: http, containerPort: 80}, {containerPort: 81}]}]},
 status: {phase: Running, podIP: 10.0.0.2}}
---
{kind: Pod, apiVersion: v1, metadata: {name: spy, namespace: shop}, spec: {hostNetwork: true, containers: [{name: c}]},
 status: {phase: Running, podIP: 192.168.0.9, hostIP: 192.168.0.9}}
---
{kind: NetworkPolicy, apiVersion: networking.k8s.io/v1, metadata: {name: web, namespace: shop},
 spec: {podSelector: {matchLabels: {run: web}}, ingress: [
  {from: [{podSelector: {matchLabels: {run: san}}}], ports: [{port: 80}]}]}}
"""


@pytest.fixture
def page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    manifest = tmp_path / "a <b> & 'c'.yaml"
    manifest.write_text(MANIFEST)
    assert main(["matrix", "-f", str(manifest), "-n", "shop", "-o", "html"]) == 0
    path = tmp_path / "page.html"
    path.write_text(capsys.readouterr().out)
    return path


def data(page: Path) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.read_text(), re.DOTALL)
    assert found
    return json.loads(found.group(1))


def test_it_has_a_view_of_all_declared_ports_and_one_of_each(page: Path) -> None:
    found = data(page)
    assert [(view["title"], view["rows"]) for view in found["views"]] == [
        ("each on the ports it declares", ["  ~", "  u", "   "]),
        ("TCP 80", [" aa", "a u", "aa "]),
        ("TCP 81", [" ab", "a u", "aa "]),
    ]
    assert found["views"][0]["asked"] == "001"
    assert [group["pods"] for group in found["groups"]] == [["shop/pod/san"], ["shop/pod/spy"], ["shop/pod/web"]]
    assert found["views"][0]["examples"] == {"0,2": {"a": [0, 0, "TCP", 80], "b": [0, 0, "TCP", 81]}}


def test_it_loads_nothing_and_no_text_in_it_is_markup(page: Path) -> None:
    text = page.read_text()
    assert "default-src 'none'" in text
    assert not re.search(r"(?:src|href|url|import)\s*[=(]", text)
    assert "://" not in text
    assert "<b>" not in text
    assert text.count("</script") == 2
    assert "a <b> & " in data(page)["options"]


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_browser_draws_it(page: Path, tmp_path: Path) -> None:
    assert CHROMIUM is not None
    options = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--enable-logging=stderr",
        f"--user-data-dir={tmp_path / 'browser'}",
    )
    drawn = subprocess.run(
        [CHROMIUM, *options, "--virtual-time-budget=2000", "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "CONSOLE" not in drawn.stderr
    cells = re.findall(r'<td class="([a-z ]+)"[^>]*>([^<]*)</td>', drawn.stdout)
    assert cells == [("m", "◐"), ("u", "?"), ("i", "")]
    assert re.findall(r"<th [^>]*><button[^>]*>([^<]*)</button>", drawn.stdout) == ["web", "san", "spy", "web"]
    assert re.search(r"Reached by none of these</h2><p[^>]*>none", drawn.stdout)
