"""Running commands, modules and pages in forks of one process that has everything imported: imports are paid once."""

import functools
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping
from multiprocessing.context import ForkServerContext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

FAILED = 70  # exit status of what raised: no command of evo exits with it
_PATIENCE = 600.0  # seconds until what hangs is ended: no test that passes comes near
_CONTEXT: ForkServerContext = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.support.everything"])


def command(*words: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """What `evo` says when it is called with these words in a folder."""
    return in_fork(_command, list(words), folder, environment)


def module(name: str, *words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """What `python -W error -m NAME` says in a folder."""
    return in_fork(_module, [name, *words], folder, {})


def _command(words: list[str]) -> None:
    from evo.__main__ import main

    sys.argv = ["evo", *words]
    main()


def _module(words: list[str]) -> None:
    warnings.simplefilter("error")
    sys.argv = words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


def in_fork(
    work: Callable[[list[str]], None], words: list[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """What a function of a module prints in a folder, and the status that it exits with, given these words."""
    with TemporaryDirectory() as place:
        outputs = [Path(place, name) for name in ("output", "errors")]
        child = _CONTEXT.Process(target=_run, args=(work, words, folder, {**os.environ, **environment}, outputs))
        child.start()
        child.join(_PATIENCE)
        if child.exitcode is None:
            assert child.pid
            os.killpg(child.pid, signal.SIGKILL)
            child.join()
        assert child.exitcode is not None
        output, errors = (path.read_text() if path.exists() else "" for path in outputs)
    return subprocess.CompletedProcess(words, child.exitcode, output, errors)


def _run(
    work: Callable[[list[str]], None], words: list[str], folder: Path, environment: dict[str, str], outputs: list[Path]
) -> None:
    os.setpgid(0, 0)
    for number, path in enumerate(outputs, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    os.environ.clear()
    os.environ.update(environment)
    leave(functools.partial(work, words))


def leave(work: Callable[[], None]) -> NoReturn:
    """Do the last work of a fork, and end it: with the status that `work` exits with, or FAILED where it raises."""
    status = 0
    try:
        work()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        status = FAILED
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
