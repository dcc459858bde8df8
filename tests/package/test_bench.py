"""dev/bench: the report and the limits."""

import json
import subprocess
import sys
import xml.etree.ElementTree

import pytest
from package import ROOT

sys.path.insert(0, str(ROOT / "dev/bench"))
import check_size
import report

MEASUREMENTS = {
    "candidates": [
        {"name": "function", "description": "fast", "init_ms": [1, 2, 3], "first_response_ms": [3, 2, 1], "peak_mib": [7, 7, 7]},
        {"name": "python", "description": "<slow>", "init_ms": [80, 90, 70], "first_response_ms": [20] * 3, "peak_mib": [70] * 3},
    ],
    "limited": [
        {"name": name, "memory_mb": size, "first_response_ms": [size / 100] * 3}
        for size in (128, 256)
        for name in ("function", "python")
    ],
}


@pytest.fixture
def result():
    return report.report(json.loads(json.dumps(MEASUREMENTS)))


def test_cold_start_is_the_sum_of_each_round(result):
    assert result["candidates"]["function"]["cold_start_ms"]["median"] == 4


def test_ratio_is_the_median_of_each_rounds_ratio(result):
    assert result["candidates"]["python"]["ratios"]["init_ms"]["median"] == 45  # 80, 45 and 23.3


def test_tables_have_a_row_for_each_figure_and_size(result):
    text = report.markdown(result)

    assert "| cold start: both, ms | 4.00 (4.00–4.00) | 100 (95.0–105) |" in text
    assert "| 256 MB | 2.56 (2.56–2.56) | 2.56 (2.56–2.56) |" in text


def test_picture_is_svg_with_a_bar_for_each_phase(result):
    bars = xml.etree.ElementTree.fromstring(report.svg(result)).findall("{*}rect[@fill]")

    assert [int(bar.get("width")) for bar in bars] == [8, 8, 320, 80]


@pytest.mark.parametrize(("value", "kept", "text"), [(1_000, True, ""), (1_001, False, "1 too many"), (800, True, "lower the limit")])
def test_limit_may_be_reached_but_not_exceeded(capsys, value, kept, text):
    assert check_size.check("zip_bytes", value, 1_000) is kept
    assert text in capsys.readouterr().out


@pytest.mark.parametrize(("instructions", "code"), [(1, 0), (10**9, 1)])
def test_any_limit_that_is_exceeded_fails(tmp_path, instructions, code):
    zip_file = tmp_path / "function.zip"
    zip_file.write_bytes(b"zip")
    counted = {"init_instructions": 1, "first_response_instructions": instructions}
    command = [sys.executable, ROOT / "dev/bench/check_size.py", zip_file, "x86_64"]
    done = subprocess.run(command, input=json.dumps(counted), capture_output=True, text=True)

    assert done.returncode == code, done.stderr
    assert f"first_response_instructions: {instructions:,}, limit " in done.stdout
