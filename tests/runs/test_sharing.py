"""Runs as one zip: what is in it, replayed and scored as it is, and imported again; strangers' files are only data."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import evo
from evo.cli import app
from evo.errors import EvoError
from evo.runs.card import card_of
from evo.runs.fitness import Verification
from evo.runs.sharing import import_run
from evo.storage.bundle import CARD, PAGE, RUN_FILES, open_bundle
from evo.storage.housekeeping import remove_run
from tests.support.html_pages import content_of
from tests.support.places import REFERENCE


@pytest.fixture(scope="module")
def exported(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return evo.load(finished_run).export(tmp_path_factory.mktemp("exported") / "run.evo.zip")


def contents(path: Path) -> dict[str, bytes]:
    with open_bundle(path) as opened:
        return {name: opened.read(name) for name in opened.sizes}


def test_the_zip_holds_what_the_run_holds(finished_run: Path, exported: Path) -> None:
    found = contents(exported)
    own = {name for name in RUN_FILES if (finished_run / name).exists()}
    assert found.keys() == own | {CARD, PAGE} and {"champion.npz", "config.toml", "metrics.csv", "versions.toml"} <= own
    assert all(found[name] == (finished_run / name).read_bytes() for name in own)
    (creature,) = content_of(found[PAGE].decode())["creatures"]
    assert len(creature["episodes"]) == 4 and creature["curve"]["generation"] == [1, 2, 3]


def test_the_card_says_what_it_is_and_how_to_replay_it(finished_run: Path, exported: Path) -> None:
    card, champion = contents(exported)[CARD].decode(), evo.load(finished_run).champion
    plain = card.replace("\\", "")
    assert card.startswith("# evo/CartPole-v0  ars  seed 4\n")
    for row in (
        "| task | evo/CartPole-v0 |",
        "| method | ars |",
        "| seed | 4 |",
        f"| digest | {champion.digest} |",
        f"| score | {champion.reported_fitness}, never seen in training |",
        "| ended | 3 generations |",
    ):
        assert row in plain, row
    assert "evo replay run.evo.zip\n" in card and "evo import run.evo.zip\n" in card
    assert "evo run --config config.toml\n" in card and "- `view.html`" in card


def test_the_same_run_gives_the_same_bytes(finished_run: Path, exported: Path, tmp_path: Path) -> None:
    shutil.copytree(finished_run, tmp_path / "another name")
    (tmp_path / "out").mkdir()
    again = evo.load(tmp_path / "another name").export(tmp_path / "out" / exported.name)
    assert again.read_bytes() == exported.read_bytes()


def test_a_zip_is_replayed_scored_and_viewed_as_it_is(finished_run: Path, exported: Path, tmp_path: Path) -> None:
    mine, its = evo.load(finished_run).champion, evo.Champion.load(exported)
    assert its.digest == mine.digest and its.verify().exact
    np.testing.assert_array_equal(its.evaluate(2).returns, mine.evaluate(2).returns)
    checked: list[Verification] = []
    film = evo.replay(exported, tmp_path / "film.gif", seconds=0.1, width=64, height=36, checked=checked.append)
    assert film.exists() and checked[0].exact
    assert len(content_of(evo.view(exported, seconds=0.1).html)["creatures"]) == 1
    app(["export", str(exported), str(tmp_path / "policy.npz")], standalone_mode=False)
    assert (tmp_path / "policy.npz").exists()


def test_a_zip_becomes_a_run_again(
    finished_run: Path,
    exported: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    app(["import", str(exported)], standalone_mode=False)
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(f"zip     {exported}: ") and said[1] == "run     runs/run"
    assert said[2].startswith("next    evo replay runs/run ")
    made = evo.load("runs/run")
    np.testing.assert_array_equal(made.metrics["best"], evo.load(finished_run).metrics["best"])
    assert made.champion.verify().exact and made.ended == "3 generations"
    names = {str(path.relative_to(made.path)) for path in made.path.rglob("*") if path.is_file()}
    assert names == contents(exported).keys() - {CARD, PAGE}  # a stranger's page may hold any script
    again = made.export(tmp_path / "again.evo.zip")
    assert contents(again).keys() == contents(exported).keys()
    assert contents(again)["champion.npz"] == contents(exported)["champion.npz"]
    with pytest.raises(EvoError, match="is finished and keeps no checkpoint to go on from"):
        evo.resume("runs/run")
    assert import_run(exported) == Path("runs/run-2")
    remove_run(Path("runs/run"))
    assert not Path("runs/run").exists()
    with pytest.raises(EvoError, match="runs/run-2 is not an empty folder; choose another folder by --out"):
        import_run(exported, Path("runs/run-2"))
    Path("empty").mkdir()
    assert evo.load(import_run(exported, Path("empty"))).ended == "3 generations"


def forged(exported: Path, target: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    """The zip with its contents changed, otherwise whole."""
    files = contents(exported)
    change(files)
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target


DAMAGES: list[tuple[Callable[[dict[str, bytes]], object], str]] = [
    (lambda files: files.pop("champion.npz"), "it holds no champion.npz"),
    (lambda files: files.pop("config.toml"), "it holds no config.toml"),
    (lambda files: files.update({"champion.npz": files["champion.npz"][:300]}), "champion.npz: it is cut off"),
    (lambda files: files.update({"champion.npz": b"cos\nsystem\n(S'id'\ntR."}), "it is not an .npz file"),
    (lambda files: files.update({"config.toml": b"= 3"}), "config.toml is not a TOML file"),
    (lambda files: files.update({"config.toml": b"seed = 3\n"}), "its config.toml is not one that evo wrote"),
    (lambda files: files.update({"config.toml": b"\xff"}), "is not UTF-8 text"),
    (lambda files: files.update({"metrics.csv": b"a,b\n1,2\nx,y\n"}), "metrics.csv: line 3 is damaged"),
    (lambda files: files.update({"run.py": b"print()"}), "'run.py' in it is no file of an exported run"),
]


@pytest.mark.parametrize(("change", "said"), DAMAGES)
def test_damage_is_one_line_and_leaves_nothing(
    exported: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], object], said: str
) -> None:
    path = forged(exported, tmp_path / "forged.zip", change)
    with pytest.raises(EvoError) as error:
        import_run(path, tmp_path / "runs" / "out")
    assert said in str(error.value) and "forged.zip" in str(error.value) and "\n" not in str(error.value)
    assert ".evo-" not in str(error.value)
    assert not (tmp_path / "runs").exists() or list((tmp_path / "runs").iterdir()) == []


def test_a_stranger_s_names_import_nothing(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "theirs.py").write_text("raise SystemExit('it ran')")
    monkeypatch.syspath_prepend(tmp_path)

    def change(files: dict[str, bytes]) -> None:
        files["config.toml"] = files["config.toml"].replace(b'"evo/CartPole-v0"', b'"theirs:task"')

    made = import_run(forged(exported, tmp_path / "forged.zip", change), tmp_path / "run")
    with pytest.raises(EvoError, match="theirs"):
        _ = evo.load(made).config


def test_a_card_is_text_whatever_the_names(finished_run: Path, tmp_path: Path) -> None:
    run = evo.load(finished_run)
    (tmp_path / "run").mkdir()
    for name in ("config.toml", "champion.npz", "metrics.csv"):
        shutil.copy(finished_run / name, tmp_path / "run")
    (tmp_path / "run" / "ended").write_text("<script>alert(1)</script> | [x](javascript:1) `\x1b[31m")
    card = card_of(evo.load(tmp_path / "run"), "x.zip", ["config.toml"])
    assert "<script" not in card.replace("\\<", "") and "](java" not in card and "\x1b" not in card
    assert "\\| \\[x\\]" in card and card_of(run, "x.zip", []).count("\n| ") > 12


def test_runs_without_a_world_are_shared_without_a_page(tmp_path: Path) -> None:
    path = evo.load(REFERENCE / "digits").export(tmp_path / "digits.zip")
    assert PAGE not in contents(path) and evo.Champion.load(path).task_name == "digits"


def test_what_cannot_be_exported_is_said_in_a_line(
    finished_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EvoError, match=r"a run is exported to a file .zip; got 'run.tar'"):
        evo.load(finished_run).export("run.tar")
    with pytest.raises(EvoError, match="is a file: a zip is made of a run directory"):
        app(["export", str(finished_run / "champion.npz")], standalone_mode=False)
    with pytest.raises(EvoError, match=r"a run is exported to a file .zip, a policy to .npz or .onnx; got 'x.tar'"):
        app(["export", str(finished_run), "x.tar"], standalone_mode=False)
    app(["export", str(finished_run)], standalone_mode=False)
    assert capsys.readouterr().out.startswith("zip     run.evo.zip (") and Path("run.evo.zip").exists()
    shutil.copytree(finished_run, "young")
    Path("young", "champion.npz").unlink()
    with pytest.raises(EvoError, match=r"champion\.npz"):
        evo.load("young").export("young.zip")
    assert not Path("young.zip").exists()
    monkeypatch.setattr("evo.runs.sharing.view", None)  # a page is not begun for a place that takes no file
    with pytest.raises(EvoError, match=r"cannot write /proc/self/run\.zip: "):
        evo.load(finished_run).export("/proc/self/run.zip")
