"""The configuration keys that every run has, whatever its task and method."""

import math

from evo.config.default_methods import DEFAULT_METHOD
from evo.config.values import Key
from evo.version import __version__

# Keys of a budget: one given above replaces the budget below it as a whole.
BUDGET = ("budget.generations", "budget.steps", "budget.minutes", "budget.until")

KEYS: dict[str, Key] = {
    "evo": Key(str, __version__, help="version of evo that wrote the file; it marks a fully resolved configuration"),
    "seed": Key(int, 0, least=0, help="seed of every random number in the run"),
    "start.champion": Key(str | None, None, help="run or champion file whose champion the learner begins from"),
    "start.cell": Key(str | None, None, help="cell of that run's archive, whose elite the learner begins from instead"),
    "start.digest": Key(str | None, None, help="digest of that champion; another one is refused"),
    "task.name": Key(
        str, None, help="name of the task, model file, data file or folder, or `package.module:attribute`"
    ),
    "data.digest": Key(str | None, None, help="digest of the data set's examples; other examples are refused"),
    "network.layers": Key(str, "linear", help="layers of the network, as in `linear`, `mlp:64,64` or `mlp:32:relu`"),
    "network.normalise": Key(
        bool, True, help="whether observations are normalised by their running mean and deviation"
    ),
    "network.clip_observation": Key(
        float, math.inf, least=1e-3, help="bound ±c to which normalised observations are clipped"
    ),
    "method.name": Key(str, DEFAULT_METHOD, help="name of the method, or `package.module:attribute` of an algorithm"),
    "evaluation.batch": Key(
        int, 256, least=1, most=10_000_000, help="examples in a minibatch, at most the training split"
    ),
    "evaluation.episodes": Key(
        int, 1, least=1, most=100_000, help="episodes that each individual of a generation is scored on"
    ),
    "evaluation.racing": Key(
        bool, True, help="whether individuals that cannot reach the elite any more are evaluated no further"
    ),
    "evaluation.step_timeout": Key(
        float | None, None, 1e-3, 1e6, help="seconds that a reset or step of a Gymnasium environment may take"
    ),
    "evaluation.selection_episodes": Key(
        int, 20, least=1, most=100_000, help="held-out episodes on which candidates for champion are scored"
    ),
    "evaluation.selection_share": Key(
        float, 0.1, least=1e-6, most=1e6, help="steps spent on scoring candidates, as a share of the training steps"
    ),
    "evaluation.report_episodes": Key(
        int, 100, least=1, most=100_000, help="episodes, used for nothing else, on which the champion is scored once"
    ),
    "budget.generations": Key(int | None, None, least=0, help="stop after so many generations"),
    "budget.steps": Key(int | None, None, least=0, help="stop after so many env steps, evaluations or examples"),
    "budget.minutes": Key(float | None, None, least=0, help="stop after so many minutes"),
    "budget.until": Key(
        float | None, None, help="stop when the champion's score on the held-out episodes reaches this"
    ),
}
