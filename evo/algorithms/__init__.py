"""Search algorithms: their interface (`Algorithm`) and the one table that lists them (`ALGORITHMS`).

The classes are here too, under the papers' names: `from evo.algorithms import CMAES`. They are loaded when first used.
"""

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evo.algorithms.algorithm import Algorithm, AskTell
from evo.genomes.population import DensePopulation, PerturbedPopulation, Population

if TYPE_CHECKING:
    from evo.algorithms.baselines.hill_climber import HillClimber
    from evo.algorithms.baselines.random_search import RandomSearch
    from evo.algorithms.genetic.crowding import Crowding
    from evo.algorithms.genetic.deep_ga import DeepGA
    from evo.algorithms.genetic.differential_evolution import DifferentialEvolution
    from evo.algorithms.genetic.ga import GA
    from evo.algorithms.genetic.islands import Islands
    from evo.algorithms.restarts.bipop import BIPOP
    from evo.algorithms.restarts.ipop import IPOP
    from evo.algorithms.strategies.ars import ARS
    from evo.algorithms.strategies.cem import CEM
    from evo.algorithms.strategies.cma_es import CMAES
    from evo.algorithms.strategies.guided_es import GuidedES
    from evo.algorithms.strategies.lm_ma_es import LMMAES
    from evo.algorithms.strategies.openai_es import OpenAIES
    from evo.algorithms.strategies.pgpe import PGPE
    from evo.algorithms.strategies.sep_cma_es import SepCMAES
    from evo.algorithms.strategies.snes import SNES
    from evo.algorithms.strategies.xnes import XNES

__all__ = [
    "ALGORITHMS",
    "ARS",
    "BIPOP",
    "CEM",
    "CMAES",
    "GA",
    "IPOP",
    "LMMAES",
    "PGPE",
    "SNES",
    "XNES",
    "Algorithm",
    "AskTell",
    "Crowding",
    "DeepGA",
    "DensePopulation",
    "DifferentialEvolution",
    "GuidedES",
    "HillClimber",
    "Islands",
    "OpenAIES",
    "PerturbedPopulation",
    "Population",
    "RandomSearch",
    "SepCMAES",
]

# Name -> "package.module:attribute", resolved when used: reading the table imports no algorithm.
ALGORITHMS: dict[str, str] = {
    "ars": "evo.algorithms.strategies.ars:ARS",
    "bipop": "evo.algorithms.restarts.bipop:BIPOP",
    "cem": "evo.algorithms.strategies.cem:CEM",
    "cma-es": "evo.algorithms.strategies.cma_es:CMAES",
    "crowding": "evo.algorithms.genetic.crowding:Crowding",
    "deep-ga": "evo.algorithms.genetic.deep_ga:DeepGA",
    "differential-evolution": "evo.algorithms.genetic.differential_evolution:DifferentialEvolution",
    "ga": "evo.algorithms.genetic.ga:GA",
    "guided-es": "evo.algorithms.strategies.guided_es:GuidedES",
    "hill-climber": "evo.algorithms.baselines.hill_climber:HillClimber",
    "ipop": "evo.algorithms.restarts.ipop:IPOP",
    "islands": "evo.algorithms.genetic.islands:Islands",
    "lm-ma-es": "evo.algorithms.strategies.lm_ma_es:LMMAES",
    "openai-es": "evo.algorithms.strategies.openai_es:OpenAIES",
    "pgpe": "evo.algorithms.strategies.pgpe:PGPE",
    "random-search": "evo.algorithms.baselines.random_search:RandomSearch",
    "sep-cma-es": "evo.algorithms.strategies.sep_cma_es:SepCMAES",
    "snes": "evo.algorithms.strategies.snes:SNES",
    "xnes": "evo.algorithms.strategies.xnes:XNES",
}

_HOMES = {reference.partition(":")[2]: reference.partition(":")[0] for reference in ALGORITHMS.values()}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'evo.algorithms' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> Sequence[str]:
    return sorted(__all__)
