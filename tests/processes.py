"""Running a piece of code in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def python(code: str, **environment: str) -> str:
    """What the code prints; `environment` is added to this process's."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code],  # -P: no folder but those named is searched
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
