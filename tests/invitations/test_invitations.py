"""Inviting: rules 3, 4, 5, 7, 8, 9, and what people type."""

from datetime import timedelta

import pytest

from core import invitations
from core.defaults import choices
from core.invitations import NewClient
from core.invitations.invitation import latest_invitation, standing
from core.subscriptions import Client
from core.words import (
    AddOnsNotOffered,
    AlreadyClient,
    BadInput,
    BillingPeriod,
    BillingSettings,
    ClientStatus,
    InvitationStatus,
    MissingSetting,
    NoPrice,
    Origin,
    Overrides,
    Payer,
    RetiredChosen,
    RetiredDefaults,
    Setting,
    Source,
    StaleDefaults,
    listed,
)
from tests.conftest import PLUS, STANDARD, Space


def test_the_invitation_binds_the_client_to_the_version_in_force(space: Space) -> None:
    """Rule 3."""
    space.save(STANDARD)
    space.save(PLUS)
    shown = space.detail(space.invite().client_id)
    assert shown.effective.settings == PLUS
    assert shown.effective.overridden == frozenset()
    assert shown.bound is not None
    assert shown.bound.version == 2
    assert shown.status is ClientStatus.INVITED


def test_an_override_can_be_set_at_the_invitation(space: Space) -> None:
    """Rule 4."""
    space.save(STANDARD)
    shown = space.detail(space.invite(overrides=Overrides(plan="plus", add_ons=frozenset())).client_id)
    assert shown.effective.settings == BillingSettings.starting_with(
        payer=Payer.CLIENT, billing_period=BillingPeriod.MONTHLY, plan="plus", add_ons=frozenset()
    )
    assert shown.effective.overridden == {Setting.PLAN, Setting.ADD_ONS}


def test_a_choice_that_equals_the_default_is_still_a_choice(space: Space) -> None:
    """Rule 5: nothing infers a source by comparing values."""
    space.save(STANDARD)
    shown = space.detail(space.invite(overrides=Overrides(payer=STANDARD.payer)).client_id)
    assert shown.effective.settings == STANDARD
    assert shown.effective.payer.source is Source.OVERRIDE


def test_without_defaults_an_invitation_has_to_choose_every_setting(space: Space) -> None:
    """Rule 7: the refusal names what is still to be chosen, and is a MissingSetting too."""
    others = listed(setting.label for setting in Setting if setting is not Setting.PAYER)
    with pytest.raises(MissingSetting, match=f"Choose these too: {others}") as refusal:
        space.invite(overrides=Overrides(payer=Payer.CLIENT))
    assert isinstance(refusal.value, MissingSetting)
    shown = space.detail(space.invite(overrides=choices(PLUS, frozenset(Setting))).client_id)
    assert shown.effective.settings == PLUS
    assert shown.effective.overridden == frozenset(Setting)
    assert shown.bound is None


@pytest.mark.parametrize(
    ("overrides", "refusal"),
    [
        pytest.param(Overrides(plan="starter", add_ons=frozenset({"payroll"})), AddOnsNotOffered, id="chosen add-ons"),
        pytest.param(Overrides(add_ons=frozenset({"payroll"})), AddOnsNotOffered, id="add-ons on an inherited plan"),
        pytest.param(Overrides(plan="starter", billing_period=BillingPeriod.YEARLY), NoPrice, id="no price"),
        pytest.param(Overrides(plan="classic"), RetiredChosen, id="a retired plan"),
    ],
)
def test_impossible_choices_are_refused_and_nobody_is_invited(
    space: Space, overrides: Overrides, refusal: type[Exception]
) -> None:
    """Rules 8 and 9, in the preview as in the act; nothing is half done."""
    space.save(STANDARD)
    with pytest.raises(refusal), space.database.reading() as session:
        invitations.preview(session, space.manager, overrides)
    with pytest.raises(refusal):
        space.invite(overrides=overrides)
    assert space.invite().client_id == 1


def test_an_override_of_the_plan_that_leaves_inherited_add_ons_it_does_not_offer_is_refused(space: Space) -> None:
    """Rule 8, naming them."""
    space.save(
        BillingSettings.starting_with(
            payer=Payer.CLIENT,
            billing_period=BillingPeriod.MONTHLY,
            plan="plus",
            add_ons=frozenset({"payroll", "bank_feeds"}),
        )
    )
    with pytest.raises(AddOnsNotOffered, match="Payroll: not offered with Starter"):
        space.invite(overrides=Overrides(plan="starter"))


def test_inviting_with_defaults_that_hold_something_retired_says_what_to_change(space: Space) -> None:
    """Rule 9: and choosing something else for this client is a way out."""
    space.save(STANDARD)
    space.retire(plan="standard")
    with pytest.raises(RetiredDefaults, match="Default settings v1 include Standard, which is retired"):
        space.invite()
    assert space.detail(space.invite(overrides=Overrides(plan="plus")).client_id).effective.plan.value == "plus"


def test_a_retired_add_on_in_the_defaults_is_told_too(space: Space) -> None:
    """Rule 9."""
    space.save(STANDARD)
    space.retire(add_on="bank_feeds")
    with pytest.raises(RetiredDefaults, match="v1 include Bank feeds"):
        space.invite()


