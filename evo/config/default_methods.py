"""Methods by default; the command line reads them at its start, so this file imports nothing."""

DEFAULT_METHOD, DEFAULT_TRAINING = "ars", "adam"  # for worlds and functions, and for data sets
# Of tasks that another method by its preset learns better.
METHOD_OF: dict[str, str] = {"Reacher-v5": "sep-cma-es", "evo/DoublePole-v0": "cma-es"}
# What a comparison compares by default.
COMPARED_METHODS, COMPARED_TRAINING = ("ars", "openai-es", "ga", "ppo"), ("adam", "openai-es", "ga")
