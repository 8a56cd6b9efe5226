"""The site that `make site` builds: every page and link, both languages, nothing from elsewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from actions import ps7
from actions.ps7 import testing
from tests.docs.documents import names
from tests.support.needs import lacking
from tests.support.processes import ROOT, printed

pytestmark = [pytest.mark.release, pytest.mark.xdist_group("site")]

MKDOCS = ROOT / ".venv-site" / "bin" / "mkdocs"
FROM_ELSEWHERE = re.compile(
    r"<(?:script|img|iframe|source)\b[^>]*\bsrc=[\"']?(?:https?:)?//"
    r"|<link\b[^>]*\bhref=[\"']?(?:https?:)?//"
    r"|url\([\"']?(?:https?:)?//|@import"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build it, strictly: a link that leads nowhere, or a page in no menu, stops that."""
    if not MKDOCS.exists():
        lacking("mkdocs", "make site")
    folder = tmp_path_factory.mktemp("site")
    build = ("build", "--strict", "--config-file", "docs/site/mkdocs.yml", "--site-dir", folder)
    printed(MKDOCS, *build, variables=os.environ | {"NO_MKDOCS_2_WARNING": "1"})
    return folder


def indexed(site: Path) -> list[dict[str, Any]]:
    """Return what the search of the site knows: pages and their parts."""
    text = (site / "search" / "search_index.json").read_text(encoding="utf-8")
    entries: list[dict[str, Any]] = json.loads(text)["docs"]
    return entries


def test_every_document_is_a_page(site: Path) -> None:
    """Where it is in the repository."""
    pages = {name.replace("README.md", "index.md").replace(".md", ".html") for name in names()}
    assert {page for page in pages if not (site / page).exists()} == set()


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    """No font, script, picture or style, by any page or style sheet; the theme's are there."""
    found = [*site.rglob("*.html"), *site.rglob("*.css")]
    texts = {path: path.read_text(encoding="utf-8") for path in found}
    assert [path for path, text in texts.items() if FROM_ELSEWHERE.search(text)] == []
    start = texts[site / "index.html"]
    own = re.findall(r"<(?:script|link)\b[^>]*\b(?:src|href)=\"([^\"]+\.(?:js|css))\"", start)
    assert len(own) >= 3
    assert [each for each in own if not (site / each).exists()] == []


@pytest.mark.parametrize(
    ("page", "language", "other"),
    [
        ("index", "pt-BR", "README.pt-BR.html"),
        ("README.pt-BR", "en", "index.html"),
        ("docs/tutorial", "pt-BR", "tutorial.pt-BR.html"),
        ("docs/tutorial.pt-BR", "en", "tutorial.html"),
        ("docs/operations", "pt-BR", "../README.pt-BR.html"),
        ("docs/runbook.pt-BR", "en", "../index.html"),
    ],
)
def test_the_switch_leads_to_the_same_page_in_the_other_language(
    site: Path, page: str, language: str, other: str
) -> None:
    """Or to the first page, if there is none. A page says its language to the browser."""
    text = (site / f"{page}.html").read_text(encoding="utf-8")
    assert f'<a href="{other}" hreflang="{language}"' in text
    assert f'<html lang="{"pt" if page.endswith(".pt-BR") else "en"}"' in text


@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("might not be compatible", "docs/errors.html"),
        ("PS7_MAX_CONNECTIONS", "docs/operations.html"),
        ("chegada assinada", "docs/security.pt-BR.html"),
        ("verified_context", "docs/api.html"),
    ],
)
def test_search_knows_the_words_of_a_page(site: Path, words: str, page: str) -> None:
    """In its index."""
    found = {each["location"].partition("#")[0] for each in indexed(site) if words in str(each)}
    assert page in found


def test_search_puts_guides_before_the_api_and_the_files(site: Path) -> None:
    """A page that only shows a file is not found at all."""
    boosts: dict[str, set[float]] = {}
    for each in indexed(site):
        boosts.setdefault(each["location"].partition("#")[0], set()).add(each.get("boost", 1))
    assert [page for page in boosts if ".source." in page] == []
    assert boosts["docs/api.html"] | boosts["docs/api-testing.html"] == {0.2}
    assert boosts["CONTRIBUTING.html"] | boosts["tests/mutants/survivors.html"] == {0.2}
    assert boosts["docs/integration.html"] | boosts["docs/README.pt-BR.html"] == {1}


