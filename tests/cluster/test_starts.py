"""The files that start clusters are what they say: each is parsed by what reads it, and the SLURM script runs."""

import importlib
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.pages import blocks_of
from tests.support.places import ROOT

FILES = ROOT / "examples" / "clusters"
PAGE = ROOT / "docs" / "pages" / "clusters.md"
SLURM = FILES / "slurm.sh"
# srun on this machine: one task for each node, signals passed on.
SRUN = """#!/usr/bin/env bash
while [[ $1 == --* ]]; do shift; done
tasks=()
for ((place = 0; place < SLURM_NNODES; place++)); do
  SLURM_PROCID=$place "$@" &
  tasks+=($!)
done
trap 'kill -TERM "${tasks[@]}"' TERM
wait || wait
"""


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions and their words."""
    text = re.sub(r"^\s*#.*\n", "", (FILES / "Dockerfile").read_text(), flags=re.MULTILINE)
    return [tuple(line.split(maxsplit=1)) for line in text.replace("\\\n", " ").splitlines()]  # type: ignore[misc]


def commands() -> list[list[str]]:
    """The words of every `ray start` and `ray symmetric-run` in the files and on their page."""
    text = SLURM.read_text().replace("\\\n", " ")
    found = [line.strip(" &") for line in text.splitlines() if line.strip().startswith("ray ")]
    found += re.findall(r"^  - (?:~/evo/bin/)?(ray .*)$", (FILES / "cluster.yaml").read_text(), re.MULTILINE)
    found += re.findall(r"ray start [^\n`]+", (FILES / "Dockerfile").read_text())
    found += [" ".join(json.loads(words)) for name, words in instructions() if name == "CMD"]
    found += [line for block in blocks_of(PAGE) for line in block.text.splitlines() if line.startswith("ray ")]
    return [shlex.split(line.replace("=BYTES", "=100000000"), comments=True) for line in found]


def test_the_page_shows_the_files() -> None:
    shown = set(re.findall(r"^<!-- file: (\S+) -->$", PAGE.read_text(), re.MULTILINE))
    assert shown == {str(path.relative_to(ROOT)) for path in FILES.iterdir()}


def test_the_slurm_script_is_bash_and_its_options_are_first() -> None:
    subprocess.run(["bash", "-n", SLURM], check=True)
    lines = SLURM.read_text().splitlines()
    options = [place for place, line in enumerate(lines) if line.startswith("#SBATCH ")]
    assert len(options) > 4
    # SLURM reads no option after the first command
    assert all(not line or line.startswith("#") for line in lines[: options[-1] + 1])


def test_what_the_image_copies_is_all_that_evo_needs(tmp_path: Path) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    names = [name for name, _ in instructions()]
    assert names[0] == "FROM" and names[-1] == "CMD" and set(names) <= {
        "FROM", "COPY", "RUN", "USER", "WORKDIR", "ENV", "VOLUME", "CMD"
    }  # fmt: skip
    for name, words in instructions():
        if name == "COPY":
            *sources, target = words.split()
            for source in sources:
                place = tmp_path / target.removeprefix("/opt/evo").strip("/")
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, place, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(ROOT / source, place)
        elif found := re.search(r"'/opt/evo\[(\w+)\]'", words):
            assert found[1] in extras
    project = tomllib.loads((tmp_path / "pyproject.toml").read_text())["project"]
    assert all((tmp_path / name).exists() for name in (project["readme"], *project["license-files"]))
    # -E and -s: nothing of this checkout is found; what is imported is the copy
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import evo; evo.task('cartpole'); print(evo.__file__)"
    ended = subprocess.run(["python", "-E", "-s", "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert ended.stdout.strip() == str(tmp_path / "evo" / "__init__.py"), ended.stderr


if importlib.util.find_spec("ray"):

    @pytest.mark.ray
    @pytest.mark.parametrize("words", commands(), ids=" ".join)
    def test_ray_knows_every_option_shown(words: list[str]) -> None:
        from ray.scripts import scripts

        command = scripts.cli.commands[words[1]]
        if "--" in words:  # of symmetric-run, which hands the rest on to `ray start`
            rest = words[2 : words.index("--")]
            own = {option for parameter in command.params for option in parameter.opts}
            words = ["ray", "start", *(word for word in rest if word.partition("=")[0] not in own)]
            command = scripts.cli.commands["start"]
        given = [re.sub(r"=.*\$.*", "=1", word) for word in words[2:] if word != "${place[@]}"]
        command.make_context(words[1], given)

    @pytest.mark.ray
    def test_ray_up_takes_the_file() -> None:
        from ray.autoscaler._private.util import prepare_config, validate_config

        config = importlib.import_module("yaml").safe_load((FILES / "cluster.yaml").read_text())
        validate_config(prepare_config(dict(config)))
        assert config["max_workers"] == len(config["provider"]["worker_ips"])
        shells = ("setup_commands", "head_start_ray_commands", "worker_start_ray_commands")
        for line in (line for name in shells for line in config[name]):
            subprocess.run(["bash", "-n", "-c", line], check=True)
        with pytest.raises(Exception, match=r"workers_ips|Additional properties"):
            validate_config(prepare_config({**config, "workers_ips": []}))

    @pytest.mark.ray
    def test_the_slurm_script_makes_a_cluster_runs_evo_on_it_and_leaves_nothing(tmp_path: Path) -> None:
        (tmp_path / "srun").write_text(SRUN)
        (tmp_path / "srun").chmod(0o755)
        job = os.getpid()
        variables: dict[str, Any] = {
            "PATH": f"{tmp_path}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "SLURM_JOB_ID": str(job),
            "SLURM_NNODES": "1",
            "SLURM_CPUS_PER_TASK": "1",
        }
        ended = subprocess.run(
            ["bash", SLURM, "doctor"],
            env={**os.environ, **variables},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=500,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert "ok  cluster: Ray" in ended.stdout and "ok  node" in ended.stdout and "the same bits" in ended.stdout
        assert not Path(f"/tmp/ray-{job}").exists()
        port = f"--gcs_server_port={20000 + job % 10000}"
        assert port not in subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
