"""Networks and spikes in every format, through the package and the program."""

import json
import os
import subprocess
from pathlib import Path

import h5py
import nir
import numpy as np
import pytest
import saltus
from conftest import NIR_FILES, ROOT

PROGRAM = Path(os.environ.get("SALTUS_PROGRAM", ROOT / "build" / "release" / "bin" / "saltus"))
SPIKES = {"input": ([0.001, 0.0025], [3, 1]), "b, c": ([], [])}


def same(a: dict, b: dict) -> None:
    assert a.keys() == b.keys()
    for name in a:
        assert a[name].ticks.tolist() == b[name].ticks.tolist()
        assert a[name].neurons.tolist() == b[name].neurons.tolist()


@pytest.mark.parametrize("ending", [".h5", ".npz", ".csv", ".nirdata", ".nirdata.h5"])
def test_spikes_come_back_from_every_format(ending):
    saltus.save(SPIKES, f"first{ending}")
    expected = {name: saltus.SpikeTrain(*pair) for name, pair in SPIKES.items()}
    same(saltus.load(f"first{ending}"), expected)


@pytest.mark.parametrize("ending", [".npz", ".csv", ".nirdata"])
def test_samples_come_back(ending):
    samples = [SPIKES, {"input": ([0.5], [0])}]
    saltus.save(samples, f"samples{ending}")
    read = saltus.load(f"samples{ending}")
    assert read.labels is None
    assert [len(sample["input"]) for sample in read.spikes] == [2, 1]
    same(read.spikes[0], {name: saltus.SpikeTrain(*pair) for name, pair in SPIKES.items()})


def test_labels_are_kept_by_npz():
    saltus.save(saltus.Samples([SPIKES, SPIKES], [4, 5]), "s.npz")
    assert saltus.load("s.npz").labels == [4, 5]


def test_numpy_reads_what_is_written_and_is_read():
    saltus.save({"a": SPIKES["input"]}, "s.npz")
    with np.load("s.npz") as arrays:
        assert arrays["a.times"].tolist() == [0.001, 0.0025]
        assert arrays["a.ticks"].tolist() == [10**12, 25 * 10**11]
        assert arrays["a.neurons"].tolist() == [3, 1]
    np.savez_compressed(
        "n.npz", times=np.array([0.5, 0.25], dtype=">f4"), neurons=np.array([7, 8], dtype="u1")
    )
    train = saltus.load("n.npz")[""]
    assert train.times.tolist() == [0.25, 0.5]
    assert train.neurons.tolist() == [8, 7]


def test_nir_reads_what_is_written():
    saltus.save(SPIKES, "s.nirdata.h5")
    data = nir.read_data("s.nirdata.h5").nodes["input"].observables["spikes"]
    assert data.idx.tolist() == [[3, 1]]
    assert data.time.tolist() == [[0.001, 0.0025]]
    assert (data.n_neurons, data.t_max) == (4, 0.0025)


def test_every_network_of_the_program_comes_back_from_sonata(run_program):
    source = NIR_FILES / "norse" / "lif_chain" / "network.nir"
    run_program("convert", source, "circuit_config.json", "-q")
    run_program("convert", "circuit_config.json", "again_circuit_config.json", "-q")
    for name in ("nodes.h5", "edges.h5"):
        with h5py.File(name) as first, h5py.File(f"again_{name}") as second:
            paths: list[str] = []
            first.visit(paths.append)
            for path in paths:
                if isinstance(first[path], h5py.Dataset):
                    assert first[path][()].tobytes() == second[path][()].tobytes(), path


@pytest.mark.parametrize("case", ["norse/lif_chain", "norse/recurrent_lif", "nengo/if_chain"])
def test_a_circuit_goes_on_to_nir_with_its_constant_signals(case, run_program):
    delay = ("--recurrent-delay", "1ms")
    run_program("convert", NIR_FILES / case / "network.nir", "circuit_config.json", "-q", *delay)
    run_program("convert", "circuit_config.json", "net.nir", "-q")
    saltus.save({"input": ([1e-6, 1e-4, 1e-4], [0, 0, 1])}, "in.csv")
    fed = ("-i", "in.csv", "-d", "2ms", "--json", "-q")
    circuit = run_program("run", "circuit_config.json", *fed)
    network = run_program("run", "net.nir", "--convention", "nir", *fed)
    assert sum(circuit["spikes_by_population"].values()) > 3
    assert network["fingerprint"] == circuit["fingerprint"]


