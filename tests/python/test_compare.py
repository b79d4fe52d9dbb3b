"""saltus.compare and saltus.inspect: where clocks and conventions part, and what a file tells about them."""

import json

import h5py
import numpy as np
import pytest
import saltus
from conftest import NIR_FILES, ROOT

LIF = NIR_FILES / "paper" / "lif_norse.nir"


@pytest.fixture
def pulses():
    """The input of the published traces of one LIF neuron, steps of 0.1 ms."""
    with h5py.File(NIR_FILES / "paper" / "lif_traces.h5") as file:
        steps = np.flatnonzero(file["norse/input"][:])
    return {"input": (steps * 1e-4, np.zeros(len(steps), int))}


def test_runs_are_held_against_the_first(pulses):
    both = saltus.compare(
        saltus.load(LIF), pulses, 0.1, runs=["stepped:norse", "stepped:snntorch", "exact:norse"], dt=1e-4
    )
    assert list(both.results) == ["stepped:norse", "stepped:snntorch", "exact:norse"]
    assert [result.spike_counts["1"] for result in both.results.values()] == [4, 4, 4]
    alike, exact = both.populations
    assert alike[:8] == ("1", "stepped:snntorch", 4, pytest.approx(40.0), 4, 0, 0, 0.0)
    assert (alike.victor_purpura, alike.first_difference) == (0.0, None)
    # An impulse of area dt lets the neuron fire at 45 and 50 ms, a pulse dt wide at 46 and 51 ms.
    first = exact.first_difference
    assert (first.time, first.neuron, first.only_in) == (0.045, 0, "exact:norse")
    assert first.potential == 0.0  # it has just been reset
    assert 0.09 < first.potential_of_first < 0.1
    assert exact.victor_purpura == pytest.approx(0.2)  # two spikes, 1 ms each, at 10 ms


def test_the_first_difference_has_the_potentials_of_both_runs():
    net = saltus.load(NIR_FILES / "norse" / "skip_join" / "network.nir")
    raster = (np.arange(400).reshape(50, 8) % 7 == 0).astype(float)
    choices = {"dt": 1e-3}
    both = saltus.compare(net, {"input": raster}, runs=["stepped:norse", "stepped:nir"], **choices)
    differs = next(entry for entry in both.populations if entry.first_difference)
    first = differs.first_difference
    for name, value in (("stepped:norse", first.potential_of_first), ("stepped:nir", first.potential)):
        out = both.results[name]
        assert out.potentials[differs.population][round(first.time / 1e-3), first.neuron] == value
    alone = saltus.simulate(net, {"input": raster}, clock="stepped", convention="norse", **choices)
    assert both.results["stepped:norse"].fingerprint == alone.fingerprint


def test_a_tolerance_decides_which_spikes_are_the_same(pulses):
    runs = ["stepped:norse", "exact:norse"]
    net = saltus.load(LIF)
    for tolerance, same in ((0.9e-3, 2), (1.1e-3, 4)):
        (entry,) = saltus.compare(net, pulses, 0.1, runs=runs, dt=1e-4, tolerance=tolerance).populations
        assert (entry.same, entry.only_in_first, entry.only_here) == (same, 4 - same, 4 - same)


def test_a_convention_of_ones_own_is_compared_like_any_other(pulses, tmp_path):
    mine = tmp_path / "mine.json"
    mine.write_text(json.dumps({"like": "norse", "LIF": {"input_gain": 2.0}}))
    net = saltus.load(LIF)
    runs = ["stepped:norse", f"stepped:{mine}"]
    (entry,) = saltus.compare(net, pulses, 0.1, runs=runs, dt=1e-4).populations
    assert entry.only_here > 0
    with pytest.raises(saltus.FileError, match="no such file"):
        saltus.compare(net, pulses, 0.1, runs=["stepped:norse", "stepped:none.json"])


