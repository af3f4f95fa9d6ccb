"""A gallery of runs: a page for each creature and one that leads to all, whatever the runs are called."""

import logging
import re
import shutil
from pathlib import Path
from urllib.parse import unquote

import pytest

import evo
from evo.cli import app
from evo.envs.notes import note
from evo.errors import EvoError
from evo.runs.gallery import make_gallery
from tests.support.html_pages import Reader, content_of
from tests.support.places import REFERENCE

HOSTILE = "<script>alert(1)"


@pytest.fixture
def runs(finished_run: Path, tmp_path: Path) -> Path:
    """A folder of runs: with a film, without one, without a world, of a hostile name, damaged, and no run at all."""
    folder = tmp_path / "runs"
    for name in ("plain", HOSTILE, "!", "?", "index", "damaged"):
        shutil.copytree(finished_run, folder / name)
    shutil.copytree(REFERENCE / "cartpole", folder / "filmed")
    (folder / "damaged" / "champion.npz").write_bytes(b"nothing")
    (folder / "notes").mkdir()
    evo.run("sphere", dim=2, method="ga", generations=2, out=folder / "sphere", video=False, threads=1)
    return folder


def test_every_run_has_its_picture_and_its_page(
    runs: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    note.cache_clear()
    out = tmp_path / "gallery"
    with caplog.at_level(logging.INFO, logger="evo"):
        app(["gallery", str(runs), "--out", str(out), "--seconds", "0.2"], standalone_mode=False)
    said = capsys.readouterr().out
    assert said.count("shown ") == 7 and f"gallery {out}/index.html" in said
    assert f"the gallery leaves out {runs / 'damaged'}: " in caplog.text
    html = (out / "index.html").read_text()
    reader = Reader(html)
    shown = [attributes["src"] for tag, attributes in reader.elements if tag == "img"]
    pages = [attributes["href"] for tag, attributes in reader.elements if tag == "a"]
    assert len(shown) == len(set(shown)) == 7 and len(pages) == len(set(pages)) == 6
    assert all((out / unquote(name or "")).is_file() for name in [*shown, *pages])
    assert {Path(name or "").suffix for name in shown} == {".png", ".webp", ".svg"}
    names = {content_of((out / (page or "")).read_text())["creatures"][0]["name"] for page in pages}
    assert names == {"plain", HOSTILE, "!", "?", "index", "filmed"} and set(reader.texts["b"]) == names | {"sphere"}
    assert "script" not in reader.texts and html == (out / "index.html").read_text()
    (policy,) = (one["content"] for tag, one in reader.elements if one.get("http-equiv") == "Content-Security-Policy")
    assert policy and policy.startswith("default-src 'none'; img-src 'self' file:; style-src 'sha256-")
    assert not re.findall(r"https?://", html)


def test_a_gallery_is_made_again_and_nothing_else_is_overwritten(finished_run: Path, tmp_path: Path) -> None:
    shutil.copytree(finished_run, tmp_path / "runs" / "one")
    first = make_gallery(tmp_path / "runs", tmp_path / "out", 0.2).read_bytes()
    assert make_gallery(tmp_path / "runs", tmp_path / "out", 0.2).read_bytes() == first
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("<p>mine")
    with pytest.raises(EvoError, match="site holds other files than a gallery's; choose another folder by --out"):
        make_gallery(tmp_path / "runs", tmp_path / "site")
    with pytest.raises(EvoError, match="holds no run to show"):
        make_gallery(tmp_path / "site", tmp_path / "other")
    with pytest.raises(EvoError, match="seconds must be more than 0"):
        make_gallery(tmp_path / "runs", tmp_path / "other", 0)
    assert (tmp_path / "site" / "index.html").read_text() == "<p>mine" and not (tmp_path / "other").exists()


def test_the_page_on_the_gallery_shows_every_reference_run_that_has_a_film() -> None:
    text = (REFERENCE.parents[1] / "docs" / "pages" / "gallery.md").read_text()
    films = {path.parents[1].name for path in REFERENCE.glob("*/videos/champion.webp")}
    assert {name for name in films if f"reference/{name}/videos/champion.webp" in text} == films and len(films) > 10
