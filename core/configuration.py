"""What an operator can set, by environment variables. Without any, the product opens in demo mode."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from os import environ
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, EmailStr, Field, HttpUrl, PrivateAttr, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.exc import ArgumentError

from core.invitations import SmtpServer
from core.storage import Deployment

ONE_PROVIDER = "oidc"  # its name where there is only one
_LEAST_SECRET = 32  # characters
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_DEMO_FILE = Path(__file__).parent.parent / "var" / "demo.sqlite3"


class Misconfigured(Exception):
    """A variable of the environment cannot be used as it is set; the sentence says which one and why."""


@contextmanager
def usable() -> Iterator[None]:
    """Within the block, the configuration is read and its database opened. Raises Misconfigured."""
    try:
        yield
    except (ValidationError, ArgumentError, ImportError) as wrong:
        raise Misconfigured(f"A BILLING_... variable cannot be used as it is set: {wrong}") from wrong


def _in_ascii(address: str) -> str:
    if not address.rpartition("@")[0].isascii():
        raise ValueError("no header takes a mailbox in other letters")
    return address


def _at_a_provider(url: str) -> str:
    parts = urlsplit(str(HttpUrl(url)))
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise ValueError("a provider is reached by https")
    if parts.username or parts.password:
        raise ValueError("no user and no password in the address")
    if {"common", "organizations", "consumers"} & set(parts.path.split("/")) and "microsoft" in (parts.hostname or ""):
        raise ValueError("name your tenant in the address: .../<tenant id>/v2.0/.well-known/openid-configuration")
    return url


class SignInProvider(BaseSettings):
    """A provider of sign-ins (OpenID Connect), by the variables that begin with `BILLING_OIDC_` or, where there are
    several, with `BILLING_OIDC_<NAME>_`.

    METADATA_URL: its `.../.well-known/openid-configuration`. CLIENT_ID, CLIENT_SECRET: ours with it. TITLE: what the
    button says. PROMPT: what it asks before it lets somebody in, as OpenID Connect names it. SCOPE: what it tells of
    them. TRUST_EMAIL: whether its e-mails count as verified although it does not say so.
    """

    model_config = SettingsConfigDict(hide_input_in_errors=True)

    metadata_url: Annotated[str, AfterValidator(_at_a_provider)]
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: Annotated[SecretStr, Field(min_length=1)]
    title: str = ""
    prompt: str = ""
    scope: str = "openid email profile"
    trust_email: bool = False


def _provider(prefix: str) -> SignInProvider:
    """The provider that the variables with this prefix describe. Raises ValueError naming those that are wrong."""
    try:
        return SignInProvider(_env_prefix=prefix)  # type: ignore[call-arg]
    except ValidationError as wrong:
        said = [f"{prefix}{str(error['loc'][0]).upper()}: {error['msg']}" for error in wrong.errors()]
        raise ValueError("; ".join(said)) from None


class Configuration(BaseSettings):
    """BILLING_DATABASE_URL: a SQLAlchemy URL, `sqlite:///...` or `postgresql+psycopg://...`.

    BILLING_DEMO: whether to open in demo mode; by default only when no database is named.
    BILLING_DEMO_CONTROL: whether whoever looks at the demo can show it as a later day and begin it anew; by default so.
    BILLING_PUBLIC_URL: where a client's browser reaches the product; the links of invitations begin with it.
    BILLING_INVITATION_DAYS: how long an invitation holds.
    BILLING_SMTP_HOST, _PORT, _TLS (starttls, ssl or none), _USER, _PASSWORD, _SENDER, _TIMEOUT (seconds for each
    answer): where messages leave. Without a host they wait in the outbox.
    BILLING_OIDC_PROVIDERS: the names of several providers of sign-ins, with commas; see SignInProvider for each.
    BILLING_COOKIE_SECRET: what sign-ins are signed with; the same on every server.
    BILLING_SIGN_IN_HOURS: how long a sign-in is good.
    BILLING_ADDRESS_HEADER: the header in which the proxy writes a visitor's address, where it is not X-Forwarded-For.
    """

    model_config = SettingsConfigDict(env_prefix="billing_", hide_input_in_errors=True)

    database_url: str = ""
    demo: bool | None = None
    demo_control: bool = True
    public_url: Annotated[str, AfterValidator(lambda url: str(HttpUrl(url)))] = "http://localhost:8501"
    invitation_days: Annotated[int, Field(ge=1, le=365)] = 30
    smtp_host: str = ""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    smtp_tls: Literal["starttls", "ssl", "none"] = "starttls"
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_sender: Annotated[EmailStr, AfterValidator(_in_ascii)] | Literal[""] = ""
    smtp_timeout: Annotated[float, Field(gt=0, le=60)] = 30
    oidc_providers: str = ""
    cookie_secret: SecretStr = SecretStr("")
    sign_in_hours: Annotated[float, Field(gt=0, le=720)] = 12
    address_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]*$")] = ""

    _providers: dict[str, SignInProvider] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _what_signing_in_needs(self) -> "Configuration":
        names = [name.strip().lower() for name in self.oidc_providers.split(",") if name.strip()]
        if not all(name.isascii() and name.isalnum() for name in names):
            raise ValueError("BILLING_OIDC_PROVIDERS: names are letters and digits, with commas between them")
        prefixes = {name: f"BILLING_OIDC_{name.upper()}_" for name in names} or {ONE_PROVIDER: "BILLING_OIDC_"}
        about_sign_in = [name for name, value in environ.items() if name.upper().startswith("BILLING_OIDC_") and value]
        if not about_sign_in:
            return self
        self._providers = {name: _provider(prefix) for name, prefix in prefixes.items()}
        if len(self.cookie_secret.get_secret_value()) < _LEAST_SECRET:
            raise ValueError(f"for sign-in, set BILLING_COOKIE_SECRET to at least {_LEAST_SECRET} random characters")
        if "public_url" not in self.model_fields_set:
            raise ValueError("for sign-in, set BILLING_PUBLIC_URL too: where the provider sends people back")
        return self

    @model_validator(mode="after")
    def _what_sending_needs(self) -> "Configuration":
        if self.smtp_host and not self.smtp_sender:
            raise ValueError("with BILLING_SMTP_HOST set, set BILLING_SMTP_SENDER too: where messages come from")
        if self.smtp_host and "public_url" not in self.model_fields_set:
            raise ValueError("with BILLING_SMTP_HOST set, set BILLING_PUBLIC_URL too: what the links begin with")
        return self

    @property
    def url(self) -> str:
        """The database to open."""
        if self.database_url:
            return self.database_url
        _DEMO_FILE.parent.mkdir(exist_ok=True)
        return f"sqlite:///{_DEMO_FILE}"

    @property
    def is_demo(self) -> bool:
        """Whether to open in demo mode."""
        return not self.database_url if self.demo is None else self.demo

    @property
    def deployment(self) -> Deployment:
        """What actions depend on."""
        return Deployment(self.public_url, timedelta(days=self.invitation_days))

    @property
    def providers(self) -> Mapping[str, SignInProvider]:
        """The providers of sign-ins by name; none where nobody can sign in."""
        return self._providers

    @property
    def sign_in_valid_for(self) -> timedelta:
        """How long a sign-in is good."""
        return timedelta(hours=self.sign_in_hours)

    @property
    def smtp(self) -> SmtpServer | None:
        """Where messages leave; None where nothing is sent: no server is set, or this is a demo."""
        if self.is_demo or not self.smtp_host:
            return None
        return SmtpServer(
            self.smtp_host,
            self.smtp_port,
            self.smtp_tls,
            self.smtp_user,
            self.smtp_password.get_secret_value(),
            self.smtp_sender,
            self.smtp_timeout,
        )
