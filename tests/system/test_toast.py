"""
Promise: an unchanged large value that PostgreSQL did not send is marked as such (`toast: typed`), or is filled in
as it was at that change, never a later one (`toast: complete`).
"""

import hashlib
import random
import shutil
import threading

import pytest
from lib.records import each_record, end_offsets, read_topic
from lib.waiting import wait_until

LARGE = "(select string_agg(md5(random()::text), '') from generate_series(1, 100))"
TYPES = {
    "text": LARGE,
    "bytea": f"decode({LARGE}, 'hex')",
    "jsonb": f"to_jsonb({LARGE})",
    "numeric": "(select string_agg((1e8 + random() * 8e8)::int::text, '')::numeric from generate_series(1, 2500))",
    "int[]": "(select array_agg((random() * 1e9)::int) from generate_series(1, 1000))",
    "text[]": f"array[{LARGE}]",
    "tsrange[]": "(select array_agg(tsrange(now()::timestamp, now()::timestamp + random() * '1 day'::interval)) "
    "from generate_series(1, 300))",
}

# Each change of a row of `notes` is one of `twin`, too, which sends every value.
TABLES = """
create table notes (id int primary key, n int not null, a text, b text, c bytea not null default '');
alter table notes alter a set storage external;
create table twin (like notes including defaults, primary key (id));
alter table twin replica identity full;
create function copy() returns trigger language plpgsql as $$
begin
    if tg_op = 'INSERT' then insert into twin select new.*;
    elsif tg_op = 'DELETE' then delete from twin where id = old.id;
    else update twin set id = new.id, n = new.n, a = new.a, b = new.b, c = new.c where id = old.id;
    end if;
    return null;
end $$;
create trigger copy after insert or update or delete on notes for each row execute function copy();
create function large() returns text language sql volatile as $$
    select string_agg(md5(random()::text), '') from generate_series(1, (1 + random() * random() * 150)::int) $$;
create procedure work(changes int, keys int) language plpgsql as $$
declare
    k int;
    dice float;
begin
    for i in 1..changes loop
        k := (random() * keys)::int;
        dice := random();
        begin
            if dice < 0.55 then update notes set n = n + 1 where id = k;
            elsif dice < 0.65 then update notes set a = large() where id = k;
            elsif dice < 0.72 then update notes set b = large(), n = n + 1 where id = k;
            elsif dice < 0.78 then update notes set c = decode(large(), 'hex'), a = null where id = k;
            elsif dice < 0.81 then update notes set id = -k where id = k;
            elsif dice < 0.84 then update notes set id = k where id = -k;
            elsif dice < 0.87 then delete from notes where id = k;
            else insert into notes values (k, 0, large(), large()) on conflict do nothing;
            end if;
        exception when unique_violation or deadlock_detected then null;
        end;
        commit;
    end loop;
end $$;
"""


class Workers:
    """Sessions that change rows at once."""

    def __init__(self, postgres, database, count, changes, keys):
        self.threads = [
            threading.Thread(target=self.work, args=(postgres, database, changes, keys), daemon=True)
            for _ in range(count)
        ]
        self.ended = 0

    def work(self, postgres, database, changes, keys):
        with postgres.connect(database.name) as connection:
            connection.execute("set synchronous_commit = off")
            connection.execute(f"call work({changes}, {keys})")
        self.ended += 1

    def start(self):
        for thread in self.threads:
            thread.start()
        return self

    def is_over(self):
        return not any(thread.is_alive() for thread in self.threads)

    def wait(self, timeout):
        for thread in self.threads:
            thread.join(timeout)
        assert self.ended == len(self.threads), "a session that changes rows failed"


LAST = -1000000


def history_of(kafka, millrace, topic):
    """What happened, in its order: operations and hashes. A change that was published again is the same again."""
    changes = {}
    for record in each_record(kafka, topic, millrace.registry, lambda r: r.value and r.row["id"] == LAST):
        if record.value is not None:
            text = repr((record.value["op"], record.raw_key[5:], record.value["after"]))
            change = (record.value["op"], hashlib.sha256(text.encode()).digest())
            assert changes.setdefault(record.id, change) == change, f"{record.id} was another change: {text[:300]}"
    return [changes[number] for number in sorted(changes)]


