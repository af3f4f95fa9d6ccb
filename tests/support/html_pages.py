"""Pages of creatures, read back as a browser reads them."""

import json
from html.parser import HTMLParser
from typing import Any


class Reader(HTMLParser):
    """Collects elements (tag, attributes) and the text within each kind of element."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open.append(tag)
        self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1]][-1] += data


def content_of(html: str) -> dict[str, Any]:
    """What a page holds: its title and creatures, arrays still packed."""
    reader = Reader(html)
    scripts = [attributes for tag, attributes in reader.elements if tag == "script"]
    assert scripts[0] == {"type": "application/json", "id": "content"}
    return json.loads(reader.texts["script"][0])
