"""
Promise: of any two schemas the embedded registry says what Avro for Java says: the same verdict, places and messages.
"""

import os
import subprocess
import sys

import pytest
from lib import registry_clients
from lib.program import BINARY, ROOT

PAIRS = os.path.join(ROOT, "tests", "golden", "avro-compatibility", "pairs.py")
JUDGE = os.path.join(os.path.dirname(BINARY), "tests", "unit", "unit_schemas_avro_avro_compatible")


def compare(folder, seed, count):
    made = subprocess.run(
        [sys.executable, PAIRS, str(count), str(seed)], capture_output=True, text=True, timeout=120, check=True
    )
    assert made.stdout.count("\n") > count * 0.9
    path = os.path.join(folder, f"avro-pairs-{seed}.jsonl")
    registry_clients.avro_oracle(made.stdout, path)
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    assert len(lines) == made.stdout.count("\n")
    assert sum('"incompatibilities":[]' in line for line in lines) in range(count // 10, count * 9 // 10)
    judged = subprocess.run(
        [JUDGE],
        env={**os.environ, "MILLRACE_AVRO_PAIRS": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert judged.returncode == 0, (judged.stdout + judged.stderr)[-3000:]


def test_avro_for_java_gives_the_same_verdicts(folder):
    compare(folder, seed=1, count=4000)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 12))
def test_avro_for_java_gives_the_same_verdicts_on_many_more(folder, seed):
    compare(folder, seed, count=20000)
