"""Committed data, small networks, and the comparison of nir graphs that several tests share."""

import dataclasses
import json
import sys
from pathlib import Path

import h5py
import nir
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
NIR_FILES = ROOT / "tests" / "conformance" / "nir"
SAMPLES = ROOT / "datasets" / "samples"


def package_files() -> list[Path]:
    """Every network of the folder of nir's own forms."""
    return sorted((NIR_FILES / "package").glob("*.nir"))


INFERRED_WRONGLY = {
    "grouped_conv.nir",
    "nonsquare_kernel.nir",
}  # by nir: their types are right in Saltus only


def read_by_nir(path: Path) -> nir.NIRGraph:
    """The graph as nir reads it; valid graphs that its inference refuses are read without it."""
    return nir.read(path, type_check=path.name not in INFERRED_WRONGLY)


def assert_same_value(a, b, place: str) -> None:
    """Equal down to element type and shape; strings and dictionaries too."""
    if isinstance(a, dict):
        assert isinstance(b, dict), place
        assert a.keys() == b.keys(), place
        for key in a:
            assert_same_value(a[key], b[key], f"{place}/{key}")
    elif isinstance(a, str):
        assert a == b, place
    else:
        a, b = np.asarray(a), np.asarray(b)
        assert (a.dtype, a.shape) == (b.dtype, b.shape), place
        assert a.tobytes() == b.tobytes(), place


def assert_same_graph(a: nir.NIRNode, b: nir.NIRNode, place: str = "", types: bool = True) -> None:
    """Field for field, with metadata, the order of edges and, if asked, the types of input and output."""
    assert type(a).__name__ == type(b).__name__, place
    assert_same_value(a.metadata, b.metadata, f"{place}/metadata")
    if isinstance(a, nir.NIRGraph):
        assert a.nodes.keys() == b.nodes.keys(), place
        assert [tuple(edge) for edge in a.edges] == [tuple(edge) for edge in b.edges], place
        for name in a.nodes:
            assert_same_graph(a.nodes[name], b.nodes[name], f"{place}/{name}", types)
        return
    for field in dataclasses.fields(a):
        if field.name not in ("metadata", "input_type", "output_type"):
            assert_same_value(getattr(a, field.name), getattr(b, field.name), f"{place}/{field.name}")
    for key in ("input_type", "output_type") if types else ():
        ours, theirs = getattr(a, key), getattr(b, key)
        assert ours.keys() == theirs.keys(), place
        assert all(np.array_equal(ours[port], theirs[port]) for port in ours), f"{place}/{key}"


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    """What a test writes under a bare name is gone after it."""
    monkeypatch.chdir(tmp_path)


def lif(weights, *, bias=None, tau=0.02, v_threshold=1.0, r=1.0) -> nir.NIRGraph:
    """One layer of LIF neurons behind a matrix [neurons, inputs]."""
    weights = np.asarray(weights, dtype=np.float64)
    neurons, inputs = weights.shape
    one = np.ones(neurons)
    fed_by = nir.Linear(weights) if bias is None else nir.Affine(weights, np.asarray(bias, dtype=np.float64))
    return nir.NIRGraph(
        nodes={
            "input": nir.Input(np.array([inputs])),
            "fc": fed_by,
            "lif": nir.LIF(tau=tau * one, r=r * one, v_leak=0 * one, v_threshold=v_threshold * one),
            "output": nir.Output(np.array([neurons])),
        },
        edges=[("input", "fc"), ("fc", "lif"), ("lif", "output")],
    )


def if_layer(shape, *, v_threshold=1.0) -> nir.NIRGraph:
    """Integrate-and-fire neurons, one to one behind an input of the same shape."""
    one = np.ones(shape)
    return nir.NIRGraph(
        nodes={
            "input": nir.Input(np.array(shape)),
            "if": nir.IF(r=one, v_threshold=v_threshold * one),
            "output": nir.Output(np.array(shape)),
        },
        edges=[("input", "if"), ("if", "output")],
    )


def python_in(code: str, *arguments) -> list[str]:
    """The command line that runs code in a Python of its own."""
    return [sys.executable, "-c", code, *map(str, arguments)]


@pytest.fixture
def circuit(tmp_path):
    """A virtual node drives two neurons of iaf_psc_delta: 12 mV after 1 ms, 16 mV after 2.5 ms."""
    (tmp_path / "circuit_config.json").write_text(
        json.dumps(
            {
                "manifest": {"$BASE_DIR": "${configdir}"},
                "components": {"point_neuron_models_dir": "$BASE_DIR"},
                "networks": {
                    "nodes": [
                        {"nodes_file": "$BASE_DIR/nodes.h5", "node_types_file": "$BASE_DIR/node_types.csv"}
                    ],
                    "edges": [
                        {"edges_file": "$BASE_DIR/edges.h5", "edge_types_file": "$BASE_DIR/edge_types.csv"}
                    ],
                },
            }
        )
    )
    (tmp_path / "node_types.csv").write_text(
        "node_type_id model_type model_template dynamics_params\n"
        "1 virtual NULL NULL\n2 point_neuron nest:iaf_psc_delta cell.json\n"
    )
    (tmp_path / "cell.json").write_text('{"tau_m": 20.0, "V_th": -55.0, "E_L": -70.0, "V_reset": -70.0}')
    (tmp_path / "edge_types.csv").write_text("edge_type_id delay\n1 1.0\n2 2.5\n")
    with h5py.File(tmp_path / "nodes.h5", "w") as file:
        for name, types in (("in", [1]), ("out", [2, 2])):
            group = file.create_group(f"nodes/{name}")
            group["node_type_id"] = np.array(types, "u8")
            group["node_group_id"] = np.zeros(len(types), "u4")
            group["node_group_index"] = np.arange(len(types), dtype="u8")
            group.create_group("0")
    with h5py.File(tmp_path / "edges.h5", "w") as file:
        group = file.create_group("edges/in_to_out")
        group["source_node_id"] = np.zeros(2, "u8")
        group["target_node_id"] = np.arange(2, dtype="u8")
        group["source_node_id"].attrs["node_population"] = "in"
        group["target_node_id"].attrs["node_population"] = "out"
        group["edge_type_id"] = np.array([1, 2], "u4")
        group["edge_group_id"] = np.zeros(2, "u2")
        group["edge_group_index"] = np.arange(2, dtype="u4")
        group.create_dataset("0/syn_weight", data=[12.0, 16.0], chunks=(1,), compression="gzip")
    return tmp_path / "circuit_config.json"
