"""A mirror of a run is at every moment a run that can be resumed, and takes nothing that is none of a run's."""

import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import evo
from evo.api import running
from evo.errors import EvoError
from evo.runs import training
from evo.storage import mirror
from evo.storage.mirror import Mirror, Piece, Source
from evo.storage.run_directory import RunDirectory
from tests.chaos import differences

GENERATIONS = 8
FEW: Mapping[str, Any] = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 2}


class KilledError(Exception):
    """The mirror's process, or the run's, is killed."""


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "PIECE", 2000)  # most files are in several pieces
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)  # after every generation
    monkeypatch.setattr(training, "CHECKPOINT_SHARE", 1e9)
    monkeypatch.setattr(running, "show", lambda *_: None)  # pictures take most of the time


def begin(path: Path, callback: Callable[[Mapping[str, float]], None] = lambda row: None) -> None:
    evo.run(
        "sphere", dim=20, method="cma-es", generations=GENERATIONS, seed=1, out=path, video=False, settings=FEW,
        threads=1, callback=callback,
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "run"
    begin(path)
    return path


def sent(source: Source) -> Iterator[Piece]:
    """What is sent of a run, for ever: when something is begun, the run may have gone on before its last piece."""
    while True:
        if source.is_due():
            yield from source.moment()
        before = next(source.rows(), None)
        yield before or Piece("", 0, 0, b"")


@settings(max_examples=10)
@given(pieces=st.integers(0, 150), rate=st.integers(1, 60), generation=st.integers(1, GENERATIONS))
def test_a_mirror_cut_off_at_any_piece_goes_on_to_the_same_end(
    pieces: int, rate: int, generation: int, whole: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    away, home = sent(Source(folder / "away")), folder / "home"
    written, count = Mirror(home), itertools.count()

    def look(row: Mapping[str, float]) -> None:
        if row["generation"] > generation:
            raise KilledError  # the run is killed, and its machine with it
        for piece in itertools.islice(away, rate):
            if next(count) == pieces:
                raise KilledError
            if piece.name:
                written.take(piece)

    with suppress(KilledError):
        begin(folder / "away", look)
    written.close()
    if not (home / "config.toml").exists():
        assert not home.exists() or list(home.iterdir()) in ([], [home / "lock"])
        return
    there = Mirror(folder / "there")  # to another machine, and on from there
    for piece in Source(home).moment():
        there.take(piece)
    there.close()
    source, back = Source(folder / "there", known=True), Mirror(home)

    def follow(row: Mapping[str, float]) -> None:
        take_all(back, source.moment() if source.is_due() else source.rows())

    evo.resume(folder / "there", video=False, threads=1, callback=follow)
    take_all(back, source.moment())
    back.close()
    assert differences(home, whole) == []
    assert differences(folder / "there", whole) == []
    assert evo.load(home).ended == evo.load(whole).ended
    assert (home / "config.toml").read_text() == (whole / "config.toml").read_text()
    assert not list(home.glob(".evo-*"))


def take_all(written: Mirror, pieces: Iterator[Piece]) -> None:
    for piece in pieces:
        written.take(piece)


def test_a_mirror_holds_the_lock_of_its_run(whole: Path, tmp_path: Path) -> None:
    written = Mirror(tmp_path / "home")
    take_all(written, Source(whole).moment())
    with pytest.raises(EvoError, match="being written by a live run"):
        RunDirectory.open(tmp_path / "home", write=True)
    with pytest.raises(EvoError, match="being written by a live run"):
        Mirror(tmp_path / "home")
    written.close()
    Mirror(tmp_path / "home").close()
    assert differences(tmp_path / "home", whole) == []


def test_what_is_there_is_not_sent_again(whole: Path) -> None:
    source = Source(whole)
    first = [piece.name for piece in source.moment()]
    assert len(first) > 20 and first[-1] == "."
    assert not source.is_due()
    assert [piece.name for piece in source.moment()] == ["."]
    assert [piece.name for piece in Source(whole, known=True).moment()] == ["."]
    assert not [*source.rows()]


def test_a_line_that_is_not_whole_is_not_sent_and_is_dropped_at_home(whole: Path, tmp_path: Path) -> None:
    away, home = tmp_path / "away", tmp_path / "home"
    for path in (away, home):
        written = Mirror(path)
        take_all(written, Source(whole).moment())
        written.close()
    whole_rows = (away / "metrics.csv").read_bytes()
    source = Source(away, known=True)
    with (home / "metrics.csv").open("ab") as file:
        file.write(b"13,0.5,")  # the study was killed as it wrote
    with (away / "metrics.csv").open("ab") as file:
        file.write(b"1,2,3\n4,5")
    written = Mirror(home)
    take_all(written, source.rows())
    assert (home / "metrics.csv").read_bytes() == whole_rows + b"1,2,3\n"
    with (away / "metrics.csv").open("ab") as file:
        file.write(b",6\n")
    take_all(written, source.rows())
    written.close()
    assert (home / "metrics.csv").read_bytes() == whole_rows + b"1,2,3\n4,5,6\n"


def test_a_run_without_a_checkpoint_is_mirrored_too(tmp_path: Path) -> None:
    RunDirectory.create(tmp_path / "away", "seed = 1\n", "numpy = 2\n").close()
    source, written = Source(tmp_path / "away"), Mirror(tmp_path / "home")
    assert source.is_due()
    take_all(written, source.moment())
    assert not source.is_due()
    written.close()
    assert sorted(os.listdir(tmp_path / "home")) == ["config.toml", "lock", "versions.toml"]


@pytest.mark.parametrize(
    "piece",
    [
        Piece("../outside.npz", 0, 3, b"abc"),
        Piece("/etc/passwd", 0, 3, b"abc"),
        Piece("fossils/../../outside.npz", 0, 3, b"abc"),
        Piece("plots/../config.toml", 0, 3, b"abc"),
        Piece("lock", 0, 3, b"abc"),
        Piece("own.py", 0, 3, b"abc"),
        Piece("plots/x.py", 0, 3, b"abc"),
        Piece("checkpoints/000000000000001/state.npz\n", 0, 3, b"abc"),
        Piece("ended", 0, 2**17, b"abc"),  # too large
        Piece("checkpoints/000000000000001/done", 0, 3, b"abc"),
        Piece("champion.npz", 0, 2, b"abc"),  # longer than it says
        Piece("champion.npz", -1, 3, b"abc"),
        Piece("champion.npz", 5, 8, b"abc"),  # its beginning is missing
        Piece("metrics.csv", 5, 8, b"abc"),
        Piece(".", 0, 9, b"../config"),
        Piece(".", 3, 14, b"config.toml"),
        Piece(".", 0, 11, b"config.toml"),  # complete, without a configuration
    ],
)
def test_what_is_none_of_a_runs_is_refused(piece: Piece, tmp_path: Path) -> None:
    written = Mirror(tmp_path / "home")
    written.take(Piece("champion.npz", 0, 30, b"the beginning of it")._replace(name="last.npz"))
    with pytest.raises(ValueError, match=r"run|list|bytes|missing|has no config"):
        written.take(piece)
    written.close()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_nothing_is_written_through_links(whole: Path, tmp_path: Path) -> None:
    home, outside = tmp_path / "home", tmp_path / "outside"
    written = Mirror(home)
    take_all(written, Source(whole).moment())
    written.close()
    outside.mkdir()
    (home / "plots").rename(tmp_path / "moved")
    (home / "plots").symlink_to(outside)
    (home / "champion.npz").unlink()
    (home / "champion.npz").symlink_to(tmp_path / "secret")
    with pytest.raises(EvoError, match="writes through none"):
        Mirror(home)
    (home / "plots").unlink()
    written = Mirror(home)
    take_all(written, Source(whole).moment())
    written.close()
    assert not (tmp_path / "secret").exists() and not list(outside.iterdir())
    assert not (home / "champion.npz").is_symlink()
    assert differences(home, whole) == []
    source = Source(home)  # nor is anything read through them
    (home / "champion.npz").unlink()
    (home / "champion.npz").symlink_to(whole / "champion.npz")
    with pytest.raises(OSError, match="symbolic links"):
        list(source.moment())


def test_a_file_of_which_a_part_is_missing_takes_no_place(whole: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    written = Mirror(home)
    take_all(written, Source(whole).moment())
    before = (home / "champion.npz").read_bytes()
    written.take(Piece("champion.npz", 0, 5, b"abc"))
    listing = "\n".join(Source(whole)._names()).encode()
    with pytest.raises(ValueError, match=r"a part of its champion\.npz is missing"):
        written.take(Piece(".", 0, len(listing), listing))
    written.close()
    assert (home / "champion.npz").read_bytes() == before


def test_what_is_none_of_a_runs_stays_where_it_is(whole: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    written = Mirror(home)
    take_all(written, Source(whole).moment())
    (home / "fossils" / "notes").mkdir()
    (home / "fossils" / "notes" / "mine.txt").write_text("mine")
    take_all(written, Source(whole).moment())
    written.close()
    assert (home / "fossils" / "notes" / "mine.txt").read_text() == "mine"


@pytest.mark.parametrize("known", [False, True])
def test_a_mark_is_there_before_anything_comes_home(known: bool, whole: Path, tmp_path: Path) -> None:
    """Of a run that is new, and of one whose rows go on; without a piece there is no mark."""
    path, marked = tmp_path / "home", list[object]()
    if known:
        home = Mirror(path)
        for piece in Source(whole).moment():
            home.take(piece)
        home.close()
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    lost = Mirror(path)
    lost.mark(lambda _: marked.append("it was lost before"))
    lost.close()
    home = Mirror(path)
    home.mark(lambda there: marked.append([(there / name).exists() for name in ("versions.toml", "champion.npz")]))
    size = (path / "metrics.csv").stat().st_size if known else 0
    pieces = [Piece("metrics.csv", size, size + 2, b"1\n")] if known else Source(whole).moment()
    for piece in pieces:
        assert before == {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} or not known
        home.take(piece)
    home.close()
    assert marked == [[True, known]]


def test_a_run_of_too_many_files_is_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(mirror, "_MOST_NAMES", 5)
    home = Mirror(tmp_path / "run")
    for number in range(5):
        home.take(Piece(f"fossils/{number:015d}.npz", 0, 1, b"x"))
    with pytest.raises(ValueError, match="more files than a run may have"):
        home.take(Piece(f"fossils/{5:015d}.npz", 0, 1, b"x"))
    home.close()
