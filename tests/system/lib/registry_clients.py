"""Confluent's clients of a schema registry for Java and Go: programs that tests/fetch.sh fetches and builds."""

import base64
import glob
import os
import subprocess

from lib.kafka import cache_folder
from lib.program import ROOT

SOURCES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "registry_clients")


def _folder():
    folder = os.environ.get("MILLRACE_REGISTRY_CLIENTS")
    if not folder:
        ready = sorted(glob.glob(os.path.join(cache_folder(), "registry-clients-*", "ready")))
        assert ready, "the registry's clients are not there: run tests/run.sh system once"
        folder = os.path.dirname(ready[-1])
    return folder


def _run(command, lines):
    text = "".join(line + "\n" for line in lines)
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def java(url, subject, records):
    """Decodes the records (base64), then calls every method of the client; how many records it decoded."""
    jars = ":".join(sorted(glob.glob(os.path.join(_folder(), "java", "*.jar"))))
    program = os.path.join(SOURCES, "RegistryClient.java")
    return _run(["java", "-XX:TieredStopAtLevel=1", "-cp", jars, program, url, subject], records)


def avro_for_java(pairs, validates_names=True):
    """
    Parses each pair's schema (text) as strictly as Avro for Java does by default, names and defaults too, and decodes
    its record (bytes), to its end, and encodes it again, the same; how many.
    """
    jars = ":".join(sorted(glob.glob(os.path.join(_folder(), "java", "avro-*.jar"))))
    more = ":".join(sorted(glob.glob(os.path.join(_folder(), "java", "[jcs]*.jar"))))
    lines = [f"{base64.b64encode(text.encode()).decode()} {base64.b64encode(data).decode()}" for text, data in pairs]
    program = os.path.join(SOURCES, "AvroReader.java")
    names = "strict" if validates_names else "any"
    return _run(["java", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}:{more}", program, names], lines)


def avro_oracle(pairs, path):
    """What Avro for Java says of pairs of schemas (tests/golden/avro-compatibility), into the file."""
    jars = ":".join(sorted(glob.glob(os.path.join(_folder(), "java", "*.jar"))))
    program = os.path.join(ROOT, "tests", "golden", "avro-compatibility", "Oracle.java")
    with open(path, "w", encoding="utf-8") as file:
        command = ["java", "-XX:TieredStopAtLevel=1", "-cp", jars, program]
        subprocess.run(command, input=pairs, stdout=file, text=True, timeout=300, check=True)


def go(url, topic, records):
    """As java; each record is "key BASE64" or "value BASE64"."""
    return _run([os.path.join(_folder(), "go"), url, topic], records)
