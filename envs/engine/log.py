"""Silences MuJoCo's log before any model loads: no MUJOCO_LOG.TXT, nothing on the terminal."""

import mujoco

_log = mujoco.MjLogConfig.get()
_log.logto_file = _log.logto_console = False
mujoco.MjLogConfig.set(_log)
