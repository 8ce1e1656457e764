"""Files of other programs, which are refused with the line of Python that converts them."""

from pathlib import Path

from lstm_cli.errors import DataError

_EXCEL = "an Excel workbook", 'pandas.read_excel("{file}").to_csv("{stem}.csv", index=False)'
_HDF = (
    "HDF5",
    'numpy.savez("{stem}.npz", **{{name: array[:] for name, array in h5py.File("{file}").items()}})',
)
_MATLAB = (
    "a MATLAB file",
    'numpy.savez("{stem}.npz", **{{name: array for name, array in scipy.io.loadmat("{file}").items() '
    'if name[0] != "_"}})',
)
_ARFF = (
    "ARFF",
    'pandas.DataFrame(scipy.io.arff.loadarff("{file}")[0]).map(lambda cell: cell.decode() if isinstance(cell, bytes) '
    'else cell).to_csv("{stem}.csv", index=False)',
)
_PICKLE = "a pickle, which can run code,", 'pandas.read_pickle("{file}").to_csv("{stem}.csv", index=False)'
_R = "an R file", 'in R: write.csv(readRDS("{file}"), "{stem}.csv", row.names = FALSE)'
_PACKED = "an archive of another kind", "unpack it, or compress the file inside as .gz, .zst or .zip"

#: By suffix: what such a file is, and how it is converted.
_BY_SUFFIX = {
    ".xlsx": _EXCEL, ".xls": _EXCEL, ".xlsm": _EXCEL,
    ".ods": ("a spreadsheet", _EXCEL[1]),
    ".h5": _HDF, ".hdf5": _HDF, ".hdf": _HDF,
    ".mat": _MATLAB,
    ".arff": _ARFF,
    ".pkl": _PICKLE, ".pickle": _PICKLE,
    ".rds": _R,
    ".sav": ("an SPSS file", 'pandas.read_spss("{file}").to_csv("{stem}.csv", index=False)'),
    ".dta": ("a Stata file", 'pandas.read_stata("{file}").to_csv("{stem}.csv", index=False)'),
    ".sas7bdat": ("a SAS file", 'pandas.read_sas("{file}").to_csv("{stem}.csv", index=False)'),
    ".orc": ("ORC", 'pandas.read_orc("{file}").to_parquet("{stem}.parquet")'),
    ".bz2": _PACKED, ".xz": _PACKED, ".7z": _PACKED, ".rar": _PACKED, ".tar": _PACKED, ".tgz": _PACKED,
}  # fmt: skip
#: By the first bytes, whatever the suffix.
_BY_START = {
    b"\xd0\xcf\x11\xe0": _EXCEL,
    b"\x89HDF\r\n": _HDF,
    b"MATLAB 5.0 MAT-file": _MATLAB,
    b"\x80\x02": _PICKLE, b"\x80\x03": _PICKLE, b"\x80\x04": _PICKLE, b"\x80\x05": _PICKLE,
    b"BZh": _PACKED, b"\xfd7zXZ": _PACKED, b"7z\xbc\xaf": _PACKED, b"Rar!": _PACKED,
}  # fmt: skip


def refuse_suffix(name: str, path: Path) -> None:
    """Refuse a file by its suffix, if that is one of another program."""
    suffix = ".tar" if ".tar" in path.suffixes else path.suffix.lower()
    if suffix in _BY_SUFFIX:
        raise _refusal(name, *_BY_SUFFIX[suffix])


def refuse_content(name: str, start: bytes) -> None:
    """Refuse a file by the bytes at its start."""
    if start.startswith(b"PK\3\4") and (b"[Content_Types].xml" in start or b"xl/" in start[:100]):
        raise _refusal(name, *_EXCEL)
    for magic, (what, fix) in _BY_START.items():
        if start.startswith(magic):
            raise _refusal(name, what, fix)


def _refusal(name: str, what: str, fix: str) -> DataError:
    line = fix.format(file=name, stem=Path(name).with_suffix(""))
    return DataError(f"{name}: {what} is not read: convert it: {line}")
