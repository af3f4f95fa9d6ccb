"""A learning rate that falls over the generations."""

from evo.numerics.validation import whole_number
from evo.optimizers.schedules import schedule_from_text


class Annealing:
    """The factor of a learning rate in each generation.

    schedule: as in `linear`, `cosine` or `step(0.5, 0.3, 0.6)`. generations: over which it runs, 0 for a factor of 1
    throughout; then the schedule must be `linear`, which is the default. Raises ValueError.
    """

    def __init__(self, schedule: str, generations: int) -> None:
        self.schedule = schedule_from_text(schedule)
        self.generations = whole_number("anneal_generations", generations, 0)
        if schedule != "linear" and not self.generations:
            raise ValueError(f"schedule={schedule!r}: give anneal_generations, the generations that it stretches over")

    def factor(self, generation: int) -> float:
        """Return the factor in a generation, from 0; the last value of the schedule after its end."""
        return self.schedule(generation / self.generations) if self.generations else 1.0

    def finished(self, generation: int) -> str | None:
        """Return why a search ends before a generation, as its learning rate is zero; None where it goes on."""
        if self.generations and generation >= self.generations and self.schedule(1.0) == 0.0:
            fell = f"the learning rate fell to zero in {self.generations:,} generations"
            return f"{fell}; a new run may go on --from this one"
        return None
