"""The stepped clock from Python: what tools computed, batches, networks built in code, refusals."""

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import saltus
from conftest import NIR_FILES

NORSE = NIR_FILES / "norse" / "lif_chain"


def golden(case: Path, run: str = "imported"):
    """The input of a case, and spikes and potentials of its neurons."""
    with h5py.File(case / "run.h5") as file:
        nodes = file[f"runs/{run}/nodes"]
        neurons = {
            name: (nodes[name]["spikes"][:], nodes[name]["v"][:]) for name in nodes if "v" in nodes[name]
        }
        return file["input"][:], neurons


@pytest.mark.parametrize(
    ("case", "convention", "dt"),
    [
        ("norse/conv_if_sumpool", "norse", 1e-3),
        ("norse/skip_join", "norse", 1e-3),
        ("sinabs/conv_iaf_sumpool", "sinabs", None),
        ("spikingjelly/lif_v_reset", "spikingjelly", 1e-4),
        ("snntorch/leaky_chain", "snntorch", None),
    ],
)
def test_rasters_and_potentials_are_those_of_the_tool(case, convention, dt):
    raster, neurons = golden(NIR_FILES / case)
    net = saltus.load(NIR_FILES / case / "network.nir")
    (source,) = (p.name for p in net.populations if p.model == "Input")
    out = saltus.simulate(
        net,
        {source: raster},
        clock="stepped",
        convention=convention,
        dt=dt,
        record=("spikes", "potentials"),
    )
    step = out.duration / len(raster)
    assert out.potential_times == pytest.approx(np.arange(len(raster)) * step)
    for name, (spikes, v) in neurons.items():
        np.testing.assert_array_equal(out.raster(name, dt=step), spikes)
        assert out.potentials[name].shape == v.shape
        np.testing.assert_allclose(out.potentials[name], v, rtol=0, atol=1e-5 * np.abs(v).max())


def test_a_convention_that_nobody_says_is_guessed_and_told():
    net = saltus.load(NORSE / "network.nir")
    out = saltus.simulate(net, {}, 0.01, clock="stepped")
    assert any("'norse' guessed" in note for note in out.notes)
    assert saltus.simulate(net, {}, 0.01, clock="stepped", convention="norse").notes == []


def test_samples_are_runs_of_their_own_on_any_number_of_threads():
    net = saltus.load(NORSE / "network.nir")
    rng = np.random.default_rng(7)
    samples = [{"input": rng.random((50, 8)) * 2.0} for _ in range(5)]
    alone = [saltus.simulate(net, sample, clock="stepped") for sample in samples]
    assert len({out.fingerprint for out in alone}) > 1
    for threads in (1, 3):
        together = saltus.simulate(net, samples, clock="stepped", threads=threads)
        assert [out.fingerprint for out in together] == [out.fingerprint for out in alone]


def test_spike_trains_fall_into_steps_and_equal_a_raster():
    net = saltus.load(NORSE / "network.nir")
    times, neurons = [0.0, 0.0021, 0.0029, 0.003], [1, 2, 2, 0]
    raster = np.zeros((5, 8))
    raster[0, 1], raster[2, 2], raster[3, 0] = 1, 2, 1
    trains = saltus.simulate(
        net, {"input": (times, neurons)}, 0.005, clock="stepped", dt=1e-3, record="potentials"
    )
    as_raster = saltus.simulate(net, {"input": raster}, clock="stepped", dt=1e-3, record="potentials")
    np.testing.assert_array_equal(trains.potentials["1"], as_raster.potentials["1"])
    assert trains.spike_counts["input"] == 4


def test_a_file_of_ones_own_is_a_convention(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"like": "norse", "dt": "0.5ms", "LIF": {"reset": "subtract"}}))
    net = saltus.load(NORSE / "network.nir")
    raster, _ = golden(NORSE)
    mine = saltus.simulate(net, {"input": raster}, clock="stepped", convention=str(path))
    assert mine.duration == pytest.approx(0.1)
    norse = saltus.simulate(
        net, {"input": raster}, clock="stepped", convention="norse", dt=5e-4, reset="subtract"
    )
    assert mine.fingerprint == norse.fingerprint
    path.write_text('{"LIF": {"fires": "always"}}')
    with pytest.raises(saltus.FileError, match=r"LIF\.fires: expected one of above, at_threshold"):
        saltus.simulate(net, {}, 0.01, clock="stepped", convention=str(path))


def test_a_network_built_in_code_has_the_spikes_of_the_exact_clock_where_all_times_lie_on_the_grid():
    build = saltus.NetworkBuilder(seed=1)
    build.input("in", 3)
    build.population("n", 2, "lif_delta", tau_m=10e-3, E_L=0.0, V_th=1.0, V_reset=0.0, t_ref=2e-3, V_0=0.0)
    build.connect("in", "n", pre=[0, 1, 2], post=[0, 0, 1], weight=0.7, delay=1e-3)
    net = build.network()
    spikes = ([0.001, 0.002, 0.003, 0.008, 0.009], [0, 1, 0, 1, 0])
    exact = saltus.simulate(net, {"in": spikes}, 0.02)
    for convention in ("nir", "nest"):
        grid = saltus.simulate(net, {"in": spikes}, 0.02, clock="stepped", convention=convention, dt=1e-3)
        assert grid.spikes == exact.spikes
    assert len(exact.spikes["n"]) == 2


@pytest.mark.parametrize(
    ("choices", "error", "words"),
    [
        ({"convention": "jaxsnn"}, saltus.LimitError, "the tool has no steps"),
        ({"convention": "sinabs", "spike_area": "jump"}, saltus.UsageError, "spike area"),
        ({"convention": "norse", "t_ref": 1e-3}, saltus.NetworkError, "no refractory period"),
        ({"convention": "nengo"}, saltus.NetworkError, "one value for the whole population"),
        ({"checkpoint": "run.checkpoint"}, saltus.LimitError, "stepped clock writes none"),
    ],
)
def test_what_the_stepped_clock_or_a_tool_cannot_do_is_refused_by_name(choices, error, words):
    net = saltus.load(NORSE / "network.nir")
    with pytest.raises(error, match=words):
        saltus.simulate(net, {}, 0.01, clock="stepped", **choices)


def test_inputs_are_checked():
    net = saltus.load(NORSE / "network.nir")
    with pytest.raises(saltus.InputError, match=r"shape \(steps, 8\)"):
        saltus.simulate(net, {"input": np.zeros((3, 7))}, clock="stepped")
    with pytest.raises(saltus.InputError, match="finite"):
        saltus.simulate(net, {"input": np.full((3, 8), np.nan)}, clock="stepped")
    with pytest.raises(saltus.InputError, match="no input of this name"):
        saltus.simulate(net, {"1": ([0.0], [0])}, 0.01, clock="stepped")
    with pytest.raises(saltus.UsageError, match="duration: none given"):
        saltus.simulate(net, {"input": ([0.0], [0])}, clock="stepped")
