"""`python -m tests.bench` prints what each read, write and page takes, and its ratio to the bare driver."""

import logging
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import make_url

from tests.bench import browser, bulk, imports, memory, pages, reads, table, timing, writes
from tests.bench.databases import Bench, embedded_postgresql, on_postgresql, on_sqlite
from tests.bench.table import Line
from tests.bench.timing import Limit, Operation, Patience

SMALL = 1000  # what the pages at the largest size are compared with
MEMORY = Limit(growth=1.1)
_CHANGED_MANY, _CHANGED_FEW = [10_000, 100_000], [100]  # clients of a bulk change
_MANY, _FEW = [10_000, 50_000], [100]  # rows of a file that is imported


def main(arguments: list[str] | None = None) -> int:
    """Build, measure, print a table. It is a report: what is over its limit does not change the exit status."""
    asked = _asked(arguments)
    logging.disable(logging.WARNING)  # Streamlit warns of every cache used outside a server
    if asked.cpu:
        timing.count_processor_time()
    print("Times are milliseconds, ours beside the bare driver's: median and 95th percentile.")
    print("Before: the bare driver's where the same clients are kept as they were before a change could wait.")
    print(table.head())
    over = []
    for line in _measured(asked):
        print(table.row(line), flush=True)
        over += [line] if line.verdict == "OVER" else []
    print(f"Over the limit: {len(over)}.")
    return 0


def _asked(arguments: list[str] | None) -> Namespace:
    parser = ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--clients", type=int, nargs="+", metavar="N", help="sizes of partner space (10000 100000 1000000)"
    )
    parser.add_argument("--postgres", metavar="URL", help="measure PostgreSQL too: a server's URL, or `embedded`")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="build the databases here once and use them again")
    parser.add_argument("--only", nargs="+", metavar="WORD", help="only the operations with one of these words")
    parser.add_argument("--quick", action="store_true", help="1000 and 10000 clients, each operation a few times")
    parser.add_argument("--cpu", action="store_true", help="processor time of this process; SQLite on a busy machine")
    parser.add_argument("--browser", action="store_true", help="the browser too, at the largest size on SQLite")
    asked = parser.parse_args(arguments)
    asked.clients = asked.clients or ([1000, 10_000] if asked.quick else [10_000, 100_000, 1_000_000])
    return asked


def _measured(asked: Namespace) -> Iterator[Line]:
    sizes = sorted({*asked.clients, min(SMALL, max(asked.clients))})
    with ExitStack() as stack:
        folder = asked.keep or Path(stack.enter_context(TemporaryDirectory(prefix="bench")))
        folder.mkdir(parents=True, exist_ok=True)
        _say(f"building or opening {sizes} clients on SQLite")
        with on_sqlite(folder, sizes) as benches:
            if asked.browser:
                _say("browser")
                largest, (rounds, each) = max(benches), (1, 1) if asked.quick else (3, 4)
                for operation, timed in browser.compare(benches[largest], folder, rounds=rounds, each=each).items():
                    yield from table.lines("SQLite", operation, browser.LIMIT, {largest: timed})
            yield from _lines("SQLite", benches, asked)
        if asked.postgres is None:
            return
        server = (
            make_url(asked.postgres)
            if asked.postgres != "embedded"
            else stack.enter_context(embedded_postgresql(folder, keep=asked.keep is not None))
        )
        _say(f"building or opening {sizes} clients on PostgreSQL")
        with on_postgresql(server, sizes, keep=asked.keep is not None) as benches:
            yield from _lines("PostgreSQL", benches, asked)


def _lines(kind: str, benches: Mapping[int, Bench], asked: Namespace) -> Iterator[Line]:
    """Reads, pages and memory first; writes last, because they change what is read."""
    measured = {clients: bench for clients, bench in benches.items() if clients in asked.clients}
    yield from _core_lines(kind, reads.reads(), measured, asked)
    if _wanted("page: ", asked):
        ends = {clients: bench for clients, bench in benches.items() if clients in (min(benches), max(benches))}
        blocks, runs = (1, 3) if asked.quick else (4, 10)
        for operation, timed in pages.compare(ends, blocks=blocks, runs=runs).items():
            yield from table.lines(kind, operation, pages.limit(operation), timed)
    if _wanted("memory", asked):
        peaks = {clients: memory.peak(bench) for clients, bench in measured.items()}
        yield from table.memory_lines(kind, MEMORY, peaks)
    for operation in imports.operations(_FEW if asked.quick else _MANY):
        yield from _core_lines(kind, [operation], measured, asked, Patience(4, 3, 9))
    if _wanted("import: memory", asked):
        rows = max(_FEW if asked.quick else _MANY)
        peaks = {clients: imports.peak(bench, rows) for clients, bench in measured.items()}
        yield from table.memory_lines(kind, MEMORY, peaks, "import: memory (MB)")
    yield from _core_lines(kind, writes.writes(), measured, asked)
    changed = _CHANGED_FEW if asked.quick else _CHANGED_MANY
    for operation in bulk.operations(changed):
        yield from _core_lines(kind, [operation], measured, asked, Patience(4, 2, 5))
    if _wanted("bulk: memory", asked):
        more = {clients: bulk.peak(bench, max(changed)) for clients, bench in measured.items()}
        yield from table.memory_lines(kind, bulk.MEMORY, more, "bulk: memory more (MB)")
    for bench in measured.values():
        writes.forget_saved_versions(bench)


def _core_lines(
    kind: str,
    operations: Sequence[Operation],
    benches: Mapping[int, Bench],
    asked: Namespace,
    patience: Patience = Patience(4, 15, 300),
) -> Iterator[Line]:
    patience = Patience(0.05, 2, 5) if asked.quick else patience
    for operation, limit, case_of in operations:
        if _wanted(operation, asked):
            _say(operation)
            cases = {clients: case_of(bench) for clients, bench in benches.items()}
            asked_of = {clients: case for clients, case in cases.items() if case is not None}
            yield from table.lines(kind, operation, limit, timing.compare(asked_of, patience))


def _wanted(operation: str, asked: Namespace) -> bool:
    return not asked.only or any(word in operation for word in asked.only)


def _say(what: str) -> None:
    print(f"... {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
