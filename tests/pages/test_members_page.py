"""The page of members: the table, inviting, changing, letting go, bringing back, and what holds at the next click."""

from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from streamlit.testing.v1 import AppTest

from core import demo, members, subscriptions, team
from core.defaults import DefaultSettings
from core.members import Member
from core.storage import Database
from core.subscriptions import Client
from core.team import NewMember
from core.words import Role, t
from tests.pages.conftest import (
    CLIENT,
    DEFAULTS,
    INVITE,
    at,
    button,
    manager,
    opened,
    plain_text,
    ran,
    refused_alone,
    rows,
    send,
    typed,
)

MEMBERS = "pages/settings/members.py"
MANAGER, SECOND, FINANCE, WITHOUT_ACCESS, FORMER = 2, 3, 4, 6, 7  # of the demo
REFUSED = "You may not do this with the access you have."


def form_of(app: AppTest, member_id: int, widgets: Any, name: str) -> Any:
    return at(widgets, f"member.{member_id}.{name}")


def acted(database: Database, act: Any, member_id: int, **named: Any) -> None:
    """What a second administrator does meanwhile."""
    with database.transaction() as session:
        by = session.scalars(select(Member).where(Member.email == "colleague@example.com")).first()
        by = by or members.add(
            session,
            demo.PARTNER_ID,
            name="A colleague",
            email="colleague@example.com",
            role=Role.ADMINISTRATOR,
            by=None,
        )
        session.flush()
        found = members.find(session, demo.PARTNER_ID, by.member_id)
        assert found is not None
        act(session, found, member_id, seen=newest(session, member_id), successor_id=SECOND, **named)


def newest(session: Session, member_id: int) -> int:
    found = members.newest_change(session, demo.PARTNER_ID, member_id)
    return 0 if found is None else found.number


def taken_away(database: Database, member_id: int) -> None:
    """The member's role becomes finance, without a trace on their screen."""
    acted(database, team.change_member, member_id, role=Role.FINANCE, client_access=True)


def looked_after(database: Database) -> dict[int, int]:
    with database.reading() as session:
        return subscriptions.responsible_counts(session, demo.PARTNER_ID)


def count(database: Database, table: Any) -> int:
    with database.reading() as session:
        return session.scalars(select(func.count()).select_from(table)).one()


def invite(app: AppTest, **fields: str) -> AppTest:
    ran(at(app.button, "members.invite").click())
    for name, value in fields.items():
        at(app.text_input, f"members.new.{name}").set_value(value)
    return ran(at(app.button, "members.new.send").click())


def test_the_table_shows_every_member_active_ones_first() -> None:
    """With what each may do; the inactive one is marked."""
    table = rows(opened(MEMBERS))
    assert table["name"].iloc[0] == "Client manager without access to clients"
    assert table["name"].iloc[-1] == "Former client manager"
    assert list(table["access"]) == ["None", "Their own", "All", "All", "All, to read", "All", "None"]
    assert [list(cell) for cell in table["standing"]] == [["Active"]] * 6 + [["Inactive"]]


def test_what_was_changed_is_told_in_sentences_in_the_readers_language() -> None:
    """Who did what, newest first."""
    said = plain_text(opened(MEMBERS))
    lines = [line.partition(" · ")[2] for line in said.splitlines() if line.startswith("- ")]
    assert lines[:3] == [
        "Demo administrator deactivated Former client manager.",
        "Demo administrator changed Client manager without access to clients. Access to clients: yes → no.",
        "Demo administrator invited Former client manager (former.manager@example.com). Role: Client manager.",
    ]
    assert lines[-1].startswith("Whoever runs this server invited Demo administrator")
    assert "Demo administrator a désactivé Former client manager." in plain_text(opened(MEMBERS, locale="fr-BE"))


def test_a_search_narrows_the_table_and_says_when_nobody_matches() -> None:
    """By name or e-mail, whatever the accents."""
    app = opened(MEMBERS)
    ran(at(app.text_input, "members.search").set_value("SECÖND"))
    assert list(rows(app)["name"]) == ["Second client manager"]
    ran(at(app.text_input, "members.search").set_value("nobody"))
    assert "No member matches" in plain_text(app)
    assert not app.dataframe


