"""NEAT: networks whose topology evolves along with their weights.

Stanley & Miikkulainen 2002, "Evolving Neural Networks through Augmenting Topologies", Evolutionary Computation 10(2),
in its order. Its constants are those of the paper's section 4.1; where the paper leaves something open, the authors'
NEAT C++ (version 1.2) is followed, whose parameter file for XOR and two poles has the constants marked "code".
"""

from collections.abc import Mapping
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from evo.algorithms.algorithm import AskTell
from evo.algorithms.genetic.ancestry import Ancestry, Entries, newborn
from evo.algorithms.genetic.neat_learning import LEARNING, Learning, Train
from evo.algorithms.genetic.neat_parents import Parents
from evo.algorithms.genetic.neat_start import functions_of, initial_genome, moved_copies, one_of, single_links
from evo.envs.engine.random import words_of
from evo.genomes.graph import GraphPopulation, develop
from evo.genomes.population import row_of
from evo.networks.wiring import MOST
from evo.numerics.node_functions import ACTIVATIONS, AGGREGATIONS
from evo.numerics.randomness import generator
from evo.numerics.validation import number_between, positive_number, whole_number
from evo.operators.graph_distance import Compatibility, divide
from evo.operators.graph_genes import Floats, Genes, take
from evo.operators.graph_mating import mate, structural_parents
from evo.operators.graph_mutation import change_nodes, draw_functions, move_numbers, mutate_weights
from evo.operators.graph_species import Breeding, choose_parents, count_from_worst, shares
from evo.operators.graph_structure import Counters, Growth, grow, shrink

_LARGE = 1000  # individuals: the paper joins more nodes in large populations
_LEAST_THRESHOLD = 0.3  # code
_RATE_STEP, _LEAST_RATE = 0.2, 0.01
_MOST_GENES = 2**31  # two numbers of nodes are one key
_LARGEST = 1e9  # weights, and how far they move: their products are far below what float32 holds
_MOST_LESSONS = 10**6  # steps of a life: what their minibatches are is in memory at once
_SETTLED = 10  # generations without fewer links, after which simplification is over


