"""A name out of a file imports nothing, unless the user said so or an installed package declares it."""

import functools
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w

import evo
from evo import cli
from evo.algorithms import ALGORITHMS
from evo.config.build import make_task
from evo.envs import reference
from evo.errors import EvoError
from evo.grammar import parse_toml
from evo.networks import network_from_text
from evo.operators import MUTATION
from evo.operators.binding import operator_from_text
from evo.runs.signals import Stopped
from evo.storage.files import read_arrays, write_arrays
from evo.testing import check_algorithm
from tests.support import misbehaving  # noqa: F401 - for the environments that it registers

HELPERS = """
from pathlib import Path
import gymnasium
from evo.networks import Dense
from evo.algorithms.baselines.random_search import RandomSearch

Path({trap!r}).touch()

def fitness(x) -> float:
    return -float((x * x).sum())

def layer(text):
    return Dense(int(text))

def change(random, genomes):
    return genomes + 0.1

class Search(RandomSearch):
    pass

gymnasium.registry.pop("Strange-v0", None)
gymnasium.register("Strange-v0", entry_point="gymnasium.envs.classic_control:CartPoleEnv", max_episode_steps=20)
"""
SMALL = {"evaluation.selection_episodes": 1, "evaluation.report_episodes": 1}


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder where one stands, with a module in it that leaves `trap` when it is imported."""
    trap = tmp_path / "trap"
    (tmp_path / "helpers.py").write_text(HELPERS.format(trap=str(trap)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    forget(monkeypatch)
    yield trap
    sys.modules.pop("helpers", None)


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process has read and heard."""
    monkeypatch.setattr(reference, "_of_files", set())
    monkeypatch.setattr(reference, "_of_users", set())
    sys.modules.pop("helpers", None)


def test_an_environment_that_an_option_of_another_names_is_trusted_as_any_name(trap: Path) -> None:
    reference.distrust("helpers:Strange-v0")
    with refused("helpers:Strange-v0"):
        make_task("Fine-v0", {"always": "helpers:Strange-v0"})
    reference.trust("helpers:Strange-v0")
    assert make_task("Fine-v0", {"always": "helpers:Strange-v0"}).observation_size == 4


def refused(name: str) -> object:
    return pytest.raises(EvoError, match=f"{name} is named by a file alone, .* module .*--trust")


def configured(folder: Path, **values: object) -> Path:
    """A file of a configuration, as somebody may send it."""
    tree: dict[str, dict[str, object]] = {"task": {"name": "sphere"}, "budget": {"generations": 1}}
    for key, value in values.items():
        section, _, name = key.partition("__")
        tree.setdefault(section, {})[name] = value
    path = folder / "sent.toml"
    path.write_text(tomli_w.dumps(tree))
    return path


NAMED = {
    "helpers:fitness": {"task__name": "helpers:fitness"},
    "helpers:Strange-v0": {"task__name": "helpers:Strange-v0"},
    "helpers:Search": {"method__name": "helpers:Search"},
    "helpers:change": {"method__name": "ga", "method__mutate": "helpers:change"},
    "helpers:layer": {"task__name": "cartpole", "network__layers": "mlp:4>residual(helpers:layer:4)>dense:1"},
}


@pytest.mark.parametrize("name", NAMED)
def test_a_configuration_imports_nothing_that_the_user_did_not_name(name: str, trap: Path, tmp_path: Path) -> None:
    config = configured(tmp_path, **NAMED[name])
    with refused(name):
        evo.run(config=config, out=tmp_path / "run", video=False, settings=SMALL)
    assert not trap.exists() and not (tmp_path / "run").exists()
    evo.run(config=config, out=tmp_path / "run", video=False, settings=SMALL, trust=True)
    assert trap.exists()


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (lambda text: operator_from_text(text, MUTATION), "helpers:change()"),
        (lambda text: operator_from_text(text, ALGORITHMS)(np.zeros(3), 0), "ga(mutate=helpers:change, elites=1)"),
        (lambda text: operator_from_text(text, ALGORITHMS)(np.zeros(3), 0), 'ga(8, mutate="helpers\\u003achange")'),
        (lambda text: network_from_text(text, 4, 1), "mlp(4) > residual( helpers:layer(4) ) > dense(1)"),
    ],
)
def test_a_call_imports_nothing_that_the_user_did_not_name(read: Callable[[str], Any], text: str, trap: Path) -> None:
    reference.distrust(text)
    with pytest.raises(ValueError, match="is named by a file alone"):
        read(text)
    assert not trap.exists() and reference.needs_trust(text) != ("\\" in text)
    reference.trust(text)
    read(text)
    assert trap.exists()


def test_escapes_hide_no_name(trap: Path, tmp_path: Path) -> None:
    """Operators are written in a text whose options are read once more."""
    hidden = {"method__name": "islands", "method__algorithm": 'ga:mutate="helpers\\u003achange"'}
    config = configured(tmp_path, **hidden)
    with refused("helpers:change"):
        evo.run(config=config, out=tmp_path / "run", video=False, settings=SMALL)
    assert not trap.exists()
    evo.run(config=config, out=tmp_path / "run", video=False, settings=SMALL, trust=True)
    assert trap.exists()


