"""Training on exact gradients from the command line, and what its networks do in Python."""

import gzip
import json

import nir
import numpy as np
import pytest
import saltus
from conftest import ROOT, SAMPLES
from test_cli import saltus as run

MNIST = SAMPLES / "mnist"
DURATION = 0.06
TAU_M, TAU = 20e-3, 5e-3
ENDLESS = 1e30
SAMPLE = (np.array([0.010, 0.013, 0.016, 0.023, 0.027]), np.array([4, 0, 1, 2, 3]))
BIAS = 4  # the input of Yin-Yang that comes at 10 ms in every sample


def leaky(x, tau_m):
    return (np.exp(-x / tau_m) - np.exp(-x / TAU)) * TAU / (tau_m - TAU)


# What an arrival of weight 1 does to V, x later: Goltz 2021, Comsa 2020, Mostafa 2017, Zhang 2020.
RESPONSES = {
    "lif": (TAU_M, TAU, lambda x: leaky(x, TAU_M)),
    "lif_once": (TAU_M, TAU, lambda x: leaky(x, TAU_M)),
    "lif_equal_once": (TAU, TAU, lambda x: x / TAU * np.exp(-x / TAU)),
    "lif_double_once": (2 * TAU, TAU, lambda x: leaky(x, 2 * TAU)),
    "if_once": (ENDLESS, TAU, lambda x: -np.expm1(-x / TAU)),
    "linear_once": (ENDLESS, ENDLESS, lambda x: x / TAU),
}


def trained(folder, *options):
    """The file, and the log."""
    out = folder / "net.nir"
    stdout, _ = run("train", "exact", "yin-yang", "-o", out, "--hidden", "12", "-q", "--json", *options)
    return out, json.loads(stdout)["log"]


def input_weights(path):
    """Of the hidden neurons, [neuron, input]."""
    (weights,) = (
        node.weight
        for node in nir.read(path).nodes.values()
        if getattr(node, "weight", None) is not None and node.weight.shape == (12, 5)
    )
    return weights


@pytest.mark.parametrize("name", RESPONSES)
def test_networks_of_each_kind_of_neuron_learn(name, tmp_path):
    _, log = trained(tmp_path, "--neuron", name, "--epochs", "5", "--learning-rate", "0.02")
    losses = [record["training"]["loss"] for record in log]
    assert losses[-1] < 0.8 * losses[0]  # from 0.49 (tau_m = 2 tau_syn) to 0.77


@pytest.mark.parametrize("name", RESPONSES)
def test_a_neuron_fires_when_the_formula_of_its_rule_says_and_once_if_its_name_says_so(name, tmp_path):
    path, _ = trained(tmp_path, "--neuron", name, "--initial", "5,5", "--epochs", "1", "-d", "60ms")
    tau_m, tau_syn, response = RESPONSES[name]
    for layer in ("hidden1", "output"):
        node = nir.read(path).nodes[layer]
        assert np.all(node.tau_mem == tau_m)
        assert np.all(node.tau_syn == tau_syn)

    out = saltus.simulate(saltus.load(path), {"input": SAMPLE}, duration=DURATION)
    counts = np.bincount(np.concatenate([out.spikes["hidden1"].neurons, 12 + out.spikes["output"].neurons]))
    assert counts.max() > 1 if name == "lif" else counts.max() == 1
    weights = input_weights(path)
    times, inputs = SAMPLE
    neurons, first = np.unique(out.spikes["hidden1"].neurons, return_index=True)
    assert len(neurons) > 6
    for neuron, t in zip(neurons, out.spikes["hidden1"].times[first], strict=True):
        causal = times < t
        potential = weights[neuron, inputs[causal]] @ response(t - times[causal])
        assert potential == pytest.approx(1.0, abs=1e-9)


RAMPS = ("--neuron", "ramp_once", "--window", "30ms", "-d", "180ms", "--tau-0", "3ms", "--alpha", "0")


