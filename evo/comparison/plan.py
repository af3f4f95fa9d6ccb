"""Plan of a study: every method on every seed, on equal terms, all checked before any work is done."""

import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w

from evo.comparison.defaults import (
    DEFAULT_NETWORK,
    DEFAULT_SEEDS,
    DEFAULT_STEPS,
    FIRST_SEED,
    PRESET_NETWORK,
)
from evo.comparison.tuning import TRIAL_SEEDS, check_trials, is_tunable, trial_settings, width_of
from evo.config.build import make_learner
from evo.config.config import Config, to_toml
from evo.config.keys import KEYS
from evo.config.kinds import ProblemKind
from evo.config.resolve import resolve_config
from evo.config.task_names import task_name
from evo.config.task_spec import TaskSpec
from evo.envs.reference import of_module
from evo.errors import EvoError, nearest
from evo.evaluation.workers import Threads
from evo.learners import METHODS, find_method
from evo.networks import Dense
from evo.networks.parsing import layers_of, words_of
from evo.storage.paths import task_slug

_MOST_SEEDS = 1000
# Settings that are the same for all methods, whatever a preset says; evaluation.episodes is left to each method.
_EQUAL: Mapping[str, Any] = {
    "evaluation.selection_episodes": KEYS["evaluation.selection_episodes"].default,
    # a single run scores its candidates rarely to save time; a study needs to know when a return was first reached
    "evaluation.selection_share": 0.4,
    "evaluation.report_episodes": KEYS["evaluation.report_episodes"].default,
}
_NETWORK = ("network.normalise", "network.clip_observation")  # settings of the network that may be set for all


@dataclass(frozen=True)
class Plan:
    """A planned study.

    record: its terms, as TOML; more methods or seeds may be added on the same terms. command: makes it, every default
    spelled out. trials: method → path → configuration of each trial of its tuning; without methods that are not tuned.
    members: path → configuration, in the order of work; as presets have it until trials are done.
    """

    path: Path
    command: str
    record: str
    trials: Mapping[str, Mapping[Path, Config]]
    members: Mapping[Path, Config]

    def tuned(self, settings: Mapping[str, Mapping[str, Any]]) -> "Plan":
        """Return it with what trials found: method → option → value; without methods whose trials all failed."""
        members = {}
        for path, config in self.members.items():
            name = config.method.name
            if name in settings:
                members[path] = config.changed({f"method.{key}": value for key, value in settings[name].items()})
            elif name not in self.trials:
                members[path] = config
        return replace(self, members=members)


def plan_study(
    task: str,
    methods: Sequence[str] | str | None,
    seeds: int | None,
    steps: int | None,
    minutes: float | None,
    network: str | None,
    settings: Mapping[str, Any],
    out: Path | None,
    tune: int | None = None,
) -> Plan:
    """Plan every method on seeds 100, 101, …; all methods of a seed before the next seed. Raises EvoError.

    tune: how many trials each method gets before, with the budget of a run each.

    A method that must end its network in another action layer than the others (SAC and TD3 in `squash`) has the same
    network in front of it: `_ending_in`.
    """
    spec = TaskSpec.find(task_name(task), {})
    full, networked = spec.name, "network.layers" not in spec.kind.without
    names = _check_methods(methods, spec.kind)
    count = check_seeds(DEFAULT_SEEDS if seeds is None else seeds)
    budget = _check_budget(steps, minutes)
    _check_settings(settings)
    if network is not None and not networked:
        raise EvoError(spec.kind.refusal(full, "network.layers"))
    layers = network or DEFAULT_NETWORK
    path = out or Path("runs") / "studies" / f"{task_slug(full)}-{'-'.join(names)}"
    members = {
        path / f"{name}-seed{seed}": _member(spec, name, seed, budget, layers, settings)
        for seed in range(FIRST_SEED, FIRST_SEED + count)
        for name in names
    }
    for config in list(members.values())[: len(names)]:  # one of each method: a seed makes no configuration wrong
        make_learner(config, Threads(1))
    trials = check_trials(tune, names)
    planned: dict[str, dict[Path, Config]] = {name: {} for name in names if trials and is_tunable(name)}
    for name, found in planned.items():
        preset = next(config for config in members.values() if config.method.name == name)
        for trial in range(trials):
            # a run must end with a report: that of a trial is as short as can be, because nobody may read it
            given = {"seed": trial % TRIAL_SEEDS, "evaluation.report_episodes": 1}
            own = trial_settings(name, trial, width_of(preset))
            for key in own.keys() - set(preset.keys):
                raise EvoError(f"{name}: its search space names {key}{nearest(key, preset.keys)}")
            found[path / "tuning" / name / f"trial-{trial}"] = preset.changed({**given, **own})
    words = ["evo", "compare", full, "--methods", ",".join(names), "--seeds", str(count)]
    words += [word for key, value in budget.items() for word in (f"--{key.removeprefix('budget.')}", str(value))]
    words += [word for key, value in settings.items() for word in ("--set", f"{key}={_word(value)}")]
    acting = {"network.layers": layers} if networked else {}
    words += ["--tune", str(trials)] if trials else []
    words += [*(["--network", layers] if acting else []), "--out", str(path)]
    record = to_toml(
        {"task.name": full, **acting, **budget, **settings, **({"tuning.trials": trials} if trials else {})}
    )
    return Plan(path, shlex.join(words), record, planned, members)


