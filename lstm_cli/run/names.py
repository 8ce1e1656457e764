"""The names of all files and folders in the folder of a run.

config.yaml, resolved.yaml   the config as given, and with every key
environment.json             versions, machine, command
naive.json                   what naive predictors know of the training data
schema.json and others       the schema, which encodes sequences and decodes outputs
dynamics.py                  the code of the system, for a closed loop around one
metrics.jsonl, train.log     scores, and the terminal's messages
report.json, report.html     what the report says beside the scores; all of it as charts and tables
tracking.json, tensorboard/  where the run is in MLflow, and its curves for TensorBoard, if `track` names them
last/, best/                 checkpoints, each with the files of `CHECKPOINT_FILES`
"""

from typing import Final

from lstm_cli.data.schema import storage

CONFIG: Final = "config.yaml"
RESOLVED: Final = "resolved.yaml"
ENVIRONMENT: Final = "environment.json"
NAIVE: Final = "naive.json"
SCHEMA = storage.FILES
DYNAMICS: Final = "dynamics.py"
METRICS: Final = "metrics.jsonl"
LOG: Final = "train.log"
REPORT_DATA: Final = "report.json"
REPORT: Final = "report.html"
TRACKED: Final = "tracking.json"
FILES = (CONFIG, RESOLVED, ENVIRONMENT, NAIVE, *SCHEMA, DYNAMICS, METRICS, LOG, REPORT_DATA, REPORT, TRACKED)

TENSORBOARD: Final = "tensorboard"
TENSORBOARD_FILES: Final = "events.out.tfevents."  # what the names of its files begin with

LAST: Final = "last"
BEST: Final = "best"
CHECKPOINTS = (LAST, BEST)
MANIFEST: Final = "manifest.json"
MODEL: Final = "model.safetensors"
STATE: Final = "state.safetensors"
POSITION: Final = "state.json"
CHECKPOINT_FILES = (MANIFEST, MODEL, STATE, POSITION)  # in order of removal: a folder without manifest is no checkpoint

LOCK: Final = ".lstm-run.lock"
PROBE: Final = "probe"  # written and removed, to find out early whether the folder can be written to
SCHEMA_FOLDER: Final = "schema"  # in earlier versions held the schema's files until each was moved to its place
