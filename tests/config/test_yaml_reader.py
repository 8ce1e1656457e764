import math

import pytest

from lstm_cli.config.scalars import write_yaml
from lstm_cli.config.yaml_reader import MAX_BYTES, MAX_NODES, Mark, Place, Unreadable, read_yaml


def value_of(text):
    return read_yaml(text.encode()).value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("1.5E+3", 1500.0),
        ("5.", 5.0),
        (".5", 0.5),
        ("-.inf", -math.inf),
        ("010", 10),
        ("+7", 7),
        ("0o17", 15),
        ("0xfF", 255),
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("2026-01-01", "2026-01-01"),
        ("true", True),
        ("FALSE", False),
        ("tRue", "tRue"),
        ("~", None),
        ("Null", None),
        ("'1'", "1"),
        ('"1e-3"', "1e-3"),
        ("=", "="),
        ("a: <<", {"a": "<<"}),
        ("on: 1\n~: 2\n010: 3", {"on": 1, "~": 2, "010": 3}),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text, value):
    assert value_of(text) == value
    assert type(value_of(text)) is type(value)


def test_not_a_number():
    assert math.isnan(value_of(".nan"))


@pytest.mark.parametrize("value", ["1e-3", "1", "no", "null", "~", "<<", "", " a", "a: b", "#", "010", "é", "\x1b"])
def test_strings_are_written_so_that_they_read_back(value):
    assert value_of(write_yaml({value: [value]})) == {value: [value]}


def test_places_count_from_one():
    document = read_yaml(b"a:\n  b: [1,\n    {c: 2}]\n")
    assert document.places[("a", "b")] == Place(Mark(2, 3), Mark(2, 6))
    assert document.places[("a", "b", 1, "c")] == Place(Mark(3, 6), Mark(3, 9))


def test_a_byte_order_mark_shifts_nothing():
    document = read_yaml(b"\xef\xbb\xbfa: 1")
    assert document.places[("a",)] == Place(Mark(1, 1), Mark(1, 4))


def test_windows_line_ends():
    document = read_yaml(b"a: 1\r\nb: 2\r\n")
    assert document.value == {"a": 1, "b": 2}
    assert document.places[("b",)].key == Mark(2, 1)


def test_aliases_and_merge_keys():
    text = "base: &b {x: 1, y: 2}\nlist: &l [1]\nuse: {<<: *b, y: 3}\nmany: {<<: [{y: 9}, *b]}\nagain: *l"
    value = value_of(text)
    assert value["use"] == {"x": 1, "y": 3}
    assert value["many"] == {"y": 9, "x": 1}
    assert value["again"] == [1]


def test_the_first_of_several_merged_mappings_wins():
    assert value_of("{<<: [{y: 9}, {y: 2}]}") == {"y": 9}


def test_a_quoted_merge_key_is_a_name():
    assert value_of("'<<': 1") == {"<<": 1}


def test_merging_is_that_of_the_merge_key():
    """https://yaml.org/type/merge.html: own keys win over merged ones, earlier mappings over later ones.

    PyYAML 6.0.4 lets the later ones win where an earlier one was merged itself.
    """
    text = "a: &a {k: 1, m: 2}\nb: &b {<<: *a, m: 3}\nc: {n: 4, <<: [*b, *a]}"
    assert value_of(text) == {"a": {"k": 1, "m": 2}, "b": {"k": 1, "m": 3}, "c": {"n": 4, "k": 1, "m": 3}}


def test_a_key_given_twice_is_noted_and_the_first_kept():
    document = read_yaml(b"a: 1\nb: {c: 1, c: 2}\na: 3\n")
    assert document.value == {"a": 1, "b": {"c": 1}}
    noted = sorted((".".join(path), mark) for path, mark, _ in document.problems)
    assert noted == [("a", Mark(3, 1)), ("b.c", Mark(2, 11))]


@pytest.mark.parametrize(
    ("content", "problem", "mark"),
    [
        (b"\xff\xfea\0", "UTF-16", None),
        (b"a: 1\nb: \xe9", "byte 0xe9 is not UTF-8", Mark(2, 4)),
        (b"a: \0", r"character U\+0000", Mark(1, 4)),
        (b"a: [\n1", "not YAML", Mark(2, 2)),
        (b"a:\n\tb: 1", "spaces, not tabs", Mark(2, 1)),
        (b"a: @b", "put quotes around", Mark(1, 4)),
        (b"a: *b", r"starts with \* needs quotes", Mark(1, 4)),
        (b"a: !!python/object:os.x y", "tags such as .* remove it", Mark(1, 4)),
        (b"a: !local y", "tags such as '!local'", Mark(1, 4)),
        (b"? [a]\n: b", "a key must be a plain name", Mark(1, 3)),
        (b"{<<: 1}", "<< merges mappings only", Mark(1, 2)),
        (b"a: 1\n---\nb: 1", "another document", Mark(2, 1)),
        (b"a: " + b"9" * 5000, "too many digits", Mark(1, 4)),
        (b"a: &a [*a]", "deeper than 20", Mark(1, 4)),
        (b"[" * 30, "deeper than 20", Mark(1, 21)),
        (b" " * 70000, "larger than 64 KiB", None),
    ],
)
def test_what_a_config_may_not_be(content, problem, mark):
    with pytest.raises(Unreadable, match=problem) as caught:
        read_yaml(content)
    assert caught.value.mark == mark


def test_values_are_counted_with_aliases_followed():
    rows = ["a0: &a0 [1, 2, 3]", *(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}]" for i in range(1, 10))]
    with pytest.raises(Unreadable, match=f"more than {MAX_NODES} values"):
        read_yaml("\n".join(rows).encode())


def test_what_the_tool_wrote_itself_may_be_of_any_size():
    value = {"weights": list(range(MAX_NODES)), "names": ["n" * 70] * (MAX_BYTES // 70)}
    text = write_yaml(value).encode()
    assert read_yaml(text, own=True).value == value
    with pytest.raises(Unreadable, match="larger than"):
        read_yaml(text)


def test_aliases_do_not_multiply_in_what_it_did_not_write():
    for text in ("a: &a [1, 2]\nb: *a", "a: &a {x: 1}\nb: {<<: *a}", "a: &a [*a]"):
        with pytest.raises(Unreadable, match="an alias, which this tool does not write"):
            read_yaml(f"{text}\n# {'x' * 2 * MAX_BYTES}".encode(), own=True)
