"""Four kinds of networks on four kinds of problems, by backprop and by evolution: one engine does them all.

`python -m examples.universality` makes the table in runs/reference/universality; cells that are there already stay.
`--only tabular` makes some of it, `--share 0.01` with so much of the budget.
"""

import argparse
from pathlib import Path
from typing import Any

import evo

SEED = 100
# Area → the task, and its options; evolution's budget in steps, and backprop's.
AREAS = {
    "vision": ("digits", {}, 4_000_000, 70_000),
    "tabular": ("houses", {}, 12_000_000, 70_000),
    "language": ("text", {"length": 32}, 1_000_000, 100_000),
    "control": ("quadruped", {}, 640_000, 640_000),
}
IN_STEPS = {"sequence": True}  # rows of a picture, or features, one after the other
IN_WINDOWS = {"length": 16, "sequence": False}  # the characters before, all at once
# Network and area → how it is written, and the options of the data set that it needs.
NETWORKS = {
    "dense": {
        "vision": ("mlp:64:relu", {}),
        "tabular": ("mlp:32:relu", {}),
        "language": ("mlp:64:relu", IN_WINDOWS),
        "control": ("mlp:16", {}),
    },
    "convolution": {
        "vision": ("conv:8x3>pool:2>conv:16x3>pool:2>dense:10", {}),
        "tabular": ("conv:8x3", {}),
        "language": ("conv:32x3", IN_WINDOWS),
        "control": ("conv:8x3", {}),
    },
    "LSTM": {
        "vision": ("lstm:32", IN_STEPS),
        "tabular": ("lstm:16", IN_STEPS),
        "language": ("lstm:48", {}),
        "control": ("lstm:8", {}),
    },
    "transformer": {
        "vision": ("transformer:16:2", IN_STEPS),
        "tabular": ("transformer:16:2", IN_STEPS),
        "language": ("transformer:32:4", {}),
        "control": ("transformer:8:2", {}),
    },
}
WAYS = ("backprop", "evolution")


def run_or_load(path: Path, task: str, **options: Any) -> evo.Run:
    """A finished run, which is only read where it is there already, whatever it was told then."""
    return evo.load(path) if (path / "ended").exists() else evo.run(task, out=path, video=False, **options)


def cell(area: str, network: str, way: str, share: float, folder: Path) -> evo.Run:
    """The finished run of a cell."""
    task, options, *budgets = AREAS[area]
    text, more = NETWORKS[network][area]
    if area == "control":
        method = "ars" if way == "evolution" else "ppo"
    else:
        method = "openai-es" if way == "evolution" else "adam"
    return run_or_load(
        folder / f"{area}-{network.lower()}-{way}",
        task,
        network=text,
        method=method,
        seed=SEED,
        steps=max(1, round(share * budgets[0 if way == "evolution" else 1])),
        settings={f"task.{name}": value for name, value in (options | more).items()},
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=AREAS)
    parser.add_argument("--share", type=float, default=1.0, help="of the budget")
    parser.add_argument("--out", type=Path, default=Path("runs/universality"))
    given = parser.parse_args()
    areas = [given.only] if given.only else list(AREAS)
    lines = [["network", *(f"{area}, {way}" for area in areas for way in WAYS)]]
    for network in NETWORKS:
        told = [
            str(cell(area, network, way, given.share, given.out).champion.reported_fitness)
            for area in areas
            for way in WAYS
        ]
        lines.append([network, *told])
        print(" | ".join(lines[-1]), flush=True)
    lines.insert(1, ["---"] * len(lines[0]))
    table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    (given.out / "table.md").write_text(table + "\n")
    print(table)


if __name__ == "__main__":
    main()
