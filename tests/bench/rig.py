"""
What the benchmarks share: the system tests' servers with the settings of a measurement, nginx as the function,
samplers for memory and CPU time, and the way to report.
"""

import contextlib
import json
import os
import platform
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time
import urllib.request

from confluent_kafka import KafkaException, TopicPartition
from lib import kafka as kafka_module
from lib import processes, records
from lib.kafka import Kafka
from lib.postgres import Postgres, bin_folder
from lib.program import Millrace
from lib.waiting import wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
ORDERS = """create table orders(id bigint primary key, customer_id int not null, status text not null,
    amount numeric(12,2), created_at timestamptz, note text, paid boolean, meta jsonb)"""
ORDER_VALUES = """i, i % 1000, (array['new','paid','shipped','returned'])[1 + i % 4], (i % 100000) / 100.0,
    now(), 'order number ' || i || ', leave at the door', i % 2 = 0, '{"source": "web", "items": 3}'::jsonb"""

# PostgreSQL's own defaults again where the tests trade safety for time; no autovacuum or checkpoint in a run.
POSTGRES = {
    "fsync": "on",
    "full_page_writes": "on",
    "shared_buffers": "128MB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
}
# A broker as in production (both compilers, G1), with 1 GiB of heap at most.
JAVA = ["java", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35"]
# Index files are laid out in full when a segment begins: at their default of 10 MB, two for each of a thousand
# new topics, the kernel's zeroing of them outweighs everything else (30 s of system time).
KAFKA = {
    "log.segment.bytes": "1073741824",
    "log.cleaner.dedupe.buffer.size": "134217728",
    "log.index.size.max.bytes": "262144",
}


class Rig:
    """One PostgreSQL and one Kafka for a benchmark, and the millrace processes that it starts."""

    def __init__(self, kafka=()):
        self.properties = dict(pair.split("=", 1) for pair in kafka)
        self.folder = tempfile.mkdtemp(prefix="millrace-bench-")
        os.chmod(self.folder, 0o755)
        kafka_module.JAVA = JAVA
        self.pg = Postgres(
            f"{self.folder}/postgres", Postgres.make_template(f"{self.folder}/pg"), **POSTGRES
        )
        self.kafka = Kafka(f"{self.folder}/kafka", Kafka.make_template(f"{self.folder}/k"), **KAFKA)
        self.count = 0

    def __enter__(self):
        try:
            self.pg.start()
            self.kafka.start()
            self.sql_connection = self.pg.connect()
            self.reader = records.consumer(self.kafka.bootstrap, **{"group.id": "bench"})
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.pg.stop()
        self.kafka.kill() if self.kafka.process else None
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, text, *values):
        cursor = self.sql_connection.execute(text, values or None)
        return cursor.fetchall() if cursor.description else None

    def slot(self, name):
        self.sql("select pg_create_logical_replication_slot(%s, 'pgoutput')", name)

    def drop_slot(self, name):
        active = "select active from pg_replication_slots where slot_name = %s"
        wait_until(lambda: not self.sql(active, name)[0][0], 20, f"slot {name} to be free")
        self.sql("select pg_drop_replication_slot(%s)", name)

    def lsn(self):
        return self.sql("select pg_current_wal_insert_lsn()::text")[0][0]

    def insert_orders(self, count, per_transaction=5000):
        """ids 1 to count, the same contents in every run."""
        for first in range(1, count + 1, per_transaction):
            last = min(first + per_transaction - 1, count)
            self.sql(f"insert into orders select {ORDER_VALUES} from generate_series({first}, {last}) i")

    def end_offset(self, topic, partition=0):
        """The next offset that the broker will give; 0 while there is no such topic."""
        try:
            return self.reader.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)[1]
        except KafkaException:
            return 0

    def millrace(self):
        """A new configuration folder, with everything at its default but the ports and what --kafka says."""
        self.count += 1
        made = Millrace(f"{self.folder}/config-{self.count}", self.kafka)
        made.settings(log={"level": "info"}, kafka={"topic.metadata.refresh.interval.ms": None, **self.properties})
        return made


