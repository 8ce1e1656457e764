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
    "line ends of Windows, a byte-order mark": Case({"a.csv": "\ufeff" + table(*ROWS, end="\r\n")}, TWO, **READ),
    "UTF-16 is named": Case({"a.csv": table(*ROWS).encode("utf-16")}, TWO, refused="(?i)utf-?16"),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name, tmp_path):
    CASES[name].run(tmp_path)
