import re
from dataclasses import replace

import pytest

from lstm_cli.insight.explanation import SureError
from lstm_cli.report.answers import surest_errors
from lstm_cli.report.contents import from_json, to_json
from lstm_cli.report.page import render
from lstm_cli.report.wording import begun, cut, unbroken
from lstm_cli.typed_json import WrongValue
from tests.support.html import WellFormed, section, table, text_of
from tests.support.report_contents import (
    LONG,
    SCRIPT,
    all_tasks,
    classification,
    forecast,
    hostile,
    several_columns,
)

TASKS = all_tasks()


@pytest.fixture(scope="module")
def pages():
    return {name: render(*made) for name, made in TASKS.items()}


@pytest.mark.parametrize("name", TASKS)
def test_every_page_stands_alone_and_is_well_formed(pages, name):
    page = WellFormed(pages[name])
    assert page.outside() == []
    assert len(set(page.ids)) == len(page.ids)
    assert all(f"#{one}" in page.addresses for one in page.ids if one != "origin")
    assert not re.search(r"@import|url\(|https?:|//[a-z]+\.", re.sub(r"(?m)^\s*//.*$", "", pages[name]))
    assert "undefined" not in re.sub(r"<script>.*</script>", "", pages[name], flags=re.S)


@pytest.mark.parametrize("name", TASKS)
def test_a_page_is_the_same_from_the_file_of_its_contents(pages, name):
    contents, entries = TASKS[name]
    assert render(from_json(to_json(contents)), entries) == pages[name]


def test_scores_have_intervals_naive_predictors_and_skill(pages):
    assert table(pages["classification"], "Scores") == [
        ["metric", "test", "95 % interval", "validation", 'always "normal"', "skill"],
        ["loss ↓", "0.1300", "0.1 to 0.16", "0.1242", "", ""],
        ["accuracy ↑", "0.9500", "0.9 to 0.99", "0.9321", "0.4500", "0.91"],
        ["macro F1 ↑", "0.9400", "0.89 to 0.98", "0.9221", "0.1550", "0.93"],
    ]
    assert "90 sequences, 90 targets" in section(pages["classification"], "scores")


def test_skill_is_that_against_the_best_naive_predictor(pages):
    rows = {row[0]: row for row in table(pages["forecast"], "Scores")}
    assert rows["metric"][4:] == ["the last value", "the value 24 steps ago", "skill"]
    assert rows["RMSE ↓"][-1] == "0.60"  # 1 - 7.5 / 18.8


def test_confusion_matrix(pages):
    page = pages["classification"]
    rows = table(page, "Confusion matrix")
    assert rows[0] == ["", "normal", "imbalance", "loose", "bearing"]
    assert rows[2] == ["imbalance", "1", "20", "2", "1"]
    assert "Most often confused: imbalance taken for normal (2)." in text_of(section(page, "errors"))
    assert re.search(r'<td class="h8 hit">20</td>', page)
    assert re.search(r'<td class="z">0</td>', page)


def test_surest_errors_with_and_without_steps(pages):
    assert table(pages["classification"], "The surest errors")[:2] == [
        ["sequence", "truth", "prediction", "confidence"],
        ["m0", "imbalance", "normal", "0.990"],
    ]
    assert table(pages["tagging"], "The surest errors")[1] == ["s0", "NOUN", "VERB", "0.999", "0", "runs"]


def test_of_numbers_truth_prediction_and_error_stand_first_and_the_steps_ahead_beside_the_step(pages):
    rows = table(pages["forecast"], "The largest errors")
    assert rows[0] == ["sequence", "truth", "prediction", "error", "step", "ahead", "input"]
    assert rows[2] == ["", "696.5", "481.31", "-215.19", "753", "23", "when 2024-10-03 08:00, load 611.2"]
    assert len(rows) == 11
    rows = table(pages["closed_loop"], "The largest errors")
    assert rows[0] == ["sequence", "truth", "prediction", "error", "column", "step", "ahead", "input"]
    assert rows[1][4:7] == ["goal_0", "0", "1"]
    start = "Just after its start a system is still near it"
    assert start in text_of(section(pages["closed_loop"], "errors")) and start not in text_of(pages["forecast"])


