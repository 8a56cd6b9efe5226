"""What the pictures of `docs/images` share: colours, looks, boxes, arrows and the file itself.

A script beside this one has `pictures()`: the files that it draws, by their names.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

IMAGES = Path(__file__).parents[1] / "images"

LIGHT = {
    "paper": "#ffffff",
    "ink": "#1f2328",
    "soft": "#59636e",
    "line": "#afb8c1",
    "box": "#f6f8fa",
    "ours": "#0b5cad",
    "ours-box": "#eaf3fd",
    "only-if": "#8a5a00",
    "only-if-box": "#fff6e0",
    "bad": "#b42318",
    "bad-box": "#fdeceb",
}
DARK = {
    "paper": "#0d1117",
    "ink": "#f0f3f6",
    "soft": "#a6b0bb",
    "line": "#57606a",
    "box": "#1b222b",
    "ours": "#79b8ff",
    "ours-box": "#12263f",
    "only-if": "#e8b45a",
    "only-if-box": "#33280f",
    "bad": "#ff9b92",
    "bad-box": "#3b1715",
}
DASHED = {"stroke-dasharray": "5 3"}
# What is drawn with what: a name of a colour above, or a value as SVG has it.
LOOKS = {
    "said": {"fill": "ink"},
    "lane": {"fill": "ink", "font-size": "17", "font-weight": "600"},
    "soft": {"fill": "soft", "font-size": "12"},
    "ours": {"fill": "ours", "font-weight": "600"},
    "only-if": {"fill": "only-if", "font-weight": "600"},
    "bad": {"fill": "bad", "font-weight": "600"},
    "paper": {"fill": "paper"},
    "head": {"fill": "box", "stroke": "line"},
    "life": {"stroke": "line", "stroke-dasharray": "3 5"},
    "run": {"fill": "box", "stroke": "ours", "stroke-width": "1.5"},
    "stage": {"fill": "ours-box", "stroke": "ours"},
    "stage-only-if": {"fill": "only-if-box", "stroke": "only-if", **DASHED},
    "stage-bad": {"fill": "bad-box", "stroke": "bad"},
    "way": {"fill": "none", "stroke": "ink", "stroke-width": "1.5"},
    "way-ours": {"fill": "none", "stroke": "ours", "stroke-width": "1.5"},
    "way-only-if": {"fill": "none", "stroke": "only-if", "stroke-width": "1.5", **DASHED},
    "way-bad": {"fill": "none", "stroke": "bad", "stroke-width": "1.5", **DASHED},
    "tip": {"fill": "ink"},
    "tip-ours": {"fill": "ours"},
    "tip-only-if": {"fill": "only-if"},
    "tip-bad": {"fill": "bad"},
}
FONT = "system-ui, -apple-system, Segoe UI, DejaVu Sans, sans-serif"


def look(kind: str) -> str:
    """Write how something looks, in light colours, as attributes: every viewer reads those."""
    said = (f'{name}="{LIGHT.get(value, value)}"' for name, value in LOOKS[kind].items())
    return f'class="{kind}" {" ".join(said)}'


def dark() -> str:
    """Return the style sheet for whoever prefers dark: it wins over the attributes."""
    rules = (
        f"    .{kind} {{ {name}: {DARK[value]}; }}\n"
        for kind, drawn in LOOKS.items()
        for name, value in drawn.items()
        if value in DARK
    )
    return f"\n  @media (prefers-color-scheme: dark) {{\n{''.join(rules)}  }}\n"


def text(x: float, y: float, said: str, kind: str = "said") -> str:
    """Write one line, its middle at `x`; nothing if nothing is said."""
    if not said:
        return ""
    return f'<text x="{x:g}" y="{y:g}" {look(kind)}>{escape(said, quote=False)}</text>'


def box(x: float, y: float, width: float, height: float, kind: str) -> str:
    """Draw a box with round corners, its middle at `x`, its upper edge at `y`."""
    left = x - width / 2
    size = f'width="{width:g}" height="{height:g}"'
    return f'<rect {look(kind)} x="{left:g}" y="{y:g}" {size} rx="8"/>'


def way(points: str, kind: str = "") -> str:
    """Draw a line with a tip at its end; `points` is an SVG path."""
    end = f"-{kind}" if kind else ""
    return f'<path {look(f"way{end}")} d="{points}" marker-end="url(#tip{end})"/>'


def lane(x: int, name: str, detail: str, bottom: int) -> list[str]:
    """Draw who takes part: a head, and a line down."""
    return [
        f'<line {look("life")} x1="{x}" y1="76" x2="{x}" y2="{bottom}"/>',
        box(x, 20, 186, 56, "head"),
        text(x, 44, name, "lane"),
        text(x, 64, detail, "soft"),
    ]


def _marker(kind: str) -> str:
    """Define the tip of an arrow."""
    end = f"-{kind}" if kind else ""
    shape = f'<path {look(f"tip{end}")} d="M0 0L9 4.5L0 9z"/>'
    size = 'markerWidth="9" markerHeight="9" refX="8.5" refY="4.5"'
    return (
        f'<marker id="tip{end}" {size} orient="auto" markerUnits="userSpaceOnUse">{shape}</marker>'
    )


def svg(size: tuple[int, int], title: str, description: str, parts: Iterable[str]) -> str:
    """Give the whole file."""
    width, height = size
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
    font = f'font-family="{FONT}" font-size="14" text-anchor="middle"'
    lines = [
        f'{head} {font} aria-labelledby="title description">',
        f'<title id="title">{escape(title, quote=False)}</title>',
        f'<desc id="description">{escape(description, quote=False)}</desc>',
        f"<style>{dark()}</style>",
        f"<defs>{''.join(_marker(kind) for kind in ('', 'only-if', 'ours', 'bad'))}</defs>",
        f'<rect {look("paper")} width="{width}" height="{height}" rx="12"/>',
        *filter(None, parts),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def save(pictures: Mapping[str, str]) -> None:
    """Write each picture into its file."""
    for name, drawn in pictures.items():
        (IMAGES / name).write_text(drawn, encoding="utf-8")
