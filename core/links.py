"""The links of invitations: where the product is reached from outside, how long they hold, and their tokens."""

from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest
from secrets import token_urlsafe
from urllib.parse import urlsplit

PAGE = "accept"
PARAMETER = "invitation"
_SECRET_BYTES = 24  # 192 bits that nobody can guess


@dataclass(frozen=True, slots=True)
class Links:
    """The address of the product as a client's browser reaches it, and how long an invitation holds."""

    address: str = "http://localhost:8501"
    valid_for: timedelta = timedelta(days=30)

    def to(self, token: str) -> str:
        """The link that carries this token."""
        return f"{self.address.rstrip('/')}/{PAGE}?{PARAMETER}={token}"

    @property
    def host(self) -> str:
        """The name under which messages are numbered."""
        return urlsplit(self.address).hostname or "localhost"


def new_token(partner_id: int, client_id: int, number: int) -> str:
    """A token for an invitation: its key, so that it is found, and a secret, so that it is not guessed."""
    return f"{partner_id}.{client_id}.{number}.{token_urlsafe(_SECRET_BYTES)}"


def key_of(token: str) -> tuple[int, int, int] | None:
    """The key of the invitation a token names: partner, client, number; None for what is no token."""
    parts = token.split(".")
    numbers = [int(part) for part in parts[:3] if part.isascii() and part.isdecimal() and len(part) < 10]
    if len(parts) != 4 or len(numbers) != 3 or not parts[3]:
        return None
    return numbers[0], numbers[1], numbers[2]


def hash_of(token: str) -> str:
    """What is stored of a token."""
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def opens(token: str, token_hash: str | None) -> bool:
    """Whether this is the token of that hash."""
    return token_hash is not None and compare_digest(hash_of(token), token_hash)
