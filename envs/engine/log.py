"""MuJoCo's log, silenced before any model loads: no MUJOCO_LOG.TXT in the user's folder, nothing on the terminal."""

import mujoco

_log = mujoco.MjLogConfig.get()
_log.logto_file = _log.logto_console = False
mujoco.MjLogConfig.set(_log)
