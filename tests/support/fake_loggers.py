"""The part of tensorboardX's, wandb's and mlflow's interfaces that evo uses; they keep what they are given."""

import sys
import types
from importlib.machinery import ModuleSpec
from typing import Any

import pytest

KEPT: dict[str, Any] = {}  # of each folder or run: events


class SummaryWriter:
    """tensorboardX's: scalars by tag and step; a restart at `purge_step` voids what is there from that step on."""

    def __init__(self, logdir: str, purge_step: int, filename_suffix: str) -> None:
        self.scalars = KEPT.setdefault(logdir, {})
        for tag, values in self.scalars.items():
            self.scalars[tag] = [(step, value) for step, value in values if step < purge_step]

    def add_scalar(self, tag: str, value: float, step: int) -> None:
        self.scalars.setdefault(tag, []).append((step, value))

    def flush(self) -> None: ...

    def close(self) -> None: ...


class WandBRun:
    """A run of wandb's; a step that is not above the last is ignored there, and an error here."""

    def __init__(self, name: str) -> None:
        self.id = name

    def define_metric(self, name: str, step_metric: str) -> None: ...

    def log(self, row: dict[str, float], step: int) -> None:
        rows = KEPT.setdefault(self.id, [])
        assert not rows or step > rows[-1][0]
        rows.append((step, row))

    def finish(self) -> None: ...


class MlflowClient:
    """mlflow's: it keeps every value that it is given."""

    def get_experiment_by_name(self, name: str) -> None: ...

    def create_experiment(self, name: str) -> str:
        return "1"

    def create_run(self, number: str, run_name: str) -> Any:
        return types.SimpleNamespace(info=types.SimpleNamespace(run_id="mlflow-1"))

    def update_run(self, number: str, status: str) -> None:
        assert number == "mlflow-1"

    def log_batch(self, number: str, metrics: Any = (), params: Any = ()) -> None:
        KEPT.setdefault(number, []).extend((metric[3], metric[0], metric[1]) for metric in metrics)
        KEPT.setdefault("params", {}).update(dict(params))

    def set_terminated(self, number: str) -> None: ...


def install(monkeypatch: pytest.MonkeyPatch, **broken: Exception) -> None:
    """Put the modules in place of the real ones. broken: what a module raises when a row is written."""
    KEPT.clear()

    def module(name: str, **names: Any) -> None:
        made = types.ModuleType(name)
        made.__spec__ = ModuleSpec(name, None)
        made.__dict__.update(names)
        monkeypatch.setitem(sys.modules, name, made)

    def fail(*words: Any, **named: Any) -> None:
        raise broken["error"]

    writer = type("Broken", (SummaryWriter,), {"add_scalar": fail}) if broken else SummaryWriter
    module("tensorboardX", SummaryWriter=writer)
    module(
        "wandb",
        login=lambda prompt: False,
        init=lambda **given: WandBRun(given["id"] or f"wandb-{given['mode']}"),
        Settings=dict,
    )
    module(
        "mlflow",
        MlflowClient=MlflowClient,
        entities=types.SimpleNamespace(Metric=lambda *values: values, Param=lambda key, value: (key, value)),
    )
