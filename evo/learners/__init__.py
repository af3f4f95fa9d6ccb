"""Learners, and `METHODS`: the name of a method → how its learner is built."""

from evo.learners.methods import Method

__all__ = ["METHODS", "Method", "method_named"]

_ARS = "evo.algorithms.ars:ARS"
_V1: dict[str, bool] = {"network.normalise": False}

METHODS: dict[str, Method] = {
    "ars": Method(_ARS, "augmented random search V2-t (Mania 2018): normalised, best directions only", "ars"),
    "ars-v1": Method(_ARS, "ARS V1: no normalisation, all directions", "ars", {**_V1, "method.elite_directions": None}),
    "ars-v1-t": Method(_ARS, "ARS V1-t: no normalisation, best directions only", "ars", _V1),
    "ars-v2": Method(_ARS, "ARS V2: normalised observations, all directions", "ars", {"method.elite_directions": None}),
    "openai-es": Method(
        "evo.algorithms.openai_es:OpenAIES", "evolution strategy with ranks and Adam (Salimans 2017)", "openai-es"
    ),
    "ga": Method("evo.algorithms.ga:GA", "genetic algorithm: truncation, elites, crossover (Such 2017)", "ga"),
    "ppo": Method(
        "evo.learners.ppo:PPO",
        "proximal policy optimisation: backprop on the policy (Schulman 2017)",
        "ppo",
        schedule="anneal_steps",
    ),
}


def method_named(name: str) -> Method | None:
    """The method of a name in METHODS, or the algorithm that `package.module:attribute` names; else None."""
    if name in METHODS:
        return METHODS[name]
    return Method(name, "an algorithm of your own", name) if ":" in name else None
