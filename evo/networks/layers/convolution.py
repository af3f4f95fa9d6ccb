"""Convolutional layer: the same filters on every window of a picture.

LeCun et al. 1989, "Backpropagation applied to handwritten zip code recognition". Outputs = activation(window W + b),
for every window, with W (kernel × kernel × channels, filters) row by row, then b (filters,). Pictures have their
channels last: (height, width, channels).

The step lays the picture out in planes, one for each channel, with the padding around it, so that a weight multiplies a
run of neighbouring places: the loop over places is vectorised. With a stride s a plane splits into s × s planes of
every s-th row and column. Every output sums its terms in the order of W, bias first, so the result does not depend on
the vectorisation.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from evo.envs.engine.compile import njit
from evo.grammar import Call
from evo.networks.arguments import Arguments, Choice, one_of
from evo.networks.initialisation import INITIALISATIONS, check_initialisation, initialisation
from evo.networks.layer import Blocks, Layer, Shape, shape_text
from evo.networks.layers.picture import is_row, like, picture, window
from evo.numerics.activations import ACTIVATIONS, activate, check_activation

if TYPE_CHECKING:  # acting does not need scipy, which brings BLAS
    from evo.autodiff import Node, Tape

PADDINGS = ("valid", "same")
LANES = 16  # places at a time: enough to keep the vector units busy, and runs are padded to a multiple
STARTS = 13  # the first of a convolution's numbers that say where in the planes each term of W begins


@njit
def _lay(numbers: Any, inputs: Any, planes: Any) -> None:
    """Copy a picture into its planes; the padding is the memory's zeros."""
    height, width, channels, stride, top, left = numbers[0], numbers[1], numbers[2], numbers[5], numbers[6], numbers[7]
    across, plane = numbers[10], numbers[11]
    for row in range(height):
        y = top + row
        for column in range(min(stride, width)):
            x = left + column
            first = (y % stride * stride + x % stride) * channels * plane + y // stride * across + x // stride
            for channel in range(channels):
                seen, laid = inputs[(row * width + column) * channels + channel :], planes[first + channel * plane :]
                for place in range((width - 1 - column) // stride + 1):
                    laid[place] = seen[place * stride * channels]


@njit
def _run(numbers: Any, planes: Any, term: int, length: int) -> Any:
    """Return the run of inputs that a term's weight multiplies, place by place, in rows as long as a plane's."""
    begin = numbers[STARTS + term]
    return planes[begin : begin + length]


def _step(numbers: Any, params: Any, memory: Any, inputs: Any, outputs: Any) -> None:
    height, width, terms = numbers[8], numbers[9], numbers[2] * numbers[3] * numbers[4]
    filters, across, plane = outputs.size // (height * width), numbers[10], numbers[11]
    length, whole = -(-((height - 1) * across + width) // LANES) * LANES, terms - terms % 4
    padded = plane + LANES
    first, second, planes = memory[:length], memory[padded : padded + length], memory[2 * padded :]
    _lay(numbers, inputs, planes)
    for unit in range(0, filters, 2):  # two filters and four terms at a time save most loads and stores
        other = min(unit + 1, filters - 1)
        first[:], second[:] = params[terms * filters + unit], params[terms * filters + other]
        for term in range(0, whole, 4):
            run0, run1 = _run(numbers, planes, term, length), _run(numbers, planes, term + 1, length)
            run2, run3 = _run(numbers, planes, term + 2, length), _run(numbers, planes, term + 3, length)
            weights, others = params[term * filters + unit :], params[term * filters + other :]
            one0, one1, one2, one3 = weights[0], weights[filters], weights[2 * filters], weights[3 * filters]
            two0, two1, two2, two3 = others[0], others[filters], others[2 * filters], others[3 * filters]
            for block in range(0, length, LANES):
                for place in range(block, block + LANES):
                    seen0, seen1, seen2, seen3 = run0[place], run1[place], run2[place], run3[place]
                    first[place] = (((first[place] + one0 * seen0) + one1 * seen1) + one2 * seen2) + one3 * seen3
                    second[place] = (((second[place] + two0 * seen0) + two1 * seen1) + two2 * seen2) + two3 * seen3
        for term in range(whole, terms):
            one, two, run = (
                params[term * filters + unit],
                params[term * filters + other],
                _run(numbers, planes, term, length),
            )
            for place in range(length):
                first[place] += one * run[place]
                second[place] += two * run[place]
        for row in range(height):
            for column in range(width):
                at, place = (row * width + column) * filters, row * across + column
                outputs[at + unit], outputs[at + other] = first[place], second[place]
    activate(outputs, numbers[12])


@dataclass(frozen=True)
class Conv(Layer):
    """A convolution of `filters` filters over windows of a picture, a sequence or a row of features.

    Windows are `kernel` × `kernel` places of a picture (height, width, channels), or `kernel` places of a sequence
    (length, channels) or a row of features, `stride` places apart. activation: one of ACTIVATIONS. padding: "valid",
    windows within the picture, or "same", zeros around it so that the outputs have its height and width, as in torch.
    initial_weights: one of INITIALISATIONS; "" suits the activation. Biases begin at zero. Raises ValueError for other
    values.
    """

    word = "conv"
    summary = (
        "conv:8x3,16x3 or conv:8x3:tanh:stride2: convolutions of 8 filters of 3 × 3, then 16; relu unless another "
        "activation is named."
    )

    filters: int
    kernel: int = 3
    activation: str = "relu"
    stride: int = 1
    padding: str = "valid"
    initial_weights: str = ""

    def __post_init__(self) -> None:
        for what in ("filters", "kernel", "stride"):
            if getattr(self, what) < 1:
                raise ValueError(f"a convolution's {what} must be at least 1, got {getattr(self, what)}")
        check_activation(self.activation)
        check_initialisation(self.initial_weights)
        if self.padding not in PADDINGS:
            raise ValueError(f"unknown padding {self.padding!r}; one of {', '.join(PADDINGS)}")
        if self.padding == "same" and self.stride > 1:
            raise ValueError(f"padding 'same' needs a stride of 1, got {self.stride}; 'valid' takes any")

    @classmethod
    def from_call(cls, call: Call) -> list[Layer]:
        given = Arguments(call)
        kernel = given.named("kernel").get("kernel", "")
        parts = [part if "x" in part else f"{part}x{kernel or 3}" for part in given.numbers.split(",")]
        sizes = [re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", part) for part in parts]
        if not all(sizes) or not (kernel or given.numbers == ",".join(parts)):
            raise given.needs("its filters and their size", ",".join(parts) if all(sizes) else "8x3,16x3")
        strides = {word: int(word[6:]) for word in given.words if re.fullmatch(r"stride[1-9]\d*", word)}
        options = given.options(
            activation=one_of("an activation", ACTIVATIONS),
            initial_weights=one_of("an initialisation", INITIALISATIONS),
            padding=one_of("a padding", PADDINGS),
            stride=Choice("a stride", strides or {"stride2": 2}),
        )
        return [cls(int(size[1]), int(size[2]), **options) for size in sizes if size]

    @property
    def text(self) -> str:
        words = [
            "" if self.activation == "relu" else self.activation,
            "" if self.padding == "valid" else self.padding,
            "" if self.stride == 1 else f"stride{self.stride}",
            self.initial_weights,
        ]
        return ":".join([self.word, f"{self.filters}x{self.kernel}", *filter(None, words)])

    @property
    def step(self) -> Any:
        return _step

    def _geometry(self, inputs: Shape) -> tuple[int, ...]:
        """Return the sizes of picture and windows. Raises ValueError for a kernel that does not fit.

        Height, width, channels; rows and columns of a window; stride; padding above and on the left; rows and columns
        of windows.
        """
        (height, width, channels), (rows, columns) = picture(self, inputs), window(inputs, self.kernel)
        if self.padding == "same":
            return height, width, channels, rows, columns, 1, (rows - 1) // 2, (columns - 1) // 2, height, width
        down, across = (height - rows) // self.stride + 1, (width - columns) // self.stride + 1
        if min(down, across) < 1:
            most = width if is_row(inputs) else min(height, width)
            raise ValueError(
                f"a kernel of {self.kernel} does not fit into {shape_text(inputs)}: {most} at most, or 'same'"
            )
        return height, width, channels, rows, columns, self.stride, 0, 0, down, across

    def numbers(self, inputs: Shape) -> tuple[int, ...]:
        """Return the integer arguments of the step.

        They are those of _geometry, the columns and size of a plane, the activation, and where in the planes each
        term's run begins, as computing that takes too many divisions for the step.
        """
        geometry, (across, plane) = self._geometry(inputs), self._planes(inputs)
        channels, rows, columns, stride = geometry[2:6]
        starts = (
            ((y % stride * stride + x % stride) * channels + channel) * plane + y // stride * across + x // stride
            for y in range(rows)
            for x in range(columns)
            for channel in range(channels)
        )
        return (*geometry, across, plane, ACTIVATIONS.index(self.activation), *starts)

    def _planes(self, inputs: Shape) -> tuple[int, int]:
        """Return the columns of a plane, and its size."""
        height, width, _, rows, columns, stride, *_ = self._geometry(inputs)
        padded = (rows - 1, columns - 1) if self.padding == "same" else (0, 0)
        down, across = -(-(height + padded[0]) // stride), -(-(width + padded[1]) // stride)
        return across, down * across

    def memory_size(self, inputs: Shape) -> int:
        """Return room for the sums of two filters and the planes, each followed by room for runs padded to LANES."""
        _, plane = self._planes(inputs)
        return (2 + self.stride**2 * picture(self, inputs)[2]) * plane + 3 * LANES

    def remembers(self, inputs: Shape) -> bool:
        return False

    def shape(self, inputs: Shape) -> Shape:
        *_, height, width = self._geometry(inputs)
        return like(inputs, height, width, self.filters)

    def _terms(self, inputs: Shape) -> int:
        """Return the numbers in a window."""
        _, _, channels, rows, columns, *_ = self._geometry(inputs)
        return channels * rows * columns

    def size(self, inputs: Shape) -> int:
        return (self._terms(inputs) + 1) * self.filters

    def blocks(self, inputs: Shape) -> Blocks:
        return [("W", (self.kernel, self.kernel, inputs[2], self.filters)), ("b", (self.filters,))]

    def products(self, inputs: Shape) -> int:
        """Return the multiplications of a step: every weight in every window."""
        *_, height, width = self._geometry(inputs)
        return height * width * self._terms(inputs) * self.filters

    def neurons(self, inputs: Shape) -> np.ndarray:
        """Return the filter that each weight and bias belongs to."""
        return np.tile(np.arange(self.filters), self._terms(inputs) + 1)

    def initial(self, inputs: Shape, rng: np.random.Generator) -> np.ndarray:
        weights = initialisation(self.initial_weights, self.activation)(self._terms(inputs), self.filters, rng)
        return np.concatenate([weights.ravel(), np.zeros(self.filters)])

    def apply(self, tape: "Tape", inputs: "Node", at: int, shape: Shape, steps: int) -> "Node":
        from evo.autodiff.convolution import convolution

        geometry, terms = self._geometry(shape), self._terms(shape)
        *_, height, width = geometry
        places = height * width
        windows, planes = tape.empty(terms + 1, places), tape.empty(1, inputs.columns)
        parameters = tape.parameters(at, terms + 1, self.filters)
        numbers, columns = (*geometry, windows.at, planes.at), places * self.filters
        sums = tape.record(convolution, inputs.rows, columns, inputs, parameters, numbers=numbers)
        return sums.activate(self.activation)
