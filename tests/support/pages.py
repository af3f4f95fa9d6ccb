"""What the README and the pages of the documentation hold: blocks of code, links, headings."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from tests.support.places import ROOT

README = ROOT / "README.md"
PAGES = (README, *sorted((ROOT / "docs" / "pages").rglob("*.md")))

# A fence, its language and, of a file that the page shows, its name; before it, why a block is not run.
_BLOCK = re.compile(
    r'^(?:<!-- not run: (?P<why>[^\n]+) -->\n)?```(?P<kind>\w*)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$',
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A block of code. title: the file that it is; why: why it is not run, which its page says."""

    page: Path
    line: int
    kind: str
    title: str
    text: str
    why: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def commands(self) -> list[list[str]]:
        """Words of each command of a bash block, without comments."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [words for line in lines if (words := shlex.split(line, comments=True))]


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text()
    return [
        Block(
            page,
            text.count("\n", 0, found.start("text")) + 1,
            found["kind"],
            found["title"] or "",
            found["text"],
            found["why"] or "",
        )
        for found in _BLOCK.finditer(text)
    ]


BLOCKS = {page: blocks_of(page) for page in PAGES}
_FIRST: dict[str, Path] = {}  # the page that a command is run for
for _page, _blocks in BLOCKS.items():
    for _block in _blocks:
        for _words in _block.commands if _block.kind == "bash" and not _block.why else ():
            _FIRST.setdefault(shlex.join(_words), _page)


def is_run_here(words: list[str], page: Path) -> bool:
    """Whether a command is run for this page: for one of all, or for each where it names a run that its page makes."""
    own = any(word.startswith("runs/") and not word.startswith("runs/reference") for word in words)
    return own or _FIRST[shlex.join(words)] == page
