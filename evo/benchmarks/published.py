"""Published figures on Gymnasium's MuJoCo tasks, and the returns that count as having learned a task.

Each figure was read in its source, unless `SOURCES` says otherwise; figures known only from memory are left out, such
as the numbers of episodes of Mania et al. 2018. Most are of earlier versions of the tasks: HalfCheetah-v4 and
Swimmer-v4 equal v5; the others differ a little in rewards and observations.
"""

from collections.abc import Mapping
from typing import NamedTuple

from evo.comparison.thresholds import ARS_PAPER


class Figure(NamedTuple):
    """A published return.

    spread: what stands behind ± in the source; None where nothing does. millions: env steps of training; None where the
    source does not say. source: a key of `SOURCES`.
    """

    value: float
    spread: float | None
    millions: float | None
    source: str


SOURCES: Mapping[str, str] = {
    "RL zoo": (
        "DLR-RM/rl-baselines3-zoo, benchmark.md: tasks of v3, one run each, the deterministic policy over 150,000 "
        "steps; ± is the standard deviation of its episodes"
    ),
    "Tianshou": (
        "thu-ml/tianshou, examples/mujoco/README.md: tasks of v3 (Reacher and the pendulums v2), 10 seeds, the highest "
        "mean of test episodes within the steps; ± is the standard deviation of the seeds"
    ),
    "CleanRL": (
        "vwxyzjn/cleanrl, docs/rl-algorithms: tasks of v4 (SAC on HalfCheetah, Hopper and Walker2d v2), 3 seeds, "
        "returns in training; ± is the standard deviation of the seeds"
    ),
    "rl_games": (
        "Denys88/rl_games, docs/SAC_BENCHMARKS.md: tasks of v5 (Ant and Humanoid without contact forces), 3 seeds, "
        "returns in training; ± is the standard deviation of the seeds"
    ),
    "OpenAI-ES": (
        "Salimans et al. 2017, Evolution Strategies as a Scalable Alternative to Reinforcement Learning, table 3: "
        "tasks of v1, the steps until the return that TRPO has after 5 million; taken over, not read in the paper again"
    ),
    "pgpelib": "nnaisense/pgpelib, README.md: tasks of v2, PGPE with ClipUp, scores of the two agents that it shows",
}

# The returns that runs of the record are timed to: those of the ARS paper, and for the tasks that it lacks, returns of
# creatures that plainly do the task.
THRESHOLDS: Mapping[str, float] = {
    **ARS_PAPER,
    "InvertedPendulum-v5": 1000.0,  # upright for the whole episode
    "InvertedDoublePendulum-v5": 9100.0,
    "Reacher-v5": -5.0,
    "Pusher-v5": -35.0,
    "HumanoidStandup-v5": 150_000.0,
}


