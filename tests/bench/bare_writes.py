"""What the core writes, made by hand: one transaction each, with the fewest statements that do the same work."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Any
from uuid import uuid4

from tests.bench import bare_reads
from tests.bench.bare import Driver, Offer
from tests.bench.bare_reads import OneClient
from tests.bench.space import SETTINGS

_COLUMNS, _VALUES = ", ".join(SETTINGS), ", ".join(f":{setting}" for setting in SETTINGS)
_MAY = """EXISTS (SELECT 1 FROM member WHERE partner_id = :partner AND member_id = :member AND role = :role
    AND client_access AND is_active)"""
_TURN = f"UPDATE partner SET change_number = change_number + 1 WHERE partner_id = :partner AND {_MAY}"
_TURN_AND_NUMBER = f"""
    UPDATE partner SET change_number = change_number + 1, last_client_id = last_client_id + 1
    WHERE partner_id = :partner AND {_MAY} RETURNING last_client_id"""
_KNOWN = "SELECT client_id FROM client WHERE partner_id = :partner AND email = :email"
_CLOSE = """
    UPDATE subscription SET valid_to = :moment
    WHERE partner_id = :partner AND client_id = :client AND revision = :seen AND valid_to IS NULL"""
_CLIENT = """
    INSERT INTO client (partner_id, client_id, name, sort_name, email, company_number, contact_name, language)
    VALUES (:partner, :client, :name, :sort_name, :email, NULL, '', :language)"""
_SUBSCRIPTION = f"""
    INSERT INTO subscription (partner_id, client_id, revision, valid_from, status, sort_name, overridden,
        defaults_version, changed_by_id, origin, reason, {_COLUMNS}, responsible_id)
    VALUES (:partner, :client, :revision, :moment, :status, :sort_name, :overridden,
        :version, :member, 'page', :reason, {_VALUES}, :responsible)"""
_RESPONSIBLE = """
    INSERT INTO responsible (partner_id, client_id, valid_from, member_id, changed_by_id, origin, reason)
    VALUES (:partner, :client, :moment, :responsible, :member, 'page', '')"""
_INVITATION = """
    INSERT INTO invitation (partner_id, client_id, number, invited_by_id, invited_at, expires_at, message, reason,
        token_hash)
    VALUES (:partner, :client, 1, :member, :moment, :expires_at, '', '', :token_hash)"""
_MESSAGE = """
    INSERT INTO outbox_message (partner_id, client_id, number, sending, message_id, recipient, token,
        queued_by_id, queued_at, next_attempt_at, attempts)
    VALUES (:partner, :client, 1, 1, :message_id, :email, :token, :member, :moment, :moment, 0)"""
_DEFAULTS = f"""
    INSERT INTO default_settings (partner_id, version, {_COLUMNS}, saved_by_id, saved_at, note)
    VALUES (:partner, :version, {_VALUES}, :member, :moment, '')"""


def override_period(
    driver: Driver, offer: Offer, who: Mapping[str, Any], client_id: int, period: str | None, *, seen: int
) -> OneClient:
    """What `subscriptions.override` does with the billing period as the one choice (None: no choice); `who` is the
    partner, the member and the role."""
    values = {**who, "client": client_id, "seen": seen}
    with driver.transaction():
        _take_the_turn(driver, values)
        shown = bare_reads.one_client(driver, client_id)
        revision, valid_from, _, status, *_rest = held = shown.history[0]
        if revision != seen or status == "archived":
            raise ValueError("somebody else changed it")
        version, *inherited = shown.who[13 : 14 + len(SETTINGS)]
        settings = dict(zip(SETTINGS, inherited, strict=True)) | ({"billing_period": period} if period else {})
        offer.refuse_unsellable(settings["plan"], settings["billing_period"], settings["add_ons"])
        values |= {
            **settings,
            "moment": max(driver.stored(datetime.now(UTC)), driver.just_after(valid_from)),
            "revision": seen + 1,
            "status": status,
            "sort_name": held[-2],
            "responsible": held[-1],
            "version": version,
            "reason": "bench",
            "overridden": "billing_period" if period else "",
        }
        if driver.run(_CLOSE, values).rowcount != 1:
            raise ValueError("somebody else changed it")
        driver.run(_SUBSCRIPTION, values)
        return OneClient(shown.who, bare_reads.history(driver, client_id))


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
            "revision": 1,
            "status": "invited",
            "overridden": "",
            "version": version,
            "moment": driver.stored(now),
            "expires_at": driver.stored(now + timedelta(days=30)),
            "reason": "",
            "responsible": who["member"],
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
