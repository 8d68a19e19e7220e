"""`doctor`: what is configured and what is missing, line by line. It changes and sends nothing, and tells no secret."""

from argparse import Namespace
from collections.abc import Iterator
from enum import Enum
from urllib.parse import urlsplit

import httpx2
from sqlalchemy.orm import Session

from core import catalogue, invitations, members
from core.commands import Commands
from core.configuration import Configuration, SignInProvider
from core.storage import Database, search_is_missing
from core.words import DatabaseFailed, NoPricesYet, SearchUnavailable, TablesRefused

_TIMEOUT = 10.0  # seconds for a provider's answer
_NEEDED = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")


class Finding(Enum):
    """How a line of the report begins."""

    GOOD = "ok     "
    NOTE = "note   "
    MISSING = "MISSING"


Line = tuple[Finding, str]


def add_to(commands: Commands) -> None:
    """Add this command to the parser's."""
    command = commands.add_parser("doctor", help=examine.__doc__)
    command.set_defaults(run=examine, needs_tables=False)


def examine(database: Database, _arguments: Namespace) -> int:
    """Say what is configured and what is missing; exit status 1 if something is."""
    configuration = Configuration()
    lines = [*_of_database(database), *_of_sign_in(configuration), *_of_mail(configuration), *_of_url(configuration)]
    for finding, text in lines:
        print(f"{finding.value} {text}")
    missing = sum(finding is Finding.MISSING for finding, _ in lines)
    print("All is well." if not missing else f"Missing: {missing}.")
    return 1 if missing else 0


def _of_database(database: Database) -> Iterator[Line]:
    where = database.engine.url.set(query={}).render_as_string(hide_password=True)
    try:
        database.refuse_other_tables()
    except DatabaseFailed as failure:
        yield Finding.MISSING, f"database: {where}: {failure.at_a_shell()}"
        return
    except TablesRefused as refusal:
        yield Finding.GOOD, f"database: {where} answers"
        yield Finding.MISSING, f"tables: {refusal}"
        with database.engine.connect() as connection:
            if search_is_missing(connection):
                yield Finding.MISSING, f"search: {SearchUnavailable()}"
        return
    yield Finding.GOOD, f"database: {where} answers"
    yield Finding.GOOD, "tables: those of this version"
    with database.reading() as session:
        yield from _of_spaces(session)


def _of_spaces(session: Session) -> Iterator[Line]:
    spaces = members.spaces(session)
    if not spaces:
        yield Finding.MISSING, "partner space: none. Run: python -m core partner add NAME --currency EUR ..."
    for space in spaces:
        whose = f"partner space {space.partner_id}, {space.name}"
        yield Finding.GOOD, f"{whose}: {space.members} active members, {space.clients} clients"
        if not space.administrators:
            yield Finding.MISSING, f"{whose}: no active administrator"
    priced = catalogue.currencies(session)
    for currency, space in sorted({space.currency: space for space in spaces}.items()):
        if currency not in priced:
            yield Finding.MISSING, f"catalogue: no prices in {currency}. Run: python -m core catalogue load FILE"
            continue
        try:
            offered = catalogue.current(session, space)
        except NoPricesYet as refusal:
            yield Finding.MISSING, f"catalogue: {refusal}"
            continue
        counted = f"{len(offered.plans)} plans and {len(offered.add_ons)} add-ons in {currency}"
        sample = " - this is the sample, not a firm's own" if offered.is_sample else ""
        yield (Finding.NOTE if sample else Finding.GOOD), f"catalogue: edition {offered.edition}, {counted}{sample}"


def _of_sign_in(configuration: Configuration) -> Iterator[Line]:
    if configuration.is_demo:
        yield Finding.NOTE, "sign-in: not used, this is demo mode (set BILLING_DATABASE_URL, and not BILLING_DEMO)"
        return
    if not configuration.providers:
        yield Finding.MISSING, "sign-in: no provider. Set BILLING_OIDC_METADATA_URL and what the README names with it"
    for name, provider in configuration.providers.items():
        yield from _of_provider(name, provider)
    if configuration.providers:
        back = f"{configuration.public_url.rstrip('/')}/oauth2callback"
        yield Finding.NOTE, f"sign-in: register {back} with the provider, for signing in and for signing out"


def _of_provider(name: str, provider: SignInProvider) -> Iterator[Line]:
    try:
        answer = httpx2.get(provider.metadata_url, timeout=_TIMEOUT, follow_redirects=True)
        answer.raise_for_status()
        metadata = answer.json()
    except (httpx2.HTTPError, ValueError) as failure:
        yield Finding.MISSING, f"sign-in {name}: {provider.metadata_url} cannot be read ({type(failure).__name__})"
        return
    absent = [key for key in _NEEDED if not (isinstance(metadata, dict) and metadata.get(key))]
    if absent:
        yield Finding.MISSING, f"sign-in {name}: its metadata lacks {', '.join(absent)}"
        return
    yield Finding.GOOD, f"sign-in {name}: {metadata['issuer']} answers"
    if "{" in metadata["issuer"]:
        yield Finding.MISSING, f"sign-in {name}: its issuer is for any tenant; name your own tenant in the address"
    if "S256" not in metadata.get("code_challenge_methods_supported", []):
        yield Finding.NOTE, f"sign-in {name}: does not say that it does PKCE (S256), so it is not used"
    if "end_session_endpoint" not in metadata:
        yield Finding.NOTE, f"sign-in {name}: signing out here leaves people signed in there"


def _of_mail(configuration: Configuration) -> Iterator[Line]:
    if configuration.is_demo:
        return
    if configuration.smtp is None:
        yield Finding.NOTE, "mail: no server (BILLING_SMTP_HOST), so messages wait to be sent by hand"
        return
    server = configuration.smtp
    where = f"mail: {server.host}:{server.port}"
    refusal = invitations.why_unreachable(server, urlsplit(configuration.public_url).hostname or "localhost")
    yield (Finding.MISSING, f"{where}: {refusal}") if refusal else (Finding.GOOD, f"{where} lets us in")


def _of_url(configuration: Configuration) -> Iterator[Line]:
    url = configuration.public_url
    if "public_url" not in configuration.model_fields_set:
        finding = Finding.NOTE if configuration.is_demo else Finding.MISSING
        yield finding, f"public address: BILLING_PUBLIC_URL is not set; links begin with {url}"
    elif urlsplit(url).scheme != "https":
        yield Finding.NOTE, f"public address: {url}, without https: fit for this machine only"
    else:
        yield Finding.GOOD, f"public address: {url}"
