"""The terms of a comparison: what its runs share, where they deviate, and each method's own settings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evo.comparison.member import Member, methods_of
from evo.comparison.tuning import Tuning, is_tunable
from evo.config.config import Config
from evo.config.presets import GENERAL, PRESETS
from evo.config.resolve import resolve_config
from evo.errors import EvoError
from evo.learners import find_method

# Keys that must be equal for scores to be comparable.
_SCORING = ("evaluation.selection_episodes", "evaluation.report_episodes")
_AS_SCORED = "as scored"
_NONE: Mapping[str, Tuning] = {}


@dataclass(frozen=True)
class Terms:
    """The shared and differing conditions of runs; methods are named by their `labels`.

    shared: keys and values that all runs have; deviations: a line for each key in which they differ. settings: method →
    its options, and under "tuned" for what they were tuned.
    """

    shared: tuple[tuple[str, str], ...]
    deviations: tuple[str, ...]
    settings: Mapping[str, Mapping[str, str]]


def labels(configs: Sequence[Config]) -> list[str]:
    """Return the label of each run's method: its name, and the settings in which runs of that method differ.

    For example `ars sigma=0.05` and `ars sigma=0.2`. A seed is no setting, nor is a key that only determines where a
    run ends.
    """
    found = []
    for config in configs:
        like = [other for other in configs if other.method.name == config.method.name]
        keys = [key for key in dict.fromkeys(key for one in like for key in one.values) if _is_setting(key, like)]
        varied = [key for key in keys if len(_distinct(key, like)) > 1]
        settings = (f"{_short(key, keys)}={_values(key, [config]).replace(',', '')}" for key in varied)
        found.append(" ".join([config.method.name, *settings]))
    return found


def terms_of(runs: Mapping[Path, Config], tunings: Mapping[str, Tuning] = _NONE) -> Terms:
    """Return the terms of some runs. tunings: method → its tuning here. Raises EvoError for runs not comparable."""
    _refuse_unlike(runs)
    methods: dict[str, list[Config]] = {}
    for label, config in zip(labels([*runs.values()]), runs.values(), strict=True):
        methods.setdefault(label, []).append(config)
    for group in methods.values():
        group.sort(key=lambda config: config.seed)
    first = next(iter(runs.values()))
    shared, deviations = [("task", first.task.name), ("task options", _task_options(first))], []
    if first.task.kind.altered and all(set(_training(config).values()) <= {_AS_SCORED} for config in runs.values()):
        shared.append(("training", "on the task as it is scored, whatever presets say"))
    for key in dict.fromkeys(key for config in runs.values() for key in config.values if _is_term(key)):
        texts = {method: _values(key, group) for method, group in methods.items()}
        differs = len(set(texts.values())) > 1
        # seeds are meant to differ within a method; other keys should not
        if differs or (key != "seed" and any(len(_distinct(key, group)) > 1 for group in methods.values())):
            deviations.append(f"{key}: {group_texts(texts)}")
            if key == "network.layers":
                deviations += _action_layers(texts, methods)
        elif first.values.get(key) is not None and _of(key, first) != _AS_SCORED:
            shared.append((key, next(iter(texts.values()))))
    settings = {method: _settings(method, group, tunings) for method, group in methods.items()}
    for method, group in methods.items():
        varied = [name for name in group[0].method.given if len(_distinct(f"method.{name}", group)) > 1]
        deviations += [f"method.{name} within {method}: {settings[method][name]}" for name in varied]
    tuned = {method: own["tuned"] for method, own in settings.items()}
    if len(set(tuned.values())) > 1:
        deviations.append(f"method settings tuned: {group_texts(tuned)}")
    return Terms(tuple(shared), tuple(deviations), settings)


def unlike_platforms(members: Sequence[Member]) -> list[str]:
    """Return a line for each version or feature in which champions' platforms differ, and one for unlike processors.

    Clocks may not be comparable then.
    """
    lines = []
    for name in sorted({name for member in members for name in member.champion.facts}):
        texts = {
            method: _join([*dict.fromkeys(member.champion.facts.get(name, "unknown") for member in group)])
            for method, group in methods_of(members).items()
        }
        if len({member.champion.facts.get(name) for member in members}) > 1:
            lines.append(f"made with {name}: {group_texts(texts)}")
    if len({member.processors for member in members if member.processors}) > 1:  # older runs recorded none
        texts = {
            method: _join([*dict.fromkeys(one for member in group for one in member.processors or ("unknown",))])
            for method, group in methods_of(members).items()
        }
        lines.append(f"seconds are those of unlike machines: {group_texts(texts)}")
    return lines


def unlike_endings(members: Sequence[Member]) -> list[str]:
    """Return a line where runs ended for other reasons than most, as far as that is known.

    For example `ended: 1,000,000 steps (ars, ppo); PPO diverged … (ppo seed 101)`.
    """
    reasons: dict[str, list[Member]] = {}
    for member in members:
        if member.ended is not None:
            reasons.setdefault(member.ended, []).append(member)
    if len(reasons) < 2:
        return []
    usual, *others = sorted(reasons, key=lambda reason: -len(reasons[reason]))
    texts = [f"{usual} ({', '.join(methods_of(reasons[usual]))})"]
    for reason in others:
        texts.append(f"{reason} ({', '.join(f'{member.method} seed {member.seed}' for member in reasons[reason])})")
    return [f"ended: {'; '.join(texts)}"]


def uncounted_selection(members: Sequence[Member]) -> list[str]:
    """Return a line where the steps and core time of selection were not counted, with what is used instead."""
    names = [method for method, group in methods_of(members).items() if not all(one.counts_selection for one in group)]
    if not names:
        return []
    instead = "its steps are about evaluation.selection_share of training's, its core time is its wall-clock by the"
    return [f"selection: {instead} processors that training kept busy ({', '.join(names)}; their runs counted neither)"]


def never_updated(members: Sequence[Member]) -> list[str]:
    """Return a line where runs ended within their warm-up, before the first update: they show the initial policy."""
    names = []
    for member in members:
        warm_up = member.config.method.given.get("warm_up")
        if isinstance(warm_up, int) and warm_up >= member.metrics["steps"][-1]:
            names.append(f"{member.method}, method.warm_up={warm_up}")
    told = "; ".join(dict.fromkeys(names))
    return [f"ended within the warm-up, before the first update ({told})"] if told else []


def deviations_of(members: Sequence[Member]) -> list[str]:
    """Return a line for each difference of finished runs other than their settings."""
    found = [*unlike_endings(members), *unlike_platforms(members), *uncounted_selection(members)]
    return [*never_updated(members), *found]


def default_options(task: str) -> dict[str, Any]:
    """Return the default options of a task. Raises EvoError."""
    return resolve_config(flags={"task.name": task, "budget.steps": 1}).task.given


def _refuse_unlike(runs: Mapping[Path, Config]) -> None:
    seen: dict[tuple[str, int], Path] = {}
    (reference, like), *others = runs.items()
    names = dict(zip(runs, labels([*runs.values()]), strict=True))
    seen[names[reference], like.seed] = reference
    for path, config in others:
        if config.task.name != like.task.name:
            tasks = f"{reference} is on {like.task.name}, {path} on {config.task.name}"
            raise EvoError(f"{tasks}; compare runs of one task")
        for key in (key for key in like.values if key.startswith("task.") or key in _SCORING):
            if config[key] != like[key]:
                values = f"{reference} has {key}={_text(like[key])}, {path} has {_text(config[key])}"
                raise EvoError(f"{values}; compare runs that are scored alike")
        twin = seen.setdefault((names[path], config.seed), path)
        if twin != path:
            what = f"{names[path]} with seed {config.seed} and the same settings"
            raise EvoError(f"{twin} and {path} are both {what}; leave one of them out")


def _is_term(key: str) -> bool:
    return key != "evo" and not key.startswith(("task.", "method."))


def _settings(method: str, group: Sequence[Config], tunings: Mapping[str, Tuning]) -> dict[str, str]:
    """Return a method's own options, and for what they were tuned."""
    options = {name: _values(f"method.{name}", group) for name in group[0].method.given}
    if method in tunings:
        return options | {"tuned": f"here, the best of {tunings[method].trials} trials"}
    tuned = ", ".join(dict.fromkeys(_tuning(config) for config in group))
    if tunings:
        tuned += "; not here" + ("" if is_tunable(group[0].method.name) else ", as no search space is declared")
    return options | {"tuned": tuned}


