"""The cache of compiled kernels: never stale, and the same whoever filled it."""

import ast
import errno
import functools
import gc
import importlib
import os
import pickle
import pkgutil
import shutil
import stat
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from numba.core.dispatcher import Dispatcher

import evo
from evo.envs.engine import compile as kernels
from tests.support.places import ROOT
from tests.support.processes import python

PROBE = """
from numba import carray
import numpy as np
from evo.envs.engine.physics import pointer
from evo.envs.callee import value

def kernel(address):
    carray(pointer(address), (1,), np.float64)[0] = value()
"""
CALLEE = """
from numba import njit

@njit
def value():
    return {}
"""
CALL = """
import ctypes
import numpy as np
from numba import types
from evo.envs.engine.compile import compile_kernel
from evo.envs.probe import kernel

compiled, out = compile_kernel(kernel, (types.intp,), "address"), np.zeros(1)
ctypes.CFUNCTYPE(None, ctypes.c_int64)(compiled.address)(out.ctypes.data)
print(out[0], compiled.cache_hits)
"""


def test_a_changed_callee_in_another_file_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "evo" / "envs"
    shutil.copytree(ROOT / "envs", folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "evo" / "__init__.py").touch()
    (folder / "probe.py").write_text(PROBE)
    callee = folder / "callee.py"
    where = {"PYTHONPATH": str(tmp_path), "EVO_CACHE_DIR": str(tmp_path / "cache")}
    callee.write_text(CALLEE.format(1.0))
    assert python(CALL, **where).split() == ["1.0", "0"]
    assert python(CALL, **where).split() == ["1.0", "1"]
    callee.write_text(CALLEE.format(2.0))
    assert python(CALL, **where).split() == ["2.0", "0"]
    assert list((tmp_path / "cache").rglob("*.nbc"))


def test_a_kernel_of_a_user_is_compiled_afresh(tmp_path: Path) -> None:
    """It may call functions in files that nobody watches, so a cached one could be stale."""
    (tmp_path / "mine.py").write_text("def kernel(address):\n    pass\n")
    call = CALL.replace("evo.envs.probe", "mine")
    where = {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}", "EVO_CACHE_DIR": str(tmp_path / "cache")}
    for _ in range(2):
        assert python(call, **where).split() == ["0.0", "0"]
    assert not list(tmp_path.rglob("mine*.nbc"))


def test_tasks_alike_share_their_kernels() -> None:
    """Whoever loads thousands of champions has the code of their tasks once; Numba gives none of it back."""
    first, second, heavier = (evo.task("quadruped", **options) for options in ({}, {}, {"mass": [0.9, 1.1]}))
    assert first is not second and first.kernels == second.kernels  # type: ignore[union-attr]
    assert heavier.kernels != first.kernels  # type: ignore[union-attr]


def test_kernels_of_other_sources_are_left_alone_and_only_the_newest_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for age, name in enumerate(["0" * 16, "1" * 16, "2" * 16, "3" * 16, "4" * 16]):
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (1000 + age, 1000 + age))
    (tmp_path / "notes").mkdir()
    monkeypatch.setattr(kernels, "cache_folder", lambda: tmp_path)
    current = kernels._current_folder.__wrapped__()
    assert current.name == kernels.source_digest()[:16]
    assert {path.name for path in tmp_path.iterdir()} == {current.name, "2" * 16, "3" * 16, "4" * 16, "notes"}


COMPILE = """
import numpy as np
from evo.autodiff import operations
from evo.autodiff.tape import _compiled
_compiled(operations.{}, np.dtype(np.float32))
"""
USE = """
import numpy as np
from evo.autodiff import Tape

tape = Tape(3)
first, second = tape.parameters(0, 1, 3), tape.input(1, 3)
added, subtracted = first + second, first - second
program = tape.program((added + subtracted).mean())
program.parameters[:], program.value(second)[:] = [1, 2, 3], [5, 1, 2]
program.forward()
print(program.value(added).tolist(), program.value(subtracted).tolist())
"""


def test_what_several_processes_compiled_serves_another(tmp_path: Path) -> None:
    """Each counts what it compiles from one, so that functions of one name would be taken for each other."""
    for name in ("add", "subtract"):
        python(COMPILE.format(name), EVO_CACHE_DIR=str(tmp_path))
    assert python(USE, EVO_CACHE_DIR=str(tmp_path)).strip() == "[[6.0, 3.0, 5.0]] [[-4.0, 1.0, 1.0]]"


def test_everything_compiled_takes_njit_from_one_place() -> None:
    """A function is bound to Numba's own cache where it is decorated before ours is there."""
    for file in kernels._modules().values():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == "numba" and file.name != "kernels.py":
                assert "njit" not in {name.name for name in node.names}, file


WITH_EXTRAS = {"evo.export.torch_policy"}  # modules that import an extra's package; nothing in them is compiled


def test_no_two_compiled_functions_share_a_name() -> None:
    for module in pkgutil.walk_packages(evo.__path__, "evo."):
        if module.name.endswith("__main__") or module.name in WITH_EXTRAS:
            continue
        importlib.import_module(module.name)
    places = defaultdict(set)
    for made in gc.get_objects():
        if issubclass(type(made), Dispatcher) and made.__module__.split(".")[0] == "evo":
            assert made.__module__ in kernels.compiled_modules(), "a change to its file would go unnoticed"
            within = made.py_func.__closure__ or ()  # one function may be compiled twice, for two that call it
            places[made.__module__, made.__qualname__].add(
                (made.py_func.__code__, *(id(cell.cell_contents) for cell in within))
            )
    assert len(places) > 100
    assert not [name for name, there in places.items() if len(there) > 1]


