"""Promise: `kill -9` of PostgreSQL under load loses no committed change and invents none."""

import random

from lib.load import TABLES, Load, judge, record_events
from test_reconnect import all_records


def test_killed_under_load(private_postgres, kafka, make_database, make_millrace, name):
    server = private_postgres()
    database = make_database(server, name)
    database.sql(TABLES)
    topic = f"{name}.public.items"
    kafka.create_topic(topic, 3)
    millrace = make_millrace(kafka)
    millrace.connector(name, database, snapshot="never", tables={"include": ["public.items"]})
    process = millrace.run()
    load = Load(server, database.name).start()
    moments = random.Random(5)
    for _ in range(3):
        load.advance(moments.randrange(100, 500))
        server.kill()
        server.start()
    load.advance(100)
    load.stop()
    judge(load, record_events(all_records(load, kafka, topic, millrace.registry)))
    assert process.popen.poll() is None