ASKED = {
    "versões do Rasa": "docs/figures.html#which-versions-work",
    "voltar versao anterior": "docs/operations.html#upgrade-or-roll-back",
    "cliente trocou de conta": "docs/tutorial.pt-BR.html#2-diga-o-saldo",
    "PS7 caiu": "docs/runbook.pt-BR.html#ps7unavailable",
    "trocar certificado": "docs/operations.html#renew-a-certificate",
    "quem acessa o CPF": "docs/compliance.pt-BR.html#que-dados-o-bot-guarda-e-onde",
    "excluir os dados": "docs/operations.html#find-a-customers-conversations",
    "TLS CA mutual TLS": "docs/operations.html#proxy-mtls-workers-grpc",
    "readiness probe": "docs/operations.html#health-and-when-a-server-ends",
    "PS7 timeout": "docs/operations.html#when-ps7-or-the-network-fails",
    "bot não responde": "docs/errors.pt-BR.html#nothing",
    "desligando a consulta": "docs/operations.html#switch-the-lookup-off",
    "slot is always None": "docs/reference.html#slots",
    "PS7_MAX_CONN": "docs/operations.html#settings",
    "imagem assinada SBOM": "examples/deploy/index.html#the-image-of-the-action-server",
    "trocar a senha do PS7": "docs/operations.html#change-ps7s-password",
    "replicas CPU memory sizing": "docs/operations.html#how-many-servers-do-i-need",
    "refresh the segment": "docs/channels.html"
    "#the-contextid-and-the-sender-id-what-every-channel-must-do",
}


def test_search_answers_what_people_type(site: Path) -> None:
    """On the first two pages, among their first three parts, as the site's worker ranks them."""
    if not (node := shutil.which("node")):
        lacking("Node.js", "apt-get install nodejs")
    (worker,) = site.glob("assets/javascripts/workers/search.*.min.js")
    index = site / "search" / "search_index.json"
    ask = (node, str(Path(__file__).with_name("search.mjs")), str(worker), str(index), *ASKED)
    found = json.loads(printed(*ask))
    first = [{unquote(part) for page in pages[:2] for part in page[:3]} for pages in found]
    assert {q: p for (q, p), seen in zip(ASKED.items(), first, strict=True) if p not in seen} == {}


@pytest.mark.parametrize(
    ("page", "package", "exported"),
    [("api", "rasa_ps7", ps7.__all__), ("api-testing", "rasa_ps7.testing", testing.__all__)],
)
def test_the_api_has_every_name(site: Path, page: str, package: str, exported: list[str]) -> None:
    """By the name by which a bot imports it, with its example."""
    text = (site / "docs" / f"{page}.html").read_text(encoding="utf-8")
    assert [name for name in exported if f'id="{package}.{name}"' not in text] == []
    assert text.count('class="doc-section-title">Examples') == len(exported)


@pytest.mark.parametrize("page", ["index", "README.pt-BR"])
def test_the_first_page_leads_to_the_api_and_the_errors(site: Path, page: str) -> None:
    """On GitHub, which has no page of the API, to the list of its names."""
    text = (site / f"{page}.html").read_text(encoding="utf-8")
    main = text.partition("<article")[2].partition("<h1")[0]
    language = page.removeprefix("index").removeprefix("README")
    assert 'href="docs/api.html"' in main
    assert f'href="docs/errors{language}.html"' in main


def test_the_decisions_are_listed_by_what_they_say(site: Path) -> None:
    """On a page that the repository does not have: there, it is a folder."""
    text = (site / "docs" / "adr" / "index.html").read_text(encoding="utf-8")
    assert '<a href="0006-http-500.html">6. HTTP 500 is not retried</a>' in text


def test_a_list_keeps_its_numbers_across_commands(site: Path) -> None:
    """The four steps of the README are one list, whose commands are within it."""
    text = (site / "index.html").read_text(encoding="utf-8")
    _, _, steps = text.partition('id="put-it-into-your-bot"')
    steps, _, _ = steps.partition('id="what-ps7_status-says"')
    assert steps.count("<ol>") == 1
    assert re.sub(r"(?s)^.*<ol>|</ol>.*$", "", steps).count('<div class="highlight">') == 6
