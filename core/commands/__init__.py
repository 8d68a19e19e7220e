"""The commands of the shell, one file for each subject, which also says how each is called;
core/__main__.py runs them."""

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from core.words import N_, BillingError

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction

Commands: TypeAlias = "_SubParsersAction[ArgumentParser]"


class NoFile(BillingError):
    """The file that a command names cannot be opened."""

    sentence = N_("The file {file} cannot be opened. Look whether it is there and may be read.")

    def __init__(self, path: Path) -> None:
        super().__init__(file=str(path))
