"""Defaults of a study; the command line reads them, so this file imports nothing heavy."""

from evo.config.default_methods import COMPARED_METHODS

DEFAULT_METHODS = COMPARED_METHODS  # of a world or a function; a kind of problem names its own
DEFAULT_SEEDS = 5  # the fewest with which a test can distinguish four methods (`findings.py`)
FIRST_SEED = 100  # presets are tuned on seeds 0-9
DEFAULT_STEPS = 1_000_000
DEFAULT_NETWORK, PRESET_NETWORK = "mlp:64,64", "preset"
