"""Training and evaluating networks in discrete time from the command line."""

import json
import signal
import subprocess

import h5py
import numpy as np
import pytest
from test_cli import PROGRAM
from test_cli import saltus as run

DEFAULTS = {"--frame": "2ms", "--epochs": 2, "--layers": "dense 12; dense 8 recurrent; readout mean"}


def short(*options):
    """`options`, and the defaults of these tests where they say nothing else."""
    chosen = [entry for name, value in DEFAULTS.items() if name not in options for entry in (name, value)]
    return ("--split", "", "-q", *chosen, *options)


@pytest.fixture(scope="module")
def spikes(tmp_path_factory):
    """Two classes in the SHD layout, class after class: mostly one half of the units fires."""
    path = tmp_path_factory.mktemp("spikes") / "two.h5"
    random = np.random.default_rng(2)
    with h5py.File(path, "w") as file:
        labels = np.repeat([0, 1], 60)
        times, units = [], []
        for label in labels:
            times.append(np.sort(random.uniform(0, 0.04, 30)).astype(np.float32))
            units.append(
                (random.integers(0, 5, 30) + 5 * (label ^ (random.random(30) < 0.1))).astype(np.uint16)
            )
        for name, rows, kind in (("times", times, np.float32), ("units", units, np.uint16)):
            rows_of = file.create_dataset(f"spikes/{name}", len(rows), h5py.vlen_dtype(kind))
            for k, row in enumerate(rows):
                rows_of[k] = row
        file["labels"] = labels
    return path


def parameters(path):
    with h5py.File(path) as file:
        return file["node/metadata/saltus/surrogate/parameters"][()]


def train(data, out, *options, code=0):
    return run("train", "surrogate", data, "-o", out, *short(*options), code=code)


def test_a_trained_network_classifies_and_says_how_often_its_neurons_fire(spikes, tmp_path):
    train(spikes, tmp_path / "a.nir", "--epochs", "30", "--batch", "16", "--learning-rate", "0.01")
    stdout, _ = run("evaluate", tmp_path / "a.nir", spikes, "--json", "-q")
    result = json.loads(stdout)
    assert result["accuracy"] > 0.9
    assert result["samples"] == 120
    confusion = np.array(result["confusion"])
    assert result["correct"] == np.trace(confusion)
    assert result["balanced_accuracy"] == pytest.approx(np.mean(np.diag(confusion) / confusion.sum(axis=1)))
    assert set(result["spikes_per_neuron_and_step"]) == {"layer1", "layer2"}
    assert all(0 < rate < 1 for rate in result["spikes_per_neuron_and_step"].values())


def test_threads_do_not_change_a_bit_of_the_weights(spikes, tmp_path):
    for threads in (1, 2, 4):
        train(spikes, tmp_path / f"{threads}.nir", "--threads", threads, "--shift", "4ms", "--drop", "0.1")
    one = parameters(tmp_path / "1.nir")
    assert np.array_equal(one, parameters(tmp_path / "2.nir"))
    assert np.array_equal(one, parameters(tmp_path / "4.nir"))


