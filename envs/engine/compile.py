"""Compilation of kernels, with a cache on disk that is keyed by the sources and libraries it depends on.

Everything of ours that is compiled takes `njit` from here: a function is bound to a cache where it is decorated, and
Numba's own would be the one if that came before this file.

Numba keys its cache on the file of the cached function alone, so a changed callee in another file goes unnoticed. The
locator below claims the kernels of this project and stamps them with everything their machine code depends on: the
sources that compile anything, all that these import, and the versions of MuJoCo (struct offsets are baked in), Numba
and NumPy.
"""

import contextlib
import functools
import hashlib
import importlib.util
import inspect
import os
import pickle
import re
import shutil
import stat
import tempfile
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numba
from numba import types
from numba.core import caching
from numba.core.caching import CacheImpl, IndexDataCacheFile, _CacheLocator
from numba.core.errors import NumbaError

from evo.envs.engine.numpy_order import FOUND

ADDRESS = types.intp
njit = functools.partial(numba.njit, nogil=True)  # for all of ours; without the lock, a signal is heard meanwhile
# Packages of tasks, layers, tape and update rules, whose plain functions are compiled elsewhere.
_COMPILED_PACKAGES = ("evo.envs", "evo.networks", "evo.autodiff", "evo.optimizers")
_IMPORT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+import\s+(\([^)]*\)|[^\n]*)|import\s+([^\n]*))", re.MULTILINE)
_DIGEST_SIZE = hashlib.sha256().digest_size  # bytes
_VERSIONS = 4  # of the sources, whose compiled kernels are kept


class KernelError(Exception):
    """A kernel does not compile with the signature it must have."""


@functools.cache
def _modules() -> dict[str, Path]:
    """Our modules, by their names."""
    spec = importlib.util.find_spec("evo")
    assert spec is not None and spec.submodule_search_locations
    root = Path(spec.submodule_search_locations[0])
    found = {}
    for folder, _, files in os.walk(root, followlinks=True):  # in a checkout evo/envs is a link
        for file in files:
            if file.endswith(".py"):
                path = Path(folder, file)
                name = ".".join(("evo", *path.relative_to(root).with_suffix("").parts))
                found[name.removesuffix(".__init__")] = path
    return found


@functools.cache
def _folders() -> list[Path]:
    return sorted({path.resolve().parent for path in _modules().values()})


def _imports(path: Path) -> set[str]:
    """Every name that a file imports, anywhere in it: modules, and what is taken out of them.

    Read off its text: parsing all our files would take most of a second at every start. What only looks like an import
    in a docstring counts too, which at worst compiles anew what need not be.
    """
    names: set[str] = set()
    for module, taken, whole in _IMPORT.findall(path.read_text()):
        words = re.findall(r"[\w.]+", taken or whole)
        names |= {module, *(f"{module}.{word}" for word in words)} if module else set(words)
    return names


@functools.cache
def compiled_modules() -> list[str]:
    """Our modules that compiled code can depend on: those that compile anything, and all that they import.

    A change to any other leaves the cache as it is.
    """
    imports = {name: _imports(path) for name, path in _modules().items()}
    compilers = {"evo.envs.engine.compile.njit", "evo.envs.engine.compile.compile_kernel"}
    waiting = [
        name
        for name, imported in imports.items()
        if f"{name}.".startswith(tuple(f"{package}." for package in _COMPILED_PACKAGES))
        or imported & compilers
        or any(one.partition(".")[0] == "numba" for one in imported)
    ]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [one for one in imports[name] if one in imports and one != "evo"]  # which only names words
    return sorted(found)


@functools.cache
def source_digest() -> str:
    """Digest of the sources, the versions and the variants of arithmetic that compiled code depends on."""
    digest = hashlib.sha256()
    for package in ("mujoco", "numba", "llvmlite", "numpy"):
        digest.update(f"{package}={version(package)};".encode())
    for name, variant in FOUND.items():
        digest.update(f"{name}={variant};".encode())
    for name in compiled_modules():
        digest.update(name.encode() + b"\0")
        digest.update(_modules()[name].read_bytes())
    return digest.hexdigest()