@pytest.mark.parametrize(
    ("runs", "error", "words"),
    [
        (["exact"], saltus.UsageError, "at least two"),
        (["exact", "exact"], saltus.UsageError, "at least two that differ"),
        (["exact", "walked:norse"], saltus.UsageError, "found 'walked:norse'"),
        (["exact", "stepped:norsk"], saltus.UsageError, "Did you mean 'norse'"),
        (["exact", "stepped:lava-dl"], saltus.LimitError, "stepped:lava-dl: node '1': 'lava-dl' has no LIF"),
    ],
)
def test_runs_that_cannot_be_are_refused_by_name(pulses, runs, error, words):
    with pytest.raises(error, match=words):
        saltus.compare(saltus.load(LIF), pulses, 0.1, runs=runs)


def test_inspect_tells_the_tool_who_can_run_the_file_and_the_traps():
    found = saltus.inspect(saltus.load(NIR_FILES / "norse" / "recurrent_cubalif" / "network.nir"))
    assert (found.convention, found.dt, found.told) == ("norse", 1e-3, False)
    assert "CubaLIF" in found.reason
    refusals = {tool.convention: tool.refusal for tool in found.tools}
    assert refusals["norse"] is None
    assert "has no CubaLIF" in refusals["sinabs"]
    assert any("closes a cycle" in trap for trap in found.traps)
    assert "this cycle has no delay" in found.refusal
    chain = saltus.inspect(saltus.load(NIR_FILES / "sinabs" / "lif_chain" / "network.nir"))
    assert (chain.convention, chain.refusal) == ("sinabs", None)
    assert any("constant current" in trap for trap in chain.traps)  # its biases
    delayed = saltus.inspect(saltus.load(NIR_FILES / "package" / "cycle_with_delay.nir"))
    assert any("no importer of a tool that steps maps it" in trap for trap in delayed.traps)


RECORDINGS = ROOT / "datasets" / "samples" / "n-mnist"


def test_decisions_on_a_data_set_are_those_of_the_clock_and_tool():
    net = saltus.load(ROOT / "datasets" / "samples" / "cnn_nmnist" / "cnn_sinabs.nir")
    both = saltus.compare(net, dataset=RECORDINGS, runs=["stepped:norse", "stepped:sinabs"], dt=1e-3)
    # Right as torch_stepped.py in tests/benchmarks/n_mnist has it; who is always right decides as the label.
    assert both.decisions == [("stepped:norse", 60, 60, 60), ("stepped:sinabs", 60, 57, 57)]
    assert (both.results, both.populations) == ({}, [])
    alone = saltus.evaluate(net, RECORDINGS, clock="stepped", convention="sinabs", dt=1e-3)
    assert both.evaluations["stepped:sinabs"].decisions == alone.decisions


def test_inputs_and_a_data_set_are_compared_in_one_call():
    net = saltus.load(ROOT / "datasets" / "samples" / "cnn_nmnist" / "cnn_sinabs.nir")
    runs, threes = ["stepped:norse", "exact:norse"], RECORDINGS / "Test" / "3"
    both = saltus.compare(net, {"input": ([0.001], [0])}, 0.1, dataset=threes, runs=runs, dt=1e-3)
    assert list(both.results) == list(both.evaluations) == runs
    # The first 100 ms of each recording decide: the duration holds for both.
    choices = {"duration": 0.1, "convention": "norse", "dt": 1e-3}
    for name, clock in zip(runs, ("stepped", "exact"), strict=True):
        alone = saltus.evaluate(net, threes, clock=clock, **choices)
        assert both.evaluations[name].decisions == alone.decisions


def test_what_there_is_to_run_on_is_asked_for():
    net = saltus.load(LIF)
    with pytest.raises(saltus.UsageError, match="inputs or a dataset"):
        saltus.compare(net)
    with pytest.raises(saltus.UsageError, match="belong to a dataset"):
        saltus.compare(net, {}, 0.1, split="test")
    with pytest.raises(saltus.LimitError, match="stepped:lava-dl: node '1': 'lava-dl' has no LIF"):
        saltus.compare(net, dataset=RECORDINGS, runs=["stepped:lava-dl", "exact"])
