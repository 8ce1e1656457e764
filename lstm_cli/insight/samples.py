"""Texts that a language model writes, at a few temperatures."""

from lstm_cli.insight.explanation import Sample
from lstm_cli.predict.generation import Sampling, generated
from lstm_cli.predict.outputs import Network

TEMPERATURES = (0.5, 0.8, 1.0)
CHARACTERS, WORDS = 300, 60  # of each sample
SEED = 1


def samples(network: Network) -> tuple[Sample, ...]:
    """Return a text at each of `TEMPERATURES`; nothing for a model that writes no text."""
    target, layout = network.schema.target, network.schema.layout
    writes = layout.format == "text" and target.is_next and target.ahead == 1 and target.horizon == 1
    if not writes or network.bidirectional:
        return ()
    count = WORDS if layout.unit == "word" else CHARACTERS
    return tuple(_sample(network, count, temperature) for temperature in TEMPERATURES)


def _sample(network: Network, count: int, temperature: float) -> Sample:
    symbols = generated(network, "", count, sampling=Sampling(temperature), seed=SEED)
    return Sample(temperature, "".join(symbols).lstrip("\n"))
