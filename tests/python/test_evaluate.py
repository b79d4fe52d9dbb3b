"""Classifying data sets from Python."""

import numpy as np
import pytest
import saltus
from conftest import SAMPLES, if_layer


@pytest.fixture(scope="module")
def net():
    return saltus.load(SAMPLES / "cnn_nmnist" / "cnn_sinabs.nir", convention="sinabs")


@pytest.fixture
def recordings(tmp_path):
    """Three recordings: two of a 0, one of a 7."""
    for digit, count in (("0", 2), ("7", 1)):
        folder = tmp_path / "recordings" / digit
        folder.mkdir(parents=True)
        for path in sorted((SAMPLES / "n-mnist" / "Test" / digit).glob("*.bin"))[:count]:
            (folder / path.name).write_bytes(path.read_bytes())
    return tmp_path / "recordings"


def test_an_evaluation_adds_up(net, recordings):
    result = saltus.evaluate(net, recordings)
    assert result.samples == 3
    assert [decision.label for decision in result.decisions] == [0, 0, 7]
    assert result.correct == sum(decision.label == decision.decided for decision in result.decisions)
    assert result.accuracy == result.correct / 3
    assert result.confusion.shape == (len(result.classes),) * 2
    assert result.confusion.sum() == 3 - result.undecided
    assert np.trace(result.confusion) == result.correct
    assert result.input_spikes > 0
    assert result.synaptic_events > result.input_spikes
    assert not result.interrupted
    assert f"{result.correct} of 3 right" in repr(result)


def test_an_evaluation_does_not_depend_on_the_number_of_threads(net, recordings):
    one, two = (saltus.evaluate(net, recordings, threads=threads) for threads in (1, 2))
    assert one.decisions == two.decisions
    assert one.synaptic_events == two.synaptic_events


def test_an_evaluation_decides_as_a_run_of_the_same_spikes_does(net, recordings):
    (path,) = (recordings / "7").iterdir()
    raw = np.fromfile(path, np.uint8).reshape(-1, 5).astype(np.int64)
    x, y, on = raw[:, 0], raw[:, 1], raw[:, 2] >> 7
    times = ((raw[:, 2] & 127) << 16 | raw[:, 3] << 8 | raw[:, 4]) * 1e-6
    out = saltus.simulate(net, {"input": (times, (on * 34 + y) * 34 + x)}, duration=times[-1])
    counts = np.bincount(out.spikes["12"].neurons, minlength=10)
    assert saltus.evaluate(net, recordings).decisions[2].decided == counts.argmax()


def test_progress_of_an_evaluation_ends_with_all_samples(net, recordings):
    told = []
    saltus.evaluate(net, recordings, progress=lambda *facts: told.append(facts))
    assert told[-1] == (1.0, 3, 3)


def test_a_data_set_that_does_not_fit_is_refused(recordings):
    with pytest.raises(saltus.UsageError, match=r"'input' takes \(5,?\)"):
        saltus.evaluate(saltus.from_nir(if_layer([5])), recordings)


def test_a_data_set_that_is_not_there_is_a_file_error(net):
    with pytest.raises(saltus.FileError, match="nowhere"):
        saltus.evaluate(net, "nowhere")