@final
class NEAT(AskTell[GraphPopulation]):
    """NEAT: neuroevolution of augmenting topologies, in species that protect what is new.

    `initial` is the row of a graph network (`evo.networks.wiring`), as networks `graph` and `graph:recurrent` have it;
    `evo.genomes.graph.direct_wiring(inputs, outputs).row()` is the paper's. The first individual is `initial` itself,
    the others have its links with weights moved at random. `recurrent`: whether cycles are allowed, and `most_nodes`:
    the most nodes of a network, outputs included (None for as many as it takes), are those of the network that is run;
    `train`: what individuals learn in their lives (`evo.problems.fine_tuning.FineTuning`), for `learning`.

    Shared fitness must not be negative: where the worst of a generation is, all are counted from it.

    Args:
        population_size: individuals.
        start: `full` begins with the links of `initial`; `few` with one random link from an input to an output in each
            individual (fs-NEAT: Whiteson, Stone, Stanley, Miikkulainen & Kohl 2005, "Automatic Feature Selection in
            Neuroevolution").
        first_spread: the most that a weight of the first population differs from `initial`'s (code).
        bias: `unit`, links from a unit that is always 1, which evolve as others do (the paper's), or `node`, a number
            of each node.
        mutated: chance that a genome's weights are mutated (paper).
        power: the most that a weight moves, and the bound ± of one drawn anew (code).
        severe: share of mutated genomes in which more weights are drawn anew (code; see
            `evo.operators.graph_mutation`).
        weight_limit: bound ± of weights (code).
        add_node: chance that a link is split by a node (paper).
        add_link: chance that two nodes are joined; None for the paper's, 0.05, and 0.3 from 1000 individuals on.
        remove_node: chance that a hidden node is removed (the paper has none).
        remove_link: chance that a link is removed (the paper has none).
        tries: how often nodes to join are looked for (code).
        phased: links by which the mean genome may grow before a phase of simplification follows, in which only removals
            change the structure, as often as additions otherwise; None for no such phases (Green 2004, "Phased
            Searching with NEAT").
        activations: functions that new nodes draw from, with commas between.
        mutate_activation: chance that a hidden node's activation is drawn anew.
        output_activation: function of the outputs, None for `initial`'s.
        aggregations: functions of a node's inputs that new nodes draw from, with commas between.
        mutate_aggregation: chance that a hidden node's aggregation is drawn anew.
        mutate_bias: chance that a node's bias moves, where `bias` is `node`.
        mutate_rate: chance that the rate at which a node follows its inputs moves, by at most 0.2.
        mutation_only: chance of a child of one parent (paper).
        mating_only: chance that a child of two parents is not mutated (code).
        interspecies: chance that the second parent is of another species (paper).
        averaging: share of matings that average matching weights (code).
        disabling: chance that a link disabled in either parent is disabled in the child (paper).
        excess: coefficient c1 of the compatibility distance (paper).
        disjoint: its coefficient c2 (paper).
        weight_difference: its coefficient c3 (paper).
        divided_from: links from which counts are divided by the larger genome's number; 0 for never (code; the paper's
            equation would have 20).
        threshold: distance below which genomes are of one species (paper), at first where `species` is given.
        species: number of species that the threshold adapts to, None for a threshold that stays (paper).
        threshold_step: how far it moves in a generation (code).
        stagnation: generations after which a species that did not improve has no children, unless it has the fittest
            individual (paper, without the exception).
        patience: generations after which, if nobody improves, only the two best species have children (paper).
        survival: share of a species that may be parents, and one more (paper; code).
        champion_size: a species of more children than this copies its fittest unchanged (paper).
        learning: what a network learns by gradients before its fitness is taken, on data sets: `none`; `baldwin`, it
            counts for selection and is not inherited; `lamarck`, it goes back into the genes.
        learning_steps: Adam's steps in a life, each on a minibatch.
        learning_rate: their learning rate.
    """

    summary = "neuroevolution of augmenting topologies, in species (Stanley & Miikkulainen 2002)"
    searches = "graphs"
    rank_based = False
    remembered = (
        "parents",
        "ancestry",
        "numbers",
        "bests",
        "improvements",
        "threshold",
        "next_node",
        "next_innovation",
        "next_species",
        "best_fitness",
        "improved",
        "simplifying",
        "floor",
        "fewest_at",
    )
    growing = (
        *(f"parents_{name}" for name in Parents.growing),
        *(f"ancestry_{name}" for name in (*Entries._fields, "living")),
        "numbers",
        "bests",
        "improvements",
    )

    def __init__(
        self,
        initial: ArrayLike,
        seed: int,
        recurrent: bool = False,
        most_nodes: int | None = None,
        train: Train | None = None,
        *,
        population_size: int = 150,
        start: str = "full",
        first_spread: float = 1.0,
        bias: str = "unit",
        mutated: float = 0.8,
        power: float = 2.5,
        severe: float = 0.5,
        weight_limit: float = 8.0,
        add_node: float = 0.03,
        add_link: float | None = None,
        remove_node: float = 0.0,
        remove_link: float = 0.0,
        tries: int = 20,
        phased: float | None = None,
        activations: str = "steep_sigmoid",
        mutate_activation: float = 0.0,
        output_activation: str | None = None,
        aggregations: str = "sum",
        mutate_aggregation: float = 0.0,
        mutate_bias: float = 0.2,
        mutate_rate: float = 0.0,
        mutation_only: float = 0.25,
        mating_only: float = 0.2,
        interspecies: float = 0.001,
        averaging: float = 0.4,
        disabling: float = 0.75,
        excess: float = 1.0,
        disjoint: float = 1.0,
        weight_difference: float = 0.4,
        divided_from: int = 0,
        threshold: float = 3.0,
        species: int | None = None,
        threshold_step: float = 0.3,
        stagnation: int = 15,
        patience: int = 20,
        survival: float = 0.2,
        champion_size: int = 5,
        learning: str = "none",
        learning_steps: int = 10,
        learning_rate: float = 0.01,
    ) -> None:
        super().__init__(initial, seed)
        self.recurrent = recurrent
        self.population_size = whole_number("population_size", population_size, 2)
        self.start = one_of("start", start, ("full", "few"))
        self.first_spread = number_between("first_spread", first_spread, 0, _LARGEST)
        self.bias_unit = one_of("bias", bias, ("unit", "node")) == "unit"
        self.mutated = number_between("mutated", mutated, 0, 1)
        self.power = number_between("power", power, 1 / _LARGEST, _LARGEST)
        self.severe = number_between("severe", severe, 0, 1)
        self.weight_limit = number_between("weight_limit", weight_limit, 1 / _LARGEST, _LARGEST)
        self.add_node = number_between("add_node", add_node, 0, 1)
        joined = (0.05 if self.population_size < _LARGE else 0.3) if add_link is None else add_link
        self.add_link = number_between("add_link", joined, 0, 1)
        self.remove_node = number_between("remove_node", remove_node, 0, 1)
        self.remove_link = number_between("remove_link", remove_link, 0, 1)
        self.phased = None if phased is None else positive_number("phased", phased)
        self.activations = functions_of("activations", activations, ACTIVATIONS)
        self.mutate_activation = number_between("mutate_activation", mutate_activation, 0, 1)
        self.aggregations = functions_of("aggregations", aggregations, AGGREGATIONS)
        self.mutate_aggregation = number_between("mutate_aggregation", mutate_aggregation, 0, 1)
        self.mutate_bias = number_between("mutate_bias", mutate_bias, 0, 1)
        self.mutate_rate = number_between("mutate_rate", mutate_rate, 0, 1)
        self.averaging = number_between("averaging", averaging, 0, 1)
        self.disabling = number_between("disabling", disabling, 0, 1)
        self.compatibility = Compatibility(
            number_between("excess", excess, 0),
            number_between("disjoint", disjoint, 0),
            number_between("weight_difference", weight_difference, 0),
            whole_number("divided_from", divided_from, 0),
        )
        self.species = None if species is None else whole_number("species", species, 1, self.population_size)
        self.threshold_step = positive_number("threshold_step", threshold_step)
        self.stagnation = whole_number("stagnation", stagnation, 1)
        self.patience = whole_number("patience", patience, 1)
        self.breeding = Breeding(
            number_between("survival", survival, 0, 1),
            whole_number("champion_size", champion_size, 0),
            number_between("mutation_only", mutation_only, 0, 1),
            number_between("interspecies", interspecies, 0, 1),
            number_between("mating_only", mating_only, 0, 1),
        )
        lessons = (
            whole_number("learning_steps", learning_steps, 1, _MOST_LESSONS),
            number_between("learning_rate", positive_number("learning_rate", learning_rate), 0, _LARGEST),
        )
        self.learning = None
        if one_of("learning", learning, LEARNING) != "none":
            self.learning = Learning(train, learning == "lamarck", *lessons, self.weight_limit, not self.bias_unit)
        first = initial_genome(self.initial, self.bias_unit, recurrent)
        if output_activation is not None:
            kinds = first.activations.copy()
            kinds[: first.outputs] = functions_of("output_activation", output_activation, ACTIVATIONS)[0]
            first = first._replace(activations=kinds)
        most = MOST if most_nodes is None else whole_number("most_nodes", most_nodes, first.outputs)
        self.growth = Growth(recurrent, most, whole_number("tries", tries, 1), 1.0, self.activations, self.aggregations)

        self.parents = Parents(first, np.zeros(1), np.zeros(1, np.int64), develop(first, recurrent)[0])
        self.ancestry = Ancestry()
        # Of each species: its number, the best fitness it ever had, and in which generation.
        self.numbers, self.improvements = np.zeros(1, np.int64), np.zeros(1, np.int64)
        self.bests = np.zeros(1)
        self.threshold = positive_number("threshold", threshold)
        self.next_node = int(first.ids[-1]) + 1
        direct = (first.inputs + 1) * first.outputs  # the numbers of links from inputs to outputs, there or not
        self.next_innovation = max(direct, int(first.innovations.max(initial=-1)) + 1)
        self.next_species = 1
        self.best_fitness, self.improved = -np.inf, 0
        # Of phased search: the mean number of links that the phase began with, then the least since.
        self.simplifying, self.floor, self.fewest_at = False, float(len(first.innovations)), 0

    def propose(self) -> GraphPopulation:
        born = self._breed() if self.generation else GraphPopulation(self._first_genes(), self.recurrent)
        if self.learning is None:
            return born
        lesson = generator(self.seed, "lessons", self.generation).integers(2**62)
        return self.learning.teach(born, self.recurrent, lesson)

    def _first_genes(self) -> Genes:
        genes, rng = self.parents.genes, generator(self.seed, "first population")
        if self.start == "few":
            return single_links(genes, rng, self.population_size, self.first_spread)
        return moved_copies(genes, rng, self.population_size, self.first_spread, not self.bias_unit)

    def _breed(self) -> GraphPopulation:
        """Return the children of the parents."""
        genes, fitness, species = self.parents.genes, self.parents.fitness, self.parents.species
        fertile, concentrated = self._fertile()
        # a generation in which nobody improves any more gives half of the children to each of two species
        counted = np.ones(len(fitness)) if concentrated else count_from_worst(fitness)
        offspring = shares(counted, species, fertile, self.population_size)
        rng = generator(self.seed, "reproduction", self.generation)
        draws = rng.random((3, self.population_size))
        words = np.array(words_of(rng.bit_generator.state), np.uint64)
        breeding = self.breeding._replace(mutation_only=1.0) if self.simplifying else self.breeding
        plan = choose_parents(words, genes, fitness, species, offspring, breeding, self.compatibility)
        children = mate(
            words, genes, fitness, plan.first, plan.second, averaging=self.averaging, disabling=self.disabling
        )
        mothers = structural_parents(genes, fitness, plan.first, plan.second)
        return GraphPopulation(self.mutants(words, draws, children, plan.mutated), self.recurrent, mothers)

    def _fertile(self) -> tuple[NDArray[np.bool_], bool]:
        """Return which species have children, bool (species,), and whether they are only the two best of them."""
        fitness, species = self.parents.fitness, self.parents.species
        if self.generation - self.improved > self.patience:
            fittest = np.full(len(self.numbers), -np.inf)
            np.maximum.at(fittest, species, fitness)
            fertile = np.zeros(len(fittest), np.bool_)
            fertile[np.argsort(-fittest, kind="stable")[:2]] = True
            return fertile, True
        fertile = self.generation - self.improvements <= self.stagnation
        fertile[species[np.argmax(fitness)]] = True
        return fertile, False

    def mutants(self, words: Any, draws: Floats, children: Genes, mutated: NDArray[np.bool_]) -> Genes:
        """Return the children after mutation: as in the authors' code, of a child's structure or of its numbers.

        draws: uniform numbers, (3, children). words: the stream that all else is drawn from.
        """
        add_node, add_link = self.add_node, self.add_link
        remove_node, remove_link = self.remove_node, self.remove_link
        if self.simplifying:
            add_node, add_link, remove_node, remove_link = 0.0, 0.0, add_node, add_link
        split, join = mutated & (draws[0] < add_node), mutated & (draws[1] < add_link)
        settled = mutated & ~split & ~join
        genes, _ = grow(words, children, split, join, self.growth, Counters(self.next_node, self.next_innovation))
        if remove_node or remove_link:
            # where adding ends in a draw, removing begins: their chances do not overlap unless they exceed 1
            lose, cut = settled & (draws[0] > 1 - remove_node), settled & (draws[1] > 1 - remove_link)
            settled &= ~lose & ~cut
            genes = shrink(words, genes, lose, cut)
        chosen = settled & (draws[2] < self.mutated)
        genes = mutate_weights(words, genes, chosen, power=self.power, severe=self.severe, limit=self.weight_limit)
        return change_nodes(genes, self._other_numbers(words, genes), mutated)

    def _other_numbers(self, words: Any, genes: Genes) -> Genes:
        """Return genes whose biases, rates and functions are mutated, where these evolve."""
        if not self.bias_unit:
            limit = self.weight_limit
            moved = move_numbers(words, genes.biases, self.mutate_bias, power=self.power, low=-limit, high=limit)
            genes = genes._replace(biases=moved)
        if self.mutate_rate:
            moved = move_numbers(words, genes.rates, self.mutate_rate, power=_RATE_STEP, low=_LEAST_RATE, high=1.0)
            genes = genes._replace(rates=moved)
        if self.mutate_activation:
            drawn = draw_functions(words, genes, genes.activations, self.mutate_activation, self.activations)
            genes = genes._replace(activations=drawn)
        if self.mutate_aggregation:
            drawn = draw_functions(words, genes, genes.aggregations, self.mutate_aggregation, self.aggregations)
            genes = genes._replace(aggregations=drawn)
        return genes

    def update(self, population: GraphPopulation, fitness: Floats) -> None:
        genes, now = population.genes, self.generation
        former, representatives, improvements = genes, np.zeros(0, np.int64), self.improvements
        concentrated = False
        if now:
            former = self.parents.genes
            representatives = self.parents.representatives(generator(self.seed, "representatives", now))
            fertile, concentrated = self._fertile()
            if concentrated:  # they begin anew
                improvements = np.where(fertile, now, improvements)
        found = divide(genes, former, representatives, self.threshold, self.compatibility)
        sizes = np.bincount(found)
        present, species = np.flatnonzero(sizes), (np.cumsum(sizes > 0) - 1)[found]
        kept = present[present < len(representatives)]
        founded = len(present) - len(kept)
        before = np.concatenate([self.bests[kept], np.full(founded, -np.inf)])
        best = np.full(len(present), -np.inf)
        np.maximum.at(best, species, fitness)
        since = np.concatenate([improvements[kept], np.full(founded, now)])
        self.improvements = np.where(best > before, now, since)
        self.bests = np.maximum(best, before)
        self.numbers = np.concatenate([self.numbers[kept], self.next_species + np.arange(founded)])
        self.next_species += founded
        self.next_node = max(self.next_node, int(genes.ids.max()) + 1)
        self.next_innovation = max(self.next_innovation, int(genes.innovations.max(initial=-1)) + 1)
        fittest = float(fitness.max())
        if fittest > self.best_fitness or concentrated:
            self.improved = now
        self.best_fitness = max(self.best_fitness, fittest)
        if self.species is not None:
            step = self.threshold_step * np.sign(len(present) - self.species)
            self.threshold = max(_LEAST_THRESHOLD, self.threshold + float(step))
        if self.phased is not None:
            self._change_phase(len(genes.innovations) / len(fitness))
        self.parents = Parents(genes, fitness, species, row_of(population, int(np.argmax(fitness))))
        self.ancestry.follow(population.mothers, newborn(genes, self.numbers[species]), now + 1)

    def _change_phase(self, links: float) -> None:
        """Begin to simplify, or end it, by the mean number of links of a genome."""
        if not self.simplifying and links > self.floor + (self.phased or 0.0):
            self.simplifying, self.floor, self.fewest_at = True, links, self.generation
        elif self.simplifying and links < self.floor:
            self.floor, self.fewest_at = links, self.generation
        elif self.simplifying and self.generation - self.fewest_at > _SETTLED:
            self.simplifying, self.floor = False, links

    def champion(self) -> Genes:
        """Return the genome of the fittest individual; before any was told, of the initial one."""
        return take(self.parents.genes, np.array([np.argmax(self.parents.fitness)]))

    def candidates(self) -> Floats:
        return self.parents.row[np.newaxis]

    def diagnostics(self) -> dict[str, float]:
        """Return `species`, `nodes`, `links`, `complexity` and `threshold`.

        `species`: how many there are; `nodes`, `links`: hidden nodes and enabled links of the fittest; `complexity`:
        the mean number of links; `threshold`: the distance below which genomes are of one species.
        """
        best, genes = self.champion(), self.parents.genes
        return {
            "species": len(self.numbers),
            "nodes": len(best.ids) - best.outputs,
            "links": int(best.enabled.sum()),
            "complexity": len(genes.innovations) / genes.genomes,
            "threshold": self.threshold,
        }

    def census(self) -> dict[str, NDArray[Any]]:
        """Return who lives, for the run's pictures: species' numbers and sizes, and the line of the fittest."""
        sizes, fittest = np.bincount(self.parents.species), int(np.argmax(self.parents.fitness))
        line = self.ancestry.line(fittest)._asdict() if self.generation else {}
        return {"species/numbers": self.numbers, "species/sizes": sizes} | {f"line/{name}": line[name] for name in line}

    def check(self, state: Mapping[str, NDArray[Any]]) -> None:
        super().check(state)
        genes = self.parents.check({name: state[f"parents_{name}"] for name in Parents.growing}, self.recurrent)
        living = genes.genomes if int(state["generation"]) else 0
        Ancestry.check({name: state[f"ancestry_{name}"] for name in self.ancestry.state()}, living)
        species, count = np.asarray(state["parents_species"]), len(state["numbers"])
        if len(state["bests"]) != count or len(state["improvements"]) != count:
            raise ValueError(f"state 'bests' is of {len(state['bests'])} species, expected {count}")
        if not np.array_equal(np.unique(species), np.arange(count)):
            raise ValueError(f"state 'parents_species' does not name each of {count} species")
        for name, least in (("node", genes.ids.max()), ("innovation", genes.innovations.max(initial=-1))):
            if not least < state[f"next_{name}"] < _MOST_GENES:
                raise ValueError(f"state 'next_{name}' is {state[f'next_{name}']}, expected more than {least}")
