from dataclasses import replace

import pytest

from lstm_cli.report.headline import headline
from lstm_cli.report.wording import digits
from tests.support.report_contents import PLAIN, all_tasks, classification, entries, language_model


def course(*losses, split="valid", every=10):
    """Evaluations with these losses, one after each epoch."""
    return [
        {"step": every * k, "epoch": k, "split": split, "seconds": k, "loss": loss}
        for k, loss in enumerate(losses, start=1)
    ]


def said(found, **fields):
    return headline(replace(PLAIN, **fields), found)


def test_the_score_the_naive_score_the_best_epoch_and_the_rise():
    contents, found = classification()
    assert headline(contents, found) == (
        'Accuracy 0.932 on the test data; always "normal" would give 0.45; best at epoch 33 of 43; '
        "validation loss rose after it, from 0.124 to 0.507."
    )


def test_a_model_that_is_no_better_than_a_naive_predictor():
    contents, found = classification()
    worse = replace(contents, baselines=tuple(replace(own, metrics={"accuracy": 0.97}) for own in contents.baselines))
    assert 'Accuracy 0.932 on the test data, no better than always "normal", which gives 0.97;' in headline(
        worse, found
    )


def test_less_is_better_for_errors():
    contents, found = language_model()
    text = headline(contents, found)
    assert text.startswith("Perplexity 4.93 on the validation data; symbol frequencies would give 21; ")
    assert text.endswith("still improving at the last evaluation: more epochs may help.")


@pytest.mark.parametrize("make", list(all_tasks().values()), ids=list(all_tasks()))
def test_every_task_has_a_sentence(make):
    text = headline(*make)
    assert text[0].isupper() and text.endswith(".") and "None" not in text and "nan" not in text


def test_the_best_of_the_naive_predictors_is_named():
    contents, found = all_tasks()["forecast"]
    assert "the value 24 steps ago would give 18.8" in headline(contents, found)


def test_a_monitored_metric_is_the_one_that_is_said():
    contents, found = classification()
    text = headline(replace(contents, monitor="valid.macro_f1"), found)
    assert text.startswith("Macro F1 0.922 on the test data; ")
    assert text.endswith("; best at epoch 43 of 43; validation loss rose from 0.124 at epoch 33 to 0.507.")


def test_no_evaluation():
    assert said([], state="training") == "Training; no evaluation yet."
    assert said([], state="stopped") == "It ended before its first evaluation."


def test_one_evaluation():
    assert said(course(0.5)) == "Loss 0.5 on the validation data."


def test_no_validation_data():
    text = said(course(0.5, 0.25, split="train"), monitor="train.loss")
    assert text == ("Training loss 0.25; without validation data nothing tells how good the model is on new sequences.")


def test_a_loss_that_is_not_finite():
    assert said(course(None, split="train"), monitor="train.loss", state="stopped").startswith(
        "Stopped at step 10 of 430: the training loss is not finite; "
    )


def test_still_improving():
    assert said(course(0.5, 0.4, 0.3)).endswith("; still improving at the last evaluation: more epochs may help.")


def test_a_perfect_score_has_no_room_to_improve():
    found = [{**entry, "accuracy": 1.0} for entry in course(0.5, 0.4)]
    assert said(found) == "Accuracy 1 on the validation data; best at epoch 2 of 2."


def test_a_small_rise_is_noise():
    assert said(course(0.5, 0.3, 0.31)) == "Loss 0.3 on the validation data; best at epoch 2 of 3."
    assert said(course(0.5, 0.3, 0.9, 0.31)) == "Loss 0.3 on the validation data; best at epoch 2 of 4."


def test_while_it_trains_and_when_it_was_stopped():
    assert said(course(0.5, 0.3, 0.4), state="training") == (
        "So far loss 0.3 on the validation data; best at epoch 2; epoch 3 of 43."
    )
    assert said(course(0.5, 0.3, 0.4), state="stopped") == (
        "Stopped at step 30 of 430: loss 0.3 on the validation data; best at epoch 2 of 3; "
        "validation loss rose after it, from 0.3 to 0.4."
    )


def test_steps_are_named_where_epochs_have_several_evaluations():
    found = [entry | {"epoch": entry["step"] // 20} for entry in course(0.5, 0.3, 0.4, 0.4)]
    assert "best at step 20 of 40" in said(found)


def test_scores_of_streams_say_so():
    found = [entry | {"streams": 8} for entry in course(0.5)]
    assert said(found) == "Loss 0.5 on the validation data in 8 streams."


@pytest.mark.parametrize("value, text", [(0.95, "0.95"), (18.84, "18.8"), (1234.5, "1,234"), (2e12, "2e+12"), (0, "0")])
def test_numbers_are_brief(value, text):
    assert digits(value) == text


def test_entries_of_the_fixtures_are_best_where_they_say():
    assert min(entries({}), key=lambda entry: entry["loss"])["epoch"] == 33
