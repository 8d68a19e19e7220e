"""Who looks after a client, on the pages: the list and its link, one client, the invitation, and accountants."""

import gc
import re
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import event, update
from streamlit.testing.v1 import AppTest

from core import reports, subscriptions, team
from core.members import Member
from core.reports import ListedClient
from core.storage import Database
from core.subscriptions import ResponsibleSince
from core.words import Role, speak, t
from tests.pages.conftest import (
    CLIENT,
    CLIENTS,
    DEFAULTS,
    INVITE,
    asked,
    at,
    choose,
    emptied,
    form_key,
    manager,
    opened,
    plain_text,
    ran,
    rows,
    send,
    table_of,
    text_of,
    typed,
)
from tests.pages.test_import_page import as_csv, brought, verdicts

ADMINISTRATOR, MANAGER, SECOND, FINANCE, ACCOUNTANT, WITHOUT_ACCESS = range(1, 7)
BOX = "clients.responsible"


def looked_after(database: Database, client_id: int) -> tuple[ResponsibleSince, ...]:
    found: tuple[ResponsibleSince, ...] = asked(database, subscriptions.responsible_history, client_id)
    return found


def given(database: Database, client_id: int, to: int, *, by: int = ADMINISTRATOR) -> None:
    """Somebody gives the client to this member while somebody else looks at it."""
    seen = looked_after(database, client_id)[0].member_id
    with database.transaction() as session:
        subscriptions.change_responsible(session, manager(database, by), client_id, to, seen=seen)


def first_of(database: Database, responsible_id: int) -> int:
    """A client that this member looks after."""
    return int(asked(database, reports.billing_sources, responsible=responsible_id)["client_id"].iloc[0])


def labels(box: Any) -> list[str]:
    """What a box, or a menu, offers."""
    return [option.replace("\\", "").replace("\u2060", "") for option in box.options]


def looking_after(app: AppTest) -> list[str]:
    """What the menu of who looks after clients offers."""
    return labels(at(app.menu_button, f"{BOX} menu"))


# --- the list


def test_the_list_says_who_looks_after_each_client(demo_database: Database) -> None:
    """Against core, for the whole first page."""
    every = asked(demo_database, reports.billing_sources)
    assert list(rows(opened())["responsible"]) == list(every["responsible"])


def test_the_list_is_filtered_by_who_looks_after_them(demo_database: Database) -> None:
    """With everything else that narrows it, the figures too; the link carries the member's number."""
    app = opened(acting=MANAGER)
    assert looking_after(app) == [
        "✓ All", "Mine", "Demo accountant", "Demo administrator", "Second client manager",
    ]  # fmt: skip
    choose(app, BOX, ACCOUNTANT)
    expected = asked(demo_database, reports.billing_sources, responsible=ACCOUNTANT)
    assert list(rows(app)["name"]) == list(expected["name"])
    assert app.query_params == {"responsible": str(ACCOUNTANT)}
    choose(app, "clients.plan", "plus")
    counted = asked(demo_database, reports.figures, responsible=ACCOUNTANT, plan="plus")
    assert at(app.button, "clients.every").label.startswith(f"**{counted.clients}** ")
    ran(at(app.button, "clients.every").click())
    assert "responsible" not in app.query_params


def test_mine_is_one_click_away_and_its_link_means_the_same_for_a_colleague(demo_database: Database) -> None:
    """It holds the number of who clicked, not of who opens it."""
    app = opened(acting=SECOND)
    ran(at(app.button, "clients.mine").click())
    own = asked(demo_database, reports.billing_sources, responsible=SECOND)
    assert list(rows(app)["name"]) == list(own["name"])
    assert app.query_params == {"responsible": str(SECOND)}
    assert app.session_state[BOX] == SECOND
    colleague = opened(acting=MANAGER, responsible=str(SECOND))
    assert list(rows(colleague)["name"]) == list(own["name"])
    assert colleague.query_params == {"responsible": str(SECOND)}
    ran(at(app.button, "clients.mine").click())
    assert app.query_params == {}


