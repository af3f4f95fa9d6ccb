"""Loading of `package.module:attribute` names, and which of them may be imported.

An import runs code, and what is loaded is called. A name that only a file holds (a champion, a run's configuration) may
be a stranger's. It is imported only if the user trusts that file or gave the same name, or if an installed package
declares its module to evo, by an entry point of the group `evo.extensions`.
"""

import difflib
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

EXTENSIONS = "evo.extensions"  # the group of entry points; their values are modules, or packages with all their modules

_ROOT = re.compile(r'^model_root = "[^"]', re.MULTILINE)
# A module and the beginning of a name in it, but no option such as `tournament:size=4`.
_NAME = re.compile(r"(?<![\w.:])([^\W\d][\w.]*):(?=[^\W\d])(?!\w+=)")

_of_files: set[str] = set()  # texts in files
_of_users: set[str] = set()  # texts that the user gave, or trusts
_folders: set[str] = set()  # the folders, without links, that those texts name


class UntrustedName(ValueError):  # noqa: N818
    """A name that only a file holds, whose module is not trusted."""


def distrust(text: str) -> None:
    """Record a text of a file: names in it are not imported, unless `trust` or an installed package allows it."""
    if _may_name(text):
        _of_files.add(text)


def trust(*given: object) -> None:
    """Record texts that the user gave, or that a trusted file holds.

    Names in them may be imported, and model files may read from the folders among them.
    """
    note_names(given, _vouch_for)


def _may_name(text: str) -> bool:
    """Return whether a text may name an attribute of a module: plainly, or in a call that escapes the colon."""
    return ":" in text or "(" in text


def _vouch_for(text: str) -> None:
    if _may_name(text):
        _of_users.add(text)
    if os.path.isdir(text):
        _folders.add(os.path.realpath(text))


def is_trusted_folder(path: Path) -> bool:
    """Return whether the user gave this folder, or a trusted file names it. path: without links."""
    return str(path) in _folders


def pass_on(text: str, parsed: object) -> None:
    """Record what was parsed from a text, in which escapes may have hidden names; it is trusted as the text is."""
    if any(text in one for one in _of_users):
        note_names(parsed, trust)
    elif any(text in one for one in _of_files):
        note_names(parsed, distrust)


def note_names(value: object, note: Callable[[str], None]) -> None:
    """Call `note` with every text in a value, at any depth of tables and lists."""
    if isinstance(value, str):
        note(value)
    for each in value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ():
        note_names(each, note)


def check_trusted(reference: str) -> None:
    """Raise UntrustedName for a name that only a file holds, unless an installed package declares its module."""
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
    """Return whether a file with this text, such as a run's config.toml, can be used only if the user trusts it.

    That is so where one of its names is in a module that can be imported here and that no installed package declares,
    or where it says where a model's files may lie.
    """
    return _ROOT.search(text) is not None or any(
        (module in sys.modules or _place(module.partition(".")[0], sys.path) is not None) and not _is_declared(module)
        for module in {*_NAME.findall(text)}
    )


def resolve(name: str, table: Mapping[str, str] | None = None) -> Any:
    """Return the object that a table of evo's names `name`, or that it names itself: `package.module:attribute`.

    Raises UntrustedName (a ValueError) as `check_trusted` does, and otherwise what `load` raises.
    """
    if table is not None and name in table:
        return load(table[name])
    check_trusted(name)
    return load(name)


def load(reference: str) -> Any:
    """Return the object named `package.module:attribute`, from one of evo's tables or after `check_trusted`.

    Raises ValueError for a name of another form, ImportError where the module or its attribute is missing.
    """
    module_name, colon, attribute = reference.partition(":")
    if not colon or not module_name or not attribute:
        raise ValueError(f"{reference!r} is not of the form package.module:attribute")
    try:
        with contained():
            module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise  # one that the module itself imports
        raise ImportError(f"{error}, neither in the working directory nor on Python's path") from error
    try:
        return getattr(module, attribute)
    except AttributeError:
        near = difflib.get_close_matches(attribute, vars(module), n=1)
        meant = f"; did you mean {module_name}:{near[0]}?" if near else ""
        raise ImportError(f"module {module_name!r} has no attribute {attribute!r}{meant}") from None


def of_module(text: str) -> str:
    """Return the end of an error line for a text that is a module here, and no name in it; else an empty text.

    `lab.mine` and `lab/mine.py` are: `"; lab/mine.py is a module: name what you mean in it, as in lab.mine:NAME"`.
    """
    path = Path(text if text.endswith(".py") else f"{text.replace('.', '/')}.py")
    parts = path.with_suffix("").parts
    if not all(part.isidentifier() for part in parts) or not os.path.isfile(path):  # False for a name too long
        return ""
    return f"; {path} is a module: name what you mean in it, as in {'.'.join(parts)}:NAME"


def _is_declared(module: str) -> bool:
    """Return whether an installed package declares the module, and an import would find that package.

    The working directory comes first on the path of the command line: files there, beside a stranger's file, can
    neither declare a module nor replace an installed one.
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
    """Return where an import would find a package, given these folders."""
    for finder in sys.meta_path:
        look = PathFinder.find_spec if finder is PathFinder else getattr(finder, "find_spec", None)
        spec = look(package, folders if finder is PathFinder else None) if look is not None else None
        if spec is not None:
            return spec.origin or str(list(spec.submodule_search_locations or ()))
    return None
