"""The page of a comparison: one self-contained HTML file that fetches nothing."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import NamedTuple

from evo.comparison.page_style import STYLE
from evo.errors import EvoError, one_line
from evo.storage.files import write_text

_MEDIA = {".svg": "image/svg+xml", ".png": "image/png", ".mp4": "video/mp4"}
# Content policy: a text that evaded escaping could still fetch nothing and run nothing.
_POLICY = "default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'"


class Tabulated(NamedTuple):
    """A table, and a note on how to read it."""

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True)
class Content:
    """Contents of the page, all plain text except the pictures; empty parts are left out.

    metric: of fitness. command: made the comparison. terms: name and value of each shared condition. deviations: where
    methods differ. settings: method → option → value. methods, thresholds, budgets, members: tables; tuning: one that
    may have its note alone. figures: .svg or .png file, its caption. race: an .mp4 file. commands: repeat the
    comparison or parts of it.
    """

    title: str
    metric: str
    command: str
    terms: Sequence[tuple[str, str]]
    deviations: Sequence[str]
    settings: Mapping[str, Mapping[str, str]]
    methods: Tabulated
    thresholds: Tabulated
    budgets: Tabulated
    tuning: Tabulated
    members: Tabulated
    findings: Sequence[str]
    failures: Sequence[str]
    figures: Sequence[tuple[Path, str]]
    race: Path | None
    commands: Sequence[str]


def write_page(path: Path, content: Content) -> None:
    """Write the page whole or not at all. Raises EvoError, also where a picture cannot be read."""
    write_text(path, page(content))


def page(content: Content) -> str:
    """Return the page as HTML. Raises EvoError where a picture cannot be read."""
    title, reaching = escape(content.title), f"Cost of a held-out {content.metric}"
    sections = [
        _section("Findings", _list(content.findings)),
        _section("Failures", _list(content.failures), kind="warning"),
        _section("Methods", _table(content.methods, "Methods")),
        _section(reaching, _table(content.thresholds, reaching)),
        _section("Equal budgets", _table(content.budgets, "Equal budgets")),
        _section("Race", _race(content.race)),
        _section("Figures", _figures(content.figures)),
        _section("Terms", _pairs(content.terms) + _list(content.deviations, "Not equal")),
        _section("Tuning", _table(content.tuning, "Tuning") or _note(content.tuning.note)),
        _section("Settings", _settings(content.settings)),
        _section("Runs", _table(content.members, "Runs")),
        _section("Commands", _code(content.commands)),
    ]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<header>
<h1>{title}</h1>
{_code([content.command])}
</header>
{"".join(sections)}</main>
</body>
</html>
"""


def _section(heading: str, body: str, kind: str = "plain") -> str:
    return f'<section class="{kind}">\n<h2>{escape(heading)}</h2>\n{body}</section>\n' if body else ""


def _list(items: Iterable[str], heading: str = "") -> str:
    lines = "".join(f"<li>{escape(item)}</li>\n" for item in items)
    above = f"<h3>{heading}</h3>\n" if heading else ""
    return f"{above}<ul>\n{lines}</ul>\n" if lines else ""


def _pairs(pairs: Iterable[tuple[str, str]]) -> str:
    lines = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>\n" for name, value in pairs)
    return f"<dl>\n{lines}</dl>\n" if lines else ""


def _settings(settings: Mapping[str, Mapping[str, str]]) -> str:
    blocks = (
        f"<div>\n<h3>{escape(method)}</h3>\n{_pairs(options.items())}</div>\n" for method, options in settings.items()
    )
    joined = "".join(blocks)
    return f'<div class="columns">\n{joined}</div>\n' if joined else ""


def _table(content: Tabulated, label: str) -> str:
    """Return a table in a box that scrolls sideways, also by keyboard; columns of words are left-aligned."""
    if not content.rows:
        return ""
    columns = zip(*content.rows, strict=True)
    words = [all(cell[:1].isalpha() or cell[:1] in "./~" for cell in column) for column in columns]
    names = "".join(_cell("th", name, word, ' scope="col"') for name, word in zip(content.header, words, strict=True))
    lines = "".join(f"<tr>{_cells(row, words)}</tr>\n" for row in content.rows)
    table = f"<table>\n<thead><tr>{names}</tr></thead>\n<tbody>\n{lines}</tbody>\n</table>\n"
    return f"{_box(label)}\n{table}</div>\n{_note(content.note)}"


def _note(text: str) -> str:
    return f"<p>{escape(text)}</p>\n" if text else ""


def _cells(row: Sequence[str], words: Sequence[bool]) -> str:
    cells = (_cell("td", text, word) for text, word in zip(row[1:], words[1:], strict=True))
    return _cell("th", row[0], words[0], ' scope="row"') + "".join(cells)


def _cell(tag: str, text: str, word: bool, attributes: str = "") -> str:
    kind = ' class="word"' if word else ""
    return f"<{tag}{kind}{attributes}>{escape(text)}</{tag}>"


def _box(label: str) -> str:
    return f'<div class="scroll" role="region" aria-label="{escape(label)}" tabindex="0">'


def _figures(figures: Iterable[tuple[Path, str]]) -> str:
    return "".join(_figure(source, caption, f"Figure {number}") for number, (source, caption) in enumerate(figures, 1))


def _figure(source: Path, caption: str, label: str) -> str:
    text = escape(caption)
    # As an image, not inline: ids of two inline drawings would clash, and an image runs and fetches nothing.
    picture = f'<img src="{_embed(source)}" alt="{text}">'
    return f"<figure>\n{_box(label)}{picture}</div>\n<figcaption>{label}. {text}</figcaption>\n</figure>\n"


def _race(source: Path | None) -> str:
    if source is None:
        return ""
    caption = "For each method the champion of median return among its seeds, in an episode that is typical of them."
    video = f'<video src="{_embed(source)}" controls muted loop playsinline aria-label="{caption}"></video>'
    return f"<figure>\n{video}\n<figcaption>{caption}</figcaption>\n</figure>\n"


def _code(lines: Iterable[str]) -> str:
    joined = escape("\n".join(lines))
    return f'<pre tabindex="0"><code>{joined}</code></pre>\n' if joined else ""


def _embed(source: Path) -> str:
    """Return a file as a data: URL. Raises EvoError."""
    media = _MEDIA.get(source.suffix.lower())
    if media is None:
        raise EvoError(f"cannot show {source.name!r} on a page: the suffix must be one of {', '.join(_MEDIA)}")
    try:
        data = source.read_bytes()
    except OSError as error:
        raise EvoError(f"cannot read {source}: {one_line(error)}") from error
    return f"data:{media};base64,{base64.b64encode(data).decode('ascii')}"
