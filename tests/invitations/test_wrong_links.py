"""Wrong links of invitations: whoever tries them out is told to stop, and nobody else is kept out."""

from datetime import UTC, datetime

import pytest

from core import invitations
from core.invitations import Offered, OutboxMessage, WrongLinks
from core.invitations.wrong_links import ANSWERED, WITHIN, network_of
from core.words import LinkExpired, LinkUnknown, TooManyWrongLinks
from tests.conftest import STANDARD, Space

OFFICE, ELSEWHERE = "203.0.113.7", "198.51.100.9"
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def token_of(space: Space, client_id: int) -> str:
    with space.database.reading() as session:
        waiting = invitations.waiting(session, space.partner_id, client_id, OutboxMessage)
    assert waiting is not None
    return waiting.token or ""


def opened(space: Space, token: str, wrong: WrongLinks, address: str = OFFICE) -> Offered:
    with space.database.reading() as session:
        return invitations.offered_to(session, token, address, wrong)


def tried_out(space: Space, wrong: WrongLinks, address: str = OFFICE) -> None:
    """As many wrong links as are answered."""
    for number in range(ANSWERED):
        with pytest.raises(LinkUnknown):
            opened(space, f"1.1.1.guess{number}", wrong, address)


def test_whoever_tries_out_links_is_told_to_stop(space: Space) -> None:
    """From another network a wrong link is answered as ever."""
    wrong = WrongLinks()
    tried_out(space, wrong)
    with pytest.raises(TooManyWrongLinks, match="Wait an hour"):
        opened(space, "1.1.1.another", wrong)
    with pytest.raises(LinkUnknown):
        opened(space, "1.1.1.another", wrong, ELSEWHERE)


def test_a_right_link_opens_whatever_a_neighbour_tries_out(space: Space) -> None:
    """The people of an office share one address."""
    space.save(STANDARD)
    token = token_of(space, space.invite().client_id)
    wrong = WrongLinks()
    tried_out(space, wrong)
    with pytest.raises(TooManyWrongLinks):
        opened(space, "1.1.1.another", wrong)
    assert opened(space, token, wrong).client == "Aubry & Fils"


def test_an_old_link_is_no_wrong_one(space: Space) -> None:
    """It is told what became of its invitation, however often it is opened."""
    space.save(STANDARD)
    token = token_of(space, space.invite().client_id)
    space.clock.forward(days=31)
    wrong = WrongLinks()
    tried_out(space, wrong)
    with pytest.raises(LinkExpired):
        opened(space, token, wrong)


def test_nobody_waits_longer_where_the_clock_goes_back(space: Space) -> None:
    """As it does where the demo, shown as a later day, is begun again."""
    wrong = WrongLinks()
    tried_out(space, wrong)
    space.clock.forward(days=-31)
    with pytest.raises(LinkUnknown):
        opened(space, "1.1.1.another", wrong)


def test_the_same_wrong_link_again_and_no_link_at_all_are_not_counted(space: Space) -> None:
    """A link that lost its end in a mail program is opened more than once."""
    wrong = WrongLinks()
    for _ in range(2 * ANSWERED):
        for token in ("1.1.1.cut", ""):
            with pytest.raises(LinkUnknown):
                opened(space, token, wrong)
    for number in range(ANSWERED - 1):
        with pytest.raises(LinkUnknown):
            opened(space, f"1.1.1.guess{number}", wrong)
    with pytest.raises(TooManyWrongLinks):
        opened(space, "1.1.1.another", wrong)


def test_after_a_while_wrong_links_are_answered_again(space: Space) -> None:
    """Each is forgotten an hour after it was opened, by the product's clock."""
    wrong = WrongLinks()
    tried_out(space, wrong)
    space.clock.forward(seconds=WITHIN.total_seconds() - 1)
    with pytest.raises(TooManyWrongLinks):
        opened(space, "1.1.1.another", wrong)
    space.clock.forward(seconds=1)
    with pytest.raises(LinkUnknown):
        opened(space, "1.1.1.another", wrong)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("no address", ""),
        ("", ""),
    ],
)
def test_a_network_is_an_ipv4_address_or_the_half_of_an_ipv6_address(address: str, network: str) -> None:
    """Within its half of an IPv6 address anybody can take as many as they like."""
    assert network_of(address) == network


def test_what_is_remembered_has_a_bound() -> None:
    """The network heard of longest ago is forgotten, and no network is remembered with more links than are answered."""
    wrong = WrongLinks(remembered=2)
    for number in range(3 * ANSWERED):
        for network in ("a", "b"):
            try:
                wrong.note(network, f"guess{number}", NOW)
            except TooManyWrongLinks:
                assert number >= ANSWERED
    wrong.note("c", "guess", NOW)
    assert list(wrong.opened) == ["b", "c"]
    assert len(wrong.opened["b"]) == ANSWERED
