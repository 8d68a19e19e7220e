"""A client explained in words: where each setting comes from, what a change does, what each revision did."""

from collections.abc import Iterable
from datetime import datetime

from core.catalogue import Catalogue, Price
from core.defaults import Change, DefaultSettings, Sets, SetVersion
from core.invitations import charge_text
from core.subscriptions import ClientSubscription, Ending, Preview, ResponsibleSince, Revision, held_in_the_morning
from core.words import BillingError, ClientStatus, Origin, Payer, Setting, Source, day, local_day, nt, t
from pages.parts.text import change_text, joined, payer_text, price_text, settings_text

Event = tuple[datetime, str, str, str, str]  # of a client's history: when, who, via, what, why


def via(made: Revision | ResponsibleSince) -> str:
    """Through which door the change came; of a bulk change and an import, which one."""
    if made.batch is None:
        return made.origin.label
    return t("{door}, batch {batch}", door=made.origin.label, batch=str(made.batch))


def who(revision: Revision) -> str:
    """Who made a revision: a member by name, else the client."""
    return revision.changed_by or t("the client")


def where_from(shown: ClientSubscription, setting: Setting, source: Source) -> str:
    """Who decided it and when: the defaults saved then, or the choice made for this client, with its reason."""
    if source is Source.DEFAULT and shown.bound is not None:
        return t("saved on {day} by {name}", day=day(shown.bound.saved_at), name=shown.bound.saved_by.name)
    made = shown.chosen[setting]
    name = who(made)
    words = t("since {day} by {name}", day=day(made.valid_from), name=name)
    if made.revision == 1:
        words = t("at the invitation, {day} by {name}", day=day(made.valid_from), name=name)
    return t("{words}: “{reason}”", words=words, reason=made.reason) if made.reason else words


def compared(setting: Setting, version: DefaultSettings | None, value: object, offer: Catalogue) -> str:
    """A version's value where it differs from the one in force."""
    if version is None:
        return "–"
    there = setting.of(version)
    return t("same") if there == value else offer.value_text(there)


def preview_lines(shown: ClientSubscription, preview: Preview, offer: Catalogue) -> list[str]:
    """Exactly what a change would do: values from what to what, choices made and cleared, the version bound to."""
    before, after = shown.effective, preview.effective
    chosen, cleared = after.overridden - before.overridden, before.overridden - after.overridden
    return _lines(preview.changes, chosen, cleared, after.bound, before.bound, offer, shown.sets, waits=preview.waits)


def revision_lines(revision: Revision, offer: Catalogue, sets: Sets) -> list[str]:
    """The same of a change that was made."""
    return _lines(
        revision.changes, revision.newly_chosen, revision.cleared, revision.bound, revision.bound_before, offer, sets,
        waits=revision.waited,
    )  # fmt: skip


def when_lines(shown: ClientSubscription, preview: Preview, offer: Catalogue) -> list[str]:
    """When a change takes effect and why not today, what it costs today, and what becomes of what waits (rules 27 to
    32, 37 and 41)."""
    when, lines = preview.timing, []
    if not preview.changes_anything:
        return _what_waits(preview)
    if when.waits:
        lines.append(t("Takes effect on {day}, at the renewal: {why}.", day=when.day, why=when.waits))
        if preview.alone:
            lines.append(
                t("Saved alone, it would take effect today: {settings}", settings=settings_text(preview.alone))
            )
    elif shown.status is ClientStatus.ACTIVE:
        lines.append(t("Takes effect now."))
    payer = payer_text(preview.effective.settings.payer)
    if when.charge is not None and shown.period is not None:
        lines.append(
            t(
                "Today {charge} more for the days until {day}, {payer}. This is a preview, not an invoice.",
                charge=when.charge,
                day=shown.period.renewal,
                payer=payer,
            )
        )
    if preview.payer_changes and shown.period is not None:
        lines.append(_charges(shown, preview, payer))
        if preview.effective.settings.payer is Payer.CLIENT:
            lines.append(t("The client is told by message."))
    if when.list_before is not None and when.after is not None:
        lines += _leaves_a_list(preview, when.list_before, offer)
    return lines + _what_waits(preview)


