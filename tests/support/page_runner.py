"""Runs the code of a page in the working directory.

Commands and Python run in order, each in a fork of its own: imports are paid once, and nothing but files goes from one
to the next. Budgets, numbers of seeds and trials, and film sizes are cut, nothing else.
"""

import functools
import os
import re
import shutil
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import evo
from evo.cli import main
from tests.support.forks import leave
from tests.support.pages import BLOCKS, Block, is_run_here
from tests.support.places import ROOT

_EPISODES = {"evaluation.selection_episodes": 2, "evaluation.report_episodes": 2}
_FEW = [word for key, value in _EPISODES.items() for word in ("--set", f"{key}={value}")]
CUTS = {
    "run": ["--generations", "1", "--no-video", *_FEW],
    "resume": ["--generations", "2", "--no-video"],
    "replay": ["--width", "64", "--height", "36", "--seconds", "1"],
    "gallery": ["--seconds", "0.5"],
    "plot": ["--seconds", "2"],
    "view": ["--seconds", "1", "--fossils", "2"],
    "bench": ["--quick"],
    "bench --exact": ["--quick", "--task", "Swimmer-v5"],
    "bench --layers": ["--quick", "--network", "dense:64"],
    "bench --tasks-learned": ["--quick", "--tasks", "InvertedPendulum-v5", "--methods", "ars,ga", "--seeds", "1"],
    "evaluate": ["--episodes", "2"],
    "robustness": ["--episodes", "1"],
    "recover": ["--trials", "2"],
    "compare": ["--no-video", *_FEW],
}


def _command(words: list[str]) -> None:
    """Run `evo` with these words, and exit as it does."""
    more = CUTS.get(" ".join(words[1:3]), CUTS.get(words[1], []))
    if "--split" in words:  # a split is scored whole
        more = []
    elif words[1] == "compare" and words[2].startswith("runs/"):  # finished runs are compared as they are
        more = ["--no-video"]
    elif words[1] == "compare":
        text = re.sub(r"--minutes \d+|--steps \d{4,}", "--steps 4000", " ".join(words))
        words = re.sub(r"--tune \d+", "--tune 2", re.sub(r"--seeds \d+", "--seeds 1", text)).split(" ")
    elif {"--race", "--crowd"} & {*words}:  # the smallest tiles that can be read
        more = ["--width", "400", "--height", "272", "--seconds", "0.1"]
    elif words[1] == "watch":  # it looks again and again until a signal comes: here, once
        time.sleep = lambda _: sys.exit()
        more = ["--port", "0", "--seconds", "1", "--fossils", "2"]
    if "--format" in words:  # a film of that size takes minutes
        size = words.index("--format")
        words = words[:size] + words[size + 2 :]
    sys.argv = [*words, *more]
    main()


def _python(block: Block) -> None:
    cut = {"generations": 1, "video": False, "settings": _EPISODES}
    evo.run = functools.partial(_cheaply, evo.run, cut)  # type: ignore[attr-defined]
    evo.resume = functools.partial(_cheaply, evo.resume, {"generations": 2, "video": False})  # type: ignore[attr-defined]
    evo.compare = functools.partial(_cheaply, evo.compare, {"steps": 4000, "video": False})  # type: ignore[attr-defined]
    warnings.simplefilter("error")
    sys.path.insert(0, os.getcwd())
    exec(compile(block.text, block.place, "exec"), {"__name__": "__main__"})


def _cheaply(function: Callable[..., Any], cut: dict[str, Any], *arguments: Any, **given: Any) -> Any:
    budget = {"generations", "steps", "epochs", "minutes"}
    kept = {name: value for name, value in given.items() if name not in budget}
    if "settings" in cut:
        kept["settings"] = {**kept.get("settings", {}), **cut["settings"]}
    return function(*arguments, **{**cut, **kept})


def _forked(work: Callable[[], None], fine: set[int]) -> bool:
    """Whether `work`, done in a fork, ends with one of these statuses."""
    before = os.times()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        leave(work)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    after = os.times()
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    print(f"exit status {status} after {seconds:.1f} s of processor time")
    return status in fine


def _prepare(page: Path) -> None:
    """Copy the examples and those of the reference runs that the page speaks of."""
    text = page.read_text()
    shutil.copytree(ROOT / "examples", "examples", ignore=shutil.ignore_patterns("__pycache__"))
    Path("runs", "reference").mkdir(parents=True)
    for run in (ROOT / "runs" / "reference").iterdir():
        if run.is_dir() and f"runs/reference/{run.name}" in text:
            shutil.copytree(run, Path("runs", "reference", run.name))


def run_page(page: Path) -> list[str]:
    """Run the code of a page; return the places of what failed, and its text."""
    failed = []
    _prepare(page)
    for block in BLOCKS[page]:
        if block.title:
            Path(block.title).write_text(block.text)
    for block in BLOCKS[page]:
        if block.title or block.why:
            continue
        if block.kind == "python":
            if not _forked(functools.partial(_python, block), {0}):
                failed.append(f"{block.place}: {block.text}")
        elif block.kind == "bash":
            for words in block.commands:
                if words[0] == "evo" and is_run_here(words, page):
                    print(f"$ {' '.join(words)}")
                    # of a run cut to a generation or two, the doctor may well find something wrong
                    fine = {0, 1} if words[:2] == ["evo", "doctor"] and len(words) > 2 else {0}
                    if not _forked(functools.partial(_command, words), fine):
                        failed.append(f"{block.place}: {' '.join(words)}")
    return failed


def print_page(words: list[str]) -> None:
    """Run the code of a page, given as its path, in the working directory; exit with 1 where any failed."""
    failed = run_page(Path(words[0]))
    print("\n".join(("FAILED", *failed) if failed else ("PASSED",)))
    sys.exit(bool(failed))
