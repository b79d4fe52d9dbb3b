"""Networks in files and as graphs of nir: nothing is lost on the way."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import nir
import numpy as np
import pytest
import saltus
from conftest import (
    INFERRED_WRONGLY,
    NIR_FILES,
    assert_same_graph,
    assert_same_value,
    if_layer,
    lif,
    package_files,
    read_by_nir,
)

READ_BY_NIR = [path for path in package_files() if path.name not in ("scalar_params.nir", "single_node.nir")]
PAPER = [path for path in sorted((NIR_FILES / "paper").glob("*.nir")) if "subgraph" not in path.name]


def by_name(path):
    return path.name


@pytest.mark.parametrize("path", READ_BY_NIR, ids=by_name)
def test_a_file_read_and_written_again_is_the_same_graph_to_nir(path):
    saltus.save(saltus.load(path), path.name)
    assert_same_graph(read_by_nir(Path(path.name)), read_by_nir(path))


@pytest.mark.parametrize("path", PAPER, ids=by_name)
def test_a_published_network_read_and_written_again_has_the_same_weights_to_nir(path):
    saltus.save(saltus.load(path), path.name)
    original, written = nir.read(path, type_check=False), nir.read(path.name, type_check=False)
    assert original.nodes.keys() == written.nodes.keys()
    assert sorted(map(tuple, original.edges)) == sorted(map(tuple, written.edges))
    for name, node in original.nodes.items():
        for field in ("weight", "bias", "tau", "tau_mem", "tau_syn", "r", "v_threshold", "v_leak"):
            if hasattr(node, field):
                assert_same_value(
                    getattr(node, field), getattr(written.nodes[name], field), f"{name}/{field}"
                )


def test_single_numbers_are_written_in_the_shape_of_their_layer():
    saltus.save(saltus.load(NIR_FILES / "package" / "scalar_params.nir"), "full.nir")
    with h5py.File(NIR_FILES / "package" / "scalar_params.nir") as sparse:
        stored = {
            name: {key: field[()] for key, field in node.items()}
            for name, node in sparse["node/nodes"].items()
        }
    for name, node in nir.read("full.nir").nodes.items():
        for key, value in stored[name].items():
            if key != "input_type" and hasattr(node, key) and not isinstance(value, bytes):
                assert np.size(getattr(node, key)) >= np.size(value)
                assert np.all(getattr(node, key) == value)


def test_a_file_with_a_single_node_becomes_a_graph_of_one_node():
    path = NIR_FILES / "package" / "single_node.nir"
    graph = saltus.load(path).to_nir()
    (node,) = graph.nodes.values()
    with h5py.File(path) as file:
        assert type(node).__name__ == file["node/type"][()].decode()
        for key in set(file["node"]) - {"type", "metadata"}:
            assert_same_value(file["node"][key][()], getattr(node, key), key)


@pytest.mark.parametrize("path", package_files() + PAPER, ids=by_name)
def test_through_json_and_back_every_bit_and_type_stays(path):
    net = saltus.load(path)
    saltus.save(net, "net.nir.json")
    through_json = saltus.load("net.nir.json")
    assert through_json._document == net._document
    saltus.save(through_json, "net.nir")
    saltus.save(net, "direct.nir")
    assert_same_graph(nir.read("net.nir", type_check=False), nir.read("direct.nir", type_check=False))


@pytest.mark.parametrize("path", READ_BY_NIR, ids=by_name)
def test_a_graph_of_nir_comes_back_the_same_with_no_file_between(path):
    graph = read_by_nir(path)
    types = path.name not in INFERRED_WRONGLY
    assert_same_graph(saltus.from_nir(graph).to_nir(), graph, types=types)
    assert_same_graph(saltus.load(path).to_nir(), graph, types=types)


def test_types_are_known_where_the_inference_of_nir_refuses_a_valid_graph():
    path = NIR_FILES / "package" / "nonsquare_kernel.nir"
    with pytest.raises(ValueError, match="mismatch"):
        nir.read(path)
    graph = saltus.load(path).to_nir()
    for source, target in graph.edges:
        (given,) = graph.nodes[source].output_type.values()
        (taken,) = graph.nodes[target].input_type.values()
        assert np.array_equal(given, taken)


def test_metadata_come_back_with_their_types():
    graph = if_layer([2])
    graph.metadata = {
        "made by": "gr\u00f6\u00dfe",
        "dt": 1e-3,
        "steps": 7,
        "on": True,
        "nested": {
            "list": [1.0, 2.0],
            "single": np.float32(0.1),
            "deep": {"x": np.arange(3, dtype=np.int32)},
        },
    }
    graph.nodes["if"].metadata = {"layer": 3}
    net = saltus.from_nir(graph)
    saltus.save(net, "meta.nir")
    for back in (net.to_nir(), saltus.load("meta.nir").to_nir()):
        assert back.metadata["made by"] == "gr\u00f6\u00dfe"
        assert back.metadata["dt"].dtype == np.float64
        assert back.metadata["dt"] == 1e-3
        assert back.metadata["steps"].dtype == np.int64
        assert back.metadata["on"].dtype == np.bool_
        assert back.metadata["on"]
        assert_same_value(back.metadata["nested"]["list"], np.array([1.0, 2.0]), "list")
        assert_same_value(back.metadata["nested"]["single"], np.float32(0.1), "single")
        assert_same_value(back.metadata["nested"]["deep"]["x"], np.arange(3, dtype=np.int32), "x")
        assert back.nodes["if"].metadata["layer"] == 3


@pytest.mark.parametrize(
    ("stored", "kept"),
    [
        ("<f4", "<f4"),
        ("<f8", "<f8"),
        ("<f2", "<f4"),
        (">f4", "<f4"),
        (">f8", "<f8"),
        ("<i4", "<i4"),
        ("<i2", "<i8"),
        (">i8", "<i8"),
        ("|u1", "|u1"),
        ("<u2", "<i8"),
    ],
)
def test_element_types_are_kept_or_widened_without_loss(stored, kept):
    values = np.array([[1, 2, 3], [4, 5, 6]], dtype=stored)
    graph = lif(np.zeros((2, 3)))
    graph.nodes["fc"].weight = values
    weight = saltus.from_nir(graph).to_nir().nodes["fc"].weight
    assert weight.dtype.str == kept
    assert weight.tolist() == values.tolist()


def test_arrays_in_other_orders_of_memory_keep_their_values():
    values = np.arange(24.0).reshape(4, 6)
    for weight in (np.asfortranarray(values), values[:, ::-1], values[::2], values.T):
        graph = lif(np.zeros(weight.shape))
        graph.nodes["fc"].weight = weight
        assert np.array_equal(saltus.from_nir(graph).to_nir().nodes["fc"].weight, weight)


def test_tensors_that_carry_a_gradient_are_taken_as_arrays():
    class Tensor:  # as a tensor of torch behaves
        def __init__(self, values):
            self.values = values

        def detach(self):
            return self

        def cpu(self):
            return self

        def __array__(self, dtype=None, copy=None):
            return np.asarray(self.values, dtype=dtype)

    graph = lif(np.zeros((2, 2)))
    graph.nodes["fc"].weight = Tensor(np.eye(2, dtype=np.float32))
    assert_same_value(
        saltus.from_nir(graph).to_nir().nodes["fc"].weight, np.eye(2, dtype=np.float32), "weight"
    )


def test_the_arrays_of_to_nir_are_its_own():
    net = saltus.from_nir(lif(np.ones((2, 2))))
    net.to_nir().nodes["fc"].weight[:] = 7
    assert np.array_equal(net.to_nir().nodes["fc"].weight, np.ones((2, 2)))


def test_a_single_node_of_nir_is_taken_as_a_graph():
    one = np.ones(3)
    graph = saltus.from_nir(nir.LI(tau=one, r=one, v_leak=one)).to_nir()
    assert [type(node).__name__ for node in graph.nodes.values()] == ["LI"]


def test_a_graph_that_breaks_a_rule_is_refused_by_node_and_field():
    graph = lif(np.ones((2, 2)))
    graph.nodes["lif"].tau = np.array([0.01, -1.0])
    with pytest.raises(
        saltus.FileError, match=r"node 'lif', field 'tau'\[1\]: expected > 0, found -1"
    ) as caught:
        saltus.from_nir(graph)
    assert caught.value.path == "nir.NIRGraph"
    assert "'lif'" in caught.value.where


def test_a_duplicate_edge_is_refused_unless_its_sum_is_asked_for():
    graph = if_layer([1])
    graph.edges.append(graph.edges[0])
    with pytest.raises(saltus.FileError, match="duplicate edge"):
        saltus.from_nir(graph)
    out = saltus.simulate(saltus.from_nir(graph, sum_duplicate_edges=True), {"input": ([0.1], [0])}, 1.0)
    assert out.synaptic_events == 2


def test_values_that_no_file_could_hold_are_type_errors_that_name_their_place():
    graph = if_layer([1])
    graph.metadata = {"callback": object()}
    with pytest.raises(TypeError, match="metadata, 'callback'"):
        saltus.from_nir(graph)
    graph = if_layer([1])
    graph.nodes["if"].r = np.array(["high"], dtype=object)
    with pytest.raises(TypeError, match="node 'if', field 'r'"):
        saltus.from_nir(graph)


def test_a_graph_that_contains_itself_is_refused():
    graph = if_layer([1])
    graph.nodes["self"] = graph
    with pytest.raises(saltus.UsageError, match="contain itself"):
        saltus.from_nir(graph)


def test_without_the_package_nir_the_error_names_what_to_install(monkeypatch):
    net = saltus.from_nir(if_layer([1]))
    monkeypatch.setitem(__import__("sys").modules, "nir", None)
    with pytest.raises(ImportError, match=r"saltus\[nir\]"):
        net.to_nir()
    with pytest.raises(ImportError, match=r"saltus\[nir\]"):
        saltus.from_nir(object())


def test_files_may_be_read_and_written_by_several_threads_at_once():
    def copy(i):
        for path in READ_BY_NIR:
            saltus.save(saltus.load(path), f"{i}-{path.name}")
        return [saltus.load(f"{i}-{path.name}")._document for path in READ_BY_NIR]

    alone = copy("alone")
    with ThreadPoolExecutor(4) as pool:
        for together in pool.map(copy, range(8)):
            assert together == alone


def test_recordings_are_read_as_such():
    with pytest.warns(UserWarning, match="'v' is left out, it holds no spikes"):
        samples = saltus.load(NIR_FILES / "package" / "observables.nirdata.h5")
    assert [len(sample["lif"]) for sample in samples.spikes] == [3, 1]


def test_other_endings_are_refused():
    for call in (saltus.load, lambda path: saltus.save(saltus.from_nir(if_layer([1])), path)):
        with pytest.raises(saltus.UsageError, match=r"net\.yaml: expected a name that ends in \.nir"):
            call("net.yaml")


def test_a_missing_file_and_a_folder_that_is_not_there_are_file_errors():
    for path in ("missing.nir", "missing.nir.json"):
        with pytest.raises(saltus.FileError, match=path):
            saltus.load(path)
    for path in ("nowhere/net.nir", "nowhere/net.nir.json"):
        with pytest.raises(saltus.FileError, match="nowhere"):
            saltus.save(saltus.from_nir(if_layer([1])), path)


def test_what_is_shown_of_a_network_names_its_populations():
    net = saltus.from_nir(lif(np.ones((2, 3))))
    assert [tuple(entry) for entry in net.populations] == [("input", (3,), "Input"), ("lif", (2,), "LIF")]
    assert [tuple(entry) for entry in net.projections] == [("input", "lif", (("fc", "Linear"),))]
    assert net.outputs == {"output": "lif"}
    assert "lif         LIF    2        input > Linear" in repr(net)
    assert "<td>lif</td><td>LIF</td>" in net._repr_html_()


def test_names_of_a_file_are_text_in_html():
    graph = if_layer([1])
    graph.nodes["<b>"] = graph.nodes.pop("if")
    graph.edges = [("input", "<b>"), ("<b>", "output")]
    html = saltus.from_nir(graph)._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


def test_notes_tell_what_was_guessed_and_are_silent_about_what_was_said():
    guessed = saltus.from_nir(lif(np.ones((1, 1)), tau=20.0)).notes
    assert any("convention" in note for note in guessed)
    assert any("milliseconds" in note for note in guessed)
    said = saltus.from_nir(lif(np.ones((1, 1)), tau=20.0), convention="nir", time_unit="ms").notes
    assert said == []