def test_the_link_to_the_clients_of_the_very_first_member_has_their_number(demo_database: Database) -> None:
    """Which is that of the first page too, and nothing is lost of either."""
    given(demo_database, first_of(demo_database, MANAGER), ADMINISTRATOR)
    app = opened(acting=ADMINISTRATOR)
    ran(at(app.button, "clients.mine").click())
    assert app.query_params == {"responsible": str(ADMINISTRATOR)}
    assert len(rows(app)) == len(rows(opened(acting=MANAGER, responsible=str(ADMINISTRATOR)))) == 1


def test_who_looks_after_nobody_is_not_offered_mine() -> None:
    """It would show nothing."""
    assert not [b for b in opened(acting=FINANCE).button if b.key == "clients.mine"]
    assert not [b for b in opened(acting=ADMINISTRATOR).button if b.key == "clients.mine"]


@pytest.mark.parametrize("nonsense", ["99", "me", "-1", "2.5", "٣x", "9" * 30, str(FINANCE)])
def test_a_link_with_a_member_that_there_is_not_is_left_out(nonsense: str) -> None:
    """A number of another partner space, or of nobody: what can be read holds."""
    app = opened(plan="plus", responsible=nonsense)
    assert app.session_state[BOX] is None  # everybody's
    assert app.session_state["clients.plan"] == "plus"
    assert app.query_params == {"plan": "plus"}


def test_two_members_of_one_name_are_told_apart(demo_database: Database) -> None:
    """By their e-mail; each choice is the one that was clicked."""
    with demo_database.transaction() as session:
        session.execute(update(Member).where(Member.member_id.in_([SECOND, ACCOUNTANT])).values(name="All"))
    app = opened()
    assert {"All (second.manager@example.com)", "All (accountant@example.com)"} <= set(looking_after(app))
    choose(app, BOX, ACCOUNTANT)
    expected = asked(demo_database, reports.billing_sources, responsible=ACCOUNTANT)
    assert list(rows(app)["name"]) == list(expected["name"])


# --- accountants


def test_an_accountant_sees_their_own_clients_and_no_others(demo_database: Database) -> None:
    """Rule 52: the list, a search, the figures, and a link to one."""
    own = asked(demo_database, reports.billing_sources, responsible=ACCOUNTANT)
    app = opened(acting=ACCOUNTANT)
    assert list(rows(app)["name"]) == list(own["name"])
    assert "responsible" not in rows(app).columns
    assert at(app.button, "clients.every").label.startswith(f"**{len(own)}** ")
    ran(at(app.text_input, "clients.search").set_value("bakery"))
    found = asked(demo_database, reports.billing_sources, search="bakery", responsible=ACCOUNTANT)
    assert 0 < len(found) < len(asked(demo_database, reports.billing_sources, search="bakery"))
    assert list(rows(app)["name"]) == list(found["name"])
    theirs, anothers = first_of(demo_database, ACCOUNTANT), first_of(demo_database, MANAGER)
    assert own["name"].iloc[0] in plain_text(opened(CLIENT, acting=ACCOUNTANT, client=str(theirs)))
    assert f"There is no client with number {anothers}" in plain_text(
        opened(CLIENT, acting=ACCOUNTANT, client=str(anothers))
    )


def test_an_accountant_cannot_widen_the_list_by_a_link(demo_database: Database) -> None:
    """There is no such filter for them, and what a link says of it is left out."""
    app = opened(acting=ACCOUNTANT, responsible=str(MANAGER))
    assert not [menu for menu in app.menu_button if str(menu.key).startswith(BOX)]
    own = asked(demo_database, reports.billing_sources, responsible=ACCOUNTANT)
    assert list(rows(app)["name"]) == list(own["name"])
    assert app.query_params == {}


def test_an_accountant_looks_and_changes_nothing(demo_database: Database) -> None:
    """No button of theirs would be refused."""
    theirs = first_of(demo_database, ACCOUNTANT)
    apps = [opened(acting=ACCOUNTANT), opened(CLIENT, acting=ACCOUNTANT, client=str(theirs))]
    told = {b.label for app in apps for b in app.button}
    assert not {label for label in told if label.startswith(("Save", "Invite", "Change", "Adopt", "Back to", "Send"))}
    ran(at(apps[0].button, "clients.monthly").click())
    assert apps[0].title[0].value == "Clients"
    assert [b.label for b in apps[0].download_button] == ["Download as CSV", "Download as Excel"]


