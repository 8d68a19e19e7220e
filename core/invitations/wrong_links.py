"""How many wrong links are answered: whoever tries out links is told to stop, whoever has a right one is let in.

What keeps links from being guessed is their secret; this keeps trying them out from being of any use or cost. It is the
memory of one server, of a bounded size, and nothing of it is stored.
"""

from collections import OrderedDict
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from threading import Lock

from sqlalchemy.orm import Session

from core.invitations.accepting import Offered, offered
from core.invitations.invitation import hash_of
from core.storage import now
from core.words import LinkUnknown, TooManyWrongLinks

ANSWERED = 10  # different wrong links of one network, within
WITHIN = timedelta(hours=1)
_REMEMBERED = 10_000  # networks
_IPV6_NETWORK = 64  # bits: what one household or office is given; it can take any address within


class WrongLinks:
    """The wrong links that were opened lately, by network: the newest ones of the networks heard of last."""

    def __init__(self, *, remembered: int = _REMEMBERED) -> None:
        self.remembered = remembered
        self.opened: OrderedDict[str, dict[str, datetime]] = OrderedDict()
        self.lock = Lock()

    def note(self, network: str, token: str, at: datetime) -> None:
        """Note that a wrong link was opened; the same one again is no other. Raises TooManyWrongLinks."""
        link = hash_of(token)
        with self.lock:
            links = {other: when for other, when in self.opened.pop(network, {}).items() if abs(at - when) < WITHIN}
            is_answered = link in links or len(links) < ANSWERED
            if is_answered:
                links.setdefault(link, at)
            self.opened[network] = links
            while len(self.opened) > self.remembered:
                self.opened.popitem(last=False)
        if not is_answered:
            raise TooManyWrongLinks


def offered_to(session: Session, token: str, address: str, wrong_links: WrongLinks) -> Offered:
    """What this link offers, whatever others tried from the same address; a wrong one is noted.

    `address`: where the visitor comes from, "" where that is not known. Raises LinkUnknown, TooManyWrongLinks,
    LinkUsed, LinkRevoked, LinkExpired.
    """
    try:
        return offered(session, token)
    except LinkUnknown:
        if token:
            wrong_links.note(network_of(address), token, now(session))
        raise


def network_of(address: str) -> str:
    """Whose an address is: an IPv4 address itself, an IPv6 address with those beside it; "" for what is none."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ip_network((int(found), _IPV6_NETWORK), strict=False))
