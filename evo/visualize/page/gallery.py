"""The gallery's HTML: a picture of each run, with its facts, that leads to its page."""

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from typing import NamedTuple
from urllib.parse import quote

from evo.errors import printable
from evo.visualize.page.document import read_static

MADE_BY = '<meta name="generator" content="evo gallery">'  # by which a gallery is known again


class Exhibit(NamedTuple):
    """A run in a gallery. facts: texts below its name. picture, page: names of files beside it; page may be empty."""

    name: str
    facts: Sequence[str]
    picture: str
    page: str


def gallery_document(title: str, exhibits: Sequence[Exhibit]) -> str:
    """Return the gallery as HTML without scripts. Every text in it may come from a stranger."""
    style = read_static("gallery.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src 'self' file:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    title = escape(printable(title))
    shown = "\n".join(map(_figure, exhibits)) or "<p>No run to show.</p>"
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
{MADE_BY}
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<div id="exhibits">
{shown}
</div>
</main>
</body>
</html>
"""


def _figure(exhibit: Exhibit) -> str:
    name = escape(printable(exhibit.name))
    shown = f'<img src="{quote(exhibit.picture)}" alt="{name}" loading="lazy"><b>{name}</b>'
    if exhibit.page:
        shown = f'<a href="{quote(exhibit.page)}">{shown}<em>turn it around</em></a>'
    facts = "".join(f"<span>{escape(printable(fact))}</span>" for fact in exhibit.facts)
    return f"<figure>{shown}<figcaption>{facts}</figcaption></figure>"
