"""Who signed in, on the pages: which member, of which space, and until when."""

from collections.abc import Iterator
from datetime import UTC, datetime
from time import time
from typing import Any

import pytest
import streamlit as st
from sqlalchemy import event, select, update
from streamlit.testing.v1 import AppTest

from core import demo, invitations, members, reports
from core.invitations import NewClient
from core.members import Identity, Member, MemberSignIn, Partner, SignInEvent
from core.storage import Database
from core.subscriptions import Client
from core.words import BillingPeriod, NotAllowed, Overrides, Payer, Role, SignInEnded, SignInKind, best_language, speak
from pages.parts import presence, server, visitor
from tests.conftest import LONGEST_WAIT
from tests.pages.conftest import CLIENT, DEFAULTS, DISTRIBUTION, INVITE, ROOT, at, button, manager, plain_text, ran

MEMBERS = "pages/settings/members.py"
CONFIGURED = {
    "BILLING_DEMO": "0",
    "BILLING_PUBLIC_URL": "http://127.0.0.1:8501",
    "BILLING_COOKIE_SECRET": "long enough to sign the cookies of the tests",
    "BILLING_OIDC_CLIENT_ID": "billing",
    "BILLING_OIDC_CLIENT_SECRET": "secret",
    "BILLING_OIDC_METADATA_URL": "https://provider.example/.well-known/openid-configuration",
}


