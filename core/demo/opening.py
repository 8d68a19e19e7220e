"""Making the demo on an empty database, and making it anew; any other database is left alone."""

from sqlalchemy import func, select

from core.demo import firm
from core.demo.shown_day import keep_time
from core.members import DemoSpace, Partner
from core.storage import Database, allow_minutes, drop_tables, migrate_on, refusal_of_tables
from core.words import DemoRefused, TablesMissing, TablesNewer, TablesOfAnother


def open_demo(database: Database, *, is_plain: bool = False) -> None:
    """Afterwards the database holds the demo space, and every action on it takes place on the day that it is shown as:
    made now if it was empty, left as it is if it was made before. Plain, it is a firm as most are, which sees nothing
    of sets: with one default set and one price list, and nothing changed in bulk.

    Raises DemoRefused on a database with anything else in it.
    """
    refuse_foreign(database)
    keep_time(database)
    with database.transaction() as session:
        allow_minutes(session)
        migrate_on(session.connection())  # and of two servers that start at once, one makes it
        if session.scalar(select(func.count()).select_from(Partner)) == 0:
            firm.make(session, is_plain=is_plain)


def reset(database: Database) -> None:
    """Afterwards the database holds a new demo space, made and shown as today, and nothing else. Raises DemoRefused."""
    refuse_foreign(database)
    keep_time(database)
    with database.transaction() as session:
        allow_minutes(session)
        connection = session.connection()
        drop_tables(connection)
        migrate_on(connection)
        firm.make(session)


def refuse_foreign(database: Database) -> None:
    """Raise DemoRefused if the database holds anything that demo mode did not make, and TablesNewer if a newer version
    of the product made it."""
    with database.reading() as session:
        match refusal_of_tables(session.connection()):
            case TablesMissing():
                return
            case TablesOfAnother():
                raise DemoRefused
            case TablesNewer() as refusal:
                raise refusal
        partners = set(session.scalars(select(Partner.partner_id)))
        if partners - set(session.scalars(select(DemoSpace.partner_id))):
            raise DemoRefused
