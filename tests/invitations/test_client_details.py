"""Editing who a client is: what is kept of it, who is told what, and the invitation that follows a new address."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core import invitations, reports, subscriptions
from core.invitations import ClientDetails, NewClient, OutboxMessage, outbox
from core.members import Member
from core.subscriptions import ClientEdit
from core.words import (
    AlreadyClient,
    BadInput,
    ClientDetail,
    ClientNotFound,
    ClientStatus,
    DeliveryStatus,
    DetailChange,
    LinkUnknown,
    Origin,
    StaleDetails,
    speak,
)
from tests.conftest import STANDARD, Space, at_once

NAME, EMAIL, CONTACT = ClientDetail.NAME, ClientDetail.EMAIL, ClientDetail.CONTACT_NAME
ROUNDS = 6


@pytest.fixture
def invited(space: Space) -> Space:
    space.save(STANDARD)
    space.invite(language="fr")
    return space


def details_of(space: Space, client_id: int = 1, **changed: str) -> ClientDetails:
    """The details of a client with some typed anew."""
    client = space.detail(client_id).client
    return ClientDetails.from_typed(**{what.value: what.of(client) for what in ClientDetail} | changed)


def edits(space: Space, client_id: int = 1) -> tuple[ClientEdit, ...]:
    with space.database.reading() as session:
        return subscriptions.edits(session, space.manager, client_id)


def seen(space: Space, client_id: int = 1) -> int:
    return next((edit.number for edit in edits(space, client_id)), 0)


def edit(
    space: Space, client_id: int = 1, *, by: Member | None = None, at: int | None = None, **changed: str
) -> ClientEdit | None:
    """Edit these details over whatever is known, or over what was known `at` an edit."""
    details, reason = details_of(space, client_id, **changed), f"as {', '.join(changed.values())} said"
    number = seen(space, client_id) if at is None else at
    with space.database.transaction() as session:
        return invitations.edit_client(session, by or space.manager, client_id, details, seen=number, reason=reason)


def token_of(space: Space, client_id: int = 1) -> str:
    with space.database.reading() as session:
        message = outbox.waiting(session, space.partner_id, client_id, OutboxMessage)
        return "" if message is None else message.token or ""


def differences(space: Space) -> list[str]:
    with space.database.reading() as session:
        return list(subscriptions.differences(session))


def everything(space: Space) -> list[Any]:
    tables = ("client", "client_change", "subscription", "invitation", "outbox_message")
    with space.database.reading() as session:
        return [list(session.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2, 3, 4"))) for table in tables]


def test_an_edit_is_kept_with_who_when_why_and_each_detail_before_and_after(invited: Space) -> None:
    """Rule 11; the client has the new details, and keeps the others."""
    invited.clock.forward(days=40)
    edit(invited, contact_name="L. Dupont", company_number="BE 0471.730.202", external_reference=" A  7 ")
    client = invited.detail(1).client
    assert (client.contact_name, client.company_number, client.external_reference) == ("L. Dupont", "0471730202", "A 7")
    assert (client.name, client.email, client.language) == ("Aubry & Fils", "aubryfils@example.com", "fr")
    (kept,) = edits(invited)
    assert (kept.number, kept.changed_at, kept.changed_by) == (1, invited.clock.moment, "The client manager")
    assert (kept.origin, kept.reason) == (Origin.PAGE, "as L. Dupont, BE 0471.730.202,  A  7  said")
    assert kept.changes == (
        DetailChange(CONTACT, "", "L. Dupont"),
        DetailChange(ClientDetail.COMPANY_NUMBER, "", "0471730202"),
        DetailChange(ClientDetail.EXTERNAL_REFERENCE, "", "A 7"),
    )
    assert differences(invited) == []


def test_every_detail_can_be_edited_and_blanked(invited: Space) -> None:
    """But the name, the e-mail and the language, which every client has."""
    full = {
        "name": "Zèbre SA", "email": "office@zebre.example.com", "contact_name": "L. Dupont", "language": "nl",
        "country": "FR", "company_number": "552100554", "vat_number": "FR40303265045", "external_reference": "Z-1",
    }  # fmt: skip
    edit(invited, **full)
    client = invited.detail(1).client
    assert {what.value: what.of(client) for what in ClientDetail} == full
    blank = dict.fromkeys(("contact_name", "country", "company_number", "vat_number", "external_reference"), "")
    edit(invited, **blank)
    client = invited.detail(1).client
    assert {what.value: what.of(client) for what in ClientDetail} == full | blank
    assert (client.company_number, client.vat_number) == (None, None)
    assert [len(each.changes) for each in edits(invited)] == [5, 8]
    assert differences(invited) == []


def test_a_change_reads_as_words(invited: Space) -> None:
    """A language by its name, a blank as a word, in the reader's language."""
    made = edit(invited, language="nl", contact_name="L. Dupont")
    assert made is not None
    assert [change.label for change in made.changes] == ["Contact: none → L. Dupont", "Language: Français → Nederlands"]
    speak("fr")
    assert made.changes[0].label == "Contact\u00a0: aucun → L. Dupont"


