"""Training and evaluating networks of first spikes from Python and the command line."""

import gzip
import json
import struct

import numpy as np
import pytest
import saltus
from test_cli import saltus as run


def write_images(folder, part, images, labels):
    """IDX files as MNIST has them."""
    head = struct.pack(">BBBBIII", 0, 0, 8, 3, *images.shape)
    (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(head + images.tobytes()))
    head = struct.pack(">BBBBI", 0, 0, 8, 1, len(labels))
    (folder / f"{part}-labels-idx1-ubyte").write_bytes(head + labels.tobytes())


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Three classes of 6 x 6 images: a bright stripe at the top, in the middle, or at the bottom."""
    folder = tmp_path_factory.mktemp("images")
    random = np.random.default_rng(1)
    for part, n in (("train", 300), ("t10k", 100)):
        labels = random.integers(0, 3, n).astype(np.uint8)
        pixels = random.integers(0, 120, (n, 6, 6))
        for image, label in zip(pixels, labels, strict=True):
            image[2 * label : 2 * label + 2] += 120
        write_images(folder, part, pixels.astype(np.uint8), labels)
    return folder


def weights_of(net):
    return [node.weight for node in net.to_nir().nodes.values() if hasattr(node, "weight")]


SMALL = {"hidden": (20,), "threshold": 10.0, "epochs": 40, "learning_rate": 0.1, "averaged_samples": 500}


def test_a_trained_network_classifies_what_it_has_not_seen(images):
    result = saltus.train.s4nn(None, images, **SMALL)
    assert len(result.log) == 40
    assert result.log[result.best_epoch - 1]["best"]
    evaluation = saltus.evaluate(result.network, images, split="test")
    assert evaluation.accuracy > 0.9
    assert evaluation.first_spikes.correct_by_index <= evaluation.samples
    assert 0 < evaluation.first_spikes.decision_s < 0.256
    assert evaluation.synaptic_events <= evaluation.first_spikes.full_synaptic_events


def test_a_saved_network_gives_the_same_decisions(images, tmp_path):
    net = saltus.train.s4nn(None, images, **SMALL, slots=64, encoding="rank").network
    saltus.save(net, tmp_path / "a.nir")
    before = saltus.evaluate(net, images, split="test")
    after = saltus.evaluate(saltus.load(tmp_path / "a.nir"), images, split="test")
    assert before.decisions == after.decisions
    assert before.first_spikes.decision_s == after.first_spikes.decision_s


def test_mini_batches_do_not_depend_on_threads(images):
    weights = []
    for threads in (1, 3):
        options = SMALL | {"epochs": 3, "batch": 16, "optimizer": "adam", "dropout": (0.1, 0.1)}
        net = saltus.train.s4nn(None, images, **options, threads=threads, averaging=0.9).network
        weights.append(weights_of(net))
    assert all(np.array_equal(a, b) for a, b in zip(*weights, strict=True))


def test_a_stopped_training_goes_on_to_the_same_network(images, tmp_path):
    options = SMALL | {"epochs": 1000}
    whole = saltus.train.s4nn(None, images, **options)
    checkpoint = tmp_path / "c.h5"

    def stop(*_):  # asked every 50 ms
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stopped:
        saltus.train.s4nn(None, images, **options, checkpoint=checkpoint, progress=stop)
    assert stopped.value.partial.interrupted
    assert len(stopped.value.partial.log) < 1000
    with pytest.raises(saltus.UsageError, match="the training to go on from was another"):
        saltus.train.s4nn(None, images, **options, seed=1, checkpoint=checkpoint, resume=True)
    resumed = saltus.train.s4nn(None, images, **options, checkpoint=checkpoint, resume=True)
    assert resumed.best_epoch == whole.best_epoch
    assert len(resumed.log) == 1000
    for a, b in zip(weights_of(resumed.network), weights_of(whole.network), strict=True):
        assert np.array_equal(a, b)


def test_the_exact_clock_gives_the_decisions_of_the_fast_path(images):
    net = saltus.train.s4nn(None, images, **SMALL).network
    evaluation = saltus.evaluate(net, images, split="test")
    raw = gzip.decompress((images / "t10k-images-idx3-ubyte.gz").read_bytes())
    pixels = np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 36)
    for decision, image in list(zip(evaluation.decisions, pixels, strict=True))[:20]:
        neurons = np.flatnonzero(image)
        out = saltus.simulate(net, {"input": ((255 - image[neurons]) * 1e-3, neurons)}, duration=0.256)
        spikes = out.spikes["output"]
        first = spikes.neurons[spikes.ticks == spikes.ticks.min()] if len(spikes) else []
        if len(first) == 1:
            assert decision.decided == first[0]
        assert decision.tie == (len(first) > 1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"optimizer": "adma", "batch": 2}, "Did you mean 'adam'"),
        ({"schedule": "cosin"}, "Did you mean 'cosine'"),
        ({"encoding": "latent"}, "Did you mean 'latency'"),
        ({"loss": "mse"}, "expected relative or cross_entropy"),
        ({"margin": 1.0}, "margin: expected > 0 and < t_max"),
        ({"hidden": (0,)}, "expected 1 to 2\\^31 synapses"),
        ({"initial": (1.0,)}, "expected 2 numbers, one for each layer"),
        ({"resume": True}, "resume: from which file"),
        ({"validation": 300.0}, "expected fewer than there are"),
    ],
)
def test_arguments_that_mean_nothing_are_refused_by_name(images, options, message):
    with pytest.raises(saltus.UsageError, match=message):
        saltus.train.s4nn(None, images, **(SMALL | options))


def test_the_command_line_trains_logs_and_evaluates(images, tmp_path):
    out = tmp_path / "net.nir"
    arguments = ["--hidden", "20", "--threshold", "10", "--epochs", "5", "--learning-rate", "0.1", "--quiet"]
    log, report = tmp_path / "log.jsonl", tmp_path / "report.html"
    text, _ = run("train", "s4nn", images, "-o", out, *arguments, "--log", log, "--report", report, "--json")
    facts = json.loads(text)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2, 3, 4, 5]
    assert facts["log"] == lines
    assert facts["held_back"] == 25
    assert "Accuracy" in report.read_text()
    text, _ = run("evaluate", out, images, "--split", "test", "--json", "--quiet")
    result = json.loads(text)
    assert result["samples"] == 100
    first = result["first_spikes"]
    assert first["correct_by_potential"] == result["correct"]
    assert first["ties"] == sum(decision["tie"] for decision in result["decisions"])
    _, error = run("train", "s4nn", images, "-o", out, "--optimizer", "x", "--batch", "2", code=2)
    assert "expected sgd, adam, adamw or radam" in error
    _, error = run("evaluate", out, images, "--decide", "last", code=2)
    assert "--decide: expected first" in error
    (images.parent / "bad").mkdir(exist_ok=True)
    (images.parent / "bad" / "train-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03\xff\xff\xff\xff")
    _, error = run("train", "s4nn", images.parent / "bad", "-o", out, code=3)
    assert "3 dimensions, found the end of the file" in error
