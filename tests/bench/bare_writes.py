"""What the core writes, made by hand: one transaction each, with the fewest statements that do the same work."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any
from uuid import uuid4

from tests.bench import bare_reads
from tests.bench.bare import Driver, Offer, day_begins, period_of
from tests.bench.bare_reads import Revision
from tests.bench.space import SETTINGS

Seen = tuple[int, int]  # the revision that holds, the newest one

_PRICED = ("plan", "billing_period", "add_ons")

_COLUMNS, _VALUES = ", ".join(SETTINGS), ", ".join(f":{setting}" for setting in SETTINGS)
_MAY = """EXISTS (SELECT 1 FROM member WHERE partner_id = :partner AND member_id = :member AND role = :role
    AND client_access AND is_active)"""
_TURN = f"UPDATE partner SET change_number = change_number + 1 WHERE partner_id = :partner AND {_MAY}"
_TURN_AND_NUMBER = f"""
    UPDATE partner SET change_number = change_number + 1, last_client_id = last_client_id + 1
    WHERE partner_id = :partner AND {_MAY} RETURNING last_client_id"""
_KNOWN = "SELECT client_id FROM client WHERE partner_id = :partner AND email = :email"
_CLOSE = """
    UPDATE subscription SET valid_to = :until, may_hold = :still
    WHERE partner_id = :partner AND client_id = :client AND revision = :held
    RETURNING EXISTS (SELECT 1 FROM subscription o
        WHERE o.partner_id = :partner AND o.may_hold = 1 AND o.valid_to IS NOT NULL AND o.valid_to <= :moment)"""
_WITHDRAW = """
    UPDATE subscription SET valid_to = valid_from, may_hold = :never, withdrawn_by = :revision
    WHERE partner_id = :partner AND client_id = :client AND revision = :pending AND valid_to IS NULL"""
_CLEAR = """
    UPDATE subscription SET may_hold = :never WHERE (partner_id, client_id, revision) IN (
        SELECT partner_id, client_id, revision FROM subscription
        WHERE partner_id = :partner AND may_hold = 1 AND valid_to IS NOT NULL AND valid_to <= :moment LIMIT 1000)"""
_CLIENT = """
    INSERT INTO client (partner_id, client_id, name, sort_name, email, company_number, contact_name, language,
        search_text)
    VALUES (:partner, :client, :name, :sort_name, :email, NULL, '', :language, :search_text)"""
_SUBSCRIPTION = f"""
    INSERT INTO subscription (partner_id, client_id, revision, valid_from, valid_to, status, sort_name, overridden,
        set_number, defaults_version, changed_by_id, origin, reason, {_COLUMNS}, responsible_id, decided_at, anchor_day,
        anchor_month, price_list, may_hold)
    VALUES (:partner, :client, :revision, :valid_from, :valid_to, :status, :sort_name, :overridden,
        1, :defaults_version, :changed_by_id, 'page', :reason, {_VALUES}, :responsible_id, :decided_at, :anchor_day,
        :anchor_month, :price_list, :holds)"""
_RESPONSIBLE = """
    INSERT INTO responsible (partner_id, client_id, valid_from, member_id, changed_by_id, origin, reason)
    VALUES (:partner, :client, :moment, :responsible_id, :member, 'page', '')"""
_INVITATION = """
    INSERT INTO invitation (partner_id, client_id, number, invited_by_id, invited_at, expires_at, message, reason,
        token_hash)
    VALUES (:partner, :client, 1, :member, :moment, :expires_at, '', '', :token_hash)"""
_MESSAGE = """
    INSERT INTO outbox_message (partner_id, client_id, number, sending, message_id, recipient, token,
        queued_by_id, queued_at, next_attempt_at, attempts)
    VALUES (:partner, :client, 1, 1, :message_id, :email, :token, :member, :moment, :moment, 0)"""
_DEFAULTS = f"""
    INSERT INTO default_settings (partner_id, set_number, version, {_COLUMNS}, saved_by_id, saved_at, note)
    VALUES (:partner, 1, :version, {_VALUES}, :member, :moment, '')"""


def override(
    driver: Driver, offer: Offer, who: Mapping[str, Any], client_id: int, chosen: Mapping[str, str], *, seen: Seen
) -> Seen:
    """What `subscriptions.override` does with these as all the choices; `who` is the partner, the member and the role.
    What was seen then."""
    with driver.transaction():
        client = _Client(driver, who, client_id, seen)
        held, pending, today = client.held, client.pending, client.today
        version, *inherited = client.shown.who[13 : 14 + len(SETTINGS)]
        settings = dict(zip(SETTINGS, inherited, strict=True)) | chosen
        offer.refuse_unsellable(settings["plan"], settings["billing_period"], settings["add_ons"])
        begun, renewal = period_of(held.anchor_day or 1, held.anchor_month, today)
        morning = _held_at(client.shown.history, driver.stored(day_begins(today))) or held
        running = offer.running_list(morning.price_list, begun)
        buys = any(settings[name] != morning.settings[name] for name in ("plan", "billing_period"))
        was = offer.period_cents(running, *(morning.settings[name] for name in _PRICED))
        after = offer.period_cents(offer.list_on(today) if buys else running, *(settings[name] for name in _PRICED))
        waits = settings["billing_period"] != morning.settings["billing_period"] or (after or 0) < (was or 0)
        begins = driver.stored(day_begins(renewal)) if waits else client.moment
        day, before = (renewal, held) if waits else (today, morning)
        overridden = ";".join(name for name in SETTINGS if name in chosen)
        decision = held._replace(
            **client.decided(begins, who),
            settings=settings,
            overridden=overridden,
            defaults_version=version,
            price_list=offer.list_on(day) if buys else before.price_list,
            anchor_month=_anchor_month(held, settings, day.month),
        )
        decided = [decision]
        if pending is not None and not waits:
            decided = [decision._replace(valid_to=pending.valid_from), _left_of(pending, held, decision)]
        return client.write(decided)


def cancel(driver: Driver, who: Mapping[str, Any], client_id: int, *, seen: Seen) -> Seen:
    """What `subscriptions.cancel_pending` does; what was seen then."""
    with driver.transaction():
        client = _Client(driver, who, client_id, seen)
        if client.pending is None:
            raise ValueError("nothing is pending")
        return client.write([client.held._replace(**client.decided(client.moment, who))])


class _Client:
    """A client whose partner's turn is held, at the moment of a decision about it."""

    def __init__(self, driver: Driver, who: Mapping[str, Any], client_id: int, seen: Seen) -> None:
        _take_the_turn(driver, who)
        self.driver, self.shown = driver, bare_reads.one_client(driver, client_id)
        self.whose = {**who, "client": client_id, "never": False}
        last = max(each.decided_at for each in self.shown.history)
        self.moment = max(driver.stored(datetime.now(UTC)), driver.just_after(last))
        self.today = driver.day(self.moment)
        held = _held_at(self.shown.history, self.moment)
        if held is None or held.status == "archived" or seen != (held.revision, self.shown.history[0].revision):
            raise ValueError("somebody else changed it")
        self.held, self.newest = held, self.shown.history[0].revision
        waits = (each for each in self.shown.history if each.valid_from > self.moment and each.withdrawn_by is None)
        self.pending = next(waits, None)

    def decided(self, begins: Any, who: Mapping[str, Any]) -> dict[str, Any]:
        """What every decision says that is made now."""
        return {
            "revision": self.newest + 1,
            "valid_from": begins,
            "valid_to": None,
            "decided_at": self.moment,
            "changed_by_id": who["member"],
            "reason": "bench",
        }

    def write(self, decided: list[Revision]) -> Seen:
        """Add these; what held ends, what was pending is withdrawn, what is outlived is cleared."""
        first, driver = decided[0], self.driver
        values = self.whose | {"revision": first.revision, "held": self.held.revision, "moment": self.moment}
        if self.pending is not None:
            driver.run(_WITHDRAW, values | {"pending": self.pending.revision})
        until = {"until": first.valid_from, "still": first.valid_from > self.moment}
        ((has_outlived,),) = driver.run(_CLOSE, values | until).fetchall()
        for each in decided:
            driver.run(_SUBSCRIPTION, self.whose | each._asdict() | each.settings | {"holds": True})
        if has_outlived:
            driver.run(_CLEAR, values)
        holds = first.revision if first.valid_from <= self.moment else self.held.revision
        return holds, decided[-1].revision