def test_circuits_of_images_stay_circuits(run_program):
    case = NIR_FILES / "norse" / "conv_if_sumpool" / "network.nir"
    run_program("convert", case, "circuit_config.json", "-q")
    command = [PROGRAM, "convert", "circuit_config.json", "net.nir", "-q"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "NIR has no node that gives a signal of shape (256,) the shape (4, 8, 8)" in done.stderr


def test_a_simulation_configuration_says_what_is_fed_and_for_how_long(run_program):
    source = NIR_FILES / "paper" / "two_lif_neurons.nir"
    saltus.save({"in": ([0.010, 0.011], [0, 0])}, "in.csv")
    run_program("convert", source, "simulation_config.json", "-i", "in.csv", "-d", "20ms", "-q")
    by_hand = run_program("run", source, "-i", "in.csv", "-d", "20ms", "--json", "-q")
    by_config = run_program("run", "simulation_config.json", "--json", "-q")
    assert by_hand["spikes"] > 0
    assert by_config["fingerprint"] == by_hand["fingerprint"]


def test_spikes_are_converted_by_ending(run_program):
    saltus.save(SPIKES, "a.h5")
    for source, target in (
        ("a.h5", "b.csv"),
        ("b.csv", "c.npz"),
        ("c.npz", "d.nirdata"),
        ("d.nirdata", "e.h5"),
    ):
        run_program("convert", source, target)
    same(saltus.load("e.h5"), saltus.load("a.h5"))
    done = subprocess.run(
        [PROGRAM, "convert", "b.csv", "net.nir"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "b.csv holds spikes, net.nir a network" in done.stderr


def test_spikes_without_a_name_feed_the_only_input_without_a_word(run_program):
    source = NIR_FILES / "paper" / "two_lif_neurons.nir"
    Path("in.csv").write_text("time_s,neuron\n0.010,0\n0.011,0\n")
    arguments = [PROGRAM, "run", source, "-i", "in.csv", "-d", "20ms", "--convention", "nir"]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert "in.csv" not in done.stderr


@pytest.fixture
def run_program():
    def run(*arguments):
        done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if "--json" in arguments else done.stdout

    return run


def cochlea(folder: Path) -> Path:
    """The recording of a silicon cochlea where it is at hand, else two of its events, made by hand."""
    if shared := os.environ.get("SALTUS_SHARED"):
        return next((Path(shared) / "datasets" / "aer-cochlea").glob("*.aedat"))
    path = folder / "made.aedat"
    path.write_bytes(
        (5).to_bytes(2, "big")
        + (573010).to_bytes(4, "big")
        + (6).to_bytes(2, "big")
        + (573011).to_bytes(4, "big")
    )
    return path


def test_address_events_of_a_cochlea(tmp_path):
    path = cochlea(tmp_path)
    ((sample,), labels) = saltus.read_samples(path, address_bytes=2, tick=2e-7)
    train = sample[""]
    assert labels is None
    assert len(train) == path.stat().st_size // 6
    assert train.ticks[0] == 573010 * 200_000_000
    assert train.neurons.max() < 64
    assert (np.diff(train.ticks) >= 0).all()
    with pytest.raises(saltus.FileError, match="--address-bytes 2 --tick 200ns"):
        saltus.load(path)


def test_what_is_neither_a_network_nor_spikes_is_not_saved():
    with pytest.raises(TypeError, match=r"saltus\.Network or spikes, found int"):
        saltus.save(3, "x.npz")
    with pytest.raises(saltus.UsageError, match="2 samples: a SONATA file holds one"):
        saltus.save([SPIKES, SPIKES], "x.h5")
