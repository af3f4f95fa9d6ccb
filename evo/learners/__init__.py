"""Learners, and `METHODS`: the table of methods, from a name to how its learner is built."""

from evo.algorithms import ALGORITHMS
from evo.envs.reference import UntrustedName, check_trusted
from evo.errors import EvoError
from evo.learners.methods import Method

__all__ = ["METHODS", "Method", "method_named"]

_BACKPROP = "evo.learners.backprop:Backprop"
_ARS = "evo.algorithms.strategies.ars:ARS"
_V1: dict[str, bool] = {"network.normalise": False}

METHODS: dict[str, Method] = {
    "ars": Method(_ARS, "augmented random search V2-t (Mania 2018): normalised, best directions only", "ars"),
    "ars-v1": Method(_ARS, "ARS V1: no normalisation, all directions", "ars", {**_V1, "method.elite_directions": None}),
    "ars-v1-t": Method(_ARS, "ARS V1-t: no normalisation, best directions only", "ars", _V1),
    "ars-v2": Method(_ARS, "ARS V2: normalised observations, all directions", "ars", {"method.elite_directions": None}),
    "openai-es": Method(
        "evo.algorithms.strategies.openai_es:OpenAIES",
        "evolution strategy with ranks and Adam (Salimans 2017)",
        "openai-es",
    ),
    "ga": Method(
        "evo.algorithms.genetic.ga:GA",
        "genetic algorithm of any operators; by default truncation, elites (Such 2017)",
        "ga",
    ),
    **{
        name: Method(ALGORITHMS[name], summary, name)
        for name, summary in {
            "cma-es": "covariance matrix adaptation, active (Hansen 2016); up to some thousands of parameters",
            "sep-cma-es": "CMA-ES with a diagonal covariance (Ros & Hansen 2008)",
            "lm-ma-es": "limited-memory matrix adaptation (Loshchilov 2019), for many parameters",
            "ipop": "restarts of one of these with growing populations (Auger & Hansen 2005)",
            "bipop": "restarts with growing and with small populations in turn (Hansen 2009)",
            "snes": "separable natural evolution strategy (Schaul 2011)",
            "xnes": "exponential natural evolution strategy (Glasmachers 2010)",
            "pgpe": "parameter-exploring policy gradients with ClipUp (Sehnke 2010, Toklu 2020)",
            "cem": "cross-entropy method with decaying noise (Szita & Lőrincz 2006)",
            "guided-es": "noise guided by its own past gradients (Maheswaranathan 2019)",
            "islands": "populations of a genetic algorithm apart, with migrants between them (Tanese 1989)",
            "crowding": "deterministic crowding: a genetic algorithm that keeps several peaks (Mahfoud 1995)",
            "deep-ga": "genetic algorithm on lists of seeds, mutation alone, for large networks (Such 2017)",
            "differential-evolution": "DE/rand/1/bin (Storn & Price 1997)",
            "random-search": "the best of random draws: what any search must beat",
            "hill-climber": "tuning one knob at a time, up or down a step",
        }.items()
    },
    **{
        name: Method(f"evo.learners.local_search:{attribute}", summary, name, limit="most_steps")
        for name, attribute, summary in (
            ("nelder-mead", "NelderMead", "scipy's simplex of Nelder & Mead (1965), until it is stuck"),
            ("powell", "Powell", "scipy's conjugate directions (Powell 1964), until it is stuck"),
            ("bfgs", "BFGS", "scipy's quasi-Newton with finite differences, until it is stuck"),
        )
    },
    "persistent-es": Method(
        "evo.learners.persistent_es:PersistentES",
        "evolution strategy that learns within an episode, unbiased (Vicol 2021)",
        "persistent-es",
    ),
    **{
        name: Method(_BACKPROP, f"backprop on a data set {summary}", family, settings, schedule="anneal_steps")
        for name, family, settings, summary in (
            ("backprop", "adam", {}, "by any optimiser (method.optimizer)"),
            ("sgd", "sgd", {"method.optimizer": "sgd"}, "by plain gradient descent"),
            ("momentum", "sgd", {"method.optimizer": "momentum"}, "with momentum (Polyak 1964)"),
            ("nesterov", "sgd", {"method.optimizer": "nesterov"}, "with Nesterov's momentum (Sutskever 2013)"),
            ("rmsprop", "adam", {"method.optimizer": "rmsprop"}, "with RMSProp (Tieleman & Hinton 2012)"),
            ("adam", "adam", {"method.optimizer": "adam"}, "with Adam (Kingma & Ba 2015)"),
            (
                "adamw",
                "adam",
                {"method.optimizer": "adamw", "method.weight_decay": 0.01},
                "with AdamW (Loshchilov & Hutter 2019)",
            ),
        )
    },
    "ppo": Method(
        "evo.learners.ppo:PPO",
        "proximal policy optimisation: backprop on the policy (Schulman 2017)",
        "ppo",
        schedule="anneal_steps",
    ),
}


def method_named(name: str) -> Method | None:
    """Return the method of a name in METHODS, or the algorithm that `package.module:attribute` names; else None.

    Raises EvoError for a module that is not trusted.
    """
    if name in METHODS or ":" not in name:
        return METHODS.get(name)
    try:
        check_trusted(name)
    except UntrustedName as error:
        raise EvoError(f"method {error}") from error
    return Method(name, "an algorithm of your own", name)