def test_an_accountant_without_a_client_is_told_so(demo_database: Database) -> None:
    """In place of an empty table."""
    with demo_database.transaction() as session:
        session.execute(update(Member).where(Member.member_id == FINANCE).values(role=Role.ACCOUNTANT))
    app = opened(acting=FINANCE)
    assert "You look after no clients yet." in plain_text(app)
    assert not app.dataframe
    search = opened(CLIENT, acting=FINANCE)
    ran(at(search.text_input, "client.search").set_value("boulangerie"))
    assert "No client matches." in plain_text(search)


def test_a_client_given_to_somebody_else_is_gone_at_the_very_next_click(demo_database: Database) -> None:
    """From the list, its figures and its page."""
    theirs = first_of(demo_database, ACCOUNTANT)
    app, page = opened(acting=ACCOUNTANT), opened(CLIENT, acting=ACCOUNTANT, client=str(theirs))
    before = len(rows(app))
    given(demo_database, theirs, MANAGER)
    assert len(rows(ran(app))) == before - 1
    assert at(app.button, "clients.every").label.startswith(f"**{before - 1}** ")
    assert f"There is no client with number {theirs}" in plain_text(ran(page))


def test_figures_remembered_for_one_reader_are_never_shown_to_another_who_sees_other_clients(
    demo_database: Database,
) -> None:
    """Nor from one accountant to the next."""
    with demo_database.transaction() as session:
        session.execute(update(Member).where(Member.member_id == SECOND).values(role=Role.ACCOUNTANT))

    def shown(acting: int) -> str:
        label: str = at(opened(acting=acting).button, "clients.every").label
        return label

    for acting in (ADMINISTRATOR, ACCOUNTANT, SECOND, FINANCE, ACCOUNTANT):
        filters = {"responsible": acting} if acting in (ACCOUNTANT, SECOND) else {}
        counted = asked(demo_database, reports.figures, **filters).clients
        assert shown(acting).startswith(f"**{counted}** ")
    assert "Clients bound to it" not in table_of(opened(DEFAULTS, acting=ACCOUNTANT)).columns


# --- one client


def test_the_page_says_who_looks_after_the_client_and_how_that_came(demo_database: Database) -> None:
    """Since when; and in the history who did it, from whom to whom, and why."""
    own = asked(demo_database, reports.billing_sources, responsible=ACCOUNTANT, page_size=100)["client_id"]
    client_id = next(int(number) for number in own if len(looked_after(demo_database, int(number))) == 2)
    newest, oldest = looked_after(demo_database, client_id)
    app = opened(CLIENT, client=str(client_id))
    assert "Account manager: Demo accountant, since " in plain_text(app)
    history = table_of(app, 1)
    told = history[history["What"] == f"Account manager: {oldest.name} → Demo accountant"].iloc[0]
    assert (told["Who"], told["Via"], told["Why"]) == ("Demo administrator", "page", "takes over the bookkeeping")
    assert history["What"].iloc[-1].endswith(f"; account manager: {oldest.name}")
    assert newest.before == oldest.name


def test_another_member_is_chosen_in_place_and_looks_after_the_client_at_once(demo_database: Database) -> None:
    """What is billed stays; the same for an archived client."""
    archived = int(
        asked(demo_database, reports.billing_sources, status="archived", responsible=MANAGER)["client_id"][0]
    )
    for client_id in (first_of(demo_database, MANAGER), archived):
        before = asked(demo_database, subscriptions.detail, client_id).history
        app = opened(CLIENT, acting=MANAGER, client=str(client_id))
        form = f"responsible.{client_id}"
        ran(at(app.button, f"{form}.change").click())
        assert at(app.button, f"{form}.save").disabled
        assert "Demo finance" not in labels(at(app.selectbox, f"{form}.member"))
        assert "Demo client manager (me)" in labels(at(app.selectbox, f"{form}.member"))
        ran(at(app.selectbox, f"{form}.member").set_value(SECOND))
        at(app.text_input, f"{form}.reason").set_value("on holiday")
        ran(at(app.button, f"{form}.save").click())
        assert "Second client manager is now the account manager of" in plain_text(app)
        held = looked_after(demo_database, client_id)[0]
        assert (held.member_id, held.changed_by, held.reason) == (SECOND, "Demo client manager", "on holiday")
        assert asked(demo_database, subscriptions.detail, client_id).history == before
        assert at(app.button, f"{form}.change")


