"""Signing in: which members an account is, until when a sign-in is good, and what is kept of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core import members, team
from core.members import Identity, Member, SignInEvent
from core.words import MemberFact, NotAllowed, Role, SignInEnded, SignInKind, StaleMember
from tests.conftest import Space

HOURS = timedelta(hours=12)


def account(space: Space, email: str = "client_manager@example.com", **named: object) -> Identity:
    """An account at the provider that signed in just now, its e-mail verified."""
    signed_in = Identity("https://provider.example", "subject-1", email, True, "A. Peeters", space.clock.moment)
    return replace(signed_in, **named)  # type: ignore[arg-type]


def sign_in(space: Space, who: Identity, *, trusts_email: bool = False) -> list[Member]:
    members.bind(space.database, who, trusts_email=trusts_email)
    return known(space, who)


def known(space: Space, who: Identity) -> list[Member]:
    with space.database.reading() as session:
        return members.members_of(session, who, valid_for=HOURS)


def change(space: Space, member: Member, **values: object) -> None:
    with space.database.transaction() as session:
        key = (Member.partner_id == member.partner_id, Member.member_id == member.member_id)
        session.execute(update(Member).where(*key).values(**values))


def events(space: Space) -> list[SignInEvent]:
    with space.database.reading() as session:
        return list(session.scalars(select(SignInEvent).order_by(SignInEvent.event_id)))


def test_the_first_sign_in_binds_by_the_verified_e_mail(space: Space) -> None:
    """Letters in the e-mail may be large; the account is the member from then on."""
    (member,) = sign_in(space, account(space, "Client_Manager@Example.com"))
    assert member.role is Role.CLIENT_MANAGER
    assert member.partner.name == "Partner 1"
    assert [(e.kind, e.member_id) for e in events(space)] == [(SignInKind.BOUND, member.member_id)]


def test_an_account_is_known_by_issuer_and_subject_and_never_again_by_its_e_mail(space: Space) -> None:
    """A changed e-mail opens nothing else; another account with the old e-mail is nobody."""
    (bound,) = sign_in(space, account(space))
    (again,) = sign_in(space, account(space, "administrator@example.com"))
    assert again.member_id == bound.member_id
    assert sign_in(space, account(space, subject="subject-2")) == []
    assert sign_in(space, account(space, issuer="https://evil.example")) == []


def test_an_e_mail_that_is_not_verified_binds_nothing_unless_the_operator_trusts_it(space: Space) -> None:
    unverified = account(space, email_is_verified=False)
    assert sign_in(space, unverified) == []
    assert sign_in(space, account(space, email="")) == []
    assert len(sign_in(space, unverified, trusts_email=True)) == 1


def test_letters_that_only_look_alike_are_other_letters(space: Space, make_space: Callable[[int], Space]) -> None:
    """The sign of the kelvin becomes a k in lower case."""
    change(space, space.manager, email="mike@example.com")
    assert sign_in(space, account(space, "mi\u212ae@example.com")) == []
    assert len(sign_in(space, account(space, "Mike@Example.com"))) == 1


def test_an_inactive_member_is_not_bound_and_one_let_go_is_told_apart(space: Space) -> None:
    change(space, space.manager, is_active=False)
    assert sign_in(space, account(space)) == []
    change(space, space.manager, is_active=True)
    assert len(sign_in(space, account(space))) == 1
    change(space, space.manager, is_active=False)
    assert [member.is_active for member in known(space, account(space))] == [False]


def test_one_account_is_a_member_of_each_space_with_its_e_mail_also_of_one_made_later(
    space: Space, make_space: Callable[[int], Space]
) -> None:
    assert [member.partner_id for member in sign_in(space, account(space))] == [1]
    make_space(2)
    assert [member.partner_id for member in known(space, account(space))] == [1]
    assert [member.partner_id for member in sign_in(space, account(space))] == [1, 2]


def test_an_account_is_one_member_in_a_space(space: Space) -> None:
    """Its e-mail changed to a colleague's: it does not become that colleague too."""
    sign_in(space, account(space))
    (member,) = sign_in(space, account(space, "finance@example.com"))
    assert member.role is Role.CLIENT_MANAGER