def test_inviting_a_member_shows_the_message_that_waits(demo_database: Database) -> None:
    """Then they are in the table, and in the demo's picker."""
    app = invite(opened(MEMBERS), name="Camille", email="Camille@Example.com")
    said = plain_text(app)
    assert "Camille is invited." in said
    assert "camille@example.com · Client manager · Access to clients: All" in said
    assert "Subject: Fiduciaire Exemple: you are now a member" in said
    assert "In the demo nothing is ever sent." in said
    assert not app.code  # no link that opens anything by itself
    assert app.query_params["member"] == "8"
    assert manager(demo_database, 8).role is Role.CLIENT_MANAGER
    ran(button(app, "Members").click())
    assert "Camille" in list(rows(app)["name"])
    assert "Camille · Client manager" in app.sidebar.selectbox[0].options


def test_what_needs_a_correction_is_said_beside_its_line_and_kept() -> None:
    """The form stays as it was typed."""
    app = invite(opened(MEMBERS), name=" ", email="nobody")
    said = plain_text(app)
    assert "Fill this in." in said
    assert "This is not an e-mail address" in said
    assert at(app.text_input, "members.new.email").value == "nobody"


def test_an_e_mail_of_a_member_is_refused_with_the_way_to_them(demo_database: Database) -> None:
    """An inactive one is brought back instead."""
    app = invite(opened(MEMBERS), name="Again", email="former.manager@example.com")
    assert "Open the member and bring them back instead." in plain_text(app)
    ran(at(app.button, "members.known").click())
    assert app.title[0].value == "Former client manager"
    ran(at(app.button, "member.7 bring back").click())
    assert "Former client manager is active again." in plain_text(app)
    assert manager(demo_database, FORMER).is_active


def test_a_row_opens_the_member_and_a_change_is_saved_and_told(demo_database: Database) -> None:
    """Role, access and name at once; the sentence is below."""
    app = opened(MEMBERS)
    app.session_state["members.opened"] = WITHOUT_ACCESS  # what a click on its row leads to
    ran(app)
    assert form_of(app, WITHOUT_ACCESS, app.button, "save").disabled
    ran(form_of(app, WITHOUT_ACCESS, app.checkbox, "client_access").check())
    ran(form_of(app, WITHOUT_ACCESS, app.text_input, "name").set_value("With access"))
    ran(form_of(app, WITHOUT_ACCESS, app.button, "save").click())
    assert (
        "With access. Name: Client manager without access to clients → With access; Access to clients: no → yes."
        in (plain_text(app))
    )
    held = manager(demo_database, WITHOUT_ACCESS)
    assert (held.name, held.client_access) == ("With access", True)


def test_another_role_is_chosen_and_access_is_asked_where_it_counts(demo_database: Database) -> None:
    """The other roles have theirs; one that looks after nobody hands over the clients first."""
    app = opened(MEMBERS, member=str(MANAGER))
    ran(form_of(app, MANAGER, app.selectbox, "role").set_value(Role.FINANCE))
    assert not app.checkbox
    assert "Reads and downloads everything, and changes nothing." in plain_text(app)
    assert form_of(app, MANAGER, app.button, "save").disabled
    ran(form_of(app, MANAGER, app.selectbox, "successor").set_value(SECOND))
    ran(form_of(app, MANAGER, app.button, "save").click())
    assert manager(demo_database, MANAGER).role is Role.FINANCE
    assert MANAGER not in looked_after(demo_database)


def test_who_leaves_hands_over_the_clients_they_look_after(demo_database: Database) -> None:
    """The page says how many, and asks who takes them over before it lets anybody go."""
    app = opened(MEMBERS, member=str(MANAGER))
    before = looked_after(demo_database)
    assert f"looks after {before[MANAGER]} clients" in plain_text(app)
    assert at(app.button, f"member.{MANAGER} deactivate").disabled
    successors = at(app.selectbox, f"member.{MANAGER}.takes over")
    assert "Demo client manager" not in successors.options
    assert "Demo finance" not in successors.options
    ran(successors.set_value(SECOND))
    ran(at(app.button, f"member.{MANAGER} deactivate").click())
    assert "Demo client manager is inactive." in plain_text(app)
    after = looked_after(demo_database)
    assert (after.get(MANAGER), after[SECOND]) == (None, before[SECOND] + before[MANAGER])
    assert rows(opened(MEMBERS)).set_index("name")["clients"]["Second client manager"] == str(after[SECOND])


