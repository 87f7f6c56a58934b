"""Redis and PostgreSQL over TLS, with certificates that are checked: all parts work, and nobody trusts another's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import text

from demo.child import ChildFailed
from demo.postgres_server import PostgresServer
from envoi import Envoi, Job, QueueUnavailable
from envoi.log.database import log_errors, open_log
from envoi.log.errors import LogUnavailable
from tests.acceptance.certificates import Authority
from tests.acceptance.conftest import MakeStack
from tests.acceptance.flower import Flower
from tests.acceptance.outcomes import wait_until_settled
from tests.acceptance.secured_redis import ADMIN, SecuredRedis
from tests.needs import lacking
from tests.waiting import wait_until


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def other(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "other-ca")


def trusting(authority: Authority) -> str:
    """What an address of Redis says of the certificate: redis-py and Celery's broker read the same words."""
    return f"?ssl_cert_reqs=required&ssl_ca_certs={quote(str(authority.certificate), safe='')}"


@pytest.fixture
def redis_server(tmp_path: Path, authority: Authority) -> Iterator[SecuredRedis]:
    folder = tmp_path / "redis"
    folder.mkdir()
    certificate, key = authority.sign("redis")
    options = {"tls-cert-file": certificate, "tls-key-file": key, "tls-ca-cert-file": authority.certificate}
    server = SecuredRedis(folder, options, trusting(authority))
    try:
        server.start()
    except ChildFailed as error:
        server.close()
        if "tls-port" not in str(error) and "TLS" not in str(error):
            raise
        lacking("this machine's Redis was built without TLS (Debian: apt-get install redis-server)")
    yield server
    server.close()


@pytest.fixture
def postgres_server(tmp_path: Path, authority: Authority) -> Iterator[PostgresServer]:
    """It takes nobody without TLS."""
    server = PostgresServer(folder=tmp_path)
    data = server.folder / "data"
    for file, name in zip(authority.sign("postgres"), ("server.crt", "server.key"), strict=True):
        shutil.copy2(file, data / name)
        shutil.chown(data / name, data.stat().st_uid, data.stat().st_gid)
    with (data / "postgresql.conf").open("a") as settings:
        settings.write("ssl = on\n")
    (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 trust\n")
    try:
        server.start()
    except ChildFailed as error:
        server.close()
        if "SSL is not supported" not in str(error):
            raise
        lacking("this machine's PostgreSQL was built without TLS (Debian: apt-get install postgresql)")
    yield server
    server.close()


def address(server: PostgresServer, authority: Authority, host: str = "localhost") -> str:
    """Its address as docs/deploy.md has it."""
    where = server.url.replace("127.0.0.1", host)
    return f"{where}?sslmode=verify-full&sslrootcert={quote(str(authority.certificate), safe='')}"


def test_every_part_works_over_tls_to_both_servers(
    redis_server: SecuredRedis, postgres_server: PostgresServer, authority: Authority, make_stack: MakeStack
) -> None:
    stack = make_stack(
        redis_url=redis_server.url("operator"),
        database_url=address(postgres_server, authority),
        settings={"ENVOI_PAGE_PACE": "500"},
    )
    stack._tag = stack.environment["ENVOI_REDIS_TAG"] = "envoi"
    for step in stack.steps(workers=1):
        for part in ("scheduler", "worker"):
            if step.startswith(part):
                stack.environment["ENVOI_REDIS_URL"] = redis_server.url(part)
    engine = open_log(stack.database_url)
    stack.environment["ENVOI_REDIS_URL"] = redis_server.url("flower")
    with Flower(stack) as flower:
        flower.wait_for_workers(1)
        ids = Envoi(redis_server.url("producer")).send_many(
            Job(page=stack.page, recipient=str(7_000_000_000_000_001 + n % 10), message=f"m {n}") for n in range(50)
        )
        assert wait_until_settled(stack, engine, len(ids), timeout=60).keys() == {"sent"}
        wait_until(lambda: ids[0] in flower.tasks(), "Flower shows the job")
    stack.environment["ENVOI_REDIS_URL"] = redis_server.url("operator")
    with engine.connect() as connection:
        ours = connection.execute(
            text(
                "SELECT count(*), bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)"
                " WHERE application_name = 'envoi'"
            )
        ).one()
    engine.dispose()
    assert ours[0] >= 3  # worker, scheduler, and this test
    assert ours[1] is True
    stack.run("doctor")  # fails where it finds anything bad
    assert redis_server.denied() == []


def test_a_redis_whose_certificate_is_of_another_authority_is_not_trusted(
    redis_server: SecuredRedis, other: Authority
) -> None:
    url = redis_server.url(ADMIN).partition("?")[0] + trusting(other)
    with pytest.raises(QueueUnavailable, match=r"(?i)certificate verify failed"):
        Envoi(url).status("01M8C9EN294J6DEMKNDBBJ7NB7")


def test_a_database_whose_certificate_is_of_another_authority_or_name_is_not_trusted(
    postgres_server: PostgresServer, authority: Authority, other: Authority
) -> None:
    good = open_log(address(postgres_server, authority))
    with log_errors(good), good.connect() as connection:
        assert connection.execute(text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")).scalar_one()
    good.dispose()
    bad = open_log(address(postgres_server, other))
    with pytest.raises(LogUnavailable, match=r"(?i)certificate verify failed"), log_errors(bad), bad.connect():
        pass
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect(host="127.0.0.1", port=postgres_server.port, user="envoi", dbname="postgres", sslmode="disable")
    # A right certificate of another machine: verify-full looks at the name, verify-ca would not.
    certificate, key = authority.sign("elsewhere", "elsewhere.example")
    data = postgres_server.folder / "data"
    for file, name in ((certificate, "server.crt"), (key, "server.key")):
        shutil.copyfile(file, data / name)
    postgres_server.restart()
    wrong = open_log(address(postgres_server, authority))
    with pytest.raises(LogUnavailable, match="does not match host name"), log_errors(wrong), wrong.connect():
        pass
