"""What happens to the files of a run between two processes: damage, removal, strangers, another place."""

import random
import re
import shutil
from pathlib import Path

from lstm_cli.run.names import BEST, CHECKPOINT_FILES, CONFIG, DYNAMICS, ENVIRONMENT, LAST, LOCK, LOG, METRICS, REPORT
from lstm_cli.run.names import SCHEMA as SCHEMA_FILES
from tests.benchmarks.soak import checks
from tests.benchmarks.soak.checks import Broken
from tests.benchmarks.soak.commands import Running
from tests.benchmarks.soak.damage import ANY, grow_beyond_memory, name_of
from tests.benchmarks.soak.session import CHECKPOINTS, Session

SAID = "damage|continuing from|checkpoint|restore"


def damaged_checkpoint(session: Session, draw: random.Random) -> None:
    """A file of one checkpoint or of both is damaged: never used, and the run continues from the other one, if any."""
    present = [name for name in CHECKPOINTS if session.has(name)]
    names = draw.choice([[LAST], [BEST], [LAST], [BEST], [LAST, BEST]])
    chosen = [(name, draw.choice(CHECKPOINT_FILES), draw.choice([*ANY, grow_beyond_memory])) for name in names]
    hit = [name for name in names if name in present]
    if not hit:
        return
    restore = session.backup()
    for name, file, how in chosen:
        if name in hit:
            how(session.run / name / file, draw)
            session.note(f"{name}/{file}: {name_of(how)}")
            session.tally["damages"] += 1
    if BEST in hit:
        refused_prediction(session)
    other = next((name for name in present if name not in hit), None)
    session.reached = checks.check_state(session.run, 0, [other]) if other else 0
    codes = {65} if other is None or BEST in hit else set[int]()
    ended = session.train(draw, codes=codes, notes=SAID, intact=[other])
    if other is None and ended.code == 0:
        raise Broken("the run continued though all of its checkpoints were damaged")
    if ended.code or BEST in hit:
        restore()


def refused_prediction(session: Session) -> None:
    """Predictions with a damaged run are refused, and nothing is written."""
    out = session.place / "said" / "refused.jsonl"
    options = session.world.options
    ended = session.checked("predict", session.run, session.world.test, *options, "-o", out, codes={65})
    if ended.code == 0 or out.exists():
        raise Broken(f"a damaged run predicted:\n{ended.err}")


def removed_checkpoint(session: Session, draw: random.Random) -> None:
    """A checkpoint is gone: the run continues from the other one, or begins again."""
    name, both = draw.choice(CHECKPOINTS), draw.random() < 0.2
    gone = [n for n in CHECKPOINTS if (both or n == name) and session.has(n)]
    if not gone:
        return
    session.note(f"removed: {gone}")
    restore = session.backup()
    for folder in gone:
        shutil.rmtree(session.run / folder, ignore_errors=True)
        session.strays = {n: content for n, content in session.strays.items() if not n.startswith(f"{folder}/")}
    left = [n for n in CHECKPOINTS if session.has(n)]
    session.reached = checks.check_state(session.run, 0, left)
    ended = session.train(draw, codes={65} if BEST in gone and left else (), notes=SAID)
    if ended.code or BEST in gone:
        restore()
    session.tally["damages"] += 1


def damaged_schema(session: Session, draw: random.Random) -> None:
    """A file that says how data is read, or the system's code, is damaged: refused by every command."""
    names = [n for n in (*SCHEMA_FILES, DYNAMICS) if (session.run / n).is_file()]
    if not names or not session.reached:
        return
    name, how = draw.choice(names), draw.choice(ANY)
    restore = session.backup()
    how(session.run / name, draw)
    session.note(f"{name}: {name_of(how)}")
    session.tally["damages"] += 1
    if session.has(BEST):
        refused_prediction(session)
    ended = session.train(draw, codes={2, 65}, notes=SAID)  # 2: a pipe or a folder is not ours to replace
    if ended.code == 0:
        raise Broken(f"the run continued with a damaged {name}:\n{ended.err}")
    restore()


EDITS = [
    (r"^seed: (\d+)$", r"seed: 7\1"), (r"^  pool: (last|max|attention)$", "  pool: mean"),
    (r"^  pool: mean$", "  pool: last"), (r"^  normalize: step$", "  normalize: sequence"),
    (r"^  scale: standard$", "  scale: none"), (r"^  batch_size: (\d+)$", r"  batch_size: 1\1"),
    (r"^  initial_state: learned$", "  initial_state: zeros"), (r"^  activation: tanh$", "  activation: relu"),
    (r"^    activation: tanh$", "    activation: softsign"), (r"^    cell: lstm$", "    cell: gru"),
    (r"^  bucket: true$", "  bucket: false"), (r"^precision: float32$", "precision: float64"),
]  # fmt: skip


