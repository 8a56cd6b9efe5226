"""The site that `make site` builds: every page and link, both languages, nothing from elsewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from urllib.parse import unquote

import pytest

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
    ("page", "shown"),
    [
        ("index", '<a href="README.pt-BR.html" hreflang="pt-BR"'),
        ("index", '<div class="highlight">'),
        ("README.pt-BR", '<html lang="pt"'),
        ("README.pt-BR", '<a href="docs/api.html"'),
        ("docs/operations", '<a href="../README.pt-BR.html" hreflang="pt-BR"'),
        ("docs/api", 'id="rasa_ps7.verified_context"'),
        ("docs/api-testing", 'class="doc-section-title">Examples'),
        ("docs/adr/index", '<a href="0006-http-500.html">6. HTTP 500 is not retried</a>'),
    ],
)
def test_a_page_has_what_the_hooks_make(site: Path, page: str, shown: str) -> None:
    """All that they make, `test_site_hooks` has."""
    assert shown in (site / f"{page}.html").read_text(encoding="utf-8")
