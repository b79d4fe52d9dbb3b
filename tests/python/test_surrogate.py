"""Training and evaluating networks in discrete time from Python."""

import json
import re

import nir
import numpy as np
import pytest
import saltus
from conftest import assert_same_graph
from test_cli import saltus as run
from test_train_surrogate import parameters, spikes

__all__ = ["spikes"]  # a fixture

LAYERS = "dense 12; dense 8 recurrent; readout mean"
SHORT = {"split": "", "dt": 2e-3, "epochs": 2, "layers": LAYERS}


def parameters_of(net, path="net.nir"):
    saltus.save(net, path)
    return parameters(path)


@pytest.fixture(scope="module")
def arrays(spikes):
    frames = saltus.datasets.frames(spikes, dt=2e-3)
    return frames.batch(), frames.labels


def test_settings_that_the_command_has_give_its_bits(spikes):
    flags = ["--split", "", "--frame", "2ms", "--epochs", "3", "--layers", LAYERS, "--shift", "4ms", "-q"]
    flags += ["--drop", "0.1", "--balanced", "--surrogate", "atan", "--slope", "2", "--scaling", "deviation"]
    log = [line for line in run("train", "surrogate", spikes, "-o", "a.nir", *flags, "--json")]
    result = saltus.train.surrogate(
        None,
        spikes,
        **SHORT | {"epochs": 3},
        shift=4e-3,
        drop=0.1,
        balanced=True,
        surrogate="atan",
        slope=2,
        scaling="deviation",
    )
    assert np.array_equal(parameters("a.nir"), parameters_of(result.network))
    told = json.loads(log[0])
    assert [entry["training"] for entry in told["log"]] == [entry["training"] for entry in result.log]
    assert result.figures == {name: told[name] for name in result.figures}
    assert set(result.figures) == {"parameters", "balanced_accuracy", "spikes_per_neuron_and_step"}


def test_defaults_are_those_of_the_command(spikes):
    run("train", "surrogate", spikes, "-o", "a.nir", "--split", "", "--epochs", "2", "-q")
    result = saltus.train.surrogate(None, spikes, split="", epochs=2)
    assert np.array_equal(parameters("a.nir"), parameters_of(result.network))


def test_arrays_give_the_bits_of_the_data_set_they_are_from(spikes, arrays):
    whole = saltus.train.surrogate(None, spikes, **SHORT).network
    options = {name: SHORT[name] for name in ("dt", "epochs", "layers")}
    of_arrays = saltus.train.surrogate(None, arrays, **options).network
    assert np.array_equal(parameters_of(whole), parameters_of(of_arrays))
    a, b = saltus.evaluate(whole, spikes), saltus.evaluate(of_arrays, arrays)
    assert (a.accuracy, a.loss, a.correct) == (b.accuracy, b.loss, b.correct)
    assert a.spikes_per_neuron_and_step == b.spikes_per_neuron_and_step
    assert np.array_equal(a.confusion, b.confusion)


def test_layers_in_words_and_as_a_list_are_the_same(arrays):
    listed = [{"dense": np.int64(12)}, {"dense": 8, "recurrent": True}, "readout mean"]
    options = {"dt": 2e-3, "epochs": 1}
    a = saltus.train.surrogate(None, arrays, layers=LAYERS, **options).network
    b = saltus.train.surrogate(None, arrays, layers=listed, **options).network
    assert np.array_equal(parameters_of(a), parameters_of(b))


def test_what_python_and_the_command_evaluate_is_the_same(spikes):
    result = saltus.train.surrogate(None, spikes, **SHORT | {"epochs": 20}, batch=16, learning_rate=0.01)
    saltus.save(result.network, "a.nir")
    told = json.loads(run("evaluate", "a.nir", spikes, "--json", "-q")[0])
    mine = saltus.evaluate(saltus.load("a.nir"), spikes, threads=2)
    assert mine.accuracy > 0.9
    for name in ("accuracy", "balanced_accuracy", "loss", "samples", "correct", "spikes_per_neuron_and_step"):
        assert getattr(mine, name) == told[name]
    assert mine.confusion.tolist() == told["confusion"]
    assert mine.classes == told["classes"]
    assert not mine.interrupted


