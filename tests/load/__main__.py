"""`python -m tests.load` lets visitors come to the list of clients, each changing a filter every few seconds, and
prints what they waited for, what the server took for it, and what is left of them when they are gone."""

import asyncio
import random
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from websockets.exceptions import WebSocketException

from tests.load import server
from tests.load.server import Server
from tests.load.visitor import Fault, Visitor

FILTERS = ("clients.plan", "clients.billing_period", "clients.payer", "clients.source")
PAUSE = 3.0  # seconds between one visitor's clicks
_QUESTIONS = 10  # of each page that lies open, to measure what one takes
_WARMING, _WARMING_CLICKS = 12, 60  # who come first: what all share is made by then, and no visit is charged for it


@dataclass
class Visits:
    """What happened: the seconds of each arrival and of each click, and what went wrong."""

    arrivals: list[float] = field(default_factory=list)
    clicks: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    messages: int = 0
    bytes: int = 0


@dataclass
class During:
    """What the server took while all were here and clicked (`cpu`: seconds, None where that cannot be known), and what
    it held once they were quiet."""

    seconds: float
    cpu: float | None
    clicks: int
    held: dict[str, int]
    open_cpu: float | None = None  # seconds that an open page takes of the server in a second, while nobody clicks


def main(arguments: list[str] | None = None) -> int:
    """Let them come, and print; the exit status is 1 if anything went wrong for one of them."""
    asked = _asked(arguments)
    with _server(asked) as serving:
        visits = asyncio.run(_measure(serving, asked))
    for error in sorted(set(visits.errors)):
        print(f"  {visits.errors.count(error)} x {error}")
    return 1 if visits.errors else 0