def test_nothing_changed_writes_nothing(invited: Space) -> None:
    """Also when it is typed in another way, and whatever was seen."""
    edit(invited, contact_name="L. Dupont")
    before = everything(invited)
    for again in range(3):
        assert edit(invited, at=again, name=" Aubry  & Fils ", email="AubryFils@Example.com") is None
        assert edit(invited, at=again, contact_name="L. Dupont") is None
    assert everything(invited) == before


def test_what_was_edited_meanwhile_is_told_with_who_and_what_and_nothing_is_written(invited: Space) -> None:
    """Rule 12: all that changed since it was seen, by whomever, the last time when."""
    edit(invited, contact_name="L. Dupont")
    edit(invited, by=invited.administrator, name="Aubry SA", contact_name="M. Dupont")
    before = everything(invited)
    with pytest.raises(StaleDetails) as refusal:
        edit(invited, at=0, contact_name="N. Dupont")
    assert str(refusal.value) == (
        "The administrator and The client manager changed Aubry SA on 3 Mar 2026, 09:00: Name: Aubry & Fils → Aubry SA "
        "and Contact: none → M. Dupont. Your entries are kept; compare and save again."
    )
    with pytest.raises(StaleDetails, match=r"^The administrator changed Aubry SA .* Contact: L. Dupont → M. Dupont\."):
        edit(invited, at=1, contact_name="N. Dupont")
    assert everything(invited) == before
    edit(invited, at=2, contact_name="N. Dupont")
    assert invited.detail(1).client.contact_name == "N. Dupont"


def test_an_e_mail_of_another_client_is_refused_naming_it(invited: Space) -> None:
    """Whatever its case; and nothing is written."""
    invited.clock.forward(days=1)
    other = invited.invite("Boulangerie")
    before = everything(invited)
    with pytest.raises(AlreadyClient, match=r"belongs to Aubry & Fils, invited on 3 Mar 2026, 09:00\. Open") as refusal:
        edit(invited, other.client_id, email="AUBRYFILS@example.com", contact_name="L. Dupont")
    assert refusal.value.client_id == 1
    assert everything(invited) == before


def test_a_client_of_another_partner_may_have_the_e_mail(invited: Space, make_space: Any) -> None:
    """Tenants know nothing of each other; and one never reaches the other's clients."""
    other = make_space(2)
    other.save()
    other.invite("Boulangerie")
    edit(other, email="aubryfils@example.com")
    assert other.detail(1).client.email == invited.detail(1).client.email
    assert edits(invited) == ()
    invited.invite("Only here")
    with pytest.raises(ClientNotFound), other.database.transaction() as session:
        invitations.edit_client(session, other.manager, 2, details_of(other), seen=0)
    with pytest.raises(ClientNotFound), other.database.reading() as session:
        subscriptions.edits(session, other.manager, 2)


def test_an_e_mail_that_was_given_up_is_free_again(invited: Space) -> None:
    """Another client can have it, and the first can go back when it is free."""
    edit(invited, email="new@example.com")
    other = invited.invite("Boulangerie", email="aubryfils@example.com")
    with pytest.raises(AlreadyClient, match="belongs to Boulangerie"):
        edit(invited, email="aubryfils@example.com")
    edit(invited, other.client_id, email="boulangerie@example.com")
    edit(invited, email="aubryfils@example.com")
    assert [len(edits(invited, client)) for client in (1, 2)] == [2, 1]
    assert differences(invited) == []


