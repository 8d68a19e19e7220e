"""The details of a client on its page: shown, edited in place, and told in the history."""

from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from core import invitations, subscriptions
from core.configuration import Configuration
from core.invitations import ClientDetails
from core.members import Member
from core.storage import Database
from core.subscriptions import Client
from core.words import ClientDetail, ClientStatus, Role
from tests.pages.conftest import CLIENT, asked, at, manager, opened, plain_text, ran, table_of
from tests.smtp import smtp_server

ID = 5  # a client of the demo


def client(database: Database, client_id: int = ID) -> Client:
    found: Client = asked(database, subscriptions.detail, client_id).client
    return found


def form_of(client_id: int = ID, **acting: int) -> AppTest:
    """The client's page with the form open."""
    app = opened(CLIENT, client=str(client_id), **acting)  # type: ignore[arg-type]
    return ran(at(app.button, f"details.{client_id}.open edit").click())


def typed(app: AppTest, client_id: int = ID, **fields: str) -> AppTest:
    for name, value in fields.items():
        at(app.text_input, f"details.{client_id}.{name}").set_value(value)
    return app


def save(app: AppTest, client_id: int = ID) -> AppTest:
    return ran(at(app.button, f"details.{client_id}.save").click())


def value(app: AppTest, name: str, client_id: int = ID) -> str:
    return str(at(app.text_input, f"details.{client_id}.{name}").value)


def is_open(app: AppTest) -> bool:
    return any("details." in str(each.key) and str(each.key).endswith(".save") for each in app.button)


def edited_by_a_colleague(database: Database, **changed: str) -> None:
    known = client(database)
    details = ClientDetails.from_typed(**{what.value: what.of(known) for what in ClientDetail} | changed)
    seen = next((edit.number for edit in asked(database, subscriptions.edits, ID)), 0)
    with database.transaction() as session:
        invitations.edit_client(session, manager(database), ID, details, seen=seen)


def invited_client(database: Database) -> int:
    """A client whose invitation is pending."""
    with database.transaction() as session:
        new_client = invitations.NewClient.from_typed(name="Nouveau Client", email="nouveau@example.com")
        return invitations.invite(session, manager(database), new_client).client_id


def test_an_edit_is_saved_shown_and_told_in_the_history(demo_database: Database) -> None:
    """With what it was and what it became, who did it, and why, above what happened before."""
    before = client(demo_database)
    happened = len(table_of(opened(CLIENT, client=str(ID)), 1))
    app = typed(form_of(acting=2), name="Zèbre & Fils", contact_name="L. Dupont", vat_number="BE 0471.730.202")
    assert value(app, "email") == before.email
    typed(app, reason="asked by mail")
    save(app)
    told = plain_text(app)
    assert f"Saved. Name: {before.name} → Zèbre & Fils; Contact: none → L. Dupont" in told
    assert app.title[0].value.replace("\\", "") == "Zèbre & Fils"
    assert "VAT number BE0471730202" in told
    assert f"{before.email} · L. Dupont · " in told
    assert not is_open(app)
    history = table_of(app, 1)
    assert len(history) == happened + 1
    assert list(history.iloc[0])[1:] == [
        "Demo client manager",
        "page",
        f"Name: {before.name} → Zèbre & Fils; Contact: none → L. Dupont; VAT number: none → BE0471730202",
        "asked by mail",
    ]
    assert client(demo_database).name == "Zèbre & Fils"


def test_edits_and_changes_of_the_settings_are_one_feed_in_the_order_of_time(demo_database: Database) -> None:
    """Whatever came between."""
    edited_by_a_colleague(demo_database, contact_name="A")
    shown = asked(demo_database, subscriptions.detail, ID)
    with demo_database.transaction() as session:
        overrides = subscriptions.detail(session, manager(demo_database), ID).overrides
        plan = "premium" if shown.effective.plan.value != "premium" else "plus"
        subscriptions.override(
            session,
            manager(demo_database),
            ID,
            type(overrides)(plan=plan, add_ons=frozenset()),
            seen=shown.revision,
        )
    edited_by_a_colleague(demo_database, contact_name="B")
    what = list(table_of(opened(CLIENT, client=str(ID)), 1)["What"])
    assert what[0] == "Contact: A → B"
    assert "Subscription" in what[1]
    assert what[2] == "Contact: none → A"
    assert what[-1].startswith("Invited on default settings")


def test_what_needs_a_correction_is_said_beside_its_field_and_what_was_typed_stays(demo_database: Database) -> None:
    """In the words of the invitation; corrected, it is saved."""
    app = save(typed(form_of(), name="Kept", email="nobody", company_number="0123456789", country="Belgium"))
    told = plain_text(app)
    for sentence in ("This is not an e-mail address", "This is not a country code"):
        assert sentence in told
    assert "company number:" not in told
    assert (value(app, "name"), value(app, "email"), value(app, "country")) == ("Kept", "nobody", "Belgium")
    told = plain_text(ran(typed(app, email="kept@example.com")))
    assert "This is not an e-mail address" not in told  # its sentence goes when the field is right
    assert "This is not a country code" in told
    save(typed(app, email="kept@example.com", company_number="", country="be"))
    found = client(demo_database)
    assert (found.name, found.email, found.company_number, found.country) == ("Kept", "kept@example.com", None, "BE")


