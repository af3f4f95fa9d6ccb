"""Pages of runs: what is on them, and one clear line where there is nothing to show."""

import logging
import shutil
from pathlib import Path

import numpy as np
import pytest

import evo
from evo.envs.notes import note
from evo.errors import EvoError
from evo.runs.viewing import Page
from evo.storage.housekeeping import remove_run
from tests.support.html_pages import Reader, content_of
from tests.support.places import REFERENCE


def test_a_run_is_shown_from_its_first_stumble_to_its_champion(finished_run: Path, tmp_path: Path) -> None:
    run = evo.load(finished_run)
    page = run.view(seconds=1.0)
    (creature,) = content_of(page.html)["creatures"]
    assert [episode["generation"] for episode in creature["episodes"]] == [1, 2, 3, run.champion.generation]
    assert creature["episodes"][-1]["label"] == f"champion, of generation {run.champion.generation}"
    assert creature["curve"]["generation"] == [1, 2, 3] and creature["curve"]["unit"] == "env step"
    np.testing.assert_allclose(creature["curve"]["best"], run.metrics["best"], rtol=1e-5)
    seed = creature["episodes"][-1]["seed"]
    assert creature["episodes"][-1]["total"] == run.champion.rollout(seed).total
    assert page.save(tmp_path / "a" / "page.html").read_text() == page.html
    assert Reader(page._repr_html_()).elements[0][1]["srcdoc"] == page.html


def test_several_runs_stand_in_lanes_by_their_names(finished_run: Path, tmp_path: Path) -> None:
    hostile = tmp_path / "<script>alert(1)"
    shutil.copytree(finished_run, hostile)
    page = evo.view(finished_run, hostile, hostile / "champion.npz", evo.load(hostile).champion, seconds=1.0)
    names = [creature["name"] for creature in content_of(page.html)["creatures"]]
    assert names == ["run", "<script>alert(1)", "champion.npz", "evo/CartPole-v0"]
    assert len([tag for tag, _ in Reader(page.html).elements if tag == "script"]) == 2


def test_the_same_run_makes_the_same_page(finished_run: Path) -> None:
    assert evo.view(finished_run, seconds=1.0).html == evo.load(finished_run).view(seconds=1.0).html


def test_without_fossils_the_champion_is_shown_alone() -> None:
    page = evo.view(REFERENCE / "cartpole", seconds=0.5)
    (creature,) = content_of(page.html)["creatures"]
    assert len(creature["episodes"]) == 1 and "The run keeps no fossils" in page.html
    assert "keeps no fossils" not in evo.view(REFERENCE / "cartpole", seconds=0.5, fossils=0).html


def test_a_damaged_fossil_is_left_out_and_named(
    finished_run: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(finished_run, tmp_path / "run")
    torn, other = sorted((tmp_path / "run" / "fossils").iterdir())[:2]
    torn.write_bytes(torn.read_bytes()[:100])
    np.savez(other, params=np.zeros(3))
    note.cache_clear()
    with caplog.at_level(logging.INFO, logger="evo"):
        page = evo.view(tmp_path / "run", seconds=0.5)
    assert len(content_of(page.html)["creatures"][0]["episodes"]) == 2
    assert "the page leaves out generation 1: cannot read" in caplog.text
    assert "the page leaves out generation 2: a damaged fossil" in caplog.text


def test_what_cannot_be_shown_is_said_in_a_line(finished_run: Path, tmp_path: Path) -> None:
    with pytest.raises(EvoError, match="a page of nothing: name at least one run"):
        evo.view()
    evo.run("sphere", dim=2, method="ga", generations=1, out=tmp_path / "sphere", video=False, threads=1)
    with pytest.raises(EvoError, match=r"sphere is a function: its champion is a point"):
        evo.view(tmp_path / "sphere")
    with pytest.raises(EvoError, match=r"the suffix must be \.png"):
        evo.replay(tmp_path / "sphere", tmp_path / "sphere.html")
    with pytest.raises(EvoError, match=r"digits.* is a data set"):
        evo.view(REFERENCE / "digits")
    shutil.copytree(finished_run, tmp_path / "empty")
    (tmp_path / "empty" / "champion.npz").unlink()
    with pytest.raises(EvoError, match=r"champion\.npz"):
        evo.view(tmp_path / "empty")
    with pytest.raises(EvoError, match=r"a page shows no network: film it beside the creature, to x\.mp4"):
        evo.replay(finished_run, tmp_path / "x.html", network=True)
    with pytest.raises(EvoError, match="128: show fewer seconds or fossils"):
        evo.view(*[REFERENCE / "ant"] * 40, fossils=1000)
    with pytest.raises(EvoError, match=r"is written to a file \.html"):
        Page("").save(tmp_path / "page.txt")


def test_a_run_is_removed_with_its_page(finished_run: Path, tmp_path: Path) -> None:
    shutil.copytree(finished_run, tmp_path / "run")
    evo.view(tmp_path / "run", seconds=0.2, fossils=0).save(tmp_path / "run" / "videos" / "view.html")
    remove_run(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_replay_writes_a_page(finished_run: Path, tmp_path: Path) -> None:
    shown = evo.replay(finished_run, tmp_path / "one.html", seconds=0.5)
    assert [len(one["episodes"]) for one in content_of(shown.read_text())["creatures"]] == [1]
    shown = evo.replay(finished_run, tmp_path / "all.html", seconds=0.5, evolution=True)
    assert [len(one["episodes"]) for one in content_of(shown.read_text())["creatures"]] == [4]
