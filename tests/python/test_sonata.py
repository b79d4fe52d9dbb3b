"""SONATA circuits, written here with h5py, through the Python package and the program."""

import h5py
import pytest
import saltus


def test_a_circuit_runs_as_its_numbers_say(circuit):
    net = saltus.load(circuit)
    assert net.populations == [saltus.Population("in", (1,), "Input"), saltus.Population("out", (2,), "LIF")]
    # 16 mV lift neuron 1 from -70 to above -55 mV at once; 12 mV lift neuron 0 to -58 mV, and a second spike
    # 1 ms later, when exp(-1/20) of them is left, to -46.6 mV.
    out = saltus.simulate(net, {"in": ([0.0, 1e-3], [0, 0])}, 0.01)
    train = out.spikes["out"]
    assert train.ticks.tolist() == [2 * 10**12, 25 * 10**11]
    assert train.neurons.tolist() == [0, 1]


def test_its_numbers_have_one_meaning(circuit):
    with pytest.raises(saltus.UsageError, match="convention: the numbers of this network"):
        saltus.load(circuit, convention="norse")


def test_files_that_are_wrong_are_named(circuit):
    with h5py.File(circuit.parent / "edges.h5", "r+") as file:
        file["edges/in_to_out/target_node_id"][1] = 2
    with pytest.raises(
        saltus.FileError, match=r"edges\.h5: edges 'in_to_out', target_node_id: .*found 2 at 1"
    ):
        saltus.load(circuit)
    circuit.write_text('{"networks": {"nodes": [], "edges": []}}')
    with pytest.raises(saltus.FileError, match=r"circuit_config\.json: networks\.nodes: names no population"):
        saltus.load(circuit)


def test_a_damaged_edge_file_is_refused_wherever_it_is_cut(circuit):
    path = circuit.parent / "edges.h5"
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, 97):
        path.write_bytes(whole[:length])
        with pytest.raises(saltus.FileError, match=r"edges\.h5"):
            saltus.load(circuit)
