"""How tests ask a port for its pages."""

from __future__ import annotations

import http.client

from prometheus_client.parser import text_string_to_metric_families

Labels = tuple[tuple[str, str], ...]


def ask(port: int | None, path: str, method: str = "GET", host: str = "127.0.0.1") -> tuple[int, str, str]:
    """Status, content type and body."""
    assert port is not None
    connection = http.client.HTTPConnection(host, port, timeout=30)
    try:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Content-Type") or "", answer.read().decode()
    finally:
        connection.close()


def samples(text: str) -> dict[str, dict[Labels, float]]:
    """By name, each sample's value by its labels, which stand in the order of their names."""
    found: dict[str, dict[Labels, float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def scrape(port: int | None) -> dict[str, dict[Labels, float]]:
    """All samples that a port shows."""
    status, _, body = ask(port, "/metrics")
    assert status == 200
    return samples(body)


def total(found: dict[str, dict[Labels, float]], name: str, **labels: str) -> float:
    """The sum of a metric's samples that have these labels."""
    wanted = set(labels.items())
    return sum(value for own, value in found.get(name, {}).items() if wanted <= set(own))