@functools.cache
def cache_folder() -> Path:
    """The folder of compiled kernels: `$EVO_CACHE_DIR`, else the user's cache, else a temporary one.

    What lies there is run: a folder of another user's, or that everyone may write to, is passed over, with a warning.
    """
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    for folder in (os.environ.get("EVO_CACHE_DIR"), Path(home) / "evo-creatures"):
        if folder:
            try:
                Path(folder).mkdir(0o700, parents=True, exist_ok=True)
                with tempfile.TemporaryFile(dir=folder):
                    if _is_ones_own(Path(folder)):
                        return Path(folder)
            except OSError:
                continue
            warnings.warn(
                f"compiled code is not kept in {folder}, which another user owns or everyone may write to", stacklevel=2
            )
    try:
        return Path(tempfile.mkdtemp(prefix="evo-creatures-"))
    except OSError:  # no room for a folder even: nothing is kept
        return Path(os.devnull, "evo-creatures")


def _is_ones_own(folder: Path) -> bool:
    status = folder.stat()
    return status.st_uid == os.geteuid() and not status.st_mode & stat.S_IWOTH  # a group of one's own is usual


@functools.cache
def _current_folder() -> Path:
    """A folder for these sources alone: Numba stumbles over an index that names what is in other sources only."""
    folder = cache_folder() / source_digest()[:16]
    _make_folder(folder)
    with contextlib.suppress(OSError):  # another process may be tidying up too
        os.utime(folder)
        _forget_the_oldest(folder)
    return folder


def _make_folder(folder: Path) -> None:
    """Have a folder of that name, whatever else stands there; where there can be none, nothing will be kept."""
    with contextlib.suppress(OSError):
        if folder.is_symlink() or not folder.is_dir():
            folder.unlink(missing_ok=True)
        folder.mkdir(exist_ok=True)


def _forget_the_oldest(folder: Path) -> None:
    others = [path for path in cache_folder().iterdir() if re.fullmatch("[0-9a-f]{16}", path.name) and path != folder]
    for old in sorted(others, key=lambda path: path.stat().st_mtime)[: -(_VERSIONS - 1)]:
        shutil.rmtree(old, ignore_errors=True)


def _is_ours(file: Path) -> bool:
    return file.exists() and file.resolve().parent in _folders()


class _KernelCacheLocator(_CacheLocator):
    """Where a kernel of ours is cached, and the stamp that must match for it to be used."""

    def __init__(self, function: Callable[..., Any], file: str) -> None:
        self._file = Path(file)
        self._line = function.__code__.co_firstlineno

    def get_cache_path(self) -> str:
        return str(_current_folder() / self.get_suitable_cache_subpath(str(self._file)))

    def ensure_cache_path(self) -> None:
        _make_folder(Path(self.get_cache_path()))

    def get_source_stamp(self) -> str:
        return hashlib.sha256(self._file.read_bytes() + source_digest().encode()).hexdigest()

    def get_disambiguator(self) -> str:
        return str(self._line)

    @classmethod
    def from_function(cls, function: Callable[..., Any], file: str) -> "_KernelCacheLocator | None":
        path = Path(file)
        if not _is_ours(path):
            return None
        locator = cls(function, file)
        locator.ensure_cache_path()
        return locator


