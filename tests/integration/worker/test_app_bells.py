"""The bell's template: written by Celery on a real Redis, copied, read as a worker reads it."""

from __future__ import annotations

import json

import pytest
import redis
from celery import Celery

from envoi.queue.keys import Keys
from envoi.settings import Settings
from tests.integration.worker.conftest import nothing
from worker.app import BELLS, make_app
from worker.bells import ID, TAG, TASK, BadTemplate, check_template, make_template, to_template

KEYS = Keys("envoi")


def test_celery_writes_a_template_and_nothing_is_left_behind(app: Celery, redis_client: redis.Redis) -> None:
    template = make_template(app, KEYS)
    assert (template.count(ID), template.count(TAG)) == (3, 1)
    assert json.loads(template)["properties"]["delivery_info"]["routing_key"] == BELLS
    assert redis_client.keys("*") == []


def test_a_bell_lies_in_the_list_that_the_scripts_push_to(app: Celery, redis_client: redis.Redis) -> None:
    app.tasks[TASK].apply_async()
    assert redis_client.llen(KEYS.bells) == 1


def test_a_copy_with_arguments_is_refused(app: Celery) -> None:
    with app.connection_for_write() as connection, connection.channel() as channel:
        app.send_task(TASK, args=["secret"], task_id=ID, queue="aside", connection=connection)
        template = to_template(channel.client.rpop("aside").decode(), "aside")
        channel.queue_delete("aside")
        with pytest.raises(BadTemplate, match="arguments"):
            check_template(template, channel)


def test_a_message_of_another_form_is_refused(app: Celery) -> None:
    with pytest.raises(BadTemplate, match="delivery tag"):
        to_template('{"properties": {}}', "aside")
    with pytest.raises(BadTemplate, match="unexpected"):
        to_template('{"properties": {"delivery_tag": "x"}, "id": "ENVOIBELLID"}', "aside")
    with (
        app.connection_for_write() as connection,
        connection.channel() as channel,
        pytest.raises(BadTemplate, match="cannot be read"),
    ):
        check_template('{"body": "{", "properties": {"delivery_tag": "ENVOIBELLTAG"}}', channel)


def test_two_queues_on_one_redis_ring_apart(redis_url: str, redis_client: redis.Redis) -> None:
    other = make_app(Settings(redis_url=redis_url, redis_tag="other"))
    other.task(name=TASK, shared=False)(nothing)
    other.tasks[TASK].apply_async()
    assert (redis_client.llen(Keys("other").bells), redis_client.llen(KEYS.bells)) == (1, 0)
    other.close()
