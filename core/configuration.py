"""What an operator can set, by environment variables. Without any, the product opens in demo mode."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

_DEMO_FILE = Path(__file__).parent.parent / "var" / "demo.sqlite3"


class Configuration(BaseSettings):
    """BILLING_DATABASE_URL: a SQLAlchemy URL, `sqlite:///...` or `postgresql+psycopg://...`.

    BILLING_DEMO: whether to open in demo mode; by default only when no database is named.
    """

    model_config = SettingsConfigDict(env_prefix="billing_")

    database_url: str = ""
    demo: bool | None = None

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
