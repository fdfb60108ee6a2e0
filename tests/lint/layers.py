"""
Includes follow the flow: core <- schemas <- connectors, core <- schemas <- bridge, cli sees all. Within these, each
folder is a room: it includes only the rooms of its line in ROOMS, and of another room only the headers in DOORS. No
include circle between units (a unit is x.c with x.h), and no *_private.h outside of its room. What is not so yet is in
layers.txt with its reason, one line each; lines only go. The table of docs/architecture.md names every room and its
doors.
"""

import os
import re

import sources

CORE = ["core", "core/base", "core/config", "core/http", "core/kafka", "core/trace"]
SCHEMAS = ["schemas/avro", "schemas/json", "schemas/registry"]
BELOW = CORE + SCHEMAS
# A source's contract with the pipeline, and the values that both are made from.
CONTRACT = [
    "connectors/config",
    *(
        f"connectors/{name}.h"
        for name in ("source", "change", "column_memory", "connector_state", "table_topic", "event_topics")
    ),
]
POSTGRES = "connectors/postgres"

# room: the rooms that it may include besides itself; a header's path allows that one header.
ROOMS = {
    "core/base": [],
    "core": ["core/base"],
    "core/config": ["core/base"],
    "core/http": ["core", "core/base", "core/config"],
    "core/kafka": ["core", "core/base", "core/config"],
    "core/trace": ["core", "core/base", "core/config", "core/http"],
    "schemas": CORE,
    "schemas/avro": CORE,
    "schemas/json": [*CORE, "schemas/avro"],
    "schemas/registry": [*CORE, "schemas/avro", "schemas/json"],
    "connectors/config": CORE,
    "connectors": [*BELOW, "connectors/config", "connectors/kafka", POSTGRES],
    "connectors/kafka": BELOW,
    f"{POSTGRES}/wire": CORE,
    f"{POSTGRES}/toast": CORE,
    f"{POSTGRES}/values": [*CORE, "schemas/avro"],
    f"{POSTGRES}/catalogue": [*BELOW, *CONTRACT, f"{POSTGRES}/values", f"{POSTGRES}/wire"],
    f"{POSTGRES}/snapshot": [
        *BELOW,
        *CONTRACT,
        *(f"{POSTGRES}/{room}" for room in ("values", "wire", "catalogue")),
        f"{POSTGRES}/pg_change.h",
    ],
    POSTGRES: [
        *BELOW,
        *CONTRACT,
        *(f"{POSTGRES}/{room}" for room in ("values", "wire", "catalogue", "snapshot", "toast")),
    ],
    "bridge/config": [*CORE, "bridge/filter", "bridge/template"],
    "bridge/intake": [*BELOW, "bridge/config"],
    "bridge/filter": BELOW,
    "bridge/template": [*BELOW, "bridge/filter"],
    "bridge/payload": [*BELOW, "bridge/config", "bridge/intake", "bridge/template"],
    "bridge/endpoints/aws": [*CORE, "bridge/config"],
    "bridge/endpoints/auth": [*CORE, "bridge/config", "bridge/filter", "bridge/endpoints/aws"],
    "bridge/endpoints/process": [*CORE, "bridge/config"],
    "bridge/endpoints": [
        *CORE,
        *(f"bridge/{room}" for room in ("config", "endpoints/auth", "endpoints/aws", "endpoints/process")),
    ],
    "bridge/reply": [*BELOW, *(f"bridge/{room}" for room in ("config", "intake", "filter", "endpoints"))],
    "bridge/delivery": [
        *BELOW,
        *(f"bridge/{room}" for room in ("config", "intake", "filter", "payload", "endpoints", "reply")),
    ],
    "bridge/function": [*BELOW, *(f"bridge/{room}" for room in ("config", "intake", "filter", "delivery"))],
    "bridge": [*BELOW, *(f"bridge/{room}" for room in ("config", "intake", "function"))],
    "bridge/jobs": [*BELOW, "bridge", *(f"bridge/{room}" for room in ("config", "intake"))],
    "cli/try": [*BELOW, "connectors", "connectors/config", "bridge", "bridge/config"],
    "cli/supervise": [
        *BELOW,
        *(f"cli/{name}.h" for name in ("cli", "config_dir", "config_hash", "config_set", "run_options")),
    ],
    "bridge/testing": [*BELOW, *(f"bridge/{room}" for room in ("config", "intake", "filter", "payload"))],
    "cli": [
        *BELOW,
        *(f"bridge/{room}" for room in ("config", "filter", "testing", "jobs")),
        *(f"bridge/endpoints/aws/aws_{name}.h" for name in ("plan", "profiles")),
        *("bridge/intake/record.h", "bridge/intake/job.h", "connectors", "bridge", "cli/supervise", "cli/try"),
        "connectors/config",
    ],
}
# room: what other rooms may include of it. A room without a line here has no door: all its headers are for others.
DOORS = {
    "schemas/json": [
        "attribute_encode",
        "event_columns",
        "event_view",
        "json_check",
        "connect_schema",
        "json_encode",
        "json_member",
        "json_text",
    ],
    "schemas/registry": ["registry"],
    "connectors": ["source", "change", "column_memory", "connector_state", "event_topics", "table_topic", "pipeline"],
    "connectors/config": ["connector_config", "connector_topics", "topic_reference"],
    "connectors/kafka": ["kafka_sink", "record_headers", "route_refusal", "topic_route"],
    POSTGRES: ["pg_source", "pg_change"],
    f"{POSTGRES}/wire": ["pg_conn", "pg_dsn", "pg_stream", "pgoutput"],
    f"{POSTGRES}/snapshot": ["pg_snapshot", "pg_backfill"],
    f"{POSTGRES}/toast": ["toast_store"],
    "bridge": ["bridge"],
    "bridge/testing": ["test_run"],
    "bridge/config": [
        "auth_config", "aws_config", "function_config", "function_test", "function_change", "start_position",
        "status_table", "template_config", "process_config", "process_user",
    ],
    "bridge/filter": [
        "avro_event", "decimal", "filter_value", "json_event", "json_tree", "match",
        "pattern", "pattern_term", "step_table",
    ],
    "bridge/payload": ["payload", "cloud_headers", "sequence_number"],
    "bridge/endpoints": ["endpoint"],
    "bridge/reply": ["reply", "reply_headers"],
    "bridge/delivery": ["delivery", "topic_writer", "function_metrics", "shared_limit"],
    "bridge/function": ["function"],
}