def judge(kafka, millrace, name, database):
    """Both tables have the same history."""
    database.sql(f"insert into notes values ({LAST}, 0)")
    ours, theirs = (history_of(kafka, millrace, f"{name}.public.{table}") for table in ("notes", "twin"))
    assert len(ours) == len(theirs)
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        assert one == other, f"change {number}, {one[0]}, differs from that of the table with full identity"
    return ours


def prepare(server, make_database, make_millrace, kafka, name, tmp_path):
    """A connector that fills values in, on tables with rows from before."""
    database, millrace = make_database(server, name), make_millrace(kafka)
    database.sql(TABLES)
    database.sql("insert into notes select k, 0, large(), large() from generate_series(1, 100) k")
    state = tmp_path / "state"
    millrace.settings(state_directory=str(state))
    for table in ("notes", "twin"):
        kafka.create_topic(f"{name}.public.{table}", 1)
    millrace.connector(name, database, toast="complete", tables={"include": ["public.notes", "public.twin"]})
    return database, millrace, state


@pytest.fixture
def complete(postgres, make_database, make_millrace, kafka, name, tmp_path):
    return prepare(postgres, make_database, make_millrace, kafka, name, tmp_path)


def unknown(millrace, name):
    return millrace.metric("millrace_connector_toast_unknown_total", connector=name)


OPENING = ("LOADING_STATE", "RECONCILING", "STARTING", "DONE", "STREAMING")


def kill_while_it_streams(kafka, name, process, load, after):
    topic = f"{name}.public.notes"
    wanted = sum(end_offsets(kafka, topic).values()) + after
    wait_until(lambda: load.is_over() or sum(end_offsets(kafka, topic).values()) >= wanted, 60, "changes")
    states = [event["message"] for event in process.events if event.get("event") == "source_state"]
    process.kill()
    print(f"killed after {after} records; last state: {states[-1]}", flush=True)


def kill_while_it_begins(millrace, name, state):
    process = millrace.connect(name, wait=False)
    process.wait_event("source_state", message=f"-> {state} ", timeout=30)
    process.kill()
    print(f"killed as it entered {state}", flush=True)


