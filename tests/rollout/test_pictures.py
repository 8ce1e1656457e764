"""The script that draws the README's pictures, on runs that were hardly trained."""

import sys
from importlib import util
from xml.etree import ElementTree

import lstm_cli
from tests.support.paths import ROOT

BRIEFLY = ["train.epochs=1", "threads=1"]


def test_both_pictures_are_drawn_and_stand_alone(tmp_path, monkeypatch):
    for name in ("pendulum_swing", "oscillator"):
        lstm_cli.train(ROOT / "configs" / f"{name}.yaml", BRIEFLY, run=tmp_path / name, verbosity=-1)
    spec = util.spec_from_file_location("pictures", ROOT / "data" / "pictures.py")
    pictures = util.module_from_spec(spec)
    spec.loader.exec_module(pictures)
    runs = [str(tmp_path / "pendulum_swing"), str(tmp_path / "oscillator")]
    monkeypatch.setattr(sys, "argv", ["pictures.py", *runs, "--output", str(tmp_path / "drawn")])
    pictures.main()
    for name, lines in (("pendulum_swing", 3), ("oscillator", 2)):
        path = tmp_path / "drawn" / f"{name}.svg"
        root = ElementTree.fromstring(path.read_text(encoding="utf-8"))
        assert len(root.findall(".//{http://www.w3.org/2000/svg}polyline")) == lines
        committed = ROOT / "data" / "pictures" / path.name
        assert committed.stat().st_size < 60_000
        ElementTree.fromstring(committed.read_text(encoding="utf-8"))