def _task_options(config: Config) -> str:
    defaults = default_options(config.task.name)
    changed = {name: value for name, value in config.task.given.items() if value != defaults[name]}
    return ", ".join(f"{name}={_text(value)}" for name, value in changed.items()) or "the task's own"


def _is_setting(key: str, group: Sequence[Config]) -> bool:
    """Return whether a key distinguishes runs of a method.

    A budget does only where a schedule depends on it, and then stands for both; otherwise the shorter of two runs is
    the beginning of the longer.
    """
    method = find_method(group[0]["method.name"])
    follows = [] if method is None else [f"method.{name}" for name in (method.schedule, method.limit) if name]
    following = [key for key in follows if all(one.values.get(key) == one["budget.steps"] for one in group)]
    if key == "budget.steps":
        return bool(following)
    fixed = ("evo", "seed", "method.name", "data.digest", "start.digest", "evaluation.step_timeout", *following)
    return key not in fixed and not key.startswith(("task.", "budget."))


def _short(key: str, keys: Sequence[str]) -> str:
    """Return a key without its section, where that is unambiguous."""
    name = key.rpartition(".")[2]
    return name if [other.rpartition(".")[2] for other in keys].count(name) == 1 else key


def _action_layers(layers: Mapping[str, str], methods: Mapping[str, Sequence[Config]]) -> list[str]:
    """Return a line for each action layer that some methods must have. layers: method → its network."""
    needing: dict[str, list[str]] = {}
    for method, group in methods.items():
        found = find_method(group[0].method.name)
        if found is not None and found.action_layer and layers[method].endswith(found.action_layer):
            needing.setdefault(found.action_layer, []).append(method)
    return [
        f"action layer: {layer} (tanh, scaled to the range of actions), which {', '.join(names)} must end in; the "
        "layers before it as written (mlp: tanh, where it names no activation)"
        for layer, names in needing.items()
    ]


