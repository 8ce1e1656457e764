"""A file's format by its content, where no suffix says it, and files of other programs."""

import gzip
import pickle
import zipfile

import numpy as np
import pandas as pd
import pytest

from lstm_cli.data import open_data
from lstm_cli.data.formats import detect
from lstm_cli.data.formats.raw import TableOptions
from lstm_cli.errors import ConfigError, DataError
from tests.support.data import CONLLU, TS, data_config, write
from tests.support.format_rows import TSF, npy

CONLL = "EU NNP B-ORG\nrejects VBZ O\nGerman JJ B-MISC\n\nPeter NNP B-PER\nBlackburn NNP I-PER\n\nBRUSSELS NNP B-LOC\n"
#: Tables and sentences with tags, which are recognized in files named as text too.
TABLES = {
    "comma": ("temp,pm\n20.1,12\n20.4,NA\n", "csv"),
    "semicolon and decimal comma": ("temp;load\n20,1;0,5\n20,4;0,7\n", "csv"),
    "no header": ("1\t1\t1.398\t-5.743\n1\t2\t1.402\t-5.71\n", "csv"),
    "row names": ('"date","temp"\n"140","2015-02-02",23.7\n"141","2015-02-03",24\n', "csv"),
    "blanks": ("  1.0  2.0 3.0\n 2 3 4\n 4 5 6\n", "csv"),
    "tabs between texts": ("a good film\tpos\nbad, film\tneg\nso so\tneu\n", "csv"),
    "old Mac line ends": ("a,b\r1,2\r3,4\r", "csv"),
    "sentences with tags": (CONLL, "columns"),
    "documents": ("-DOCSTART- -X- O\n\nEU NNP B-ORG\n", "columns"),
}
#: What only another suffix than text leaves open.
OTHERS = {
    "jsonl": ('{"x": [1]}\n{"x": [2]}\n', "jsonl"),
    "json array": ('[\n{"x": [1]}]', "json"),
    "json object": ('{\n"train": []}', "json"),
    "conllu": (CONLLU, "conllu"),
    "ts": (TS, "ts"),
    "tsf": (TSF, "tsf"),
    "npy": (npy([[1.0, 2.0]]), "npy"),
    "compressed": (gzip.compress(b"a,b\n1,2\n3,4\n"), "csv"),
}
PROSE = {
    "play": "To be, or not to be,\nthat is, the question:\n\nWhether 'tis nobler in the mind\n",
    "verses of two words": "hello world\nfoo bar\n\nbaz qux\nquux corge\n\na b\nc d\n",
    "chapters": "Chapter 1\nChapter 2\nChapter 3\n",
    "a comma on every line": "A: hi, there\nB: hello, you\nA: yes, I\n",
    "years": "In 1990, he\nIn 1991, she\n",
    "one number a line": "1\n2\n3\n",
    "program": "def f(x):\n    return x\n",
}


@pytest.mark.parametrize("case", TABLES)
@pytest.mark.parametrize("name", ["a.txt", "a.dat", "log", "A.TXT"])
def test_a_table_is_recognized_whatever_its_name(tmp_path, case, name):
    content, form = TABLES[case]
    assert detect(write(tmp_path / name, content)) == form


@pytest.mark.parametrize("case", OTHERS)
@pytest.mark.parametrize("name", ["a.data", "log"])
def test_a_content_that_says_its_format_needs_no_suffix(tmp_path, case, name):
    content, form = OTHERS[case]
    assert detect(write(tmp_path / name, content)) == form


@pytest.mark.parametrize("case", PROSE)
def test_prose_stays_text_and_is_nothing_under_another_name(tmp_path, case):
    assert detect(write(tmp_path / "a.txt", PROSE[case])) == "text"
    with pytest.raises(
        DataError, match=r"a\.log: cannot infer the format from the suffix \.log: rename the file or set"
    ):
        detect(write(tmp_path / "a.log", PROSE[case]))


def test_a_table_that_the_config_describes_is_one(tmp_path):
    path = write(tmp_path / "a.txt", "values|of|things\none|two|three\n")
    assert detect(path) == "text"
    assert detect(path, table=TableOptions(delimiter="|")) == "csv"
    assert detect(path, table=TableOptions(encoding="latin1")) == "text"


def test_a_table_named_as_text_trains_and_says_so_but_text_without_columns_stays_text(tmp_path):
    write(tmp_path / "log.txt", "temp,load\n" + "".join(f"{t},{t / 2 + 0.25}\n" for t in range(20)))
    data = open_data(data_config(tmp_path, train="log.txt", inputs=["temp"], target="load"))
    assert data.schema.layout.format == "csv"
    assert [note.partition("log.txt: ")[2] for note in data.notes if "content" in note] == [
        "read as csv, by its content; otherwise set data.format"
    ]
    text = open_data(data_config(tmp_path, train="log.txt", window=20))
    assert text.schema.layout.format == "text" and text.notes == []
    with pytest.raises(ConfigError, match=r"no column temp, only text: if the file is a table, set data.format: csv"):
        open_data(data_config(tmp_path, train="log.txt", inputs=["temp"], target="next", format="text"))


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [("a.csv", npy([[1.0]]), "npy"), ("a.jsonl", b"PAR1....", "parquet"), ("a.txt", b"ARROW1..", "arrow")],
)
def test_a_file_of_another_format_than_its_name_says_is_refused(tmp_path, name, content, form):
    write(tmp_path / name, content)
    fix = rf"rename the file, or set data.format: {form}"
    with pytest.raises(DataError, match=rf"{name}: holds {form}, not (csv|jsonl|text): {fix}"):
        open_data(data_config(tmp_path, train=name, inputs=["text"], target="next", format=name_format(name)))


