"""Functions of a graph's nodes: activations and aggregations by name; a graph names them by their place here."""

ACTIVATIONS = (
    "linear",
    "sigmoid",
    "steep_sigmoid",
    "tanh",
    "relu",
    "gaussian",
    "sine",
    "cosine",
    "absolute",
    "square",
    "step",
    "clamped",
)
AGGREGATIONS = ("sum", "product", "mean", "maximum", "minimum", "largest")
