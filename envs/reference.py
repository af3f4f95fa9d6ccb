"""Loading of `package.module:attribute` names, and which of them may be imported.

An import runs code, and what is loaded is called. A name that only a file holds (a champion, a run's configuration) may
be a stranger's: it is followed where the user said that they trust that file, gave the same name themselves, or where
an installed package declares its module to evo, by an entry point of the group `evo.extensions`.
"""

import importlib
import os
import re
import site
import sys
import sysconfig
from collections.abc import Callable, Mapping
from importlib.machinery import PathFinder
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from evo.envs.foreign import contained

EXTENSIONS = "evo.extensions"  # the group of entry points; their values are modules, or packages with all in them

_ROOT = re.compile(r'^model_root = "[^"]', re.MULTILINE)
# A module and the beginning of a name in it, but for an option such as `tournament:size=4`.
_NAME = re.compile(r"(?<![\w.:])([^\W\d][\w.]*):(?=[^\W\d])(?!\w+=)")

_of_files: set[str] = set()  # texts that files hold
_of_users: set[str] = set()  # texts that the user gave, or vouches for
_folders: set[str] = set()  # of these texts the folders that they name, without links


class UntrustedName(ValueError):  # noqa: N818
    """A name that only a file holds, whose module nobody vouches for."""


def distrust(text: str) -> None:
    """Note a text out of a file: names in it are not followed, unless `trust` or an installed package says so."""
    if ":" in text:
        _of_files.add(text)


def trust(*given: object) -> None:
    """Note texts that the user gave, or that stand in a file which they trust: names in them are followed, and what a
    model file names is read from folders among them."""
    note_names(given, _vouch_for)


def _vouch_for(text: str) -> None:
    if ":" in text:
        _of_users.add(text)
    if os.path.isdir(text):
        _folders.add(os.path.realpath(text))


def is_trusted_folder(path: Path) -> bool:
    """Whether the user gave this folder, or a file that they trust names it. path: without links."""
    return str(path) in _folders


def pass_on(text: str, parsed: object) -> None:
    """Note what was parsed out of a text, where escapes may have hidden names: it is whose the text is."""
    if any(text in one for one in _of_users):
        note_names(parsed, trust)
    elif any(text in one for one in _of_files):
        note_names(parsed, distrust)


def note_names(value: object, note: Callable[[str], None]) -> None:
    """Note every text in a value, whatever tables and lists it lies in."""
    if isinstance(value, str):
        note(value)
    for each in value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ():
        note_names(each, note)


def check_trusted(reference: str) -> None:
    """Raises UntrustedName for a name that only a file holds, unless an installed package declares its module."""
    if not any(reference in text for text in _of_files):
        return
    whole = re.compile(rf"(?<![\w.]){re.escape(reference)}(?!\w)")
    if any(whole.search(text) for text in _of_users):
        return
    module = reference.partition(":")[0]
    if not _is_declared(module):
        raise UntrustedName(
            f"{reference} is named by a file alone, and loading it would run the module {module}: "
            "add --trust (in Python trust=True) if you trust that file"
        )


def needs_trust(text: str) -> bool:
    """Whether a file that holds the text, such as a run's config.toml, is followed by a word of the user's alone: one
    of its names is in a module that can be imported here, which no installed package declares, or it says where a
    model's files may lie."""
    return _ROOT.search(text) is not None or any(
        (module in sys.modules or _place(module.partition(".")[0], sys.path) is not None) and not _is_declared(module)
        for module in {*_NAME.findall(text)}
    )


def resolve(name: str, table: Mapping[str, str] | None = None) -> Any:
    """The object that a table of evo's names `name`, or the one that it names itself: `package.module:attribute`.

    Raises UntrustedName (a ValueError) as `check_trusted` does, and else what `load` raises.
    """
    if table is not None and name in table:
        return load(table[name])
    check_trusted(name)
    return load(name)


def load(reference: str) -> Any:
    """The object named `package.module:attribute`, by one of evo's own tables or after `check_trusted`.

    Raises ValueError for a name of another form, ImportError where the module or its attribute is missing.
    """
    module_name, colon, attribute = reference.partition(":")
    if not colon or not module_name or not attribute:
        raise ValueError(f"{reference!r} is not of the form package.module:attribute")
    with contained():
        module = importlib.import_module(module_name)
    try:
        return getattr(module, attribute)
    except AttributeError:
        raise ImportError(f"module {module_name!r} has no attribute {attribute!r}") from None


def _is_declared(module: str) -> bool:
    """Whether an installed package declares the module, and it is what an import would find.

    The working directory comes first on the path of the command line: what lies there, beside a stranger's file, can
    neither declare anything nor stand in for what is installed.
    """
    installed = distributions(path=_installed_folders())
    declared = {point.value for one in installed for point in one.entry_points if point.group == EXTENSIONS}
    if not any(f"{module}.".startswith(f"{package}.") for package in declared):
        return False
    package, here = module.partition(".")[0], Path.cwd().resolve()
    elsewhere = [folder for folder in sys.path if Path(folder).resolve() != here]
    return _place(package, sys.path) == _place(package, elsewhere) is not None


def _installed_folders() -> list[str]:
    known = {sysconfig.get_paths()[name] for name in ("purelib", "platlib")} | {*site.getsitepackages()}
    if site.ENABLE_USER_SITE:
        known.add(site.getusersitepackages())
    return sorted(known)


def _place(package: str, folders: list[str]) -> str | None:
    """Where an import would find a package, were these the folders to look in."""
    for finder in sys.meta_path:
        look = PathFinder.find_spec if finder is PathFinder else getattr(finder, "find_spec", None)
        spec = look(package, folders if finder is PathFinder else None) if look is not None else None
        if spec is not None:
            return spec.origin or str(list(spec.submodule_search_locations or ()))
    return None