def test_an_e_mail_already_there_names_the_client_and_when_it_was_invited(space: Space) -> None:
    """Whatever its case or the spaces around it."""
    space.save()
    first = space.invite("Aubry & Fils", email="office@aubry.example.com")
    with pytest.raises(AlreadyClient, match=r"belongs to Aubry & Fils, invited on 3 Mar 2026") as refusal:
        space.invite("Someone else", email=" Office@Aubry.Example.com ")
    assert refusal.value.client_id == first.client_id


def test_sent_twice_makes_one_client(space: Space) -> None:
    """The same filled-in form gives the client it made; another form with that e-mail is refused."""
    space.save()
    new_client = NewClient.from_typed(name="Aubry", email="a@aubry.example.com")
    made = []
    for _ in range(2):
        with space.database.transaction() as session:
            made.append(invitations.invite(session, space.manager, new_client, attempt="form-1").client_id)
    assert made == [1, 1]
    with pytest.raises(AlreadyClient), space.database.transaction() as session:
        invitations.invite(session, space.manager, new_client, attempt="form-2")
    assert len(space.detail(1).history) == 1


def test_defaults_saved_since_the_form_was_shown_are_told_before_anybody_is_invited(space: Space) -> None:
    """Rule 12: nobody gets other settings than those on the screen."""
    space.save(STANDARD)
    space.save(PLUS)
    new_client = NewClient.from_typed(name="Aubry", email="a@aubry.example.com")
    with pytest.raises(StaleDefaults, match="saved version 2"), space.database.transaction() as session:
        invitations.invite(session, space.manager, new_client, seen_version=1)
    with space.database.transaction() as session:
        assert invitations.invite(session, space.manager, new_client, seen_version=2).client_id == 1


def test_the_same_e_mail_can_be_a_client_of_two_partners(space: Space, make_space) -> None:
    """Tenants know nothing of each other."""
    other = make_space(2)
    space.save()
    other.save()
    assert space.invite().client_id == 1
    assert other.invite().client_id == 1


def test_the_first_revision_records_who_when_and_through_which_door(space: Space) -> None:
    """Rule 11."""
    space.save()
    with space.database.transaction() as session:
        new_client = NewClient.from_typed(name="Aubry", email="a@aubry.example.com", message="Welcome")
        client = invitations.invite(session, space.manager, new_client, Overrides(plan="plus"), reason="as agreed")
    (first,) = space.detail(client.client_id).history
    assert (first.changed_by, first.valid_from, first.valid_to) == ("The client manager", space.clock(), None)
    assert (first.origin, first.reason) == (Origin.PAGE, "as agreed")


def test_an_invitation_is_pending_until_it_lapses(space: Space) -> None:
    """Where it stands is told by its instants: no job has to run."""
    space.save()
    client = space.invite()
    with space.database.reading() as session:
        invitation = latest_invitation(session, 1, client.client_id)
    assert standing(invitation, space.clock()) is InvitationStatus.PENDING
    assert standing(invitation, space.clock() + timedelta(days=30)) is InvitationStatus.EXPIRED


def test_a_preview_writes_nothing(space: Space) -> None:
    """It tells what would be bound."""
    space.save()
    with space.database.reading() as session:
        effective = invitations.preview(session, space.manager, Overrides(payer=Payer.PARTNER))
    assert effective.settings.payer is Payer.PARTNER
    assert effective.defaults_version == 1
    with space.database.reading() as session:
        assert session.query(Client).count() == 0


def test_what_is_typed_is_trimmed_and_normalised() -> None:
    """Names on one line, e-mails in lower case, company numbers as ten digits."""
    client = NewClient.from_typed(
        name="  Aubry   &\n Fils ",
        email=" Office@AUBRY.example.com ",
        company_number="BE 0471.730.202",
        contact_name=" L ",
    )
    assert (client.name, client.email) == ("Aubry & Fils", "office@aubry.example.com")
    assert (client.company_number, client.contact_name) == ("0471730202", "L")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("1000003682", "1000003682"),
        ("0471730202", "0471730202"),
        ("0471.730.202", "0471730202"),
        ("BE0471 730 202", "0471730202"),
        ("", None),
    ],
)
def test_belgian_company_numbers_are_known_by_their_check(typed: str, kept: str | None) -> None:
    """They begin with 0 or, since 2023, 1."""
    assert NewClient.from_typed(name="A", email="a@example.com", company_number=typed).company_number == kept


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "   ", "Fill this in."),
        ("name", "x" * 201, "Keep it within 200 characters."),
        ("name", "bell\x07", "characters that cannot be shown"),
        ("name", "\u200b\u2060", "Fill this in."),
        ("name", "\u3164", "Fill this in."),
        ("name", "\u0301", "Fill this in."),
        ("name", "nul\x00", "characters that cannot be shown"),
        ("name", "turned \u202e around", "characters that cannot be shown"),
        ("name", "half a pair \ud800", "characters that cannot be shown"),
        ("email", "nobody", "This is not an e-mail address."),
        ("email", "", "This is not an e-mail address."),
        ("email", "a@b@example.com", "This is not an e-mail address."),
        ("email", "jоhn@example.com", "“о”, character 2 of “jоhn”, is from another alphabet than the rest"),
        ("company_number", "0123456789", "The last two digits of this company number do not fit the others"),
        ("company_number", "2123456789", "This is not a Belgian company number"),
        ("company_number", "12", "This is not a Belgian company number"),
        ("language", "de", "Choose one of the languages"),
        ("message", "x" * 2001, "Keep it within 2,000 characters."),
        ("message", "nul\x00", "characters that cannot be shown"),
    ],
)
def test_each_field_that_needs_a_correction_says_so(field: str, value: str, sentence: str) -> None:
    """A sentence per field, none for the others."""
    typed = {"name": "Aubry", "email": "a@example.com"} | {field: value}
    with pytest.raises(BadInput, match=sentence) as refusal:
        NewClient.from_typed(**typed)
    assert list(refusal.value.fields) == [field]


