"""What the pages cost beside a bare page that shows fifty ready rows, in a small partner space and in the largest."""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from itertools import cycle
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd
import streamlit as st
from streamlit.runtime.scriptrunner.script_cache import ScriptCache
from streamlit.testing.v1 import AppTest

from pages.parts import server
from tests.bench import timing
from tests.bench.databases import Bench
from tests.bench.timing import Limit, Timed, milliseconds

PAGE_SCRIPT = Limit(ratio=4, growth=1.5)
DISTRIBUTION = "page: distribution"  # over every client, so linear: shown, without a limit

APP = Path(__file__).parent.parent.parent / "streamlit_app.py"
_LIST = "pages/clients/billing_sources.py"
_CLIENT = "pages/clients/client_subscription.py"
_INVITE = "pages/clients/invite_client.py"
_DEFAULTS = "pages/settings/defaults.py"
_DISTRIBUTION = "pages/finance/plan_distribution.py"

Step = Callable[[], AppTest]  # makes a page ready for the run that is timed


def limit(operation: str) -> Limit:
    """What this operation may take."""
    return Limit() if operation == DISTRIBUTION else PAGE_SCRIPT


def compare(benches: Mapping[int, Bench], *, blocks: int, runs: int) -> dict[str, dict[int, Timed]]:
    """Each page's runs beside the bare page's, by operation and size; the sizes in turns, a block of runs each.

    Before a block its figures are made: they are cached by design.
    """
    timed: dict[str, dict[int, Timed]] = {}
    for _ in range(blocks):
        for clients, bench in benches.items():
            with served(bench), _compiled_once(), timing.no_collections():
                app = AppTest.from_file(APP, default_timeout=120)
                ready = ran(app).dataframe[0].value
                bare = AppTest.from_function(bare_page, default_timeout=120, kwargs={"rows": ready})
                for operation, step in _steps(app, clients).items():
                    into = timed.setdefault(operation, {}).setdefault(clients, Timed([], []))
                    _time(step, bare, into, runs)
    return timed


def of_the_list(bench: Bench, number: int) -> Iterator[pd.DataFrame]:
    """The rows of so many pages of the list, from the first on, as they are shown."""
    with served(bench):
        app = ran(AppTest.from_file(APP, default_timeout=120))
        for page in range(1, number + 1):
            if page > 1:
                app.pagination[0].set_value(page)
            yield ran(app).dataframe[0].value


def bare_page(rows: "pd.DataFrame") -> None:
    """Fifty ready rows and nothing else. (Run as a script of its own, so it imports what it needs.)"""
    import streamlit as st

    st.title("Clients")
    st.dataframe(rows, hide_index=True)


def _steps(app: AppTest, clients: int) -> dict[str, Step]:
    """What a person does next, by what it is called."""
    plans = cycle(["plus", "standard"])
    pages = cycle(range(2, max(2, min(clients // 50, 20)) + 1))
    ids = cycle(range(clients // 2, clients // 2 + 20))

    def next_page() -> AppTest:
        _on(app, _LIST).pagination[0].set_value(next(pages))
        return app

    def a_filter() -> AppTest:
        next(menu for menu in _on(app, _LIST).menu_button if menu.key == "clients.plan menu").click(next(plans))
        return app

    def a_client() -> AppTest:
        _on(app, _LIST).switch_page(_CLIENT).query_params["client"] = str(next(ids))
        return app

    def opened(page: str) -> Step:
        return lambda: _on(app, _LIST).switch_page(page)

    steps = {
        "page: a filter": a_filter,
        "page: a client": a_client,
        "page: invite": opened(_INVITE),
        "page: defaults": opened(_DEFAULTS),
        DISTRIBUTION: opened(_DISTRIBUTION),
    }
    return ({"page: next page": next_page} if clients > 100 else {}) | steps


def _on(app: AppTest, page: str) -> AppTest:
    app.query_params.clear()
    return ran(app.switch_page(page))


def _time(step: Step, bare: AppTest, into: Timed, runs: int) -> None:
    for done in range(runs + 2):
        ready = step()
        ours, by_hand = milliseconds(ready.run), milliseconds(bare.run)
        _refuse_faults(ready)
        _refuse_faults(bare)
        if done >= 2:  # by then every filter's figures are made
            into.ours.append(ours)
            into.bare.append(by_hand)


def ran(app: AppTest) -> AppTest:
    app.run()
    _refuse_faults(app)
    return app


def _refuse_faults(app: AppTest) -> None:
    """A page that only says what went wrong is quick, and not what is measured."""
    assert not app.exception
    assert not app.error
    assert not app.warning


@contextmanager
def served(bench: Bench) -> Iterator[None]:
    """The product serves this partner space, as a demo's, with nothing cached."""
    before: dict[str, Any] = {name: os.environ.get(name) for name in ("BILLING_DATABASE_URL", "BILLING_DEMO")}
    os.environ |= {"BILLING_DATABASE_URL": bench.url, "BILLING_DEMO": "1"}
    _forget()
    try:
        yield
    finally:
        server.database().close()
        _forget()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _compiled_once() -> AbstractContextManager[Any]:
    """Scripts are compiled once, as a server does; AppTest does it anew on each run."""
    return patch("streamlit.testing.v1.app_test.ScriptCache", return_value=ScriptCache())


def _forget() -> None:
    st.cache_resource.clear()
    st.cache_data.clear()