def test_a_stale_form_is_refused_keeps_what_was_chosen_and_can_be_saved_again(demo_database: Database) -> None:
    """Told who changed what meanwhile; one where nothing was chosen shows what is so."""
    app, untouched = opened(MEMBERS, member=str(MANAGER)), opened(MEMBERS, member=str(MANAGER))
    ran(form_of(app, MANAGER, app.selectbox, "role").set_value(Role.ACCOUNTANT))
    acted(demo_database, team.change_member, MANAGER, role=Role.FINANCE, client_access=True)
    ran(form_of(app, MANAGER, app.button, "save").click())
    assert "A colleague changed Demo client manager on" in plain_text(app)
    assert manager(demo_database, MANAGER).role is Role.FINANCE
    ran(form_of(app, MANAGER, app.button, "save").click())
    assert manager(demo_database, MANAGER).role is Role.ACCOUNTANT
    ran(untouched)
    assert form_of(untouched, MANAGER, untouched.selectbox, "role").value == Role.ACCOUNTANT


def test_a_member_let_go_is_inactive_and_the_demo_goes_on(demo_database: Database) -> None:
    """Acted as in the picker they see that they have no access; the picker leads back."""
    app = opened(MEMBERS, member=str(FINANCE))
    ran(at(app.button, f"member.{FINANCE} deactivate").click())
    assert "Demo finance is inactive." in plain_text(app)
    assert not manager(demo_database, FINANCE).is_active
    as_them = opened(acting=FINANCE)
    assert "You have no access" in plain_text(as_them)
    picker = as_them.sidebar.selectbox[0]
    assert "Demo finance · Finance · Inactive" in picker.options
    ran(picker.set_value(1))
    assert as_them.title[0].value == "Clients"


def test_ones_own_role_cannot_be_chosen_and_the_page_says_so() -> None:
    """Neither can one let oneself go."""
    app = opened(MEMBERS, member="1")
    assert "This is you." in plain_text(app)
    assert not [box for box in app.main.selectbox if "role" in str(box.key)]
    assert not [b for b in app.button if "deactivate" in str(b.key)]


def test_a_message_is_sent_again_once_for_two_clicks(demo_database: Database) -> None:
    """The one that waited is withdrawn."""
    app = invite(opened(MEMBERS), name="Camille", email="camille@example.com")
    ran(at(app.button, "member.8 send").click())
    said = plain_text(app)
    assert "Another message to Camille is waiting to be sent." in said
    assert "another message took its place" in said
    with demo_database.reading() as session:
        assert len(team.detail(session, manager(demo_database, 1), 8).deliveries) == 2


@pytest.mark.parametrize("asked", ["99", "0", "x", "-1", "99999999999"])
def test_a_member_who_does_not_exist_is_told_or_the_table_is_shown(asked: str) -> None:
    """Whatever the address says."""
    app = opened(MEMBERS, member=asked)
    assert app.title[0].value == "Members"
    assert ("There is no member with number" in plain_text(app)) is (asked in ("99", "0"))


@pytest.mark.parametrize("acting", [2, 4, 5, 6, 7])
def test_only_an_administrator_sees_the_page(acting: int, caplog: pytest.LogCaptureFixture) -> None:
    """Asked for by its address it says why it shows nothing, and nothing else."""
    assert refused_alone(MEMBERS, caplog, acting=acting)
    if acting in (WITHOUT_ACCESS, FORMER):
        assert "You have no access" in plain_text(opened(acting=acting))
        return
    app = opened(MEMBERS, acting=acting)
    assert REFUSED in plain_text(app)
    assert not app.dataframe


def test_text_from_people_is_shown_as_text() -> None:
    """Also in sentences, buttons and headings."""
    name = "**Bold** :material/home: [x](http://e.example) <b>"
    app = invite(opened(MEMBERS), name=name, email="bold@example.com")
    assert app.title[0].value != name
    assert name in plain_text(app)
    assert all("**Bold**" not in b.label for b in app.button)


# --- what an administrator changes holds at the very next click, also in the middle of a form


