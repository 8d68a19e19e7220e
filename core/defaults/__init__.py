"""What new clients get: the versions of the default settings, and the rules by which a version and a client's choices
give its effective settings, each with its source."""

from core.defaults.check import differences
from core.defaults.resolution import Change, Effective, EffectiveSettings, changes, choices, resolve
from core.defaults.tables import DefaultSettings, SettingsColumns
from core.defaults.versions import (
    bound_and_current,
    current,
    effective_settings,
    history,
    latest,
    save,
    stale,
    versions,
)
from core.words import BillingSettings, MissingSetting, Overrides

__all__ = [
    "BillingSettings",
    "Change",
    "DefaultSettings",
    "Effective",
    "EffectiveSettings",
    "MissingSetting",
    "Overrides",
    "SettingsColumns",
    "bound_and_current",
    "changes",
    "choices",
    "current",
    "differences",
    "history",
    "latest",
    "resolve",
    "save",
    "stale",
    "versions",
]
