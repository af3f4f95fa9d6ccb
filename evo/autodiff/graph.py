"""Operations of a graph, one time step each; see `evo.autodiff.operations` and `evo.numerics.graph_nodes`.

The second operand is the graph's row, which is read where it is: its structure is not known to the tape, and must not
change but between runs.
"""

from typing import Any

from evo.autodiff.operations import BY_ROW, COLUMNS, FIRST, NEEDED, NUMBERS, OUTPUT, ROWS, SECOND, THIRD, gradient_of
from evo.numerics.graph_nodes import HEADER, compute_nodes, differentiate_nodes


def nodes(row: Any, values: Any, gradients: Any) -> None:
    """Compute the values of a graph's nodes, (m, n), beside its inputs, first (m, k).

    Its number is how far behind the nodes' values before, third, those of this step are; 0 for a feed-forward graph,
    which has no third.
    """
    n, k, behind = row[COLUMNS], row[FIRST + BY_ROW], row[NUMBERS]
    for i in range(row[ROWS]):
        own = values[row[OUTPUT] + i * n : row[OUTPUT] + (i + 1) * n]
        for j in range(k):
            own[j] = values[row[FIRST] + i * k + j]
        for j in range(behind):
            own[k + j] = values[row[THIRD] + i * behind + j]
        compute_nodes(values[row[SECOND] :], own, k, behind)


@gradient_of(nodes)
def nodes_backward(row: Any, values: Any, gradients: Any) -> None:
    """Add the gradients of all three; the output's gradient becomes that of everything that a node reads."""
    n, k, behind = row[COLUMNS], row[FIRST + BY_ROW], row[NUMBERS]
    needed = row[SECOND + NEEDED] != 0
    for i in range(row[ROWS]):
        first, last = row[OUTPUT] + i * n, row[OUTPUT] + (i + 1) * n
        errors = gradients[first:last]
        own, of_row = values[row[SECOND] :], gradients[row[SECOND] :]
        differentiate_nodes(own, values[first:last], errors, of_row, k, behind, needed)
        if row[FIRST + NEEDED]:
            for j in range(k):
                gradients[row[FIRST] + i * k + j] += errors[j]
        if behind and row[THIRD + NEEDED]:
            for j in range(behind):
                gradients[row[THIRD] + i * behind + j] += errors[k + j]


def pick_outputs(row: Any, values: Any, gradients: Any) -> None:
    """Pick the nodes that are outputs, (m, n), from first (m, k), in which nodes begin at its number."""
    n, k = row[COLUMNS], row[FIRST + BY_ROW]
    for i in range(row[ROWS]):
        for j in range(n):
            place = row[NUMBERS] + int(values[row[SECOND] + HEADER + j])
            values[row[OUTPUT] + i * n + j] = values[row[FIRST] + i * k + place]


@gradient_of(pick_outputs)
def pick_outputs_backward(row: Any, values: Any, gradients: Any) -> None:
    n, k = row[COLUMNS], row[FIRST + BY_ROW]
    for i in range(row[ROWS]):
        for j in range(n):
            place = row[NUMBERS] + int(values[row[SECOND] + HEADER + j])
            gradients[row[FIRST] + i * k + place] += gradients[row[OUTPUT] + i * n + j]
