"""A headless browser, where one is installed: it runs a page's scripts, and a script of a test's after them."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from evo.visualize.page.document import SCRIPTS, read_static, scripts, shaders
from tests.support.html_pages import Reader

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NODE = shutil.which("node")
# WebGL in software: nothing depends on the machine's graphics.
_WEBGL = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")
_FLAGS = ("--headless=new", "--no-sandbox", *_WEBGL, "--window-size=500,500", "--virtual-time-budget=20000")


def run_in_browser(content: str, probe: str) -> str:
    """Return what a script says by `say(text)`; it runs within a page's own, which have not started. content: JSON."""
    assert CHROMIUM is not None
    data = content.replace("<", "\\u003c")
    html = f"""<!DOCTYPE html><meta charset="utf-8"><style>{read_static("page.css")}</style>{read_static("body.html")}
<script type="application/json" id="content">{data}</script><pre id="told"></pre><script>
{shaders()}
{scripts(SCRIPTS)}
const say = (text) => {{ document.getElementById("told").textContent = text; }};
(async () => {{ {probe} }})().catch((error) => say(`failed: ${{error.stack}}`));
</script>"""
    with tempfile.TemporaryDirectory(prefix="evo-browser-") as folder:
        page = Path(folder) / "page.html"
        page.write_text(html)
        return page_in_browser(page.as_uri()).texts["pre"][-1]


def page_in_browser(address: str) -> Reader:
    """Return what a page has become after some seconds of its own clock."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(prefix="evo-browser-") as folder:
        own = (f"--user-data-dir={folder}/profile", "--dump-dom", address)
        done = subprocess.run([CHROMIUM, *_FLAGS, *own], capture_output=True, text=True, timeout=300, check=True)
    return Reader(done.stdout)


def run_in_node(names: tuple[str, ...], probe: str) -> str:
    """Return what a script prints, after some of a page's scripts."""
    assert NODE is not None
    text = f'"use strict";\n{scripts(names)}\n(async () => {{ {probe} }})();'
    return subprocess.run([NODE, "-"], input=text, capture_output=True, text=True, timeout=120, check=True).stdout
