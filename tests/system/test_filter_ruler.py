"""
Promise: a filter pattern means what it means in AWS: on thousands of generated pairs of a pattern and an event we give
the verdict of event-ruler, the library behind EventBridge. Only what docs/filters.md lists may differ.
"""

import glob
import json
import os
import random
import subprocess

import pytest
from lib.kafka import cache_folder
from lib.program import BINARY

RULER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "ruler", "Ruler.java")
NAMES = ["a", "b", "c"]
TEXTS = ["", "x", "xy", "Xy", "yx", "xxyx", "x*y", "x\\y", "a.b", "7", "é", "10.0.0.7", "2001:db8::7"]
NUMBERS = [0, 1, -1, 7, 7.5, -7.25, 100, 300, 1e3, 123456]
SMALL = ["x", "y", "xy", "yx"]
# event-ruler's addresses also match some other values: those of a pattern never meet other digits here.
RANGES = ["10.0.0.0/8", "10.0.0.0/31", "2001:db8::/32"]


def value(rng, depth):
    kind = rng.random()
    if kind < 0.35:
        return rng.choice(TEXTS)
    if kind < 0.55:
        return rng.choice(NUMBERS)
    if kind < 0.7 or depth == 0:
        return rng.choice([True, False, None])
    if kind < 0.85:
        return [value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return members(rng, depth - 1)


def members(rng, depth):
    return {name: value(rng, depth) for name in NAMES if rng.random() < 0.6}


def wildcard(rng):
    return rng.choice(["*", "x*", "*y", "x*x", "*x*", "x\\*y", "a*b", "*\\\\*"])


def numeric(rng):
    low, high = sorted(rng.sample(NUMBERS, 2))
    if rng.random() < 0.5:
        return [rng.choice(["=", "<", "<=", ">", ">="]), low]
    return [rng.choice([">", ">="]), low, rng.choice(["<", "<="]), high]


def some(rng, choices):
    return rng.choice([rng.choice(choices), rng.sample(choices, 2)])


def anything_but(rng):
    return rng.choice(
        [
            some(rng, TEXTS[:10]),
            some(rng, NUMBERS),
            {"prefix": some(rng, SMALL)},
            {"suffix": some(rng, SMALL)},
            {"equals-ignore-case": some(rng, SMALL)},
            {"wildcard": some(rng, ["x*", "*y", "x*x"])},
        ]
    )


def member(rng):
    operators = [
        lambda: rng.choice(TEXTS),
        lambda: rng.choice(NUMBERS),
        lambda: rng.choice([True, False, None]),
        lambda: {"exactly": rng.choice(TEXTS)},
        lambda: {"prefix": rng.choice(SMALL + [""])},
        lambda: {"suffix": rng.choice(SMALL)},
        lambda: {"prefix": {"equals-ignore-case": rng.choice(SMALL)}},
        lambda: {"suffix": {"equals-ignore-case": rng.choice(SMALL)}},
        lambda: {"equals-ignore-case": rng.choice(SMALL + ["XY"])},
        lambda: {"wildcard": wildcard(rng)},
        lambda: {"anything-but": anything_but(rng)},
        lambda: {"numeric": numeric(rng)},
        lambda: {"exists": rng.random() < 0.5},
        lambda: {"cidr": rng.choice(RANGES)},
    ]
    return rng.choice(operators)()


def pattern(rng, depth, has_or=True):
    result = {}
    for name in rng.sample(NAMES, rng.randrange(1, 3)):
        if depth > 0 and rng.random() < 0.4:
            result[name] = pattern(rng, depth - 1, False)
        else:
            result[name] = [member(rng) for _ in range(rng.randrange(1, 3))]
    if has_or and rng.random() < 0.2:
        free = [name for name in NAMES if name not in result]
        if free:
            result["$or"] = [{rng.choice(free): [member(rng)]} for _ in range(2)]
    return result


def near(rng, part, depth=3):
    """An event that the pattern may match: values are those of its leaves, or others."""
    event = members(rng, 1) if rng.random() < 0.3 else {}
    for name, inner in part.items():
        if name == "$or":
            event.update(near(rng, rng.choice(inner), depth))
        elif rng.random() < 0.9:
            event[name] = near(rng, inner, depth - 1) if isinstance(inner, dict) else near_leaf(rng, inner)
            if rng.random() < 0.2:
                event[name] = [value(rng, 1), event[name]]
    return event


def near_leaf(rng, leaf):
    constants = [c for c in texts_of(leaf) if not isinstance(c, str) or not c.startswith(("prefix", "suffix", "any"))]
    chosen = rng.choice(constants)
    if not isinstance(chosen, str):
        return chosen
    return rng.choice([chosen, chosen + "y", "x" + chosen, chosen.upper(), chosen.replace("*", "xy")])


def spoil(rng, good):
    """Something that no pattern may have, in the place of a leaf."""
    wrong = [
        [],
        {},
        "x",
        7,
        [{"prefx": "x"}],
        [{"prefix": 7}],
        [{"prefix": "x", "suffix": "y"}],
        [{"numeric": ["<"]}],
        [{"numeric": [">", 7, "<", 1]}],
        [{"numeric": ["<", "7"]}],
        [{"anything-but": []}],
        [{"anything-but": ["x", 7]}],
        [{"anything-but": {"prefix": ""}}],
        [{"exists": "yes"}],
        [{"wildcard": "x**y"}],
        [{"wildcard": "x\\y"}],
        [{"cidr": "10.0.0.0/99"}],
        [["x"]],
    ]
    return {**good, rng.choice(NAMES): rng.choice(wrong)}


def pairs(seed, count):
    rng = random.Random(seed)
    for _ in range(count):
        chosen = pattern(rng, 2)
        event = near(rng, chosen) if rng.random() < 0.7 else members(rng, 3)
        if rng.random() < 0.08:
            chosen = spoil(rng, chosen)
        yield {"pattern": chosen, "event": event}


def answers(command, lines):
    done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def class_path():
    folder = os.environ.get("MILLRACE_RULER_LIBS")
    if not folder:
        ready = sorted(glob.glob(os.path.join(cache_folder(), "ruler-*", "ready")))
        assert ready, "event-ruler is not there: run tests/run.sh system once"
        folder = os.path.dirname(ready[-1])
    return os.path.join(folder, "*")


def texts_of(part):
    if isinstance(part, dict):
        return [text for key, inner in part.items() for text in [key, *texts_of(inner)]]
    if isinstance(part, list):
        return [text for inner in part for text in texts_of(inner)]
    return [part]


def is_address(text):
    return isinstance(text, str) and (text.count(".") == 3 or "::" in text)


def mixes_wildcards(part):
    """Whether a leaf has both a wildcard and equals-ignore-case."""
    if isinstance(part, dict):
        return any(mixes_wildcards(inner) for inner in part.values())
    if isinstance(part, list) and all(isinstance(inner, dict) for inner in part) and any(map(mixes_wildcards, part)):
        return True  # the objects of "$or"
    words = set(texts_of(part)) if isinstance(part, list) else set()
    return {"wildcard", "equals-ignore-case"} <= words


def is_documented(pair, ours, theirs):
    """
    docs/filters.md, "Differences from AWS": addresses of the other family and values that are none; wildcards beside
    equals-ignore-case.
    """
    if (ours, theirs) != ("false", "true"):
        return False
    return any(is_address(text) for text in texts_of(pair["pattern"])) or mixes_wildcards(pair["pattern"])


def compare(seed, count):
    generated = list(pairs(seed, count))
    lines = "".join(json.dumps(pair) + "\n" for pair in generated)
    ours = answers([BINARY, "filter", "--lines"], lines)
    theirs = answers(["java", "-cp", class_path(), RULER], lines)
    assert len(ours) == len(theirs) == count
    counts = {"true": 0, "false": 0, "error": 0}
    for pair, mine, other in zip(generated, ours, theirs):
        mine, other = mine.split(":")[0], other.split(":")[0]
        counts[mine] += 1
        if mine != other and not is_documented(pair, mine, other):
            pytest.fail(f"{json.dumps(pair)}: ours {mine}, event-ruler {other}")
    assert all(verdicts > count // 50 for verdicts in counts.values()), counts


def test_event_ruler_gives_the_same_verdicts():
    compare(seed=1, count=6000)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 12))
def test_event_ruler_gives_the_same_verdicts_on_many_more(seed):
    compare(seed, count=50000)
