"""How much of a list is taken, and the refusal of one that is not."""

from core.words import N_, BillingError

MAX_BYTES = 20 * 2**20
MAX_ROWS = 50_000
MAX_COLUMNS = 200

TOO_MANY_ROWS = N_("This file has {rows} rows, and at most {limit} are taken at once. Split it into several files.")


class UnreadableFile(BillingError):
    """What was brought cannot be read as a table; the sentence says why and what to do."""

    def __init__(self, sentence: str, **values: object) -> None:
        super().__init__(**values)
        self.sentence = sentence


def letters(index: int) -> str:
    """The letters that a spreadsheet shows above the column of this index: A for 0, AA for 26."""
    return (letters(index // 26 - 1) if index >= 26 else "") + chr(ord("A") + index % 26)
