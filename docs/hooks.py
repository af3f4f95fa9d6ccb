"""Hooks of mkdocs: lists made from the code, files shown on pages, and links to files elsewhere in the repository.

A page links to a file outside of `docs/pages` by its path in the repository, so that the link holds where the page is
read there too. Such a file is published beside the pages, at the same path; a Markdown file becomes a page.
"""

import posixpath
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from generate import GENERATED, LIVE

from evo.runs.gallery import make_gallery

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
PAGES = ROOT / "docs" / "pages"
_LINK = re.compile(r"(?<=\]\()([^)\s#]+)(?=[)#])")
# Where an argument's meaning begins in a paragraph of a docstring, as in `out: the run directory. threads: …`.
_ARGUMENT = re.compile(r"(?:^|(?<=[.;] ))((?:[a-z_][a-z0-9_]*, )*[a-z_][a-z0-9_]*): ")
_FILE = re.compile(r"^<!-- file: (\S+) -->$", re.MULTILINE)
_KINDS = {".sh": "bash", ".yaml": "yaml", "": "docker"}  # of files that pages show, by the ends of their names
_MARK = re.compile(r"^<!-- generated: ([a-z-]+) -->$", re.MULTILINE)


def _outside(link: str, page: Path) -> Path | None:
    """Return the file outside of the pages that a link leads to, as a path in the repository; None for others."""
    target = (page.parent / link).resolve()
    if "://" in link or not target.is_file() or PAGES in target.parents or ROOT not in target.parents:
        return None
    return target.relative_to(ROOT)


def on_files(files: "Files", config: "MkDocsConfig") -> "Files":
    """Add the files outside of the pages that pages link to, and the gallery of the reference runs."""
    from mkdocs.structure.files import File

    waiting = [Path(file.abs_src_path) for file in files if file.src_uri.endswith(".md") and file.abs_src_path]
    while waiting:
        page = waiting.pop()
        for link in _LINK.findall(page.read_text()):
            found = _outside(link, page)
            if found is None or files.get_file_from_path(found.as_posix()):
                continue
            files.append(File.generated(config, found.as_posix(), abs_src_path=str(ROOT / found)))
            if found.suffix == ".md":
                waiting.append(ROOT / found)
    made = make_gallery(ROOT / "runs" / "reference", ROOT / "build" / LIVE).parent
    for path in made.iterdir():
        files.append(File.generated(config, f"{LIVE}/{path.name}", abs_src_path=str(path)))
    return files


def on_page_content(html: str, *, page: "Page", **_: Any) -> str:
    """Show the arguments that a paragraph of a docstring explains as a list, a line each."""
    return re.sub(r"<p>(.*?)</p>", _listed, html, flags=re.DOTALL) if page.file.src_uri == "api.md" else html


def _listed(paragraph: re.Match[str]) -> str:
    before, *parts = _ARGUMENT.split(paragraph[1].replace("\n", " "))
    items = (
        f"<li><code>{names}</code>: {meaning.strip().removesuffix(';')}</li>"
        for names, meaning in zip(parts[::2], parts[1::2], strict=True)
    )
    if not parts:
        return paragraph[0]
    return f'{f"<p>{before.strip()}</p>" if before else ""}<ul class="arguments">{"".join(items)}</ul>'


def on_page_markdown(markdown: str, *, page: "Page", **_: Any) -> str:
    """Insert generated lists and the files that it shows, and rewrite links that leave the pages."""
    source = Path(str(page.file.abs_src_path))

    def rewritten(match: re.Match[str]) -> str:
        found = _outside(match[1], source)
        return match[1] if found is None else posixpath.relpath(found.as_posix(), posixpath.dirname(page.file.src_uri))

    def shown(match: re.Match[str]) -> str:
        path = ROOT / match[1]
        return f'```{_KINDS[path.suffix]} title="{path.name}"\n{path.read_text()}```'

    return _FILE.sub(shown, _MARK.sub(lambda match: GENERATED[match[1]](), _LINK.sub(rewritten, markdown)))
