"""Reports what bench measured: `python report.py MEASUREMENTS FOLDER`.

Prints tables in Markdown, and writes benchmark.json and benchmark.svg to the folder.
"""

import json
import os
import pathlib
import platform
import statistics
import sys
from html import escape

FIGURES = {
    "init_ms": "init: `exec` to first `/next`, ms",
    "first_response_ms": "first response, ms",
    "cold_start_ms": "cold start: both, ms",
    "peak_mib": "peak memory, MiB",
}
LABELS = {"function": "this function", "floor": "empty function", "python": "Python, boto3", "node": "Node.js, AWS SDK v3"}
COLORS = ["#2f81f7", "#8b949e", "#d29922", "#3fb950", "#db61a2", "#f0883e"]


def summary(values):
    """The median and the quartiles."""
    q1, median, q3 = statistics.quantiles(values, method="inclusive") if len(values) > 1 else values * 3
    return {"median": median, "q1": q1, "q3": q3}


def ratio(of, to):
    """The median of the ratios of each round: a disturbance of the machine affects both parts of a round."""
    return summary([a / b for a, b in zip(of, to, strict=True)])


def field(path, name, separator):
    """The value of the first line that starts with the name."""
    for line in pathlib.Path(path).read_text().splitlines():
        if line.startswith(name):
            return line.split(separator, 1)[1].strip(' "')
    return "unknown"


def machine():
    cpu = field("/proc/cpuinfo", "model name", ":")
    system = field("/etc/os-release", "PRETTY_NAME", "=")
    return f"{os.cpu_count()} cores of {cpu}, Linux {platform.release().split('-')[0]}, {system}"


def report(measurements):
    candidates = measurements["candidates"]
    for candidate in candidates:
        pairs = zip(candidate["init_ms"], candidate["first_response_ms"], strict=True)
        candidate["cold_start_ms"] = [init + first for init, first in pairs]
    base = candidates[0]
    return {
        "machine": machine(),
        "rounds": len(base["init_ms"]),
        "candidates": {
            candidate["name"]: {
                "description": candidate["description"],
                **{figure: summary(candidate[figure]) for figure in FIGURES},
                "ratios": {figure: ratio(candidate[figure], base[figure]) for figure in FIGURES},
            }
            for candidate in candidates
        },
        "limited": [samples | {"first_response_ms": summary(samples["first_response_ms"])} for samples in measurements["limited"]],
    }


def three_digits(value):
    return f"{value:.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"


def cell(value):
    return f"{three_digits(value['median'])} ({three_digits(value['q1'])}–{three_digits(value['q3'])})"


def table(rows):
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "| --- " * len(rows[0]) + "|")
    return "\n".join(lines)


def markdown(result):
    candidates = result["candidates"]
    names = list(candidates)
    figures = [["", *names]]
    ratios = [["times function", *names[1:]]]
    for figure, label in FIGURES.items():
        figures.append([label, *(cell(candidates[name][figure]) for name in names)])
        ratios.append([label.rsplit(",", 1)[0], *(cell(candidates[name]["ratios"][figure]) for name in names[1:])])
    limited = {}
    for samples in result["limited"]:
        limited.setdefault(samples["memory_mb"], {})[samples["name"]] = cell(samples["first_response_ms"])
    limits = [["first response, ms", *names], *([f"{size} MB", *(row[name] for name in names)] for size, row in limited.items())]
    described = "\n".join(f"* {name}: {candidates[name]['description']}" for name in names)
    heading = f"{result['machine']}; {result['rounds']} cold starts of each; medians and quartiles."
    return "\n\n".join([heading, described, table(figures), table(ratios), table(limits)])


def svg(result):
    """The cold starts as bars: the init, and lighter the first response."""
    candidates = result["candidates"]
    longest = max(candidate["cold_start_ms"]["median"] for candidate in candidates.values())
    height = 110 + 44 * len(candidates)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="800" height="{height}" font-family="sans-serif" font-size="14">',
        "<style>text { fill: #1f2328 } .background { fill: #fff }",
        "@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .background { fill: #0d1117 } }</style>",
        f'<rect class="background" width="800" height="{height}"/>',
        '<text x="16" y="32" font-size="18">Cold start in ms: init and first response over TLS</text>',
    ]
    for (name, candidate), color, y in zip(candidates.items(), COLORS, range(60, height, 44)):
        # A bar of less than a pixel would be invisible.
        init, first = (max(1, round(candidate[figure]["median"] / longest * 400)) for figure in ("init_ms", "first_response_ms"))
        text = three_digits(candidate["cold_start_ms"]["median"])
        if name != "function":
            text += f" (×{three_digits(candidate['ratios']['cold_start_ms']['median'])})"
        parts += [
            f'<text x="16" y="{y + 19}">{escape(LABELS.get(name, name))}</text>',
            f'<rect x="180" y="{y}" width="{init}" height="28" fill="{color}"/>',
            f'<rect x="{180 + init}" y="{y}" width="{first}" height="28" fill="{color}" opacity="0.55"/>',
            f'<text x="{188 + init + first}" y="{y + 19}">{text}</text>',
        ]
    note = f"Medians of {result['rounds']} cold starts in turn on {result['machine']}; EC2 is a local stand-in."
    parts += [f'<text x="16" y="{height - 16}" font-size="11">{escape(note)}</text>', "</svg>"]
    return "\n".join(parts) + "\n"


def main():
    measurements, folder = map(pathlib.Path, sys.argv[1:])
    result = report(json.loads(measurements.read_text()))
    print(markdown(result))
    (folder / "benchmark.json").write_text(json.dumps(result, indent=1) + "\n")
    (folder / "benchmark.svg").write_text(svg(result))


if __name__ == "__main__":
    main()
