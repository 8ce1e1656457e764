"""A config written out with every key reads back equal."""

from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_cli.config import Config, config_from_mapping, load_config
from lstm_cli.config.fields import Section
from tests.support.config import CONTRACT, GOOD, load

NAMES = st.one_of(
    st.sampled_from(["x", "next", "1", "1e-3", "no", "null", "<<", "~", "y", "a: b", "#", "kind", "é", " ", "-"]),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
)
PATHS = NAMES.filter(lambda name: "\0" not in name and "://" not in name)
COUNTS = st.integers(1, 10**6)
RATES = st.floats(0, 0.99)
ABOVE_ZERO = st.floats(1e-30, 1e30)
CELLS = st.sampled_from(["lstm", "gru", "rnn"])
ACTIVATIONS = st.sampled_from(["tanh", "linear", "relu", "sigmoid", "softsign"])


def section(**keys: st.SearchStrategy) -> st.SearchStrategy:
    """A mapping with any of the keys."""
    return st.fixed_dictionaries({}, optional=keys)


def named(names: str, **keys: st.SearchStrategy) -> st.SearchStrategy:
    return st.fixed_dictionaries({"name": st.sampled_from(names.split())}, optional=keys)


INPUTS = st.dictionaries(
    NAMES,
    section(kind=st.sampled_from(["auto", "tokens", "set"]), min_count=COUNTS, lowercase=st.booleans(), last=COUNTS),
    min_size=1,
    max_size=4,
)
STEPS = st.one_of(st.just("log"), st.just("difference"), st.integers(1, 999).map("seasonal_difference({})".format))
DATA = st.fixed_dictionaries(
    {"train": PATHS, "target": st.one_of(NAMES, st.builds(dict, column=NAMES, ahead=st.integers(0, 9)))},
    optional={
        "valid": st.one_of(PATHS, st.floats(0.01, 0.99), COUNTS),
        "test": st.one_of(PATHS, st.floats(0.01, 0.99), COUNTS, st.none()),
        "inputs": st.one_of(NAMES, st.lists(NAMES, unique=True), INPUTS),
        "id": NAMES,
        "scale": st.sampled_from(["none", "standard", "minmax"]),
        "max_length": COUNTS,
        "window": COUNTS,
        "on_error": st.sampled_from(["stop", "skip"]),
    },
)
LAYER = st.one_of(
    COUNTS,
    st.fixed_dictionaries({"size": COUNTS}, optional={"cell": CELLS, "activation": ACTIVATIONS, "dropout": RATES}),
)
COMMON = {
    "learning_rate": ABOVE_ZERO,
    "clip_norm": st.one_of(st.none(), ABOVE_ZERO),
    "weight_decay": st.sampled_from([0.0, 1e-30, 0.01]),
}
OPTIMIZER = st.one_of(
    named("sgd rmsprop lars", momentum=RATES, **COMMON),
    named("adam adamw nadam lamb", beta1=RATES, beta2=RATES, epsilon=ABOVE_ZERO, **COMMON),
    named("adadelta rmsprop", rho=RATES, epsilon=ABOVE_ZERO, **COMMON),
    st.just("adagrad"),
)
SCHEDULE = st.one_of(
    named("constant cosine linear exponential plateau", warmup=st.one_of(st.just("auto"), st.integers(0, 9999))),
    named("cosine linear", final=st.floats(0, 1)),
    named("exponential", decay=st.floats(0.01, 0.99), steps=COUNTS),
    named("plateau", factor=st.floats(0.01, 0.99), patience=st.integers(0, 99)),
)
INTERVAL = st.one_of(
    st.just("epoch"),
    st.builds("{} {}".format, COUNTS, st.sampled_from(["epochs", "steps"])),
    st.builds("{}.{}{}".format, COUNTS, st.integers(0, 999), st.sampled_from(["s", "min", "h"])),
)
CONFIG = st.fixed_dictionaries(
    {"data": DATA},
    optional={
        "seed": st.integers(0, 2**31 - 1),
        "threads": st.one_of(st.just("auto"), COUNTS),
        "model": section(
            embedding=COUNTS, cell=CELLS, layers=st.one_of(COUNTS, st.lists(LAYER, min_size=1)), dropout=RATES,
            activation=ACTIVATIONS, output_activation=st.one_of(st.none(), ACTIVATIONS),
            pool=st.sampled_from(["last", "mean", "max", "attention"]),
        ),
        "loss": section(
            label_smoothing=RATES, weight=NAMES, start=st.one_of(st.none(), NAMES),
            class_weight=st.one_of(st.none(), st.just("balanced"), st.dictionaries(NAMES, st.floats(0.1, 9))),
        ),
        "optimizer": OPTIMIZER,
        "train": section(
            epochs=COUNTS, batch_steps=COUNTS, schedule=SCHEDULE, patience=st.one_of(st.none(), COUNTS),
            checkpoint_every=INTERVAL, monitor=st.sampled_from(["train.loss", "valid.bits", "valid.r2"]),
        ),
    },
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(CONFIG)
def test_what_is_written_reads_back_equal(tmp_path_factory, mapping):
    config = config_from_mapping(mapping)
    path = tmp_path_factory.getbasetemp() / "resolved.yaml"
    path.write_text(config.to_yaml(), encoding="utf-8")
    again = load_config(path)
    assert again == config
    assert again.to_yaml() == config.to_yaml()


def test_every_key_is_written(tmp_path):
    written = load(tmp_path, CONTRACT).model_dump(mode="json")
    assert list(written) == [key for key in Config.model_fields if key != "sweep"]  # it is about many runs
    for name, value in load(tmp_path, GOOD):
        if isinstance(value, Section) and name in written:
            assert list(written[name]) == list(type(value).model_fields)


def test_configs_that_differ_are_not_equal(tmp_path):
    assert load(tmp_path, GOOD) != load(tmp_path, GOOD, "seed=2")
    assert load(tmp_path, GOOD) == load(tmp_path, GOOD + "# somewhere else\n")
