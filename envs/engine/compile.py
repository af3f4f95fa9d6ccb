"""Compilation of kernels, with a cache on disk that is keyed by the sources and libraries it depends on.

All our compiled functions take `njit` from here: a function is bound to a cache where it is decorated, so this module
must be loaded first, or Numba's own cache would be used.

Numba keys its cache on the file of the cached function alone, so a changed callee in another file goes unnoticed. The
locator below claims the kernels of this project and stamps them with everything their machine code depends on: the
sources that compile anything, all that these import, and the versions of MuJoCo (struct offsets are constants in the
code), Numba and NumPy.
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
njit = functools.partial(numba.njit, nogil=True)  # for all our kernels; without the lock, signals are handled meanwhile
# Packages of tasks, layers, tape and update rules, whose plain functions are compiled in other modules.
_COMPILED_PACKAGES = ("evo.envs", "evo.networks", "evo.autodiff", "evo.optimizers")
_IMPORT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+import\s+(\([^)]*\)|[^\n]*)|import\s+([^\n]*))", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")  # which Numba puts into its messages where the package colorama is there
_DIGEST_SIZE = hashlib.sha256().digest_size  # bytes
_VERSIONS = 4  # number of source versions whose compiled kernels are kept


class KernelError(Exception):
    """A kernel does not compile with the signature it must have."""


@functools.cache
def _modules() -> dict[str, Path]:
    """Return the paths of our modules by name."""
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
    """Return all names that a file imports: modules, and modules with the name taken from them.

    They are matched in its text: parsing all our files would take most of a second at every start. An apparent import
    in a docstring counts too, which at worst causes a needless recompilation.
    """
    names: set[str] = set()
    for module, taken, whole in _IMPORT.findall(path.read_text()):
        words = re.findall(r"[\w.]+", taken or whole)
        names |= {module, *(f"{module}.{word}" for word in words)} if module else set(words)
    return names


@functools.cache
def compiled_modules() -> list[str]:
    """Return our modules that compiled code can depend on: those that compile anything, and all that they import.

    A change to any other leaves the cache valid.
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
            waiting += [one for one in imports[name] if one in imports and one != "evo"]  # which only lists names
    return sorted(found)


@functools.cache
def source_digest() -> str:
    """Return a digest of the sources, versions and variants of arithmetic that compiled code depends on."""
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
    """Return the folder of compiled kernels: `$EVO_CACHE_DIR`, else the user's cache, else a temporary one.

    Its contents are executed: a folder that another user owns, or that everyone may write to, is passed over, with a
    warning.
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
    except OSError:  # not even a folder can be made: nothing is cached
        return Path(os.devnull, "evo-creatures")


def _is_ones_own(folder: Path) -> bool:
    status = folder.stat()
    return status.st_uid == os.geteuid() and not status.st_mode & stat.S_IWOTH  # a group of the user's own is usual


@functools.cache
def _current_folder() -> Path:
    """Return a folder for these sources alone: Numba fails on an index that names functions of other sources."""
    folder = cache_folder() / source_digest()[:16]
    _make_folder(folder)
    with contextlib.suppress(OSError):  # another process may be removing it too
        os.utime(folder)
        _forget_the_oldest(folder)
    return folder


def _make_folder(folder: Path) -> None:
    """Make a folder of that name, in place of whatever is there; where that fails, nothing is cached."""
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
    """Locator of our cached kernels, with the stamp that must match for one to be used."""

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
    """Cache of the compiled signatures of one function: an index, and a file for each.

    Numba numbers their files by its index: two processes that compile at once take the same number, and one finds the
    other's code under its own signature. Ours are named by their signature.

    Numba unpickles and runs whatever it finds. Each of our files begins with a digest of its name and content: a file
    that is cut, altered or swapped is not read, and it is replaced when its function is compiled again.
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
        """Return the content of a file of this name; None where there is no intact one."""
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
    """Return our cache file for our functions, Numba's own for others."""
    kind = _CacheFile if cache_folder() in Path(cache_path).parents else IndexDataCacheFile
    return kind(cache_path, filename_base, source_stamp)


if _KernelCacheLocator not in CacheImpl._locator_classes:
    CacheImpl._locator_classes.insert(0, _KernelCacheLocator)
    caching.IndexDataCacheFile = _cache_file


# Numba never frees code, not even of a deleted kernel: each of ours is in memory once, for all users.
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
    # a user's function may call others in files that are not tracked: it is compiled again in each process
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
    except KeyError as error:  # numba's own, for a field that a record does not have
        label = f"{label} ({code.co_filename}:{code.co_firstlineno})"
        raise KernelError(f"{label} does not compile: there is no {error} in one of ({names})") from error
    except (NumbaError, NotImplementedError) as error:
        lines = [line.strip() for line in _COLOUR.sub("", str(error)).splitlines() if line.strip()]
        reason = next((line for line in lines if not line.startswith(("Failed in", "During", "File"))), lines[0])
        raise KernelError(f"{label} ({code.co_filename}:{code.co_firstlineno}) does not compile: {reason}") from error
    if cached:
        _compiled[known] = kernel
    return kernel
