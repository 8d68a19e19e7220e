"""A client explained in words: where each setting comes from, what a change would do, what each revision did."""

from typing import Any

from core.catalogue import Catalogue
from core.client_subscription import ClientSubscription, Preview
from core.language import day, t
from core.models import DefaultSettings
from core.resolution import Effective
from core.revisions import Revision
from core.terms import ClientStatus, Origin, Setting, Source
from pages.parts.text import change_text, joined, price_text, settings_text, value_text


def effective(shown: ClientSubscription) -> list[tuple[Setting, Effective[Any]]]:
    """The four settings in force with their sources, in order."""
    found = shown.effective
    return [
        (Setting.PAYER, found.payer),
        (Setting.BILLING_PERIOD, found.billing_period),
        (Setting.PLAN, found.plan),
        (Setting.ADD_ONS, found.add_ons),
    ]


def door(revision: Revision) -> str:
    """Through which door the change came; of an import, which one."""
    if revision.batch is None:
        return revision.origin.label
    return t("{door}, batch {batch}", door=revision.origin.label, batch=str(revision.batch))


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
    there = getattr(version, setting.value)
    return t("same") if there == value else value_text(there, offer)


def preview_lines(shown: ClientSubscription, preview: Preview, offer: Catalogue) -> list[str]:
    """Exactly what a change would do: values from what to what, choices made and cleared, the version bound to."""
    before, after = shown.effective, preview.effective
    lines = [change_text(change, offer) for change in preview.changes]
    if chosen := after.overridden - before.overridden:
        lines.append(t("Becomes a choice for this client: {settings}", settings=settings_text(chosen)))
    if cleared := before.overridden - after.overridden:
        lines.append(t("Follows the default again: {settings}", settings=settings_text(cleared)))
    if after.defaults_version != before.defaults_version:
        lines.append(t("Bound to default settings v{version}", version=str(after.defaults_version)))
    return lines


def price_line(shown: ClientSubscription, preview: Preview) -> str:
    """The price before and after."""
    if shown.price is None or preview.price is None:
        return ""
    if shown.price == preview.price:
        return t("The price stays {price}.", price=price_text(shown.price))
    return f"{price_text(shown.price)} → {price_text(preview.price)}"


def what_happened(revision: Revision, offer: Catalogue) -> str:
    """A revision in plain words."""
    return joined(_first(revision, offer) if revision.revision == 1 else _later(revision, offer))


def _first(revision: Revision, offer: Catalogue) -> list[str]:
    words = [t("Invited without default settings")]
    if revision.defaults_version is not None:
        words = [t("Invited on default settings v{version}", version=str(revision.defaults_version))]
    settings = revision.settings
    for setting in Setting:
        if setting in revision.overridden:
            value = value_text(getattr(settings, setting.value), offer)
            words.append(t("{setting} chosen: {value}", setting=setting, value=value))
    return words


def _later(revision: Revision, offer: Catalogue) -> list[str]:
    words = []
    if revision.status is not revision.status_before:
        words.append(_became(revision))
    if revision.defaults_version != revision.defaults_version_before:
        words.append(t("Adopted default settings v{version}", version=str(revision.defaults_version)))
    words += [change_text(change, offer) for change in revision.changes]
    if revision.newly_chosen:
        words.append(t("chosen for this client: {settings}", settings=settings_text(revision.newly_chosen)))
    if revision.cleared:
        words.append(t("follows the default again: {settings}", settings=settings_text(revision.cleared)))
    return words


def _became(revision: Revision) -> str:
    match revision.status:
        case ClientStatus.ACTIVE:
            return t("Accepted the invitation") if revision.origin is Origin.SYSTEM else t("Active")
        case ClientStatus.ARCHIVED:
            return t("Archived")
        case ClientStatus.INVITED:
            return t("Invited again")


def settings_touched(shown: ClientSubscription, preview: Preview) -> int:
    """How many settings a change would change, in value or in source."""
    changed = {change.setting for change in preview.changes}
    return len(changed | (preview.effective.overridden ^ shown.effective.overridden))
