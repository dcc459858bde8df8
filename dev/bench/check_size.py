"""Checks a zip, and the instructions that `bench --count` reports on stdin: `python check_size.py ZIP ARCHITECTURE`."""

import json
import os
import pathlib
import sys

LIMITS = json.loads(pathlib.Path(__file__).with_name("limits.json").read_text())


def check(name, value, limit):
    """Prints one line and returns whether the limit is kept."""
    line = f"{name}: {value:,}, limit {limit:,}"
    if value > limit:
        line += f": {value - limit:,} too many"
    elif value < limit * 0.9:
        line += ": far below it; lower the limit"
    print(line)
    return value <= limit


def main():
    zip_file, architecture = sys.argv[1:]
    values = {"zip_bytes": os.stat(zip_file).st_size, **json.load(sys.stdin)}
    kept = [check(name, values[name], limit) for name, limit in LIMITS[architecture].items()]
    if not all(kept):
        sys.exit("over the limit: `cargo bloat --release --crates` shows sizes, `git bisect run make check-size` finds the commit")


if __name__ == "__main__":
    main()