class _CacheFile(IndexDataCacheFile):
    """Where the compiled signatures of one function are kept: an index, and a file for each.

    Numba numbers their files by what its index lists: two processes that compile at once take the same number, and one
    finds the other's code under its own signature. Ours are named by their signature.

    Numba unpickles and runs whatever it finds. Each of ours begins with a digest of its name and content: of a file
    that is cut, altered or swapped nothing is read, and it is replaced by what is then compiled again.
    """

    def save(self, key: Any, data: Any) -> None:
        name = f"{self._index_name[:-4]}.{hashlib.sha256(self._dump(key)).hexdigest()[:16]}.nbc"
        with contextlib.suppress(OSError):  # a full disk must not stop the work, only slow its next start
            self._write(name, data)
            # of two processes that write an index at once one entry may be lost: that signature is compiled again
            self._save_index(self._load_index() | {key: name})

    def load(self, key: Any) -> Any:
        name = self._load_index().get(key)
        return None if name is None else self._read(name)

    def _load_index(self) -> dict[Any, str]:
        return self._read(self._index_name) or {}

    def _save_index(self, overloads: dict[Any, str]) -> None:
        self._write(self._index_name, overloads)

    def _read(self, name: str) -> Any:
        """What a file of this name holds; None where there is none that is whole."""
        try:
            descriptor = os.open(self._data_path(name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with open(descriptor, "rb") as file:
                written, data = file.read(_DIGEST_SIZE), file.read()
        except OSError:
            return None
        return pickle.loads(data) if written == self._digest(name, data) else None

    def _write(self, name: str, content: Any) -> None:
        data, path = self._dump(content), Path(self._data_path(name))
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        with self._open_for_write(path) as file:
            file.write(self._digest(name, data) + data)

    def _digest(self, name: str, data: bytes) -> bytes:
        return hashlib.sha256(f"{self._source_stamp}/{name}/".encode() + data).digest()


def _cache_file(cache_path: str, filename_base: str, source_stamp: Any) -> IndexDataCacheFile:
    """Numba's own for functions of others."""
    kind = _CacheFile if cache_folder() in Path(cache_path).parents else IndexDataCacheFile
    return kind(cache_path, filename_base, source_stamp)


if _KernelCacheLocator not in CacheImpl._locator_classes:
    CacheImpl._locator_classes.insert(0, _KernelCacheLocator)
    caching.IndexDataCacheFile = _cache_file


# Numba gives back no code, not even of a kernel that is gone: each of ours is in memory once, whoever uses it.
_compiled: dict[tuple[Callable[..., Any], tuple[types.Type, ...]], Any] = {}


def compile_kernel(function: Callable[..., Any], arguments: Sequence[types.Type], names: str) -> Any:
    """Compile a plain function to a C callback taking `arguments` and returning nothing; `.address` is its address.

    `names` spells the expected signature, for the error that a function of another shape gets. Raises KernelError.
    """
    if inspect.ismethod(function):
        raise KernelError(f"{function.__qualname__} is a method; a kernel is a plain function: make it a staticmethod")
    if not callable(function):
        raise KernelError(f"{function!r} is not a function; it should be one taking ({names})")
    label = getattr(function, "__qualname__", repr(function))
    expected = len(arguments)
    code = getattr(function, "__code__", None)
    if code is None or code.co_argcount != expected or code.co_flags & 0x0C:
        taken = ", ".join(code.co_varnames[: code.co_argcount]) if code else "?"
        raise KernelError(f"{label} takes ({taken}); it must take exactly ({names})")
    # a function of a user's may call others, in files that nobody watches: it is compiled afresh in each process
    cached = _is_ours(Path(code.co_filename))
    known = function, tuple(arguments)
    if known in _compiled:
        return _compiled[known]
    compiler = functools.partial(numba.cfunc, types.void(*arguments), error_model="numpy")
    try:
        try:
            kernel = compiler(cache=cached)(function)
        except OSError:  # a full disk must not stop the work, only slow its start
            kernel = compiler(cache=False)(function)
    except (NumbaError, NotImplementedError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = next((line for line in lines if not line.startswith(("Failed in", "During", "File"))), lines[0])
        raise KernelError(f"{label} ({code.co_filename}:{code.co_firstlineno}) does not compile: {reason}") from error
    if cached:
        _compiled[known] = kernel
    return kernel