def _asked(arguments: list[str] | None) -> Namespace:
    parser = ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--visitors", type=int, default=120, help="how many come (120)")
    parser.add_argument("--seconds", type=float, default=30, help="how long they click once all are here (30)")
    parser.add_argument("--clicks-each", type=int, metavar="N", help="instead of seconds: each clicks so often")
    parser.add_argument("--pause", type=float, default=PAUSE, help="seconds between a visitor's clicks (3)")
    parser.add_argument("--clients", type=int, default=10_000, help="of the space that is made for it (10000)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="make the space here once and use it again")
    parser.add_argument("--url", help="a server that runs already, in demo mode, instead of one of its own")
    return parser.parse_args(arguments)


@contextmanager
def _server(asked: Namespace) -> Iterator[Server]:
    if asked.url:
        yield server.running(asked.url)
        return
    with TemporaryDirectory(prefix="load") as passing, server.own(asked.keep or Path(passing), asked.clients) as own:
        yield own


async def _measure(serving: Server, asked: Namespace) -> Visits:
    await _come(serving, Visits(), visitors=_WARMING, seconds=0, pause=0, clicks=_WARMING_CLICKS)
    await _forget(serving)
    before, visits = serving.held(), Visits()
    during = await _come(
        serving,
        visits,
        visitors=asked.visitors,
        seconds=asked.seconds,
        pause=asked.pause,
        clicks=asked.clicks_each,
    )
    await _forget(serving)
    _print(visits, during, asked)
    _print_held(before, during.held, serving.held(), asked.visitors)
    return visits


async def _forget(serving: Server) -> None:
    """Let the server forget who left. It keeps a visit for those who come back after a broken connection, and looks
    for what it has kept long enough when another visit ends: so one of them is always left."""
    await asyncio.sleep(serving.forgets_after + 0.5)
    await _come(serving, Visits(), visitors=1, seconds=0, pause=0, clicks=0)
    await asyncio.sleep(0.5)


async def _come(
    serving: Server,
    visits: Visits,
    *,
    visitors: int,
    seconds: float,
    pause: float,
    clicks: int | None,
) -> During:
    """The visitors come one after the other within a pause's time, click as often or as long as they should once all
    are here, stay until the server has said what it holds, and go."""
    guests = Guests(visitors)
    begun = [asyncio.create_task(_visit(serving.url, each, visits, guests, pause, clicks)) for each in range(visitors)]
    await guests.all_are_here.wait()
    began, cpu, clicked = monotonic(), serving.cpu_seconds(), len(visits.clicks)
    if clicks is None:
        await asyncio.sleep(seconds)
        guests.enough.set()
    await guests.all_are_quiet.wait()
    now = serving.cpu_seconds()
    during = During(
        seconds=monotonic() - began,
        cpu=None if cpu is None or now is None else now - cpu,
        clicks=len(visits.clicks) - clicked,
        held=serving.held(),
    )
    cpu = serving.cpu_seconds()
    guests.lie_open.set()
    await guests.all_lay_open.wait()
    now = serving.cpu_seconds()
    if cpu is not None and now is not None and guests.questions:
        during.open_cpu = (now - cpu) / guests.questions * guests.questions_a_second / visitors
    guests.go.set()
    await asyncio.gather(*begun)
    return during


class Guests:
    """What the visitors tell each other: that all are here, that it is enough, that all are quiet, to let their pages
    lie open, how often these asked by themselves and how often they all do so in a second, and to go."""

    def __init__(self, expected: int) -> None:
        self.missing = self.busy = self.open = expected
        self.all_are_here, self.enough, self.all_are_quiet = (asyncio.Event() for _ in range(3))
        self.lie_open, self.all_lay_open, self.go = (asyncio.Event() for _ in range(3))
        self.questions, self.questions_a_second = 0, 0.0

    def is_here(self) -> None:
        self.missing -= 1
        if not self.missing:
            self.all_are_here.set()

    def is_quiet(self) -> None:
        self.busy -= 1
        if not self.busy:
            self.all_are_quiet.set()

    def lay_open(self) -> None:
        self.open -= 1
        if not self.open:
            self.all_lay_open.set()


async def _visit(url: str, number: int, visits: Visits, guests: Guests, pause: float, clicks: int | None) -> None:
    """One visitor, from the first page to the last click. What goes wrong is noted, and ends the visit."""
    await asyncio.sleep(pause * number / guests.missing)
    steps = iter((guests.is_here, guests.is_quiet, guests.lay_open))
    try:
        async with Visitor(url) as visitor:
            try:
                visits.arrivals.append(await visitor.arrive())
                next(steps)()
                await _click(visitor, random.Random(number), visits, guests, pause, clicks)
                next(steps)()
                await guests.lie_open.wait()
                await _let_lie(visitor, guests)
                next(steps)()
                await guests.go.wait()
            finally:
                visits.messages += visitor.messages
                visits.bytes += visitor.bytes
    except (Fault, WebSocketException, OSError) as fault:
        visits.errors.append(f"{type(fault).__name__}: {fault}")
    finally:
        for step in steps:
            step()


async def _click(
    visitor: Visitor, chance: random.Random, visits: Visits, guests: Guests, pause: float, clicks: int | None
) -> None:
    """Change a filter, `clicks` times, or until it is enough."""
    done = 0
    while clicks is None or done < clicks:
        with suppress(TimeoutError):
            wait = pause * chance.uniform(0.5, 1.5)
            await asyncio.wait_for(guests.enough.wait(), wait)
            return
        filtered = chance.choice(FILTERS)
        visits.clicks.append(await visitor.choose(filtered, chance.choice(visitor.choices(filtered))))
        done += 1


async def _let_lie(visitor: Visitor, guests: Guests) -> None:
    """Nobody clicks: the page asks for what it asks by itself, without the pauses between its questions."""
    for _ in range(_QUESTIONS):
        a_second = await visitor.lie_open()
    guests.questions += _QUESTIONS
    guests.questions_a_second += a_second


def _print(visits: Visits, during: During, asked: Namespace) -> None:
    runs = max(1, len(visits.arrivals) + len(visits.clicks))
    said: dict[str, object] = {
        "visitors": f"{asked.visitors}, each a click every {asked.pause:g} s",
        "clicks": len(visits.clicks),
        "errors": len(visits.errors),
        "page opened": _times(visits.arrivals),
        "click to finished": _times(visits.clicks),
        "a run sends": f"{visits.messages / runs:.0f} messages, {visits.bytes / runs / 1024:.1f} KiB",
        "clicks a second": f"{during.clicks / max(during.seconds, 0.001):.1f}",
    }
    if during.cpu is not None and during.clicks:
        said["CPU of a click"] = f"{during.cpu / during.clicks * 1000:.1f} ms"
        said["clicks a second and core"] = f"{during.clicks / max(during.cpu, 0.001):.1f}"
    if during.open_cpu is not None:
        said["CPU of an open page"] = f"{during.open_cpu * 1000:.2f} ms a second"
    for what, value in said.items():
        print(f"{what:26} {value}")


def _print_held(before: dict[str, int], here: dict[str, int], gone: dict[str, int], visitors: int) -> None:
    if not before:
        print("The server cannot be looked at from here: what it takes is not known.")
        return
    print(f"{'memory of a visit':26} {(here['memory'] - before['memory']) / visitors / 1024:.0f} KiB")
    print(f"{'held':26} {'before':>10} {'all here':>10} {'all gone':>10}")
    for name in before:
        held = (before[name], here[name], gone[name])
        if name == "memory":
            print(f"{'memory (MiB)':26} " + " ".join(f"{value / 1024 / 1024:10.1f}" for value in held))
        else:
            print(f"{name:26} " + " ".join(f"{value:10}" for value in held))


def _times(seconds: list[float]) -> str:
    if not seconds:
        return "-"
    ordered = sorted(seconds)
    middle, most = ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return f"p50 {middle * 1000:.0f} ms, p95 {most * 1000:.0f} ms"


if __name__ == "__main__":
    sys.exit(main())
