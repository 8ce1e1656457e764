"""One contender in a process of its own, so that thread pools do not meet: reads requests, one JSON object a line.

{"case": 3}                              get ready
{"run": "training", "seconds": 0.3}      reply with the seconds of every call in that time, after one unmeasured
"""

import json
import sys
import time
from collections.abc import Callable

from tests.benchmarks.cases import CASES
from tests.benchmarks.contenders import CONTENDERS


def measure(function: Callable[[], object], seconds: float) -> list[float]:
    """Call a function again and again, at least three times, and return how long each call took."""
    function()
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return times


def main() -> None:
    """Serve requests until the input ends."""
    name, threads = sys.argv[1], int(sys.argv[2])
    functions = {}
    for line in sys.stdin:
        request = json.loads(line)
        if "case" in request:
            training, inference = CONTENDERS[name](CASES[request["case"]], threads)
            functions = {"training": training, "inference": inference}
            reply = []
        else:
            reply = measure(functions[request["run"]], request["seconds"])
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