def test_an_e_mail_of_another_client_names_it_and_leads_to_it(demo_database: Database) -> None:
    """And what was typed stays."""
    other = client(demo_database, 7)
    app = save(typed(form_of(), email=other.email.upper(), contact_name="Kept"))
    assert f"This e-mail belongs to {other.name}, invited on" in plain_text(app)
    assert "Open the client" in [link.proto.label for link in app.get("page_link")]
    assert value(app, "contact_name") == "Kept"
    save(typed(app, email="free@example.com"))
    assert client(demo_database).email == "free@example.com"


def test_a_colleagues_edit_is_told_what_was_typed_stays_and_what_was_not_follows(demo_database: Database) -> None:
    """Rule 12: saved again, only what was typed is changed, and the colleague's e-mail is not undone."""
    app = typed(form_of(), contact_name="Mine")
    edited_by_a_colleague(demo_database, email="colleague@example.com", contact_name="Theirs", language="nl")
    save(app)
    told = plain_text(app)
    assert "Demo client manager changed" in told
    assert "→ colleague@example.com" in told
    assert "Contact: none → Theirs" in told
    assert client(demo_database).contact_name == "Theirs"
    assert (value(app, "contact_name"), value(app, "email")) == ("Mine", "colleague@example.com")
    save(app)
    found = client(demo_database)
    assert (found.contact_name, found.email, found.language) == ("Mine", "colleague@example.com", "nl")
    assert not is_open(app)


def test_an_edit_begun_before_a_colleagues_is_refused_though_the_page_showed_it_meanwhile(
    demo_database: Database,
) -> None:
    """Rule 12: what counts is where the form began."""
    app = form_of()
    edited_by_a_colleague(demo_database, contact_name="Theirs")
    ran(app)
    save(typed(app, contact_name="Mine"))
    assert "Demo client manager changed" in plain_text(app)
    assert client(demo_database).contact_name == "Theirs"


def test_saving_without_a_change_says_so_and_writes_nothing(demo_database: Database) -> None:
    """And closes the form."""
    app = save(form_of())
    assert "Nothing was changed: these are the details of" in plain_text(app)
    assert not is_open(app)
    assert asked(demo_database, subscriptions.edits, ID) == ()


def test_cancelling_leaves_the_details_and_begins_anew(demo_database: Database) -> None:
    """Nothing of the draft is left."""
    app = typed(form_of(), name="Not kept")
    ran(at(app.button, f"details.{ID}.cancel").click())
    assert not is_open(app)
    ran(at(app.button, f"details.{ID}.open edit").click())
    assert value(app, "name") == client(demo_database).name
    assert asked(demo_database, subscriptions.edits, ID) == ()


def test_who_lost_the_right_meanwhile_changes_nothing_and_is_told(demo_database: Database) -> None:
    """The member is asked of the database when it counts."""
    app = typed(form_of(acting=2), name="Not kept")
    with demo_database.transaction() as session:
        session.execute(update(Member).where(Member.member_id == 2).values(role=Role.FINANCE))
    save(app)
    assert "You may not do this with the access you have." in plain_text(app)
    assert client(demo_database).name != "Not kept"
    assert not is_open(app)


def test_an_archived_client_can_be_edited(demo_database: Database) -> None:
    """Its settings are kept as they were; who it is can be corrected."""
    with demo_database.reading() as session:
        archived = session.query(subscriptions.Subscription).filter_by(status=ClientStatus.ARCHIVED).first()
    assert archived is not None
    save(typed(form_of(archived.client_id), archived.client_id, name="Corrected"), archived.client_id)
    assert client(demo_database, archived.client_id).name == "Corrected"


def test_with_another_e_mail_a_pending_invitation_waits_for_the_new_address(demo_database: Database) -> None:
    """The form says so before; its card and its message say so after."""
    client_id = invited_client(demo_database)
    app = form_of(client_id)
    assert "With another e-mail the invitation is sent there, with a new link." in plain_text(app)
    assert "With another e-mail" not in plain_text(form_of())
    old = next(code.value for code in app.code)
    save(typed(app, client_id, email="moved@example.com"), client_id)
    told = plain_text(app)
    assert "Not sent: this is the demo" in told
    assert "Not sent: another message took its place" in told
    assert "To: Nouveau Client <moved@example.com>" in told
    assert next(code.value for code in app.code) != old


def test_a_mail_server_that_is_set_gets_the_message_for_the_new_address_at_once(
    monkeypatch, demo_database: Database
) -> None:
    """Another contact sends nothing."""
    client_id = invited_client(demo_database)
    with smtp_server() as (mailbox, server):
        monkeypatch.setattr(Configuration, "smtp", property(lambda _: server))
        app = form_of(client_id)
        save(typed(app, client_id, contact_name="L. Dupont"), client_id)
        assert mailbox.received == []
        ran(at(app.button, f"details.{client_id}.open edit").click())
        save(typed(app, client_id, email="moved@example.com"), client_id)
        (message,) = mailbox.received
    assert message["To"].addresses[0].addr_spec == "moved@example.com"
    assert "Sent to moved@example.com" in plain_text(app)
