"""The report: one line per operation and size, printed as soon as it is measured."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median

from tests.bench.timing import Limit, Timed, p95

_WIDTHS = [10, 29, 10, 9, 9, 9, 9, 7, 9, 7, 7, 32, 4]
_HEADINGS = [
    "database", "operation", "clients", "ours", "p95", "bare", "p95", "ratio", "before", "times", "growth", "limit", "",
]  # fmt: skip
_LEFT = (0, 1, 11, 12)


@dataclass(frozen=True, slots=True)
class Line:
    """An operation at one size: milliseconds (of memory: MB), and how many times the bare driver's and the smallest
    size's it is; the bare driver's where the clients are kept as before changes could wait."""

    database: str
    operation: str
    clients: int
    limit: Limit
    ours: float
    ours_p95: float | None = None
    bare: float | None = None
    bare_p95: float | None = None
    growth: float | None = None
    before: float | None = None

    @property
    def times(self) -> float | None:
        """How many times what it took before the bare driver takes."""
        return self.bare / self.before if self.bare and self.before else None

    @property
    def ratio(self) -> float | None:
        """How many times the bare driver's."""
        return self.ours / self.bare if self.bare else None

    @property
    def verdict(self) -> str:
        """ok or OVER; nothing where there is no limit."""
        limit, over = self.limit, []
        if limit.ratio is not None and self.ratio is not None and self.clients >= limit.ratio_from:
            over.append(self.ratio > limit.ratio)
        if limit.times is not None and self.times is not None and self.clients >= limit.ratio_from:
            over.append(self.times > limit.times)
        if limit.growth is not None and self.growth is not None:
            over.append(self.growth > limit.growth)
        if limit.milliseconds is not None:
            over.append(self.ours > limit.milliseconds)
        return "" if not over else "OVER" if any(over) else "ok"


def lines(database: str, operation: str, limit: Limit, timed: Mapping[int, Timed]) -> Iterator[Line]:
    """The lines of one operation, the smallest size first."""
    smallest = None
    for clients, times in sorted(timed.items()):
        ours = median(times.ours)
        growth = None if smallest is None else ours / smallest
        smallest = smallest or ours
        before = median(times.before) if times.before else None
        bare, bare_p95 = median(times.bare), p95(times.bare)
        yield Line(database, operation, clients, limit, ours, p95(times.ours), bare, bare_p95, growth, before)


def memory_lines(
    database: str, limit: Limit, peaks: Mapping[int, float], operation: str = "memory (MB)"
) -> Iterator[Line]:
    """The lines of the memory of a process, in MB."""
    smallest = min(peaks)
    for clients, peak in sorted(peaks.items()):
        growth = None if clients == smallest else peak / peaks[smallest]
        yield Line(database, operation, clients, limit, peak, growth=growth)


def head() -> str:
    """The first line of the table: times are milliseconds, of the product and of the bare driver."""
    return _row(_HEADINGS)


def row(line: Line) -> str:
    """A line as text."""
    of_bare = (line.bare, line.bare_p95, line.ratio, line.before, line.times)
    numbers = [_number(value) for value in (line.ours, line.ours_p95, *of_bare, line.growth)]
    clients = f"{line.clients:,}".replace(",", " ")
    return _row([line.database, line.operation, clients, *numbers, str(line.limit), line.verdict])


def _row(cells: list[str]) -> str:
    aligned = [
        cell.ljust(width) if place in _LEFT else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, _WIDTHS, strict=True))
    ]
    return "  ".join(aligned).rstrip()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}" if value < 1000 else f"{value:.0f}"
