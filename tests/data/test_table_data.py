"""From tables to data sets: what was decided over the training data, and rows that are sequences."""

import numpy as np
import pandas as pd
import pytest

from lstm_cli.data import encode, open_data, read_sequences
from lstm_cli.data.schema.storage import load_schema
from lstm_cli.errors import ConfigError, DataError
from tests.support.data import data_config, save_schema, write

LOADS = pd.DataFrame({"temp": np.arange(60) * 0.3 - 4, "load": np.arange(60) % 7 / 8 + 1000})


def opened(folder, content, **data):
    write(folder / "a.csv", content)
    return open_data(data_config(folder, train="a.csv", scale="none", **data))


@pytest.mark.parametrize("options", [{"sep": ";"}, {"sep": "\t"}, {"sep": ",", "quoting": 0}])
def test_a_decimal_comma_is_recognised_and_kept_for_prediction(tmp_path, options):
    content = LOADS.to_csv(index=False, decimal=",", **options)
    data = opened(tmp_path, content, inputs=["temp"], target="load")
    np.testing.assert_allclose(data.train.numbers[:, 0], LOADS["temp"], rtol=1e-6)
    np.testing.assert_allclose(data.train.target[:, 0], LOADS["load"], rtol=1e-6)
    save_schema(data.schema, tmp_path)
    assert load_schema(tmp_path).layout.table.decimal == ","
    write(tmp_path / "new.csv", "temp;note\n1,250;a\n2;b\n")  # in itself it could be grouped digits
    (row,) = read_sequences(tmp_path / "new.csv", data.schema)
    assert encode(data.schema, row).numbers.ravel().tolist() == [1.25, 2]
    write(tmp_path / "new.csv", "temp;note\n1.25;a\n")
    with pytest.raises(DataError, match=r"new.csv:2: temp: '1.25' is not a number: correct it, or set data.table.dec"):
        encode(data.schema, next(read_sequences(tmp_path / "new.csv", data.schema)))


@pytest.mark.parametrize(
    ("content", "table"),
    [
        ('x,y\n"1,234.5",a\n"-24,688,612",b\n7,a\n', {"thousands": ","}),
        ("x;y\n1.234,5;a\n-24.688.612;b\n7;a\n", {"thousands": "."}),
        ("x;y\n1 234,5;a\n-24\u00a0688\u202f612;b\n7;a\n", {"thousands": " ", "decimal": ","}),
    ],
)
def test_groups_of_digits_are_read_if_the_config_names_their_mark(tmp_path, content, table):
    data = opened(tmp_path, content, inputs=["x"], target="y", table=table)
    assert data.train.numbers.ravel().tolist() == [1234.5, -24688612, 7]


def test_commas_that_could_be_either_are_not_guessed(tmp_path):
    with pytest.raises(ConfigError, match=r"is a number with a comma: set data\.table\.thousands"):
        opened(tmp_path, 'x,y\n"1,234",a\n"2,345",b\n', inputs=["x"], target="y")


WIDE = pd.DataFrame(
    np.random.default_rng(1).normal(size=(20, 12)).round(4), columns=[f"t{k}" for k in range(12)]
).assign(label=["up", "down"] * 10, age=np.arange(20))


@pytest.mark.parametrize("columns", ["t*", [f"t{k}" for k in range(12)], ["t?", "t1?"]])
def test_the_columns_of_an_input_are_its_steps(tmp_path, columns):
    inputs = {"ecg": {"columns": columns}, "age": {"static": True}}
    data = opened(tmp_path, WIDE.to_csv(index=False), inputs=inputs, target="label")
    assert (len(data.train), set(data.train.lengths)) == (20, {12})
    np.testing.assert_allclose(data.train.numbers[:, 0], WIDE.filter(like="t").to_numpy().ravel(), rtol=1e-6)
    assert data.train.numbers[:24, 1].tolist() == [0] * 12 + [1] * 12
    assert (data.schema.layout.target.per, data.schema.target.labels) == ("sequence", ("down", "up"))
    write(tmp_path / "new.csv", "t0,t1,age\n1,2,3\n4,,5\n")
    if columns == "t*":
        rows = list(read_sequences(tmp_path / "new.csv", data.schema))
        assert [encode(data.schema, row).numbers.tolist() for row in rows] == [[[1, 3], [2, 3]], [[4, 5]]]


def test_cells_that_hold_lists_and_strings_are_the_steps(tmp_path):
    content = 'x,text,tags\n"[0.5, 2]",it is,"[""a"", ""b""]"\n"[1, 3, 4]",so it is,"[""b"", ""b"", ""a""]"\n'
    inputs = {"x": "number", "text": {"kind": "tokens", "unit": "word"}}
    data = opened(tmp_path, content, inputs=inputs, target="tags", table={"row": "sequence"})
    assert data.train.numbers.ravel().tolist() == [0.5, 2, 1, 3, 4]
    tokens = data.schema.tokens["text"].tokens
    assert [tokens[index] for index in data.train.tokens["text"]] == ["it", "is", "so", "it", "is"]
    assert [data.schema.target.labels[int(k)] for k in data.train.target.ravel()] == ["a", "b", "b", "b", "a"]


def test_a_bad_cell_of_a_wide_table_is_named_with_line_and_step(tmp_path):
    content = WIDE.astype(object)
    content.loc[7, "t3"] = "abc"
    with pytest.raises(DataError, match=r"a.csv:9: ecg: step 4: 'abc' is not a number"):
        opened(tmp_path, content.to_csv(index=False), inputs={"ecg": {"columns": "t*"}}, target="label")


def test_two_id_columns_name_a_sequence_together(tmp_path):
    content = "subject,event,x,y\na,1,0.5,p\nb,1,1.5,q\na,1,2.5,p\na,2,3.5,q\n"
    data = opened(tmp_path, content, inputs=["x"], target="y", id=["subject", "event"])
    assert data.train.ids == [("a", "1"), ("b", "1"), ("a", "2")]
    assert data.train.numbers.ravel().tolist() == [0.5, 2.5, 1.5, 3.5]


def test_blanks_around_labels_and_tokens_do_not_matter(tmp_path):
    data = opened(tmp_path, "w , y\na, ja\na ,ja\nb,nein \n", inputs=["w"], target="y")
    assert (data.schema.target.labels, data.schema.tokens["w"].tokens[1:]) == (("ja", "nein"), ("a", "b"))