def test_how_far_back_a_closed_loop_learns_is_through_the_loop(pages):
    found = text_of(section(pages["closed_loop"], "recurrence"))
    assert "Gradient norm by lag" in found and "its gradient through the closed loop" in found
    assert "through the closed loop" not in text_of(section(pages["forecast"], "recurrence"))


def test_what_confidence_in_a_set_is(pages):
    assert "confidence is the probability of the whole set" in text_of(section(pages["sets"], "errors"))
    assert "whole set" not in text_of(pages["classification"])


def test_lines_break_at_blanks_alone_and_in_long_paths_after_a_slash():
    found = dict(unbroken("lstm-train now, on 2024-03-22 (10/3): /home/a-b/runs/d.yaml 東京-2"))
    assert found == {
        "lstm-train": ["lstm-train"], "now,": [], "on": [], "2024-03-22": ["2024-03-22"], "(10/3):": ["(10/3):"],
        "/home/a-b/runs/d.yaml": ["/home/a-b/runs/d.yaml"], "東京-2": [], " ": [],
    }  # fmt: skip
    (path,) = unbroken("/home/someone/runs/2024-03-22.yaml")
    assert path[1] == ["/", "home/", "someone/", "runs/", "2024-03-22.yaml"]
    page = render(*forecast())
    assert '<span class="whole">2024-10-03</span>' in page and '<span class="whole">--steps</span>' in page
    assert '<span class="whole">/</span><wbr><span class="whole">home/</span>' in page


def test_of_a_long_input_the_beginning_is_shown_up_to_a_whole_value():
    steps = "ax -0.767 -0.708 -1.508 -0.752 -1.028 -0.667 … (64 steps), ay 0.75 0.289 … (64 steps)"
    found = surest_errors([SureError(id="a", truth="b", prediction="c", input=steps, confidence=0.9)])
    assert found is not None
    assert [column.name for column in found.columns if column.prose] == ["input"]
    assert begun(steps, 56) == "ax -0.767 -0.708 -1.508 -0.752 -1.028 -0.667 …"
    assert begun(steps, 40) == "ax -0.767 -0.708 -1.508 -0.752 -1.028 …"
    assert begun("short") == "short"
    assert begun("x" * 50, 10) == "x" * 9 + " …"


def test_labels_calibration_and_lengths(pages):
    page = pages["classification"]
    assert table(page, "Scores by label")[1] == ["normal", "0.950", "0.900", "0.925", "22"]
    assert "Expected calibration error: 0.0310." in text_of(page)
    assert table(page, "Scores by length")[1] == ["10 to 19", "30", "0.9100"]
    assert table(pages["language_model"], "Scores by length")[0] == ["length", "sequences", "perplexity"]


def test_forecasts_with_intervals_and_errors_ahead(pages):
    found = section(pages["forecast"], "forecasts")
    assert found.count("<figure>") == 5
    assert found.count("80 % interval") >= 3
    assert "load, after 2012-01-05 04:00" in found
    assert "taken from the errors on the validation data" in text_of(found)
    for name in ("RMSE by steps ahead", "this model", "the last value", "the value 24 steps ago"):
        assert name in found
    assert "this model: from 5.0000 at steps ahead 1 to 8.8990 at steps ahead 24" in found  # 4 + the root of each
    contents, entries = forecast(times=False)
    assert "load, after step 100" in render(contents, entries)


def test_columns(pages):
    rows = table(pages["several_columns"], "Scores by column")
    assert rows[0] == ["column", "RMSE", "MAE", "R²", "RMSE, the mean", "skill in RMSE"]
    assert [row[0] for row in rows[1:]] == ["load", "wind.speed", "price"]
    assert rows[1][-2:] == ["2.0000", "0.50"]


