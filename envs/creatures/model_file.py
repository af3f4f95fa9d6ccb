"""Loading of MJCF and URDF files: examined before they are compiled, identified by a digest.

A file may be broken or hostile: it is first compiled and stepped in a separate process with bounded memory and time.
Whatever happens there, the user gets one line.
"""

import hashlib
import importlib
import json
import math
import os
import re
import resource
import subprocess
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

import mujoco
import numpy as np

from evo.envs import reference
from evo.envs.creatures import urdf

importlib.import_module("evo.envs.engine.log")  # for its effect, before any model loads

SUFFIXES = (".xml", ".mjcf", ".urdf")
_SECONDS, _BYTES = 10, 4 * 2**30  # limits of the examination
_FILE_BYTES, _MODEL_BYTES, _MOST_DOFS = 2**26, 2**29, 1000
_SHORTEST, _LONGEST = 1e-5, 0.1  # time steps, s
_STRONGEST = 1e30  # of a control
_DIRECTORIES = ("meshdir", "texturedir", "assetdir")
_BALANCE = '<compiler balanceinertia="true" boundmass="1e-3" boundinertia="1e-6"/>'
_HOLDING = 0.5  # of the body's weight, at the reach of what a joint moves: strength without an effort limit
_TRIAL = 0.5  # seconds of simulated time


class ModelFileError(ValueError):
    """A model file that cannot be used, and why."""


def is_model_file(text: str) -> bool:
    """Return whether a task's name is that of a model file."""
    return text.lower().endswith(SUFFIXES)


def load_spec(path: str, model_root: str = "") -> mujoco.MjSpec:
    """Return the completed spec of a model file that has been examined.

    model_root: the folder in which the files that it names must lie; only the user may give one beyond the default, see
    `evo.envs.reference.trust`. "": the nearest ancestor with a package.xml, else the file's own, or its parent where
    the file names a sibling. Raises ModelFileError, FileNotFoundError.
    """
    real = examine(path, model_root)
    mujoco.mj_clearCache(mujoco.mj_getCache())  # MuJoCo's cache detects changes of a mesh only by whole seconds
    spec, said = _read(real, _root(real, model_root))
    for line in [*said, *complete(spec, str(real))]:
        warnings.warn(f"{Path(path).name}: {line}", stacklevel=1)  # one place, so that it is printed once
    return spec


def examine(path: str, model_root: str = "") -> Path:
    """Return the real path of an examined model file; arguments and errors are those of `load_spec`."""
    file = Path(path)
    if not os.path.isfile(file):  # False also for a name that is too long
        raise FileNotFoundError(f"there is no file {path}")
    if file.stat().st_size > _FILE_BYTES:
        raise ModelFileError(f"it has {file.stat().st_size:,} bytes; at most {_FILE_BYTES:,} are read")
    real = file.resolve()  # the examined file is the one that is loaded, whatever links lead there
    if model_root:
        model_root = str(Path(model_root).resolve())  # the examination runs in another folder
        _check_root(Path(model_root), _root(real, ""))
    known = (str(real), model_root)
    if known not in _known or _known[known] != _state(_known[known]):
        _known[known] = _state(_examined(*known))
    return real


def _check_root(root: Path, usual: Path) -> None:
    """Raise ModelFileError for a root that no user gave, with which a stranger's file could read beyond its folders."""
    if not root.is_relative_to(usual) and not reference.is_trusted_folder(root):
        raise ModelFileError(
            f"model_root={root} is named by a file alone, and lets the model read beyond {usual}: add --trust (in "
            "Python trust=True) if you trust that file"
        )


def without_range(path: str, model_root: str = "") -> list[int]:
    """Return the actuators of an examined model file without a control range, given or inherited."""
    spec, _ = _read(examine(path, model_root), _root(Path(path).resolve(), model_root))
    return [
        index
        for index, actuator in enumerate(spec.actuators)
        if actuator.ctrlrange[0] == actuator.ctrlrange[1] and not actuator.inheritrange
    ]


def compile_spec(spec: mujoco.MjSpec) -> mujoco.MjModel:
    """Return the model of a spec. Raises ModelFileError with MuJoCo's message."""
    try:
        return spec.compile()
    except ValueError as error:
        raise ModelFileError(_explain(error)) from error


def digest_of(path: str, model_root: str = "") -> str:
    """Return the digest of a file's compiled model, with MuJoCo's version; independent of the files that make it up.

    Raises ModelFileError, FileNotFoundError.
    """
    model = compile_spec(load_spec(path, model_root))
    whole = np.empty(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, whole)
    return f"{mujoco.__version__} {hashlib.sha256(whole.tobytes()).hexdigest()[:16]}"


