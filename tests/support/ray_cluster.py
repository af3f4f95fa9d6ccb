"""A Ray cluster on this machine, for tests and by hand: `python -m tests.support.ray_cluster 3`.

It prints its address, then does what it reads, a line each: `add`, `remove` (the newest node, as by a power cut),
`end`. It ends with its standard input too.
"""

import sys
from typing import Any

from ray.cluster_utils import Cluster

_NODE: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 100_000_000, "include_dashboard": False}


def main() -> None:
    cluster = Cluster(initialize_head=True, head_node_args=_NODE)
    nodes = [cluster.add_node(**_NODE) for _ in range(int(sys.argv[1]) - 1)]
    print(cluster.address, flush=True)
    for line in sys.stdin:
        if line == "add\n":
            nodes.append(cluster.add_node(**_NODE))
        elif line == "remove\n":
            cluster.remove_node(nodes.pop(), allow_graceful=False)
        else:
            break
        print("done", flush=True)
    cluster.shutdown()


if __name__ == "__main__":
    main()