# Method → source → task, of v5 here → return, spread, millions of steps. `es` is any evolution strategy other than ARS.
# No table of a genetic algorithm's returns on these tasks was found.
_Returns = Mapping[str, tuple[float, float | None, float | None]]
_RETURNS: Mapping[str, Mapping[str, _Returns]] = {
    "ars": {
        "RL zoo": {
            "Swimmer": (355.3, 12.8, 2),
            "Hopper": (3343.9, 5.7, 7),
            "HalfCheetah": (4815.2, 1340.8, 12),
            "Walker2d": (2993.6, 166.3, 75),
            "Ant": (2333.8, 20.6, 75),
        },
    },
    "es": {
        "OpenAI-ES": {
            "Swimmer": (128.0, None, 1.39),
            "Hopper": (3403.0, None, 31.6),
            "HalfCheetah": (2386.0, None, 2.88),
            "Walker2d": (3830.0, None, 37.9),
        },
        "pgpelib": {"Walker2d": (5232.0, None, None), "Humanoid": (10184.0, None, None)},
    },
    "ppo": {
        "Tianshou": {
            "InvertedPendulum": (1000.0, 0.0, 1),
            "InvertedDoublePendulum": (9231.3, 270.4, 1),
            "Reacher": (-4.1, 0.3, 1),
            "Swimmer": (66.7, 99.1, 1),
            "Hopper": (2609.3, 700.8, 1),
            "HalfCheetah": (5783.9, 1244.0, 1),
            "Walker2d": (3588.5, 756.6, 1),
            "Ant": (3258.4, 1079.3, 1),
            "Humanoid": (787.1, 193.5, 1),
        },
        "RL zoo": {
            "Swimmer": (281.6, 9.7, 1),
            "Hopper": (2410.4, 10.0, 1),
            "HalfCheetah": (5819.1, 663.5, 1),
            "Walker2d": (3478.8, 821.7, 1),
            "Ant": (1327.2, 451.6, 1),
        },
        "CleanRL": {
            "InvertedPendulum": (963.1, 22.2, 1),
            "Pusher": (-40.4, 7.2, 1),
            "Hopper": (2382.9, 271.7, 1),
            "HalfCheetah": (1442.6, 46.0, 1),
            "Walker2d": (2288.0, 571.8, 1),
            "Humanoid": (716.1, 49.1, 1),
        },
    },
    "sac": {
        "Tianshou": {
            "InvertedPendulum": (1000.0, 0.0, 1),
            "InvertedDoublePendulum": (9359.5, 0.4, 1),
            "Reacher": (-2.6, 0.2, 1),
            "Swimmer": (44.4, 0.5, 1),
            "Hopper": (3542.2, 51.5, 1),
            "HalfCheetah": (12138.8, 1049.3, 1),
            "Walker2d": (5007.0, 251.5, 1),
            "Ant": (5850.2, 475.7, 1),
            "Humanoid": (5488.5, 81.2, 1),
        },
        "RL zoo": {
            "Swimmer": (345.6, 3.1, 1),
            "Hopper": (2325.5, 1129.7, 1),
            "HalfCheetah": (9535.5, 100.5, 1),
            "Walker2d": (3863.2, 254.3, 1),
            "Ant": (4615.8, 1354.1, 1),
            "Humanoid": (6232.3, 279.9, 2),
        },
        "CleanRL": {
            "InvertedPendulum": (909.4, 55.7, 1),
            "Pusher": (-22.5, 0.5, 1),
            "Hopper": (2310.5, 342.8, 1),
            "HalfCheetah": (9634.9, 1423.7, 1),
            "Walker2d": (3591.5, 911.3, 1),
            "Humanoid": (4996.3, 686.4, 1),
        },
        "rl_games": {
            "HalfCheetah": (11140.0, 665.0, 1),
            "Ant": (4706.0, 1379.0, 1),
            "Humanoid": (5195.0, 198.0, 1),
        },
    },
    "td3": {
        "Tianshou": {
            "InvertedPendulum": (1000.0, 0.0, 1),
            "InvertedDoublePendulum": (9349.2, 14.3, 1),
            "Reacher": (-2.7, 0.2, 1),
            "Swimmer": (104.2, 34.2, 1),
            "Hopper": (3472.2, 116.8, 1),
            "HalfCheetah": (10201.2, 772.8, 1),
            "Walker2d": (3982.4, 274.5, 1),
            "Ant": (5116.4, 799.9, 1),
            "Humanoid": (5189.5, 178.5, 1),
        },
        "RL zoo": {
            "Swimmer": (359.1, 1.2, 1),
            "Hopper": (3606.4, 4.0, 1),
            "HalfCheetah": (9655.7, 969.9, 1),
            "Walker2d": (4717.8, 46.3, 1),
            "Ant": (5813.3, 589.8, 1),
            "Humanoid": (5566.7, 14.5, 2),
        },
        "CleanRL": {
            "InvertedPendulum": (969.0, 25.8, 1),
            "Pusher": (-30.9, 1.1, 1),
            "Hopper": (3134.6, 360.2, 1),
            "HalfCheetah": (9583.2, 126.1, 1),
            "Walker2d": (4057.6, 658.8, 1),
            "Humanoid": (5035.4, 21.7, 1),
        },
    },
}


def published(task: str, method: str) -> tuple[Figure, ...]:
    """Return what is published of a method on a task, one figure of each source; `es`: of any evolution strategy."""
    stem, version, number = task.rpartition("-v")
    sources = _RETURNS.get(method, {}) if version and number == "5" else {}
    return tuple(Figure(*returns[stem], source) for source, returns in sources.items() if stem in returns)
