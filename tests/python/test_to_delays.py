"""What was trained in steps of time, as neurons and synapses with delays: command line and package."""

import json
import re

import h5py
import numpy as np
import pytest
import saltus
from conftest import NIR_FILES
from test_cli import saltus as run
from test_train_surrogate import spikes, train  # noqa: F401  (a fixture)

LAYERS = "conv 6 kernel=3 padding=2 name=a; dense 5 recurrent name=b; readout mean"
DT = 2e-3


@pytest.fixture(scope="module")
def trained(spikes, tmp_path_factory):  # noqa: F811
    path = tmp_path_factory.mktemp("trained") / "trained.nir"
    train(spikes, path, "--layers", LAYERS, "--epochs", "2", "--frames", "20")
    return path


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    path = tmp_path_factory.mktemp("sample") / "sample.h5"
    random = np.random.default_rng(4)
    step, neuron = np.nonzero(random.random((20, 10)) < 0.4)
    saltus.write_spikes(path, {"input": (step * DT, neuron)})
    return path


def test_the_command_writes_delays_and_says_how_many_spikes_part_the_clocks(trained, sample, tmp_path):
    _, stderr = run("convert", trained, tmp_path / "delays.nir", "--to-delays", "-i", sample)
    told = re.findall(
        r"'(\w+)': (\d+) spikes of the trainer; exact clock (\d+) others, stepped clock (\d+) others", stderr
    )
    assert [name for name, *_ in told] == ["a", "b"]
    for _, count, exact, stepped in told:
        assert int(count) > 0
        assert exact == stepped == "0"
    for ending in (".nir", ".nir.json"):
        run("convert", trained, tmp_path / f"same{ending}", "--to-delays", "-q")
    stdout, _ = run("inspect", tmp_path / "same.nir.json")
    assert "none but by synapses" in stdout
    assert "Delay" in stdout


@pytest.mark.parametrize("clock", [("--clock", "exact"), ("--clock", "stepped")])
def test_the_file_runs_without_a_word_on_its_convention(clock, trained, sample, tmp_path):
    run("convert", trained, tmp_path / "delays.nir", "--to-delays", "-q")
    out = tmp_path / "out.h5"
    stdout, stderr = run(
        "run", tmp_path / "delays.nir", "-i", sample, "-d", "50ms", "-o", out, "--json", *clock
    )
    assert "s2net" in stderr
    assert json.loads(stdout)["spikes"] > 0
    with h5py.File(out) as file:
        times = file["spikes/a/timestamps"][()] / 1e3 / DT
    np.testing.assert_allclose(times, np.round(times), atol=1e-9)


def test_the_package_makes_the_same_network_with_the_same_spikes_on_both_clocks(trained, sample, tmp_path):
    run("convert", trained, tmp_path / "delays.nir", "--to-delays", "-q")
    net = saltus.load(trained).to_delays()
    saltus.save(net, tmp_path / "again.nir")
    again, delays = (saltus.load(tmp_path / name)._as_document() for name in ("again.nir", "delays.nir"))
    assert again == delays
    assert net.outputs == {"output": "readout"}
    assert any("in the trainer" in note for note in net.notes)
    inputs = saltus.load(sample)
    exact = saltus.simulate(net, inputs, duration=0.048)
    stepped = saltus.simulate(net, inputs, duration=0.05, clock="stepped")
    for name in ("a", "b"):
        assert len(exact.spikes[name].times) > 0
        np.testing.assert_array_equal(exact.spikes[name].ticks, stepped.spikes[name].ticks)
        np.testing.assert_array_equal(exact.spikes[name].neurons, stepped.spikes[name].neurons)


def test_for_norse_delays_are_chains_of_neurons(trained, tmp_path):
    _, stderr = run("convert", trained, tmp_path / "norse.nir", "--to-delays", "--tool", "norse")
    assert "delay line" in stderr
    net = saltus.load(tmp_path / "norse.nir")
    assert net.populations[1] == saltus.Population("a_line", (30,), "CubaLIF")
    kinds = {kind for projection in net.projections for _, kind in projection.stages}
    assert kinds == {"Linear", "Affine"}


def test_what_is_no_trained_network_is_refused(tmp_path):
    plain = NIR_FILES / "paper" / "two_lif_neurons.nir"
    _, stderr = run("convert", plain, tmp_path / "a.nir", "--to-delays", code=3)
    assert "saltus train surrogate" in stderr
    with pytest.raises(saltus.UsageError, match="trained in steps of time"):
        saltus.load(plain).to_delays()
    build = saltus.NetworkBuilder()
    build.input("in", 1)
    with pytest.raises(saltus.UsageError, match="trained in steps of time"):
        build.network().to_delays()


def test_wrong_words_are_refused_before_anything_is_written(trained, sample, tmp_path):
    for arguments in (
        ("--tool", "norse"),
        ("--to-delays", "--tool", "snntorch"),
        ("--to-delays", "--tool", "norse", "-i", sample),
    ):
        run("convert", trained, tmp_path / "a.nir", *arguments, code=2)
    run("convert", trained, tmp_path / "a_circuit_config.json", "--to-delays", code=2)
    assert not any(tmp_path.iterdir())
    with pytest.raises(saltus.UsageError, match="norse"):
        saltus.load(trained).to_delays(tool="sinabs")


def test_a_layer_that_no_delay_can_stand_for_is_named(spikes, tmp_path):  # noqa: F811
    layers = "conv 4 kernel=3 stride=2 name=halved; readout mean"
    train(spikes, tmp_path / "a.nir", "--layers", layers, "--epochs", "1", "--frames", "20")
    _, stderr = run("convert", tmp_path / "a.nir", tmp_path / "b.nir", "--to-delays", code=4)
    assert "halved" in stderr
    assert "stride" in stderr
    assert not (tmp_path / "b.nir").exists()
    with pytest.raises(saltus.NetworkError, match="halved"):
        saltus.load(tmp_path / "a.nir").to_delays()
