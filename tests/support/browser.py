"""A headless browser, where one is installed: it runs a page's scripts, and a script of a test's after them."""

import base64
import hashlib
import json
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


def run_in_saved_pages(pages: dict[str, str], widths: tuple[int, ...], probe: str) -> dict[tuple[str, int], str]:
    """Return what a script says by `say(text)` in each page, opened from a file at each width (CSS pixels).

    The pages start by themselves, under their own content policy, which lets this script run too.
    """
    told = "const say = (text) => parent.postMessage([name, text], '*');"
    # Headless Chromium's own clock runs ahead of its pictures: here a picture is a timer's business.
    timer = "window.requestAnimationFrame = (act) => setTimeout(() => act(performance.now()), 16);"
    act = f"{timer} {told} (async () => {{ {probe} }})().catch((error) => say(`failed: ${{error.stack}}`));"
    digest = base64.b64encode(hashlib.sha256(act.encode()).digest()).decode()
    with tempfile.TemporaryDirectory(prefix="evo-browser-") as folder:
        frames = []
        for page, html in pages.items():
            allowed = html.replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
            (Path(folder) / f"{page}.html").write_text(allowed.replace("<body>", f"<body><script>{act}</script>", 1))
            frames += [f'<iframe name="{page}:{width}" src="{page}.html" style="width:{width}px;height:860px;border:0">'
                       "</iframe>" for width in widths]  # fmt: skip
        listen = """const told = {}; addEventListener("message", ({ data: [name, text] }) => {
            told[name] = text; document.querySelector("pre").textContent = JSON.stringify(told); });"""
        outer = Path(folder) / "outer page.html"
        outer.write_text(f"<!DOCTYPE html><pre>{{}}</pre><script>{listen}</script>{''.join(frames)}")
        said = json.loads(page_in_browser(outer.as_uri()).texts["pre"][0])
    return {(page, width): said[f"{page}:{width}"] for page in pages for width in widths}


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