@contextlib.contextmanager
def running(millrace, *command):
    """The process while the block lasts; its log when something goes wrong."""
    process = millrace.start(*command)
    try:
        yield process
    except BaseException:
        sys.stderr.write(process.log(40))
        raise
    finally:
        with contextlib.suppress(AssertionError):
            process.stop()
        process.kill()


class Nginx:
    """Answers 200 to everything, one worker; requests() tells how many it has answered."""

    CONFIG = """
        daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
        events {{ worker_connections 1024; }}
        http {{
            access_log off; keepalive_requests 2000000000; keepalive_timeout 1h; client_max_body_size 64m;
            client_body_buffer_size 1m; client_body_temp_path {folder}; proxy_temp_path {folder};
            fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
            server {{ listen 127.0.0.1:{port}; location / {{ return 200; }} }}
            server {{ listen 127.0.0.1:{status}; location / {{ stub_status; }} }}
        }}"""

    def __init__(self, folder):
        self.folder = f"{folder}/nginx"
        self.port = processes.free_port()
        self.status = processes.free_port()
        self.url = f"http://127.0.0.1:{self.port}/"

    def __enter__(self):
        os.mkdir(self.folder)
        with open(f"{self.folder}/nginx.conf", "w", encoding="utf-8") as file:
            file.write(self.CONFIG.format(folder=self.folder, port=self.port, status=self.status))
        log = f"{self.folder}/error.log"
        self.process = processes.spawn(["nginx", "-p", self.folder, "-c", "nginx.conf", "-e", log])
        wait_until(self._count, 10, "nginx")
        self.reset()
        return self

    def __exit__(self, *_):
        processes.terminate(self.process)

    def _count(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.status}/", timeout=5) as answer:
            return int(answer.read().split(b"\n")[2].split()[2])

    def reset(self):
        self.asked = 0
        self.base = self._count()

    def requests(self):
        """Requests since reset, without those that asked."""
        self.asked += 1
        return self._count() - self.base - self.asked


def kafka_option(parser):
    """--kafka KEY=VALUE …, for Rig(kafka=options.kafka)."""
    parser.add_argument("--kafka", nargs="*", default=[], help="properties of Kafka's to try: linger.ms=5 …")


def pss_kib(pid):
    """Proportional set size: private pages and this process's share of the shared ones; None when it is gone."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file:
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return None


def cpu_seconds(pid):
    """User and system time so far."""
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Memory:
    """Samples a process's PSS every 50 ms while a `with` lasts."""

    def __init__(self, pid, every=0.05):
        self.pid = pid
        self.every = every
        self.samples = []  # (monotonic seconds, KiB)
        self.ended = threading.Event()

    def __enter__(self):
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()

    def _run(self):
        while not self.ended.wait(self.every):
            size = pss_kib(self.pid)
            if size is None:
                return
            self.samples.append((time.monotonic(), size))

    def peak_mb(self, since=0.0, until=float("inf")):
        return mb(max((size for at, size in self.samples if since <= at <= until), default=0))


def mb(kib):
    return round(kib * 1024 / 1e6, 1)


def at_rest_mb(pid, seconds=2.0):
    """PSS after a while without work."""
    time.sleep(seconds)
    return mb(pss_kib(pid) or 0)


def percentiles(values):
    """p50 and p99, in the unit that came in."""
    ordered = sorted(values)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    return f"{len(models)} cores ({models[0] if models else platform.machine()}), Linux {platform.release()}"


def table(rows, headings):
    """Prints columns, numbers to the right."""
    cells = [list(headings)]
    cells += [[f"{c:,}" if isinstance(c, (int, float)) else str(c) for c in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(headings))]
    for row in cells:
        print("  ".join([row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]))


def report(name, result):
    """The one line for scripts."""
    print(json.dumps({"benchmark": name, **result, "machine": machine()}), flush=True)


__all__ = ["bin_folder", "processes", "records", "signal", "wait_until"]