def test_two_windows_of_one_first_sign_in_bind_once(space: Space) -> None:
    """And two accounts with one e-mail at once: one of them is the member."""
    from concurrent.futures import ThreadPoolExecutor

    accounts = [account(space), account(space), account(space, subject="subject-2")]
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda who: sign_in(space, who), accounts))
    assert sorted(len(known(space, who)) for who in accounts[1:]) == [0, 1]
    assert any(found)


def test_a_released_binding_lets_the_next_account_with_the_e_mail_in(space: Space) -> None:
    """And both the binding and its release are kept as changes of the member."""
    sign_in(space, account(space))
    number = space.manager.member_id
    with space.database.transaction() as session:
        assert team.release_sign_in(session, space.administrator, number, seen=1)
        assert not team.release_sign_in(session, space.administrator, number, seen=2)
    assert sign_in(space, account(space)) == []  # the old sign-in says nothing new of whose mailbox it is
    assert sign_in(space, account(space, subject="subject-2")) == []
    space.clock.forward(seconds=1)
    assert len(sign_in(space, account(space, subject="subject-2"))) == 1
    with space.database.reading() as session:
        kept = team.detail(session, space.administrator, number)
    assert kept.account is not None
    assert kept.account.subject == "subject-2"
    first, second = (f"subject-{n} (https://provider.example)" for n in (1, 2))
    assert [(each.changed_by, each.facts) for each in reversed(kept.history)] == [
        ("The client manager", ((MemberFact.SIGN_IN, None, first),)),
        ("The administrator", ((MemberFact.SIGN_IN, first, None),)),
        ("The client manager", ((MemberFact.SIGN_IN, None, second),)),
    ]


def test_a_release_of_what_was_bound_anew_meanwhile_is_refused(space: Space) -> None:
    """The administrator looked at an account that is no longer the member's."""
    sign_in(space, account(space))
    with space.database.transaction() as session:
        team.release_sign_in(session, space.administrator, space.manager.member_id, seen=1)
    space.clock.forward(seconds=1)
    sign_in(space, account(space, subject="subject-2"))
    with pytest.raises(StaleMember), space.database.transaction() as session:
        team.release_sign_in(session, space.administrator, space.manager.member_id, seen=1)
    assert known(space, account(space, subject="subject-2"))


def test_signing_out_ends_this_and_every_earlier_sign_in_and_no_later_one(space: Space) -> None:
    """In every window and for every copied cookie; the provider's clock alone decides what is later."""
    sign_in(space, account(space))
    earlier, later = account(space, signed_in_at=space.clock.moment - timedelta(hours=1)), account(space)
    members.end_sign_ins(space.database, earlier)
    with pytest.raises(SignInEnded):
        known(space, earlier)
    assert known(space, later)
    members.end_sign_ins(space.database, later)
    members.end_sign_ins(space.database, earlier)  # an older window signs out last: nothing comes back
    with pytest.raises(SignInEnded):
        known(space, later)
    space.clock.forward(seconds=1)
    assert known(space, account(space))
    assert sign_in(space, account(space, "finance@example.com", subject="subject-2"))  # nobody else is signed out


def test_two_windows_that_sign_out_at_once_both_do(space: Space) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: members.end_sign_ins(space.database, account(space)), range(8)))
    with pytest.raises(SignInEnded):
        known(space, account(space))


def test_a_stranger_who_signed_out_has_ended_too(space: Space) -> None:
    stranger = account(space, "stranger@example.com")
    assert known(space, stranger) == []
    members.end_sign_ins(space.database, stranger)
    with pytest.raises(SignInEnded):
        known(space, stranger)


