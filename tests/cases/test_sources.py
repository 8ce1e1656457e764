"""Several files, ids of several columns, time, calendars, splits, static columns."""

import numpy as np
import pytest

from tests.support.cases import Case, table

TWO = {"inputs": ["a"], "target": "b"}
LOGS = {
    "logs/one.csv": table("a,b", "0.5,1.25", "1.5,2.25"),
    "logs/two.csv": table("a,b", "2.5,3.75"),
}
OF_LOGS = {"numbers": [[0.5], [1.5], [2.5]], "targets": [1.25, 2.25, 3.75], "lengths": [2, 1]}
EVENTS = {"a.csv": table("subject,event,a,b", "s1,e1,0.5,1.25", "s1,e2,2.5,3.75", "s1,e1,1.5,2.25", "s2,e1,9.5,8.75")}
STORES = {"a.csv": table("store,a,b", *(f"s{k // 6},{k % 6}.5,{k % 6}.25" for k in range(24)))}
DISORDER = {"a.csv": table("when,a,b", "2024-01-03,2.5,3.75", "2024-01-01,0.5,1.25", "2024-01-02,1.5,2.25")}
HOURS = [f"2024-03-04 {hour:02d}:00" for hour in (0, 1, 2, 3, 9, 10)]
GAP = {"a.csv": table("when,a,b", *(f"{hour},{k}.5,{k}.25" for k, hour in enumerate(HOURS)))}
PARTS = ("train", "valid", "train", "test", "valid", "train")
SPLIT = {"a.csv": table("id,part,a,b", *(f"s{k},{part},{k}.5,{k}.25" for k, part in enumerate(PARTS)))}
PATIENTS = {
    "a.csv": table("id,patient,a,y", *(f"s{k},p{k // 4},{k}.5,{'ab'[k % 2]}" for k in range(24) for _ in range(2)))
}
RARE = {
    "a.csv": table("id,a,y", *(f"s{k},{k}.5,{'rare' if k % 10 == 0 else 'usual'}" for k in range(60) for _ in range(2)))
}
PANEL = {"a.csv": table("id,a,b", *(f"{name},{k}.5,{k}.25" for k in range(10) for name in "pqr"))}
SEX = {"a.csv": table("id,sex,hr,y", "p,m,60.5,a", "p,m,61.5,a", "q,f,70.5,b", "q,f,72.5,b")}
SEQUENCE = {"column": "y", "per": "sequence"}
AGES = {"a.jsonl": '{"x": [0.5, 1.5], "age": 61, "y": "a"}\n{"x": [2.5], "age": 35, "y": "b"}\n'}
FULL = {"a.csv": table("a,b", *(f"{k}.5,{k}.25" for k in range(8)))}

CASES = {
    "a pattern": Case(LOGS, {**TWO, "train": "logs/*.csv"}, **OF_LOGS),
    "a folder": Case(LOGS, {**TWO, "train": "logs"}, **OF_LOGS),
    "a list": Case(LOGS, {**TWO, "train": ["logs/one.csv", "logs/two.csv"]}, **OF_LOGS),
    "the file as id": Case(LOGS, {**TWO, "train": "logs/*.csv", "id": "file"}, ids=["one", "two"], lengths=[2, 1]),
    "no file matches": Case(LOGS, {**TWO, "train": "logs/*.tsv"}, refused=r"logs/\*\.tsv"),
    "ids of two columns": Case(
        EVENTS, {**TWO, "id": ["subject", "event"]}, lengths=[2, 1, 1], numbers=[[0.5], [1.5], [2.5], [9.5]]
    ),
    "an id under another name": Case(STORES, TWO, lengths=[24], notes=["store.*data.id|store.*id: store"]),
    "an id that is not there": Case(STORES, {**TWO, "id": "shop"}, refused="shop"),
    "time orders the rows": Case(
        DISORDER, {**TWO, "time": "when"}, numbers=[[0.5], [1.5], [2.5]], targets=[1.25, 2.25, 3.75]
    ),
    "a gap in time": Case(GAP, {**TWO, "time": "when"}, lengths=[6], notes=["2024-03-04.*03:00"]),
    "hours as sine and cosine": Case(
        GAP,
        {**TWO, "time": "when", "calendar": "hour"},
        numbers=[
            [k + 0.5, np.sin(2 * np.pi * hour / 24), np.cos(2 * np.pi * hour / 24)]
            for k, hour in enumerate((0, 1, 2, 3, 9, 10))
        ],
    ),
    "a column that says the split": Case(
        SPLIT, {**TWO, "split": "part"}, splits={"train": ["s0", "s2", "s5"], "valid": ["s1", "s4"], "test": ["s3"]}
    ),
    "a value that is no split": Case(
        {"a.csv": SPLIT["a.csv"].replace("test", "tset")}, {**TWO, "split": "part"}, refused="part.*tset"
    ),
    "text that is static": Case(
        SEX,
        {"inputs": {"hr": {}, "sex": {"static": True}}, "target": SEQUENCE},
        tokens={"sex": ["m", "m", "f", "f"]},
        numbers=[[60.5], [61.5], [70.5], [72.5]],
        targets=["a", "b"],
    ),
    "a number that is static": Case(
        AGES,
        {"inputs": {"x": {}, "age": {"static": True}}, "target": "y"},
        numbers=[[0.5, 61], [1.5, 61], [2.5, 35]],
    ),
    "train and test are one file": Case(FULL, {**TWO, "test": "a.csv"}, notes=["test.*train"]),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name, tmp_path):
    CASES[name].run(tmp_path)


def test_patients_stay_together(tmp_path):
    held = {"share": 0.4, "by": "patient"}
    data = Case(PATIENTS, {"inputs": ["a"], "target": SEQUENCE, "valid": held})._open(tmp_path)
    patients = [{int(name[1:]) // 4 for name in split.ids} for split in (data.train, data.valid)]
    assert patients[0] and patients[1] and not patients[0] & patients[1]
    assert len(data.train) + len(data.valid) == 24


def test_classes_are_held_out_in_proportion(tmp_path):
    data = Case(RARE, {"inputs": ["a"], "target": SEQUENCE, "valid": 0.5})._open(tmp_path)
    assert [sum(int(name[1:]) % 10 == 0 for name in split.ids) for split in (data.train, data.valid)] == [3, 3]


def test_the_end_of_every_series_is_held_out(tmp_path):
    """The last three steps of each series are scored, whatever context stands before them."""
    data = Case(PANEL, {**TWO, "valid": {"share": 3, "by": "time"}})._open(tmp_path)
    assert data.train.ids == data.valid.ids == ["p", "q", "r"]
    np.testing.assert_allclose(data.train.target[:7, 0], np.arange(7) + 0.25)
    scored = data.valid.target if data.valid.weight is None else data.valid.target[data.valid.weight > 0]
    np.testing.assert_allclose(scored[:, 0], [7.25, 8.25, 9.25] * 3)
