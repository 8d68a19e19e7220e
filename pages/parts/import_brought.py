"""A list on its way in, as this visit remembers it: what was found, what is typed since, and the work under way."""

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

from core.errors import BillingError
from core.imports import ImportPreview, ImportReport

Cells = Mapping[int, Mapping[int, str]]  # text by line of the list and index of the column


@dataclass(slots=True)
class Brought:
    """A list somebody brought. It is changed in place: a click that cuts a run short undoes nothing.

    `typed` are the corrections that are not yet checked; `began` those of them that were there when the editor of this
    `turn` began, with the rows of `lines`. `inviting` is the work under way, with `done` clients invited so far.
    """

    name: str
    previewed: ImportPreview
    typed: Cells = field(default_factory=dict)
    began: Cells = field(default_factory=dict)
    lines: tuple[int, ...] = ()
    turn: int = 0
    is_stale: bool = False
    refusal: BillingError | None = None
    inviting: Future[ImportReport] | None = None
    done: int = 0
    report: ImportReport | None = None

    @property
    def unchecked(self) -> int:
        """How many corrections are not yet checked."""
        return sum(len(cells) for cells in self.typed.values())
