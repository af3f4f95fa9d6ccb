"""Settings of methods that have a new name; users and older runs may give the old one.

One table for all that bears such a name: settings (`method.step_size`), columns of metrics.csv, and the state in a
checkpoint.
"""

import re
from collections.abc import Mapping
from typing import Any

from evo.envs.notes import note
from evo.grammar.toml import parse_toml
from evo.learners import METHODS, Method

_SIGMA = {"step_size": "sigma", "population": "population_size"}
_GRADIENT = {"step_size": "learning_rate", "noise": "sigma"}
_SIZE = {"population": "population_size"}
# Family of methods → old name → new name: `step_size` was a learning rate in one and a deviation in another.
RENAMED: Mapping[str, Mapping[str, str]] = {
    **dict.fromkeys(("cma-es", "sep-cma-es", "lm-ma-es", "snes", "xnes", "ipop", "bipop"), _SIGMA),
    **dict.fromkeys(("ars", "openai-es", "guided-es", "persistent-es"), _GRADIENT),
    "pgpe": _GRADIENT | {"deviation_learning_rate": "sigma_learning_rate", "deviation_change": "sigma_change"},
    "cem": _SIZE | {"noise": "sigma"},
    **dict.fromkeys(("ga", "crowding", "differential-evolution"), _SIZE),
    "islands": {},
    "deep-ga": _SIZE | {"mutation": "sigma"},
    "random-search": _SIZE | {"spread": "sigma"},
    "hill-climber": {"step_size": "step"},
    **{key: {"step_size": "learning_rate"} for key in ("adam", "sgd")},
}
# The same inside the text of an option (method.mutate, method.algorithm): pattern → new name.
_IN_TEXTS = {
    r"(?P<before>\b(?:gaussian|safe)(?:_mutation)?[:(](?:\w+=[^,'\"]*,)*)(?P<old>deviation)(?==)": "sigma",
    r"(?P<before>\b(?:ga|crowding|differential-evolution)[:(](?:.*,)?)(?P<old>population)(?==)": "population_size",
}
# The same at the end of a name in an algorithm's state, as in `attempt_strategy_step_size`.
_IN_STATES = {
    "step_size": "sigma",
    "step_sizes": "sigmas",
    "deviations": "sigma",
    "population": "population_size",
}
_ALGORITHM = "learner/algorithm/"  # where a checkpoint keeps the algorithm's state
_STATE_NAME = re.compile(rf"(?<=[/_])({'|'.join(_IN_STATES)})$")


def rename_settings(layer: Mapping[str, Any], method: Method, quiet: bool) -> dict[str, Any]:
    """Return dotted keys and values with the method's options under their present names.

    quiet: for a file that a run wrote; else a note tells the user of each new name.
    """
    names, renamed = RENAMED.get(method.family, {}), dict[str, Any]()
    for key, value in layer.items():
        section, _, option = key.partition(".")
        now = names.get(option) if section == "method" else None
        if now is not None:
            if not quiet:
                note(f"{key} is now method.{now}")
            key = f"method.{now}"
        if section == "method" and isinstance(value, str) and method.family in RENAMED:
            value = _rename_in_text(key, value, quiet)
        renamed[key] = value
    return renamed


def present_names(option: str, method: Method | None) -> list[str]:
    """Return the present names of a method's option that bears an old one; without a method, those of all methods."""
    tables = RENAMED.values() if method is None else [RENAMED.get(method.family, {})]
    return list(dict.fromkeys(names[option] for names in tables if option in names))


def _rename_in_text(key: str, text: str, quiet: bool) -> str:
    for pattern, now in _IN_TEXTS.items():
        found = re.search(pattern, text)
        if found and not quiet:
            note(f"{found['old']} in {key} is now {now}")
        text = re.sub(pattern, rf"\g<before>{now}", text)
    return text


def renamed_columns(config_text: str) -> Mapping[str, str]:
    """Return old name → new name of the columns of metrics.csv in a run with this config.toml."""
    try:
        method = METHODS[parse_toml(config_text)["method"]["name"]]
    except (ValueError, KeyError, TypeError):  # a damaged file, or a method of the user's own
        return {}
    return RENAMED.get(method.family, {})


def rename_state(state: Mapping[str, Any], method: Method) -> dict[str, Any]:
    """Return a checkpoint's arrays, those of an algorithm of ours under their present names."""
    if method.family not in RENAMED:
        return dict(state)
    return {
        _STATE_NAME.sub(lambda found: _IN_STATES[found[0]], name) if name.startswith(_ALGORITHM) else name: array
        for name, array in state.items()
    }
