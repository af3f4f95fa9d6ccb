"""Workers of one's own: populations are evaluated in two other processes, with the bits of threads in this one.

Slices are bytes, and so are their answers: instead of down a pipe they may travel to other machines, come back in any
order, and twice. Each worker runs this file too.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

import evo


def send(stream: IO[bytes], data: bytes) -> None:
    stream.write(len(data).to_bytes(8, "big") + data)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes:
    """Return what was sent; nothing where the other end is closed."""
    return stream.read(int.from_bytes(stream.read(8), "big"))


class Processes:
    """So many processes, each with one slice at a time."""

    threads = 1  # of this process, for what is not evaluated in slices: gradients, pictures

    def __init__(self, count: int) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "start_new_session": True}  # spared a Ctrl-C
        self.processes = [subprocess.Popen([sys.executable, __file__, "work"], **pipes) for _ in range(count)]
        self.waiting = ThreadPoolExecutor(count)  # each of its threads waits for one process
        self.idle: SimpleQueue[subprocess.Popen[bytes]] = SimpleQueue()
        for process in self.processes:
            self.idle.put(process)

    def evaluate(self, work: Any) -> Any:
        return work.merge(self.answers(work))

    def answers(self, work: Any) -> Iterator[bytes]:
        asked = [self.waiting.submit(self.ask, [data, *work.shared()]) for data in work.slices()]
        try:
            for answer in as_completed(asked):
                yield answer.result()
        finally:  # also after a Ctrl-C, or where a worker ended
            for one in asked:
                one.cancel()

    def ask(self, messages: list[bytes]) -> bytes:
        process = self.idle.get()
        try:
            process.stdin.write(len(messages).to_bytes(1, "big"))
            for data in messages:  # over a network, what is shared would be sent to each process once
                send(process.stdin, data)
            if answer := receive(process.stdout):
                return answer
            raise EOFError("a worker ended")  # evo says so in one line, and the run can be resumed
        finally:
            self.idle.put(process)


if sys.argv[1:] == ["work"]:
    while count := sys.stdin.buffer.read(1):
        data, *shared = [receive(sys.stdin.buffer) for _ in range(count[0])]
        send(sys.stdout.buffer, evo.evaluate_slice(data, shared))
elif __name__ == "__main__":
    own, evolved = Processes(2), {}
    with tempfile.TemporaryDirectory() as folder:
        for name, where in {"threads": {"threads": 2}, "processes": {"workers": own}}.items():
            out = Path(folder) / name
            run = evo.run("cartpole", method="openai-es", generations=3, seed=1, out=out, video=False, **where)
            evolved[name] = run.champion.params.tobytes(), run.champion.report_returns.tobytes()
            print(f"{name}: {run.champion.reported_fitness}")
    for process in own.processes:
        process.communicate()  # closes its pipe, by which it ends
    assert evolved["threads"] == evolved["processes"], "other bits"
    print("the same bits")
