"""Our creatures, one file each, built with `mujoco.MjSpec`; terrains; and creatures read from MJCF and URDF files."""
