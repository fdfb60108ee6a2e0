"""Fixtures: one PostgreSQL and one Kafka for all tests, private ones for tests that kill them."""

import itertools
import os
import shutil
import tempfile

import pytest
from lib import sanitizer
from lib.function_server import FunctionServer
from lib.kafka import MORTAL, Cluster, Kafka
from lib.postgres import Database, Postgres
from lib.program import BINARY, Millrace
from lib.stub_registry import StubRegistry

_numbers = itertools.count(1)


def pytest_addoption(parser):
    parser.addoption("--write-golden", action="store_true", help="keep what Debezium wrote in tests/golden/debezium")


def pytest_sessionstart(session):
    if not os.path.exists(BINARY):
        pytest.exit(f"{BINARY} is not there: cmake --preset dev && cmake --build --preset dev", 3)


def pytest_collection_modifyitems(items):
    """Files with slow tests come first: what is left at the end is short, and all workers have some of it."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session")
def folder():
    """The session's folder, readable to the unprivileged user that runs PostgreSQL."""
    path = tempfile.mkdtemp(prefix="millrace-tests-")
    os.chmod(path, 0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_template(folder):
    return Postgres.make_template(os.path.join(folder, "postgres-template"))


@pytest.fixture(scope="session")
def kafka_template(folder):
    return Kafka.make_template(os.path.join(folder, "kafka-template"))


@pytest.fixture(scope="session")
def postgres(folder, postgres_template):
    server = Postgres(os.path.join(folder, "postgres"), postgres_template).start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def kafka(folder, kafka_template):
    broker = Kafka(os.path.join(folder, "kafka"), kafka_template).start()
    yield broker
    broker.stop()


@pytest.fixture
def private_postgres(folder, postgres_template):
    """Makes servers of the test's own: private_postgres(wal_level="replica")."""
    made = []

    def make(**settings):
        path = os.path.join(folder, f"postgres-{next(_numbers)}")
        server = Postgres(path, postgres_template, **settings)
        made.append((server, path))
        return server.start()

    yield make
    for server, path in made:
        if server.process:
            server.kill()
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def private_kafka(folder, kafka_template):
    """Makes brokers of the test's own: private_kafka(auto_create=False); start=False leaves it down."""
    made = []

    def make(start=True, **options):
        path = os.path.join(folder, f"kafka-{next(_numbers)}")
        broker = Kafka(path, kafka_template, **{**MORTAL, **options})
        made.append((broker, path))
        return broker.start() if start else broker

    yield make
    for broker, path in made:
        if broker.process:
            broker.kill()
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(autouse=True)
def no_sanitizer_reports(request):
    """What ASan, LSan or UBSan say of any process of the test fails it; a plain build says nothing."""
    reports = sanitizer.Reports()
    yield
    found = reports.collect()
    if found:
        pytest.fail(found, pytrace=False)


@pytest.fixture
def name():
    """A name for connector, prefix, database and function that no other test has."""
    return f"t{next(_numbers)}p{os.getpid()}"


@pytest.fixture(scope="module")
def cluster(folder, kafka_template):
    """Three brokers for the tests of one file; each test leaves them all running."""
    brokers = Cluster(os.path.join(folder, f"cluster-{next(_numbers)}"), kafka_template).start()
    yield brokers
    brokers.kill()


@pytest.fixture
def make_database():
    made = []

    def make(server, database_name):
        made.append(Database(server, database_name))
        return made[-1]

    yield make
    for database in made:
        if database.server.process:
            database.drop()


@pytest.fixture
def database(postgres, name, make_database):
    return make_database(postgres, name)


@pytest.fixture
def make_millrace(folder, request, private_postgres, private_kafka, make_database):
    """Makes configuration folders; ends what was started with them, and shows the logs of a failed test."""
    # It asks for the servers' fixtures only to be torn down before them.
    made = []

    def make(broker):
        made.append(Millrace(os.path.join(folder, f"config-{next(_numbers)}"), broker))
        return made[-1]

    yield make
    for millrace in made:
        millrace.end()
        report = getattr(request.node, "report_call", None)
        if report is not None and report.failed:
            for process in millrace.started:
                print(f"--- log of {' '.join(process.popen.args[1:])}\n{process.log(80)}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    setattr(item, f"report_{call.when}", outcome.get_result())


@pytest.fixture
def millrace(make_millrace, kafka):
    return make_millrace(kafka)


@pytest.fixture
def function():
    server = FunctionServer()
    yield server
    server.stop()


@pytest.fixture
def stub():
    registry = StubRegistry()
    yield registry
    registry.stop()
