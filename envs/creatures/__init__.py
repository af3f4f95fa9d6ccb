"""Our own bodies, one file each, built with `mujoco.MjSpec`."""
