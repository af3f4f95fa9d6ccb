"""A Ray cluster on this machine, for tests and by hand: `python -m tests.support.ray_cluster 3`.

It prints its address, then does what it reads, a line each: `add`, `remove` (the newest node, as by a power cut) or
`remove 1` (the node of that place, from 0), `raylets` (their process ids, a node each; of the head first), `end`. It
ends with its standard input too.
"""

import subprocess
import sys
from typing import Any

from tests.support.places import ROOT

_NODE: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 100_000_000, "include_dashboard": False}
_PATIENCE = 60.0  # seconds that a cluster may take to end


class RayCluster:
    """A cluster in another process, of so many nodes. address: HOST:PORT, or "" where Ray could not begin."""

    def __init__(self, nodes: int) -> None:
        command = [sys.executable, "-m", __name__, str(nodes)]
        self.process = subprocess.Popen(
            command,
            text=True,
            cwd=ROOT,
            start_new_session=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()

    def do(self, what: str) -> str:
        """Do a line, and return what it answers."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def end(self) -> None:
        self.process.communicate("end\n", timeout=_PATIENCE)


def begin(nodes: int) -> RayCluster:
    """Return a cluster. On a busy machine a raylet may miss the time that Ray gives it to begin: it may try thrice."""
    made = next((one for one in (RayCluster(nodes) for _ in range(3)) if one.address), None)
    assert made is not None, "Ray could not begin a cluster"
    return made


def main() -> None:
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=_NODE)
    nodes = [cluster.head_node, *(cluster.add_node(**_NODE) for _ in range(int(sys.argv[1]) - 1))]
    print(cluster.address, flush=True)
    for line in sys.stdin:
        word, *places = line.split()
        answer = "done"
        if word == "add":
            try:
                nodes.append(cluster.add_node(**_NODE))
            except Exception as error:  # on a busy machine a raylet may miss the time that it has to begin
                answer = f"failed: {error}".replace("\n", " ")
        elif word == "remove":
            cluster.remove_node(nodes.pop(int(places[0]) if places else -1), allow_graceful=False)
        elif word == "raylets":
            answer = " ".join(str(node.all_processes["raylet"][0].process.pid) for node in nodes)
        else:
            break
        print(answer, flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
