"""Operations that put matrices side by side and take them apart; see `evo.autodiff.operations`."""

from typing import Any

from evo.autodiff.operations import BY_ROW, COLUMNS, FIRST, NEEDED, NUMBERS, OUTPUT, ROWS, SECOND, gradient_of


def concat(row: Any, values: Any, gradients: Any) -> None:
    """Put first (m, k) and second (m, n - k) side by side: (m, n)."""
    n, k = row[COLUMNS], row[FIRST + BY_ROW]
    for i in range(row[ROWS]):
        at = row[OUTPUT] + i * n
        for j in range(k):
            values[at + j] = values[row[FIRST] + i * k + j]
        for j in range(n - k):
            values[at + k + j] = values[row[SECOND] + i * (n - k) + j]


@gradient_of(concat)
def concat_backward(row: Any, values: Any, gradients: Any) -> None:
    n, k = row[COLUMNS], row[FIRST + BY_ROW]
    for i in range(row[ROWS]):
        at = row[OUTPUT] + i * n
        if row[FIRST + NEEDED]:
            for j in range(k):
                gradients[row[FIRST] + i * k + j] += gradients[at + j]
        if row[SECOND + NEEDED]:
            for j in range(n - k):
                gradients[row[SECOND] + i * (n - k) + j] += gradients[at + k + j]


def take(row: Any, values: Any, gradients: Any) -> None:
    """Take n columns of first (m, k), from that on which its number says: (m, n)."""
    n, k = row[COLUMNS], row[FIRST + BY_ROW]
    for i in range(row[ROWS]):
        at = row[FIRST] + i * k + row[NUMBERS]
        for j in range(n):
            values[row[OUTPUT] + i * n + j] = values[at + j]


@gradient_of(take)
def take_backward(row: Any, values: Any, gradients: Any) -> None:
    n, k = row[COLUMNS], row[FIRST + BY_ROW]
    for i in range(row[ROWS]):
        at = row[FIRST] + i * k + row[NUMBERS]
        for j in range(n):
            gradients[at + j] += gradients[row[OUTPUT] + i * n + j]
