"""The `evo` command, and `python -m evo`."""

from evo.runs.signals import Stopped, guard_command


def main() -> None:
    """Guarded before anything else is imported, so that Ctrl-C is one line from the start."""
    guard_command()
    from evo.cli import main as command_line

    try:
        command_line()
    except Stopped as stopped:
        stopped.leave()


if __name__ == "__main__":
    main()
