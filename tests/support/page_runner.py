"""Runs the code of one page in the working directory: `python -m tests.support.page_runner PAGE`.

Commands and Python run in order, each in a fork of this process: imports are paid once, and nothing but files goes from
one to the next. Budgets and film sizes are cut, nothing else.
"""

import functools
import os
import shutil
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot  # noqa: F401  imported before the forks
import scipy.optimize  # noqa: F401

import evo
import evo.api.running
import evo.benchmarks.bench
import evo.comparison.compare
import evo.diagnosis.doctor
import evo.runs.display
from evo.cli import main
from tests.support.pages import BLOCKS, Block, is_run_here
from tests.support.places import ROOT

_FEW = ["--set", "evaluation.selection_episodes=2", "--set", "evaluation.report_episodes=2"]
CUTS = {
    "run": ["--generations", "1", "--no-video", *_FEW],
    "resume": ["--generations", "2", "--no-video"],
    "replay": ["--width", "64", "--height", "36", "--seconds", "1"],
    "bench": ["--quick"],
    "evaluate": ["--episodes", "2"],
    "robustness": ["--episodes", "1"],
    "compare": ["--no-video", *_FEW],
}


def _command(words: list[str]) -> None:
    """Run `evo` with these words, and exit as it does."""
    more = [] if "--split" in words else CUTS.get(words[1], [])  # a split is scored whole
    if words[1] == "compare" and words[2].startswith("runs/"):  # finished runs are compared as they are
        more = ["--no-video"]
    elif words[1] == "compare":
        words = " ".join(words).replace("--minutes 1", "--steps 4000").split(" ")
    sys.argv = [*words, *more]
    main()


def _python(block: Block) -> None:
    evo.run = functools.partial(_cheaply, evo.run, {"generations": 1, "video": False})  # type: ignore[attr-defined]
    evo.compare = functools.partial(_cheaply, evo.compare, {"steps": 4000, "video": False})  # type: ignore[attr-defined]
    warnings.simplefilter("error")
    sys.path.insert(0, os.getcwd())
    exec(compile(block.text, block.place, "exec"), {"__name__": "__main__"})


def _cheaply(function: Callable[..., Any], cut: dict[str, Any], *arguments: Any, **given: Any) -> Any:
    budget = {"generations", "steps", "epochs", "minutes"}
    return function(*arguments, **{name: value for name, value in given.items() if name not in budget} | cut)


def _forked(work: Callable[[], None], fine: set[int]) -> bool:
    """Whether `work`, done in a fork, ends with one of these statuses."""
    before = os.times()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        status = 0
        try:
            work()
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except BaseException:
            traceback.print_exc()
            status = 70
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
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


if __name__ == "__main__":
    found = run_page(Path(sys.argv[1]).resolve())
    print("\n".join(("FAILED", *found) if found else ("PASSED",)))
    sys.exit(bool(found))
