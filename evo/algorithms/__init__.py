"""Search algorithms: the interface they fit (`Algorithm`) and the one table that lists them (`ALGORITHMS`)."""

from evo.algorithms.algorithm import Algorithm, AskTell
from evo.algorithms.population import DensePopulation, PerturbedPopulation, Population

__all__ = ["ALGORITHMS", "Algorithm", "AskTell", "DensePopulation", "PerturbedPopulation", "Population"]

# Name -> "package.module:attribute", resolved when used: reading the table imports no algorithm.
ALGORITHMS: dict[str, str] = {
    "ars": "evo.algorithms.ars:ARS",
    "bipop": "evo.algorithms.bipop:BIPOP",
    "cem": "evo.algorithms.cem:CEM",
    "cma-es": "evo.algorithms.cma_es:CMAES",
    "crowding": "evo.algorithms.crowding:Crowding",
    "deep-ga": "evo.algorithms.deep_ga:DeepGA",
    "differential-evolution": "evo.algorithms.differential_evolution:DifferentialEvolution",
    "ga": "evo.algorithms.ga:GA",
    "guided-es": "evo.algorithms.guided_es:GuidedES",
    "hill-climber": "evo.algorithms.hill_climber:HillClimber",
    "ipop": "evo.algorithms.ipop:IPOP",
    "islands": "evo.algorithms.islands:Islands",
    "lm-ma-es": "evo.algorithms.lm_ma_es:LMMAES",
    "openai-es": "evo.algorithms.openai_es:OpenAIES",
    "pgpe": "evo.algorithms.pgpe:PGPE",
    "random-search": "evo.algorithms.random_search:RandomSearch",
    "sep-cma-es": "evo.algorithms.sep_cma_es:SepCMAES",
    "snes": "evo.algorithms.snes:SNES",
    "xnes": "evo.algorithms.xnes:XNES",
}
