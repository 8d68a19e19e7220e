"""Two ways to the same result, timed in turns so that whatever else the machine does hits both."""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import Any

clock = perf_counter


def count_processor_time() -> None:
    """From now on a time is that of the processor in this process: for a machine that others use too."""
    global clock
    clock = process_time


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `ratio` times the bare driver, from `ratio_from` clients on; the bare driver at most `times` as long as
    before changes could wait; at most `growth` times the smallest size; at most so many milliseconds."""

    ratio: float | None = None
    times: float | None = None
    growth: float | None = None
    ratio_from: int = 0
    milliseconds: float | None = None

    def __str__(self) -> str:
        ratio = "" if self.ratio is None else f"ratio {self.ratio:g}"
        times = "" if self.times is None else f"times {self.times:g}"
        growth = "" if self.growth is None else f"growth {self.growth:g}"
        most = "" if self.milliseconds is None else f"{self.milliseconds:g} ms"
        return ", ".join(filter(None, [ratio, times, growth, most])) or "none"


@dataclass(frozen=True, slots=True)
class Case:
    """An operation on one partner space, through the product and through the bare driver; `same` asserts that the two
    results are equal. `before`: the bare driver where the same clients are kept as they were before changes could wait
    (None: there was no such thing). It can be done `most` times."""

    ours: Callable[[], Any]
    bare: Callable[[], Any]
    same: Callable[[Any, Any], None]
    before: Callable[[], Any] | None = None
    most: int = 1_000_000


Operation = tuple[str, Limit, Callable[[Any], Case | None]]  # its name; the case on a partner space it is possible on


@dataclass(frozen=True, slots=True)
class Timed:
    """Milliseconds, one for each time."""

    ours: list[float]
    bare: list[float]
    before: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to time one operation at one size, and the least and most times it is done."""

    seconds: float
    least: int
    most: int

    def times(self, seconds_each: float) -> int:
        return max(self.least, min(self.most, int(self.seconds / seconds_each)))


def compare(cases: Mapping[int, Case], patience: Patience) -> dict[int, Timed]:
    """The cases by size, timed in rounds: in each round every size, ours and the bare driver's in turns."""
    times = {}
    for size, case in cases.items():
        case.same(case.ours(), case.bare())
        each = milliseconds(case.ours) + milliseconds(case.bare)
        each += 0 if case.before is None else milliseconds(case.before)
        times[size] = min(patience.times(each / 1000), case.most - 2)
    timed = {size: Timed([], []) for size in cases}
    with no_collections():
        for done in range(max(times.values(), default=0)):
            for size, case in cases.items():
                if done < times[size]:
                    _one_round(case, timed[size], ours_first=done % 2 == 0)
    return timed


@contextmanager
def no_collections() -> Iterator[None]:
    """No garbage is collected in this block, so that none falls into a time."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _one_round(case: Case, timed: Timed, *, ours_first: bool) -> None:
    ways = [(case.ours, timed.ours), (case.bare, timed.bare), (case.before, timed.before)]
    for action, into in ways if ours_first else reversed(ways):
        if action is not None:
            into.append(milliseconds(action))


def milliseconds(action: Callable[[], Any]) -> float:
    """How long this takes once."""
    began = clock()
    action()
    return (clock() - began) * 1000


def p95(times: list[float]) -> float:
    """The time that one in twenty exceeds."""
    return sorted(times)[min(len(times) - 1, len(times) * 95 // 100)]
