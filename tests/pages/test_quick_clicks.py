"""Clicks that come before the page is all there."""

from streamlit.testing.v1 import AppTest

from tests.conftest import LONGEST_WAIT


def test_who_sends_a_form_before_its_choices_are_there_takes_the_defaults() -> None:
    """On a slow machine the button stands before the settings beside it do."""

    def page() -> None:
        import streamlit as st

        from core.words import Overrides
        from pages.parts.settings_form import overrides_chosen

        st.text(
            "the defaults" if overrides_chosen("a form of which nothing is there") == Overrides() else "something else"
        )

    shown = AppTest.from_function(page, default_timeout=LONGEST_WAIT).run()
    assert not shown.exception
    assert shown.text[0].value == "the defaults"
