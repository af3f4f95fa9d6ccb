"""Tape: the operations of a loss in order of computation.

Reverse-mode differentiation (Linnainmaa 1976; Griewank & Walther 2008, chapter 3): run the operations in order, then
backwards, each adding to its operands' gradients by the chain rule. A tape is recorded once, for fixed shapes; its
program then runs in compiled code on buffers that are allocated once.

    tape = Tape(parameters=6)
    inputs, targets = tape.input(8, 2), tape.input(8, 2)
    error = inputs.affine(tape.parameters(0, 2, 2), tape.parameters(4, 1, 2)).tanh() - targets
    program = tape.program((error * error).mean())
    program.forward(), program.backward()        # program.gradient holds d loss / d parameters
"""

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.np.numpy_support import from_dtype

from evo.autodiff import drawing, elementwise, joining, operations, recurrent, spiking
from evo.autodiff.operations import NUMBERS, ROW_SIZE, SEED_SIZE, Operation, backward_of
from evo.autodiff.running import Section, backward, forward
from evo.envs.engine.compile import compile_kernel
from evo.numerics.activations import ACTIVATIONS
from evo.storage.memory import check_bytes

_ALIGNMENT = 16  # float32 numbers: a cache line
_ROW = types.Array(types.int64, 1, "C")


