from pathlib import Path
from typing import Any

from lstm_cli.config import Config, load_config
from lstm_cli.errors import ConfigError

# The documented config, with every default written out.
CONTRACT = """
seed: 1
threads: auto
data:
  train: vowels-train.jsonl
  valid: 0.2
  test: vowels-test.jsonl
  format: auto
  inputs: [x]
  target: speaker
  id: id
  scale: standard
  max_length: null
  on_error: stop
  unit: char
  lines: false
  transform: {}
  window: null
  carry_state: false
model:
  embedding: 64
  cell: lstm
  layers: [128]
  bidirectional: false
  activation: tanh
  output_activation: null
  dropout: 0.3
  recurrent_dropout: 0.0
  initial_state: learned
  pool: last
loss: {normalize: step}
optimizer: {name: adam, learning_rate: 0.005, clip_norm: 1.0}
train:
  epochs: auto
  batch_size: auto
  bucket: true
  accumulate: 1
  schedule: {name: cosine, warmup: auto}
  monitor: valid.loss
  patience: 150
  evaluate_every: epoch
  checkpoint_every: 10min
"""

GOOD = "data: {train: a.jsonl, inputs: [x], target: y}\n"


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """The mapping of a config with changes, section by section."""
    both = {**base, **changes}
    return {key: {**base.get(key, {}), **value} if isinstance(value, dict) else value for key, value in both.items()}


def write(folder: Path, text: str | bytes, name: str = "c.yaml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def load(folder: Path, text: str | bytes, *overrides: str) -> Config:
    return load_config(write(folder, text), overrides)


def errors(folder: Path, text: str | bytes, *overrides: str) -> list[str]:
    """Return the lines of the error, with the folder left out."""
    try:
        load(folder, text, *overrides)
    except ConfigError as error:
        return str(error).replace(f"{folder}/", "").split("\n")
    return []
