"""What a benchmark has found, beside what it is measured against and what it may be."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One row of the results."""

    what: str
    measured: str
    floor: str = ""
    """What it is measured against, in the same run."""
    value: float | None = None
    unit: str = "times"
    limit: float | None = None
    """What `value` may be at most."""

    @property
    def is_met(self) -> bool:
        """Return whether the figure is what it may be."""
        return self.value is None or self.limit is None or self.value <= self.limit

    def cells(self) -> tuple[str, ...]:
        """Return the row as it stands in a table."""
        return (
            self.what,
            self.measured,
            self.floor,
            _amount(self.value, self.unit),
            f"≤ {_amount(self.limit, self.unit)}" if self.limit is not None else "",
            "" if self.limit is None else "yes" if self.is_met else "**no**",
        )


def ratio(what: str, measured: float, floor: float, limit: float | None = None) -> Figure:
    """Return the figure of seconds measured against seconds."""
    return Figure(what, f"{measured:.1f} s", f"{floor:.1f} s", measured / floor, limit=limit)


HEADINGS = ("what", "measured", "floor", "is", "must be", "met")


def markdown(figures: list[Figure]) -> str:
    """Return the figures as a table."""
    rows = [HEADINGS, ("---", "---:", "---:", "---:", "---:", "---"), *(f.cells() for f in figures)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.2f} {unit}"