def _charges(shown: ClientSubscription, preview: Preview, payer: str) -> str:
    """Who is charged what from when on; on the day of acceptance nothing was charged before (rule 29)."""
    morning = held_in_the_morning(shown.history, shown.time_zone, shown.moment)
    if morning is None or morning.status is not ClientStatus.ACTIVE:
        return t("The subscription began today: all its charges are {payer}.", payer=payer)
    assert shown.period is not None  # noqa: S101 - it is active
    return t(
        "Charges from {day} on are {payer}. What was charged stays as it was, until {renewal}.",
        day=preview.timing.day,
        payer=payer,
        renewal=shown.period.renewal,
    )


def _leaves_a_list(preview: Preview, list_before: int, offer: Catalogue) -> list[str]:
    bought = preview.effective if not preview.waits or preview.later is None else preview.later.effective
    try:
        price = offer.price_by(list_before, bought.settings)
    except BillingError:
        return []
    if preview.price is None or price == preview.price:
        return []
    if preview.waits:
        return [
            t(
                "Bought at the prices of {day}: {price}. By the prices the client keeps otherwise it is {before}.",
                day=preview.timing.day,
                price=price_text(preview.price),
                before=price_text(price),
            )
        ]
    return [
        t(
            "It is bought at today's prices: {price}. By the prices the client has now it would cost {before}.",
            price=price_text(preview.price),
            before=price_text(price),
        )
    ]


def _what_waits(preview: Preview) -> list[str]:
    """What becomes of the change that is pending."""
    if preview.pending is None:
        return []
    day = local_day(preview.pending.valid_from)
    if not preview.changes_anything:
        return [t("This is pending for {day} already.", day=day)] if preview.waits else []
    if preview.withdraws:
        return [t("What is pending for {day} is replaced: nothing of it is left.", day=day)]
    lines = []
    if preview.replaced:
        lines.append(
            t("Of what is pending for {day} it replaces: {settings}", day=day, settings=settings_text(preview.replaced))
        )
    if preview.later is not None and preview.later.effective != preview.effective:
        price = None if preview.waits else preview.later.timing.after  # what waits too is in the price after it
        if price is None:
            lines.append(t("What else is pending for {day} stays so.", day=day))
        else:
            words = price_text(price)
            lines.append(t("What else is pending for {day} stays so: {price} from then on.", day=day, price=words))
    return lines


def price_line(shown: ClientSubscription, preview: Preview) -> str:
    """The price before and after."""
    if shown.price is None or preview.price is None:
        return ""
    if shown.price == preview.price:
        return t("The price stays {price}.", price=price_text(shown.price))
    return f"{price_text(shown.price)} → {price_text(preview.price)}"


def settings_touched(shown: ClientSubscription, preview: Preview) -> int:
    """How many settings a change would change, in value or in source."""
    changed = {change.setting for change in preview.changes}
    return len(changed | (preview.effective.overridden ^ shown.effective.overridden))


def ending_lines(shown: ClientSubscription, ending: Ending) -> list[str]:
    """What archiving would do, and when (rule 35)."""
    if shown.status is ClientStatus.INVITED:
        return [t("It is archived now, and its invitation is withdrawn.")]
    lines = [t("The subscription ends on {day}. Nothing is paid back.", day=ending.day)]
    if ending.given_up_days:
        count = ending.given_up_days
        lines.append(nt("{count} paid day is given up.", "{count} paid days are given up.", count))
    if ending.pending is not None:
        lines.append(t("What is pending for {day} is not going to be.", day=local_day(ending.pending.valid_from)))
    return lines


def done(name: str, made: Revision, offer: Catalogue, sets: Sets) -> str:
    """What was just done, in a sentence."""
    lines = joined(revision_lines(made, offer, sets))
    if made.status is ClientStatus.ARCHIVED:
        if made.waited:
            return t("The subscription of {name} ends on {day}.", name=name, day=local_day(made.valid_from))
        return t("{name} is archived.", name=name)
    if made.waited:
        return t("{name} changes on {day}. {done}.", name=name, day=local_day(made.valid_from), done=lines)
    if not lines:
        return t("{name} goes on as it is.", name=name)
    return t("Saved. {done}.", done=lines)


