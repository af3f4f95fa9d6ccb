"""Ctrl-C within one individual: while its network develops, is painted, or learns, for longer than a test may last."""

import pytest

from tests.support.processes import python

# A signal comes a second after the work began; only then is it over.
HEARD = """
import os, signal, threading
import numpy as np
import evo
from evo.config.build import make_dataset
from evo.envs.engine import physics
from evo.evaluation.forward_pass import Examiner
from evo.evaluation.workers import Threads
from evo.networks import network_from_text
from evo.networks.network import Network
from evo.networks.wiring import Wiring
from evo.numerics.node_functions import ACTIVATIONS
from evo.numerics.randomness import selection_seeds
from evo.problems.fine_tuning import fine_tune
from evo.problems.problem import evaluate_alone
from evo.problems.supervised import Supervised

ES = "es-hyperneat(8, band=0, variance=0, division=0, rounds=16, hidden=1000, nodes=4096)"

def stripes(outputs, nodes):
    \"\"\"A graph that takes long to answer, and whose answers vary from point to point.\"\"\"
    return Wiring(
        inputs=6,
        outputs=np.zeros(outputs, int),
        activations=np.full(nodes, ACTIVATIONS.index("sine")),
        aggregations=np.zeros(nodes, int),
        biases=np.zeros(nodes),
        responses=np.ones(nodes),
        rates=np.ones(nodes),
        incoming=np.full(nodes, 2),
        sources=np.tile([0, 4], nodes),
        weights=np.tile([200.0, 300.0], nodes),
    ).row()

def evaluate():
    task = evo.task("cartpole")
    evo.evaluate(task, evo.network(ES, task), [stripes(2, 4000)])

def examine():
    data = make_dataset("xor", {})
    network = network_from_text(ES, data.shape, data.outputs)
    problem = Supervised(data, network, Threads(1), None)
    evaluate_alone(problem, stripes(2, 4000), problem.no_statistics(), selection_seeds(1))

def develop():
    task = evo.task("cartpole")
    evo.network(ES, task).layers[-1].develop(stripes(2, 4000), (4,))

def paint():
    task = evo.task("cartpole")
    evo.network("hyperneat(4000, 4000, nodes=4096)", task).layers[-1].painted(stripes(6, 4000), (4,))

def learn():
    data = make_dataset("xor", {})
    problem = Supervised(data, network_from_text("mlp:2000,2000", data.shape, data.outputs), Threads(1), 4)
    fine_tune(problem, problem.initial(np.random.default_rng(0)), 30_000, seed=1)

run = physics._Helper.run
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is begun deaf to it

def interrupted(*arguments):
    threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    return run(*arguments)

physics._Helper.run = interrupted
try:
    WORK()
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("work", ["evaluate", "examine", "develop", "paint", "learn"])
def test_one_individual_may_be_interrupted(work: str) -> None:
    assert python(HEARD.replace("WORK", work)) == "interrupted\n"