def edited_config(session: Session, draw: random.Random) -> None:
    """The resolved config says something else than what was trained: refused by every command."""
    path = session.run / "resolved.yaml"
    draw.shuffle(edits := list(EDITS))
    if not path.is_file() or not session.reached:
        return
    text = path.read_text()
    edited, what = next((new, edit) for edit in edits if (new := re.sub(*edit, text, flags=re.MULTILINE)) != text)
    session.note(f"resolved.yaml: {what[0]} is now {what[1]}")
    path.write_text(edited)
    if session.has(BEST):
        refused_prediction(session)
    ended = session.train(draw, codes={2, 65})
    if ended.code == 0:
        raise Broken("the run continued with an edited resolved.yaml")
    path.write_text(text)
    session.tally["damages"] += 1


def removed_logs(session: Session, draw: random.Random) -> None:
    """Logs and the like are gone: made again, but for what they said."""
    names = [name for name in (METRICS, LOG, REPORT, CONFIG, ENVIRONMENT) if draw.random() < 0.4]
    session.note(f"removed: {names}")
    for name in names:
        (session.run / name).unlink(missing_ok=True)
    if METRICS in names:
        session.lost_metrics = True
    session.train(draw)
    session.tally["files removed"] += len(names)


def strangers(session: Session, draw: random.Random) -> None:
    """Files of the user's in the run folder stay; what a killed process left is removed."""
    if not session.reached:
        return
    names = ["notes.txt", "my.tmp", *[f"{name}/notes-{draw.randrange(9)}.txt" for name in CHECKPOINTS]]
    for name in names:
        if (session.run / name).parent.is_dir() and draw.random() < 0.6:
            (session.run / name).write_text(f"{name} is mine")
            session.strays[name] = f"{name} is mine"
    left = [draw.choice([".tmp-last-0123abcd", ".tmp-best-0123abcd", ".old-last-0123abcd", ".old-best-0123abcd"])]
    for name in left:
        source = session.run / name.split("-")[1]
        if source.is_dir():
            shutil.copytree(source, session.run / name, dirs_exist_ok=True)
            for file in list((session.run / name).iterdir()):
                if file.name not in CHECKPOINT_FILES or (name.startswith(".tmp") and draw.random() < 0.5):
                    file.unlink()
    (session.run / ".tmp-metrics.jsonl-89abcdef").write_text("half")
    session.note(f"strangers: {sorted(session.strays)}, leftovers: {left}")
    session.train(draw)
    session.tally["strangers"] += 1


def moved(session: Session, draw: random.Random) -> None:
    """The run folder is somewhere else, moved or copied, with its hidden files or without."""
    to = session.runs / f"elsewhere {draw.randrange(10**6)} ü"
    how = draw.choice(["moved", "copied", "copied without hidden files"])
    if not session.reached:
        return
    session.note(f"{how} to {to.name}")
    if how == "moved":
        session.run.rename(to)
    else:
        ignored = shutil.ignore_patterns(LOCK) if "without" in how else None
        shutil.copytree(session.run, to, ignore=ignored)
        shutil.rmtree(session.run)
    session.run = Path(to)
    session.train(draw)
    session.tally["moved"] += 1


def disturbed(session: Session, draw: random.Random) -> None:
    """Files of the run are removed while it trains, its lock too, so that a second process may take it over."""
    names = [
        name for name in (LOCK, METRICS, LOG, REPORT, CONFIG, "resolved.yaml", *SCHEMA_FILES) if draw.random() < 0.3
    ]
    wait, second = session.moment(draw), LOCK in names and draw.random() < 0.6
    session.note(f"removed while it trains: {names}{', and a second process' if second else ''}")
    others = []

    def during(running: Running) -> None:
        wait(running)
        for name in names:
            (session.run / name).unlink(missing_ok=True)
        if second and (session.run / LAST).is_dir():
            others.append(session.commands.start("train", session.world.config, "-o", session.run, "--resume"))
            running.wait_for(others[0].is_over)

    codes = {75} if second else set[int]()
    ended = session.train(draw, codes=codes, during=during, notes="other program|another|locked again", killed=second)
    for name in SCHEMA_FILES:  # removed too late to be noticed
        if not (session.run / name).is_file() and session.reached:
            shutil.copy(session.whole / name, session.run / name)
    session.lost_metrics |= METRICS in names
    for other in others:
        found = other.end()
        session.note(f"second: `{found.command}`: {found.code}")
        checks.check_end(found, {0, 75})
        if 0 not in (ended.code, found.code):
            raise Broken(f"both of two processes ended with 75:\n{ended.err}\n{found.err}")
        session.check_run()
    session.tally["files removed"] += len(names)


FILES = [
    damaged_checkpoint, damaged_checkpoint, removed_checkpoint, damaged_schema, edited_config, removed_logs, strangers,
    moved, disturbed, disturbed,
]  # fmt: skip