def name_format(name):
    return {"a.csv": "csv", "a.jsonl": "jsonl", "a.txt": "text"}[name]


FOREIGN = {
    "xlsx": "an Excel workbook", "xls": "an Excel workbook", "ods": "a spreadsheet", "h5": "HDF5", "hdf5": "HDF5",
    "mat": "a MATLAB file", "arff": "ARFF", "pkl": "a pickle, which can run code,", "pickle": "a pickle",
    "rds": "an R file", "sav": "an SPSS file", "dta": "a Stata file", "orc": "ORC", "csv.bz2": "an archive of another",
    "csv.xz": "an archive of another", "tar.gz": "an archive of another",
}  # fmt: skip


@pytest.mark.parametrize("suffix", FOREIGN)
def test_files_of_other_programs_are_refused_with_the_line_that_converts_them(tmp_path, suffix):
    write(tmp_path / f"log.{suffix}", b"\x00\x01")
    with pytest.raises(DataError, match=rf"log\.{suffix}: {FOREIGN[suffix]}.* is not read: convert it: ") as caught:
        open_data(data_config(tmp_path, train=f"log.{suffix}", inputs=["x"], target="y"))
    assert "\n" not in str(caught.value) and "iconv" not in str(caught.value)


STARTS = {
    "a workbook": (b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml", "an Excel workbook"),
    "an old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook"),
    "hdf5": (b"\x89HDF\r\n\x1a\n", "HDF5"),
    "matlab": (b"MATLAB 5.0 MAT-file, Platform: GLNXA64", "a MATLAB file"),
    "pickle": (pickle.dumps([1]), "a pickle"),
}


@pytest.mark.parametrize("case", STARTS)
@pytest.mark.parametrize("name", ["log.csv", "log.jsonl", "log.npz", "log"])
def test_they_are_refused_by_their_first_bytes_too(tmp_path, case, name):
    content, what = STARTS[case]
    write(tmp_path / name, content)
    with pytest.raises(DataError, match=rf"log[.a-z]*: {what}.* is not read: convert it: "):
        open_data(data_config(tmp_path, train=name, inputs=["x"], target="y"))


def converting_line(path):
    with pytest.raises(DataError) as caught:
        detect(path)
    return str(caught.value).partition("convert it: ")[2]


def test_the_line_that_converts_a_pickle_and_a_stata_file_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    table = pd.DataFrame({"temp": [20.5, 21.0], "load": [1, 2]})
    table.to_pickle("log.pkl")
    table.to_stata("survey.dta", write_index=False)
    for name in ("log.pkl", "survey.dta"):
        exec(converting_line(tmp_path / name), {"pandas": pd})
        read = pd.read_csv(name.partition(".")[0] + ".csv")
        pd.testing.assert_frame_equal(read, table, check_dtype=False)


def test_the_lines_that_convert_matlab_and_weka_files_work(tmp_path, monkeypatch):
    scipy_io = pytest.importorskip("scipy.io", reason="scipy is missing: scikit-learn in the test extra brings it")
    import scipy
    import scipy.io.arff

    monkeypatch.chdir(tmp_path)
    scipy_io.savemat("log.mat", {"x": np.ones((2, 3)), "y": [[1.5, 2.5]]})
    exec(converting_line(tmp_path / "log.mat"), {"numpy": np, "scipy": scipy})
    with np.load("log.npz") as arrays:
        assert sorted(arrays.files) == ["x", "y"] and arrays["x"].shape == (2, 3)
    write(tmp_path / "log.arff", "@relation r\n@attribute t numeric\n@attribute c {up,down}\n@data\n1.5,up\n2,down\n")
    exec(converting_line(tmp_path / "log.arff"), {"pandas": pd, "scipy": scipy})
    assert (tmp_path / "log.csv").read_text().splitlines() == ["t,c", "1.5,up", "2.0,down"]


def test_the_line_that_converts_a_workbook_works(tmp_path, monkeypatch):
    pytest.importorskip("openpyxl", reason="pandas reads workbooks with openpyxl, which is missing")
    monkeypatch.chdir(tmp_path)
    pd.DataFrame({"a": [1, 2]}).to_excel("log.xlsx", index=False)
    exec(converting_line(tmp_path / "log.xlsx"), {"pandas": pd})
    assert (tmp_path / "log.csv").read_text().split() == ["a", "1", "2"]


def test_the_line_that_converts_hdf5_works(tmp_path, monkeypatch):
    h5py = pytest.importorskip("h5py", reason="h5py is missing: pip install h5py")
    monkeypatch.chdir(tmp_path)
    with h5py.File("log.h5", "w") as file:
        file["x"] = np.ones((2, 3))
    exec(converting_line(tmp_path / "log.h5"), {"numpy": np, "h5py": h5py})
    with np.load("log.npz") as arrays:
        assert arrays["x"].shape == (2, 3)


def test_a_zip_archive_is_detected_by_the_name_of_its_file(tmp_path):
    for member, content, form in (("a.jsonl", '{"x": [1]}', "jsonl"), ("notes.txt", "a,b\n1,2\n3,4\n", "csv")):
        with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
            archive.writestr(member, content)
        assert detect(tmp_path / "data.zip") == form
