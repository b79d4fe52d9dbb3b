"""Examples in docstrings and in the README run and print what they say."""

import doctest
import inspect
import re
import shutil

import pytest
import saltus
from conftest import NIR_FILES, ROOT, SAMPLES


def examples() -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(recurse=False)
    found = finder.find(saltus, "saltus", globs={"saltus": saltus})
    for name in saltus.__all__:
        entry = getattr(saltus, name)
        found += finder.find(entry, name, globs={"saltus": saltus}, module=False)
        if inspect.isclass(entry):
            for member, value in vars(entry).items():
                if inspect.isfunction(value):
                    found += finder.find(value, f"{name}.{member}", globs={"saltus": saltus}, module=False)
    return [test for test in found if test.examples]


def test_what_people_call_first_has_an_example():
    wanted = {
        "from_nir",
        "load",
        "save",
        "simulate",
        "evaluate",
        "read_spikes",
        "write_spikes",
        "SpikeTrain",
        "Network",
    }
    assert wanted <= {test.name for test in examples()}


@pytest.mark.parametrize("test", examples(), ids=lambda test: test.name)
def test_example_prints_what_it_says(test):
    shutil.copy(NIR_FILES / "paper" / "two_lif_neurons.nir", ".")
    shutil.copy(SAMPLES / "cnn_nmnist" / "cnn_sinabs.nir", ".")
    for digit in "07":
        shutil.copytree(SAMPLES / "n-mnist" / "Test" / digit, f"n-mnist/{digit}")
    output = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=output.append)
    assert runner.failures == 0, "".join(output)


def test_the_python_of_the_readme_runs(tmp_path, capsys):
    (tmp_path / "datasets").symlink_to(ROOT / "datasets")
    (tmp_path / "build").mkdir()
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    exec(compile(code, "README.md", "exec"), {})
    digits = capsys.readouterr().out.splitlines()[0]
    assert digits.startswith("[")
    assert saltus.load("build/cnn.nir.json").outputs