def test_a_colleagues_change_in_between_is_told_and_what_was_chosen_stays(demo_database: Database) -> None:
    """Rule 12, also where the page showed it meanwhile; comparing and saving again works."""
    client_id = first_of(demo_database, MANAGER)
    app = opened(CLIENT, client=str(client_id))
    form = f"responsible.{client_id}"
    ran(at(app.button, f"{form}.change").click())
    given(demo_database, client_id, ACCOUNTANT, by=MANAGER)
    ran(at(app.selectbox, f"{form}.member").set_value(SECOND))
    ran(at(app.button, f"{form}.save").click())
    assert "Demo client manager made Demo accountant the account manager of" in plain_text(app)
    assert at(app.selectbox, f"{form}.member").value == SECOND
    assert looked_after(demo_database, client_id)[0].member_id == ACCOUNTANT
    ran(at(app.button, f"{form}.save").click())
    assert looked_after(demo_database, client_id)[0].member_id == SECOND


def test_cancelling_leaves_the_account_manager_as_it_was(demo_database: Database) -> None:
    """And the next change begins anew."""
    client_id = first_of(demo_database, MANAGER)
    app = opened(CLIENT, client=str(client_id))
    form = f"responsible.{client_id}"
    ran(at(app.button, f"{form}.change").click())
    ran(at(app.selectbox, f"{form}.member").set_value(SECOND))
    ran(at(app.button, f"{form}.cancel").click())
    ran(at(app.button, f"{form}.change").click())
    assert at(app.selectbox, f"{form}.member").value == MANAGER
    assert len(looked_after(demo_database, client_id)) == 1


def test_finance_reads_who_looks_after_a_client_and_cannot_change_it(demo_database: Database) -> None:
    """Rule 10."""
    client_id = first_of(demo_database, MANAGER)
    app = opened(CLIENT, acting=FINANCE, client=str(client_id))
    assert "Account manager: Demo client manager, since " in plain_text(app)
    assert not [b for b in app.button if b.label == "Change account manager"]


# --- the invitation


def account_manager(app: AppTest) -> Any:
    return next(box for box in app.selectbox if str(box.key).startswith(form_key(app, "responsible of")))


def test_whoever_invites_looks_after_the_client_unless_somebody_else_is_chosen(demo_database: Database) -> None:
    """Rule 53."""
    app = opened(INVITE, acting=MANAGER)
    assert labels(account_manager(app)) == [
        "Demo client manager (me)", "Demo accountant", "Demo administrator", "Second client manager",
    ]  # fmt: skip
    send(typed(app, name="Own", email="own@example.com"))
    assert "Account manager: Demo client manager" in plain_text(app)
    app = opened(INVITE, acting=MANAGER)
    account_manager(app).set_value(ACCOUNTANT)
    send(typed(app, name="Given", email="given@example.com"))
    assert "Account manager: Demo accountant" in plain_text(app)
    for name, responsible_id in {"own": MANAGER, "given": ACCOUNTANT}.items():
        found = asked(demo_database, reports.billing_sources, search=f"{name}@example.com")
        assert list(found["responsible_id"]) == [responsible_id]


def test_who_cannot_look_after_clients_any_more_is_refused_and_nothing_typed_is_lost(demo_database: Database) -> None:
    """Between choosing and sending."""
    app = opened(INVITE, acting=MANAGER)
    account_manager(app).set_value(SECOND)
    with demo_database.transaction() as session:
        session.execute(update(Member).where(Member.member_id == SECOND).values(is_active=False))
    send(typed(app, name="Kept as typed", email="kept@example.com"))
    assert "Second client manager cannot look after clients." in plain_text(app)
    assert at(app.text_input, form_key(app, "name")).value == "Kept as typed"
    send(app)
    assert "Account manager: Demo client manager" in plain_text(app)