class Exceptions:
    """layers.txt: `include FILE HEADER: reason` and `circle UNIT UNIT…: reason`."""

    def __init__(self):
        self.reasons = {}
        self.used = set()
        for line in sources.read_list("layers.txt"):
            what, _, reason = line.partition(":")
            self.reasons[tuple(what.split())] = reason.strip()

    def has(self, *what):
        self.used.add(what)
        return bool(self.reasons.get(what))

    def complaints(self):
        for what, reason in self.reasons.items():
            if not reason:
                yield f"tests/lint/layers.txt: {' '.join(what)}: give the reason"
            elif what not in self.used:
                yield f"tests/lint/layers.txt: {' '.join(what)}: no longer so, remove the line"


def unit(path):
    return path.rsplit(".", 1)[0]


def judge(path, header):
    """Why this include is wrong, or nothing."""
    mine, room = os.path.dirname(path), os.path.dirname(header)
    if room not in ROOMS:
        return f'"{header}" is not a path from the repository\'s root to a room of tests/lint/layers.py'
    if mine == room:
        return ""
    if header.endswith("_private.h"):
        return f"{header} is private to {room}/"
    if room not in ROOMS[mine] and header not in ROOMS[mine]:
        return f"{mine}/ may not include {header} (see docs/architecture.md)"
    doors = DOORS.get(room)
    if doors is not None and os.path.basename(header)[: -len(".h")] not in doors:
        return f"{header} is {room}/'s own; others include {', '.join(f'{door}.h' for door in doors)}"
    return ""


def circles(graph):
    """Strongly connected units (Tarjan), each sorted."""
    order, low, stack, found = {}, {}, [], []

    def visit(node):
        order[node] = low[node] = len(order)
        stack.append(node)
        for other in graph[node]:
            if other not in order:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == order[node]:
            members = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(members) > 1:
                found.append(sorted(members))

    for node in graph:
        if node not in order:
            visit(node)
    return found


def table_complaints():
    """What docs/architecture.md says of rooms and their doors, where it differs from ROOMS and DOORS."""
    rows = {}
    for line in sources.read("docs/architecture.md").split("\n"):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `") and len(cells) == 4:
            rows |= {room: cells[2] for room in re.findall(r"`([a-z/]+)/`", cells[0])}
    for room in ROOMS:
        doors = DOORS.get(room)
        if room not in rows and doors is None and any(other.startswith(f"{room}/") for other in rows):
            continue  # it has little more than its rooms
        if room not in rows:
            yield f"docs/architecture.md: no row for {room}/"
        elif doors is not None and sorted(re.findall(r"`(\w+)`", rows[room])) != sorted(doors):
            yield f"docs/architecture.md: the doors of {room}/ are {', '.join(doors)}"


def main():
    complaints, exceptions = list(table_complaints()), Exceptions()
    paths = sources.files(sources.PRODUCT)
    graph = {unit(path): set() for path in paths}
    for path in paths:
        if os.path.dirname(path) not in ROOMS:
            complaints.append(f"{path}: its folder is no room of tests/lint/layers.py")
            continue
        for number, line in enumerate(sources.read(path).split("\n"), 1):
            include = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not include:
                continue
            header = include.group(1)
            why = judge(path, header)
            if why and not exceptions.has("include", path, header):
                complaints.append(f"{path}:{number}: {why}")
            if unit(header) in graph and unit(header) != unit(path):
                graph[unit(path)].add(unit(header))
    for circle in circles(graph):
        if not exceptions.has("circle", *circle):
            complaints.append(f"include circle: {' '.join(circle)}")
    complaints += exceptions.complaints()
    sources.finish(complaints, len(paths))


main()
