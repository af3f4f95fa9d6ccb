"""The atlas of a run: its elites walk as they were scored, spread over the map, on a page of 5 MB at most."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evo
from evo.errors import EvoError
from evo.numerics.randomness import selection_seeds
from evo.runs.atlas import spread, view_archive
from evo.visualize.page.packing import unpack
from tests.support.browser import CHROMIUM, run_in_saved_pages
from tests.support.html_pages import Reader, content_of

SETTINGS = {"method.population_size": 12, "method.mutate": "gaussian:sigma=0.3"}


def run(out: Path, **settings: Any) -> evo.Run:
    few = {**SETTINGS, **{f"method.{name}": value for name, value in settings.items()}}
    return evo.run("point-mass", network="linear", method="map-elites", generations=6, video=False, threads=1,
                   out=out, settings=few)  # fmt: skip


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> evo.Run:
    return run(tmp_path_factory.mktemp("atlas") / "run", archive="grid:6x8")


def test_elites_on_the_page_are_those_of_the_archive_and_walk_as_they_were_scored(walked: evo.Run) -> None:
    archive, content = walked.archive, content_of(walked.view_archive(cells=3, seconds=1.0).html)
    atlas, (creature,) = content["atlas"], content["creatures"]
    assert atlas["labels"] == [archive.label(elite) for elite in range(len(archive))]
    np.testing.assert_allclose(atlas["returns"], archive.corrected_fitness, rtol=1e-5)
    np.testing.assert_allclose(atlas["measures"], archive.measures, rtol=1e-5)
    assert len(atlas["walking"]) == len(creature["episodes"]) == 3 and len(set(atlas["walking"])) == 3
    assert int(np.argmax(archive.corrected_fitness)) in atlas["walking"]
    task = walked.champion.walking.task
    stride = round(creature["scene"]["period"] / task.control_period)
    geoms = evo.visualize.page.drawn_geoms(task.model)
    for elite, episode in zip(atlas["walking"], creature["episodes"], strict=True):
        champion = walked.elite(archive.label(elite))
        assert episode["label"] == f"cell {archive.label(elite)}"
        assert episode["seed"] in selection_seeds(4) and episode["total"] in champion.selection_returns
        trajectory = champion.rollout(episode["seed"])
        whole = evo.visualize.page.record_episode(task, geoms, trajectory, "", 0, 1.0)
        poses = unpack(episode["poses"])
        np.testing.assert_array_equal(poses, whole.poses[::stride])
        np.testing.assert_array_equal(unpack(episode["earned"]), whole.earned[::stride])


def test_a_run_with_an_archive_is_an_atlas_unless_no_cells_are_wanted(walked: evo.Run, finished_run: Path) -> None:
    page = evo.view(walked.path, cells=2, seconds=0.2)
    assert page.html == evo.load(walked.path).view_archive(cells=2, seconds=0.2).html
    assert len(page.html.encode()) <= 5_000_000 and "connect-src" not in page.html
    assert "atlas" not in content_of(evo.view(walked.path, cells=0, seconds=0.2, fossils=0).html)
    assert "atlas" not in content_of(evo.view(walked.path, walked.path, seconds=0.2, fossils=0).html)
    with pytest.raises(EvoError, match="holds no archive"):
        evo.view(finished_run, cells=4)
    with pytest.raises(EvoError, match="name one run directory"):
        evo.view(walked.path, walked.path, cells=4)
    with pytest.raises(EvoError, match="cells must lie between 0 and 1,000, got -1"):
        evo.view(walked.path, cells=-1)


def test_what_does_not_fit_in_the_page_does_not_walk(walked: evo.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = walked.view_archive(cells=8, seconds=1.0)
    least = len(walked.view_archive(cells=2, seconds=1.0).html.encode())
    monkeypatch.setattr("evo.runs.atlas._LARGEST", least + 6000)
    short = view_archive(walked, 8, 1.0, None)
    assert len(short.html.encode()) <= least + 6000 < len(whole.html.encode())
    walking = content_of(short.html)["atlas"]["walking"]
    assert 1 <= len(walking) < 8 and walking == content_of(whole.html)["atlas"]["walking"][: len(walking)]
    assert f"{len(walking)} of {len(walked.archive)} elites walk" in short.html


def test_a_map_too_large_shows_the_fittest(walked: evo.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evo.runs.atlas._MAP", 140 * 3)
    atlas = content_of(walked.view_archive(cells=2, seconds=0.2).html)["atlas"]
    best = np.sort(walked.archive.corrected_fitness)[-3:]
    np.testing.assert_allclose(np.sort(atlas["returns"]), best, rtol=1e-5)
    assert atlas["notes"][1] == f"The map shows the 3 fittest of its {len(walked.archive)} elites."


@given(st.integers(1, 30), st.integers(1, 40), st.integers(0, 2**32 - 1), st.booleans())
def test_the_walking_are_spread_and_the_fittest_of_their_regions(
    elites: int, count: int, seed: int, alike: bool
) -> None:
    random = np.random.default_rng(seed)
    unit = random.integers(0, 2 if alike else 1000, (elites, 2)) / 999
    fitness = np.where(random.random(elites) < 0.2, np.nan, random.normal(size=elites))
    chosen = spread(unit, fitness, count)
    assert len(set(chosen)) == len(chosen) == min(count, elites)
    assert chosen[0] == int(np.argmax(np.where(np.isnan(fitness), -np.inf, fitness)))


def test_hostile_names_are_harmless(walked: evo.Run, tmp_path: Path) -> None:
    hostile = tmp_path / "<script>alert(1)"
    shutil.copytree(walked.path, hostile)
    arrays = dict(np.load(hostile / "archive.npz"))
    arrays["names"] = np.array(["</script><script>alert(1)", "\x1b[31m<img src=x onerror=alert(1)>"])
    np.savez(hostile / "archive.npz", **arrays)
    page = evo.load(hostile).view_archive(cells=1, seconds=0.1).html
    plain = walked.view_archive(cells=1, seconds=0.1).html
    assert [tag for tag, _ in Reader(page).elements] == [tag for tag, _ in Reader(plain).elements]
    assert "\x1b" not in page


PROBE = """
const id = (name) => document.getElementById(name), told = { looks: [] };
const rest = (time) => new Promise((done) => setTimeout(done, time));
while (!id("told")?.textContent.includes("walking")) await rest(50);
const { atlas } = JSON.parse(id("content").textContent), whole = document.documentElement;
const look = async () => {
  await rest(50);
  for (let tries = 0; tries < 20 && id("clock").textContent.startsWith("0.00"); tries++) await rest(50);
  const texts = ["told", "which", "clock", "caption", "play"].map((one) => [one, id(one).textContent]);
  const marks = document.querySelectorAll("#map .chosen, #map .shown").length;
  told.looks.push({ ...Object.fromEntries(texts), marks, failed: id("stage").className });
};
const cell = (elite) => document.querySelector(`#map [data-elite="${elite}"]`);
const click = (elite) => cell(elite).dispatchEvent(new MouseEvent("click", { bubbles: true }));
const still = atlas.labels.findIndex((_, elite) => !atlas.walking.includes(elite));
await look();
for (const elite of [atlas.walking[1], still, atlas.walking[0]]) { click(elite); await look(); }
for (const key of ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"]) {
  id("map").dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true })); await look();
}
told.width = innerWidth;
told.over = whole.scrollWidth - innerWidth;
const boxes = ["map", "picture"].map((one) => id(one).getBoundingClientRect());
told.sides = boxes.map(({ width, height }) => Math.min(width, height));
told.from = location.protocol;
told.fetched = performance.getEntriesByType("resource").map(({ name }) => name);
told.refused = await new Promise((done) => {
  addEventListener("securitypolicyviolation", ({ effectiveDirective }) => done(effectiveDirective));
  fetch("http://127.0.0.1:9/").catch(() => rest(100)).then(() => done("nothing"));
});
window.requestAnimationFrame = () => 0;
say(JSON.stringify(told));
"""

if CHROMIUM:

    def test_a_saved_page_plays_the_cell_that_is_chosen_and_asks_for_nothing(walked: evo.Run, tmp_path: Path) -> None:
        runs = {"grid": walked, "cvt": run(tmp_path / "run", archive="cvt:40")}
        pages = {name: each.view_archive(cells=2, seconds=1.0).html for name, each in runs.items()}
        for (name, width), said in run_in_saved_pages(pages, (400, 1280), PROBE).items():
            told, atlas = json.loads(said), content_of(pages[name])["atlas"]
            assert (told["from"], told["fetched"], told["refused"]) == ("file:", [], "connect-src")
            assert told["width"] == width and told["over"] <= 0 and min(told["sides"]) > 200
            names = [f"cell {atlas['labels'][elite]}" for elite in atlas["walking"]]
            begin, second, other, first, *arrows = looks = told["looks"]
            assert all(one["failed"] == "" and one["play"] == "Pause" and one["which"] in names for one in looks)
            assert [one["caption"].split(", ")[0] for one in looks] == [one["which"] for one in looks]
            assert all(0.0 < float(one["clock"].split()[0]) <= 1.0 for one in looks), looks
            assert [begin["which"], second["which"], first["which"]] == [names[0], names[1], names[0]]
            assert all(one["told"].startswith(f"C{one['which'][1:]}: ") for one in (begin, second, first))
            assert f"the nearest that does is shown: {other['which']}." in other["told"] and other["marks"] == 2
            assert first["marks"] == 1 and len({one["told"] for one in (first, *arrows)}) > 1
