"""
Functions that truncate, overrun, depend on the locale, or wait. A comment `ALLOW-BANNED: reason` on the line
or the one above lets one use pass; files that run outside the event loop and may wait are in blocking.txt.
"""

import re

import sources

NEVER = {
    "strcpy": "bytes_append or memcpy with a size",
    "strcat": "bytes_append",
    "strncpy": "memcpy with a size",
    "strncat": "bytes_append",
    "sprintf": "snprintf or bytes_format",
    "vsprintf": "vsnprintf",
    "gets": "nothing",
    "strtok": "struct cursor",
    "atoi": "a checked parser",
    "atol": "a checked parser",
    "atoll": "a checked parser",
    "atof": "a checked parser",
    "localtime": "gmtime_r",
    "localtime_r": "gmtime_r",
    "gmtime": "gmtime_r",
    "ctime": "strftime",
    "asctime": "strftime",
    "rand": "backoff or getrandom",
    "alloca": "an arena",
    "tmpnam": "mkdtemp",
    "mktemp": "mkdtemp",
    "system": "posix_spawn",
    "popen": "posix_spawn",
    "signal": "uv_signal_start or sigaction",
}
WAITS = [
    "PQexec", "PQexecParams", "PQexecPrepared", "PQprepare", "PQconnectdb", "PQconnectdbParams",
    "curl_easy_perform", "rd_kafka_flush", "getaddrinfo", "gethostbyname", "sleep", "usleep", "nanosleep",
    "clock_nanosleep", "poll", "select",
]  # fmt: skip

complaints = []
paths = sources.files(sources.PRODUCT + sources.TESTS)
may_wait = set(sources.read_list("blocking.txt"))
for path in paths:
    names = dict(NEVER)
    if not path.startswith("tests/") and path not in may_wait:
        names.update({name: "a loop watch or timer: this file's code runs on the loop" for name in WAITS})
    call = re.compile(r"(?<![\w.>])(" + "|".join(names) + r")\s*\(")
    text = sources.read(path)
    lines = text.split("\n")
    for number, line in enumerate(sources.code_only(text).split("\n"), 1):
        for found in call.finditer(line):
            around = lines[number - 1] + (lines[number - 2] if number > 1 else "")
            if not re.search(r"ALLOW-BANNED: \S", around):
                name = found.group(1)
                complaints.append(f"{path}:{number}: {name} is banned here; use {names[name]}")
for path in sorted(may_wait):
    if path not in paths:
        complaints.append(f"tests/lint/blocking.txt: {path} does not exist")
sources.finish(complaints, len(paths))
