"""Where the repository, the fixtures and the reference runs are."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
REFERENCE = ROOT / "runs" / "reference"
