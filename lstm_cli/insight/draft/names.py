"""What the names of columns say: conventions of data files in the wild."""

import re

_IDS = re.compile(
    r"(?:.*[_\-. ])?(?:id|uid|uuid|key|nr|no)|"
    r"(?:.*[_\-. ])?(?:recording|record|run|session|series|sequence|seq|trial|episode|trip|track|trajectory|"
    r"file|filename|"
    r"subject|patient|participant|person|user|customer|driver|store|shop|device|sensor|station|machine|engine|unit|"
    r"meter|household|vehicle|visit|case|event|sample|document|doc|sentence|dialog|conversation|utterance|experiment|"
    r"cell_line|batch)(?:[_\-. ]?(?:id|nr|no|name|number))?",
    re.IGNORECASE,
)
_NO_ID = re.compile(r"(?:row|index|class|label|target|category)[_\-. ]?(?:id|nr|no)", re.IGNORECASE)
_TARGETS = re.compile(
    r"(?:.*[_\-. ])?(?:label|labels|class|target|targets|y|category|outcome|output|tag|tags|ner_tags|pos_tags|"
    r"diagnosis|sentiment|intent|activity|gesture|rul|remaining)(?:[_\-. ]?(?:id|name))?",
    re.IGNORECASE,
)
_TIMES = re.compile(
    r"(?:.*[_\-. ])?(?:time|timestamp|datetime|date|t|ts|ds|seconds|sec|ms|millis|step|steps|timestep|frame|tick|cycle|"
    r"cycles|index|position|pos|zeit|datum|hour|day|week|month|year)(?:[_\-. ]?(?:index|nr|no|s|ms|us|ns|stamp))?",
    re.IGNORECASE,
)
_TEXTS = re.compile(
    r"(?:.*[_\-. ])?(?:text|texts|sentence|sequence|seq|utterance|document|doc|query|question|review|comment|message|"
    r"title|headline|description|dna|rna|protein|peptide|smiles)",
    re.IGNORECASE,
)
_TAGS = re.compile(
    r"(?:tag|tags|pos|upos|xpos|ner|chunk|lemma|deprel|iob|bio|(?:ner|pos|iob|bio|chunk)[_\-. ]?tags?)", re.IGNORECASE
)
_ROW_NUMBERS = re.compile(r"(?:row|line)?[_\-. ]?(?:index|nr|no|number|position|pos)?", re.IGNORECASE)
#: Stems of numbered columns that are measured side by side rather than one after the other.
MEASURED = {
    "sensor",
    "channel",
    "ch",
    "feature",
    "feat",
    "f",
    "lead",
    "electrode",
    "emg",
    "eeg",
    "setting",
    "op",
    "dim",
    "axis",
}
#: Columns of tagged words, most wanted first.
WORDS = ("form", "forms", "word", "words", "token", "tokens", "text")
#: What a treebank is mostly tagged with.
TREEBANK_TARGET = "upos"


def is_id_name(name: str) -> bool:
    """Return whether a name is one of columns that name sequences."""
    return bool(_IDS.fullmatch(name.strip())) and not _NO_ID.fullmatch(name.strip())


def is_target_name(name: str) -> bool:
    """Return whether a name is one of columns to be predicted."""
    return bool(_TARGETS.fullmatch(name.strip()))


def is_time_name(name: str) -> bool:
    """Return whether a name is one of columns that order steps."""
    return bool(_TIMES.fullmatch(name.strip()))


def is_text_name(name: str) -> bool:
    """Return whether a name is one of columns that hold a text or a string in each cell."""
    return bool(_TEXTS.fullmatch(name.strip()))


def is_tag_name(name: str) -> bool:
    """Return whether a name is one of columns that tag words, of which each row is one."""
    return bool(_TAGS.fullmatch(name.strip()))


def is_row_number_name(name: str) -> bool:
    """Return whether a name is one of columns that count rows rather than time; that of pandas' index is empty."""
    return bool(_ROW_NUMBERS.fullmatch(name.strip()))