def test_two_signatures_saved_at_once_keep_their_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes that have both read the index before either wrote: the last one's index stands, and every file."""
    monkeypatch.setattr(kernels, "cache_folder", lambda: tmp_path)
    folder = tmp_path / "of" / "these"
    folder.mkdir(parents=True)
    index = folder / "kernel.nbi"
    ours = kernels._CacheFile(str(folder), "kernel", "stamp")
    ours.save("float32", "code of float32")
    first = index.read_bytes()
    index.unlink()
    ours.save("float64", "code of float64")
    assert (ours.load("float32"), ours.load("float64")) == (None, "code of float64")
    index.write_bytes(first)
    assert (ours.load("float32"), ours.load("float64")) == ("code of float32", None)


def test_a_full_disk_only_means_that_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(name: str, data: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(kernels, "cache_folder", lambda: tmp_path)
    (tmp_path / "evo").mkdir()
    ours = kernels._CacheFile(str(tmp_path / "evo"), "kernel", "stamp")
    monkeypatch.setattr(ours, "_write", full)
    ours.save("signature", "code")
    assert ours.load("signature") is None


class Trap:
    """What a stranger pickles: unpickling it makes a file."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (Path("trap"),)


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def damaged(path: Path, other: Path) -> list[Callable[[], object]]:
    """Ways to damage a file of the cache."""
    whole = path.read_bytes()

    def linked() -> None:
        path.unlink()
        path.symlink_to(other)

    def folder() -> None:
        path.unlink()
        (path / "within").mkdir(parents=True)

    def pipe() -> None:
        path.unlink()
        os.mkfifo(path)

    texts = [b"", whole[:20], whole[:40], whole[:-1], whole + b"0", pickle.dumps(Trap()), bytes(64), other.read_bytes()]
    texts += [flipped(whole, place) for place in (0, 31, 32, 60, len(whole) // 2, len(whole) - 1)]
    return [linked, folder, pipe, path.unlink, *(functools.partial(path.write_bytes, text) for text in texts)]


@pytest.mark.parametrize("which", ["index", "data"])
def test_a_damaged_file_is_compiled_again_and_replaced(
    which: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it is unpickled, which runs what it says, before its digest is right."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(kernels, "cache_folder", lambda: tmp_path)
    (tmp_path / "of").mkdir()
    ours, other = (kernels._cache_file(str(tmp_path / "of"), name, "stamp") for name in ("kernel", "another"))
    for each in (ours, other):
        each.save("float32", f"code of {each._index_name}")
    kind = "nbi" if which == "index" else "nbc"
    path, others = next((tmp_path / "of").glob(f"kernel*.{kind}")), next((tmp_path / "of").glob(f"another*.{kind}"))
    ways = damaged(path, others)
    assert len(ways) > 15
    for index in range(len(ways)):
        damaged(path, others)[index]()
        assert ours.load("float32") is None
        ours.save("float32", "code of kernel.nbi")
        assert path.is_file() and not path.is_symlink()
        assert ours.load("float32") == "code of kernel.nbi"
    assert other.load("float32") == "code of another.nbi"
    assert not (tmp_path / "trap").exists()


def test_a_damaged_cache_only_means_that_kernels_are_compiled_again(tmp_path: Path) -> None:
    code = "from evo.numerics.advantages import advantages\nimport numpy as np\nones = np.ones((1, 3))"
    code += "\nprint(advantages(ones, np.ones((1, 4)), np.zeros((1, 3), np.uint8), np.array([3]), 0.5, 0.5).tolist())"
    code += "\nprint(sum(advantages.stats.cache_hits.values()))"
    where = {"EVO_CACHE_DIR": str(tmp_path)}
    first = python(code, **where).splitlines()
    assert first[1] == "0" and python(code, **where).splitlines() == [first[0], "1"]
    for file in tmp_path.rglob("*.nb?"):
        file.write_bytes(flipped(file.read_bytes(), file.stat().st_size // 2))
    assert python(code, **where).splitlines() == first
    assert python(code, **where).splitlines() == [first[0], "1"]
    (folder,) = tmp_path.iterdir()
    folder.rename(tmp_path / "aside")
    folder.touch()
    assert python(code, **where).splitlines() == first
    assert python(code, **where).splitlines() == [first[0], "1"]


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o707])
def test_a_folder_that_others_write_to_is_passed_over(
    mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, home = tmp_path / "shared", tmp_path / "home"
    shared.mkdir()
    shared.chmod(mode)
    monkeypatch.setenv("EVO_CACHE_DIR", str(shared))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    with pytest.warns(UserWarning, match="shared, which another user owns or everyone may write to"):
        assert kernels.cache_folder.__wrapped__() == home / "evo-creatures"
    assert stat.S_IMODE((home / "evo-creatures").stat().st_mode) == 0o700
    shared.chmod(0o770)  # a group of one's own is usual
    assert kernels.cache_folder.__wrapped__() == shared
    monkeypatch.setattr(os, "geteuid", lambda: shared.stat().st_uid + 1)
    monkeypatch.setattr(kernels.tempfile, "mkdtemp", lambda prefix: "/a temporary one")
    with pytest.warns(UserWarning, match="another user owns"):
        assert kernels.cache_folder.__wrapped__() == Path("/a temporary one")
