"""Search algorithms: their interface (`Algorithm`) and the one table that lists them (`ALGORITHMS`).

An algorithm of the package is one file more, and its line in this table: `evo run --method NAME`, `evo list` (with the
`summary` of its class), islands and the tests have it from here. The classes are here too, under the papers' names:
`from evo.algorithms import CMAES`. They are loaded when first used; the imports below only tell type checkers of them.
"""

import importlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from evo.algorithms.algorithm import Algorithm, AskTell
from evo.genomes.population import DensePopulation, PerturbedPopulation, Population

if TYPE_CHECKING:
    from evo.algorithms.baselines.hill_climber import HillClimber as HillClimber
    from evo.algorithms.baselines.random_search import RandomSearch as RandomSearch
    from evo.algorithms.genetic.crowding import Crowding as Crowding
    from evo.algorithms.genetic.deep_ga import DeepGA as DeepGA
    from evo.algorithms.genetic.differential_evolution import DifferentialEvolution as DifferentialEvolution
    from evo.algorithms.genetic.ga import GA as GA
    from evo.algorithms.genetic.islands import Islands as Islands
    from evo.algorithms.genetic.neat import NEAT as NEAT
    from evo.algorithms.multi_objective.mo_cma_es import MOCMAES as MOCMAES
    from evo.algorithms.multi_objective.nsga_ii import NSGAII as NSGAII
    from evo.algorithms.multi_objective.nsga_iii import NSGAIII as NSGAIII
    from evo.algorithms.quality_diversity.cma_mae import CMAMAE as CMAMAE
    from evo.algorithms.quality_diversity.cma_me import CMAME as CMAME
    from evo.algorithms.quality_diversity.map_elites import MAPElites as MAPElites
    from evo.algorithms.quality_diversity.me_es import MEES as MEES
    from evo.algorithms.quality_diversity.novelty_search import NoveltySearch as NoveltySearch
    from evo.algorithms.quality_diversity.nslc import NSLC as NSLC
    from evo.algorithms.restarts.bipop import BIPOP as BIPOP
    from evo.algorithms.restarts.ipop import IPOP as IPOP
    from evo.algorithms.strategies.ars import ARS as ARS
    from evo.algorithms.strategies.cem import CEM as CEM
    from evo.algorithms.strategies.cma_es import CMAES as CMAES
    from evo.algorithms.strategies.guided_es import GuidedES as GuidedES
    from evo.algorithms.strategies.lm_ma_es import LMMAES as LMMAES
    from evo.algorithms.strategies.openai_es import OpenAIES as OpenAIES
    from evo.algorithms.strategies.pgpe import PGPE as PGPE
    from evo.algorithms.strategies.sep_cma_es import SepCMAES as SepCMAES
    from evo.algorithms.strategies.snes import SNES as SNES
    from evo.algorithms.strategies.xnes import XNES as XNES

# Name -> "package.module:attribute", resolved when used: reading the table imports no algorithm.
ALGORITHMS: dict[str, str] = {
    "ars": "evo.algorithms.strategies.ars:ARS",
    "bipop": "evo.algorithms.restarts.bipop:BIPOP",
    "cem": "evo.algorithms.strategies.cem:CEM",
    "cma-es": "evo.algorithms.strategies.cma_es:CMAES",
    "cma-mae": "evo.algorithms.quality_diversity.cma_mae:CMAMAE",
    "cma-me": "evo.algorithms.quality_diversity.cma_me:CMAME",
    "crowding": "evo.algorithms.genetic.crowding:Crowding",
    "deep-ga": "evo.algorithms.genetic.deep_ga:DeepGA",
    "differential-evolution": "evo.algorithms.genetic.differential_evolution:DifferentialEvolution",
    "ga": "evo.algorithms.genetic.ga:GA",
    "guided-es": "evo.algorithms.strategies.guided_es:GuidedES",
    "hill-climber": "evo.algorithms.baselines.hill_climber:HillClimber",
    "ipop": "evo.algorithms.restarts.ipop:IPOP",
    "islands": "evo.algorithms.genetic.islands:Islands",
    "lm-ma-es": "evo.algorithms.strategies.lm_ma_es:LMMAES",
    "map-elites": "evo.algorithms.quality_diversity.map_elites:MAPElites",
    "me-es": "evo.algorithms.quality_diversity.me_es:MEES",
    "mo-cma-es": "evo.algorithms.multi_objective.mo_cma_es:MOCMAES",
    "neat": "evo.algorithms.genetic.neat:NEAT",
    "nslc": "evo.algorithms.quality_diversity.nslc:NSLC",
    "novelty-search": "evo.algorithms.quality_diversity.novelty_search:NoveltySearch",
    "nsga-ii": "evo.algorithms.multi_objective.nsga_ii:NSGAII",
    "nsga-iii": "evo.algorithms.multi_objective.nsga_iii:NSGAIII",
    "openai-es": "evo.algorithms.strategies.openai_es:OpenAIES",
    "pgpe": "evo.algorithms.strategies.pgpe:PGPE",
    "random-search": "evo.algorithms.baselines.random_search:RandomSearch",
    "sep-cma-es": "evo.algorithms.strategies.sep_cma_es:SepCMAES",
    "snes": "evo.algorithms.strategies.snes:SNES",
    "xnes": "evo.algorithms.strategies.xnes:XNES",
}

# Class -> module.
_HOMES = {reference.partition(":")[2]: reference.partition(":")[0] for reference in ALGORITHMS.values()}

__all__ = ["ALGORITHMS", "Algorithm", "AskTell", "DensePopulation", "PerturbedPopulation", "Population"]
__all__ += sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'evo.algorithms' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> Sequence[str]:
    return sorted(__all__)
