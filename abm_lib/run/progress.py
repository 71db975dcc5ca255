"""How a run talks while it works: a line for each thing done; on a terminal also one that moves, with what it is at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..errors import printable
from .log import Say


@contextmanager
def moving(said: Say, plain: bool) -> Iterator[tuple[Say, Say]]:
    """What says a thing done, and what says a thing begun. Plain, or where stderr is no terminal, the second is not heard."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if plain or not console.is_terminal:
        yield said, lambda _: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        line = progress.add_task("inputs", total=None)
        yield (
            lambda text: progress.console.print(printable(text), markup=False),
            lambda text: progress.update(line, description=printable(text)),
        )
