"""Feeding: ahead of the pace and no further, each person once, whatever is interrupted."""

from __future__ import annotations

from tests.integration.broadcast.house import House, some


def test_everybody_is_sent_the_message_once_and_the_report_says_so(house: House) -> None:
    loaded = house.load(some(450))
    report = house.go_on(loaded.id)
    assert house.ledger == dict.fromkeys(some(450), 1)
    assert (report.outcomes["sent"], report.settled, report.total) == (450, 450, 450)
    assert report.reasons == []


def test_no_more_is_enqueued_than_goes_out_in_the_time_ahead(house: House) -> None:
    loaded = house.load(some(450))
    house.feed()
    assert house.waiting() == 200
    assert house.report(loaded.id).waiting == 250
    house.feed()
    assert house.waiting() == 200