def test_many_columns_have_few_curves():
    page = render(*several_columns([f"c{k}" for k in range(40)]))
    assert section(page, "curves").count("<figure>") == 13  # loss, 9 metrics, gradient norm, throughput, learning rate
    assert "112 more metrics without a curve" in page
    assert len(table(page, "Scores by column")) == 41
    assert len(page) < 1 << 20


def test_samples_keep_their_lines_and_their_markup(pages):
    found = section(pages["language_model"], "samples")
    assert [text_of(head) for head in re.findall("<h3>.*?</h3>", found)] == [f"Temperature {t}" for t in (0.5, 0.8, 1)]
    assert "<script" not in found
    assert "&lt;script&gt;alert(1)&lt;/script&gt; and\nthe sea" in re.sub("</?span[^>]*>|<wbr>", "", found)


def test_closed_loop(pages):
    found = section(pages["closed_loop"], "loop")
    assert found.count("<figure>") == 5
    assert "RMSE by step. RMSE: from 0 at step of the closed loop 1" in found
    assert "Sequence a, state[0]" in found


def test_sets(pages):
    assert len(table(pages["sets"], "Scores by label")) == 51
    assert "label frequencies" in table(pages["sets"], "Scores")[0]


def test_curves_have_steps_and_epochs(pages):
    found = section(pages["classification"], "curves")
    for name in ("Loss", "Accuracy", "Macro F1", "Gradient norm", "Steps per second", "Learning rate"):
        assert f"<strong>{name}</strong>" in found
    assert found.count("<b>step</b>") == found.count("<b>epoch</b>") == 6


@pytest.mark.parametrize(("level", "drawn"), [(0.45, True), (-0.85, True), (-1.0, False), (2.15, True), (2.25, False)])
def test_a_naive_score_is_a_level_where_it_leaves_room_for_the_curve(level, drawn):
    """The accuracy goes from 0.32 to 0.94: a level may make its chart three times as high."""
    contents, entries = classification()
    naive = tuple(replace(own, metrics={"accuracy": level}) for own in contents.baselines)
    assert ("always" in section(render(replace(contents, baselines=naive), entries), "curves")) == drawn


def test_recurrence_says_how_to_read_it(pages):
    text = text_of(section(pages["classification"], "recurrence"))
    assert "Here it falls below a hundredth after 22 steps." in text
    assert "A forget gate that is mostly high remembers" in text
    assert text.count("layers.1") == 3
    rows = table(pages["classification"], "Gate saturation")
    assert [row[:4] for row in rows[:3]] == [
        ["layer", "gate", "low", "high"],
        ["layers.0", "input", "20 %", "31 %"],
        ["layers.0", "forget", "2 %", "74 %"],
    ]


def test_where_a_page_comes_from(pages):
    text = text_of(pages["classification"])
    for part in (
        "lstm-train configs/bearings.yaml train.epochs=43",
        "27 November 2026, 14:32",
        "lstm-cli 0.1.0",
        "AMD EPYC 9554",
        "lstm evaluate runs/bearings",
        "train: bearings.csv",
        "All 6 keys with their values",
        "3 tokens that training never saw",
    ):
        assert part in text


@pytest.mark.parametrize(
    "text, short", [("a b", "a b"), ("abcdefghijkl", "abcdef…jkl"), ("a\u202eb", "a\\u202eb"), ("  ", "␣␣"), ("", "")]
)
def test_long_texts_keep_both_ends_on_one_line(text, short):
    assert cut(text, 10) == short


def test_text_of_users_stays_text(pages):
    page = pages["hostile"]
    assert SCRIPT not in page
    assert page.count("<script") == page.count("</script>") == len(re.findall(r"application/json", page)) + 1
    assert "{{ 7 * 7 }}" in text_of(page)
    assert f'<span title="{LONG}">' in page and cut(LONG) in text_of(page)


