"""Registration of every task as a Gymnasium environment: `import evo.envs; gymnasium.make("evo/Quadruped-v0")`."""

from collections.abc import Iterable

import gymnasium


def register(names: Iterable[str]) -> None:
    """Register tasks under `evo/…`; they are built, and Numba and MuJoCo imported, when one is made."""
    for name in names:
        gymnasium.register(
            id=name if name.startswith("evo/") else f"evo/{name}",
            entry_point="evo.envs.gymnasium_bridge.task_env:make_env",
            kwargs={"task": name},
            # the environment truncates its episodes itself: their length is an option of some tasks
            max_episode_steps=None,
        )
