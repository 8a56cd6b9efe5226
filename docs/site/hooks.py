"""What mkdocs lacks to make a site of this repository: where pages are, and how GitHub reads them.

A page keeps its path, so that the links between pages lead where they do on GitHub. A file or
folder of the repository that a page links becomes a page too, which shows it. The API's pages are
made of docstrings, one entry for each name that a package exports.
"""

from __future__ import annotations

import ast
import json
import posixpath
import re
import subprocess
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
PORTUGUESE = ".pt-BR."
LANGUAGES = {"en": "English", "pt-BR": "Português"}
IMAGES = (".png", ".svg")
API = {"docs/api.md": "rasa_ps7", "docs/api-testing.md": "rasa_ps7.testing"}
BACKGROUND = ("benchmarks/", "docs/adr/", "tests/", "CHANGELOG", "CONTRIBUTING", *API)
EXAMPLES = (
    "Examples run as in `python -m asyncio`. Of the [test kit](testing.md#fixtures), `bot` and "
    "`ps7` are there, and [Ana](testing.md#customers-and-faults) has arrived: `tracker` is what an "
    "action of hers gets, and `customer` its `verified_context`. So are both packages' names."
)
ON_THE_SITE = {"docs/reference.md#python-names": "docs/api.md"}
"""Where links lead that have more here than on GitHub."""
LINK = re.compile(r"\]\(([\w./-]+)(#[^)]*)?\)")
QUESTION = re.compile(r"\[([^\]]+\?)\]\(([\w./-]+)(#[^)]*)?\)")
FENCE = re.compile(r"( *)```")


def tracked() -> list[str]:
    """Return the path of every file of the repository that git knows or would take."""
    listed = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    found = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
    return sorted({path for path in found.stdout.split("\0") if (ROOT / path).is_file()})


def target_of(link: str, page: str) -> str:
    """Return the path of what a page links, from the root of the repository."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), link))


def shown_as(path: str) -> str:
    """Return the page that shows a file or a folder of the repository."""
    if (ROOT / path).is_dir():
        return f"{path}/README.md"
    if path.endswith((".md", *IMAGES)):
        return path
    return f"{path.lstrip('.')}.source.md"  # mkdocs leaves out what begins with a dot


def heading(path: str) -> str:
    """Return what a page is about: its first heading."""
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    return next((line.removeprefix("# ") for line in lines if line.startswith("# ")), path)


def shows(path: str, files: list[str]) -> str:
    """Return a page that shows a file, or what a folder has."""
    if (ROOT / path).is_dir():
        names = [file.removeprefix(f"{path}/") for file in files if file.startswith(f"{path}/")]
        lines = [
            f"- [{heading(f'{path}/{each}')}]({each})" if each.endswith(".md") else f"- `{each}`"
            for each in names
        ]
        return "\n".join([f"# {path}\n", *lines])
    kind = Path(path).suffix.removeprefix(".")
    code = (ROOT / path).read_text(encoding="utf-8")
    return f"---\nsearch:\n  exclude: true\n---\n# {path}\n\n````{kind}\n{code}\n````\n"


def api(package: str) -> str:
    """Return the page about what a package exports."""
    init = ROOT / "actions" / "ps7" / "/".join(package.split(".")[1:]) / "__init__.py"
    (exported,) = (
        ast.literal_eval(each.value)
        for each in ast.parse(init.read_text(encoding="utf-8")).body
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "__all__"
    )
    entries = (f"::: {package}.{name}" for name in exported)
    return "\n\n".join([f"# {package}", EXAMPLES, *entries])


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take the pages of the repository, what they show or link, and what the theme has."""
    theme = [each for each in files if each.src_dir != config.docs_dir]
    paths = tracked()
    pages = [path for path in paths if path.endswith(".md") and not path.startswith(".")]
    made = {name: api(package) for name, package in API.items()}
    for page in pages:
        text = (ROOT / page).read_text(encoding="utf-8")
        for link, _ in LINK.findall(text):
            target = target_of(link, page)
            if shown_as(target) not in paths and (ROOT / target).exists():
                made[shown_as(target)] = shows(target, paths)
    images = [path for path in paths if path.startswith("docs/images/")]
    return Files(
        [
            *theme,
            *(
                File.generated(config, each, abs_src_path=str(ROOT / each))
                for each in (*pages, *images)
            ),
            *(File.generated(config, name, content=text) for name, text in made.items()),
        ]
    )