def test_what_is_typed_is_checked_as_at_the_invitation() -> None:
    """The same sentences, field by field."""
    typed = {"name": " ", "email": "nobody", "company_number": "1", "country": "", "language": "de"}
    refused = []
    for model in (ClientDetails, NewClient):
        with pytest.raises(BadInput) as refusal:
            model.from_typed(**typed)
        refused.append(refusal.value.fields)
    assert refused[0] == refused[1]
    assert set(refused[0]) == {"name", "email", "company_number", "language"}


def test_numbers_are_not_judged_by_the_rules_of_a_country_that_is_none() -> None:
    """Only the country needs a correction yet."""
    typed = {"country": "France", "company_number": "552100554", "vat_number": "FR40303265045"}
    with pytest.raises(BadInput) as refusal:
        ClientDetails.from_typed(name="A", email="a@example.com", **typed)
    assert set(refusal.value.fields) == {"country"}
    assert ClientDetails.from_typed(name="A", email="a@example.com", **typed | {"country": "FR"})


@pytest.mark.parametrize("reason", ["x" * 501, "nul\x00"])
def test_a_reason_that_cannot_be_kept_is_refused_beside_its_field(invited: Space, reason: str) -> None:
    """And nothing is written."""
    with pytest.raises(BadInput) as refusal, invited.database.transaction() as session:
        details = details_of(invited, name="Other")
        invitations.edit_client(session, invited.manager, 1, details, seen=0, reason=reason)
    assert set(refusal.value.fields) == {"reason"}
    assert edits(invited) == ()


@pytest.mark.parametrize(
    ("country", "number"),
    [("CH", "CHE-107.787.577 IVA"), ("GR", "EL094259216"), ("MC", "53 0000 04605"), ("RS", "101134702"), ("GG", "x 1"),
     ("TR", "4540536920"), ("VE", "V-11470283-4"), ("", "0471.730.202"), ("FR", "fr 40 303 265 045")],
)  # fmt: skip
def test_a_vat_number_can_be_typed_again_as_it_is_stored(country: str, number: str) -> None:
    """With its country before it, also where the country's own rules know no such prefix."""
    stored = ClientDetails.from_typed(name="A", email="a@example.com", country=country, vat_number=number).vat_number
    again = ClientDetails.from_typed(name="A", email="a@example.com", country=country, vat_number=stored).vat_number
    assert stored
    assert again == stored


def test_the_list_sorts_and_finds_a_client_by_its_new_name_and_e_mail(invited: Space) -> None:
    """Every revision goes along, so also the list of a past day."""
    invited.invite("Boulangerie")
    invited.archive(1)
    edit(invited, name="Église Saint-Jean", email="jean@example.com")
    with invited.database.reading() as session:
        listed = [client.name for client in reports.listed(session, invited.manager)]
        found = [client.client_id for client in reports.listed(session, invited.manager, search="eglise")]
        gone = reports.listed(session, invited.manager, search="aubry")
    assert listed == ["Boulangerie", "Église Saint-Jean"]
    assert found == [1]
    assert gone == []
    assert differences(invited) == []


def test_a_pending_invitation_follows_the_new_address_with_a_new_link(invited: Space) -> None:
    """The message that waited is withdrawn, and its link is dead; the new one is recorded as one sent again."""
    old = token_of(invited)
    invited.clock.forward(days=2)
    edit(invited, by=invited.administrator, email="new@example.com")
    invitation = invited.invitation(1)
    sent = [(each.sending, each.recipient, each.status, each.queued_by) for each in invitation.deliveries]
    assert sent == [
        (2, "new@example.com", DeliveryStatus.WAITING, "The administrator"),
        (1, "aubryfils@example.com", DeliveryStatus.WITHDRAWN, "The client manager"),
    ]
    assert invitation.invitation.expires_at == invited.clock.moment + timedelta(days=28)
    with pytest.raises(LinkUnknown), invited.database.reading() as session:
        invitations.offered(session, old)
    with invited.database.transaction() as session:
        invitations.accept(session, token_of(invited))
    assert invited.detail(1).status is ClientStatus.ACTIVE


def test_a_message_that_was_sent_to_the_old_address_is_followed_by_one_to_the_new(invited: Space) -> None:
    """Whoever has the old address cannot accept any more."""
    old = token_of(invited)
    with invited.database.transaction() as session:
        waiting = outbox.waiting(session, 1, 1, OutboxMessage)
        assert waiting is not None
        outbox.record_sent(session, waiting)
    edit(invited, email="new@example.com")
    assert [each.status for each in invited.invitation(1).deliveries] == [DeliveryStatus.WAITING, DeliveryStatus.SENT]
    with pytest.raises(LinkUnknown), invited.database.reading() as session:
        invitations.offered(session, old)