def test_neurons_that_fire_on_ramps_do_so_when_rectified_linear_units_say(tmp_path):
    path, log = trained(tmp_path, *RAMPS, "--epochs", "5", "--learning-rate", "0.01")
    losses = [record["training"]["loss"] for record in log]
    assert losses[-1] < 0.8 * losses[0]
    stages = {
        node.weight.shape: node.weight for node in nir.read(path).nodes.values() if hasattr(node, "weight")
    }
    hidden, output = stages[(12, 5)], stages[(3, 12)]
    out = saltus.simulate(saltus.load(path), {"input": SAMPLE}, duration=0.18)
    times, inputs = SAMPLE
    active = np.zeros(5)
    active[inputs] = 30e-3 - times
    for name, weights, start, threshold, length in (
        ("hidden1", hidden, 30e-3, 1.0, 1.0),
        ("output", output, 60e-3, 2.0, 4.0),
    ):
        potential = weights @ active / 30e-3
        fires = potential > threshold - length
        assert np.count_nonzero(fires) > 0
        spikes = out.spikes[name]
        assert sorted(spikes.neurons) == list(np.flatnonzero(fires))
        wait = 30e-3 * np.maximum(0.0, threshold - potential[spikes.neurons])
        assert spikes.times == pytest.approx(start + wait, abs=1e-13)
        active = np.zeros(len(weights))
        active[spikes.neurons] = start + 30e-3 - spikes.times


@pytest.mark.parametrize("name", ["lif", "lif_double_once", "ramp_once"])
def test_a_trained_network_decides_as_its_training_has_measured(name, tmp_path):
    options = ("--neuron", name, "--epochs", "10", "--validation", "1000", "--last-epoch")
    if name == "ramp_once":
        options += (*RAMPS[2:], "--learning-rate", "0.01")
    path, log = trained(tmp_path, *options)
    stdout, _ = run("evaluate", path, "yin-yang", "--split", "train", "--json", "-q")
    decisions = json.loads(stdout)["decisions"][-1000:]
    right = np.mean([decision["decided"] == decision["label"] for decision in decisions])
    assert right == log[-1]["validation"]["accuracy"]
    assert right > 0.55
    in_python = saltus.evaluate(saltus.load(path), "yin-yang", split="train").decisions[-1000:]
    assert [d.decided for d in in_python] == [decision["decided"] for decision in decisions]


def test_a_convolutional_network_decides_as_its_training_has_measured_and_goes_on(tmp_path):
    options = ("--loss", "mean_potential", "--decay", "20ms", "-d", "40ms", "--gain", "10", "--slot", "1ms")
    options += ("--slots", "20", "--learning-rate", "0.02", "--batch", "10", "-q", "--json", "--last-epoch")
    new = ("--neuron", "lif_double_once", "--tau-syn", "10ms", "--hidden", "4c5,p2,8c5,p2")
    path = tmp_path / "net.nir"
    stdout, _ = run("train", "exact", MNIST, "--split", "test", "-o", path, "--epochs", "4", *options, *new)
    log = json.loads(stdout)["log"]
    assert log[-1]["training"]["loss"] < 0.8 * log[0]["training"]["loss"]
    shapes = [n.weight.shape for n in nir.read(path).nodes.values() if isinstance(n, nir.Conv2d)]
    assert sorted(shapes) == [(4, 1, 5, 5), (8, 4, 5, 5)]
    stdout, _ = run("evaluate", path, MNIST, "--split", "test", "--json", "-q")
    decisions = json.loads(stdout)["decisions"]
    held_back = log[-1]["validation"]["samples"]
    right = sum(d["decided"] == d["label"] for d in decisions[-held_back:])
    assert right == log[-1]["validation"]["correct"]
    result = saltus.train.exact(
        None,
        MNIST,
        split="test",
        hidden=("4c5", "p2", "8c5", "p2"),
        neuron="lif_double_once",
        tau_syn=10e-3,
        loss="mean_potential",
        decay=20e-3,
        duration=40e-3,
        gain=10,
        slot=1e-3,
        slots=20,
        learning_rate=0.02,
        batch=10,
        epochs=4,
        keep_best=False,
    )
    assert [record["training"] for record in result.log] == [record["training"] for record in log]
    stdout, _ = run(
        *("train", "exact", MNIST, "--split", "test", "-o", tmp_path / "b.nir", "--epochs", "1"),
        *("--network", path, *options),
    )
    assert json.loads(stdout)["log"][0]["training"]["loss"] < log[-1]["training"]["loss"]


