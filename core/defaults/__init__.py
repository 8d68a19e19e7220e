"""What new clients get: default sets, each with its versions of the default settings, and the rules by which a version
and a client's choices give its effective settings, each with its source."""

from core.defaults.changing_sets import (
    LONGEST_SET_NAME,
    bring_back_set,
    make_set,
    make_standard,
    rename_set,
    retire_set,
    set_called,
    set_changes,
)
from core.defaults.check import differences
from core.defaults.resolution import (
    FIRST_SET,
    Change,
    Effective,
    EffectiveSettings,
    SetVersion,
    bound_to,
    changes,
    choices,
    resolve,
)
from core.defaults.set_list import (
    NamedSet,
    Sets,
    require_shown,
    sets,
    sets_and_bound,
    sets_of,
    stale,
    stale_standard,
    version_text,
)
from core.defaults.tables import DefaultSet, DefaultSetChange, DefaultSettings, SettingsColumns
from core.defaults.versions import current, effective_settings, history, save, version_of, versions
from core.words import BillingSettings, MissingSetting, Overrides

__all__ = [
    "FIRST_SET",
    "LONGEST_SET_NAME",
    "BillingSettings",
    "Change",
    "DefaultSet",
    "DefaultSetChange",
    "DefaultSettings",
    "Effective",
    "EffectiveSettings",
    "MissingSetting",
    "NamedSet",
    "Overrides",
    "SetVersion",
    "Sets",
    "SettingsColumns",
    "bound_to",
    "bring_back_set",
    "changes",
    "choices",
    "current",
    "differences",
    "effective_settings",
    "history",
    "make_set",
    "make_standard",
    "rename_set",
    "require_shown",
    "resolve",
    "retire_set",
    "save",
    "set_called",
    "set_changes",
    "sets",
    "sets_and_bound",
    "sets_of",
    "stale",
    "stale_standard",
    "version_of",
    "version_text",
    "versions",
]
