"""`evo list`: what there is."""

from rich.markup import escape

from evo.runs.terminal import Output


def list_() -> None:
    """List tasks, methods, networks, and the runs below runs/."""
    from evo.runs.catalogue import catalogue

    console = Output()
    for title, rows in catalogue().items():
        console.print(f"[bold]{title}[/]")
        wide = max((len(name) for name, _ in rows), default=0)
        for name, about in rows:
            console.print(f"  {escape(name.ljust(wide))}  [dim]{escape(about)}[/]", highlight=False, soft_wrap=True)
