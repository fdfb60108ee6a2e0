"""
What the benchmarks share: the system tests' servers with the settings of a measurement, the programs under test and
nginx as the function. measure.py has the samplers, report.py the tables.
"""

import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
import urllib.request

from confluent_kafka import KafkaException, TopicPartition
from lib import kafka as kafka_module
from lib import processes, records
from lib.kafka import Kafka
from lib.postgres import Postgres, bin_folder
from lib.program import BINARY, Millrace, Process
from lib.waiting import wait_until

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
JAVA = ["java", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35"]
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
        self.folder = None
        self.servers = contextlib.ExitStack()
        self.binary = BINARY  # which millrace runs next; a tuple with what it runs under
        self.count = 0  # configuration folders made

    def __enter__(self):
        end_on_sigterm()
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start(self):
        self.folder = tempfile.mkdtemp(prefix="millrace-bench-")
        self.servers.callback(shutil.rmtree, self.folder, ignore_errors=True)
        os.chmod(self.folder, 0o755)
        kafka_module.JAVA = JAVA
        template = Postgres.make_template(f"{self.folder}/pg")
        self.pg = Postgres(f"{self.folder}/postgres", template, **POSTGRES)
        self.servers.callback(self.pg.stop)
        self.pg.start()
        template = Kafka.make_template(f"{self.folder}/k")
        self.kafka = Kafka(f"{self.folder}/kafka", template, heap="-Xmx1g", **KAFKA)
        self.servers.callback(lambda: self.kafka.process and self.kafka.kill())
        self.kafka.start()
        self.sql_connection = self.pg.connect()
        self.reader = records.consumer(self.kafka.bootstrap, **{"group.id": "bench"})

    def __exit__(self, *_):
        self.servers.close()

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

    def walsender(self, slot):
        """The process id of the walsender that serves the slot, or None."""
        return self.sql("select active_pid from pg_replication_slots where slot_name = %s", slot)[0][0]

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
        made.program = self.binary if isinstance(self.binary, tuple) else (self.binary,)
        made.settings(log={"level": "info"}, kafka={"topic.metadata.refresh.interval.ms": None, **self.properties})
        return made


def tool(name):
    """The path of a yardstick that run.sh has compiled: bare_curl, discard_reader."""
    return os.path.join(os.environ["MILLRACE_BENCH_TOOLS"], name)


def end_on_sigterm():
    """SIGTERM leaves through the `with` blocks, so that servers end and folders go."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def local_function(millrace, name, topic, command, delivery=None, **process):
    """functions/NAME.yaml with `endpoint.process`; root must name another user, who can run the command."""
    if os.geteuid() == 0:
        process = {"user": "nobody", **process}
    settings = {
        "source": {"topics": [topic], "start": "earliest"},
        "endpoint": {"process": {"command": command, **process}},
        "delivery": delivery or {},
    }
    return millrace.write(f"functions/{name}.yaml", json.dumps(settings, indent=2))


def local_processes(bridge_pid):
    """[(process id of the guard, of what it guards)] of the bridge's local functions; those that have started."""
    guards = [(guard, processes.children(guard)) for guard in processes.children(bridge_pid)]
    return [(guard, commands[0]) for guard, commands in guards if commands]


@contextlib.contextmanager
def running(millrace, *command):
    """The process while the block lasts; its log when something goes wrong."""
    process = Process([*command, "-c", millrace.folder], millrace.folder, program=millrace.program)
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
        events {{ worker_connections 16384; }}
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
        (self.worker,) = processes.children(self.process.pid)
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


__all__ = ["bin_folder", "processes", "records", "wait_until"]
