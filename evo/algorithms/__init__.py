"""Search algorithms: the interface they fit (`Algorithm`) and the one table that lists them (`ALGORITHMS`)."""

from evo.algorithms.algorithm import Algorithm, AskTell
from evo.algorithms.population import DensePopulation, PerturbedPopulation, Population

__all__ = ["ALGORITHMS", "Algorithm", "AskTell", "DensePopulation", "PerturbedPopulation", "Population"]

# Name -> "package.module:attribute", resolved when used: reading the table imports no algorithm.
ALGORITHMS: dict[str, str] = {
    "ars": "evo.algorithms.ars:ARS",
    "ga": "evo.algorithms.ga:GA",
    "openai-es": "evo.algorithms.openai_es:OpenAIES",
}