def check_digest(path: str, recorded: str, model_root: str = "") -> str:
    """Return the digest of a model file. recorded: its expected value if this version of MuJoCo made it; '' for any.

    Raises ModelFileError where the file has changed.
    """
    found = digest_of(path, model_root)
    if recorded not in ("", found) and recorded.split()[0] == mujoco.__version__:
        raise ModelFileError(
            f"the file has changed since this began (its model is now {found}, it was {recorded}): bring that version "
            "back, or begin anew with it as it is, by --set task.digest=''"
        )
    return found


# (file, model_root) that passed → the state of the text files it was made of
_known: dict[tuple[str, str], dict[str, tuple[int, int]]] = {}


def _state(files: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return size and modification time of files; zeros for a missing one."""
    return {
        name: (Path(name).stat().st_size, Path(name).stat().st_mtime_ns) if Path(name).exists() else (0, 0)
        for name in files
    }


def _examined(path: str, model_root: str) -> list[str]:
    """Return the text files that a model is made of. Raises ModelFileError for what is wrong with it."""
    command = [
        sys.executable,
        "-c",
        f"from evo.envs.creatures.model_file import _examine; _examine({path!r}, {model_root!r})",
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=3 * _SECONDS, cwd=Path(__file__).parents[3]
        )
    except subprocess.TimeoutExpired:
        done = None
    if done is None or done.returncode:
        raise ModelFileError(f"it takes more than {_SECONDS} s or {_BYTES >> 30} GB to load, or breaks MuJoCo")
    problem, files = json.loads(done.stdout.splitlines()[-1])
    if problem:
        raise ModelFileError(problem)
    return list(files)


def _examine(path: str, model_root: str) -> None:
    """Print, as JSON, what is wrong with a file (an empty text: nothing), and its files; in a separate process."""
    files: list[str] = []
    resource.setrlimit(resource.RLIMIT_AS, (_BYTES, _BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        root = _root(Path(path), model_root)
        _Text(Path(path), root).check(files)
        spec, _ = _read(Path(path), root)
        complete(spec, path)
        _check_model(spec.compile())
    except MemoryError:
        problem = f"it takes more than {_BYTES >> 30} GB to load"
    except (ValueError, RecursionError, ElementTree.ParseError, OSError, mujoco.FatalError) as error:
        problem = _explain(error)
    else:
        problem = ""
    print(json.dumps([problem, files]))


def _explain(error: BaseException) -> str:
    """Return MuJoCo's message on one line; for an impossible mass or inertia with advice."""
    words = " ".join(str(error).split()) or type(error).__name__
    if element := re.search(r"inertia (?:of moving bodies )?must .*Element name '(.*?)'", words):
        what = re.sub(r"^Error: (?:error )?|'|; use .*| in fullinertia.*| Element name.*", "", words)
        return (
            f"body {element[1]!r}: {what}, which no real one breaks: correct its mass and inertia, or let MuJoCo do so "
            f"by {_BALANCE} (in a URDF within <mujoco> … </mujoco>)"
        )
    return words


def _root(file: Path, model_root: str) -> Path:
    """Return the folder in which all files that a model names must lie; see `load_spec`. Raises ModelFileError."""
    if model_root:
        root = Path(model_root).resolve()
        if not file.is_relative_to(root):
            raise ModelFileError(f"model_root={model_root}: {file} is not in that folder")
        return root
    return next((each for each in file.parents if (each / "package.xml").is_file()), file.parent.parent)


def _read(file: Path, root: Path) -> tuple[mujoco.MjSpec, list[str]]:
    """Return the unmodified spec of a file, and notes for the user."""
    if not urdf.is_urdf(file):
        return mujoco.MjSpec.from_file(str(file)), []  # MuJoCo resolves the names itself
    robot = urdf.resolve(file, root)
    for mesh in robot.meshes:
        if not mesh.resolve().is_relative_to(root):
            raise ModelFileError(f"it asks for {mesh.name!r}, a link to outside its folder {root}")
        if mesh.stat().st_size > _FILE_BYTES:
            raise ModelFileError(f"{mesh.name} has {mesh.stat().st_size:,} bytes; at most {_FILE_BYTES:,} are read")
    spec = mujoco.MjSpec.from_string(robot.text)
    spec.modelfiledir = str(file.parent)
    return spec, [f"left out of it: {', '.join(robot.left_out)}"] if robot.left_out else []


class _Text:
    """Checks the file names in a model's text before MuJoCo reads it; root: the folder in which all must lie."""

    def __init__(self, file: Path, root: Path) -> None:
        self._file, self._root = file, root
        # the possible directories, the folder they are relative to, the folder of the file that has the name, the name
        self._asked: list[tuple[list[list[str]], Path, Path, str]] = []
        self._upward = False  # whether a name goes up from the file's folder

    def check(self, files: list[str]) -> None:
        """Raise for a name that a file, or one it includes or attaches, must not have.

        All files are added to `files`.
        """
        if urdf.is_urdf(self._file):
            self._check_bytes(self._file, files)
            return  # its names are resolved one by one, and MuJoCo reads only the result
        self._check(self._file, self._file.parent, {name: [] for name in _DIRECTORIES}, files)
        # a link must not lead further than the names do
        root = self._root if self._upward or self._root != self._file.parent.parent else self._file.parent
        for among, folder, beside, name in self._asked:
            folders = [folder / directory for directories in among for directory in directories] or [folder]
            if not all((each / name).exists() for each in folders):
                folders.append(beside)  # where MuJoCo looks next
            for each in folders:
                self._check_inside(each / name, name, root)
                self._check_inside(each / Path(name).name, name, root)  # with strippath

    def _check(self, file: Path, folder: Path, directories: dict[str, list[str]], files: list[str]) -> None:
        """Check one file.

        folder: of the model that it belongs to, where its names begin; directories: of that model.
        """
        self._check_bytes(file, files)
        for element in ElementTree.parse(file).iter():
            kind = element.tag.lower()
            if "{" in kind or ":" in kind:
                raise ModelFileError(f"{file.name} uses an XML namespace, which models do not have")
            if kind == "plugin":
                raise ModelFileError("it asks for a plugin, which is code; plugins are not loaded")
            for name, asked in element.items():
                if name in _DIRECTORIES:
                    self._check_name(asked)
                    directories[name].append(asked.replace("\\", "/"))
                    self._asked.append(([], folder, folder, asked.replace("\\", "/")))
                elif name.startswith("file"):  # "fileright" is one side of a texture
                    self._check_name(asked)
                    where = {"texture": "texturedir", "include": "", "model": ""}.get(kind, "meshdir")
                    among = [directories[where], directories["assetdir"]] if where else []
                    self._asked.append((among, folder, file.parent, asked.replace("\\", "/")))
            if kind in ("include", "model") and "file" in element.attrib:
                asked = element.attrib["file"]
                begins = folder if kind == "include" and (folder / asked).exists() else file.parent
                inner = Path(os.path.normpath(begins / asked))
                self._check_inside(inner, asked, self._root)
                if kind == "include":
                    self._check(inner, folder, directories, files)
                else:  # an attached model
                    self._check(inner, inner.parent, {name: [] for name in _DIRECTORIES}, files)

    def _check_bytes(self, file: Path, files: list[str]) -> None:
        if str(file) in files:
            raise ModelFileError(f"it includes {file.name!r} more than once")
        files.append(str(file))
        # parsers other than MuJoCo's interpret these differently
        if re.search(rb"<!(DOCTYPE|ENTITY)", file.read_bytes(), re.IGNORECASE):
            raise ModelFileError(f"{file.name} declares a document type; take the <!DOCTYPE …> out")

    def _check_name(self, asked: str) -> None:
        name = Path(asked.replace("\\", "/"))  # MuJoCo takes both as separators
        if name.is_absolute() or re.match("[A-Za-z]:", asked) or "://" in asked:
            raise ModelFileError(f"it asks for {asked!r}, which is outside its folder: name it from there")
        self._upward |= ".." in name.parts

    def _check_inside(self, path: Path, asked: str, root: Path) -> None:
        if not Path(os.path.normpath(path)).is_relative_to(root):
            raise ModelFileError(
                f"it asks for {asked!r}, which is outside its folder {root}: a folder that holds both is allowed by "
                "--set task.model_root=…"
            )
        if path.exists() and not path.resolve().is_relative_to(root):
            raise ModelFileError(f"it asks for {asked!r}, a link to outside its folder {root}")


def complete(spec: mujoco.MjSpec, path: str) -> list[str]:
    """Add what a spec lacks for walking: ground, and for a URDF a free root and motors.

    A motor's strength is the joint's effort limit; without one, what holds half the body's weight at the reach of what
    the joint moves. Returns notes for the user.
    """
    world, said = spec.worldbody, []
    if urdf.is_urdf(path):
        for body in world.bodies[:1]:
            if not body.joints:
                body.add_freejoint()
        moved = [
            each for each in spec.joints if each.type in (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE)
        ]
        weak = [joint.name for joint in moved if not 0 < _effort(joint) < math.inf]
        default = _holding_efforts(spec.copy().compile(), weak) if weak else {}
        if weak:
            said.append(
                f"joints without an effort limit are as strong as holds {_HOLDING:g} of the body's weight at their "
                f"reach: {_join_words([f'{name} {effort:g}' for name, effort in default.items()])} N·m (of a slide, N)"
            )
        for joint in moved:
            actuator = spec.add_actuator(name=joint.name, target=joint.name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
            actuator.gear[0] = default.get(joint.name) or _effort(joint)
            actuator.ctrllimited, actuator.ctrlrange = True, [-1, 1]
            joint.actfrclimited = mujoco.mjtLimited.mjLIMITED_FALSE  # the motor has the joint's effort limit already
    if not world.geoms:
        world.add_geom(type=mujoco.mjtGeom.mjGEOM_PLANE, name="floor", size=[0, 0, 1])
    for actuator in spec.actuators:
        if actuator.ctrlrange[0] == actuator.ctrlrange[1]:
            actuator.ctrllimited, actuator.ctrlrange = True, [-1, 1]
    return said


def _effort(joint: mujoco.MjsJoint) -> float:
    return float(max(abs(joint.actfrcrange[0]), abs(joint.actfrcrange[1])))


def _holding_efforts(model: mujoco.MjModel, joints: list[str]) -> dict[str, float]:
    """Return for each joint what holds a share of the body's weight: N for a slide, N·m at its reach for a hinge."""
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    held = _HOLDING * 9.81 * float(model.body_subtreemass[0])
    efforts = {}
    for name in joints:
        joint = model.joint(name).id
        beyond = np.zeros(model.nbody, bool)  # bodies moved by the joint: parents come before children
        for body in range(int(model.jnt_bodyid[joint]), model.nbody):
            beyond[body] = body == model.jnt_bodyid[joint] or beyond[model.body_parentid[body]]
        geoms = beyond[model.geom_bodyid]
        ends = [*(data.geom_xpos[geoms] - data.xanchor[joint]), *(data.xpos[beyond] - data.xanchor[joint])]
        sizes = [*model.geom_rbound[geoms], *np.zeros(beyond.sum())]
        reach = max(float(np.linalg.norm(end)) + size for end, size in zip(ends, sizes, strict=True))
        arm = 1.0 if model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_SLIDE else max(reach, 0.05)
        efforts[name] = float(f"{held * arm:.3g}")
    return efforts


def _join_words(words: list[str], most: int = 6) -> str:
    return ", ".join(words[:most]) + (f" and {len(words) - most} more" if len(words) > most else "")


def _check_model(model: mujoco.MjModel) -> None:
    """Raise ModelFileError for a model that cannot be simulated, or that nothing moves."""
    if model.nbuffer > _MODEL_BYTES or model.nv > _MOST_DOFS:
        raise ModelFileError(
            f"the model has {model.nv:,} degrees of freedom and takes {model.nbuffer >> 20:,} MB; "
            f"at most {_MOST_DOFS:,} and {_MODEL_BYTES >> 20} MB are simulated"
        )
    if not _SHORTEST <= model.opt.timestep <= _LONGEST:
        raise ModelFileError(
            f"its timestep is {model.opt.timestep:g} s; between {_SHORTEST:g} and {_LONGEST:g} is possible"
        )
    if not model.nu:
        raise ModelFileError("it has no actuators, so nothing could move it; add an <actuator> section")
    if not (model.body_dofnum[model.body_parentid == 0] > 0).any():
        raise ModelFileError(
            "its root is fixed to the world, so it cannot go anywhere; add a <freejoint/> to it, or write its own "
            "task, as in `def reach(...) -> Task` (examples/own_task.py shows how), and run that"
        )
    for actuator, (low, high) in enumerate(model.actuator_ctrlrange):
        if not -_STRONGEST <= low <= high <= _STRONGEST:
            name = model.actuator(actuator).name or f"number {actuator}"
            raise ModelFileError(f"actuator {name!r} has a ctrlrange from {low:g} to {high:g}: give it a finite range")
    data = mujoco.MjData(model)
    mujoco.mj_step(model, data, min(max(round(_TRIAL / model.opt.timestep), 1), 1000))
    for warning, stat in enumerate(data.warning):
        if stat.number:
            words = mujoco.mju_warningText(warning, stat.lastinfo)
            raise ModelFileError(f"it does not stand being simulated for {_TRIAL} s: {words}")
