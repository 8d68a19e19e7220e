"""What an operator can set, by environment variables. Without any, the product opens in demo mode."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, EmailStr, Field, HttpUrl, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from core.invitations import SmtpServer
from core.storage import Deployment

_DEMO_FILE = Path(__file__).parent.parent / "var" / "demo.sqlite3"


def _in_ascii(address: str) -> str:
    if not address.rpartition("@")[0].isascii():
        raise ValueError("no header takes a mailbox in other letters")
    return address


class Configuration(BaseSettings):
    """BILLING_DATABASE_URL: a SQLAlchemy URL, `sqlite:///...` or `postgresql+psycopg://...`.

    BILLING_DEMO: whether to open in demo mode; by default only when no database is named.
    BILLING_PUBLIC_URL: where a client's browser reaches the product; the links of invitations begin with it.
    BILLING_INVITATION_DAYS: how long an invitation holds.
    BILLING_SMTP_HOST, _PORT, _TLS (starttls, ssl or none), _USER, _PASSWORD, _SENDER: where messages leave. Without a
    host they wait in the outbox.
    """

    model_config = SettingsConfigDict(env_prefix="billing_", hide_input_in_errors=True)

    database_url: str = ""
    demo: bool | None = None
    public_url: Annotated[str, AfterValidator(lambda url: str(HttpUrl(url)))] = "http://localhost:8501"
    invitation_days: Annotated[int, Field(ge=1, le=365)] = 30
    smtp_host: str = ""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    smtp_tls: Literal["starttls", "ssl", "none"] = "starttls"
    smtp_user: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_sender: Annotated[EmailStr, AfterValidator(_in_ascii)] | Literal[""] = ""
    smtp_timeout: Annotated[float, Field(gt=0, le=60)] = 30

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
    def smtp(self) -> SmtpServer | None:
        """Where messages leave; None where nothing is sent: no server is set, or this is a demo."""
        if self.is_demo or not self.smtp_host:
            return None
        return SmtpServer(
            self.smtp_host, self.smtp_port, self.smtp_tls, self.smtp_user, self.smtp_password.get_secret_value(),
            self.smtp_sender, self.smtp_timeout,
        )  # fmt: skip
