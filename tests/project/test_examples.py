"""Every example that needs no other package runs as it stands."""

from pathlib import Path

import pytest

from tests.support.forks import module
from tests.support.places import ROOT

# than the project and its test extra
NEED_MORE = {"bbob", "train_with_stable_baselines3"}
# of what takes an hour
CUTS = {
    "universality": ["--only", "tabular", "--share", "0.001"],
    "both_ways": ["--only", "houses", "--share", "0.01"],
}
EXAMPLES = sorted(path.stem for path in (ROOT / "examples").glob("*.py") if path.stem not in NEED_MORE)


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_runs(name: str, tmp_path: Path) -> None:
    ended = module(f"examples.{name}", *CUTS.get(name, []), folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout
