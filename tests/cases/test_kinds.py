"""What columns hold: numbers in any notation, categories, tokens; never guessed silently."""

import json

import numpy as np
import pytest

from tests.support.cases import Case, npz, table


def jsonl(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


AIR = {"a.csv": table("temp,pm", "20.1,12", "20.4,NA", "20.3,31", "20.2,15", "20.6,40")}
TO_PM = {"inputs": ["temp"], "target": "pm"}
COUNTS = table("x,cnt", *(f"{k}.5,{3 * k % 40 + 100}" for k in range(60)))
SALES = {"a.csv": table("day,sales", "0.5,512", "1.5,630", "2.5,481", "3.5,555")}
STATES = {"a.csv": table("x,on", *(f"{k}.5,{k // 7 % 2}" for k in range(42)))}
COMMAS = {"a.csv": table("temp;load", "20,1;0,5", "20,4;0,7", "20,2;0,6")}
GROUPED = {"a.csv": table("x,n", '0.5,"24,688,612"', '1.5,"1,034"', '2.5,"988,001"')}
PERCENT = {"a.csv": table("humidity,y", "70.6%,1.5", "68.2%,2.5", "71.0%,3.5")}
MOSTLY_NA = {"a.csv": table("x,y", "1.5,0.1", "NA,0.2", "NA,0.3", "NA,0.4", "2.5,0.5")}
DATES = {"a.csv": table("date,y", "2024-01-01,0.1", "2024-01-02,0.2", "2024-01-03,0.3")}
ONE_HOT = [[1, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 0]]
HOT_LINES = {"a.jsonl": jsonl(*({"x": [0.5, 1.5, k / 2, 3.5], "y": row} for k, row in enumerate(ONE_HOT)))}
POSITIONS = {"target": ("category", "sequence"), "labels": ["0", "1", "2"], "targets": ["0", "2", "1", "0"]}
HOT_ARRAYS = {"a.npz": npz(x=np.arange(24.0).reshape(4, 6, 1), y=np.array(ONE_HOT, float))}
X_TO_Y = {"inputs": ["x"], "target": "y"}
ONE_COLUMN = {"a.npz": npz(x=np.arange(24.0).reshape(4, 6, 1), y=np.array([[3], [1], [3], [2]]))}
ONE_IN_A_LIST = {"a.jsonl": jsonl(*({"x": [0.5, 1.5], "y": [label]} for label in (3, 1, 3, 2)))}
QUESTIONS = {
    "a.jsonl": jsonl({"sentence": "What is it ?", "kind": "thing"}, {"sentence": "Who is it ?", "kind": "person"})
}
WORDS = ["What", "is", "it", "?", "Who", "is", "it", "?"]
REVIEWS = {
    "a.csv": table("text,label", "a good film,pos", '"dull, and long",neg', "good and long,pos", "a dull film,neg")
}
DOCUMENTS = {
    "a.csv": table(
        "text,label",
        "a good film with good actors,pos",
        '"dull, long, and without any idea",neg',
        "good actors and a good end,pos",
        "a film that never comes to an end,neg",
    )
}
LISTS = {"a.csv": table("v,label", '"[0.1, 0.2]",up', '"[0.3]",down')}
FILM_WORDS = ["a", "good", "film", "good", "and", "long", "a", "dull", "film"]
TS_LABELS = {"a.ts": table("@problemName P", "@classLabel true 0.0 1.0", "@data", "1,2,3:0.0", "4,5,6:1.0")}
TS_PERCENT = {"a.ts": table("% made by hand", "@problemName P", "@classLabel true a b", "@data", "1,2:a", "3,4:b")}
TS_TIMES = {
    "a.ts": table(
        "@problemName P",
        "@timeStamps true",
        "@classLabel true a b",
        "@data",
        "(2007-01-01 00:00:00,241.97),(2007-01-01 00:30:00,241.75):a",
        "(2007-01-02 00:00:00,1.5),(2007-01-02 00:30:00,2.5):b",
    )
}
WEATHER = {"a.csv": table("temp,hum", *(f"{20 + k / 4},{40 - k / 8}" for k in range(12)))}
LENGTHS_MEET = {"a.jsonl": jsonl(*({"x": [0.5, k, 1.5], "y": [1.5, 0.25, -7.5 * k]} for k in range(4)))}
SPACED = {"a.csv": table("x , answer", "0.5, ja", "1.5, nein", "2.5,ja", "3.5,nein ")}
CONSTANT = {"a.csv": table("x,c,y", *(f"{k}.5,7,{k / 8}" for k in range(12)))}
OUTLIER = {"a.csv": table("x,y", *(f"{1e9 if k == 30000 else k % 10},{k % 7 / 8}" for k in range(40000)))}

CASES = {
    "a number with NA as the target": Case(AIR, TO_PM, refused=r":3: .*pm.*data\.missing"),
    "NA in the target is skipped": Case(
        AIR,
        {**TO_PM, "missing": {"target": "skip"}},
        target=("number", "step"),
        targets=[12, 0, 31, 15, 40],
        counted=[1, 0, 1, 1, 1],
    ),
    "counts are numbers": Case(
        {"a.csv": COUNTS}, {"inputs": ["x"], "target": "cnt"}, target=("number", "step"), notes=["cnt.*number"]
    ),
    "few different numbers of few rows are numbers": Case(
        SALES, {"inputs": ["day"], "target": "sales"}, target=("number", "step"), targets=[512, 630, 481, 555]
    ),
    "few whole values of many rows are categories, and said": Case(
        STATES, {"inputs": ["x"], "target": "on"}, target=("category", "step"), notes=["on.*categor"]
    ),
    "decimal commas": Case(
        COMMAS,
        {"inputs": ["temp"], "target": "load"},
        kinds={"temp": "number"},
        target=("number", "step"),
        numbers=[[20.1], [20.4], [20.2]],
        targets=[0.5, 0.7, 0.6],
    ),
    "grouped digits need their key": Case(
        GROUPED, {"inputs": ["x"], "target": "n"}, refused=r"24,688,612.*a\.csv:2.*data\.table\.thousands"
    ),
    "grouped digits": Case(
        GROUPED,
        {"inputs": ["x"], "target": "n", "table": {"thousands": ","}},
        target=("number", "step"),
        targets=[24688612, 1034, 988001],
    ),
    "percent signs": Case(PERCENT, {"inputs": ["humidity"], "target": "y"}, refused="humidity: '70.6%'.*percent"),
    "mostly NA": Case(MOSTLY_NA, X_TO_Y, refused=r":3: .*x.*data\.missing"),
    "mostly NA, filled": Case(
        MOSTLY_NA,
        {**X_TO_Y, "missing": {"fill": "linear"}},
        kinds={"x": "number"},
        numbers=[[1.5], [1.75], [2.0], [2.25], [2.5]],
    ),
    "dates are no tokens": Case(DATES, {"inputs": ["date"], "target": "y"}, refused=r"date.*data\.time"),
    "one-hot rows of jsonl": Case(HOT_LINES, X_TO_Y, **POSITIONS),
    "one-hot rows of jsonl, said to be categories": Case(
        HOT_LINES, {"inputs": ["x"], "target": {"column": "y", "kind": "category", "per": "sequence"}}, **POSITIONS
    ),
    "one-hot rows of npz": Case(HOT_ARRAYS, X_TO_Y, **POSITIONS),
    "vectors said to be categories": Case(
        {"a.jsonl": jsonl({"x": [0.5], "y": [0.2, 0.7, 0.1]}, {"x": [1.5], "y": [0.9, 0.1, 0.0]})},
        {"inputs": ["x"], "target": {"column": "y", "kind": "category", "per": "sequence"}},
        refused="argmax",
    ),
    "one label in a list": Case(
        ONE_IN_A_LIST,
        {"inputs": ["x"], "target": {"column": "y", "kind": "category"}},
        target=("category", "sequence"),
        labels=[1, 2, 3],
        targets=[3, 1, 3, 2],
    ),
    "labels of shape (N, 1)": Case(
        ONE_COLUMN,
        {"inputs": ["x"], "target": {"column": "y", "kind": "category"}},
        target=("category", "sequence"),
        labels=[1, 2, 3],
        targets=[3, 1, 3, 2],
    ),
    "words of strings": Case(
        QUESTIONS,
        {"inputs": ["sentence"], "target": "kind", "unit": "word"},
        kinds={"sentence": "tokens"},
        target=("category", "sequence"),
        tokens={"sentence": WORDS},
    ),
    "the unit of one column": Case(
        QUESTIONS,
        {"inputs": {"sentence": {"unit": "word"}}, "target": "kind"},
        tokens={"sentence": WORDS},
        lengths=[4, 4],
    ),
    "documents in rows of a table": Case(
        REVIEWS,
        {"inputs": {"text": {"unit": "word"}}, "target": "label", "table": {"row": "sequence"}},
        kinds={"text": "tokens"},
        target=("category", "sequence"),
        labels=["neg", "pos"],
        lengths=[3, 3, 3, 3],
        targets=["pos", "neg", "pos", "neg"],
    ),
    "documents taken for tokens": Case(
        DOCUMENTS, {"inputs": ["text"], "target": "label"}, notes=[r"text.*data\.table\.row|text.*table: \{row"]
    ),
    "lists in cells": Case(
        LISTS,
        {"inputs": ["v"], "target": "label", "table": {"row": "sequence"}},
        kinds={"v": "number"},
        numbers=[[0.1], [0.2], [0.3]],
        lengths=[2, 1],
        targets=["up", "down"],
    ),
    "class labels that look like numbers": Case(
        TS_LABELS, {}, target=("category", "sequence"), targets=["0.0", "1.0"], labels=["0.0", "1.0"]
    ),
    "comments of Weka": Case(TS_PERCENT, {}, numbers=[[1], [2], [3], [4]], targets=["a", "b"]),
    "time stamps in ts": Case(
        TS_TIMES, {}, numbers=[[241.97], [241.75], [1.5], [2.5]], lengths=[2, 2], targets=["a", "b"]
    ),
    "the target is an input of the same step": Case(
        WEATHER, {"inputs": ["temp", "hum"], "target": "temp"}, notes=["temp.*ahead"]
    ),
    "a vector as long as the sequence": Case(LENGTHS_MEET, X_TO_Y, target=("number", "step"), notes=["per: sequence"]),
    "header and cells are trimmed alike": Case(
        SPACED, {"inputs": ["x"], "target": "answer"}, labels=["ja", "nein"], targets=["ja", "nein", "ja", "nein"]
    ),
    "a constant column": Case(CONSTANT, {"inputs": ["x", "c"], "target": "y"}, notes=["c.*7"]),
    "a value beyond 100 deviations": Case(OUTLIER, {**X_TO_Y, "scale": "standard"}, notes=["x.*deviations"]),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name, tmp_path):
    CASES[name].run(tmp_path)
