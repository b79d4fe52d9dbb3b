"""Malformed files are refused at once, in little memory, by file, node and field."""

import json
import os
import subprocess

import pytest
import saltus
from conftest import NIR_FILES, python_in

# What the error must say, after the name of the file.
EXPECTED = {
    "01_truncated.nir": ["truncated"],
    "02_missing_field.nir": ["'lif'", "'tau'"],
    "03_wrong_shape.nir": ["'lif'", "'v_threshold'", "[3]", "[4]"],
    "04_dangling_edge.nir": ["'lif' -> 'ghost'"],
    "05_unknown_type.nir": ["'lif'", "'LIFX'", "CubaLIF"],
    "06_nan_tau.nir": ["'lif'", "'tau'[1]", "nan"],
    "07_negative_tau.nir": ["'lif'", "'tau'[1]", "-0.01"],
    "08_huge_declared.nir": ["'fc'", "'weight'"],
    "09_external_link.nir": ["'fc'", "'weight'", "another file"],
    "10_soft_link_cycle.nir": ["'a'", "soft link"],
    "11_hard_link_cycle.nir": ["'sub'", "'/node'"],
    "12_compressed_bomb.nir": ["'fc'", "'weight'", "[3, 2]", "[16384, 16384]"],
    "13_duplicate_edge.nir": ["'fc' -> 'lif'", "duplicate"],
    "14_wrong_dtype.nir": ["'lif'", "'tau'", "string"],
    "15_slash_in_edge.nir": ["'sub'"],
}

CODE = """
import json, sys, time
import saltus
begin = time.perf_counter()
try:
    saltus.load(sys.argv[1])
    error = None
except saltus.FileError as caught:
    error = {"text": str(caught), "path": caught.path, "where": caught.where}
seconds = time.perf_counter() - begin
# Not ru_maxrss: that begins with the memory of the process which started this one.
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
mib = int(peak) / 1024
print(json.dumps({"error": error, "seconds": seconds, "mib": mib}))
"""


def answer(path) -> dict:
    run = subprocess.run(python_in(CODE, path), capture_output=True, text=True, timeout=60, check=True)
    assert run.stderr == ""
    return json.loads(run.stdout)


def test_every_hostile_file_is_named_here():
    assert sorted(path.name for path in (NIR_FILES / "hostile").glob("*.nir")) == sorted(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_hostile_file_is_refused_in_under_a_second_and_300_mib(name):
    path = NIR_FILES / "hostile" / name
    found = answer(path)
    assert found["error"] is not None
    assert found["error"]["path"] == str(path)
    assert found["error"]["text"].startswith(str(path))
    assert "\n" not in found["error"]["text"]
    for words in EXPECTED[name]:
        assert words in found["error"]["text"]
    assert found["seconds"] < 1
    assert found["mib"] < 300


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 1_000_000,
        '{"node": {"type": "NIRGraph", "nodes": {}, "edges": []}',
        '{"node": ' * 100_000,
        '{"node": {"type": "NIRGraph", "nodes": {"a": {"type": "I", "r": [NaN]}}, "edges": []}}',
        '{"node": {"type": "NIRGraph", "nodes": {"a": {"type": "I", "r": [[1], [1, 2]]}}, "edges": []}}',
        '{"node": {"type": "I", "r": {"dtype": "float64", "shape": [1000000000000], "data": ""}}}',
        '{"node": {"type": "I", "r": {"dtype": "float64", "shape": [2], "data": "AAAA"}}}',
    ],
    ids=["empty", "open", "deep list", "cut", "deep object", "NaN", "ragged", "huge", "short data"],
)
def test_hostile_json_is_refused_in_under_a_second_and_300_mib(text, tmp_path):
    path = tmp_path / "hostile.nir.json"
    path.write_text(text)
    found = answer(path)
    assert found["error"] is not None
    assert found["error"]["text"].startswith(str(path))
    assert len(found["error"]["text"]) < 1000
    assert found["seconds"] < 1
    assert found["mib"] < 300


def test_a_refused_file_is_closed():
    path = NIR_FILES / "hostile" / "12_compressed_bomb.nir"
    with pytest.raises(saltus.FileError):
        saltus.load(path)
    links = [f"/proc/self/fd/{fd}" for fd in os.listdir("/proc/self/fd")]
    assert str(path) not in [os.readlink(link) for link in links if os.path.islink(link)]
