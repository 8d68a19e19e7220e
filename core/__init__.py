"""Everything about billing defaults that is true without a browser."""

from core import invitations  # it does its part of each decision (when_decided), whoever makes one
