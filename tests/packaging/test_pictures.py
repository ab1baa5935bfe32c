"""The pictures in docs/ show what the zipapp prints."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

PROJECT = Path(__file__).parents[2]
PICTURES = sorted((PROJECT / "docs" / "pictures").glob("*.svg"))


def test_the_pictures_are_current(zipapp: Path) -> None:
    checked = subprocess.run(
        [sys.executable, PROJECT / "packaging" / "pictures.py", "--check", zipapp],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("path", PICTURES, ids=[path.stem for path in PICTURES])
def test_all_text_of_a_picture_is_inside_it(path: Path) -> None:
    root = ET.parse(path).getroot()
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    texts = [element for element in root if element.tag.endswith("text")]
    assert len(texts) > 3
    for text in texts:
        assert float(text.attrib["x"]) + float(text.attrib["textLength"]) <= width
        assert float(text.attrib["y"]) <= height
    assert path.stem in (PROJECT / "README.md").read_text(encoding="utf-8"), "the README does not show it"