def test_other_details_send_nothing_and_the_message_that_waits_says_them(invited: Space) -> None:
    """It is written when it leaves; its link holds."""
    token = token_of(invited)
    edit(invited, name="Aubry SA", contact_name="L. Dupont", language="nl")
    assert token_of(invited) == token
    assert len(invited.invitation(1).deliveries) == 1
    with invited.database.reading() as session:
        waiting = invitations.waiting_message(session, invited.manager, 1)
    assert waiting is not None
    assert waiting.letter.recipient_name == "L. Dupont"
    assert "Aubry SA" in waiting.letter.text
    assert "Dag L. Dupont" in waiting.letter.text


@pytest.mark.parametrize("standing", ["accepted", "revoked", "expired", "archived"])
def test_where_no_invitation_is_pending_a_new_address_sends_nothing(invited: Space, standing: str) -> None:
    """The details can be edited all the same."""
    with invited.database.transaction() as session:
        if standing == "revoked":
            invitations.revoke(session, invited.manager, 1)
        elif standing != "expired":
            invitations.accept(session, token_of(invited))
    if standing == "archived":
        invited.archive(1)
    invited.clock.forward(days=30)
    before = invited.invitation(1).sendings
    edit(invited, email="new@example.com")
    assert invited.invitation(1).sendings == before
    assert invited.detail(1).client.email == "new@example.com"
    assert edits(invited)[0].changes == (DetailChange(EMAIL, "aubryfils@example.com", "new@example.com"),)


def test_no_setting_and_no_revision_of_the_subscription_changes(invited: Space) -> None:
    """Who a client is has nothing to do with what it gets."""
    before = invited.facts(1)
    edit(invited, name="Other", email="other@example.com", language="nl")
    assert invited.facts(1) == before


def test_edits_follow_each_other_in_time_though_the_clock_steps_back(invited: Space) -> None:
    """Their order is that of their numbers."""
    edit(invited, contact_name="A")
    invited.clock.forward(hours=-1)
    edit(invited, contact_name="B")
    newest, first = edits(invited)
    assert (newest.number, first.number) == (2, 1)
    assert newest.changed_at > first.changed_at


def test_what_was_kept_of_an_edit_is_never_changed_or_deleted(invited: Space) -> None:
    """The database itself refuses; the copied name is the only thing of a revision that may change."""
    edit(invited, contact_name="A")
    for statement in (
        "UPDATE client_change SET after = 'B'", "DELETE FROM client_change", "UPDATE subscription SET plan = 'plus'",
        "UPDATE subscription SET reason = 'x'", "DELETE FROM subscription",
    ):  # fmt: skip
        with pytest.raises(DBAPIError, match="never changed or deleted"), invited.database.transaction() as session:
            session.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "difference"),
    [
        ("UPDATE client SET contact_name = 'C'", "client 1: contact_name is 'C', its edits lead to 'B'"),
        ("UPDATE client_change SET before = 'X' WHERE number = 2", "edit 2: contact_name was 'A', not 'X'"),
        ("UPDATE client_change SET number = 4 WHERE number = 2", "edit 4: expected edit 2"),
        ("UPDATE client SET sort_name = 'x'", "its client as 'x'"),
    ],
)
def test_check_finds_what_no_edit_explains(invited: Space, statement: str, difference: str) -> None:
    """Each kind of damage, behind the product's back."""
    edit(invited, contact_name="A")
    edit(invited, contact_name="B")
    with invited.database.transaction() as session:
        if invited.database.is_embedded:
            for forbidden in ("facts_never_changed", "texts_never_changed", "texts_forgotten"):
                session.execute(text(f"DROP TRIGGER client_change_{forbidden}"))
        else:
            session.execute(text("SET LOCAL session_replication_role = replica"))
        session.execute(text(statement))
    assert [line for line in differences(invited) if difference in line]


def test_of_two_editors_at_once_one_wins_and_the_other_is_told(invited: Space) -> None:
    """Rule 12, on both databases."""
    for number in range(ROUNDS):
        wanted = [details_of(invited, contact_name=f"{number} {who}") for who in "ab"]
        results = at_once(
            invited,
            *(
                lambda s, by=by, details=details, number=number: invitations.edit_client(s, by, 1, details, seen=number)
                for by, details in zip((invited.manager, invited.administrator), wanted, strict=True)
            ),
        )
        assert sum(result is StaleDetails for result in results) == 1
        assert seen(invited) == number + 1
    assert differences(invited) == []


