"""Tables as other programs write them: headers, delimiters, line ends, encodings, what a row is."""

import pytest

from tests.support.cases import Case, table

TWO = {"inputs": ["a"], "target": "b"}
ROWS = ("a,b", "0.5,1.25", "1.5,2.25", "2.5,3.75")
READ = {"numbers": [[0.5], [1.5], [2.5]], "targets": [1.25, 2.25, 3.75], "target": ("number", "step")}
SEEDS = {"seeds.txt": table("1\t1\t1.398\t-5.743", "2\t1\t1.412\t-5.751", "3\t2\t1.398\t-5.755")}
NAMED = ["n", "run", "width", "height"]
R_STYLE = {
    "a.csv": table('"date","temp"', '"140","2015-02-02",23.7', '"141","2015-02-03",24.1', '"142","2015-02-04",23')
}
SPACES = {"log.txt": table("# made by a logger", "# 2024", "a   b", "0.5  1.25", "# paused", " 1.5 2.25", "2.5   3.75")}
WIDE = {"ecg.csv": table("name,t0,t1,t2,beat", "p1,0.5,1.5,2.5,normal", "p2,3.5,4.5,5.5,odd")}
SERIES = {"inputs": {"ecg": {"columns": "t*"}}, "target": "beat", "id": "name"}
SMART = b"word,tag\nit\x92s,a\nno,b\n"
GATHERED = {"a.csv": table("id,a,b", "p,0.5,1.25", "q,9.5,7.25", "p,1.5,2.25", "q,8.5,6.25", "p,2.5,3.75")}
BAD = {"a.csv": table("a,b", "0.5,1.25", "oops,9.5", "1.5,2.25", "2.5,3.75,9,9", "2.5,3.75")}

CASES = {
    "a table in a txt file": Case({"log.txt": table(*ROWS)}, TWO, **READ),
    "format csv of a txt file": Case({"log.txt": table(*ROWS)}, {**TWO, "format": "csv"}, **READ),
    "no header": Case(SEEDS, {"inputs": ["width"], "target": "height"}, refused=r"data\.table\.columns"),
    "no header, names given": Case(
        SEEDS,
        {"inputs": ["width"], "target": "height", "table": {"columns": NAMED}},
        numbers=[[1.398], [1.412], [1.398]],
        targets=[-5.743, -5.751, -5.755],
    ),
    "row names of R": Case(
        R_STYLE, {"inputs": ["temp"], "target": "next"}, numbers=[[23.7], [24.1]], targets=[24.1, 23.0]
    ),
    "runs of blanks and comments": Case(SPACES, {**TWO, "table": {"delimiter": "space", "comment": "#"}}, **READ),
    "lines before the header": Case({"a.csv": table("Logger 7", "", *ROWS)}, {**TWO, "table": {"skip": 2}}, **READ),
    "line ends of old Macs": Case({"a.csv": table(*ROWS, end="\r")}, TWO, **READ),
    "line ends of Windows, a byte-order mark": Case({"a.csv": "\ufeff" + table(*ROWS, end="\r\n")}, TWO, **READ),
    "a line sep=; of Excel": Case({"a.csv": table("sep=;", *(row.replace(",", ";") for row in ROWS))}, TWO, **READ),
    "pipes": Case(
        {"a.csv": table(*(row.replace(",", "|") for row in ROWS))}, {**TWO, "table": {"delimiter": "|"}}, **READ
    ),
    "cp1252 is named": Case({"a.csv": SMART}, {"inputs": ["word"], "target": "tag"}, refused=r"cp1252|windows-1252"),
    "cp1252 is read": Case(
        {"a.csv": SMART},
        {"inputs": ["word"], "target": "tag", "table": {"encoding": "cp1252"}},
        tokens={"word": ["it\u2019s", "no"]},
    ),
    "UTF-16 is named": Case({"a.csv": table(*ROWS).encode("utf-16")}, TWO, refused="(?i)utf-?16"),
    "UTF-16 is read": Case({"a.csv": table(*ROWS).encode("utf-16")}, {**TWO, "table": {"encoding": "utf-16"}}, **READ),
    "rows of one id are gathered": Case(
        GATHERED,
        TWO,
        ids=["p", "q"],
        lengths=[3, 2],
        numbers=[[0.5], [1.5], [2.5], [9.5], [8.5]],
        targets=[1.25, 2.25, 3.75, 7.25, 6.25],
    ),
    "a bad line stops": Case(BAD, TWO, refused=":5: expected 2 cells"),
    "bad lines are skipped, not their series": Case(BAD, {**TWO, "on_error": "skip"}, **READ, notes=["2 of 5 rows"]),
    "a wide table": Case(
        WIDE,
        SERIES,
        numbers=[[0.5], [1.5], [2.5], [3.5], [4.5], [5.5]],
        lengths=[3, 3],
        ids=["p1", "p2"],
        targets=["normal", "odd"],
        target=("category", "sequence"),
    ),
    "strings of a table, cut to characters": Case(
        {"a.csv": table("name,country", "Ana,pt", "Bo,se")},
        {"inputs": ["name"], "target": "country", "table": {"row": "sequence"}},
        tokens={"name": ["A", "n", "a", "B", "o"]},
        targets=["pt", "se"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name, tmp_path):
    CASES[name].run(tmp_path)