def indented(markdown: str) -> Iterator[str]:
    """Indent what belongs to a list as Python's Markdown wants it: by four, not by two or three."""
    fence = None
    for line in markdown.splitlines():
        spaces = len(line) - len(line.lstrip(" "))
        opens = FENCE.match(line)
        deeper = spaces if fence is None else fence
        yield " " * (-deeper % 4) + line if line.strip() else line
        if opens:
            fence = spaces if fence is None else None


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Read a page as GitHub does, and lead to the pages that show files and folders.

    Search finds guides first; then the API, and what is for those who change the code.
    """
    path = page.file.src_uri
    if path.startswith(BACKGROUND):
        page.meta.setdefault("search", {})["boost"] = 0.2
    if path.endswith(".source.md") or path in API:
        return markdown

    def led(link: re.Match[str]) -> str:
        target, place = target_of(link[1], path), link[2] or ""
        shown = ON_THE_SITE.get(target + place) or shown_as(target) + place
        return f"]({posixpath.relpath(shown, posixpath.dirname(path))})"

    return LINK.sub(led, "\n".join(indented(markdown)))


def on_page_context(
    context: dict[str, Any], page: Page, config: MkDocsConfig, **_: object
) -> dict[str, Any]:
    """Say in which language a page is, and let the switch lead to the same page in the other."""
    path = page.file.src_uri
    base = path.replace(PORTUGUESE, ".")
    files = {"en": base, "pt-BR": base.removesuffix(".md") + f"{PORTUGUESE}md"}
    start = {"en": "README.md", "pt-BR": f"README{PORTUGUESE}md"}
    urls = {each.file.src_uri: each.url for each in context["nav"].pages}
    config.theme["language"] = "pt-BR" if PORTUGUESE in path else "en"
    config.extra["alternate"] = [
        {"name": name, "lang": lang, "link": urls.get(files[lang], urls[start[lang]]) or "."}
        for lang, name in LANGUAGES.items()
    ]
    return context


def questions() -> dict[str, list[str]]:
    """Return what the lists of questions ask, by the place of the site that answers."""
    asked: dict[str, list[str]] = {}
    for page in ("docs/README.md", f"docs/README{PORTUGUESE}md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for question, link, place in QUESTION.findall(text):
            answer = re.sub(r"README\.md$", "index.md", shown_as(target_of(link, page)))
            asked.setdefault(answer.removesuffix("md") + f"html{place}", []).append(question)
    return asked


def on_post_build(config: MkDocsConfig, **_: object) -> None:
    """Let search find an answer by its questions, and know the forms of a word.

    A part of a page begins with its questions, in both languages; the theme's worker ends with
    our script.
    """
    found = Path(config.site_dir, "search", "search_index.json")
    index = json.loads(found.read_text(encoding="utf-8"))
    asked = questions()
    for entry in index["docs"]:
        if own := asked.pop(entry["location"], None):
            entry["questions"] = " ".join(own)
            entry["text"] = "".join(f"<p>{escape(each)}</p>" for each in own) + entry["text"]
    if asked:
        raise PluginError(f"no part of a page answers: {asked}")
    index["config"]["fields"]["questions"] = {"boost": 5}
    found.write_text(json.dumps(index), encoding="utf-8")
    workers = Path(config.site_dir, "assets", "javascripts", "workers")
    (worker,) = workers.glob("search.*.min.js")
    ours = Path(__file__).with_name("search.js").read_text(encoding="utf-8")
    worker.write_text(f"{worker.read_text(encoding='utf-8')}\n{ours}", encoding="utf-8")