def what_happened(revision: Revision, offer: Catalogue, sets: Sets, accepted: Price | None = None) -> str:
    """A revision in plain words. `accepted`: the price at which the client accepted what began then."""
    return joined(_first(revision, offer, sets) if revision.revision == 1 else _later(revision, offer, sets, accepted))


def _lines(
    changes: Iterable[Change],
    chosen: frozenset[Setting],
    cleared: frozenset[Setting],
    bound_to: SetVersion | None,
    bound_before: SetVersion | None,
    offer: Catalogue,
    sets: Sets,
    *,
    waits: bool,
) -> list[str]:
    changed = tuple(changes)
    lines = [_with_its_default(change, cleared, bound_to, offer, sets) for change in changed]
    if chosen and waits:
        lines.append(t("{settings}: overridden for this client", settings=settings_text(chosen)))
    elif chosen:
        lines.append(t("{settings}: overridden for this client from now on", settings=settings_text(chosen)))
    if again := cleared - {change.setting for change in changed}:
        lines.append(t("Follows the default again: {settings}", settings=settings_text(again)))
    if bound_to is not None and bound_to != bound_before:
        lines.append(
            _bound_to(bound_to, bound_before, sets, t("Bound to {defaults}", defaults=_defaults(bound_to, sets)))
        )
    return lines


def _defaults(bound: SetVersion, sets: Sets) -> str:
    """A version of the defaults inside a sentence: its set by name where there are several."""
    if sets.are_several:
        return sets.said(bound)
    return t("default settings v{version}", version=str(bound.version))


def _with_its_default(
    change: Change, cleared: frozenset[Setting], bound: SetVersion | None, offer: Catalogue, sets: Sets
) -> str:
    """A change; where it is one to the default again, from which version."""
    words = change_text(change, offer)
    if change.setting not in cleared or bound is None:
        return words
    if sets.are_several:
        return t("{change}, from {defaults}", change=words, defaults=sets.said(bound))
    return t("{change}, from default v{version}", change=words, version=str(bound.version))


def _bound_to(bound: SetVersion, before: SetVersion | None, sets: Sets, newer: str) -> str:
    """Another version of the defaults: a newer one, or another set, in these words, or an older one again."""
    if before is None or before.set_number != bound.set_number or before.version < bound.version:
        return newer
    return t("Back to {defaults}", defaults=_defaults(bound, sets))


def _first(revision: Revision, offer: Catalogue, sets: Sets) -> list[str]:
    words = [t("Invited without default settings")]
    if revision.bound is not None:
        words = [t("Invited on {defaults}", defaults=_defaults(revision.bound, sets))]
    for setting in Setting:
        if setting in revision.overridden:
            value = offer.value_text(setting.of(revision.settings))
            words.append(t("{setting} chosen: {value}", setting=setting, value=value))
    return words


def _later(revision: Revision, offer: Catalogue, sets: Sets, accepted: Price | None) -> list[str]:
    words = []
    if revision.status is not revision.status_before:
        words.append(_became(revision, accepted))
    bound, before = revision.bound, revision.bound_before
    if bound is not None and bound != before:
        words.append(_bound_to(bound, before, sets, t("Adopted {defaults}", defaults=_defaults(bound, sets))))
    words += [_with_its_default(change, revision.cleared, bound, offer, sets) for change in revision.changes]
    if revision.newly_chosen:
        words.append(t("{settings}: overridden for this client", settings=settings_text(revision.newly_chosen)))
    if again := revision.cleared - {change.setting for change in revision.changes}:
        words.append(t("follows the default again: {settings}", settings=settings_text(again)))
    return words


def _became(revision: Revision, accepted: Price | None) -> str:
    match revision.status:
        case ClientStatus.ACTIVE if accepted is not None:
            return t("Accepted the invitation at {price}", price=charge_text(accepted))
        case ClientStatus.ACTIVE:
            return t("Accepted the invitation") if revision.origin is Origin.SYSTEM else t("Active")
        case ClientStatus.ARCHIVED:
            return t("Archived")
        case ClientStatus.INVITED:
            return t("Invited again")