def _held_at(history: list[Revision], moment: Any) -> Revision | None:
    return next((each for each in history if each.holds_at(moment)), None)


def _left_of(pending: Revision, held: Revision, decision: Revision) -> Revision:
    """What is left of what waits beside a decision: what the decision changes follows it, all else stays."""
    was, now, waits = (each.overridden.split(";") for each in (held, decision, pending))
    touched = {
        name for name in SETTINGS if held.settings[name] != decision.settings[name] or (name in was) != (name in now)
    }
    return pending._replace(
        revision=decision.revision + 1,
        settings={name: (decision if name in touched else pending).settings[name] for name in SETTINGS},
        overridden=";".join(name for name in SETTINGS if name in (now if name in touched else waits)),
    )


def _anchor_month(held: Revision, settings: Mapping[str, str], month: int) -> int | None:
    if settings["billing_period"] == held.settings["billing_period"] or held.anchor_day is None:
        return held.anchor_month
    return month if settings["billing_period"] == "yearly" else None


def invite(driver: Driver, offer: Offer, who: Mapping[str, Any], new_client: Mapping[str, Any]) -> int:
    """What `invitations.invite` does without overrides; the number of the client."""
    now = datetime.now(UTC)
    with driver.transaction():
        number = driver.run(_TURN_AND_NUMBER, who).fetchone()
        if number is None:
            raise ValueError("not allowed")
        if driver.rows(_KNOWN, email=new_client["email"]):
            raise ValueError("already a client")
        version, *in_force = bare_reads.defaults_in_force(driver)
        settings = dict(zip(SETTINGS, in_force, strict=False))
        offer.refuse_unsellable(settings["plan"], settings["billing_period"], settings["add_ons"])
        values = {
            **who,
            **new_client,
            **settings,
            "client": number[0],
            **dict.fromkeys(("valid_to", "anchor_day", "anchor_month", "price_list")),
            **dict.fromkeys(("valid_from", "decided_at", "moment"), driver.stored(now)),
            "revision": 1,
            "status": "invited",
            "overridden": "",
            "defaults_version": version,
            "changed_by_id": who["member"],
            "holds": True,
            "expires_at": driver.stored(now + timedelta(days=30)),
            "reason": "",
            "responsible_id": who["member"],
        }
        token = token_urlsafe(24)
        values |= {
            "token_hash": sha256(token.encode()).hexdigest(),
            "message_id": f"<{uuid4().hex}@localhost>",
            "token": f"{who['partner']}.{number[0]}.1.{token}",
        }
        for statement in (_CLIENT, _SUBSCRIPTION, _RESPONSIBLE, _INVITATION, _MESSAGE):
            driver.run(statement, values)
        return int(number[0])


def save(
    driver: Driver, offer: Offer, who: Mapping[str, Any], settings: Mapping[str, str], *, seen: int
) -> tuple[Any, ...]:
    """What `defaults.save` does; the version as it is read back."""
    with driver.transaction():
        _take_the_turn(driver, who)
        version, *_settings, saved_at, _note, _name, _edition = bare_reads.defaults_in_force(driver)
        if version != seen:
            raise ValueError("somebody else saved")
        offer.refuse_unsellable(settings["plan"], settings["billing_period"], settings["add_ons"])
        moment = max(driver.stored(datetime.now(UTC)), driver.just_after(saved_at))
        driver.run(_DEFAULTS, {**who, **settings, "version": version + 1, "moment": moment})
        return bare_reads.defaults_in_force(driver)


def _take_the_turn(driver: Driver, who: Mapping[str, Any]) -> None:
    if driver.run(_TURN, who).rowcount != 1:
        raise ValueError("not allowed")
