"""Image shapes: (height, width, channels).

A sequence (length, channels) is an image one row high, a vector (length,) one with one channel.
"""

from evo.networks.layer import Layer, Shape, shape_text

Picture = tuple[int, int, int]  # height, width, channels


def picture(layer: Layer, inputs: Shape) -> Picture:
    """Return height, width and channels. Raises ValueError for other shapes."""
    if len(inputs) == 1:
        return 1, inputs[0], 1
    if len(inputs) == 2:
        return (1, *inputs)
    if len(inputs) != 3:
        raise ValueError(
            f"{type(layer).__name__} takes a picture (height × width × channels), a sequence (length × channels) or a "
            f"row of features, not {shape_text(inputs)}"
        )
    return inputs[0], inputs[1], inputs[2]


def is_row(inputs: Shape) -> bool:
    """Return whether inputs are one row high, as sequences and features are."""
    return len(inputs) < 3


def window(inputs: Shape, size: int) -> tuple[int, int]:
    """Return rows and columns of a window of this size: a sequence's is one row high."""
    return (1 if is_row(inputs) else size), size


def like(inputs: Shape, height: int, width: int, channels: int) -> Shape:
    """Return the shape of an output picture, of the same kind as the inputs."""
    return (width, channels) if is_row(inputs) else (height, width, channels)
