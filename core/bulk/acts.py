"""What can be done to many clients in one act (rule 45), and of whom: clients that are ticked, or all that a filter
finds. Both are kept with the batch in words of their own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core import reports
from core.members import Permission
from core.reports import FILTERS
from core.words import BatchKind, BillingPeriod, Overrides, Payer, Setting

MOST = 100_000  # clients of one act


@dataclass(frozen=True, slots=True)
class Adopt:
    """Bind the clients to the newest version of a default set, by its number (None: each to its own; to the one
    there is, where there is but one); their overrides stay unless cleared too (rules 6 and 22)."""

    set_number: int | None = None
    clear_overrides: bool = False
    kind = BatchKind.ADOPT
    permission = Permission.OVERRIDE


@dataclass(frozen=True, slots=True)
class Override:
    """Set the overrides that `overrides` names, clear those in `clear`; every other choice stays."""

    overrides: Overrides = field(default_factory=Overrides)
    clear: frozenset[Setting] = frozenset()
    kind = BatchKind.OVERRIDE
    permission = Permission.OVERRIDE

    def over(self, chosen: Overrides) -> Overrides:
        """The choices of a client that had these."""
        kept = {setting.value: None if setting in self.clear else setting.of(chosen) for setting in Setting}
        set_now = {setting.value: setting.of(self.overrides) for setting in self.overrides.chosen}
        return Overrides(**kept | set_now)


@dataclass(frozen=True, slots=True)
class ChangeResponsible:
    """Have this member look after the clients, archived ones too (rule 52)."""

    responsible_id: int
    kind = BatchKind.RESPONSIBLE
    permission = Permission.CHANGE_RESPONSIBLE


@dataclass(frozen=True, slots=True)
class CancelPending:
    """Cancel what waits, an end too (rule 33)."""

    kind = BatchKind.CANCEL
    permission = Permission.OVERRIDE


@dataclass(frozen=True, slots=True)
class Archive:
    """End the subscriptions: at the end of what is paid, or `at_once`; of invited clients at once (rule 35)."""

    at_once: bool = False
    kind = BatchKind.ARCHIVE
    permission = Permission.OVERRIDE


Act = Adopt | Override | ChangeResponsible | CancelPending | Archive


@dataclass(frozen=True, slots=True)
class Ticked:
    """These clients, by their numbers."""

    clients: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Every client that these filters of the list find (reports.FILTERS); none: all clients."""

    filters: Mapping[str, Any] = field(default_factory=dict)


Chosen = Ticked | Found


def act_said(act: Act) -> dict[str, Any]:
    """The act as it is kept, in stored words."""
    match act:
        case Adopt(set_number=set_number, clear_overrides=clear):
            return {"act": act.kind.value, "set": set_number, "clear_overrides": clear}
        case Override(overrides=overrides, clear=clear):
            values = {setting.value: setting.of(overrides) for setting in overrides.chosen}
            values |= {name: sorted(value) for name, value in values.items() if isinstance(value, frozenset)}
            return {"act": act.kind.value, "set": values, "clear": sorted(clear)}
        case ChangeResponsible(responsible_id=responsible_id):
            return {"act": act.kind.value, "responsible": responsible_id}
        case CancelPending():
            return {"act": act.kind.value}
        case Archive(at_once=at_once):
            return {"act": act.kind.value, "at_once": at_once}


def act_of(said: Mapping[str, Any]) -> Act | None:
    """The act that was kept so; None for an import, and where a batch undoes another one."""
    match said.get("act"):
        case BatchKind.ADOPT:
            return Adopt(said["set"], said["clear_overrides"])
        case BatchKind.OVERRIDE:
            return Override(overrides_of(said["set"]), frozenset(Setting(name) for name in said["clear"]))
        case BatchKind.RESPONSIBLE:
            return ChangeResponsible(said["responsible"])
        case BatchKind.CANCEL:
            return CancelPending()
        case BatchKind.ARCHIVE:
            return Archive(said["at_once"])
    return None


def overrides_of(words: Mapping[str, Any]) -> Overrides:
    """Overrides from stored words; add-ons are several."""
    read: Mapping[str, Any] = {"payer": Payer, "billing_period": BillingPeriod, "plan": str, "add_ons": frozenset}
    return Overrides(**{name: read[name](value) for name, value in words.items()})


def chosen_said(chosen: Chosen) -> dict[str, Any]:
    """Who was chosen, as it is kept: the filters in their words; of ticked clients that they were, the rows say who."""
    if isinstance(chosen, Ticked):
        return {"ticked": len(set(chosen.clients))}
    return {"filters": dict(sorted(reports.filters_said(chosen.filters).items()))}


def filters_of(said: Mapping[str, Any]) -> dict[str, Any] | None:
    """The filters that were kept so, to ask the list with; None where clients were ticked."""
    if "filters" not in said:
        return None
    return {name: FILTERS[name](value) for name, value in said["filters"].items() if name in reports.FILTERS}
