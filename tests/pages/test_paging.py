"""The pages of a long list (pages/parts/paging.py)."""

from streamlit.testing.v1 import AppTest

from tests.conftest import LONGEST_WAIT
from tests.pages.conftest import plain_text, ran


def a_list() -> None:
    """Numbers, as many as `total` says, ten on a page."""
    import streamlit as st

    from pages.parts.paging import Pages

    total = st.session_state.get("total", 25)
    pages = Pages(f"pager {st.session_state.get('asked', '')}", total, 10)
    shown = range(total)[(pages.page - 1) * pages.size : pages.page * pages.size]
    st.text(" ".join(map(str, shown)))
    pages.turn(len(shown))


def opened() -> AppTest:
    return ran(AppTest.from_function(a_list, default_timeout=LONGEST_WAIT))


def test_a_page_is_turned_to_and_says_what_of_all_it_shows() -> None:
    """The last one is as long as what is left."""
    app = opened()
    assert "1–10 of 25" in plain_text(app)
    ran(app.pagination[0].set_value(3))
    assert app.text[0].value == "20 21 22 23 24"
    assert "21–25 of 25" in plain_text(app)


def test_a_list_that_has_got_shorter_shows_its_last_page() -> None:
    """And stays there when it grows again."""
    app = opened()
    ran(app.pagination[0].set_value(3))
    app.session_state["total"] = 12
    ran(app)
    assert app.text[0].value == "10 11"
    assert app.pagination[0].value == 2
    app.session_state["total"] = 25
    ran(app)
    assert app.text[0].value == "10 11 12 13 14 15 16 17 18 19"


def test_other_things_begin_at_their_first_page() -> None:
    """And those before are found where one was."""
    app = opened()
    ran(app.pagination[0].set_value(2))
    app.session_state["asked"] = "others"
    ran(app)
    assert app.text[0].value.startswith("0 ")
    app.session_state["asked"] = ""
    assert ran(app).text[0].value.startswith("10 ")


def test_one_page_has_nothing_to_turn() -> None:
    """Nor has an empty list."""
    for total in (10, 0):
        app = AppTest.from_function(a_list, default_timeout=LONGEST_WAIT)
        app.session_state["total"] = total
        assert not ran(app).pagination
