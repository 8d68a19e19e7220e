"""Every page opens where no catalogue is loaded, and says so in words."""

import pytest
from sqlalchemy import text

from core.storage import Database
from tests.pages.conftest import CATALOGUE, CLIENT, CLIENTS, DEFAULTS, DISTRIBUTION, INVITE, emptied, opened, plain_text


@pytest.mark.parametrize("page", [CLIENTS, INVITE, CLIENT, DEFAULTS, DISTRIBUTION, CATALOGUE])
@pytest.mark.parametrize(("locale", "sentence"), [("en-GB", "no subscriptions and prices in EUR yet"),
                                                  ("fr-BE", "pas encore d’abonnements ni de prix en EUR")])  # fmt: skip
def test_a_page_without_a_catalogue_says_so(demo_database: Database, page: str, locale: str, sentence: str) -> None:
    """Its frame and menu stay; a page that needs no prices is shown as ever."""
    emptied(demo_database)
    with demo_database.transaction() as session:
        for table in ("plan_add_on", "plan_price", "add_on_price", "price_list", "catalogue_edition", "plan", "add_on"):
            session.execute(text(f"DELETE FROM {table}"))
    app = opened(page, locale=locale)
    if page == CLIENT:
        assert app.title or app.info or app.warning
    else:
        assert sentence in plain_text(app)