def test_an_administrator_who_lost_the_role_in_the_middle_of_a_form_writes_nothing(demo_database: Database) -> None:
    """The click is refused in one sentence, and the page is gone from the menu."""
    app = opened(MEMBERS, member=str(MANAGER))
    ran(form_of(app, MANAGER, app.selectbox, "role").set_value(Role.ACCOUNTANT))
    taken_away(demo_database, 1)
    ran(form_of(app, MANAGER, app.button, "save").click())
    assert plain_text(app).count(REFUSED) == 1
    assert not app.main.button
    assert manager(demo_database, MANAGER).role is Role.CLIENT_MANAGER


def test_an_administrator_who_lost_the_role_invites_nobody(demo_database: Database) -> None:
    """The form was filled in already."""
    app = opened(MEMBERS)
    ran(at(app.button, "members.invite").click())
    at(app.text_input, "members.new.name").set_value("Camille")
    at(app.text_input, "members.new.email").set_value("camille@example.com")
    taken_away(demo_database, 1)
    before = count(demo_database, Member)
    ran(at(app.button, "members.new.send").click())
    assert plain_text(app).count(REFUSED) == 1
    assert count(demo_database, Member) == before


@pytest.mark.parametrize("how", ["role", "access", "inactive"])
def test_a_manager_who_lost_the_access_in_the_middle_of_an_invitation_invites_nobody(
    demo_database: Database, how: str
) -> None:
    """A sentence, and nothing written."""
    app = typed(opened(INVITE, acting=MANAGER), name="Nouveau Client", email="nouveau@example.com")
    match how:
        case "role":
            taken_away(demo_database, MANAGER)
        case "access":
            acted(demo_database, team.change_member, MANAGER, role=Role.CLIENT_MANAGER, client_access=False)
        case _:
            acted(demo_database, team.deactivate, MANAGER)
    before = count(demo_database, Client)
    send(app)
    assert plain_text(app).count(REFUSED) == 1
    assert count(demo_database, Client) == before


def test_a_manager_who_lost_the_role_in_the_middle_of_the_default_settings_saves_nothing(
    demo_database: Database,
) -> None:
    """The page is still there to read."""
    app = opened(DEFAULTS, acting=MANAGER)
    ran(at(app.button_group, "defaults 1.billing_period").set_value("yearly"))
    taken_away(demo_database, MANAGER)
    before = count(demo_database, DefaultSettings)
    ran(at(app.button, "defaults 1.save").click())
    assert plain_text(app).count(REFUSED) == 1
    assert app.title[0].value == "Default settings"
    assert count(demo_database, DefaultSettings) == before


def test_a_manager_who_lost_the_role_in_the_middle_of_an_exception_makes_none(demo_database: Database) -> None:
    """The client is still there to read."""
    app = opened(CLIENT, acting=MANAGER, client="5")
    ran(at(app.button, "client.5.open change").click())
    ran(at(app.button_group, "client.5.payer").set_value("partner"))
    taken_away(demo_database, MANAGER)
    ran(at(app.button, "client.5.save").click())
    assert plain_text(app).count(REFUSED) == 1
    assert "Saved" not in plain_text(app)
    assert not [b for b in app.button if "save" in str(b.key)]


def test_a_page_asked_for_without_the_right_says_why_and_not_that_it_does_not_exist() -> None:
    """By its address, as from a colleague's link; it is not in the menu."""
    app = opened(INVITE, acting=FINANCE)
    assert REFUSED in plain_text(app)
    assert t("Invite a client") not in plain_text(app)


def test_many_members_are_usable(demo_database: Database) -> None:
    """Three hundred: one table, a search, and the fifty newest changes with more on demand."""
    with demo_database.transaction() as session:
        for number in range(300):
            new = NewMember(name=f"Colleague {number:03}", email=f"c{number}@example.com", role=Role.ACCOUNTANT)
            members.add(session, demo.PARTNER_ID, **new.model_dump(), by=manager(demo_database, 1))
    app = opened(MEMBERS)
    assert len(rows(app)) == 307
    assert plain_text(app).count("\n- ") == 50
    ran(at(app.button, "members.more").click())
    assert plain_text(app).count("\n- ") == 200
    ran(at(app.text_input, "members.search").set_value("c299@"))
    assert list(rows(app)["name"]) == ["Colleague 299"]
