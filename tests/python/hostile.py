"""Bad files of every kind, made where they are needed, and what the refusal of each must say.

KINDS[kind][name] is (make, words): make(folder) writes the file, or several, and returns what to load.
"""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

Case = tuple[Callable[[Path], Path], list[str]]


def written(name: str, data: str | bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return make


def nir_json(node: str) -> str:
    return '{"version": "1.0.8", "node": ' + node + "}"


def lif(**fields) -> str:
    node = {
        "type": "LIF",
        "tau": [0.01, 0.02],
        "r": [1.0, 1.0],
        "v_leak": [0.0, 0.0],
        "v_threshold": [1.0, 1.0],
    }
    node.update(fields)
    return json.dumps({key: value for key, value in node.items() if value is not ...})


def packed(**fields) -> dict:
    return {"dtype": "float32", "shape": [2], "data": "AACAPwAAgD8=", **fields}


JSON: dict[str, Case] = {
    name: (written("net.nir.json", text), words)
    for name, text, words in [
        ("empty", "", ["ends too early"]),
        ("cut off", nir_json(lif())[:60], ["ends too early"]),
        ("a list", "[1, 2]", ["expected an object"]),
        ("deep lists", '{"node": {"type": "I", "r": ' + "[" * 100_000, ["nested deeper"]),
        ("deep objects", '{"node": ' * 100_000, ["nested deeper"]),
        ("NaN", nir_json('{"type": "I", "r": [NaN]}'), ["node.r[0]", "NaN"]),
        ("huge number", nir_json('{"type": "I", "r": [1e999]}'), ["node.r[0]", "finite"]),
        (
            "ragged",
            nir_json('{"type": "I", "r": [[1.0], [1.0, 2.0]]}'),
            ["node.r[1]", "list of 1", "found 2"],
        ),
        ("key twice", nir_json('{"type": "I", "type": "I", "r": [1]}'), ["'type' occurs twice"]),
        ("null", nir_json('{"type": "I", "r": null}'), ["node.r", "null"]),
        ("number as string", nir_json(lif(tau=["0.01", "0.02"])), ["tau", "number", "string"]),
        ("field missing", nir_json(lif(tau=...)), ["'tau'"]),
        ("type unknown", nir_json(lif(type="LIFX")), ["LIFX", "CubaLIF"]),
        ("negative tau", nir_json(lif(tau=[-0.01, 0.02])), ["'tau'[0]", "-0.01"]),
        ("shape", nir_json(lif(v_threshold=[1.0, 1.0, 1.0])), ["v_threshold", "[2]", "[3]"]),
        ("declared size", nir_json(lif(tau=packed(shape=[10**12]))), ["tau", "2^31"]),
        ("short data", nir_json(lif(tau=packed(data="AACAPw=="))), ["tau.data", "base64"]),
        ("no base64", nir_json(lif(tau=packed(data="AACAPwAAgD8!"))), ["tau.data", "base64"]),
        ("dtype unknown", nir_json(lif(tau=packed(dtype="float16"))), ["tau.dtype", "float16", "float32"]),
        ("bad UTF-8", b'{"version": "\xff", "node": {}}', ["UTF-8"]),
        ("text behind", nir_json(lif()) + "x", ["unexpected 'x'"]),
        ("byte order mark", b"\xef\xbb\xbf" + nir_json(lif()).encode(), ["byte order mark"]),
        (
            "dangling edge",
            nir_json('{"type": "NIRGraph", "nodes": {"a": {"type": "I", "r": [1]}}, "edges": [["a", "b"]]}'),
            ["'a' -> 'b'"],
        ),
        (
            "edge of three",
            nir_json('{"type": "NIRGraph", "nodes": {}, "edges": [["a", "b", "c"]]}'),
            ["node.edges", "pairs"],
        ),
    ]
}

CSV: dict[str, Case] = {
    name: (written("spikes.csv", text), words)
    for name, text, words in [
        ("empty", "", ["line of names"]),
        ("only comments", "# nothing\n", ["line of names"]),
        ("no neuron", "time_s\n0.1\n", ["line 1", "'neuron'"]),
        ("no time", "neuron\n1\n", ["line 1", "'time_s'"]),
        ("unknown column", "time_s,neuron,weight\n", ["line 1", "'weight'"]),
        ("column twice", "time_s,neuron,neuron\n", ["line 1", "once"]),
        ("time in two units", "time_s,time_ms,neuron\n", ["line 1", "once"]),
        ("too few", "time_s,neuron\n0.1\n", ["line 2", "2 columns", "found 1"]),
        ("too many", "time_s,neuron\n0.1,2,3\n", ["line 2", "2 columns", "found 3"]),
        ("no number", "time_s,neuron\nsoon,2\n", ["line 2, time", "'soon'"]),
        ("NaN", "time_s,neuron\nnan,2\n", ["line 2, time", "'nan'"]),
        ("infinite", "time_s,neuron\ninf,2\n", ["line 2, time", "'inf'"]),
        ("negative time", "time_s,neuron\n-0.1,2\n", ["line 2, time", "'-0.1'"]),
        ("beyond time", "time_s,neuron\n1e30,2\n", ["line 2, time", "9223"]),
        ("negative neuron", "time_s,neuron\n0.1,-2\n", ["line 2, neuron", "'-2'"]),
        ("huge neuron", "time_s,neuron\n0.1,4294967295\n", ["line 2, neuron", "4294967294"]),
        ("neuron no whole", "time_s,neuron\n0.1,2.5\n", ["line 2, neuron", "'2.5'"]),
        ("huge sample", "time_s,neuron,sample\n0.1,2,999999999\n", ["line 2, sample", "1048575"]),
        ("open quote", 'time_s,neuron,population\n0.1,2,"a\n', ["line 2", "closing quote"]),
        ("bad UTF-8", b"time_s,neuron\n\xff\xfe,1\n", ["UTF-8"]),
    ]
}


def aer(*events: tuple[int, int, int, int]) -> bytes:
    """Of (x, y, polarity, microseconds)."""
    return b"".join(bytes([x, y]) + struct.pack(">I", p << 23 | t)[1:] for x, y, p, t in events)


def addresses(*events: tuple[int, int], header: bytes = b"#!AER-DAT2.0\r\n") -> bytes:
    return header + b"".join(struct.pack(">II", *event) for event in events)


AER: dict[str, Case] = {
    "half an event": (written("e.bin", aer((1, 2, 0, 5))[:4]), ["multiple of 5", "4"]),
    "one byte more": (written("e.bin", aer((1, 2, 0, 5)) + b"\0"), ["multiple of 5", "6"]),
    "two bytes more": (written("e.bin", aer((1, 2, 0, 5)) * 2 + b"\0\0"), ["multiple of 5", "12"]),
    "time backwards": (written("e.bin", aer((1, 2, 0, 5), (1, 2, 0, 4))), ["event 1"]),
    "time far backwards": (written("e.bin", aer((1, 2, 0, 8388607), (1, 2, 0, 0))), ["event 1"]),
    "x outside": (written("e.bin", aer((34, 2, 0, 5))), ["event 0", "34 x 34", "34, 2", "--frame"]),
    "y outside": (written("e.bin", aer((3, 2, 0, 5), (3, 255, 0, 6))), ["event 1", "3, 255"]),
    "text": (written("e.bin", "this is a text file\n"), ["event"]),
    "no header": (written("e.aedat", addresses((1, 2), header=b"")), ["#!AER-DAT2.0", "--address-bytes"]),
    "empty": (written("e.aedat", b""), ["#!AER-DAT2.0"]),
    "version 3": (
        written("e.aedat", addresses((1, 2), header=b"#!AER-DAT3.1\r\n")),
        ["line 1", "AER-DAT 1.0 or 2.0"],
    ),
    "version unknown": (written("e.aedat", addresses(header=b"#!AER-DATx.y\r\n")), ["line 1", "AER-DATx.y"]),
    "header without end": (written("e.aedat", b"#!AER-DAT2.0"), ["line break"]),
    "second line without end": (written("e.aedat", b"#!AER-DAT2.0\n# endless"), ["line break"]),
    "cut off": (written("e.aedat", addresses((1, 2), (3, 4))[:-1]), ["multiple of 8", "15"]),
    "other width": (
        written("e.aedat", addresses(header=b"#!AER-DAT1.0\n") + b"\0" * 8),
        ["multiple of 6", "8"],
    ),
    "ticks backwards": (written("e.aedat", addresses((1, 9), (1, 8))), ["event 1", "9 ticks", "found 8"]),
    "largest address": (written("e.aedat", addresses((0xFFFFFFFF, 8))), ["event 0", "2^32 - 1"]),
    "folder": (lambda folder: (folder / "e.aedat").mkdir() or folder / "e.aedat", ["folder"]),
}


def archive(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def entries(*files: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, data in files:
            file.writestr(name, data)
    return buffer.getvalue()


def npy(descr: str = "<f8", shape: str = "(1,)", data: bytes = b"\0" * 8, version: int = 1) -> bytes:
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(header)) + header.encode() + data


def changed(data: bytes, at: bytes, offset: int, new: bytes) -> bytes:
    place = data.rindex(at) + offset
    return data[:place] + new + data[place + len(new) :]


def bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        zeros = b"\0" * (256 << 20)
        file.writestr("neurons.npy", npy("<u4", f"({len(zeros) // 4},)", zeros))
    return buffer.getvalue()


T, N = np.array([0.1, 0.2]), np.array([0, 1])
GOOD = archive(times=T, neurons=N)
ENTRY = b"PK\x01\x02"
NPZ: dict[str, Case] = {
    name: (written("s.npz", data), words)
    for name, data, words in [
        ("empty", b"", ["ZIP"]),
        ("text", "this is no archive, but a text that is long enough", ["ZIP"]),
        ("cut off", GOOD[:-10], ["truncated"]),
        ("no arrays", archive(), ["'times'", "'neurons'"]),
        ("other names", archive(t=T, i=N), ["'times'", "'neurons'", "'t'"]),
        ("no times", archive(neurons=N), ["'times'", "missing"]),
        ("lengths", archive(times=T, neurons=N[:1]), ["'neurons'", "2", "1"]),
        ("NaN", archive(times=np.array([0.1, np.nan]), neurons=N), ["'times', entry 1", "nan"]),
        ("negative", archive(times=-T, neurons=N), ["'times', entry 0", "-0.1"]),
        ("times are integers", archive(times=N, neurons=N), ["'times'", "integers", "'ticks'"]),
        ("neurons are floats", archive(times=T, neurons=T), ["'neurons'", "floats"]),
        ("negative neuron", archive(times=T, neurons=-N), ["'neurons', entry 1", "-1"]),
        ("matrix", archive(times=T.reshape(1, 2), neurons=N), ["'times'", "one dimension"]),
        ("objects", archive(times=np.array([{}, []], dtype=object), neurons=N), ["'times'", "objects"]),
        ("strings", archive(times=np.array(["a", "b"]), neurons=N), ["'times'"]),
        ("complex", archive(times=T * 1j, neurons=N), ["'times'"]),
        (
            "sample",
            archive(times=T, neurons=N, samples=np.array([0, 10**9])),
            ["'samples', entry 1", "1000000000"],
        ),
        (
            "ticks disagree",
            archive(times=T, ticks=np.array([5, 6]), neurons=N),
            ["'ticks', entry 0", "found 5"],
        ),
        ("labels", archive(times=T, neurons=N, labels=N), ["'labels'", "1 samples", "2"]),
        ("no array", entries(("neurons.npy", b"not an array")), ["'neurons'", "NumPy"]),
        ("other file", entries(("README.txt", b"hello")), ["'README.txt'"]),
        (
            "declared size",
            entries(("neurons.npy", npy("<i8", "(1000000000000,)"))),
            ["'neurons'", "1000000000000"],
        ),
        ("version 9", entries(("neurons.npy", npy(version=9))), ["'neurons'", "version", "9"]),
        ("no header", entries(("neurons.npy", b"\x93NUMPY\x01\0\xff\xff")), ["'neurons'", "header"]),
        ("array twice", entries(("neurons.npy", npy("<i8")), ("neurons.npy", npy("<i8"))), ["twice"]),
        ("checksum", changed(GOOD, ENTRY, 16, b"\1\2\3\4"), ["'neurons.npy'", "checksum"]),
        ("size of entry", changed(GOOD, ENTRY, 24, b"\xfe\xff\xff\x7f"), ["'neurons.npy'", "declares"]),
        ("offset", changed(GOOD, ENTRY, 42, b"\xf0\xff\xff\x7f"), ["'neurons.npy'", "directory"]),
        ("method", changed(GOOD, ENTRY, 10, b"\x63\0"), ["'neurons.npy'", "99"]),
        ("encrypted", changed(GOOD, ENTRY, 8, b"\1\0"), ["'neurons.npy'", "encrypted"]),
    ]
} | {"bomb": (lambda folder: written("s.npz", bomb())(folder), ["'neurons.npy'", "declares"])}


def shd(change: Callable[[h5py.File], None]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / "shd.h5"
        with h5py.File(path, "w") as file:
            for name, kind, rows in (("times", "f4", [[0.1, 0.2], [0.3]]), ("units", "u2", [[3, 4], [5]])):
                data = file.create_dataset(f"spikes/{name}", (2,), dtype=h5py.vlen_dtype(np.dtype(kind)))
                for k, row in enumerate(rows):
                    data[k] = np.array(row, dtype=kind)
            file["labels"] = np.array([1, 0], dtype="u2")
            change(file)
        return path

    return make


def replaced(name: str, value) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]
        if value is not None:
            file[name] = value

    return change


def rows(name: str, kind: str, values: list[list]) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]
        data = file.create_dataset(name, (len(values),), dtype=h5py.vlen_dtype(np.dtype(kind)))
        for k, row in enumerate(values):
            data[k] = np.array(row, dtype=kind)

    return change


def huge(file: h5py.File) -> None:
    del file["labels"]
    file.create_dataset("labels", (10**12,), dtype="u2", chunks=(10**6,))


def bytes_of(make: Callable[[Path], Path], edit: Callable[[bytes], bytes]) -> Callable[[Path], Path]:
    def edited(folder: Path) -> Path:
        path = make(folder)
        path.write_bytes(edit(path.read_bytes()))
        return path

    return edited


SHD: dict[str, Case] = {
    "cut off": (bytes_of(shd(lambda file: None), lambda data: data[: len(data) // 2]), ["truncated"]),
    "other data": (written("shd.h5", b"no HDF5 at all"), ["HDF5"]),
    "no labels": (shd(replaced("labels", None)), ["labels", "missing"]),
    "no units": (shd(replaced("spikes/units", None)), ["spikes"]),
    "fewer labels": (shd(replaced("labels", np.array([1], dtype="u2"))), ["times"]),
    "labels are text": (shd(replaced("labels", [b"a", b"b"])), ["labels", "string"]),
    "labels are a matrix": (shd(replaced("labels", np.zeros((2, 2), dtype="u2"))), ["times"]),
    "huge labels": (shd(huge), ["labels", "1000000000000"]),
    "fewer units": (shd(rows("spikes/units", "u2", [[3], [5]])), ["sample 0", "2", "found 1"]),
    "NaN": (shd(rows("spikes/times", "f4", [[0.1, np.nan], [0.3]])), ["times", "nan"]),
    "negative time": (shd(rows("spikes/times", "f4", [[0.1, 0.2], [-0.5]])), ["times", "-0.5"]),
    "infinite": (shd(rows("spikes/times", "f4", [[0.1, 0.2], [np.inf]])), ["times", "inf"]),
    "negative unit": (shd(rows("spikes/units", "i4", [[3, -4], [5]])), ["units", "-4"]),
    "units are floats": (shd(rows("spikes/units", "f4", [[3, 4], [5]])), ["units"]),
    "times are no rows": (shd(replaced("spikes/times", np.array([0.1, 0.2]))), ["times"]),
    "times are text": (shd(replaced("spikes/times", [b"a", b"b"])), ["times"]),
    "soft link": (shd(replaced("labels", h5py.SoftLink("/spikes"))), ["labels", "soft link"]),
    "other file": (
        shd(replaced("labels", h5py.ExternalLink("other.h5", "/labels"))),
        ["labels", "another file"],
    ),
    "group": (
        shd(lambda file: (replaced("spikes/times", None)(file), file.create_group("spikes/times"))),
        ["times", "dataset"],
    ),
}

NODE_TYPES = "node_type_id model_type model_template\n0 virtual NULL\n1 point_neuron nest:iaf_psc_exp\n"
EDGE_TYPES = "edge_type_id delay syn_weight\n0 1.5 2.0\n"
CONFIG = {
    "networks": {
        "nodes": [{"nodes_file": "nodes.h5", "node_types_file": "node_types.csv"}],
        "edges": [{"edges_file": "edges.h5", "edge_types_file": "edge_types.csv"}],
    }
}


def circuit(
    nodes: Callable[[h5py.File], None] = lambda file: None,
    edges: Callable[[h5py.File], None] = lambda file: None,
    *,
    config: dict | str = CONFIG,
    node_types: str = NODE_TYPES,
    edge_types: str = EDGE_TYPES,
) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / "node_types.csv").write_text(node_types)
        (folder / "edge_types.csv").write_text(edge_types)
        with h5py.File(folder / "nodes.h5", "w") as file:
            file["nodes/in/node_type_id"] = np.zeros(1, dtype="u8")
            file["nodes/out/node_type_id"] = np.ones(2, dtype="u8")
            file["nodes/out/node_group_id"] = np.zeros(2, dtype="u4")
            file["nodes/out/node_group_index"] = np.arange(2, dtype="u8")
            file["nodes/out/0/dynamics_params/tau_m"] = np.array([10.0, 20.0])
            nodes(file)
        with h5py.File(folder / "edges.h5", "w") as file:
            file["edges/e/source_node_id"] = np.array([0, 0], dtype="u8")
            file["edges/e/source_node_id"].attrs["node_population"] = "in"
            file["edges/e/target_node_id"] = np.array([0, 1], dtype="u8")
            file["edges/e/target_node_id"].attrs["node_population"] = "out"
            file["edges/e/edge_type_id"] = np.zeros(2, dtype="u8")
            file["edges/e/edge_group_id"] = np.zeros(2, dtype="u4")
            file["edges/e/edge_group_index"] = np.arange(2, dtype="u8")
            file["edges/e/0/syn_weight"] = np.array([1.0, 2.0])
            edges(file)
        path = folder / "circuit_config.json"
        path.write_text(config if isinstance(config, str) else json.dumps(config))
        return path

    return make


def value(name: str, index: int, new) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file[name][index] = new

    return change


def no_population(file: h5py.File) -> None:
    del file["edges/e/source_node_id"].attrs["node_population"]


def other_population(file: h5py.File) -> None:
    file["edges/e/source_node_id"].attrs["node_population"] = "inn"


def huge_edges(file: h5py.File) -> None:
    del file["edges/e/edge_type_id"]
    file.create_dataset("edges/e/edge_type_id", (10**12,), dtype="u8", chunks=(10**6,))


def with_config(**changes) -> Callable[[Path], Path]:
    return circuit(config={**CONFIG, **changes})


SONATA: dict[str, Case] = {
    "no JSON": (circuit(config='{"networks": '), ["circuit_config.json", "JSON"]),
    "networks is a list": (with_config(networks=[]), ["networks", "object", "array"]),
    "no nodes": (with_config(networks={"nodes": []}), ["networks.nodes", "no population"]),
    "manifest loop": (
        circuit(
            config={
                **json.loads(json.dumps(CONFIG).replace("nodes.h5", "$A")),
                "manifest": {"$A": "$B", "$B": "$A"},
            }
        ),
        ["manifest", "never end"],
    ),
    "deep": (circuit(config='{"networks": ' + "[" * 100_000), ["nested deeper than 32"]),
    "file missing": (
        circuit(config=json.dumps(CONFIG).replace("edges.h5", "none.h5")),
        ["none.h5", "no such file"],
    ),
    "table without id": (circuit(node_types="a b\n1 2\n"), ["node_types.csv", "node_type_id"]),
    "table with holes": (circuit(node_types=NODE_TYPES + "2 virtual\n"), ["line 4", "3 columns", "found 2"]),
    "type twice": (circuit(node_types=NODE_TYPES + "1 virtual NULL\n"), ["line 4", "1 again"]),
    "type no number": (circuit(node_types=NODE_TYPES + "x virtual NULL\n"), ["line 4", "'x'"]),
    "open quote": (circuit(node_types=NODE_TYPES + '2 "virtual NULL\n'), ["line 4", "closing quote"]),
    "weight no number": (circuit(edge_types="edge_type_id syn_weight\n0 heavy\n"), ["syn_weight", "'heavy'"]),
    "unknown type": (circuit(value("nodes/out/node_type_id", 1, 7)), ["node_type_id", "entry 1", "found 7"]),
    "columns": (
        circuit(replaced("nodes/out/node_group_id", np.zeros(3, dtype="u4"))),
        ["node_group_id", "column of 2"],
    ),
    "row of group": (circuit(value("nodes/out/node_group_index", 1, 2)), ["entry 1", "found 2"]),
    "NaN": (circuit(value("nodes/out/0/dynamics_params/tau_m", 0, np.nan)), ["tau_m", "entry 0", "nan"]),
    "ids twice": (circuit(lambda file: file.__setitem__("nodes/out/node_id", [0, 0])), ["node_id", "once"]),
    "shape": (
        circuit(lambda file: file.__setitem__("nodes/out/shape", [3, 2])),
        ["shape", "number of nodes, 2"],
    ),
    "target outside": (
        circuit(edges=value("edges/e/target_node_id", 1, 2)),
        ["target_node_id", "below 2", "found 2"],
    ),
    "no population": (circuit(edges=no_population), ["source_node_id", "node_population"]),
    "population unknown": (circuit(edges=other_population), ["'inn'", "Did you mean 'in'"]),
    "huge edges": (circuit(edges=huge_edges), ["edge_type_id", "1000000000000"]),
    "weight is text": (
        circuit(edges=replaced("edges/e/0/syn_weight", [b"a", b"b"])),
        ["syn_weight", "string"],
    ),
    "soft link": (circuit(edges=replaced("edges/e/0", h5py.SoftLink("/edges"))), ["soft link"]),
    "other file": (circuit(edges=replaced("edges/e/0", h5py.ExternalLink("x.h5", "/"))), ["another file"]),
    "signal": (
        circuit(edges=lambda file: file.__setitem__("edges/e/constant_signal", [1.0])),
        ["constant_signal", "2", "found 1"],
    ),
}


def nir_data(change: Callable[[h5py.File], None]) -> Callable[[Path], Path]:
    """Two nodes, one with events and one with a grid, as the package nir writes them."""

    def make(folder: Path) -> Path:
        path = folder / "s.nirdata.h5"
        with h5py.File(path, "w") as file:
            file.attrs["__type__"] = "NIRGraphData"
            for node, kind in (("a", "EventData"), ("b", "TimeGriddedData")):
                file.create_group(f"nodes/{node}").attrs["__type__"] = "NIRNodeData"
                file.create_group(f"nodes/{node}/observables/spikes").attrs["__type__"] = kind
            events, grid = (file[f"nodes/{node}/observables/spikes"] for node in "ab")
            events.attrs["n_neurons"], events.attrs["t_max"] = 3, 0.1
            events["idx"] = np.array([[0, 2, -1], [1, 1, 0]])
            events["time"] = np.array([[0.01, 0.02, 0.0], [0.01, 0.02, 0.03]])
            grid.attrs["dt"] = 1e-3
            grid["data"] = np.zeros((2, 10, 4), bool)
            change(file)
        return path

    return make


def attribute(path: str, name: str, new) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[path].attrs[name]
        if new is not None:
            file[path].attrs[name] = new

    return change


def huge_events(file: h5py.File) -> None:
    for name, kind in (("idx", "i8"), ("time", "f8")):
        del file[f"{A}/{name}"]
        file.create_dataset(f"{A}/{name}", (10**6, 10**6), dtype=kind, chunks=(10**3, 10**3))


A, B = "nodes/a/observables/spikes", "nodes/b/observables/spikes"
NIR_DATA: dict[str, Case] = {
    name: (nir_data(change), words)
    for name, change, words in [
        ("no type", attribute("/", "__type__", None), ["'__type__'", "none"]),
        ("type of a node", attribute("/", "__type__", "NIRNodeData"), ["NIRGraphData", "'NIRNodeData'"]),
        ("no nodes", replaced("nodes", None), ["nodes", "missing"]),
        ("node without type", attribute("nodes/a", "__type__", None), ["nodes/a", "'__type__'"]),
        (
            "graph in a graph",
            attribute("nodes/a", "__type__", "NIRGraphData"),
            ["nodes/a", "within the graph"],
        ),
        ("observable unknown", attribute(A, "__type__", "Spikes"), ["EventData", "'Spikes'"]),
        ("no neurons", attribute(A, "n_neurons", None), ["'n_neurons'", "none"]),
        ("negative neurons", attribute(A, "n_neurons", -3), ["'n_neurons'", "-3"]),
        ("too many neurons", attribute(A, "n_neurons", 2**40), ["'n_neurons'", "4294967294"]),
        ("no end", attribute(A, "t_max", None), ["'t_max'", "none"]),
        ("end is no number", attribute(A, "t_max", np.nan), ["'t_max'", "nan"]),
        ("no idx", replaced(f"{A}/idx", None), ["idx", "missing"]),
        ("idx in one dimension", replaced(f"{A}/idx", np.zeros(6, int)), ["(samples, events)", "[6]"]),
        ("idx are reals", replaced(f"{A}/idx", np.zeros((2, 3))), ["idx"]),
        ("time is text", replaced(f"{A}/time", [[b"a"] * 3] * 2), ["time", "string"]),
        ("lengths", replaced(f"{A}/time", np.zeros((2, 2))), ["time", "[2, 3]", "[2, 2]"]),
        ("neuron outside", value(f"{A}/idx", (1, 2), 3), ["idx", "entry 5", "below 3", "found 3"]),
        ("neuron below -1", value(f"{A}/idx", (0, 0), -2), ["idx", "entry 0", "-2"]),
        ("NaN", value(f"{A}/time", (1, 0), np.nan), ["time", "entry 3", "nan"]),
        ("negative time", value(f"{A}/time", (0, 1), -0.5), ["time", "entry 1", "-0.5"]),
        ("beyond time", value(f"{A}/time", (0, 1), 1e30), ["time", "entry 1", "9223"]),
        ("huge events", huge_events, ["idx", "1000000"]),
        ("step of nothing", attribute(B, "dt", 0.0), ["'dt'", "> 0"]),
        ("grid in two dimensions", replaced(f"{B}/data", np.zeros((2, 4), bool)), ["neurons)", "[2, 4]"]),
        ("samples", replaced(f"{B}/data", np.zeros((3, 10, 4), bool)), ["'b'", "2 samples", "3"]),
        ("soft link", replaced(f"{A}/idx", h5py.SoftLink("/nodes")), ["idx", "soft link"]),
        ("other file", replaced(f"{A}/idx", h5py.ExternalLink("x.h5", "/idx")), ["idx", "another file"]),
    ]
} | {
    "cut off": (bytes_of(nir_data(lambda file: None), lambda data: data[: len(data) // 2]), ["truncated"]),
    "other data": (written("s.nirdata", b"no HDF5 at all"), ["HDF5"]),
}

KINDS: dict[str, dict[str, Case]] = {
    "JSON": JSON,
    "SONATA": SONATA,
    "AER": AER,
    "npz": NPZ,
    "CSV": CSV,
    "SHD": SHD,
    "NIRData": NIR_DATA,
}
