"""What the site makes of a page, without mkdocs: it has an environment of its own."""

from __future__ import annotations

import html
import json
import runpy
import shutil
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.docs.documents import names
from tests.support.needs import lacking
from tests.support.processes import ROOT, printed


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Load them beside a false mkdocs."""
    files = ModuleType("mkdocs.structure.files")
    vars(files).update(File=SimpleNamespace(generated=lambda _, name, **of: (name, of)), Files=list)
    exceptions = ModuleType("mkdocs.exceptions")
    vars(exceptions).update(PluginError=ValueError)
    packages = (ModuleType("mkdocs"), ModuleType("mkdocs.structure"))
    for module in (*packages, exceptions, files):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "site" / "hooks.py")))


def a_page(path: str) -> Any:  # noqa: ANN401 - a page of mkdocs
    """Return a page as mkdocs has it."""
    return SimpleNamespace(file=SimpleNamespace(src_uri=path), meta={}, url=f"{path}.html")


@pytest.mark.parametrize(
    ("path", "link", "leads"),
    [
        ("docs/errors.md", "../README.md#a-b", "../README.md#a-b"),
        ("docs/errors.md", "images/status.svg", "images/status.svg"),
        ("docs/errors.md", "../scripts/release.py", "../scripts/release.py.source.md"),
        ("docs/errors.md", "../.ci/run#L3", "../ci/run.source.md#L3"),
        ("README.md", "docs/adr", "docs/adr/README.md"),
        ("README.md", "docs/reference.md#python-names", "docs/api.md"),
        ("docs/errors.md", "reference.md#python-names", "api.md"),
        ("docs/errors.md", "reference.md#settings", "reference.md#settings"),
        ("docs/errors.md", "https://rasa.com/docs.md", "https://rasa.com/docs.md"),
        ("docs/errors.md", "#below", "#below"),
        ("docs/api.md", "../scripts/release.py", "../scripts/release.py"),
        ("ci/run.source.md", "../README.md", "../README.md"),
    ],
)
def test_a_link_leads_to_the_page_that_shows_it(
    hooks: SimpleNamespace, path: str, link: str, leads: str
) -> None:
    """A page keeps its path; what is made of code stays as it was written."""
    said = hooks.on_page_markdown(f"a [b]({link}) [c]({link})", a_page(path))
    assert said == f"a [b]({leads}) [c]({leads})"


@pytest.mark.parametrize(
    ("path", "boost"),
    [
        *((path, 0.2) for path in ("docs/api.md", "docs/adr/0006-http-500.md", "CHANGELOG.md")),
        *((path, 0.2) for path in ("benchmarks/results/rush.md", "tests/mutants/survivors.md")),
        *((path, None) for path in ("README.md", "docs/errors.md", "docs/README.pt-BR.md")),
    ],
)
def test_guides_are_found_first(hooks: SimpleNamespace, path: str, boost: float | None) -> None:
    """And then the API, and what is for those who change the code."""
    hooks.on_page_markdown("", page := a_page(path))
    assert page.meta == ({} if boost is None else {"search": {"boost": boost}})


def test_what_belongs_to_a_list_is_indented_by_four(hooks: SimpleNamespace) -> None:
    """A block of code as a whole, by its fence; a blank line stays blank."""
    page = ["1. a", "", "   b", "   ```sh", " c", "     d", "", "   ```", "  - e", "    f", "g"]
    made = [*hooks.indented("\n".join(page))]
    assert [line.strip() for line in made] == [line.strip() for line in page]
    assert [len(line) - len(line.strip()) for line in made] == [0, 0, 4, 4, 2, 6, 0, 4, 4, 4, 0]


def test_a_folder_or_file_without_a_page_gets_one(hooks: SimpleNamespace) -> None:
    """A folder lists what is below it, pages by their headings; search leaves code out."""
    paths = ["docs/adr/0006-http-500.md", "docs/adr/b/c.py", "docs/adrs.md", "docs/errors.md"]
    assert hooks.shows("docs/adr", paths) == (
        "# docs/adr\n\n- [6. HTTP 500 is not retried](0006-http-500.md)\n- `b/c.py`"
    )
    code = (ROOT / "scripts" / "release.py").read_text(encoding="utf-8")
    assert hooks.shows("scripts/release.py", paths) == (
        f"---\nsearch:\n  exclude: true\n---\n# scripts/release.py\n\n````py\n{code}\n````\n"
    )
    made = hooks.api("rasa_ps7.testing").split("\n\n")
    assert (made[0], made[2]) == ("# rasa_ps7.testing", "::: rasa_ps7.testing.FAULTS")
    assert hooks.api("rasa_ps7").split("\n\n")[2].startswith("::: rasa_ps7.Action")


@pytest.mark.parametrize(
    ("path", "language", "links"),
    [
        ("docs/a.md", "en", ["docs/a.md.html", "docs/a.pt-BR.md.html"]),
        ("docs/a.pt-BR.md", "pt-BR", ["docs/a.md.html", "docs/a.pt-BR.md.html"]),
        ("docs/b.md", "en", ["docs/b.md.html", "README.pt-BR.md.html"]),
        ("docs/c.pt-BR.md", "pt-BR", [".", "docs/c.pt-BR.md.html"]),
    ],
)
def test_the_switch_names_the_page_in_both_languages(
    hooks: SimpleNamespace, path: str, language: str, links: list[str]
) -> None:
    """Or the first page, where there is none; mkdocs has nothing for the address of the site's."""
    names = ("README.md", "README.pt-BR.md", "docs/a.md", "docs/a.pt-BR.md", "docs/b.md")
    nav = SimpleNamespace(pages=[a_page(name) for name in (*names, "docs/c.pt-BR.md")])
    nav.pages[0].url = ""
    config = SimpleNamespace(theme={}, extra={})
    assert hooks.on_page_context({"nav": nav}, a_page(path), config) == {"nav": nav}
    assert config.theme == {"language": language}
    assert config.extra["alternate"] == [
        {"name": name, "lang": lang, "link": link}
        for (lang, name), link in zip(
            {"en": "English", "pt-BR": "Português"}.items(), links, strict=True
        )
    ]