def test_several_faults_are_told_together() -> None:
    """One round of corrections is enough."""
    with pytest.raises(BadInput) as refusal:
        NewClient.from_typed(name="", email="x", company_number="1")
    assert set(refusal.value.fields) == {"name", "email", "company_number"}


@pytest.mark.parametrize(
    ("country", "field", "typed", "kept"),
    [
        ("FR", "company_number", "552 008 443", "552008443"),
        ("FR", "company_number", "73282932000074", "73282932000074"),
        ("NL", "company_number", "1234 5678", "12345678"),
        ("BE", "company_number", "TVA BE 0471.730.202", "0471730202"),
        ("BE", "vat_number", "TVA BE 0471.730.202", "BE0471730202"),
        ("BE", "vat_number", "BTW: BE0471730202", "BE0471730202"),
        ("BE", "vat_number", "BTW-nummer: BE 0471.730.202", "BE0471730202"),
        ("BE", "vat_number", "T.V.A. BE 0471.730.202 RPM Bruxelles", "BE0471730202"),
        ("FR", "vat_number", "N° TVA intracommunautaire : FR40303265045", "FR40303265045"),
        ("NL", "vat_number", "BTW-id NL004495445B01", "NL004495445B01"),
        ("BE", "company_number", "0471.730.202 RPM Bruxelles", "0471730202"),
        ("BE", "company_number", "BE 0471.730.202 (RPR Antwerpen, afdeling Mechelen)", "0471730202"),
        ("BE", "company_number", "BCE/KBO : 0471.730.202", "0471730202"),
        ("BE", "company_number", "N° d’entreprise 0471.730.202", "0471730202"),
        ("BE", "company_number", "BTW-nummer: BE 0471.730.202", "0471730202"),
        ("FR", "company_number", "RCS Paris 552 100 554", "552100554"),
        ("FR", "company_number", "552 100 554 R.C.S. Paris", "552100554"),
        ("FR", "company_number", "n° SIRET : 732 829 320 00074", "73282932000074"),
        ("NL", "company_number", "KvK 33014286", "33014286"),
        ("NL", "company_number", "KvK-nummer: 33014286", "33014286"),
        ("LU", "company_number", "RCS Luxembourg B123456", "RCS Luxembourg B123456"),
        ("NL", "vat_number", "NL004495445B01", "NL004495445B01"),
        ("GR", "vat_number", "EL 094259216", "EL094259216"),
        ("GR", "vat_number", "094259216", "EL094259216"),
    ],
)
def test_numbers_are_known_by_the_rules_of_their_country(country: str, field: str, typed: str, kept: str) -> None:
    """SIREN and SIRET, KvK, Dutch and Greek VAT numbers, whatever is written before them; EL stays EL."""
    client = NewClient.from_typed(name="A", email="a@example.com", country=country, **{field: typed})
    assert getattr(client, field) == kept


@pytest.mark.parametrize(
    ("country", "field", "typed", "sentence"),
    [
        ("FR", "company_number", "552008444", "not a SIREN or SIRET number"),
        ("NL", "company_number", "1234567", "not a KvK number"),
        ("NL", "company_number", "BTW 33014286", "not a KvK number"),
        ("NL", "company_number", "KvK 33014286 / 12345678", "not a KvK number"),
        ("FR", "company_number", "RCS Paris 552 100 555", "not a SIREN or SIRET number"),
        ("BE", "company_number", "TVA FR 0471.730.202", "not a Belgian company number"),
        ("BE", "company_number", "0471.730.202 RPM Bruxelles 1000", "not a Belgian company number"),
        ("BE", "vat_number", "BTW FR 0471730202", "not a VAT number of BE"),
        ("NL", "vat_number", "NL004495446B01", "not a VAT number of NL"),
    ],
)
def test_a_number_that_its_country_does_not_know_is_refused(
    country: str, field: str, typed: str, sentence: str
) -> None:
    """The sentence says whose number it would be."""
    with pytest.raises(BadInput, match=sentence):
        NewClient.from_typed(name="A", email="a@example.com", country=country, **{field: typed})