def test_an_edit_and_an_invitation_with_the_same_e_mail_at_once_make_one_client_of_it(invited: Space) -> None:
    """Whoever comes second is told whose it is."""
    for number in range(ROUNDS):
        email = f"same{number}@example.com"
        details = details_of(invited, email=email)
        results = at_once(
            invited,
            lambda s, details=details, number=number: invitations.edit_client(
                s, invited.manager, 1, details, seen=seen(invited)
            ),
            lambda s, email=email: invitations.invite(s, invited.administrator, NewClient(name="Twin", email=email)),
        )
        assert sum(result is AlreadyClient for result in results) == 1
        with invited.database.reading() as session:
            assert len(reports.listed(session, invited.manager, search=email)) == 1
    assert differences(invited) == []


def test_a_link_used_while_the_e_mail_changes_works_or_is_dead_and_never_both(invited: Space) -> None:
    """Accepted first: no message goes to the new address. Edited first: the link opens nothing, and another waits."""
    for number in range(2, 2 + ROUNDS):
        invited.invite(f"Client {number}")
        token = token_of(invited, number)
        details = details_of(invited, number, email=f"moved{number}@example.com")
        edited, accepted = at_once(
            invited,
            lambda s, number=number, details=details: invitations.edit_client(
                s, invited.manager, number, details, seen=0
            ),
            lambda s, token=token: invitations.accept(s, token),
        )
        assert isinstance(edited, ClientEdit)
        shown = invited.detail(number)
        assert shown.client.email == f"moved{number}@example.com"
        if accepted is LinkUnknown:
            assert shown.status is ClientStatus.INVITED
            assert token_of(invited, number) not in ("", token)
        else:
            assert shown.status is ClientStatus.ACTIVE
            assert token_of(invited, number) == ""
    assert differences(invited) == []


_names = st.text(min_size=1, max_size=12)
_typed: dict[str, st.SearchStrategy[str]] = {
    "name": _names,
    "email": st.sampled_from([f"{box}@{host}.example.com" for box in ("a", "B", "é") for host in ("x", "y")]),
    "contact_name": st.one_of(st.just(""), _names),
    "language": st.sampled_from(["en", "fr", "nl", "de"]),
    "country": st.sampled_from(["", "be", "FR", "RS", "Z"]),
    "company_number": st.sampled_from(["", "0471.730.202", "1000003682", "12"]),
    "vat_number": st.sampled_from(["", "BE 0471730202", "101134702", "FR40303265045"]),
    "external_reference": st.one_of(st.just(""), _names),
}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.fixed_dictionaries({}, optional=_typed), max_size=8))
def test_whatever_is_edited_the_history_leads_from_the_first_details_to_those_of_now(
    make_space: Any, database: Any, sequence: list[dict[str, str]]
) -> None:
    """Any edits, refused or not: replayed forwards they give what is known now, backwards what it began with."""
    space = _anew(make_space, database)
    client_id = space.invite(f"Client {space.partner_id}").client_id
    first = {what: what.of(space.detail(client_id).client) for what in ClientDetail}
    expected, number = dict(first), 0
    for changed in sequence:
        space.clock.forward(minutes=1)
        typed = {what.value: expected[what] for what in ClientDetail} | changed
        try:
            details = ClientDetails.from_typed(**typed)
        except BadInput:
            continue
        with space.database.transaction() as session:
            made = invitations.edit_client(session, space.manager, client_id, details, seen=number)
        before, expected = expected, {what: what.of(details) for what in ClientDetail}
        assert (made is None) == (before == expected)
        number += made is not None
    assert {what: what.of(space.detail(client_id).client) for what in ClientDetail} == expected
    past = edits(space, client_id)
    assert [each.number for each in past] == list(range(number, 0, -1))
    for change in (change for each in past for change in each.changes):
        assert expected[change.what] == change.after
        expected[change.what] = change.before
    assert expected == first
    assert differences(space) == []


def _anew(make_space: Any, database: Any) -> Space:
    """A partner space that no example had before."""
    with database.reading() as session:
        number = session.execute(text("SELECT count(*) FROM partner")).scalar_one() + 1
    space: Space = make_space(number)
    space.save(STANDARD)
    return space
