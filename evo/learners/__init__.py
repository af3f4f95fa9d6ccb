"""Learners, and `METHODS`: the name of a method → how its learner is built."""

from evo.learners.evolution import EvolutionMethod

__all__ = ["METHODS", "EvolutionMethod", "method_named"]

_ARS = "evo.algorithms.ars:ARS"
_V1: dict[str, bool] = {"network.normalise": False}

METHODS: dict[str, EvolutionMethod] = {
    "ars": EvolutionMethod(_ARS, "augmented random search V2-t (Mania 2018): normalised, best directions only", "ars"),
    "ars-v1": EvolutionMethod(
        _ARS, "ARS V1: no normalisation, all directions", "ars", {**_V1, "method.elite_directions": None}
    ),
    "ars-v1-t": EvolutionMethod(_ARS, "ARS V1-t: no normalisation, best directions only", "ars", _V1),
    "ars-v2": EvolutionMethod(
        _ARS, "ARS V2: normalised observations, all directions", "ars", {"method.elite_directions": None}
    ),
    "openai-es": EvolutionMethod(
        "evo.algorithms.openai_es:OpenAIES", "evolution strategy with ranks and Adam (Salimans 2017)", "openai-es"
    ),
    "ga": EvolutionMethod("evo.algorithms.ga:GA", "genetic algorithm: truncation, elites, crossover (Such 2017)", "ga"),
}


def method_named(name: str) -> EvolutionMethod | None:
    """The method of a name in METHODS, or the algorithm that `package.module:attribute` names; else None."""
    if name in METHODS:
        return METHODS[name]
    return EvolutionMethod(name, "an algorithm of your own", name) if ":" in name else None
