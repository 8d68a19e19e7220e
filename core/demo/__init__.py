"""Demo mode: a partner space of sample clients that opens by itself, made by the use cases on the days of a year that
is past, and shown as today or as a day to come, so that one sees what waits for a renewal take effect."""

from core.demo.firm import PARTNER_ID
from core.demo.opening import open_demo, reset
from core.demo.shown_day import NotTheDemo, ShownDay, keep_time, month_after, move_to, shown_day