def _training(config: Config) -> dict[str, str]:
    """Return what training changes in the task: option → value, or _AS_SCORED where it equals the task's."""
    return {key: _of(key, config) for key in config.values if key.startswith("training.")}


def _of(key: str, config: Config) -> str:
    """Return a value as text."""
    if key.startswith("training."):  # an option not set there is that of task.*
        scored = config.values.get(key.replace("training.", "task.", 1))
        return _AS_SCORED if config.values.get(key, scored) == scored else _text(config.values[key])
    return _text(config.values[key]) if key in config.values else "–"


def _distinct(key: str, group: Iterable[Config]) -> list[str]:
    return list(dict.fromkeys(_of(key, config) for config in group))


def _values(key: str, group: Iterable[Config]) -> str:
    return _join(_distinct(key, group))


def _join(values: Sequence[str]) -> str:
    """Return values in one text, in which those that are lists themselves stay apart."""
    return (" or " if any(", " in value for value in values) else ", ").join(values)


def group_texts(texts: Mapping[str, str]) -> str:
    """Return `linear (ars), mlp:32,32 (openai-es, ga)` from a text for each method."""
    groups: dict[str, list[str]] = {}
    for method, text in texts.items():
        groups.setdefault(text, []).append(method)
    return "; ".join(f"{text} ({', '.join(methods)})" for text, methods in groups.items())


def _tuning(config: Config) -> str:
    """Return for what the method's settings were tuned."""
    task, name = config.task.name, config.method.name
    # schedules depend on the budget
    budget = {key: value for key, value in config.values.items() if key.startswith("budget.")}
    own = resolve_config(flags={"task.name": task, "method.name": name, **budget})
    changed = [option for option, value in config.method.given.items() if value != own[f"method.{option}"]]
    if changed:
        return f"by hand: {', '.join(changed)}"
    method = find_method(name)
    assert method is not None
    if method.family in PRESETS.get(task, {}):
        layers = own["network.layers"]
        return f"for {task}" + (f" with the network {layers}" if layers != config.network.layers else "")
    return "not for this task: general settings" if method.family in GENERAL else "not for this task: its defaults"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " to ".join(_text(item) for item in value)
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int) else "none" if value is None else str(value)
