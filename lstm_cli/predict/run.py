"""A trained run: from sequences in Python to predictions.

>>> run = lstm_cli.load("runs/quickstart")
>>> run.predict([{"id": "a", "acceleration": [[0.1, 0.2, 9.8], [0.3, 0.1, 9.7]]}])
[{"id": "a", "prediction": "wave"}]
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from lstm_cli.config import Config
from lstm_cli.data import Encoded, UnknownCounts, encode, raw_sequences
from lstm_cli.data.bad_rows import BadRowPolicy
from lstm_cli.data.formats.raw import RawSequence
from lstm_cli.data.formats.source import Origin, Source
from lstm_cli.engine.build import build_model, restore_weights
from lstm_cli.engine.evaluation import evaluate
from lstm_cli.engine.evaluator import Evaluator
from lstm_cli.engine.saved import read_run
from lstm_cli.engine.threads import use_threads
from lstm_cli.errors import on_one_line
from lstm_cli.predict import feedback, generation, wording
from lstm_cli.predict.future import Extension, Future, extension, forecast_steps
from lstm_cli.predict.generation import Sampling, fresh_seed
from lstm_cli.predict.hidden import check_hidden, hidden_vectors, named_arrays
from lstm_cli.predict.labelled import labelled_batches
from lstm_cli.predict.outputs import Network, Outputs, States
from lstm_cli.predict.trajectories import saved_code, trajectories, with_steps
from lstm_cli.run.names import DYNAMICS


class Run:
    """A trained model with its schema.

    Parameters
    ----------
    folder : Path
        The run folder. Neither config nor training data are needed.
    trust : bool
        Allow running the code in the folder.

    Attributes
    ----------
    config : Config
    schema : Schema
        Encodes sequences and decodes outputs.
    network : Network
    code : Code or None
        The source of the system that the model drives, if there is one.
    files : mapping of str to bytes
        The files that describe the data, and the code.
    """

    def __init__(self, folder: Path, *, trust: bool = False) -> None:
        saved = read_run(folder)
        self.files = saved.files
        self.folder = folder
        self.config: Config = saved.config
        self.schema = saved.schema
        use_threads(self.config.threads)
        self.code = saved_code(folder, saved.files.get(DYNAMICS), self.config, trust=trust)
        self.network = Network(build_model(self.config, self.schema, self.code), self.schema)
        restore_weights(self.network.model, saved.state)

    def predict(self, sequences: Iterable[Mapping[str, Any]], *, probabilities: bool = False) -> list[dict[str, Any]]:
        """Return a prediction for each sequence, given as a mapping of columns as in a line of jsonl.

        Returns
        -------
        predictions : list of mappings
            With `id`, `prediction` and, if asked, `probabilities`; sequences without an id are numbered from 1. A
            target per step has a list with an entry for each step, None where the network has no output: at the first
            steps, which differences remove.
        """
        if self.drives:
            return self.steer(sequences)
        return list(self.predictions(self._encoded(sequences), probabilities=probabilities))

    def forecast(
        self,
        sequences: Iterable[Mapping[str, Any]],
        steps: int | None = None,
        *,
        future: Iterable[Mapping[str, Any]] | None = None,
    ) -> list[dict[str, Any]]:
        """Return the model's forecast of the steps after the last of each sequence.

        A model of several steps at once gives the first `steps` of them; another one feeds its predictions back.

        Parameters
        ----------
        sequences : iterable of mappings
        steps : int, optional
            None: as many as `future` has.
        future : iterable of mappings, optional
            The values of the known inputs at the steps after the last, with the ids of the sequences.

        Returns
        -------
        forecasts : list of mappings
            With `id`; `step`, the numbers of the steps; `prediction`, one for each; and with ``data.time`` their times.
        """
        if self.drives:
            return self.steer(sequences, steps)
        later = None if future is None else self.future(raw_sequences(future, self.schema), "future")
        steps = self.forecast_steps(steps, later)
        extend = extension(self.schema.layout, steps, later)
        return list(self.forecasts(self._encoded(sequences, extend), steps))

    def hidden(self, sequences: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the vectors that the last recurrent layer makes of each sequence.

        Returns
        -------
        hidden : list of mappings
            With `id`, and arrays: `hidden` (T, H), `vector` (H,) and `state` (S,): `lstm_cli.predict.hidden.Hidden`.
        """
        check_hidden(self.network, "hidden")
        return [named_arrays(found) for found in hidden_vectors(self.network, self._encoded(sequences))]

    def future(self, sequences: Iterable[RawSequence], name: str) -> Future:
        """Return the known inputs of later steps from the sequences of a file."""
        return Future(self.schema, sequences, name)

    def forecast_steps(self, steps: int | None, future: Future | None) -> int:
        """Return how many steps to forecast, or raise the `ConfigError` that says what is wrong with the number."""
        return forecast_steps(self.schema.target, steps, future)

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folder of each model."""
        return (self.folder,)

    @property
    def name(self) -> str:
        """What to call it: the name of its folder."""
        return on_one_line(self.folder.name)

    @property
    def format(self) -> str | None:
        """The format that the config names for all files; None: each by its suffix or content."""
        form = self.config.data.format
        return None if form == "auto" else form

    def policy(self, data: Origin) -> BadRowPolicy:
        """Return what the config says about sequences of a file that cannot be used."""
        return BadRowPolicy(Source(data).name, skip=self.config.data.on_error == "skip")

    @property
    def drives(self) -> bool:
        """Whether the model drives a system, so that its predictions are trajectories."""
        return self.schema.layout.closed_loop is not None

    def steer(self, starts: Iterable[Mapping[str, Any]], steps: int | None = None) -> list[dict[str, Any]]:
        """Return the trajectory of the system from each start, driven by the model for `steps` steps.

        Returns
        -------
        trajectories : list of mappings
            With `id`; `prediction`, the states after each step; and `output`, the network's outputs at each step.
        """
        schema = with_steps(self.schema, steps)
        encoded = (encode(schema, sequence) for sequence in raw_sequences(starts, schema))
        return list(self.trajectories(encoded))

    def trajectories(self, sequences: Iterable[Encoded]) -> Iterator[dict[str, Any]]:
        """Yield a trajectory for each encoded start."""
        return trajectories(self.network, sequences)

    def generate(
        self,
        prompt: str,
        count: int,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        stop: Sequence[str] = (),
        seed: int | None = None,
    ) -> Iterator[str]:
        """Yield `count` symbols of text that continue a prompt; a model of lines starts every line afresh.

        Parameters
        ----------
        prompt : str
        count : int
        temperature, top_k, top_p
            How symbols are drawn: see `Sampling`.
        stop : sequence of str
            The text ends before the first of these.
        seed : int, optional
            Seed of the draws; None: another one each time.
        """
        sampling = Sampling(temperature, top_k, top_p)
        seed = fresh_seed() if seed is None else seed
        return generation.generated(self.network, prompt, count, sampling=sampling, seed=seed, stop=stop)

    def samples(
        self,
        prompt: str,
        count: int,
        number: int,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        stop: Sequence[str] = (),
        seed: int | None = None,
    ) -> Iterator[str]:
        """Yield a number of texts that continue a prompt, computed side by side.

        The first is that of `generate` with the same seed and the other parameters, and more texts change none.
        """
        sampling = Sampling(temperature, top_k, top_p)
        seed = fresh_seed() if seed is None else seed
        return generation.samples(self.network, prompt, count, number, sampling=sampling, seed=seed, stop=stop)

    def evaluate(
        self,
        data: Origin,
        *,
        form: str | None = None,
        policy: BadRowPolicy | None = None,
        unknown_counts: UnknownCounts | None = None,
    ) -> dict[str, float]:
        """Return loss and metrics on a file with targets.

        Parameters
        ----------
        data
            A path, ``-`` for standard input, or an open binary stream.
        form : str, optional
            Its format; None: as for the training data.
        policy : BadRowPolicy, optional
            What to do with sequences that cannot be read or used; None: as in training.
        unknown_counts : UnknownCounts, optional
            Counts the tokens and labels that training never saw.
        """
        policy, form = policy or self.policy(data), form or self.format
        with self.network.world.agreed():
            batches = labelled_batches(
                self.config, self.schema, data, form=form, policy=policy, unknown_counts=unknown_counts
            )
        loss, metrics = evaluate(self.evaluator, batches, self.network.world)
        return {"loss": loss, **metrics}

    @cached_property
    def evaluator(self) -> Evaluator:
        """Scores batches."""
        return Evaluator.of(self.network.model, self.schema.target, self.config.loss)

    def outputs(self, sequences: Iterable[Encoded], states: States | None = None) -> Iterator[Outputs]:
        """Yield the network's outputs for each encoded sequence; see `Network.outputs`."""
        return self.network.outputs(sequences, states)

    def predictions(
        self,
        sequences: Iterable[Encoded],
        states: States | None = None,
        *,
        probabilities: bool = False,
        numbered: bool = False,
        listener: feedback.Listener = feedback.ignore,
    ) -> Iterator[dict[str, Any]]:
        """Yield a prediction for each encoded sequence; `listener` is called with the outputs of each.

        With `numbered`, predictions per step have no entries for steps without output, and `step` says which are left.
        """
        if probabilities:
            wording.check_probabilities(self.schema)
        reduce = wording.reduction(self.schema, probabilities=probabilities)
        for outputs in self.network.outputs(sequences, states, reduce):
            listener(outputs)
            yield wording.described(self.schema, outputs, probabilities=probabilities, numbered=numbered)

    def forecasts(
        self,
        sequences: Iterable[Encoded],
        steps: int,
        states: States | None = None,
        *,
        listener: feedback.Listener = feedback.ignore,
    ) -> Iterator[dict[str, Any]]:
        """Yield a forecast for each encoded sequence; `listener` is called with the outputs before it."""
        if self.schema.target.horizon > 1:
            for sequence, output in feedback.direct(self.network, sequences, states, listener):
                yield wording.first_steps(self.schema, sequence, output, steps)
            return
        for sequence, chosen in feedback.forecasts(self.network, sequences, steps, states, listener):
            yield wording.continuation(self.schema, sequence, chosen)

    def _encoded(self, sequences: Iterable[Mapping[str, Any]], extend: Extension | None = None) -> Iterator[Encoded]:
        return (encode(self.schema, sequence, extend=extend) for sequence in raw_sequences(sequences, self.schema))