@pytest.mark.parametrize(
    "key, value, problem",
    [
        ("metrics", [1.0], "explanation.evaluation.metrics: expected an object, got a list of 1"),
        ("confusion", {"labels": ["a"]}, "explanation.evaluation.confusion.counts: missing"),
        ("lengths", [{"low": "a"}], "explanation.evaluation.lengths.0.low: expected a whole number, got 'a'"),
    ],
)
def test_a_damaged_evaluation_is_named(key, value, problem):
    contents, _ = classification()
    evaluation = contents.explanation.evaluation | {key: value}
    text = to_json(replace(contents, explanation=replace(contents.explanation, evaluation=evaluation)))
    with pytest.raises(WrongValue, match=re.escape(problem)):
        from_json(text)


def test_confused_labels_are_named_where_a_matrix_would_be_too_large():
    contents, entries = classification()
    evaluation = {key: value for key, value in contents.explanation.evaluation.items() if key != "confusion"}
    evaluation["confused"] = [{"truth": None, "predicted": "tap", "count": 3}]
    page = render(replace(contents, explanation=replace(contents.explanation, evaluation=evaluation)), entries)
    assert "Most often confused: (never seen) taken for tap (3)." in text_of(section(page, "errors"))
    assert "Confusion matrix" not in page


def test_labels_that_training_never_saw_have_a_row():
    contents, entries = classification()
    confusion = {"labels": ["a", "b"], "counts": [[3, 0], [1, 2]], "unknown": [0, 4]}
    evaluation = contents.explanation.evaluation | {"confusion": confusion}
    page = render(replace(contents, explanation=replace(contents.explanation, evaluation=evaluation)), entries)
    assert table(page, "Confusion matrix")[-1] == ["(never seen)", "0", "4"]


def test_a_page_loads_itself_again_only_while_it_trains():
    contents, entries = classification()
    assert "data-refresh" not in render(contents, entries)
    training = render(replace(contents, state="training", status="training", explanation=None), entries[:3])
    assert 'data-refresh="15"' in training and 'http-equiv="refresh" content="15"' in training


def test_a_run_without_an_evaluation():
    contents, _ = classification()
    page = render(replace(contents, state="stopped", status="stopped by SIGTERM", explanation=None), [])
    WellFormed(page)
    assert "It ended before its first evaluation." in page


@pytest.mark.parametrize("make", [forecast, pytest.param(hostile, marks=pytest.mark.slow)])
def test_pages_of_long_runs_are_small(make):
    """With 20,000 evaluations; the table shows the latest, and the curves keep their extremes."""
    contents, entries = make()
    many = [entries[k % 43] | {"step": k, "epoch": k // 100} for k in range(20_000)]
    many[9_000] = many[9_000] | {"loss": 987.0}
    page = render(replace(contents, epochs=200, total_steps=20_000), many)
    assert len(page.encode()) < 1_000_000
    assert "The last 300 of 20,000 evaluations" in page
    assert "987.0" in page


def test_many_labels_make_a_page_of_moderate_size():
    page = render(*classification([f"label {k}" for k in range(60)]))
    assert len(table(page, "Confusion matrix")) == 61
    assert len(page) < 500_000


def test_numbers_that_are_not_finite_leave_cells_empty():
    contents, entries = classification()
    broken = [entry | {"loss": None, "accuracy": None, "gradient_norm": None} for entry in entries]
    evaluation = contents.explanation.evaluation | {
        "metrics": {"loss": None, "accuracy": None},
        "intervals": {"loss": [None, None]},
    }
    page = render(replace(contents, explanation=replace(contents.explanation, evaluation=evaluation)), broken)
    WellFormed(page)
    assert table(page, "Scores")[1][:3] == ["loss ↓", "", ""]
