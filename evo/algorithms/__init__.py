"""Search algorithms: the interface they fit (`Algorithm`) and the one table that lists them (`ALGORITHMS`).

The classes are here too, under the names that papers give them: `from evo.algorithms import CMAES`. They are loaded
when first used.
"""

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evo.algorithms.algorithm import Algorithm, AskTell
from evo.algorithms.population import DensePopulation, PerturbedPopulation, Population

if TYPE_CHECKING:
    from evo.algorithms.ars import ARS
    from evo.algorithms.bipop import BIPOP
    from evo.algorithms.cem import CEM
    from evo.algorithms.cma_es import CMAES
    from evo.algorithms.crowding import Crowding
    from evo.algorithms.deep_ga import DeepGA
    from evo.algorithms.differential_evolution import DifferentialEvolution
    from evo.algorithms.ga import GA
    from evo.algorithms.guided_es import GuidedES
    from evo.algorithms.hill_climber import HillClimber
    from evo.algorithms.ipop import IPOP
    from evo.algorithms.islands import Islands
    from evo.algorithms.lm_ma_es import LMMAES
    from evo.algorithms.openai_es import OpenAIES
    from evo.algorithms.pgpe import PGPE
    from evo.algorithms.random_search import RandomSearch
    from evo.algorithms.sep_cma_es import SepCMAES
    from evo.algorithms.snes import SNES
    from evo.algorithms.xnes import XNES

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

_HOMES = {reference.partition(":")[2]: reference.partition(":")[0] for reference in ALGORITHMS.values()}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'evo.algorithms' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> Sequence[str]:
    return sorted(__all__)
