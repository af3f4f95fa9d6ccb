"""Learners, and `METHODS`: the table of methods, from a name to how its learner is built."""

from typing import Any

from evo.algorithms import ALGORITHMS
from evo.envs.reference import UntrustedName, check_trusted
from evo.errors import EvoError
from evo.learners.methods import Method

__all__ = ["METHODS", "Method", "find_method"]

_V1: dict[str, bool] = {"network.normalise": False}
# An elite of a map, or of a front, stays what it was: statistics that go on changing would change what it does.
_FIXED = {"network.normalise": False}
_KEEPING = ("cma-mae", "cma-me", "map-elites", "me-es", "mo-cma-es", "novelty-search", "nslc", "nsga-ii", "nsga-iii")
_RAW = {"network.normalise": False}  # a replay buffer's observations would be of many normalisations
_ALL_DIRECTIONS = {"method.elite_directions": None}


def _backprop(family: str, about: str, **options: Any) -> Method:
    settings = {f"method.{name}": value for name, value in options.items()}
    about = f"backprop on a data set {about}"
    return Method("evo.learners.backprop:Backprop", family, settings, about, schedule="anneal_steps")


def _local_search(name: str, attribute: str) -> Method:
    return Method(f"evo.learners.local_search:{attribute}", name, limit="most_steps")


# Name -> method: every algorithm, by the line it has in ALGORITHMS; variants, which are settings of a method; learners
# that are no algorithms. What a method is, its class says (`summary`), unless several names share a class.
METHODS: dict[str, Method] = {
    **{name: Method(reference, name) for name, reference in ALGORITHMS.items()},
    **{name: Method(ALGORITHMS[name], name, _FIXED) for name in _KEEPING},
    "ars-v1": Method(ALGORITHMS["ars"], "ars", _V1 | _ALL_DIRECTIONS, "ARS V1: no normalisation, all directions"),
    "ars-v1-t": Method(ALGORITHMS["ars"], "ars", _V1, "ARS V1-t: no normalisation, best directions only"),
    "ars-v2": Method(ALGORITHMS["ars"], "ars", _ALL_DIRECTIONS, "ARS V2: normalised observations, all directions"),
    "nelder-mead": _local_search("nelder-mead", "NelderMead"),
    "powell": _local_search("powell", "Powell"),
    "bfgs": _local_search("bfgs", "BFGS"),
    "persistent-es": Method("evo.learners.persistent_es:PersistentES", "persistent-es"),
    "backprop": _backprop("adam", "by any optimiser (method.optimizer)"),
    "sgd": _backprop("sgd", "by plain gradient descent", optimizer="sgd"),
    "momentum": _backprop("sgd", "with momentum (Polyak 1964)", optimizer="momentum"),
    "nesterov": _backprop("sgd", "with Nesterov's momentum (Sutskever 2013)", optimizer="nesterov"),
    "rmsprop": _backprop("adam", "with RMSProp (Tieleman & Hinton 2012)", optimizer="rmsprop"),
    "adam": _backprop("adam", "with Adam (Kingma & Ba 2015)", optimizer="adam"),
    "adamw": _backprop("adam", "with AdamW (Loshchilov & Hutter 2019)", optimizer="adamw", weight_decay=0.01),
    "ppo": Method("evo.learners.ppo:PPO", "ppo", schedule="anneal_steps"),
    "reinforce": Method("evo.learners.reinforce:REINFORCE", "reinforce"),
    "sac": Method("evo.learners.sac:SAC", "sac", _RAW, action_layer="squash"),
    "td3": Method("evo.learners.td3:TD3", "td3", _RAW, action_layer="squash"),
}
METHODS = dict(sorted(METHODS.items()))  # variants beside what they vary


def find_method(name: str) -> Method | None:
    """Return the method of a name in METHODS, or the algorithm that `package.module:attribute` names; else None.

    Raises EvoError for a module that is not trusted.
    """
    if name in METHODS or ":" not in name:
        return METHODS.get(name)
    try:
        check_trusted(name)
    except UntrustedName as error:
        raise EvoError(f"method {error}") from error
    return Method(name, name)
