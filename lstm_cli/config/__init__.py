"""The config: its grammar as typed sections, and how it is read."""

from lstm_cli.config.config import Config
from lstm_cli.config.data import DataSpec, InputKind, InputSpec, TargetSpec, TransformSpec
from lstm_cli.config.fields import Every, ResumeRule, Section
from lstm_cli.config.formats import FORMAT_OF, FORMATS, SUFFIXES, Format, format_of
from lstm_cli.config.load import config_from_mapping, load_config, load_resolved
from lstm_cli.config.model import Activation, Cell, LayerSpec, ModelSpec, OutputSpec
from lstm_cli.config.optimizer import (
    Adadelta,
    Adagrad,
    Adam,
    Adamw,
    Constant,
    Cosine,
    Exponential,
    Linear,
    Nadam,
    Optimizer,
    OptimizerBase,
    Plateau,
    Rmsprop,
    Schedule,
    ScheduleBase,
    Sgd,
)
from lstm_cli.config.rollout import RolloutSpec, TeacherForcing
from lstm_cli.config.train import METRICS, LossSpec, Monitor, TrainSpec

__all__ = [
    "FORMATS",
    "FORMAT_OF",
    "METRICS",
    "SUFFIXES",
    "Activation",
    "Adadelta",
    "Adagrad",
    "Adam",
    "Adamw",
    "Cell",
    "Config",
    "Constant",
    "Cosine",
    "DataSpec",
    "Every",
    "Exponential",
    "Format",
    "InputKind",
    "InputSpec",
    "LayerSpec",
    "Linear",
    "LossSpec",
    "ModelSpec",
    "Monitor",
    "Nadam",
    "Optimizer",
    "OptimizerBase",
    "OutputSpec",
    "Plateau",
    "ResumeRule",
    "Rmsprop",
    "RolloutSpec",
    "Schedule",
    "ScheduleBase",
    "Section",
    "Sgd",
    "TargetSpec",
    "TeacherForcing",
    "TrainSpec",
    "TransformSpec",
    "config_from_mapping",
    "format_of",
    "load_config",
    "load_resolved",
]