@pytest.fixture
def firm(demo_database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The same space, as a firm that signs in."""
    for name, value in CONFIGURED.items():
        monkeypatch.setenv(name, value)
    st.cache_resource.clear()
    database = server.database()
    yield database
    database.close()


def user(email: str = "client.manager@example.com", **claims: Any) -> dict[str, Any]:
    """What the provider says of somebody."""
    said = {"is_logged_in": True, "iss": "https://provider.example", "sub": email, "email": email}
    return said | {"email_verified": True, "iat": int(time()), "provider": "oidc"} | claims


def come(who: dict[str, Any], path: str = "", /, *, locale: str = "en-GB", **parameters: str) -> AppTest:
    """The product opened by somebody, on this page."""
    speak(best_language(locale))
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=LONGEST_WAIT)
    app.context, app.user = {"locale": locale}, who
    for name, value in parameters.items():
        app.query_params[name] = value
    ran(app)
    if path:
        app.switch_page(path)
        ran(app)
    return app


def second_space(database: Database, email: str = "client.manager@example.com", role: Role = Role.FINANCE) -> None:
    """Another partner space in the same database, of which this e-mail is a member too."""
    with database.transaction() as session:
        session.add(Partner(partner_id=2, name="Second firm", currency="EUR", time_zone="Europe/Brussels"))
        session.flush()
        session.add(Member(partner_id=2, member_id=1, name="In the second", email=email, role=role))


def titles(app: AppTest) -> list[str]:
    return [title.value.replace("\\", "") for title in app.title]


def foot(app: AppTest) -> str:
    """Who the foot of the menu says is here."""
    return "\n".join(caption.value.replace("\\", "") for caption in app.sidebar.caption)


def test_nobody_is_asked_to_sign_in_and_shown_nothing_else(firm: Database) -> None:
    app = come({})
    assert titles(app) == ["Billing Defaults"]
    assert [b.label for b in app.button] == ["Sign in"]
    assert not app.dataframe
    assert not app.sidebar


@pytest.mark.parametrize(
    ("outcome", "sentence"), [("failed", "You were not signed in"), ("unavailable", "cannot be reached")]
)
def test_what_failed_on_the_way_is_said_in_words(firm: Database, outcome: str, sentence: str) -> None:
    assert sentence in plain_text(come({}, sign_in=outcome))


def test_each_of_several_providers_has_its_button(firm: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLING_OIDC_PROVIDERS", "entra,google")
    for name in ("ENTRA", "GOOGLE"):
        for what in ("CLIENT_ID", "CLIENT_SECRET", "METADATA_URL"):
            monkeypatch.setenv(f"BILLING_OIDC_{name}_{what}", CONFIGURED[f"BILLING_OIDC_{what}"])
    monkeypatch.setenv("BILLING_OIDC_ENTRA_TITLE", "Microsoft")
    st.cache_resource.clear()
    assert [b.label for b in come({}).button] == ["Sign in with Microsoft", "Sign in with Google"]


def test_a_member_arrives_with_the_role_of_the_database(firm: Database) -> None:
    """And is recorded as signed in, once, and as seen."""
    who = user()
    app = come(who, DEFAULTS)
    assert titles(app) == ["Default settings"]
    assert "Demo client manager · Client manager" in foot(app)
    ran(app)
    come(who)
    with firm.reading() as session:
        kinds = session.scalars(select(SignInEvent.kind).order_by(SignInEvent.event_id)).all()
    assert kinds == [SignInKind.BOUND, SignInKind.SIGNED_IN]
    assert manager(firm).last_seen_at is not None


def test_an_e_mail_alone_is_nobody(firm: Database) -> None:
    """Claims without a sign-in, or without an account or a time in them."""
    whole = user()
    for absent in ("is_logged_in", "iss", "sub", "iat"):
        claims = {name: value for name, value in whole.items() if name != absent}
        assert [b.label for b in come(claims).button] == ["Sign in"]
    for iat in ("soon", None, 10**30):
        assert [b.label for b in come(user(iat=iat)).button] == ["Sign in"]


def test_a_stranger_is_told_as_which_e_mail_and_whom_to_ask(firm: Database) -> None:
    app = come(user("stranger*@example.com"), client="1")
    words = plain_text(app)
    assert "You are signed in as stranger*@example.com, which is not the e-mail of a member here." in words
    assert "Ask an administrator of your firm" in words
    assert [b.label for b in app.button] == ["Sign out"]
    assert not app.table
    with firm.reading() as session:
        (kept,) = session.scalars(select(SignInEvent)).all()
    assert (kept.kind, kept.email, kept.partner_id) == (SignInKind.REFUSED, "stranger*@example.com", None)


def test_an_address_that_the_provider_has_not_verified_is_told_so(firm: Database) -> None:
    for unverified in (user(email_verified=False), user(email_verified="true"), user(email_verified=None)):
        assert "has not verified that this address is yours" in plain_text(come(unverified))


def test_an_operator_may_vouch_for_a_provider_that_says_nothing_of_it(
    firm: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BILLING_OIDC_TRUST_EMAIL", "1")
    st.cache_resource.clear()
    assert titles(come(user(email_verified=None))) == ["Clients"]


def test_a_member_who_was_let_go_is_told_whom_to_ask(firm: Database) -> None:
    app = come(user())
    with firm.transaction() as session:
        session.execute(update(Member).where(Member.member_id == 2).values(is_active=False))
    words = plain_text(ran(app))
    assert "you no longer have access here" in words
    assert "To get it back, ask an administrator: Demo administrator." in words


def test_the_role_taken_away_between_two_clicks_holds_on_the_next(firm: Database) -> None:
    """Another menu, and a form that was open saves nothing: a sentence says why."""
    app = come(user(), DEFAULTS)
    before = manager(firm)
    with firm.transaction() as session:
        session.execute(update(Member).where(Member.member_id == 2).values(role=Role.FINANCE))
    ran(app)
    assert "Invite a client" not in plain_text(app)
    assert before.role is Role.CLIENT_MANAGER
    assert "Save as version 4" not in [b.label for b in app.button]


def signed_out_elsewhere(firm: Database, who: dict[str, Any]) -> None:
    app = come(who)
    ran(at(app.sidebar.button, "sign out").click())


def test_signing_out_in_one_window_ends_the_other_at_its_next_click(firm: Database) -> None:
    """A copied cookie too; signing in again works."""
    who = user()
    other = come(who, DEFAULTS)
    signed_out_elsewhere(firm, who)
    ran(other)
    assert titles(other) == ["Billing Defaults"]
    assert "Your sign-in has ended." in plain_text(other)
    assert titles(come(who)) == ["Billing Defaults"]
    assert titles(come(user(iat=who["iat"] + 1))) == ["Clients"]
    with firm.reading() as session:
        assert session.scalars(select(SignInEvent.kind).order_by(SignInEvent.event_id.desc())).first() == "signed_in"


def test_a_click_in_a_window_that_was_signed_out_writes_nothing(firm: Database) -> None:
    """Its callback runs before the page would see that nobody is here."""
    who = user("administrator@example.com")
    app = come(who, CLIENT, client="1")
    app.query_params["client"] = "1"
    ran(app)
    ran(button(app, "Change").click())
    plan = at(app.selectbox, "client.1.plan")
    ran(plan.set_value("premium" if plan.value != "premium" else "plus"))
    add_ons = next(m for m in app.multiselect)
    ran(add_ons.set_value([]))
    with firm.reading() as session:
        before = session.scalar(select(Partner.change_number).where(Partner.partner_id == 1))
    save = next(b for b in app.button if str(b.key).endswith(".save"))
    signed_out_elsewhere(firm, who)
    ran(save.click())
    with firm.reading() as session:
        assert session.scalar(select(Partner.change_number).where(Partner.partner_id == 1)) == before
    assert "Your sign-in has ended." in plain_text(app)


def test_a_file_is_made_for_who_is_still_here_and_as_they_are_then(
    firm: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made when it is asked for, after the page was shown: not after signing out, not for one let go."""
    come(user())
    who = Identity("https://provider.example", "client.manager@example.com", "", True, "", datetime.now(UTC))
    monkeypatch.setattr(presence, "identity", lambda: who)
    find = visitor.later(manager(firm))
    with firm.reading() as session:
        assert find(session).role is Role.CLIENT_MANAGER
    with firm.transaction() as session:
        session.execute(update(Member).where(Member.member_id == 2).values(is_active=False))
    with firm.reading() as session, pytest.raises(NotAllowed):
        list(reports.csv_pieces(session, find(session)))
    members.end_sign_ins(firm, who)
    with firm.reading() as session, pytest.raises(SignInEnded):
        find(session)


@pytest.mark.parametrize(
    ("path", "parameter"),
    [(CLIENT, "client"), (MEMBERS, "member"), (INVITE, "client"), (DEFAULTS, "version"), (DISTRIBUTION, "client")],
)
def test_no_page_shows_anything_of_another_space_by_its_numbers(firm: Database, path: str, parameter: str) -> None:
    """The first space has 240 clients and seven members; the second has one member and nothing else."""
    second_space(firm, "other@example.com", Role.ADMINISTRATOR)
    with firm.reading() as session:
        names = set(session.scalars(select(Client.name))) | {
            each.name for each in members.of_partner(session, demo.PARTNER_ID)
        }
    for number in ("1", "5", "240"):
        app = come(user("other@example.com"), path, **{parameter: number, "space": "1"})
        app.query_params[parameter] = number
        shown = plain_text(ran(app)) + foot(app) + "".join(str(table.value) for table in app.table)
        assert not [name for name in names if name in shown]
    app = come(user("other@example.com"), responsible="2", search="a", space="1")
    assert not app.dataframe


def test_a_sign_in_grows_too_old(firm: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BILLING_SIGN_IN_HOURS", "2")
    st.cache_resource.clear()
    now = int(time())
    assert titles(come(user(iat=now - 7000))) == ["Clients"]
    assert "Your sign-in has ended." in plain_text(come(user(iat=now - 7300)))


def test_who_belongs_to_several_spaces_chooses_one_and_switches(firm: Database) -> None:
    """Everything follows the choice: the role, the clients, and the link."""
    second_space(firm)
    app = come(user())
    assert titles(app) == ["Choose a partner space"]
    assert not app.dataframe
    ran(at(app.button, "enter 2").click())
    assert app.query_params["space"] == "2"
    assert "No clients yet." in plain_text(app)
    assert "In the second · Finance" in foot(app)
    app.sidebar.selectbox[0].set_value(1)
    ran(app)
    assert app.query_params["space"] == "1"
    assert "Demo client manager · Client manager" in foot(app)


def test_a_link_opens_in_the_space_it_is_about(firm: Database) -> None:
    """Client 1 of one space is not client 1 of the other; a space that is not theirs is no choice."""
    second_space(firm)
    app = come(user(), space="2")
    assert titles(app) == ["Clients"]
    assert "No clients yet." in plain_text(app)
    app = come(user(), space="1", search="Boulangerie")
    assert len(app.dataframe) == 1
    assert app.query_params["search"] == "Boulangerie"
    for nonsense in ("3", "", "x"):
        assert titles(come(user(), space=nonsense)) == ["Choose a partner space"]
    assert titles(come(user("administrator@example.com"), space="2")) == ["Clients"]


def test_what_was_typed_about_a_client_is_never_saved_for_its_namesake_in_another_space(firm: Database) -> None:
    """Back in the browser leads into the other space: everything begins anew there."""
    second_space(firm, role=Role.ADMINISTRATOR)
    with firm.transaction() as session:
        other = members.find(session, 2, 1)
        assert other is not None
        new = NewClient(name="Of the second", email="second@example.com")
        settings = Overrides(payer=Payer.CLIENT, billing_period=BillingPeriod.MONTHLY, plan="plus", add_ons=frozenset())
        invitations.invite(session, other, new, settings)
    app = come(user(), CLIENT, space="2", client="1")
    app.query_params["client"] = "1"
    ran(app)
    ran(button(app, "Edit details").click())
    name = next(box for box in app.text_input if box.value == "Of the second")
    ran(name.set_value("Typed in the second"))
    app.query_params["space"] = "1"
    app.query_params["client"] = "1"
    ran(app)
    assert app.query_params["space"] == "1"
    assert not [box for box in app.text_input if "second" in str(box.value)]
    assert "Save details" not in [b.label for b in app.button]


def test_a_member_who_loses_one_of_two_spaces_begins_anew_in_the_other(firm: Database) -> None:
    """Nothing of the one is left in the other's forms."""
    second_space(firm)
    app = come(user(), space="2")
    app.session_state["typed in the second"] = "something"
    with firm.transaction() as session:
        session.execute(update(Member).where(Member.partner_id == 2).values(is_active=False))
    ran(app)
    assert "Demo client manager" in foot(app)
    assert "typed in the second" not in app.session_state


def test_a_click_as_somebody_whom_the_account_is_no_longer_writes_nothing(firm: Database) -> None:
    """Released and bound to a colleague meanwhile: what the page was shown to is not who is here."""
    who = user("administrator@example.com")
    app = come(who)
    ran(at(app.button_group, "language").set_value("fr"))
    with firm.transaction() as session:
        session.execute(update(MemberSignIn).where(MemberSignIn.member_id == 1).values(member_id=5))
    ran(at(app.button_group, "language").set_value("en"))
    with firm.reading() as session:
        assert session.scalar(select(Member.language).where(Member.partner_id == 1, Member.member_id == 1)) == "fr"


def test_an_operator_vouches_for_a_provider_that_says_nothing_and_not_against_what_it_says(
    firm: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BILLING_OIDC_TRUST_EMAIL", "1")
    st.cache_resource.clear()
    assert "has not verified" in plain_text(come(user(email_verified=False)))


def test_demo_mode_needs_no_sign_in_and_says_so_where_both_are_configured(
    firm: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BILLING_DEMO", "1")
    st.cache_resource.clear()
    app = come(user())
    assert titles(app) == ["Clients"]
    assert "Sign-in is configured on this server, but not used in demo mode." in plain_text(app)


def test_the_sign_in_page_speaks_the_browsers_language(firm: Database) -> None:
    for locale, label in (("fr-BE", "Se connecter"), ("nl-BE", "Aanmelden")):
        assert [b.label for b in come({}, locale=locale).button] == [label]


def test_of_the_languages_a_browser_asks_for_the_first_that_is_spoken_greets(
    firm: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever comes before it is left out."""
    monkeypatch.setattr(type(st.context), "headers", {"Accept-Language": "de-BE,de;q=0.9, nl-BE;q=0.8,fr;q=0.7"})
    assert [b.label for b in come({}, locale="de-BE").button] == ["Aanmelden"]
    assert [b.label for b in come({}, locale="fr-BE").button] == ["Se connecter"]


def test_the_members_own_language_goes_before_the_browsers(firm: Database) -> None:
    """Switched once, kept for their next visit, and for nobody else's."""
    for chosen, button_says in (("fr", "Inviter un client"), ("nl", "Klant uitnodigen")):
        ran(at(come(user()).button_group, "language").set_value(chosen))
        assert titles(come(user(), INVITE)) == [button_says]
        assert titles(come(user("administrator@example.com"), INVITE)) == ["Invite a client"]


def test_a_run_asks_the_database_who_is_here_once(firm: Database) -> None:
    """After the first run of a window, whatever the number of members."""
    app = come(user(), DEFAULTS)
    statements: list[str] = []

    def listen(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "member_sign_in" in statement:
            statements.append(statement)

    engine = server.database().engine
    event.listen(engine, "before_cursor_execute", listen)
    ran(app)
    event.remove(engine, "before_cursor_execute", listen)
    assert len(statements) == 1