def difference(found: Mapping[str, Any], planned: Mapping[str, Any], but: Sequence[str] = ()) -> str | None:
    """Return `budget.steps=1000, not 2000`, of the first key with different values, except those in `but`; or None."""
    for key in (key for key in {**found, **planned} if key not in but):
        was, wanted = found.get(key), planned.get(key)
        if was != wanted:
            return f"{key}={was}, not {wanted}"
    return None


def _word(value: Any) -> str:
    """Return a value as --set reads it."""
    return tomli_w.dumps({"value": value}).partition("=")[2].strip()


def _member(
    task: TaskSpec, method: str, seed: int, budget: Mapping[str, Any], layers: str, settings: Mapping[str, Any]
) -> Config:
    chosen, without = find_method(method), task.kind.without
    equal = dict(_EQUAL)
    if not task.kind.acts:  # how often it is scored is the kind's own
        equal = {"evaluation.selection_share": _EQUAL["evaluation.selection_share"]}
    if "network.normalise" not in without and chosen is not None and "network.normalise" not in chosen.settings:
        equal["network.normalise"] = True
    if "network.layers" not in without and layers != PRESET_NETWORK:
        ends = chosen.action_layer if chosen is not None and task.kind.acts else ""
        equal["network.layers"] = _ending_in(layers, ends) if ends else layers
    flags = {"task.name": task.name, "method.name": method, "seed": seed, **budget}
    resolved = resolve_config(settings=[*equal.items(), *settings.items()], flags=flags, task=task)
    # a preset's changes of the task in training would help only its method: all methods have them, or none
    helps = [f"training.{name}" for name in resolved.training if f"training.{name}" not in settings]
    equal |= {key: resolved[key.replace("training.", "task.", 1)] for key in helps}
    return resolve_config(settings=[*equal.items(), *settings.items()], flags=flags, task=resolved.task)


def _ending_in(text: str, action_layer: str) -> str:
    """Return a network's text with this action layer in place of the usual one; the layers before it stay.

    A single word, which gets the usual one appended, gets this one; in a chain it takes the place of a linear dense
    layer at the end. Another chain, and this layer alone, is returned as it is. Raises EvoError for a text that is no
    network.
    """
    try:
        *words, last = words_of(text)
        ends = layers_of(last, text) if words and last else []
    except ValueError as error:
        raise EvoError(f"network.layers: {error}") from error
    if not words:
        return text if text.partition(":")[0] == action_layer else f"{text}>{action_layer}"
    replaced = len(ends) == 1 and isinstance(ends[0], Dense) and ends[0].activation == "linear"
    return ">".join([*words, action_layer]) if replaced else text


def check_seeds(count: int) -> int:
    """Return a number of seeds. Raises EvoError."""
    if not 1 <= count <= _MOST_SEEDS:
        raise EvoError(f"seeds must be a number of seeds from 1 to {_MOST_SEEDS}, got {count}")
    return count


def _check_methods(methods: Sequence[str] | str | None, kind: ProblemKind) -> list[str]:
    if methods is None:
        return list(kind.compared)
    names = [name.strip() for name in (methods.split(",") if isinstance(methods, str) else methods)]
    if not names or not all(names):
        raise EvoError("methods takes names with commas between, as in ars,ga; see `evo list`")
    for index, name in enumerate(names):
        if name in names[:index]:
            raise EvoError(f"methods names {name!r} twice; name each method once")
        if find_method(name) is None:
            raise EvoError(f"unknown method {name!r}{of_module(name) or nearest(name, METHODS)}")
    return names


def _check_budget(steps: int | None, minutes: float | None) -> dict[str, Any]:
    if steps is not None and minutes is not None:
        raise EvoError("steps and minutes are two budgets; give one, the same for every method")
    if minutes is not None:
        if not 0 < minutes < math.inf:
            raise EvoError(f"minutes must be more than 0, for each run; got {minutes:g}")
        return {"budget.minutes": float(minutes)}
    if steps is not None and steps < 1:
        raise EvoError(f"steps must be at least 1, for each run; got {steps}")
    return {"budget.steps": DEFAULT_STEPS if steps is None else steps}


def _check_settings(settings: Mapping[str, Any]) -> None:
    """Raise EvoError for a setting that cannot be made for all methods at once."""
    for key in settings:
        if key.startswith("method."):
            raise EvoError(f"{key}: each method keeps its own settings; `evo run` with it, then compare the runs")
        shared = key.startswith(("task.", "training.", "evaluation.")) or key in _NETWORK
        if not shared or key == "task.name":
            known = [name for name in KEYS if name.startswith("evaluation.")]
            advice = nearest(key, [*known, *_NETWORK])
            raise EvoError(
                f"{key}: a comparison sets task.*, training.*, evaluation.*, {' and '.join(_NETWORK)}{advice}"
            )
