"""Films of how a run learned: from the first stumble to the champion."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import evo
from evo.cli.showing import _size
from evo.errors import EvoError
from evo.runs.evolution_film import candidates_of
from evo.runs.replay import FORMATS
from tests.support.places import REFERENCE

SIZE = {"width": 64, "height": 36, "seconds": 0.2, "threads": 2}


def frames_of(path: Path) -> list[np.ndarray]:
    with Image.open(path) as film:
        frames = []
        for index in range(film.n_frames):
            film.seek(index)
            frames.append(np.asarray(film.convert("RGB")))
        return frames


def test_it_goes_from_the_first_fossil_to_the_champion(finished_run: Path) -> None:
    run = evo.load(finished_run)
    found = candidates_of(run, run.champion, 10)
    earlier = [one for one in run.directory.fossils() if one < run.champion.generation]
    assert [said for said, _ in found[:-1]] == [f"generation {one}" for one in earlier]
    assert found[-1] == (f"champion of generation {run.champion.generation}", run.champion.candidate)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".mp4"])
def test_each_scene_lasts_as_long_as_asked_and_a_still_lies_beside(
    finished_run: Path, tmp_path: Path, suffix: str
) -> None:
    drawn: list[tuple[int, int]] = []
    path = evo.replay(
        finished_run,
        tmp_path / f"film{suffix}",
        evolution=True,
        scenes=2,
        poster=True,
        progress=lambda done, total: drawn.append((done, total)),
        **SIZE,
    )
    assert path.stat().st_size
    assert drawn == [(done, drawn[-1][1]) for done in range(1, drawn[-1][1] + 1)]
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([f"film{suffix}", "film.png"])
    with Image.open(tmp_path / "film.png") as still:
        assert still.size == (64, 36)


def test_the_film_is_the_same_on_any_number_of_threads(finished_run: Path, tmp_path: Path) -> None:
    for threads in (1, 2):
        evo.replay(finished_run, tmp_path / f"{threads}.webp", evolution=True, scenes=2, **{**SIZE, "threads": threads})
    assert (tmp_path / "1.webp").read_bytes() == (tmp_path / "2.webp").read_bytes()


def test_the_line_of_progress_fills_from_left_to_right(finished_run: Path, tmp_path: Path) -> None:
    frames = frames_of(evo.replay(finished_run, tmp_path / "film.webp", evolution=True, scenes=2, **SIZE))
    full = [int((frame[-1].min(axis=1) > 200).sum()) for frame in frames]
    assert full == sorted(full) and full[0] < 16 and full[-1] >= 56


def test_what_cannot_be_filmed_is_said_in_a_line(finished_run: Path, tmp_path: Path) -> None:
    out = tmp_path / "film.webp"
    for scenes in (1, 0, -3, 201):
        with pytest.raises(EvoError, match=re.escape(f"2 to 200 of a run's generations, got {scenes}")):
            evo.replay(finished_run, out, evolution=True, scenes=scenes)
    with pytest.raises(EvoError, match="add --evolution"):
        evo.replay(finished_run, out, scenes=3)
    with pytest.raises(EvoError, match=r"a poster lies beside a film: try film\.mp4"):
        evo.replay(finished_run, tmp_path / "film.png", poster=True)
    with pytest.raises(EvoError, match="keeps no fossils to film"):
        evo.replay(REFERENCE / "cartpole", out, evolution=True)
    with pytest.raises(EvoError, match="there is no film of it"):
        evo.replay(REFERENCE / "digits", tmp_path / "x.png", evolution=True)
    shutil.copytree(finished_run, tmp_path / "run")
    torn = min((tmp_path / "run" / "fossils").iterdir())
    torn.write_bytes(torn.read_bytes()[:50])
    with pytest.raises(EvoError, match="cannot read") as error:
        evo.replay(tmp_path / "run", out, evolution=True, **SIZE)
    assert "\n" not in str(error.value) and torn.name in str(error.value)
    assert not out.exists()


def test_a_size_has_a_name() -> None:
    assert {name: _size(name, None, None, preview=False) for name in FORMATS} == FORMATS
    assert _size(None, None, 100, preview=True) == (256, 100)
    with pytest.raises(EvoError, match="720p, 1080p"):
        _size("4k", None, None, preview=False)
    with pytest.raises(EvoError, match="leave out"):
        _size("square", 100, None, preview=False)
