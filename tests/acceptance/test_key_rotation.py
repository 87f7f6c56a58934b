"""A new key for the tokens, from the first worker that knows it to the day when the old one is gone."""

from __future__ import annotations

import json

from cryptography.fernet import Fernet
from pydantic import SecretStr

from demo.stack import Stack
from envoi import Envoi
from envoi.log.secrets import key_id
from tests.acceptance.conftest import MakeStack
from tests.waiting import wait_until_equal


def found_by_doctor(stack: Stack, check: str) -> tuple[str, str]:
    """State and text of one finding."""
    [found] = [one for one in json.loads(stack.run("doctor", "--json")) if one["name"] == check]
    return found["state"], found["text"]


def sends(stack: Stack, person: str) -> bool:
    envoi = Envoi(stack.redis_url)
    job_id = envoi.send(stack.page, person, "hello")
    wait_until_equal(lambda: envoi.status(job_id).state, "sent", f"the message to {person} is sent")
    return True


def restarted(stack: Stack, keys: str) -> None:
    """Every host has these keys from now on; the next worker is there before the last one goes."""
    stack.environment["ENVOI_SECRET_KEYS"] = keys
    before = stack._children["worker"][-1]
    stack.start_worker()
    before.stop()
    stack.child("scheduler", -1).stop()
    stack.start_scheduler()


def test_a_key_is_replaced_while_messages_go_out(make_stack: MakeStack) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    old_id, new_id = (key_id(SecretStr(key)) for key in (old, new))
    stack = make_stack(secret_key=old)
    stack.start()
    assert sends(stack, "7001")

    restarted(stack, f"{new},{old}")
    assert sends(stack, "7002")  # the token is still under the old one
    state, text = found_by_doctor(stack, "page-tokens")
    assert state == "warn"
    assert f"{new_id}: 0, {old_id}: 1" in text

    assert json.loads(stack.run("pages", "reseal", "--json")) == {"resealed": 1}
    state, text = found_by_doctor(stack, "page-tokens")
    assert state == "ok"
    assert f"{new_id}: 1, {old_id}: 0" in text
    assert sends(stack, "7003")

    restarted(stack, new)
    assert sends(stack, "7004")
    assert found_by_doctor(stack, "secret-keys") == ("ok", f"1 keys, well formed, newest first: {new_id}")
    told = "".join(child.log.read_text() for child in stack.children())
    assert not [key for key in (old, new) if key in told]
