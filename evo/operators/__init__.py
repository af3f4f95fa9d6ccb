"""Operators of genetic algorithms: pure functions on populations, and the tables that name them.

The random generator, where needed, is the first argument; options are keywords; arguments are never modified; fitness
is maximised. The functions of a table share a signature, given in the module they live in: `evo.operators.selection`,
`.crossover`, `.mutation` and `.replacement`. `evo.operators.binding` resolves a name with options to an operator;
`evo.operators.kinds` says which operators suit which genomes.

With other signatures, and so in no table: `best`, `evo.operators.diversity`.
"""

__all__ = ["CROSSOVER", "GENOMES", "MUTATION", "REPLACEMENT", "SELECTION", "SELF_ADAPTIVE_MUTATION"]

# Name -> "package.module:attribute", resolved when used: reading the tables imports no operator.
SELECTION: dict[str, str] = {
    "boltzmann": "evo.operators.selection:boltzmann_selection",
    "epsilon-lexicase": "evo.operators.lexicase:epsilon_lexicase_selection",  # on cases, as is lexicase
    "lexicase": "evo.operators.lexicase:lexicase_selection",
    "rank": "evo.operators.selection:rank_selection",
    "roulette": "evo.operators.selection:roulette_selection",
    "sus": "evo.operators.selection:stochastic_universal_sampling",
    "tournament": "evo.operators.selection:tournament_selection",
    "truncation": "evo.operators.selection:truncation_selection",
    "uniform": "evo.operators.selection:uniform_selection",
}

CROSSOVER: dict[str, str] = {
    "arithmetic": "evo.operators.recombination:arithmetic_crossover",  # for real genomes, as are blend and sbx
    "blend": "evo.operators.recombination:blend_crossover",
    "neuron": "evo.operators.crossover:group_crossover",
    "none": "evo.operators.crossover:no_crossover",
    "one-point": "evo.operators.crossover:one_point_crossover",
    "order": "evo.operators.permutation:order_crossover",  # for permutations, as is pmx
    "pmx": "evo.operators.permutation:partially_mapped_crossover",
    "sbx": "evo.operators.recombination:simulated_binary_crossover",
    "two-point": "evo.operators.crossover:two_point_crossover",
    "uniform": "evo.operators.crossover:uniform_crossover",
}

MUTATION: dict[str, str] = {
    "bit-flip": "evo.operators.mutation:bit_flip_mutation",
    "cauchy": "evo.operators.mutation:cauchy_mutation",
    "gaussian": "evo.operators.mutation:gaussian_mutation",
    "inversion": "evo.operators.permutation:inversion_mutation",
    "polynomial": "evo.operators.mutation:polynomial_mutation",
    "safe": "evo.operators.safe_mutation:safe_mutation",  # for networks
    "scramble": "evo.operators.permutation:scramble_mutation",
    "swap": "evo.operators.permutation:swap_mutation",
    "uniform-reset": "evo.operators.mutation:uniform_reset_mutation",
}

# For genomes with a sigma each: called with the sigmas too, and returning both.
SELF_ADAPTIVE_MUTATION: dict[str, str] = {
    "self-adaptive": "evo.operators.mutation:self_adaptive_mutation",
}

REPLACEMENT: dict[str, str] = {
    "aging": "evo.operators.replacement:aging_replacement",
    "comma": "evo.operators.replacement:comma_replacement",
    "elitist": "evo.operators.replacement:elitist_replacement",
    "generational": "evo.operators.replacement:generational_replacement",
    "plus": "evo.operators.replacement:plus_replacement",
    "steady-state": "evo.operators.replacement:steady_state_replacement",
}

GENOMES: dict[str, str] = {
    "binary": "evo.operators.kinds:binary_genome",
    "integer": "evo.operators.kinds:integer_genome",
    "permutation": "evo.operators.kinds:permutation_genome",
    "real": "evo.operators.kinds:real_genome",
}
