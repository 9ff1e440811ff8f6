import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import create_engine, make_url, text

from baton.embedded.broker import EmbeddedBroker
from baton.embedded.child import first_line_number
from baton.embedded.database import EmbeddedDatabase
from baton.embedded.ports import answers
from tests.waiting import until

pytestmark = [pytest.mark.kafka, pytest.mark.postgres]

PARENT = """
import sys, time
from pathlib import Path
from baton.embedded.broker import EmbeddedBroker
from baton.embedded.database import EmbeddedDatabase
home = Path(sys.argv[1])
broker, database = EmbeddedBroker(home / "kafka", home / "k.log"), EmbeddedDatabase(home / "postgres", home / "p.log")
broker.start()
database.start()
print(broker.pid, database.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="baton-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def connect(database: EmbeddedDatabase) -> psycopg.Connection:
    return psycopg.connect(database.url.replace("+psycopg", ""), autocommit=True)


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_database_keeps_its_data_over_a_restart(home: Path) -> None:
    first = EmbeddedDatabase(home / "postgres", home / "p.log")
    first.start()
    with connect(first) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (42)")
    first.stop()
    second = EmbeddedDatabase(home / "postgres", home / "p.log")
    second.start()
    try:
        with connect(second) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (42,)
    finally:
        second.stop()


def test_a_socket_in_a_deep_folder_gets_a_short_path_of_its_own(home: Path) -> None:
    deep = home / ("d" * 60) / ("e" * 60)
    database = EmbeddedDatabase(deep / "postgres", home / "p.log")
    database.start()
    try:
        folder = Path(str(make_url(database.url).query["host"]))
        with connect(database) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert not str(folder).startswith(str(deep))
        assert folder.stat().st_mode & 0o777 == 0o700
    finally:
        database.stop()


@pytest.mark.parametrize("name", ["a+b c", "a&b%20c", "a,b", "ä#?"])
def test_a_folder_of_any_name_can_be_reached_by_sqlalchemy_and_by_psycopg(home: Path, name: str) -> None:
    database = EmbeddedDatabase(home / name / "postgres", home / "p.log")
    database.start()
    engine = create_engine(database.url)
    try:
        with connect(database) as connection, engine.connect() as other:
            assert connection.execute("SELECT 1").fetchone() == (1,)
            assert other.execute(text("SELECT 2")).scalar_one() == 2
    finally:
        engine.dispose()
        database.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="closing a folder to others matters to root alone")
def test_roots_closed_folders_stay_closed(home: Path) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    database = EmbeddedDatabase(closed / "postgres", home / "p.log")
    database.start()
    try:
        with connect(database) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert closed.stat().st_mode & 0o777 == 0o700
    finally:
        database.stop()


def test_a_broker_keeps_its_port_over_a_restart_and_its_folder_to_itself(home: Path) -> None:
    broker = EmbeddedBroker(home / "kafka", home / "k.log")
    broker.start()
    port = broker.port
    broker.stop()
    assert not answers(port)
    again = EmbeddedBroker(home / "kafka", home / "k.log")
    again.start()
    again.stop()

    assert again.port == port
    assert (home / "kafka").stat().st_mode & 0o777 == 0o700


def test_servers_end_with_a_parent_that_is_killed_and_the_next_start_goes_on(home: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(home)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pids = [int(word) for word in parent.stdout.readline().split()]
    assert len(pids) == 2
    assert first_line_number(home / "kafka" / "baton.pid") == pids[0]
    parent.send_signal(signal.SIGKILL)
    parent.wait()

    database = EmbeddedDatabase(home / "postgres", home / "p.log")
    broker = EmbeddedBroker(home / "kafka", home / "k.log")
    broker.start()
    database.start()
    try:
        with connect(database) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert answers(broker.port)
    finally:
        database.stop()
        broker.stop()
    until(lambda: all(gone(pid) for pid in pids), 20, "the servers to end with their parent")
