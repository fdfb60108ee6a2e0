"""Every header compiles alone. Usage: headers.py COMPILER [FLAG…]"""

import concurrent.futures
import subprocess
import sys

import sources

PACKAGES = [
    "libpq", "rdkafka", "avro-c", "libuv", "libcurl", "libcrypto", "libmicrohttpd", "yaml-0.1", "jansson",
]  # fmt: skip


def compile_alone(header):
    command = [*sys.argv[1:], "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-I.", *cflags]
    command += ["-fsyntax-only", "-x", "c", "-"]
    text = f'#include "{header}"\n#include "{header}"\n'
    done = subprocess.run(command, input=text, cwd=sources.ROOT, capture_output=True, text=True)
    return "" if done.returncode == 0 else f"{header}: does not compile alone:\n{done.stderr.rstrip()}"


found = subprocess.run(["pkg-config", "--cflags", *PACKAGES], capture_output=True, text=True, check=True)
cflags = found.stdout.split()
headers = [path for path in sources.files(sources.PRODUCT) if path.endswith(".h")]
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    complaints = [complaint for complaint in pool.map(compile_alone, headers) if complaint]
sources.finish(complaints, len(headers))
