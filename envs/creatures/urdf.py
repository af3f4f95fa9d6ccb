"""URDF preprocessing: `package://` and mesh paths are resolved, elements that MuJoCo cannot use are removed."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

_READ = ("link", "joint", "material", "mujoco")  # children of a robot that MuJoCo reads; others are for other programs
_MESHES = (".stl", ".obj", ".msh")
_PACKAGE = re.compile(r"^(?:package|model)://([^/]+)/(.+)$|^(?:file://)?\$\(find ([^)]+)\)/(.+)$")


class Robot(NamedTuple):
    """A preprocessed robot.

    text: XML that MuJoCo loads from the file's own folder. meshes: the files that it names. left_out: descriptions of
    what was removed.
    """

    text: str
    meshes: list[Path]
    left_out: list[str]


def is_urdf(path: Path | str) -> bool:
    """Return whether a model file's name ends as a URDF's."""
    return str(path).lower().endswith(".urdf")


def resolve(file: Path, root: Path) -> Robot:
    """Return the robot of a URDF whose named files lie within the folder `root`.

    Elements for other programs are left out, and so are <visual> elements whose mesh is missing or in a format that
    MuJoCo does not read: they have no mass. Raises ValueError for such a collision mesh, for a plugin, and for what is
    no URDF.
    """
    robot = ElementTree.parse(file).getroot()
    if robot.tag != "robot":
        raise ValueError(f"its root is <{robot.tag}>, and that of a URDF is <robot>; MJCF is named .xml")
    others = [child for child in robot if child.tag not in _READ]
    for child in others:
        robot.remove(child)
    if next(robot.iter("plugin"), None) is not None:
        raise ValueError("it asks for a plugin, which is code; plugins are not loaded")
    left_out = [f"<{tag}>" + (f" ({count} times)" if count > 1 else "") for tag, count in _count(others)]
    folders = [file.parent]
    for compiler in robot.iter("compiler"):
        compiler.attrib.pop("strippath", None)
        for kind in ("meshdir", "assetdir"):  # the names that MuJoCo reads are relative to the file's own folder
            if name := compiler.attrib.pop(kind, ""):
                folders.insert(0, Path(os.path.normpath(file.parent / name)))
    unseen: Counter[str] = Counter()
    found: list[Path] = []
    for shape, mesh in list(_meshes(robot)):
        name = mesh.get("filename", "")
        path = _find(name, file, folders, root)
        reason = "missing" if path is None else "" if path.suffix.lower() in _MESHES else path.suffix
        if reason and shape.tag == "visual":
            unseen[reason] += 1
            _parent_of(robot, shape).remove(shape)
        elif path is None:
            raise ValueError(
                f"it asks for {name!r}, which is not in the folder {root}: put it there, or name the folder that has "
                "both by --set task.model_root=…"
            )
        elif reason:
            link = _parent_of(robot, shape).get("name", "")
            raise ValueError(
                f"link {link!r}: its collision mesh {path.name} is {reason}, and MuJoCo reads {', '.join(_MESHES)}: "
                "convert it, or use a box, cylinder or sphere"
            )
        else:
            found.append(path)
            mesh.set("filename", os.path.relpath(path, file.parent))
    left_out += [f"{count} visual meshes ({reason})" for reason, count in unseen.items()]
    return Robot(ElementTree.tostring(robot, encoding="unicode"), found, left_out)


def _count(elements: list[ElementTree.Element]) -> list[tuple[str, int]]:
    return list(Counter(element.tag.rpartition("}")[2] for element in elements).items())


def _meshes(robot: ElementTree.Element) -> Iterator[tuple[ElementTree.Element, ElementTree.Element]]:
    """Yield each mesh, with its <visual> or <collision> element."""
    for link in robot.iter("link"):
        for shape in link:
            for mesh in shape.iter("mesh"):
                yield shape, mesh


def _parent_of(robot: ElementTree.Element, shape: ElementTree.Element) -> ElementTree.Element:
    return next(link for link in robot.iter("link") if shape in list(link))


def _find(name: str, file: Path, folders: list[Path], root: Path) -> Path | None:
    """Return the file of a name: beside the URDF, in its package, or, as MuJoCo looks for it, without its path.

    For a format that MuJoCo does not read, a file of the same name in a format that it reads is preferred.
    """
    for candidate in _candidates(name.replace("\\", "/"), file, folders, root):
        path = Path(os.path.normpath(candidate))
        if path.is_relative_to(root):
            twins = [path.with_suffix(suffix) for suffix in _MESHES] if path.suffix.lower() not in _MESHES else []
            for each in (*twins, path):
                if each.is_file():
                    return each
    return None


def _candidates(name: str, file: Path, folders: list[Path], root: Path) -> Iterator[Path]:
    package = _PACKAGE.match(name)
    if package is None:
        plain = name.removeprefix("file://")
        yield from (folder / plain for folder in folders)
        yield from (folder / Path(plain).name for folder in folders)
        return
    called, rest = (part for part in package.groups() if part is not None)
    above = [each for each in file.parents if each.is_relative_to(root)]
    yield from (each / rest for each in above if called in (each.name, _package_name(each)))
    yield from (each / called / rest for each in above)
    yield from (each / rest for each in above)  # its folder may have been renamed
    yield from (folder / Path(rest).name for folder in folders)


def _package_name(folder: Path) -> str:
    """Return the name in a folder's package.xml, "" without one."""
    try:
        return (ElementTree.parse(folder / "package.xml").getroot().findtext("name") or "").strip()
    except (OSError, ElementTree.ParseError):
        return ""