def test_a_sign_in_is_good_for_so_long_and_not_a_moment_longer(space: Space) -> None:
    who = account(space)
    sign_in(space, who)
    space.clock.forward(hours=12, microseconds=-1)
    assert known(space, who)
    space.clock.forward(microseconds=1)
    with pytest.raises(SignInEnded):
        known(space, who)


def test_a_sign_in_from_the_future_is_no_sign_in_beyond_two_minutes_between_the_clocks(space: Space) -> None:
    sign_in(space, account(space))
    assert known(space, account(space, signed_in_at=space.clock.moment + timedelta(minutes=2)))
    with pytest.raises(SignInEnded):
        known(space, account(space, signed_in_at=space.clock.moment + timedelta(minutes=2, microseconds=1)))


def test_an_event_is_kept_once_for_each_sign_in_space_and_address(space: Space, make_space) -> None:
    """However many windows are opened; a copied cookie used from elsewhere shows."""
    other = make_space(2)
    who = account(space)
    for address, member in (("10.0.0.1", space.manager), ("10.0.0.2", space.manager), ("10.0.0.1", other.manager)):
        for _ in range(3):
            with space.database.transaction() as session:
                members.record(session, who, SignInKind.SIGNED_IN, address=address, member=member)
    assert [(e.partner_id, e.address) for e in events(space)] == [(1, "10.0.0.1"), (1, "10.0.0.2"), (2, "10.0.0.1")]


def test_administrators_see_the_sign_ins_of_their_space_and_strangers_only_where_it_is_the_only_one(
    space: Space, make_space: Callable[[int], Space]
) -> None:
    with space.database.transaction() as session:
        members.record(session, account(space), SignInKind.SIGNED_IN, member=space.manager)
        members.record(session, account(space, "stranger@example.com", subject="s"), SignInKind.REFUSED)
    with space.database.reading() as session:
        assert [e.kind for e in members.sign_ins(session, space.administrator)] == [
            SignInKind.REFUSED,
            SignInKind.SIGNED_IN,
        ]
        assert len(members.sign_ins(session, space.administrator, limit=1)) == 1
        for role in set(Role) - {Role.ADMINISTRATOR}:
            with pytest.raises(NotAllowed):
                members.sign_ins(session, space.members[role])
    other = make_space(2)
    with space.database.reading() as session:
        assert [e.partner_id for e in members.sign_ins(session, space.administrator)] == [1]
        assert members.sign_ins(session, other.administrator) == []


def test_a_member_named_by_its_e_mail_gets_the_name_that_the_provider_says(space: Space) -> None:
    change(space, space.administrator, name=space.administrator.email)
    (member,) = sign_in(space, account(space, space.administrator.email, name="  An\nAdministrator "))
    assert member.name == "An Administrator"
    (other,) = sign_in(space, account(space, "finance@example.com", subject="subject-2"))
    assert other.name == "The finance"


@pytest.mark.parametrize("name", ["", "\u202eevil", "\u200b"])
def test_a_name_that_cannot_be_shown_is_not_taken(space: Space, name: str) -> None:
    change(space, space.administrator, name=space.administrator.email)
    (member,) = sign_in(space, account(space, space.administrator.email, name=name))
    assert member.name == space.administrator.email


def test_a_visit_is_recorded_at_most_every_ten_minutes(space: Space) -> None:
    with space.database.transaction() as session:
        assert not members.visit_is_recent(space.manager, space.clock())
        members.record_visit(session, space.manager)
    with space.database.reading() as session:
        manager = members.find(session, 1, space.manager.member_id)
        assert manager is not None
        assert manager.last_seen_at == space.clock.moment
        assert members.visit_is_recent(manager, space.clock())
    space.clock.forward(minutes=10)
    with space.database.reading() as session:
        assert not members.visit_is_recent(manager, space.clock())