@dataclass(frozen=True, eq=False)
class Node:
    """A matrix on a tape: an input, parameters, a constant, or an operation's output."""

    tape: "Tape"
    at: int
    rows: int
    columns: int
    needs_gradient: bool

    def affine(
        self,
        weights: "Node",
        bias: "Node | None" = None,
        into: "Node | None" = None,
        activation: str = "linear",
    ) -> "Node":
        """Return self (m, k) weights (k, n) + bias (1, n), and one of ACTIVATIONS of it."""
        bias = self.tape.constant(0.0, 1, weights.columns) if bias is None else bias
        if self.columns != weights.rows or (bias.rows, bias.columns) != (1, weights.columns):
            raise ValueError(f"{self.shape} by {weights.shape} plus {bias.shape} do not fit")
        operands, numbers = (self, weights, bias), (ACTIVATIONS.index(activation),)
        return self.tape.record(operations.affine, self.rows, weights.columns, *operands, into=into, numbers=numbers)

    def tanh(self, into: "Node | None" = None) -> "Node":
        return self.tape.record(elementwise.tanh, *self.shape, self, into=into)

    def relu(self) -> "Node":
        return self._alike(elementwise.relu)

    def elu(self) -> "Node":
        return self._alike(elementwise.elu)

    def sigmoid(self) -> "Node":
        return self._alike(elementwise.sigmoid)

    def activate(self, activation: str) -> "Node":
        """Apply an activation, one of `evo.numerics.activations.ACTIVATIONS`."""
        return self if activation == "linear" else getattr(self, activation)()

    def reshape(self, rows: int, columns: int) -> "Node":
        """Return the same numbers, row by row, as a matrix of another shape, without copying."""
        if rows * columns != self.rows * self.columns:
            raise ValueError(f"{self.shape} is no matrix of {rows} × {columns}")
        return Node(self.tape, self.at, rows, columns, self.needs_gradient)

    def part(self, first: int, count: int) -> "Node":
        """Return the `count` rows from `first` on, without copying."""
        if not 0 <= first <= first + count <= self.rows:
            raise ValueError(f"rows {first} to {first + count} of {self.rows}")
        return Node(self.tape, self.at + first * self.columns, count, self.columns, self.needs_gradient)

    def add_affine(self, weights: "Node", past: "Node") -> "Node":
        """Add past (m, k) weights (k, n) to self (m, n), in place; self must be an operation's output."""
        if past.columns != weights.rows or self.shape != (past.rows, weights.columns):
            raise ValueError(f"{self.shape} plus {past.shape} by {weights.shape} do not fit")
        if not self.needs_gradient or self.at < self.tape.size:
            raise ValueError("the sum would take the place of parameters, an input or a constant")
        return self.tape.record(recurrent.add_affine, *self.shape, past, weights, into=self)

    def lstm(self, before: "Node", into: "Node") -> "Node":
        """Return the LSTM cell (m, 2 n) after one step; the hidden state is written `into` (m, n).

        self: the gates (m, 4 n), which are overwritten. before: the previous cell, (m, 2 n) or (m, n).
        """
        m, n = into.shape
        if self.shape != (m, 4 * n) or before.shape not in ((m, n), (m, 2 * n)):
            raise ValueError(f"gates {self.shape} and cell {before.shape} do not fit a hidden state {into.shape}")
        after = self.tape.empty(m, 2 * n)
        self.tape.record(recurrent.lstm, *into.shape, self, before, after, into=into)
        return after

    def gru(self, past: "Node", before: "Node", into: "Node") -> "Node":
        """Return the GRU hidden state after one step, written `into` (m, n).

        self: the sums of the inputs, which are overwritten; past: those of the past; both (m, 3 n). before: the
        previous hidden state (m, n).
        """
        m, n = into.shape
        if (self.shape, past.shape, before.shape) != ((m, 3 * n), (m, 3 * n), (m, n)):
            raise ValueError(f"{self.shape}, {past.shape} and {before.shape} do not fit a hidden state {into.shape}")
        return self.tape.record(recurrent.gru, *into.shape, self, past, before, into=into)

    def leak(self, keeping: "Node", before: "Node") -> "Node":
        """Return the membrane (m, n) after one step with this current, self (m, n).

        keeping (1, n): the share of the previous membrane, `before` (m, n), that stays; it is reset where it was above
        the threshold.
        """
        if self.shape != before.shape or keeping.shape != (1, self.columns):
            raise ValueError(f"current {self.shape}, {keeping.shape} and membrane {before.shape} do not fit")
        return self.tape.record(spiking.leak, *self.shape, self, keeping, before)

    def spike(self) -> "Node":
        """Return 1 above the threshold, which is 1, else 0; its gradient is a surrogate."""
        return self._alike(spiking.spike)

    def trace(self, keeping: "Node", before: "Node", into: "Node") -> "Node":
        """Return the trace (m, n) of spikes, self (m, n), written `into`.

        keeping (1, n): the share of the previous trace, `before` (m, n), that stays. The trace approaches 1 with
        spikes, -1 without.
        """
        if self.shape != before.shape or keeping.shape != (1, self.columns):
            raise ValueError(f"spikes {self.shape}, {keeping.shape} and trace {before.shape} do not fit")
        return self.tape.record(spiking.trace, *self.shape, self, keeping, before, into=into)

    def exp(self) -> "Node":
        return self._alike(elementwise.exp)

    def log(self) -> "Node":
        return self._alike(elementwise.log)

    def softplus(self) -> "Node":
        """Return log(1 + exp(self))."""
        return self._alike(elementwise.softplus)

    def detach(self) -> "Node":
        """Return the same matrix, through which no gradient passes, without copying."""
        return replace(self, needs_gradient=False)

    def concat(self, other: "Node") -> "Node":
        """Return both side by side, (rows, columns of both)."""
        if self.rows != other.rows:
            raise ValueError(f"{self.shape} and {other.shape} do not stand side by side")
        return self.tape.record(joining.concat, self.rows, self.columns + other.columns, self, other)

    def take(self, first: int, count: int) -> "Node":
        """Return the `count` columns from `first` on."""
        if not 0 <= first <= first + count <= self.columns:
            raise ValueError(f"columns {first} to {first + count} of {self.columns}")
        return self.tape.record(joining.take, self.rows, count, self, numbers=(first,))

    def log_softmax(self) -> "Node":
        """Return the logarithm of the softmax of each row."""
        return self._alike(operations.log_softmax)

    def total(self) -> "Node":
        """Return the sum of each row, (rows, 1)."""
        return self.tape.record(operations.total, self.rows, 1, self)

    def mean(self) -> "Node":
        """Return the mean of all values, (1, 1)."""
        count = self.rows * self.columns
        return self.reshape(1, count).total() * (1.0 / count)

    def pick(self, columns: "Node") -> "Node":
        """Return from each row the value in the column whose index `columns` (rows, 1) holds, (rows, 1)."""
        if (columns.rows, columns.columns) != (self.rows, 1):
            raise ValueError(f"{self.rows} rows need as many indices, not {columns.shape}")
        return self.tape.record(operations.pick, self.rows, 1, self, columns)

    def minimum(self, other: "Node | float") -> "Node":
        return self._with(operations.minimum, other)

    def maximum(self, other: "Node | float") -> "Node":
        return self._with(operations.maximum, other)

    def clip(self, low: float, high: float) -> "Node":
        return self.maximum(low).minimum(high)

    def __add__(self, other: "Node | float") -> "Node":
        return self._with(operations.add, other)

    def __mul__(self, other: "Node | float") -> "Node":
        return self._with(operations.multiply, other)

    def __neg__(self) -> "Node":
        return self * -1.0

    def __sub__(self, other: "Node | float") -> "Node":
        return self._with(operations.subtract, other)

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, self.columns

    def _alike(self, operation: Operation) -> "Node":
        return self.tape.record(operation, self.rows, self.columns, self)

    def _with(self, operation: Operation, other: "Node | float") -> "Node":
        node = other if isinstance(other, Node) else self.tape.constant(other)
        for mine, theirs in zip(self.shape, node.shape, strict=True):
            if mine != theirs and 1 not in (mine, theirs):
                raise ValueError(f"{self.shape} and {node.shape} do not fit")
        rows, columns = max(self.rows, node.rows), max(self.columns, node.columns)
        return self.tape.record(operation, rows, columns, self, node)