def test_arrays_held_back_choose_the_best_epoch(arrays):
    frames, labels = arrays
    result = saltus.train.surrogate(
        None, (frames[::2], labels[::2]), validation=(frames[1::2], labels[1::2]), dt=2e-3, layers=LAYERS
    )
    assert result.log[0]["validation"]["samples"] == 60
    best = max(entry["validation"]["accuracy"] for entry in result.log)
    assert result.log[result.best_epoch - 1]["validation"]["accuracy"] == best
    assert saltus.evaluate(result.network, (frames[1::2], labels[1::2])).accuracy == best


def test_a_trained_network_is_gone_on_with(arrays):
    options = {"dt": 2e-3, "epochs": 1, "classes": ["left", "right"]}
    first = saltus.train.surrogate(None, arrays, layers=LAYERS, **options)
    del options["classes"]
    second = saltus.train.surrogate(first.network, arrays, **options)
    assert second.log[0]["training"]["loss"] < first.log[0]["training"]["loss"]
    assert saltus.evaluate(second.network, arrays).classes == ["left", "right"]


def test_a_stopped_training_goes_on_to_the_same_bits(arrays):
    options = {"dt": 2e-3, "epochs": 300, "layers": LAYERS, "batch": 8}
    whole = saltus.train.surrogate(None, arrays, **options)

    def stop(*_):  # asked every 50 ms
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stopped:
        saltus.train.surrogate(None, arrays, **options, checkpoint="c.h5", progress=stop)
    assert stopped.value.partial.interrupted
    assert len(stopped.value.partial.log) < 300
    resumed = saltus.train.surrogate(None, arrays, **options, checkpoint="c.h5", resume=True)
    assert len(resumed.log) == 300
    assert np.array_equal(parameters_of(whole.network), parameters_of(resumed.network))


OTHERS = [
    ({"layers": "dense 12; dense 8; readout mean"}, r"layers: expected '.*recurrent.*', found 'dense 12"),
    ({"layers": "dense 12; dense 8 recurrent; readout max"}, r"layers: expected"),
    ({"surrogate": "norse"}, r"surrogate: expected 'sigmoid, slope 10.*', found"),
    ({"slope": 3.0}, r"surrogate: expected 'sigmoid, slope 10, .*', found 'sigmoid, slope 3,"),
    ({"activity": 0.2}, r"activity: expected '0.1', found '0.2'"),
    ({"detach_reset": True}, r"detach_reset: expected 'false', found 'true'"),
    ({"truncate": 5}, r"truncate: expected '0', found '5'"),
    ({"precision": "float64"}, r"precision: expected 'float32', found 'float64'"),
    ({"optimizer": "adam"}, r"optimizer: expected 'radam', found 'adam'"),
    ({"learning_rate": 0.5}, r"learning rate: expected '0.001', found '0.5'"),
    ({"seed": 4}, r"seed: expected '0', found '4'"),
    ({"dt": 5e-3}, r"frames: expected '20 steps of 2ms.*', found '20 steps of 5ms"),
    ({"balanced": True}, r"order: expected 'shuffled', found 'balanced'"),
]


