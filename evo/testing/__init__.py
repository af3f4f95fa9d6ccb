"""Checks for users' tasks, algorithms, learners and layers: the same that evo's own pass.

from evo.testing import check_algorithm, check_learner, check_network, check_task

def test_my_task():
    check_task("my_package.my_module:my_task")

def test_my_search():
    check_algorithm(MySearch)

def test_my_learner():
    check_learner(MyLearner)

def test_my_layer():
    check_network(MyLayer(8))
"""

from evo.testing.algorithm import check_algorithm
from evo.testing.learner import check_learner
from evo.testing.network import check_network
from evo.testing.task import check_task

__all__ = ["check_algorithm", "check_learner", "check_network", "check_task"]
