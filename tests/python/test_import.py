"""Importing is quick and silent."""

import inspect
import subprocess

import saltus
from conftest import ROOT, python_in

CODE = """
import sys, time
begin = time.perf_counter()
import saltus
took = time.perf_counter() - begin
print(took, [name for name in ("numpy", "torch", "nir", "h5py") if name in sys.modules])
"""


def test_import_takes_under_a_fifth_of_a_second_prints_nothing_and_loads_no_other_tool():
    runs = [subprocess.run(python_in(CODE), capture_output=True, text=True, check=True) for _ in range(3)]
    times = []
    for run in runs:
        took, loaded = run.stdout.split(maxsplit=1)
        times.append(float(took))
        assert loaded.strip() == "[]"
        assert run.stderr == ""
    assert min(times) < 0.2


def test_the_version_is_the_one_of_the_project():
    assert f"project(saltus VERSION {saltus.__version__} " in (ROOT / "CMakeLists.txt").read_text()


def test_every_public_name_has_a_docstring():
    public = [getattr(saltus, name) for name in saltus.__all__ if name != "__version__"]
    assert [entry.__name__ for entry in public if not inspect.getdoc(entry)] == []


def test_names_and_order_of_arguments_are_those_that_others_rely_on():
    assert list(inspect.signature(saltus.simulate).parameters)[:10] == [
        "net",
        "inputs",
        "duration",
        "clock",
        "convention",
        "dt",
        "recurrent_delay",
        "threads",
        "record",
        "seed",
    ]
    defaults = {name: p.default for name, p in inspect.signature(saltus.simulate).parameters.items()}
    assert defaults["clock"] == "exact"
    assert defaults["record"] == ("spikes",)
    assert next(iter(inspect.signature(saltus.load).parameters)) == "path"
    assert list(inspect.signature(saltus.save).parameters) == ["net", "path"]
    assert next(iter(inspect.signature(saltus.from_nir).parameters)) == "graph"
