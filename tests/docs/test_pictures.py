"""The pictures in docs/pictures; tests/cluster/test_readme.py draws them."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.support.pictures import drawn, drawn_in_time

ROOT = Path(__file__).parents[2]
PICTURES = sorted((ROOT / "docs" / "pictures").glob("*.svg"))
OUTPUT = "\x1b[31mblocked\x1b[0m: san → nginx\n\n  A   <&>\n"


def texts(root: ET.Element) -> list[ET.Element]:
    return [element for element in root if element.tag.endswith("text")]


@pytest.mark.parametrize("path", PICTURES, ids=[path.stem for path in PICTURES])
def test_all_text_of_a_picture_is_inside_it(path: Path) -> None:
    root = ET.parse(path).getroot()
    width, height = float(root.attrib["width"]), float(root.attrib["height"])
    assert len(texts(root)) > 3
    for text in texts(root):
        assert float(text.attrib["x"]) + float(text.attrib["textLength"]) <= width
        assert float(text.attrib["y"]) <= height


def test_the_readme_shows_every_picture_and_no_other() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [path for path in PICTURES if f"(docs/pictures/{path.name})" not in text] == []
    assert text.count("](docs/pictures/") == len(PICTURES) > 0


def test_a_picture_has_each_word_at_its_column_and_in_its_colour() -> None:
    root = ET.fromstring(drawn("kubectl netpol test", OUTPUT))
    x0, y0 = 16.0, 30.0
    assert [(element.text, element.get("class"), element.get("x"), element.get("y")) for element in texts(root)] == [
        (word, style, f"{x0 + 8.4 * column:g}", f"{y0 + 20 * line:g}")
        for word, style, column, line in (
            ("$", "dim", 0, 0),
            ("kubectl netpol test", "bold", 2, 0),
            ("blocked", "red", 0, 1),
            (": san → nginx", None, 7, 1),
            ("A", None, 2, 3),
            ("<&>", None, 6, 3),
        )
    ]
    assert [element.text for element in root if element.tag.endswith("desc")] == ["blocked: san → nginx\n\n  A   <&>\n"]


def test_a_moving_picture_shows_words_one_after_the_other_and_an_answer_at_once() -> None:
    text = drawn_in_time([("a b", "1\n2\n"), ("c d", "3\n")])
    root = ET.fromstring(text)
    order = [(element.text, (element.get("class") or "").split()[-1]) for element in texts(root)]
    assert order == [
        ("$", "t0"),
        ("a", "t0"),
        ("b", "t0"),
        ("1", "t1"),
        ("2", "t1"),
        ("$", "t2"),
        ("c", "t3"),
        ("d", "t4"),
        ("3", "t5"),
    ]
    shown = [float(found) for found in re.findall(r"@keyframes t\d+ \{ 0%, ([\d.]+)% \{ opacity: 0", text)]
    assert shown == sorted(set(shown))
    assert (shown[0], max(shown) < 100) == (0, True)
    assert "prefers-reduced-motion" in text