def run(postgres, kafka, name, complete, workers, changes, keys, kills):
    database, millrace, _ = complete
    process = millrace.connect(name)
    load = Workers(postgres, database, workers, changes // workers, keys).start()
    moments = random.Random(11)
    for number in range(kills):
        kill_while_it_streams(kafka, name, process, load, moments.randrange(50, changes // kills // 4))
        if number % 2:
            kill_while_it_begins(millrace, name, OPENING[number // 2 % len(OPENING)])
        process = millrace.connect(name)
    load.wait(3600)
    millrace.wait_ready(process)
    history = judge(kafka, millrace, name, database)
    assert unknown(millrace, name) == 0
    return history


def test_complete_values_are_those_of_full_identity(postgres, kafka, name, complete):
    history = run(postgres, kafka, name, complete, workers=4, changes=8000, keys=150, kills=4)
    assert sum(op == "u" for op, _ in history) > 1000


@pytest.mark.long
@pytest.mark.timeout(5400)
def test_a_million_concurrent_updates_differ_in_nothing(postgres, kafka, name, complete):
    history = run(postgres, kafka, name, complete, workers=4, changes=2_000_000, keys=5000, kills=12)
    updates = sum(op == "u" for op, _ in history)
    print(f"{len(history)} changes, {updates} of them updates, are those of the table with full identity")
    assert updates >= 1_000_000


def test_an_empty_store_is_filled_from_the_rows_that_are_there(kafka, name, complete):
    """The directory is lost: what is not known yet is said, and never a later value."""
    database, millrace, state = complete
    topic, key = f"{name}.public.notes", 500
    database.sql(f"insert into notes values ({key}, 0, {LARGE})")
    process = millrace.connect(name)
    read_topic(kafka, topic, count=101)
    process.stop()
    shutil.rmtree(state)
    database.sql("update notes set n = 1 where id = %s", (key,))
    database.sql("update notes set a = repeat('later', 1000) where id = %s", (key,))
    process = millrace.connect(name)
    process.wait_event("toast_store_empty", timeout=30)
    process.wait_event("toast_store_filled", timeout=30)
    database.sql("update notes set n = 2 where id = %s", (key,))
    records = [r for r in read_topic(kafka, topic, millrace.registry, count=104) if r.op == "u" and r.row["id"] == key]
    assert [record.row["n"] for record in records] == [1, 1, 2]
    assert records[0].row["a"] == "__debezium_unavailable_value"
    assert records[1].row["a"] == records[2].row["a"] == "later" * 1000
    assert process.find("toast_unknown")
    wait_until(lambda: unknown(millrace, name) >= 1, what="the count")


def test_what_changed_unseen_is_never_guessed(postgres, kafka, make_millrace, make_database, name, tmp_path):
    """A partition that was detached meanwhile, a rewritten column, a key that changes, rows after a TRUNCATE."""
    database, millrace = make_database(postgres, name), make_millrace(kafka)
    database.sql("create table logs (id int primary key, n int not null, a text) partition by range (id)")
    database.sql("create table low partition of logs for values from (0) to (100)")
    database.sql(f"insert into logs values (1, 0, {LARGE})")
    millrace.settings(state_directory=str(tmp_path / "state"))
    millrace.connector(name, database, toast="complete", tables={"include": ["public.logs", "public.low"]})
    process = millrace.connect(name)

    def value_of(number):
        """As the update with this number published it, and as the database has it."""
        true = database.value("select a from low where n = %s", [number])

        def published():
            rows = [r.row for r in read_topic(kafka, f"{name}.public.low", millrace.registry, count=1) if r.value]
            return [row["a"] for row in rows if row and row["n"] == number]

        return wait_until(published, 30, f"update {number}")[-1], true

    def changed(number, *statements):
        database.transaction(*statements, f"update logs set n = {number}")
        return value_of(number)

    def is_true(values):
        return values[0] == values[1]

    def is_unknown(values):
        return values[0] == "__debezium_unavailable_value"

    def is_honest(values):
        return is_true(values) or is_unknown(values)

    assert is_true(changed(1))
    assert is_unknown(
        changed(
            2,
            "alter table logs detach partition low",
            "update low set a = a || 'unseen'",
            "alter table logs attach partition low for values from (0) to (100)",
        )
    )
    database.sql("update logs set a = a || 'seen'")
    assert is_honest(changed(3))
    assert is_unknown(changed(4, "alter table logs alter a type text using upper(a) || 'rewritten'"))
    database.sql("update logs set a = a || 'seen'")
    assert is_honest(changed(5))
    database.sql("update logs set id = 7, a = a || 'again'")
    assert is_honest(changed(6))
    assert is_honest(changed(7, "alter table logs add added text default repeat('d', 5000)"))
    database.transaction("truncate logs", f"insert into logs values (7, 0, {LARGE})")
    assert is_honest(changed(8))
    process.stop()


def test_a_marker_is_no_value_of_any_type(postgres, kafka, millrace, make_database, name):
    database = make_database(postgres, name)
    columns = [f"c{i} {kind}, d{i} {kind} not null" for i, kind in enumerate(TYPES)]
    database.sql(f"create table big (id int primary key, n int not null, {', '.join(columns)})")
    values = ", ".join(f"{value}, {value}" for value in TYPES.values())
    database.sql(f"insert into big values (1, 1, {values})")
    millrace.connector(name, database, toast="typed")
    process = millrace.connect(name)
    topic = f"{name}.public.big"
    read_topic(kafka, topic, count=1)
    database.sql("update big set n = 2")
    database.sql("update big set c0 = null, n = 3")
    first, second, third = read_topic(kafka, topic, millrace.registry, count=3)
    marks = [c for c in first.row if c not in ("id", "n")]
    assert len(marks) == 2 * len(TYPES)
    assert all(first.row[column] != {"unchanged": True} for column in marks)
    assert [column for column in marks if second.row[column] != {"unchanged": True}] == []
    assert third.row["c0"] is None and third.row["d0"] == {"unchanged": True}
    assert first.value_schema == second.value_schema
    process.stop()
