"""Where a document begins and ends, and which headers are certain without parsing."""

from __future__ import annotations

import pytest

from kubectl_netpol.manifests.documents import Document, header, split


@pytest.mark.parametrize(
    ("content", "documents"),
    [
        pytest.param("", [], id="nothing"),
        pytest.param("# a comment\n\n", [], id="a comment"),
        pytest.param("a: 1\n", [("a: 1\n", 0, True)], id="one without separator"),
        pytest.param("a\n---\nb", [("a\n", 0, True), ("\nb", 1, False)], id="two"),
        pytest.param("# c\n---\na\n--- # d\nb", [("\na\n", 1, False), (" # d\nb", 3, False)], id="comments"),
        pytest.param("---\n---", [("\n", 0, False), ("", 1, False)], id="two that are empty"),
        pytest.param("a\r\n---\r\nb", [("a\r\n", 0, True), ("\r\nb", 1, False)], id="lines of Windows"),
        pytest.param("---a\nb\n ---\n----", [("---a\nb\n ---\n----", 0, True)], id="what only resembles a separator"),
        pytest.param("a: |\n  ---\n---\tb", [("a: |\n  ---\n", 0, True), ("\tb", 2, False)], id="one that is text"),
        pytest.param("%YAML 1.1\n---\na", [("%YAML 1.1\n---\na", 0, True)], id="a directive is about what follows"),
        pytest.param("# c\ra: 1\r", [("# c\ra: 1\r", 0, True)], id="a comment that a lone carriage return ends"),
        pytest.param("# c\x85a: 1", [("# c\x85a: 1", 0, True)], id="a comment that another line end of YAML ends"),
        pytest.param("# c\r\r\x85\n# d\r", [], id="comments alone, with any line ends"),
        pytest.param("a\x85---\nb\n---\nc", [("a\x85---\nb\n---\nc", 0, True)], id="line ends that only YAML has"),
    ],
)
def test_a_stream_is_split_at_its_separators(content: str, documents: list[tuple[str, int, bool]]) -> None:
    assert list(split(content)) == [Document(*found) for found in documents]


PLAIN = "apiVersion: v1\nkind: ConfigMap\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(f"\n{PLAIN}", ("v1", "ConfigMap"), id="two plain keys"),
        pytest.param(f" # c\r\n{PLAIN}data:\n  kind: x\n", ("v1", "ConfigMap"), id="the same key deeper"),
        pytest.param("\nkind: Role # r\r\napiVersion:  a.b/v1\r\n", ("a.b/v1", "Role"), id="in any order"),
        pytest.param(f"\n{PLAIN}rules:\n- a\n-\n  b\n# c\n", ("v1", "ConfigMap"), id="a list at the margin, a comment"),
        pytest.param(f"\n{PLAIN}# c\r---\rkind: Pod\r", None, id="more documents, with line ends of YAML's own"),
        pytest.param("\nkind: ConfigMap\n", None, id="no apiVersion"),
        pytest.param("\napiVersion: v1\n", None, id="no kind"),
        pytest.param(f"\n{PLAIN}kind: Pod\n", None, id="two kinds"),
        pytest.param(f'\n{PLAIN}"kind": Pod\n', None, id="a second kind in quotes"),
        pytest.param(f"\n{PLAIN}? kind\n: Pod\n", None, id="a second kind as a complex key"),
        pytest.param(f"\n{PLAIN}<<: {{kind: Pod}}\n", None, id="a second kind by a merge"),
        pytest.param(f"\n{PLAIN}...\nkind: Pod\n", None, id="a second document after the end of the first"),
        pytest.param(f" {{a: b}}\n{PLAIN}", None, id="something beside the separator"),
        pytest.param(f'\n{PLAIN}a: "\n" \n', None, id="a text that ends at the margin"),
        pytest.param('\napiVersion: v1\nkind: "ConfigMap"\n', None, id="a kind in quotes"),
        pytest.param("\napiVersion: v1\nkind:\n  ConfigMap\n", None, id="a kind on the next line"),
        pytest.param('\n{\n"a": b,\nkind: ConfigMap\n,\napiVersion: v1\n}', None, id="a mapping in braces"),
    ],
)
def test_a_header_that_is_certain(text: str, found: tuple[str, str] | None) -> None:
    assert header(Document(text, 0, open_=False)) == found
    if text.startswith("\n"):
        assert header(Document(text[1:], 0, open_=True)) == found
