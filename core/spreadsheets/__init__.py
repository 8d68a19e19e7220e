"""Tables that people bring and take away. A workbook (.xlsx, .xls or .ods), a CSV file or pasted rows are read as text,
a workbook in a child process that may be lost; rows are written as CSV or as a workbook. What a column means is known
elsewhere."""

from core.spreadsheets.encodings import MAC, WINDOWS
from core.spreadsheets.files import as_csv, as_typed_xlsx, as_xlsx, decimal, harmless
from core.spreadsheets.limits import MAX_BYTES, MAX_COLUMNS, MAX_ROWS, UnreadableFile, letters
from core.spreadsheets.sheets import Format, Sheet, SheetRow, read, read_as, read_pasted
from core.spreadsheets.workbooks import DATE, NO_VALUE