def test_a_list_says_who_would_look_after_each_client_where_it_names_somebody() -> None:
    """Blank is the reader; a list that names nobody needs no such column."""
    headings = ["Name", "Country", "E-mail", "Account manager"]
    new = [["One", "BE", "one@new.example", "Demo accountant"], ["Two", "BE", "two@new.example", ""]]
    app = brought(as_csv(new, headings))
    assert list(rows(app)["responsible"]) == ["Demo accountant", "Demo client manager"]
    assert verdicts(brought(as_csv([[*new[0][:3], "Nobody"]], headings))) == ["All rows · 1", "Needs correction · 1"]
    assert "responsible" not in rows(brought(as_csv([new[1]], headings))).columns


# --- what they keep


@pytest.mark.parametrize("acting", [MANAGER, ACCOUNTANT])
def test_the_pages_make_a_fixed_number_of_queries(demo_database: Database, acting: int) -> None:
    """However many clients the member looks after, and for whichever member."""
    theirs = first_of(demo_database, ACCOUNTANT)
    statements: list[str] = []
    event.listen(demo_database.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))

    def counted() -> list[int]:
        made = []
        for page, parameters in ((CLIENTS, {}), (CLIENT, {"client": str(theirs)})):
            app = opened(page, acting=acting, **parameters)
            st.cache_data.clear()
            statements.clear()
            ran(app)
            made.append(len(statements))
        return made

    before = counted()
    for client_id in range(1, 30):
        if looked_after(demo_database, client_id)[0].member_id == MANAGER:
            given(demo_database, client_id, ACCOUNTANT)
    assert counted() == before
    assert max(before) < 20


def test_nothing_is_there_before_the_first_client(demo_database: Database) -> None:
    """Nobody looks after anybody."""
    emptied(demo_database)
    app = opened(acting=MANAGER)
    assert "No clients yet." in plain_text(app)
    assert not [b for b in app.button if b.key == "clients.mine"]


def test_in_french_it_is_called_responsable(demo_database: Database) -> None:
    """On each of the pages."""
    client_id = first_of(demo_database, ACCOUNTANT)
    app = opened(locale="fr-BE", acting=MANAGER)
    assert at(app.menu_button, f"{BOX} menu").label == "Responsable"
    assert looking_after(app)[1] == "Les miens"
    page = opened(CLIENT, locale="fr-BE", client=str(client_id))
    assert re.search("Responsable\u00a0: Demo accountant, depuis le ", plain_text(page))
    speak("fr")
    assert t("Change account manager") in {b.label for b in page.button}
    assert "responsable\u00a0: " in table_of(page, 1)["Quoi"].iloc[-1]
    assert "responsable" in text_of(opened(locale="fr-BE", acting=ACCOUNTANT))


def test_who_can_look_after_clients_is_as_it_is_now_at_every_click(demo_database: Database) -> None:
    """The list remembers them between clicks, and only until something changes in the partner space."""
    app = opened(acting=ADMINISTRATOR)
    assert "Second client manager" in looking_after(app)
    administrator = manager(demo_database, ADMINISTRATOR)
    with demo_database.transaction() as session:
        seen = team.detail(session, administrator, SECOND).seen
        team.deactivate(session, administrator, SECOND, successor_id=MANAGER, seen=seen)
    ran(app)
    assert "Second client manager" not in looking_after(app)
    assert len(looking_after(opened(acting=MANAGER))) == len(looking_after(app))


def test_a_visit_holds_nothing_of_what_the_list_has_read() -> None:
    """Between two clicks: what widgets call later must not keep the page's clients in memory, once for each visitor."""
    app = opened(acting=MANAGER)
    assert len(rows(app))
    assert at(app.button, "clients.mine")
    gc.collect()
    assert not [each for each in gc.get_objects() if isinstance(each, ListedClient)]