@pytest.mark.parametrize(("name", "correct"), [("mnist.nir", 496), ("mnist_ramps.nir", 498)])
def test_the_convolutional_networks_of_the_house_decide_as_their_notes_say(name, correct):
    stdout, _ = run("evaluate", ROOT / "datasets" / "exact_gradients" / name, MNIST, "--json", "-q")
    result = json.loads(stdout)
    assert (result["correct"], result["samples"]) == (correct, 500)


def test_a_convolutional_network_on_ramps_decides_as_the_exact_clock_does(tmp_path):
    path = tmp_path / "net.nir"
    options = (
        "--neuron",
        "ramp_once",
        "-d",
        "160ms",
        "--slot",
        "1ms",
        "--slots",
        "20",
        "--hidden",
        "4c5,p2,8c5,p2,16",
    )
    options += (
        "--epochs",
        "4",
        "--batch",
        "10",
        "--tau-0",
        "2ms",
        "--alpha",
        "0",
        "--learning-rate",
        "0.005",
    )
    stdout, _ = run(
        "train", "exact", MNIST, "--split", "test", "-o", path, *options, "-q", "--json", "--last-epoch"
    )
    log = json.loads(stdout)["log"]
    assert log[-1]["training"]["loss"] < 0.7 * log[0]["training"]["loss"]
    stdout, _ = run("evaluate", path, MNIST, "--split", "test", "--json", "-q")
    decisions = json.loads(stdout)["decisions"]
    held_back = log[-1]["validation"]["samples"]
    right = sum(d["decided"] == d["label"] for d in decisions[-held_back:])
    assert right == log[-1]["validation"]["correct"]
    net = saltus.load(path)
    with gzip.open(MNIST / "t10k-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)
    for image, decision in zip(images[:5], decisions, strict=False):
        slots = (255 - image.astype(int)) * 20 // 255
        (pixels,) = np.nonzero(slots < 20)
        out = saltus.simulate(net, {"input": (1e-3 * slots[pixels], pixels)}, duration=0.16).spikes["output"]
        assert out.neurons[np.argmin(out.ticks)] == decision["decided"]


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        ((), {}),
        (
            ("--neuron", "ramp_once", "--window", "30ms", "-d", "180ms"),
            {"neuron": "ramp_once", "window": 30e-3, "duration": 0.18},
        ),
        (("--neuron", "linear_once", "--inputs", "4"), {"neuron": "linear_once", "inputs": 4}),
        (
            ("--inputs", "3", "--learn-delays", "--initial-delay", "5ms", "--neuron", "lif_double_once"),
            {"inputs": 3, "learn_delays": True, "initial_delay": 5e-3, "neuron": "lif_double_once"},
        ),
        (
            ("--loss", "mean_potential", "--upper-rate", "1", "--rate-strength", "0.1"),
            {"loss": "mean_potential", "upper_rate": 1.0, "rate_strength": 0.1},
        ),
    ],
)
def test_the_package_and_the_command_train_to_the_same_bits(options, arguments, tmp_path):
    path, log = trained(tmp_path, "--epochs", "2", *options)
    result = saltus.train.exact(None, "yin-yang", hidden=(12,), epochs=2, **arguments)
    saltus.save(result.network, tmp_path / "package.nir")
    for record in (*log, *result.log):
        del record["seconds"]
    assert result.log == log
    once = [
        saltus.evaluate(saltus.load(tmp_path / name), "yin-yang", split="test")
        for name in (path.name, "package.nir")
    ]
    assert once[0].decisions == once[1].decisions
    assert 0 < once[0].correct < once[0].samples
    further = saltus.train.exact(
        result.network,
        "yin-yang",
        epochs=1,
        loss=arguments.get("loss", "first_spike_gap"),
        duration=arguments.get("duration", 0.06),
    )
    assert len(further.log) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"neuron": "lif_onse"}, "Did you mean 'lif_once'"),
        ({"inputs": 6}, "inputs: expected 1 to 5, as many as a sample has, found 6."),
        ({"lower_rate": 2.0, "upper_rate": 1.0}, "no less than its lower end, 2, found 1."),
        ({"tau_m": -1.0}, "tau_m"),
        ({"learning_rate": 0.0}, "learning rate: expected > 0"),
    ],
)
def test_arguments_that_mean_nothing_are_refused_by_name(arguments, message):
    with pytest.raises(saltus.errors.Error, match=message):
        saltus.train.exact(None, "yin-yang", epochs=1, **arguments)


