"""The style sheet of every plot: fonts, colours of lines and of text, grids; text is never read as mathematics."""

from typing import Any

from cycler import cycler
from matplotlib import rc_context
from matplotlib.colors import LinearSegmentedColormap

from evo.visualize.colours import INK, MUTED, ORANGE, PALETTE, PAPER, TEAL

STYLE: Any = {
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "figure.titlesize": 11,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.edgecolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=PALETTE),
    "grid.color": "#e6e9ed",
    "grid.linewidth": 0.8,
    "lines.linewidth": 1.5,
    "figure.facecolor": PAPER,
    "figure.constrained_layout.wspace": 0.05,  # the last tick label of a panel must not touch the first of the next
    "text.parse_math": False,  # a $ in a name is a $
}
styled = rc_context(STYLE)  # of a function that draws
SIGNS = LinearSegmentedColormap.from_list("signs", [TEAL, PAPER, ORANGE])  # as of links in pictures of networks
