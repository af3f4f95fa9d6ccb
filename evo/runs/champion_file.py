"""The file of a champion: plain arrays, of which one is a TOML text about the others."""

import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from evo.config.kinds.control import as_written
from evo.config.task_spec import TaskSpec
from evo.errors import EvoError, commands
from evo.learners.learner import Candidate
from evo.numerics.formatting import RETURN
from evo.numerics.running_statistics import ObservationStatistics
from evo.storage.bundle import is_bundle, open_bundle
from evo.storage.files import read_arrays, read_arrays_of, read_toml

FORMAT = 1
_LIMIT = 2**30  # bytes


def arrays_of(
    about: Mapping[str, Any], candidate: Candidate, scores: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the arrays of a champion's file: what is said about it, its parameters, statistics and scores."""
    options = {
        name: list(value) if isinstance(value, tuple) else value for name, value in about["task"]["options"].items()
    }
    about = {**about, "task": {**about["task"], "options": options}}
    return {
        # TOML, unlike JSON, has infinity, which task options may be
        "about": np.frombuffer(tomli_w.dumps(about).encode(), np.uint8),
        "params": candidate.params,
        "selection_returns": scores["selection_returns"],
        **{f"statistics/{name}": array for name, array in candidate.statistics.state().items()},
        **scores,
    }


def read_champion(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of a file, or of the champion in an exported run's zip.

    Raises EvoError where it is missing, damaged or oversized.
    """
    if not is_bundle(path):
        return read_arrays(path, _LIMIT)
    with open_bundle(path) as bundle:
        content = bundle.read("champion.npz")
    return read_arrays_of(io.BytesIO(content), f"champion.npz in {path}", _LIMIT)


def fields_of(arrays: Mapping[str, np.ndarray], source: str, trust: bool) -> dict[str, Any]:
    """Return the fields of the champion in arrays, all checked. Raises EvoError naming `source` where it is none.

    trust: whether modules that it names may be imported.
    """
    if "about" not in arrays:  # a fossil, a checkpoint or other data
        raise EvoError(f"{source} is not a champion; name a run directory or its champion.npz")
    try:
        about = read_toml(arrays["about"].tobytes().decode(), source, trust)
        if about["format"] != FORMAT:
            raise EvoError(f"{source} is a champion of format {about['format']}; this evo reads format {FORMAT}")
        params, selection = arrays["params"], arrays["selection_returns"]
        state = {name: arrays[f"statistics/{name}"] for name in ("count", "mean", "m2")}
        statistics = ObservationStatistics.restored(state)
        numbers = [selection, statistics.mean, statistics.m2, arrays.get("report_returns", selection)]
        if params.dtype not in (np.float32, np.float64) or params.ndim != 1:
            raise ValueError("its parameters are not one row of numbers")
        if any(array.dtype != np.float64 or array.ndim != 1 for array in numbers):
            raise ValueError("its scores or statistics are not rows of float64")
        if not 1 <= len(selection) <= 100_000:
            raise ValueError("it has no selection returns, or too many")
        texts = [about["task"]["name"], about["network"]["layers"], about["method"]]
        texts += [about.get("measure", RETURN), about.get("data", ""), *about["platform"].values()]
        if not all(isinstance(text, str) and not commands(text) for text in (*texts, *about["platform"])):
            raise ValueError("its names are not texts, or hold control characters")
        if not all(type(about[name]) is int for name in ("seed", "generation", "steps")):
            raise ValueError("its numbers are not whole")
        clip = about["network"].get("clip_observation", math.inf)  # older champions were not clipped
        if not (isinstance(clip, float) and clip > 0):
            raise ValueError("its clip_observation is no positive number")
        timeout = about.get("step_timeout")
        if not (timeout is None or (isinstance(timeout, float) and 0 < timeout < math.inf)):
            raise ValueError("its step_timeout is no positive number")
        options = {name: _tupled(value) for name, value in about["task"]["options"].items()}
        return {
            "spec": TaskSpec.find(about["task"]["name"], as_written(about["task"]["name"], options), timeout),
            "network_text": about["network"]["layers"],
            "normalise": about["network"]["normalise"],
            "method": about["method"],
            "seed": about["seed"],
            "generation": about["generation"],
            "steps": about["steps"],
            "candidate": Candidate(params, statistics),
            "selection_returns": selection,
            "report_returns": arrays.get("report_returns"),
            "facts": about["platform"],
            "metric": about.get("measure", RETURN),  # older champions had only returns
            "data": about.get("data", ""),
            "clip_observation": clip,
        }
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise EvoError(f"{source} is not a champion: {type(error).__name__}: {error}") from error


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
