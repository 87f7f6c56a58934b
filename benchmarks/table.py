"""The table of results, as text that is also Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.figures import Figures

_HEADINGS = (
    "Graph latency",
    "peer",
    "jobs x rounds",
    "worker CPU ms/job",
    "Redis",
    "SQL",
    "scheduler",
    "stub load",
    "jobs/s",
    "p50 s",
    "p99 s",
    "worker MB",
    "lost",
    "doubled",
    "reordered",
    "interleaved",
    "rows missing",
)


def table(results: Mapping[tuple[float, str], Figures]) -> str:
    """One line for each latency (seconds) and peer."""
    rows = [_HEADINGS, *(_row(latency, peer, found) for (latency, peer), found in results.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = [_line(row, widths) for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 1) + ":" for width in widths) + "|")
    return "\n".join(lines)


def ratios(results: Mapping[tuple[float, str], Figures], ours: str) -> list[str]:
    """How we stand against each other peer of the same latency, one sentence each."""
    found = []
    for (latency, peer), other in results.items():
        own = results.get((latency, ours))
        if peer == ours or own is None:
            continue
        cpu, speed = other.cpu_ms["worker"] / own.cpu_ms["worker"], own.jobs_per_second / other.jobs_per_second
        found.append(
            f"At {latency * 1000:g} ms, {ours} takes 1/{cpu:.1f} of the worker CPU of {peer},"
            f" and does {speed:.1f} times its jobs/s."
        )
    return found


def _row(latency: float, peer: str, found: Figures) -> tuple[str, ...]:
    cpu = {part: f"{ms:.2f}" for part, ms in found.cpu_ms.items()}
    faults = found.faults
    counts = (faults.lost, faults.doubled, faults.reordered, faults.interleaved, found.missing)
    return (
        f"{latency * 1000:g} ms",
        peer,
        f"{found.jobs} x {found.rounds}",
        cpu["worker"],
        cpu["redis"],
        cpu["sql"],
        cpu.get("scheduler", "-"),
        f"{found.stub_load:.0%}",
        f"{found.jobs_per_second:.0f}",
        "-" if found.p50 is None else f"{found.p50:.2f}",
        "-" if found.p99 is None else f"{found.p99:.2f}",
        f"{found.worker_mb:.0f}",
        *(str(count) for count in counts),
    )


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) + " |"
