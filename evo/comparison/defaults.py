"""What a study is made of where nobody says otherwise; read by the command line, so this file imports nothing."""

DEFAULT_METHODS = ("ars", "openai-es", "ga", "ppo")
DEFAULT_TRAINERS = ("adam", "openai-es", "ga")  # on a data set
DEFAULT_SEEDS = 5  # the fewest that can tell four methods apart (`findings.py`)
FIRST_SEED = 100  # seeds 0-9 are what presets are tuned on
DEFAULT_STEPS = 1_000_000
DEFAULT_NETWORK, PRESET_NETWORK = "mlp:64,64", "preset"
