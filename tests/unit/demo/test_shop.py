"""The demonstration's shop: every answer is one that Envoi and the sandbox take, and what it shows is there."""

from __future__ import annotations

import urllib.error
import urllib.request
import xml.etree.ElementTree as ET

import pytest

from demo.pictures import PICTURES
from demo.shop import Shop, opened_shop
from envoi import Envoi, Job


def shop() -> Shop:
    return Shop(Envoi("redis://127.0.0.1:1/0"), "1001")


@pytest.mark.parametrize("said", ["hello", "See the catalogue", "where is my parcel?", "ORDER tent", "ORDER nothing"])
def test_every_answer_is_a_message_of_the_send_api(said: str) -> None:
    asked = shop()
    asked.address = "http://127.0.0.1:80"
    job = Job(page="1001", recipient="7001", message=asked.answer_to(said))
    assert job.message.text or job.message.attachment


def test_what_is_offered_can_be_had() -> None:
    offered = [reply["payload"] for reply in shop().answer_to("hello")["quick_replies"]]
    answers = [shop().answer_to(payload) for payload in offered]
    assert "attachment" in answers[0]
    cards = answers[0]["attachment"]["payload"]["elements"]
    for card in cards:
        ordered = shop().answer_to(card["buttons"][0]["payload"])
        assert ordered["attachment"]["payload"]["elements"][0]["title"] == card["title"]


def test_its_pictures_are_served_and_nothing_else_is() -> None:
    opened = shop()
    with opened_shop(opened):
        for name in PICTURES:
            with urllib.request.urlopen(f"{opened.address}/{name}.svg", timeout=20) as answer:  # noqa: S310  # ours
                assert ET.fromstring(answer.read()).tag.endswith("svg")  # noqa: S314  # ours
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{opened.address}/nothing", timeout=20)  # noqa: S310  # ours