def test_arguments_of_a_new_network_are_refused_beside_one():
    net = saltus.train.exact(None, "yin-yang", hidden=(5,), epochs=1).network
    with pytest.raises(saltus.UsageError, match="neuron: it describes a new network"):
        saltus.train.exact(net, "yin-yang", epochs=1, neuron="if_once")


@pytest.mark.parametrize("delays", [(), ("--learn-delays", "--initial-delay", "5ms")])
def test_inputs_that_are_left_out_have_no_synapses(delays, tmp_path):
    few, log_of_few = trained(tmp_path, "--inputs", "4", "--epochs", "2", *delays)
    times, neurons = SAMPLE
    spikes = []
    for kept in (neurons >= 0, neurons != BIAS):
        out = saltus.simulate(saltus.load(few), {"input": (times[kept], neurons[kept])}, duration=DURATION)
        spikes.append(
            [
                (out.spikes[name].ticks.tolist(), out.spikes[name].neurons.tolist())
                for name in ("hidden1", "output")
            ]
        )
    assert spikes[0] == spikes[1]
    assert len(spikes[0][0][0]) > 0
    _, log_of_five = trained(tmp_path, "--inputs", "5", "--epochs", "2", *delays)
    _, log_of_all = trained(tmp_path, "--epochs", "2", *delays)
    losses = [[record["training"]["loss"] for record in log] for log in (log_of_few, log_of_five, log_of_all)]
    assert losses[1] == pytest.approx(losses[2], rel=1e-9)  # other sums of the same terms
    assert losses[0] != pytest.approx(losses[2], rel=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--neuron", "lif_twice"), "neuron: expected one of lif, lif_once, "),
        (("--neuron", "linear_onse"), "Did you mean 'linear_once'"),
        (
            ("--neuron", "ramp_once"),
            "duration: expected at least 0.12 s, the end of the window of the outputs",
        ),
        (("--neuron", "ramp_once", "--window", "0ms"), "window: expected > 0"),
        (
            ("--neuron", "ramp_once", "-d", "200ms", "--learn-delays"),
            "learn delays: expected neurons other than ramp_once",
        ),
        (("--inputs", "6"), "inputs: expected 1 to 5, as many as a sample has, found 6."),
        (("--inputs", "0"), "inputs: expected 1 to 5, as many as a sample has, found 0."),
        (("--inputs", "-1"), "--inputs"),
        (("--loss", "mse"), "loss: expected one of first_spike_cross_entropy, "),
        (("--hidden", "4c3"), "a convolution of width 3 (at least 1) needs (channels, rows, columns)"),
        (("--hidden", "4q3"), "expected neurons (400), channels and width of a convolution (16c5)"),
        (("--lower-rate", "2", "--upper-rate", "1"), "no less than its lower end, 2, found 1."),
    ],
)
def test_options_that_mean_nothing_are_refused_by_name(options, message, tmp_path):
    arguments = ("train", "exact", "yin-yang", "-o", tmp_path / "net.nir", "--epochs", "1", *options)
    _, error = run(*arguments, code=2)
    assert message in error
    assert not (tmp_path / "net.nir").exists()


@pytest.mark.parametrize(
    "option",
    [("--neuron", "lif"), ("--inputs", "4"), ("--hidden", "12"), ("--initial", "1,1"), ("--window", "1ms")],
)
def test_what_describes_a_new_network_is_refused_beside_one_to_begin_with(option, tmp_path):
    path, _ = trained(tmp_path, "--epochs", "1")
    _, error = run("train", "exact", "yin-yang", "-o", tmp_path / "b.nir", "--network", path, *option, code=2)
    assert f"--network excludes {option[0]}" in error
