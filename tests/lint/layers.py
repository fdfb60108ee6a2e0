"""Includes follow the flow: core <- schemas <- connectors, core <- schemas <- bridge, cli sees all."""

import re

import sources

MAY_SEE = {
    "core": {"core"},
    "schemas": {"core", "schemas"},
    "connectors": {"core", "schemas", "connectors"},
    "bridge": {"core", "schemas", "bridge"},
    "cli": {"core", "schemas", "connectors", "bridge", "cli"},
}

complaints = []
paths = sources.files(sources.PRODUCT)
for path in paths:
    layer = path.split("/")[0]
    for number, line in enumerate(sources.read(path).split("\n"), 1):
        include = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if not include:
            continue
        seen = include.group(1).split("/")[0]
        if "/" not in include.group(1) or seen not in MAY_SEE:
            complaints.append(
                f'{path}:{number}: "{include.group(1)}" is not a path from the repository\'s root'
            )
        elif seen not in MAY_SEE[layer]:
            complaints.append(f"{path}:{number}: {layer}/ may not include {seen}/ (see docs/architecture.md)")
sources.finish(complaints, len(paths))
