"""Promise: the functions in the document of local functions and its example run as they stand."""

import json
import os
import re
import shutil
import sys

from lib.local_functions import JSON, USER, LocalFunctions
from lib.program import ROOT
from lib.waiting import wait_until

EXAMPLE = os.path.join(ROOT, "deploy", "examples", "local")
PAID = {"op": "u", "after": {"id": 7, "status": "paid"}}


def quick_start():
    """{'python': [program, section], …} of docs/local-functions.md"""
    with open(os.path.join(ROOT, "docs", "local-functions.md"), encoding="utf-8") as file:
        text = file.read().split("\n## Quick start\n", 1)[1].split("\n## ", 1)[0]
    blocks = {kind: re.findall(rf"```{kind}\n(.*?)```", text, re.S) for kind in ("python", "js", "sh", "yaml")}
    programs = [blocks["python"][0], blocks["js"][0], next(one for one in blocks["sh"] if one.startswith("#!"))]
    return dict(zip(("python", "node", "shell"), zip(programs, blocks["yaml"], strict=True), strict=True))


def write(path, text, mode=0o644):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def test_what_the_document_shows_runs(folder, kafka):
    local = LocalFunctions(f"{folder}/quick-start", kafka)
    code = f"{local.folder}/code"
    os.symlink(sys.prefix, f"{code}/venv")
    os.symlink(os.environ["MILLRACE_NODE_MODULES"], f"{code}/node_modules")
    path = f"{os.path.dirname(local.node)}:{sys.prefix}/bin:/usr/bin:/bin"  # a shebang and the example look there
    more = f"init_timeout: 120s, env: {{PATH: '{path}'}}, " + (f"user: {USER}, " if USER else "")
    for (name, (program, section)), file in zip(quick_start().items(), ("app.py", "app.js", "bootstrap"), strict=True):
        write(f"{code}/{file}", program, 0o755)
        section = section.replace("/srv/functions", code).replace("process: {", f"process: {{{more}")
        topic = f"quick-{name}.events"
        kafka.create_topic(topic)
        local.millrace.write(
            f"functions/quick-{name}.yaml", f"source: {{topics: [{topic}], start: earliest}}\n{section}"
        )
    shutil.copytree(f"{EXAMPLE}/handlers", f"{code}/example")
    with open(f"{EXAMPLE}/functions/orders.yaml", encoding="utf-8") as file:
        text = file.read().split("\ntests:")[0] + "\n"
    for old, new in (
        ("../handlers", f"{code}/example"),
        ("topics: [shop.public.orders]", "topics: [quick-example.events], start: earliest"),
        ("LOG_LEVEL: info", f"LOG_LEVEL: info, PATH: '{path}'"),
        ("init_timeout: 30s", "init_timeout: 120s"),
        *([("# user: ", "user: ")] if USER else []),
    ):
        assert old in text
        text = text.replace(old, new)
    local.millrace.write("functions/quick-example.yaml", text)
    kafka.create_topic("quick-example.events")
    says = {
        "python": r"quick-python\.events 0",
        "node": "quick-node",
        "shell": r"got \d+ bytes",
        "example": "order 7 is paid",
    }
    for name in says:
        kafka.produce(f"quick-{name}.events", [(b"7", json.dumps(PAID).encode(), JSON, -1)])
    try:
        process = local.run().process
        for name, said in says.items():
            process.wait_event("process_output", said, component=f"function/quick-{name}", timeout=60)
        for name in says:
            wait_until(
                lambda name=name: local.millrace.metric(
                    "millrace_function_events_total", function=f"quick-{name}", outcome="delivered"
                )
                == 1,
                30,
                f"the event of quick-{name}",
            )
    finally:
        local.end()
