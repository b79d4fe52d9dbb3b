"""Spike trains and spike files."""

import copy
import pickle

import h5py
import numpy as np
import pytest
import saltus
from conftest import if_layer


def test_a_train_is_sorted_by_time_and_then_by_neuron():
    train = saltus.SpikeTrain([0.002, 0.001, 0.002, 0.001], [0, 7, 3, 2])
    assert train.times.tolist() == [0.001, 0.001, 0.002, 0.002]
    assert train.neurons.tolist() == [2, 7, 0, 3]
    assert len(train) == 4
    assert repr(train) == "SpikeTrain of 4 spikes"


def test_seconds_are_rounded_to_femtoseconds_and_ticks_are_kept():
    assert saltus.SpikeTrain([0.1], [0]).ticks.tolist() == [10**14]
    assert saltus.SpikeTrain([0.4e-15, 0.6e-15], [0, 0]).ticks.tolist() == [0, 1]
    assert saltus.SpikeTrain.from_ticks([2**62], [0]).ticks.tolist() == [2**62]


def test_trains_are_equal_when_their_spikes_are():
    train = saltus.SpikeTrain([0.001, 0.002], [0, 1])
    assert train == saltus.SpikeTrain.from_ticks([2 * 10**12, 10**12], [1, 0])
    assert train != saltus.SpikeTrain([0.001, 0.002], [0, 0])
    assert train != "train"
    assert pickle.loads(pickle.dumps(train)) == train
    assert copy.deepcopy(train) == train


def test_an_empty_train_has_empty_columns():
    train = saltus.SpikeTrain([], [])
    assert (train.times.shape, train.ticks.shape, train.neurons.shape) == ((0,), (0,), (0,))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: saltus.SpikeTrain([-1.0], [0]), "spike 0: expected a time in seconds .* found -1"),
        (lambda: saltus.SpikeTrain([0.0], [-1]), "spike 0: expected a neuron .* found -1"),
        (lambda: saltus.SpikeTrain([0.0, 1.0], [0]), "found 1 and 2"),
        (lambda: saltus.SpikeTrain.from_ticks([0, -5], [0, 0]), "spike 1: .* found -5"),
        (lambda: saltus.SpikeTrain.from_ticks([2**63 - 1], [0]), "spike 0: .* found 9223372036854775807"),
    ],
)
def test_spikes_that_cannot_be_are_refused(make, words):
    with pytest.raises(saltus.InputError, match=words):
        make()


def test_columns_of_more_dimensions_are_refused():
    with pytest.raises(saltus.UsageError, match=r"times: expected one dimension, found shape \(1, 2\)"):
        saltus.SpikeTrain([[0.0, 1.0]], [0])


def test_spikes_written_and_read_again_are_the_same_to_the_femtosecond():
    trains = {
        "a": saltus.SpikeTrain.from_ticks([1, 9_000_000_000_000_000_001, 3], [4, 0, 2]),
        "b": saltus.SpikeTrain([], []),
    }
    saltus.write_spikes("spikes.h5", trains)
    assert saltus.read_spikes("spikes.h5") == trains


def test_written_spikes_have_the_sonata_layout():
    saltus.write_spikes("spikes.h5", {"lif": ([0.002, 0.001], [0, 1])})
    with h5py.File("spikes.h5") as file:
        population = file["spikes/lif"]
        assert population["timestamps"][()].tolist() == [1.0, 2.0]
        assert population["node_ids"][()].tolist() == [1, 0]
        units = population["timestamps"].attrs["units"]
        assert (units.decode() if isinstance(units, bytes) else units) == "ms"


def test_a_result_is_written_with_its_potentials():
    net = saltus.from_nir(if_layer([2, 2], v_threshold=2.0))
    out = saltus.simulate(
        net, {"input": ([0.001, 0.002], [3, 3])}, 0.004, dt=1e-3, record=("spikes", "potentials")
    )
    saltus.write_spikes("out.h5", out)
    assert saltus.read_spikes("out.h5") == out.spikes
    with h5py.File("out.h5") as file:
        assert np.array_equal(file["report/if/values"][()], out.potentials["if"].reshape(5, 4))
        assert file["report/if/data"].dtype == np.float32


def test_impossible_spikes_for_a_file_are_refused_and_leave_none():
    with pytest.raises(saltus.InputError, match=r"spikes for 'lif': spike 1: .*found nan"):
        saltus.write_spikes("spikes.h5", {"lif": ([0.0, float("nan")], [0, 0])})
    with pytest.raises(saltus.FileError, match=r"spikes\.h5"):
        saltus.read_spikes("spikes.h5")


def test_a_file_that_holds_no_spikes_is_refused():
    saltus.save(saltus.from_nir(if_layer([1])), "net.nir")
    with pytest.raises(saltus.FileError, match=r"net\.nir.*spikes"):
        saltus.read_spikes("net.nir")


def test_errors_keep_their_fields_when_they_are_pickled():
    error = saltus.FileError("net.nir: node 'a': wrong.", "net.nir", "node 'a'")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.path, again.where) == (str(error), error.path, error.where)
    for kind in (
        saltus.FileError,
        saltus.NetworkError,
        saltus.InputError,
        saltus.UsageError,
        saltus.LimitError,
    ):
        assert issubclass(kind, saltus.Error)
        assert issubclass(kind, ValueError)
