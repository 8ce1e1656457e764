"""A round: an undisturbed run, and the same run through mishaps."""

import random
import shutil
import traceback
from collections import Counter
from pathlib import Path

from lstm_cli.kernels.runtime.compilation import kernel_folder
from tests.benchmarks.soak.checks import Broken
from tests.benchmarks.soak.mishaps import FIRST, MISHAPS
from tests.benchmarks.soak.session import Session


def private_cache(folder: Path) -> Path:
    """A copy of the machine's compiled kernels, which the soak may damage."""
    cache = folder / "xdg" / "lstm-cli"
    if not cache.is_dir():
        warm = kernel_folder()
        for place in (warm, warm.parent / "pytensor"):
            shutil.copytree(place, cache / place.name)
    return cache


def play(seed: int, number: int, folder: Path, tally: Counter[str]) -> str:
    """Play a round; return how it failed, and what was done until then; empty if it did not."""
    cache = private_cache(folder)
    draw = random.Random(f"{seed} {number}")
    plan = [draw.choice(FIRST), *(draw.choice(MISHAPS) for _ in range(draw.randint(3, 7)))]
    place = folder / f"round-{number}"
    session = Session(draw, place, cache, tally)
    failure = ""
    try:
        session.train_whole()
        for index, mishap in enumerate(plan):
            session.note(f"-- {mishap.__name__}")
            mishap(session, random.Random(f"{seed} {number} {index}"))
            tally[f"mishaps: {mishap.__name__}"] += 1
        session.note("-- finish")
        session.finish(draw)
    except Exception as error:
        what = str(error) if isinstance(error, Broken) else traceback.format_exc()
        failure = "\n".join([*session.log, what])
    finally:
        session.close()
    tally["rounds"] += 1
    if not failure:
        shutil.rmtree(place)
    return failure
