"""Model files that users bring, MJCF and URDF, examined before they are trusted, and known again by their digests.

A file may be broken or hostile: it is first compiled and stepped in a process of its own, whose memory and time are
bounded. Whatever happens there, the user gets one line.
"""

import hashlib
import importlib
import json
import math
import re
import resource
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

import mujoco
import numpy as np

importlib.import_module("evo.envs.engine_log")  # for its effect, before any model loads

SUFFIXES = (".xml", ".mjcf", ".urdf")
_SECONDS, _BYTES = 10, 4 * 2**30  # for examining
_FILE_BYTES, _MODEL_BYTES, _MOST_DOFS = 2**26, 2**29, 1000
_SHORTEST, _LONGEST = 1e-5, 0.1  # time steps, s
_DIRECTORIES = ("meshdir", "texturedir", "assetdir")
_TRIAL = 0.5  # seconds of its own time


class ModelFileError(ValueError):
    """A model file that cannot be used, and why."""


def is_model_file(text: str) -> bool:
    """Whether a task's name is that of a model file."""
    return text.lower().endswith(SUFFIXES)


def load_spec(path: str) -> mujoco.MjSpec:
    """The completed spec of a model file that has been examined. Raises ModelFileError, FileNotFoundError."""
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    if file.stat().st_size > _FILE_BYTES:
        raise ModelFileError(f"it has {file.stat().st_size:,} bytes; at most {_FILE_BYTES:,} are read")
    real = str(file.resolve())  # what was examined is what is loaded, whatever links lead there
    if real not in _known or _known[real] != _state(_known[real]):
        _known[real] = _state(_examined(real))
    mujoco.mj_clearCache(mujoco.mj_getCache())  # it tells a changed mesh from the old one by whole seconds only
    spec = mujoco.MjSpec.from_file(real)
    complete(spec, path)
    return spec


def compiled(spec: mujoco.MjSpec) -> mujoco.MjModel:
    """The model of a spec. Raises ModelFileError with MuJoCo's words."""
    try:
        return spec.compile()
    except ValueError as error:
        raise ModelFileError(str(error)) from error


def digest_of(path: str) -> str:
    """Of the model that a file makes, by this version of MuJoCo: of its bytes, whatever files it is made of.

    Raises ModelFileError, FileNotFoundError.
    """
    model = compiled(load_spec(path))
    whole = np.empty(mujoco.mj_sizeModel(model), np.uint8)
    mujoco.mj_saveModel(model, None, whole)
    return f"{mujoco.__version__} {hashlib.sha256(whole.tobytes()).hexdigest()[:16]}"


def check_digest(path: str, recorded: str) -> str:
    """The digest of a model file. recorded: what it must be, where it was made by this version of MuJoCo; '' for any.

    Raises ModelFileError where the file has changed.
    """
    found = digest_of(path)
    if recorded not in ("", found) and recorded.split()[0] == mujoco.__version__:
        raise ModelFileError(
            f"the file has changed since this began (its model is now {found}, it was {recorded}): bring that version "
            "back, or begin anew with it as it is, by --set task.digest=''"
        )
    return found


_known: dict[str, dict[str, tuple[int, int]]] = {}  # of each file that passed: the text it was made of, as it was then