class Tape:
    """Records operations on matrices, differentiable by its `parameters` numbers.

    dtype: of all numbers, float32, or float64 to check gradients. training: whether layers such as dropout behave as in
    training.
    """

    def __init__(self, parameters: int, dtype: Any = np.float32, training: bool = False) -> None:
        self.size, self.dtype, self.training = parameters, np.dtype(dtype), training
        self._end = -(-parameters // _ALIGNMENT) * _ALIGNMENT
        self._rows: list[list[int]] = []
        self._graded: list[tuple[int, int]] = []  # where the nodes are that need a gradient, but for parameters
        self._staged = 0, 0  # rows, and graded nodes, that belong to an earlier stage
        self._constants: list[tuple[int, int, float | np.ndarray]] = []
        self.going_on: Node | None = None
        self.states: list[Node] = []  # the layers' initial states, inputs after `go_on`, in the order requested
        self._seed: Node | None = None
        self._frozen = False

    def parameters(self, at: int, rows: int, columns: int) -> Node:
        """Return the parameters from `at` on, as a matrix."""
        if not 0 <= at <= at + rows * columns <= self.size:
            raise ValueError(f"{rows * columns} parameters from {at} on: there are {self.size}")
        return Node(self, at, rows, columns, not self._frozen)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Let parameters taken inside this context get no gradient: those of another loss, or of a target network."""
        before, self._frozen = self._frozen, True
        try:
            yield
        finally:
            self._frozen = before

    def input(self, rows: int, columns: int) -> Node:
        """Return a matrix to be filled in before each run."""
        return self._place(rows, columns, False)

    def constant(self, value: float | np.ndarray, rows: int = 1, columns: int = 1) -> Node:
        """Return a matrix filled with one value, or with as many values, row by row."""
        node = self._place(rows, columns, False)
        self._constants.append((node.at, node.at + rows * columns, value))
        return node

    def normal(self, rows: int, columns: int) -> Node:
        """Return a matrix of standard normals, which the tape's seed determines."""
        return self.record(drawing.normal, rows, columns, self.seed())

    def empty(self, rows: int, columns: int) -> Node:
        """Return a matrix that operations write to, part by part, before any other reads it."""
        return self._place(rows, columns, True)

    def go_on(self, going_on: Node) -> None:
        """Let layers recorded from here on begin with their state from earlier steps, instead of an empty one.

        going_on: an input (steps × batch, 1), 0 in a step that begins an episode, else 1.
        """
        self.going_on = going_on

    def state(self, batch: int, columns: int) -> Node:
        """Return a layer's state before the first step, (batch, columns): zeros, or an input after `go_on`."""
        if self.going_on is None:
            return self.constant(0.0, batch, columns)
        self.states.append(self.input(batch, columns))
        return self.states[-1]

    def carried(self, state: Node, step: int) -> Node:
        """Return a state (batch, columns) as it enters a step: zeros where an episode begins."""
        if self.going_on is None:
            return state
        return state * self.going_on.part(step * state.rows, state.rows)

    def record(
        self,
        operation: Operation,
        rows: int,
        columns: int,
        *operands: Node,
        into: Node | None = None,
        numbers: Sequence[int] = (),
    ) -> Node:
        """Append an operation and return its output (rows, columns), `into` where given.

        operation: the plain forward function, whose backward half is declared with `gradient_of`: see
        `evo.autodiff.operations`. At most three operands, and twelve whole numbers of its own.
        """
        out = self._place(rows, columns, any(operand.needs_gradient for operand in operands)) if into is None else into
        if out.shape != (rows, columns):
            raise ValueError(f"{operation.__name__} gives {(rows, columns)}, which does not fit {out.shape}")
        ahead, back = _compiled(operation, self.dtype)
        row = [ahead.address, back.address if out.needs_gradient else 0, out.at, rows, columns]
        for operand in operands:
            repeated = operand.rows == 1 < rows, operand.columns == 1 < columns
            by_row, by_column = 0 if repeated[0] else operand.columns, 0 if repeated[1] else 1
            row += [operand.at, by_row, by_column, operand.needs_gradient, operand.shape == (rows, columns)]
        row += [0] * (NUMBERS - len(row)) + list(numbers)
        self._rows.append(row + [0] * (ROW_SIZE - len(row)))
        return out

    def seed(self) -> Node:
        """Return the node with the seed of random operations, int64 in the first bytes; see `operations.seed_of`."""
        if self._seed is None:
            self._seed = self._place(1, SEED_SIZE, False)
        return self._seed

    def stage(self, loss: Node) -> Section:
        """Return what was recorded since the last stage: it has a loss of its own, and gets no gradient of others'.

        Raises ValueError where `loss` is none.
        """
        _check_loss(loss)
        (rows, graded), self._staged = self._staged, (len(self._rows), len(self._graded))
        spans = np.array(self._graded[graded:], np.int64).reshape(-1, 2)
        return Section(rows, len(self._rows), loss.at, spans, self._end)

    def program(self, loss: Node) -> "Program":
        """Return everything recorded so far, ready to run; gradients are of `loss` (1, 1).

        Raises ValueError for another loss, and EvoError where the buffers would not fit into memory.
        """
        _check_loss(loss)
        needed = 2 * self._end * np.dtype(self.dtype).itemsize  # values, and their gradients
        check_bytes("backprop through this network", needed, "take smaller minibatches, shorter windows or segments")
        values = np.zeros(self._end, self.dtype)
        for start, stop, value in self._constants:
            values[start:stop] = value
        seed = -1 if self._seed is None else self._seed.at
        return Program(np.array(self._rows, np.int64), values, np.zeros_like(values), loss.at, self.size, seed)

    def _place(self, rows: int, columns: int, needs_gradient: bool) -> Node:
        at = self._end
        self._end += -(-rows * columns // _ALIGNMENT) * _ALIGNMENT
        if needs_gradient:
            self._graded.append((at, self._end))
        return Node(self, at, rows, columns, needs_gradient)


def _check_loss(loss: Node) -> None:
    if loss.shape != (1, 1) or not loss.needs_gradient:
        raise ValueError(f"a loss is one number that depends on parameters; this is {loss.shape}")


@functools.cache
def _compiled(operation: Operation, dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """Return the forward and backward kernels of an operation."""
    backward = backward_of(operation)
    buffer = types.Array(from_dtype(dtype), 1, "C")
    kernels = [compile_kernel(one, (_ROW, buffer, buffer), "row, values, gradients") for one in (operation, backward)]
    return kernels[0], kernels[1]


class Program(NamedTuple):
    """A recorded tape with its buffers; compiled code takes it directly.

    table: int64 (operations, ROW_SIZE). values, gradients: of every node; the parameters come first. loss: the loss's
    offset. size: number of parameters. seed: offset of the random seed, -1 without random operations.
    """

    table: np.ndarray
    values: np.ndarray
    gradients: np.ndarray
    loss: int
    size: int
    seed: int

    @property
    def parameters(self) -> np.ndarray:
        """Return the parameters, (size,), a view."""
        return self.values[: self.size]

    @property
    def gradient(self) -> np.ndarray:
        """Return d loss / d parameters after `backward`, (size,), a view."""
        return self.gradients[: self.size]

    def replica(self) -> "Program":
        """Return the same operations on buffers of its own."""
        return self._replace(values=self.values.copy(), gradients=self.gradients.copy())

    def value(self, node: Node) -> np.ndarray:
        """Return a node's value, (rows, columns), a view; assign to an input's to set it."""
        return self.values[node.at : node.at + node.rows * node.columns].reshape(node.shape)

    def forward(self) -> float:
        """Run every operation in order; return the loss."""
        forward(self.table, self.values, self.gradients)
        return float(self.values[self.loss])

    def backward(self) -> None:
        """Run every operation backwards, after `forward`."""
        backward(self.table, self.values, self.gradients, self.loss)
