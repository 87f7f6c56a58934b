"""Every link within the documents leads to a file, and to a heading in it, that is there."""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tests.unit.test_tracked_files import project_files

ROOT = Path(__file__).parents[3]
FOLDERS = ("docs", "sandbox", "examples", "tests", "benchmarks", "demo")
DOCUMENTS = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in ROOT.glob(f"{folder}/**/*.md"))]
    if "node_modules" not in path.parts  # other people's, fetched by `make bench`
)

_FENCE = re.compile(r"^ {0,3}(```|~~~).*?^ {0,3}\1\s*$", re.DOTALL | re.MULTILINE)
_CODE = re.compile(r"`+[^`\n]*`+")
_INLINE = re.compile(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_REFERENCE = re.compile(r"^\s{0,3}\[[^\]]+\]:\s*(\S+)", re.MULTILINE)
_HTML = re.compile(r"""\b(?:href|src)=["']([^"']+)["']""")
_HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


def links(text: str) -> list[str]:
    """Where a document leads, its code left out."""
    prose = _CODE.sub("", _FENCE.sub("", text))
    return [*_INLINE.findall(prose), *_REFERENCE.findall(prose), *_HTML.findall(prose)]


def anchors(text: str) -> set[str]:
    """The names of a document's headings, as the forge makes them: of equal ones the second has ``-1``."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in _HEADING.findall(_FENCE.sub("", text)):
        said = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower()
        name = re.sub(r"[^\w\- ]", "", said).replace(" ", "-")
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return found


@cache
def anchors_of(path: Path) -> set[str]:
    return anchors(path.read_text())


def broken(document: Path) -> list[str]:
    """Links of a document that lead nowhere."""
    found = []
    for link in links(document.read_text()):
        if _ELSEWHERE.match(link):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        if not target.exists() or not target.is_relative_to(ROOT):
            found.append(f"{link}: no such file")
        elif anchor and (target.suffix != ".md" or anchor not in anchors_of(target)):
            found.append(f"{link}: no such heading")
    return found


def test_the_documents_are_found() -> None:
    assert {"README.md", "docs/README.md", "docs/operations.md"} <= {str(one.relative_to(ROOT)) for one in DOCUMENTS}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_of_a_document_leads_somewhere(document: Path) -> None:
    assert broken(document) == []


def test_links_and_headings_are_read_as_a_forge_reads_them() -> None:
    text = "# A `job`'s way, in short\n\n## Twice\n## Twice\n[a](b.md#c) ![d](e.png)\n`[no](no.md)`\n"
    text += "```\n[no](no.md)\n# no\n```\n"
    assert links(text) == ["b.md#c", "e.png"]
    assert anchors(text) == {"a-jobs-way-in-short", "twice", "twice-1"}


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.unit.docs.test_links.ROOT", tmp_path)
    (tmp_path / "there.md").write_text("# Here\n")
    document = tmp_path / "one.md"
    document.write_text(
        "# Top\n[a](there.md#here) [b](there.md#gone) [c](gone.md) [d](#top) [e](#down) [f](https://x.example/)"
    )
    assert broken(document) == ["there.md#gone: no such heading", "gone.md: no such file", "#down: no such heading"]


@pytest.mark.parametrize("folder", ["docs", "docs/decisions"])
def test_every_page_of_the_documentation_is_in_its_index_once(folder: str) -> None:
    index = ROOT / folder / "README.md"
    told = Counter((index.parent / link.partition("#")[0]).resolve() for link in links(index.read_text()))
    pages = {path for path in (ROOT / folder).glob("*.md") if path != index}
    assert {str(path.relative_to(ROOT)) for path in pages if told[path] != 1} == set()


def test_what_the_code_refers_to_in_the_documentation_is_there() -> None:
    gone = []
    for path in project_files():
        if path.suffix in {".py", ".lua", ".yml", ".toml"} or path.name in {"Makefile", "Dockerfile"}:
            named = set(re.findall(r"(?<![\w/])docs/[\w/-]+\.md", path.read_text()))
            gone += [f"{path.relative_to(ROOT)}: {name}" for name in named if not (ROOT / name).exists()]
    assert gone == []