def test_every_page_and_what_pages_link_is_on_the_site(hooks: SimpleNamespace) -> None:
    """Beside what the theme has; the files of mkdocs' own folder are left out."""
    theme, own = SimpleNamespace(src_dir="theme"), SimpleNamespace(src_dir="docs")
    config = SimpleNamespace(docs_dir="docs")
    first, *found = hooks.on_files([theme, own], config)
    assert first is theme
    made = dict(found)
    assert {*names(), "docs/images/status.svg", *hooks.API} <= made.keys()
    assert made["docs/errors.md"] == {"abs_src_path": str(ROOT / "docs" / "errors.md")}
    assert made["docs/adr/README.md"] == {"content": hooks.shows("docs/adr", hooks.tracked())}
    assert [name for name in made if name.startswith(".") or name == "scripts/release.py"] == []


def test_search_finds_an_answer_by_its_questions(hooks: SimpleNamespace, tmp_path: Path) -> None:
    """In both languages; a question that no part of a page answers stops the build."""
    questions = hooks.questions()
    place = max(questions, key=lambda each: len(questions[each]))
    asked = questions.pop(place)
    assert len(asked) > 1
    every = [{"location": each, "text": "t"} for each in ("docs/x.html", place, *questions)]
    file = tmp_path / "search" / "search_index.json"
    worker = tmp_path / "assets" / "javascripts" / "workers" / "search.1.min.js"
    for path, text in ((file, {"config": {"fields": {}}, "docs": every}), (worker, "theirs")):
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(text))
    hooks.on_post_build(SimpleNamespace(site_dir=tmp_path))
    index = json.loads(file.read_text())
    said = "".join(f"<p>{html.escape(each)}</p>" for each in asked)
    first = {"location": place, "text": f"{said}t", "questions": " ".join(asked)}
    assert index["docs"][:2] == [every[0], first]
    assert index["config"] == {"fields": {"questions": {"boost": 5}}}
    ours = (ROOT / "docs" / "site" / "search.js").read_text(encoding="utf-8")
    assert worker.read_text() == f'"theirs"\n{ours}'
    file.write_text(json.dumps(index | {"docs": every[:-1]}))
    with pytest.raises(ValueError, match="no part of a page answers"):
        hooks.on_post_build(SimpleNamespace(site_dir=tmp_path))


SITE = "sessão versão agência agency ps7_read_timeout contato"
LOOKED_FOR: dict[str, list[list[Any]]] = {
    "sessao": [["sessão", 0.8]],
    "versoes": [["versão", 0.8]],
    "agencia": [["agência", 0.8], ["agency", 0.4]],
    "timeout": [["timeout*", 1], ["ps7_read_timeout", 0.2]],
    "de sessão": [["sessão", 1]],
    "de": [["de*", 1]],
    "conta": [["conta*", 1]],
}
"""What the search looks for, and how much it counts, on a site of these words: no stemmer helps."""


def test_a_typed_word_finds_its_forms_what_is_like_it_and_names() -> None:
    """With accents or without; an idle word nothing, beside another."""
    if not (node := shutil.which("node")):
        lacking("Node.js", "apt-get install nodejs")
    program, search = Path(__file__).with_name("search_words.mjs"), ROOT / "docs/site/search.js"
    found = json.loads(printed(node, program, search, SITE, *LOOKED_FOR))
    assert dict(zip(LOOKED_FOR, found, strict=True)) == LOOKED_FOR