def _state(files: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Size and time of change of files; of one that is gone, none."""
    return {
        name: (Path(name).stat().st_size, Path(name).stat().st_mtime_ns) if Path(name).exists() else (0, 0)
        for name in files
    }


def _examined(path: str) -> list[str]:
    """The text files that a model is made of. Raises ModelFileError for what is wrong with it."""
    command = [sys.executable, "-c", f"from evo.envs.model_file import _examine; _examine({path!r})"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=3 * _SECONDS, cwd=Path(__file__).parents[2]
        )
    except subprocess.TimeoutExpired:
        done = None
    if done is None or done.returncode:
        raise ModelFileError(f"it takes more than {_SECONDS} s or {_BYTES >> 30} GB to load, or breaks MuJoCo")
    problem, files = json.loads(done.stdout.splitlines()[-1])
    if problem:
        raise ModelFileError(problem)
    return list(files)


def _examine(path: str) -> None:
    """In a process of its own: print, as JSON, what is wrong with a file (an empty text: nothing), and its files."""
    files: list[str] = []
    resource.setrlimit(resource.RLIMIT_AS, (_BYTES, _BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        _check_text(Path(path), Path(path).parent, files)
        spec = mujoco.MjSpec.from_file(path)
        complete(spec, path)
        _check_model(spec.compile())
    except MemoryError:
        problem = f"it takes more than {_BYTES >> 30} GB to load"
    except (ValueError, RecursionError, ElementTree.ParseError, OSError, mujoco.FatalError) as error:
        problem = " ".join(str(error).split()) or type(error).__name__
    else:
        problem = ""
    print(json.dumps([problem, files]))


def _check_text(file: Path, folder: Path, files: list[str]) -> None:
    """Raise for what a file must not ask for, and the files it includes or attaches; `files` becomes all of them.

    folder: where the names of included files begin.
    """
    if str(file) in files:
        raise ModelFileError(f"it includes {file.name!r} more than once")
    files.append(str(file))
    # other parsers than MuJoCo's see something else in these
    if re.search(rb"<!(DOCTYPE|ENTITY)", file.read_bytes(), re.IGNORECASE):
        raise ModelFileError(f"{file.name} declares a document type; take the <!DOCTYPE …> out")
    for element in ElementTree.parse(file).iter():
        kind = element.tag.lower()
        if "{" in kind or ":" in kind:
            raise ModelFileError(f"{file.name} uses an XML namespace, which models do not have")
        if kind == "plugin":
            raise ModelFileError("it asks for a plugin, which is code; plugins are not loaded")
        for name, asked in element.items():
            if name.startswith("file") or name in _DIRECTORIES:  # "fileright" is one side of a texture
                _check_inside(asked)
        if kind in ("include", "model") and "file" in element.attrib:
            inner = (folder / element.attrib["file"]).resolve()
            if not inner.is_relative_to(folder):
                raise ModelFileError(f"it asks for {element.attrib['file']!r}, a link to outside its folder")
            _check_text(inner, folder if kind == "include" else inner.parent, files)


def _check_inside(asked: str) -> None:
    """Raise for the name of a file that would lie outside the model's folder."""
    parts = (
        asked.replace("\\", "/").removeprefix("package://").removeprefix("file://")
    )  # MuJoCo takes both for a border
    if Path(parts).is_absolute() or ".." in Path(parts).parts:
        raise ModelFileError(f"it asks for {asked!r}, which is outside its folder")


def complete(spec: mujoco.MjSpec, path: str) -> None:
    """Give a spec what walking needs where its file has none: ground, and for a URDF a free root and motors.

    A motor's strength is the joint's effort limit. Raises ModelFileError where a URDF names none.
    """
    world = spec.worldbody
    if path.lower().endswith(".urdf"):
        for body in world.bodies[:1]:
            if not body.joints:
                body.add_freejoint()
        for joint in spec.joints:
            if joint.type in (mujoco.mjtJoint.mjJNT_HINGE, mujoco.mjtJoint.mjJNT_SLIDE):
                effort = float(max(abs(joint.actfrcrange[0]), abs(joint.actfrcrange[1])))
                if not 0 < effort < math.inf:
                    raise ModelFileError(f'joint {joint.name!r} has no effort limit: write <limit effort="…"/>')
                actuator = spec.add_actuator(name=joint.name, target=joint.name, trntype=mujoco.mjtTrn.mjTRN_JOINT)
                # the motor is as strong as the joint may be
                joint.actfrclimited = mujoco.mjtLimited.mjLIMITED_FALSE
                actuator.gear[0], actuator.ctrllimited, actuator.ctrlrange = effort, True, [-1, 1]
    if not world.geoms:
        world.add_geom(type=mujoco.mjtGeom.mjGEOM_PLANE, name="floor", size=[0, 0, 1])
    for actuator in spec.actuators:
        if actuator.ctrlrange[0] == actuator.ctrlrange[1]:
            actuator.ctrllimited, actuator.ctrlrange = True, [-1, 1]


def _check_model(model: mujoco.MjModel) -> None:
    """Raise for a model that cannot learn to walk."""
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
        raise ModelFileError("its root is fixed to the world, so it cannot go anywhere; add a <freejoint/> to it")
    data = mujoco.MjData(model)
    mujoco.mj_step(model, data, min(max(round(_TRIAL / model.opt.timestep), 1), 1000))
    for warning, stat in enumerate(data.warning):
        if stat.number:
            words = mujoco.mju_warningText(warning, stat.lastinfo)
            raise ModelFileError(f"it does not stand being simulated for {_TRIAL} s: {words}")