def test_a_training_that_was_stopped_goes_on_to_the_same_bits(spikes, tmp_path):
    options = ("--epochs", "40", "--batch", "4", "--balanced", "--noise", "0.2")
    train(spikes, tmp_path / "whole.nir", *options)
    log = tmp_path / "log.jsonl"
    arguments = ["train", "surrogate", spikes, "-o", tmp_path / "parts.nir", *short(*options)]
    command = [PROGRAM, *map(str, arguments), "--log", str(log), "--checkpoint-every", "1ms"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        while not log.exists() or log.read_text().count("\n") < 3:
            assert process.poll() is None, "was over before it could be stopped"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert not (tmp_path / "parts.nir").exists()
    assert (tmp_path / "parts.checkpoint.h5").exists()
    subprocess.run([*command, "--resume"], check=True, timeout=60)
    assert np.array_equal(parameters(tmp_path / "whole.nir"), parameters(tmp_path / "parts.nir"))
    epochs = [json.loads(line)["epoch"] for line in log.read_text().splitlines()]
    assert epochs == list(range(1, 41))


def test_a_checkpoint_of_other_layers_or_another_surrogate_is_refused_by_name(spikes, tmp_path):
    out = tmp_path / "a.nir"
    arguments = ["train", "surrogate", spikes, "-o", out, *short("--epochs", "400", "--batch", "4")]
    command = [PROGRAM, *map(str, arguments), "--checkpoint-every", "1ms"]
    checkpoint = tmp_path / "a.checkpoint.h5"
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        while not checkpoint.exists():
            assert process.poll() is None, "was over before it could be stopped"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    common = ("--epochs", "400", "--batch", "4", "--resume")
    _, stderr = train(spikes, out, *common, "--layers", "dense 9; readout mean", code=2)
    assert "layers: expected 'dense 12" in stderr
    assert "found 'dense 9" in stderr
    _, stderr = train(spikes, out, *common, "--surrogate", "atan", "--shift", "4ms", code=2)
    assert "surrogate: expected 'sigmoid, slope 10" in stderr
    assert "samples altered: expected 'shift 0s" in stderr
    assert not out.exists()
    assert checkpoint.exists()


def test_a_description_in_json_and_the_same_words_give_the_same_network(spikes, tmp_path):
    layers = [{"dense": 12}, {"dense": 8, "recurrent": True}, "readout mean"]
    (tmp_path / "net.json").write_text(json.dumps({"layers": layers}))
    train(spikes, tmp_path / "words.nir")
    data = ("train", "surrogate", spikes, "--split", "", "--frame", "2ms", "--epochs", 2, "-q")
    run(*data, "--network", tmp_path / "net.json", "-o", tmp_path / "json.nir")
    assert np.array_equal(parameters(tmp_path / "words.nir"), parameters(tmp_path / "json.nir"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"layers": 3}', "/layers"),
        ('{"layers": [{"kernel": [3]}]}', "/layers/0"),
        ('{"layers": [{"dense": 3, "kernal": [3]}]}', "kernel"),
        ('{"layers": [{"dense": -3}]}', "/layers/0/dense"),
        ('{"layers": [{"dense": 3, "recurrent": 1}]}', "true or false"),
        ('{"layers": [{"conv": 3, "kernel": []}]}', "at least one"),
        ('{"layers": ["dense 3; dense 4"]}', "one layer"),
        ('{"layers": [], "activity": 1}', "activity"),
        ('{"layers": [', "JSON"),
    ],
)
def test_a_description_that_is_wrong_is_refused_with_its_place(spikes, tmp_path, text, says):
    path = tmp_path / "net.json"
    path.write_text(text)
    _, stderr = run(
        "train", "surrogate", spikes, "--split", "", "-o", tmp_path / "a.nir", "--network", path, code=3
    )
    assert says in stderr
    assert str(path) in stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--surrogate", "snntorch.atn"), "snntorch.atan"),
        (("--scaling", "all"), "deviation"),
        (("--precision", "float16"), "float32"),
        (("--activity", "-1"), "activity"),
        (("--validation", "500"), "validation"),
        (("--layers", "dense 4; dense"), "dense"),
        (("--balanced", "--no-shuffle"), "balanced"),
        (("--validation-split", "validation"), "train or test"),
    ],
)
def test_options_that_mean_nothing_are_refused_with_the_cure(spikes, tmp_path, options, says):
    _, stderr = train(spikes, tmp_path / "a.nir", *options, code=2)
    assert says in stderr
    assert not (tmp_path / "a.nir").exists()


def test_other_verbs_say_that_the_file_holds_layers(spikes, tmp_path):
    train(spikes, tmp_path / "a.nir")
    _, stderr = run("run", tmp_path / "a.nir", "-d", "10ms", "-o", tmp_path / "o.h5", code=4)
    assert "saltus evaluate" in stderr


def test_samples_are_evaluated_in_as_many_steps_as_were_trained(spikes, tmp_path):
    train(spikes, tmp_path / "a.nir", "--frames", "11")  # the last spikes are in step 19
    stdout, _ = run("evaluate", tmp_path / "a.nir", spikes, "--json", "-q")
    assert json.loads(stdout)["samples"] == 120