def test_what_the_user_names_is_theirs_whatever_files_say(trap: Path) -> None:
    reference.distrust("helpers:Search")
    check_algorithm("helpers:Search")
    assert trap.exists()


def forged(folder: Path, network: str) -> Path:
    """A champion with another network than it was made with."""
    evo.run("cartpole", generations=1, out=folder / "whole", video=False, settings=SMALL)
    arrays = read_arrays(folder / "whole" / "champion.npz")
    about = parse_toml(arrays["about"].tobytes().decode())
    about["network"]["layers"] = network
    write_arrays(folder / "sent.npz", {**arrays, "about": np.frombuffer(tomli_w.dumps(about).encode(), np.uint8)})
    return folder / "sent.npz"


@pytest.mark.parametrize("call", ["os:system:touch trap", "evo.storage.files:make_folder:trap", "helpers:layer:4"])
def test_a_champion_calls_nothing_that_the_user_did_not_name(call: str, trap: Path, tmp_path: Path) -> None:
    champion = evo.Champion.load(forged(tmp_path, call))
    for use in (champion.verify, champion.policy, lambda: evo.replay(tmp_path / "sent.npz")):
        with refused(":".join(call.split(":")[:2])):
            use()
    assert not trap.exists()


def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """Exit code and standard error of a command of its own."""
    forget(monkeypatch)
    monkeypatch.setattr(sys, "argv", ["evo", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0), capsys.readouterr().err


@pytest.mark.parametrize("name", NAMED)
def test_what_is_printed_to_go_on_works_when_it_is_typed(
    name: str, trap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever is the user's own of it: the task, the method, or but a layer or an operator."""
    advice: list[str] = []
    own = {key.replace("__", "."): value for key, value in {"task__name": "sphere", **NAMED[name]}.items()}
    evo.run(
        settings={**own, **SMALL},
        generations=1,
        out=tmp_path / "a run",
        video=False,
        callback=lambda row: advice.append(Stopped(2).advice),
    )
    line = advice[0].removesuffix(" goes on from there")
    assert line == "evo resume 'a run' --trust"
    assert typed(monkeypatch, capsys, *shlex.split(line)[1:], "-g", "2", "-q") == (0, "")


@pytest.mark.parametrize("text", ["mlp:32:relu>dense:3", "tournament:size=4", "/tmp/a:b/robot.xml", "ALE/Pong-v5"])
def test_no_word_is_asked_for_where_nothing_needs_it(text: str) -> None:
    assert not reference.needs_trust(text)


def test_a_run_of_ones_own_goes_on_by_a_word(
    trap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In the process where the user named it, it is known; from a command of its own, `--trust` is needed."""
    told = functools.partial(typed, monkeypatch, capsys)
    first, second = str(tmp_path / "first"), str(tmp_path / "second")
    evo.run("helpers:fitness", generations=2, out=first, seed=1)
    evo.run("helpers:fitness", generations=2, out=second, seed=2)
    assert evo.resume(first, generations=3).champion.score <= 0.0
    trap.unlink()
    commands = [["resume", first, "-g", "4", "-q"], ["replay", first], ["compare", first, second, "-q"]]
    commands += [["run", "--from", first, "-g", "1", "-q"], ["run", "--config", f"{first}/config.toml", "-q"]]
    for words in commands:
        status, error = told(*words)
        assert status == 2 and error.count("\n") == 1, error
        assert "helpers:fitness is named by a file alone" in error and "--trust" in error
        assert not trap.exists()
        assert told(*words, "--trust") == (0, "")
        trap.unlink()
    assert told("run", "helpers:fitness", "--from", first, "-g", "1", "-q") == (0, "")  # named by the user


def test_an_installed_package_declares_its_names(trap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configured(tmp_path, task__name="creatures.more:fitness")
    installed = tmp_path / "site"
    for folder in (installed, tmp_path):
        (folder / "creatures").mkdir(parents=True)
        (folder / "creatures" / "__init__.py").touch()
        (folder / "creatures" / "more.py").write_text(HELPERS.format(trap=str(trap)))
        about = folder / "creatures-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: creatures\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text("[evo.extensions]\ncreatures = creatures\n")
    with refused("creatures.more:fitness"):  # what lies beside the file declares nothing
        evo.run(config=config, out=tmp_path / "run")
    monkeypatch.setattr(reference, "_installed_folders", lambda: [str(installed)])
    monkeypatch.setattr(sys, "path", [str(tmp_path), str(installed), *sys.path])
    with refused("creatures.more:fitness"):  # nor does it stand in for what is installed
        evo.run(config=config, out=tmp_path / "run")
    assert not trap.exists()
    monkeypatch.chdir(installed.parent.parent)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path != str(tmp_path)])
    sys.path_importer_cache.clear()
    try:
        evo.run(config=config, out=tmp_path / "run")
    finally:
        for name in ("creatures", "creatures.more"):
            sys.modules.pop(name, None)
    assert trap.exists()
