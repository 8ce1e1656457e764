"""Disks that are full or read-only, and compiled kernels that are damaged, missing or in such a place."""

import random
import shutil

from tests.benchmarks.soak.checks import Broken
from tests.benchmarks.soak.commands import Running
from tests.benchmarks.soak.damage import CONTENT, copy_of, delete, name_of, put_a_folder_in_place
from tests.benchmarks.soak.disk import Disk, can_mount, mount_read_only, unmount
from tests.benchmarks.soak.session import Session


def full_disk(session: Session, draw: random.Random) -> None:
    """The disk of the run is full from the start, or from a moment on."""
    if session.disk is None:
        file_size(session, draw)
        return
    room, later, wait = int(10 ** draw.uniform(0, 5.3)), draw.random() < 0.5, session.moment(draw)
    session.note(f"{room} bytes are free on the disk{' from a moment on' if later else ''}")

    def during(running: Running) -> None:
        wait(running)
        if later and not running.is_over():
            session.disk.fill(room)

    if not later:
        session.disk.fill(room)
    try:
        session.train(draw, codes={74}, during=during)
    finally:
        session.disk.free()
    session.tally["full disks"] += 1


def file_size(session: Session, draw: random.Random) -> None:
    """No file may grow beyond a limit."""
    session.train(draw, codes={74}, file_size=int(10 ** draw.uniform(1, 5)))
    session.tally["full disks"] += 1


def read_only(session: Session, draw: random.Random) -> None:
    """The disk of the run is read-only: nothing can be trained, and all be predicted."""
    if session.disk is None or not session.reached:
        return
    session.disk.read_only()
    try:
        ended = session.train(draw, codes={74})
        if ended.code == 0:
            raise Broken("a run was trained on a read-only disk")
        if session.has("best"):
            session.predict(session.run)
    finally:
        session.disk.free()
    session.tally["full disks"] += 1


def full_for_predictions(session: Session, draw: random.Random) -> None:
    """A disk that becomes full under a file of predictions, which is whole or absent."""
    if not session.has("best"):
        return
    whole = session.predict(session.run)
    folder = session.place / "said" / "tiny"
    folder.mkdir(exist_ok=True)
    room = draw.randrange(2 * len(whole) + 4096)
    disk = Disk(folder) if can_mount() else None
    out, options = folder / "out.jsonl", {} if disk else {"file_size": room}
    before = draw.choice([b"", b"old\n"])
    try:
        if before:
            out.write_bytes(before)
        if disk:
            disk.fill(room)
        session.note(f"{room} bytes are free for {len(whole)} of predictions")
        words = [session.run, session.world.test, *session.world.options, "-o", out]
        ended = session.checked("predict", *words, codes={74}, **options)
        found = out.read_bytes() if out.exists() else b""
        if found != (before if ended.code else whole):
            raise Broken(f"after exit code {ended.code}, {out} has {len(found)} of {len(whole)} bytes")
        if others := [path.name for path in folder.iterdir() if path != out]:
            raise Broken(f"left beside the predictions: {others}")
    finally:
        if disk:
            disk.close()
    session.tally["full disks"] += 1


def damaged_cache(session: Session, draw: random.Random) -> None:
    """Compiled kernels are damaged: found out, and compiled again."""
    cache = copy_of(session.cache, session.place / "said" / "cache")
    used = [cache / path.relative_to(session.cache) for path in session.used_kernels]
    hit = draw.sample(used, min(len(used), draw.randint(1, 3)))
    for path in hit:
        how = draw.choice([*CONTENT, delete, put_a_folder_in_place])
        how(path, draw)
        session.note(f"{path.relative_to(cache)}: {name_of(how)}")
    kept = {path: path.read_bytes() for path in hit if path.is_file()}
    session.tally["damages"] += len(hit)
    options = {"environment": {"LSTM_CLI_CACHE": str(cache)}, "notes": "cache|kernel"}
    if session.train(draw, **options).code == 0 and session.trained_by_last:
        if same := [str(path) for path, data in kept.items() if path.is_file() and path.read_bytes() == data]:
            raise Broken(f"damaged kernels were not replaced: {same}")
    if session.has("best"):
        session.predict(session.run, **options)
    shutil.rmtree(cache)


def cache_elsewhere(session: Session, draw: random.Random) -> None:
    """The kernels are in a place that is read-only or full, complete or not: used as they are, and nothing is lost."""
    place, kind = session.place / "said" / "cache", draw.choice(["read-only", "full"] if can_mount() else ["a file"])
    missing = draw.randint(0, 2)
    session.note(f"the cache is {kind}, {missing} kernels are missing")
    options = {"environment": {"LSTM_CLI_CACHE": str(place)}, "notes": "cache|kernel"}
    if kind == "a file":
        place.write_text("")
        session.train(draw, **options)
        place.unlink()
        return
    place.mkdir()
    disk = Disk(place) if kind == "full" else None
    shutil.copytree(session.cache, place, dirs_exist_ok=True, copy_function=shutil.copyfile)
    for path in draw.sample(session.used_kernels, min(missing, len(session.used_kernels))):
        (place / path.relative_to(session.cache)).unlink(missing_ok=True)
    if disk:
        disk.fill(draw.choice([0, 4096, 30_000]))
    else:
        mount_read_only(place)
    try:
        session.train(draw, **options)
    finally:
        unmount(place)
    shutil.rmtree(place)
    session.tally["full disks"] += 1


DISKS = [full_disk, full_disk, full_disk, file_size, read_only, full_for_predictions, damaged_cache, cache_elsewhere]
