"""Operators of genetic algorithms: pure functions on populations, and the tables that name them.

The random generator, where needed, is the first argument; options are keywords; arguments are never modified; fitness
is maximised. The functions of a table share a signature, given in the module they live in: `evo.operators.selection`,
`.crossover`, `.mutation` and `.replacement`. `evo.operators.binding` resolves a name with options to an operator;
`evo.operators.kinds` describes the kinds of genomes.

An operator of the package is one function, and its line in a table: the line also says which genomes it suits.

With other signatures, and so in no table: `best`, `evo.operators.diversity`.
"""

from collections.abc import Collection, Mapping

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
    "bounded": "evo.operators.kinds:bounded_genome",
    "integer": "evo.operators.kinds:integer_genome",
    "permutation": "evo.operators.kinds:permutation_genome",
    "real": "evo.operators.kinds:real_genome",
}

_BINARY, _REAL, _PERMUTATION = {"binary"}, {"real"}, {"permutation"}
_INSIDE = {"bounded", "real"}  # operators that stay within bounds
_NUMBER, _COPIED, _ANY = {"integer", *_INSIDE}, {"binary", "integer", *_INSIDE}, set(GENOMES)
# The same, and the kinds of genomes that each suits. Crossover that copies genes unchanged, and mutation that only
# moves them, suit genomes of nearly any kind.
_CROSSOVER = {
    "arithmetic": ("evo.operators.recombination:arithmetic_crossover", _INSIDE),
    "blend": ("evo.operators.recombination:blend_crossover", _REAL),
    "line": ("evo.operators.recombination:line_crossover", _REAL),
    "neuron": ("evo.operators.crossover:group_crossover", _COPIED),
    "none": ("evo.operators.crossover:no_crossover", _ANY),
    "one-point": ("evo.operators.crossover:one_point_crossover", _COPIED),
    "order": ("evo.operators.permutation:order_crossover", _PERMUTATION),
    "pmx": ("evo.operators.permutation:partially_mapped_crossover", _PERMUTATION),
    "sbx": ("evo.operators.recombination:simulated_binary_crossover", _INSIDE),
    "two-point": ("evo.operators.crossover:two_point_crossover", _COPIED),
    "uniform": ("evo.operators.crossover:uniform_crossover", _COPIED),
}
_MUTATION = {
    "bit-flip": ("evo.operators.mutation:bit_flip_mutation", _BINARY),
    "cauchy": ("evo.operators.mutation:cauchy_mutation", _REAL),
    "gaussian": ("evo.operators.mutation:gaussian_mutation", _REAL),
    "inversion": ("evo.operators.permutation:inversion_mutation", _ANY),
    "polynomial": ("evo.operators.mutation:polynomial_mutation", _INSIDE),
    "safe": ("evo.operators.safe_mutation:safe_mutation", _REAL),  # for networks
    "scramble": ("evo.operators.permutation:scramble_mutation", _ANY),
    "swap": ("evo.operators.permutation:swap_mutation", _ANY),
    "uniform-reset": ("evo.operators.mutation:uniform_reset_mutation", _NUMBER),
}
# For genomes with a sigma each: called with the sigmas too, and returning both.
_SELF_ADAPTIVE_MUTATION = {
    "self-adaptive": ("evo.operators.mutation:self_adaptive_mutation", _REAL),
}


def _references(table: Mapping[str, tuple[str, Collection[str]]]) -> dict[str, str]:
    return {name: reference for name, (reference, _) in table.items()}


CROSSOVER = _references(_CROSSOVER)
MUTATION = _references(_MUTATION)
SELF_ADAPTIVE_MUTATION = _references(_SELF_ADAPTIVE_MUTATION)
_MUTATIONS = _MUTATION | _SELF_ADAPTIVE_MUTATION


def crossovers_for(genome: str) -> tuple[str, ...]:
    """Return the names of the crossovers that suit a kind of genomes, a name in GENOMES."""
    return tuple(name for name, (_, genomes) in _CROSSOVER.items() if genome in genomes)


def mutations_for(genome: str) -> tuple[str, ...]:
    """Return the names of the mutations that suit a kind of genomes, a name in GENOMES."""
    return tuple(sorted(name for name, (_, genomes) in _MUTATIONS.items() if genome in genomes))
