"""A file that is no data, read as data: no message and no note shows what stands in it."""

import pytest

from lstm_cli.config import config_from_mapping
from lstm_cli.config.formats import FORMATS
from lstm_cli.data import open_data
from lstm_cli.data.formats.naming import columns_listed
from lstm_cli.errors import LstmError

SECRETS = {
    "shadow": "root:$6$saltsalt$hash:19000:0:99999:7:::\ndaemon:$6$saltsalt$hash:19000:0:99999:7:::\n",
    "hash": "$6$saltsalt\n",
    "token": "ghp_saltsaltABCDEFsaltsaltsaltsalt0123456789\n",
    "password": "saltsalt1\n",
    "key": "-----BEGIN PRIVATE KEY-----\nsaltsaltsalt+/=\n-----END PRIVATE KEY-----\n",
    "environment": "PASSWORD=saltsalt\nKEY='saltsalt'\n",
}
READ = [
    {}, {"target": "next"}, {"id": ["case"]}, {"split": "s"}, {"time": "when"}, {"table": {"header": True}},
    {"table": {"delimiter": ":"}}, {"table": {"row": "sequence"}}, {"table": {"columns": ["x", "y"], "delimiter": ":"}},
]  # fmt: skip


@pytest.mark.parametrize("form", ["auto", *FORMATS])
@pytest.mark.parametrize("secret", SECRETS)
def test_nothing_of_it_is_shown(tmp_path, secret, form):
    (tmp_path / "other").write_text(SECRETS[secret])
    for options in READ:
        data = {"train": "other", "format": form, "inputs": ["x"], "target": "y", **options}
        try:
            shown = str(open_data(config_from_mapping({"data": data}, tmp_path)).notes)
        except LstmError as error:
            shown = str(error)
        assert "salt" not in shown


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["id", "wind.speed", "Temp (°C)", "99", ""], "id, wind.speed, Temp (°C), 99, "),
        (["text"], "text"),
        (["hunter2"], "1 column whose first line does not look like names"),
        (["a", "b=c"], "2 columns whose first line does not look like names"),
        (["a", "x" * 41], "2 columns whose first line does not look like names"),
    ],
)
def test_names_are_shown_where_they_look_like_names(names, shown):
    assert columns_listed(names) == shown