@pytest.fixture(scope="module")
def stopped(arrays, tmp_path_factory):
    path = tmp_path_factory.mktemp("stopped") / "c.h5"

    def stop(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        saltus.train.surrogate(
            None, arrays, layers=LAYERS, dt=2e-3, epochs=300, checkpoint=path, progress=stop
        )
    return path


@pytest.mark.parametrize(("options", "says"), OTHERS, ids=lambda x: None if isinstance(x, str) else str(x))
def test_a_checkpoint_of_another_training_is_refused_by_name(arrays, stopped, options, says):
    asked = {"layers": LAYERS, "dt": 2e-3, "epochs": 300, "checkpoint": stopped, "resume": True} | options
    with pytest.raises(saltus.UsageError, match=says):
        saltus.train.surrogate(None, arrays, **asked)


def test_a_checkpoint_of_other_samples_is_refused_by_name(arrays, stopped):
    frames, labels = arrays
    asked = {"layers": LAYERS, "dt": 2e-3, "epochs": 300, "checkpoint": stopped, "resume": True}
    with pytest.raises(saltus.UsageError, match=r"labels: expected"):
        saltus.train.surrogate(None, (frames, 1 - labels), **asked)
    with pytest.raises(saltus.UsageError, match=r"samples: expected '120', found '119'"):
        saltus.train.surrogate(None, (frames[1:], labels[1:]), **asked)


ZEROS = np.zeros((6, 5, 3))
WRONG = [
    ((ZEROS,), {}, saltus.UsageError, r"dataset: expected \(frames, labels\), found a tuple of 1"),
    ((ZEROS[0, 0], np.zeros(6, int)), {}, saltus.UsageError, r"found shape \(3,\)"),
    ((ZEROS, np.zeros(5, int)), {}, saltus.UsageError, "labels: expected one for each of 6 samples"),
    ((ZEROS, np.zeros(6)), {}, TypeError, "labels: expected whole numbers"),
    ((ZEROS, np.full(6, -1)), {}, saltus.UsageError, "labels, sample 0: expected 0 to 0, found -1"),
    ((np.full((6, 5, 3), np.nan), np.zeros(6, int)), {}, saltus.UsageError, "expected finite numbers"),
    ((ZEROS.astype(complex), np.zeros(6, int)), {}, TypeError, "frames: expected numbers"),
    ((ZEROS, np.zeros(6, int)), {"shift": 0.1}, saltus.UsageError, "shift: arrays are learnt as they are"),
    ((ZEROS, np.zeros(6, int)), {"split": "test"}, saltus.UsageError, "split: arrays"),
    ((ZEROS, np.zeros(6, int)), {"validation": 6}, saltus.UsageError, "validation: expected fewer than"),
    ((ZEROS, np.zeros(6, int)), {"validation": -1}, saltus.UsageError, "validation: expected >= 0"),
    (
        (ZEROS, np.zeros(6, int)),
        {"layers": [{"dens": 3}]},
        saltus.UsageError,
        "layers.*/0/dens.*a field of a layer",
    ),
    ((ZEROS, np.zeros(6, int)), {"layers": [{"dense": 1.5}]}, saltus.UsageError, "layers.*/0/dense"),
    ((ZEROS, np.zeros(6, int)), {"surrogate": "atn"}, saltus.UsageError, "Did you mean 'atan'"),
    ((ZEROS, np.zeros(6, int)), {"precision": "half"}, saltus.UsageError, "expected float32 or float64"),
    ((ZEROS, np.zeros(6, int)), {"epochs": 0}, saltus.UsageError, "epochs"),
    ((ZEROS, np.zeros(6, int)), {"activity": "1"}, TypeError, "activity: expected a number"),
    ("yin-yang", {"classes": ["a"]}, saltus.UsageError, "classes: a data set names its own"),
    ("yin-yang", {"validation": (ZEROS, ZEROS)}, saltus.UsageError, "with arrays to learn from"),
]


@pytest.mark.parametrize(("data", "options", "error", "message"), WRONG)
def test_arguments_that_mean_nothing_are_refused_by_name(data, options, error, message):
    with pytest.raises(error, match=message):
        saltus.train.surrogate(None, data, **options)


def test_evaluate_says_which_argument_the_network_answers_itself(arrays):
    net = saltus.train.surrogate(None, arrays, dt=2e-3, epochs=1, layers="readout mean").network
    with pytest.raises(saltus.UsageError, match=r"duration: the network learnt in steps of time"):
        saltus.evaluate(net, arrays, duration=0.1)
    with pytest.raises(saltus.UsageError, match=r"split: arrays are taken as they are"):
        saltus.evaluate(net, arrays, split="test")
    with pytest.raises(saltus.UsageError, match=r"samples: expected 20 steps"):
        saltus.evaluate(net, (arrays[0][:, 1:], arrays[1]))
    with pytest.raises(saltus.NetworkError, match=re.escape("`saltus evaluate`")):
        saltus.simulate(net, {}, duration=0.1)


def test_threads_do_not_change_a_bit(arrays):
    options = {"dt": 2e-3, "epochs": 2, "layers": LAYERS}
    one, three = (
        parameters_of(saltus.train.surrogate(None, arrays, **options, threads=n).network) for n in (1, 3)
    )
    assert np.array_equal(one, three)


def two_layers(hidden, output):
    """10 inputs, 12 LIF, 2 of `output`."""
    random = np.random.default_rng(5)
    return nir.NIRGraph(
        nodes={
            "input": nir.Input(np.array([10])),
            "fc1": nir.Affine(random.normal(0.5, 4.0, (12, 10)).astype(np.float32), np.zeros(12, np.float32)),
            "hidden": hidden,
            "fc2": nir.Linear(random.normal(0.0, 4.0, (2, 12)).astype(np.float32)),
            "decides": output,
            "output": nir.Output(np.array([2])),
        },
        edges=[
            ("input", "fc1"),
            ("fc1", "hidden"),
            ("hidden", "fc2"),
            ("fc2", "decides"),
            ("decides", "output"),
        ],
    )


def lif_neurons(n):
    one = np.ones(n, np.float32)
    return nir.LIF(tau=0.01 * one, r=one, v_leak=0 * one, v_threshold=one)


def cuba_neurons(n):
    one = np.ones(n, np.float32)
    return nir.CubaLIF(
        tau_syn=0.005 * one, tau_mem=0.01 * one, r=one, v_leak=0 * one, v_threshold=one, w_in=one * 4
    )


@pytest.mark.parametrize("neurons", [lif_neurons, cuba_neurons])
def test_a_network_of_nir_learns_on_the_clock_that_runs_it(spikes, arrays, neurons):
    graph = two_layers(neurons(12), neurons(2))
    net = saltus.from_nir(graph, convention="norse", dt=2e-3)
    options = {"dt": 2e-3, "epochs": 30, "batch": 16, "learning_rate": 0.1, "surrogate": "norse"}
    result = saltus.train.surrogate(net, arrays, **options, validation=0)
    assert result.log[-1]["training"]["accuracy"] > 0.85
    assert result.log[-1]["training"]["loss"] < 0.7 * result.log[0]["training"]["loss"]
    trained = result.network.to_nir()
    assert_same_graph(
        nir.NIRGraph({"a": trained.nodes["hidden"]}, []), nir.NIRGraph({"a": graph.nodes["hidden"]}, [])
    )
    assert trained.edges == graph.edges
    for name in ("fc1", "fc2"):
        before, after = graph.nodes[name].weight, trained.nodes[name].weight
        assert (before.dtype, before.shape) == (after.dtype, after.shape)
        assert not np.array_equal(before, after)
    assert not np.array_equal(graph.nodes["fc1"].bias, trained.nodes["fc1"].bias)

    # The file says by which convention. Silent outputs are undecided there, the first one here.
    saltus.save(result.network, "trained.nir")
    evaluation = saltus.evaluate(saltus.load("trained.nir"), spikes, clock="stepped", duration=0.04)
    silent = sum(decision.decided == -1 and decision.label == 0 for decision in evaluation.decisions)
    untouched = saltus.train.surrogate(
        result.network, arrays, **options | {"epochs": 1, "batch": 120, "learning_rate": 1e-30}, validation=0
    )
    assert evaluation.correct + silent == untouched.log[0]["training"]["correct"]


def test_the_command_and_python_train_neurons_to_the_same_bits(spikes):
    graph = two_layers(lif_neurons(12), lif_neurons(2))
    saltus.save(saltus.from_nir(graph), "net.nir")
    flags = ["--split", "", "--frame", "2ms", "--dt", "2ms", "--convention", "norse", "--frames", "20"]
    flags += ["--epochs", "2", "--surrogate", "norse", "--threads", "2", "--drop", "0.1", "-q"]
    told = json.loads(
        run("train", "surrogate", spikes, "--network", "net.nir", "-o", "a.nir", "--json", *flags)[0]
    )
    net = saltus.load("net.nir", convention="norse", dt=2e-3)
    result = saltus.train.surrogate(
        net, spikes, split="", dt=2e-3, steps=20, epochs=2, surrogate="norse", drop=0.1
    )
    saltus.save(result.network, "b.nir")
    a, b = nir.read("a.nir"), nir.read("b.nir")
    for name in ("fc1", "fc2"):
        assert np.array_equal(a.nodes[name].weight, b.nodes[name].weight)
    assert result.figures == {name: told[name] for name in result.figures}
    assert set(result.figures["spikes_per_neuron_and_step"]) == {"hidden", "decides"}
    assert result.figures["parameters"] == 12 * 10 + 12 + 2 * 12


def test_a_readout_that_does_not_spike_decides_by_its_last_potential(arrays):
    one = np.ones(2, np.float32)
    graph = two_layers(lif_neurons(12), nir.LI(tau=0.02 * one, r=one, v_leak=0 * one))
    net = saltus.from_nir(graph, convention="norse", dt=2e-3)
    with pytest.raises(saltus.LimitError, match="'norse' has no LI"):
        saltus.train.surrogate(net, arrays, dt=2e-3)
    node = nir.LIF(tau=5 * np.ones(12), r=np.ones(12), v_leak=np.zeros(12), v_threshold=np.ones(12))
    graph = two_layers(node, nir.LI(tau=10.0 * one, r=one, v_leak=0 * one))
    graph.nodes["fc2"] = nir.Affine(graph.nodes["fc2"].weight, np.zeros(2, np.float32))  # sinabs has these
    for layer in ("fc1", "fc2"):
        graph.nodes[layer].weight /= 8
    net = saltus.from_nir(graph, convention="sinabs", dt=2e-3)
    result = saltus.train.surrogate(
        net, arrays, dt=2e-3, epochs=20, batch=16, learning_rate=0.02, surrogate="sinabs", validation=0
    )
    assert result.log[-1]["training"]["accuracy"] > 0.85


def test_what_of_a_network_does_not_learn_is_refused_by_name(arrays):
    graph = two_layers(lif_neurons(12), lif_neurons(2))
    net = saltus.from_nir(graph, convention="norse", dt=1e-3)
    with pytest.raises(saltus.UsageError, match="expected steps of 1ms, as the network has, found 2ms"):
        saltus.train.surrogate(net, arrays, dt=2e-3)
    with pytest.raises(saltus.UsageError, match="layers: expected none beside a network"):
        saltus.train.surrogate(net, arrays, dt=1e-3, layers="dense 3")
    with pytest.raises(saltus.LimitError, match="scaling: a file of neurons"):
        saltus.train.surrogate(net, arrays, dt=1e-3, scaling="deviation")
    with pytest.raises(saltus.LimitError, match="'hidden': a step of 'nir' is not linear"):
        saltus.train.surrogate(saltus.from_nir(graph, convention="nir", dt=2e-3), arrays, dt=2e-3)
    with pytest.raises(saltus.UsageError, match="'input' has, found 9"):
        saltus.train.surrogate(net, (arrays[0][:, :, 1:], arrays[1]), dt=1e-3)


def test_a_checkpoint_of_another_network_of_neurons_is_refused_by_name(arrays):
    def stop(*_):
        raise KeyboardInterrupt

    graph = two_layers(lif_neurons(12), lif_neurons(2))
    options = {"dt": 2e-3, "epochs": 1000, "checkpoint": "c.h5"}
    net = saltus.from_nir(graph, convention="norse", dt=2e-3)
    with pytest.raises(KeyboardInterrupt):
        saltus.train.surrogate(net, arrays, **options, progress=stop)
    graph.nodes["hidden"].tau[0] = 0.02
    other = saltus.from_nir(graph, convention="norse", dt=2e-3)
    with pytest.raises(saltus.UsageError, match="network: expected"):
        saltus.train.surrogate(other, arrays, **options, resume=True)
