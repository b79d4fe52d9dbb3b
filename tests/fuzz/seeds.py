"""Seeds for the fuzzers: small files of each kind, those that are committed and some made here.

seeds.py FOLDER writes FOLDER/READER/NAME for every reader of readers.cpp.
"""

import gzip
import json
import shutil
import struct
import sys
from pathlib import Path

import h5py
import numpy as np

TESTS = Path(__file__).parents[1]
LARGEST = 60_000  # bytes of a seed: larger ones slow the fuzzer down more than they teach it


def copy(folder: Path, files) -> None:
    for file in files:
        if file.stat().st_size <= LARGEST:
            shutil.copy(file, folder / "-".join(file.relative_to(TESTS.parent).parts[-3:]))


def plain(value):
    """An HDF5 tree of NIR as JSON."""
    if isinstance(value, h5py.Group):
        return {name: plain(value[name]) for name in value}
    found = value.asstr()[()] if h5py.check_string_dtype(value.dtype) else value[()]
    return found if isinstance(found, str) else np.asarray(found).tolist()


def json_seeds(folder: Path) -> None:
    for file in sorted(TESTS.glob("conformance/nir/*/*.nir")):
        if file.stat().st_size > LARGEST or "hostile" in file.parts:
            continue
        try:
            with h5py.File(file) as tree:
                text = json.dumps(plain(tree))
        except OSError:
            continue
        if len(text) <= LARGEST:
            (folder / f"{file.stem}.json").write_text(text)
    packed = {"dtype": "float32", "shape": [2], "data": "AACAPwAAgD8="}
    node = {"type": "LIF", "tau": packed, "r": 1.0, "v_leak": 0, "v_threshold": [1, 1.5]}
    (folder / "packed.json").write_text(json.dumps({"version": "1.0.8", "node": node}))


def sonata_seeds(folder: Path) -> None:
    with h5py.File(folder / "small.h5", "w", libver="earliest") as file:
        file["nodes/in/node_type_id"] = np.zeros(2, dtype="u8")
        file["nodes/out/node_type_id"] = np.ones(3, dtype="u8")
        file["nodes/out/node_group_id"] = np.zeros(3, dtype="u4")
        file["nodes/out/node_group_index"] = np.arange(3, dtype="u8")
        file["nodes/out/0/dynamics_params/tau_m"] = np.array([10.0, 20.0, 30.0])
        edges = file.create_group("edges/in_out")
        edges["source_node_id"] = np.array([0, 1, 1], dtype="u8")
        edges["source_node_id"].attrs["node_population"] = np.bytes_("in")
        edges["target_node_id"] = np.array([0, 1, 2], dtype="u8")
        edges["target_node_id"].attrs["node_population"] = np.bytes_("out")
        edges["edge_type_id"] = np.zeros(3, dtype="u8")
        edges["edge_group_id"] = np.zeros(3, dtype="u4")
        edges["edge_group_index"] = np.arange(3, dtype="u8")
        edges["0/syn_weight"] = np.array([1.0, -2.0, 3.0])
        edges["0/delay"] = np.array([1.0, 2.0, 0.5])
        edges["0/nsyns"] = np.array([1, 1, 2], dtype="u4")


def config_seeds(folder: Path) -> None:
    (folder / "circuit.json").write_text(
        json.dumps(
            {
                "manifest": {"$BASE": "${configdir}", "$NET": "$BASE/net"},
                "components": {"point_neuron_models_dir": "$BASE/cells", "synaptic_models_dir": "syn"},
                "networks": {
                    "nodes": [{"nodes_file": "$NET/n.h5", "node_types_file": "${NET}/t.csv"}],
                    "edges": [{"edges_file": "e.h5", "edge_types_file": None, "enabled": False}],
                },
            }
        )
    )
    (folder / "simulation.json").write_text(
        json.dumps(
            {
                "network": "c.json",
                "run": {"tstop": 100.0, "dt": 0.1},
                "inputs": {"a": {"input_type": "spikes", "module": "sonata", "input_file": "s.h5"}},
            }
        )
    )


def spike_seeds(folder: Path) -> None:
    with h5py.File(folder / "sonata.h5", "w") as file:
        population = file.create_group("spikes/a")
        population["timestamps"] = np.array([0.5, 1.0])
        population["timestamps"].attrs["units"] = "ms"
        population["node_ids"] = np.array([0, 1], dtype="u8")
        population.attrs["sorting"] = "by_time"
    with h5py.File(folder / "old.h5", "w") as file:
        file["spikes/timestamps"] = np.array([0.5, 1.0])
        file["spikes/gids"] = np.array([0, 1], dtype="u8")
    with h5py.File(folder / "shd.h5", "w") as file:
        for name, kind, rows in (("times", "f2", [[0.1, 0.2], []]), ("units", "u2", [[3, 4], []])):
            file.create_dataset(f"spikes/{name}", (2,), dtype=h5py.vlen_dtype(np.dtype(kind)))
            for k, row in enumerate(rows):
                file[f"spikes/{name}"][k] = np.array(row, dtype=kind)
        file["labels"] = np.array([1, 0], dtype="u2")
        file["extra/keys"] = [b"one", b"two"]
    with h5py.File(folder / "camera.h5", "w") as file:
        for name, kind in (("x", "u1"), ("y", "u1"), ("p", "u1"), ("t_us", "u4")):
            file[f"events/{name}"] = np.array([1, 1, 0], dtype=kind)
        file["offsets"] = np.array([0, 1, 2, 3], dtype="u8")
        file["label"] = np.array([1, 2, 3], dtype="u1")
    with h5py.File(folder / "features.h5", "w") as file:
        file.create_dataset("samples", data=np.arange(8.0).reshape(4, 2), chunks=(2, 2), compression="gzip")
        file["labels"] = np.array([0, 1, 2, 0])


def idx_seeds(folder: Path) -> None:
    idx = struct.pack(">4B2I", 0, 0, 8, 2, 2, 3) + bytes(range(6))
    (folder / "plain.idx").write_bytes(idx)
    (folder / "packed.idx.gz").write_bytes(gzip.compress(idx))


def convention_seeds(folder: Path) -> None:
    own = {
        "like": "norse",
        "dt": "1ms",
        "precision": "float64",
        "neurons": {"reset": "subtract", "fires": "at_threshold"},
        "IF": {"retention": 0.9},
        "LIF": {"membrane": "decay", "leak": "exponential"},
        "nodes": ["LIF", "Linear"],
    }
    (folder / "own.json").write_text(json.dumps(own))
    (folder / "small.json").write_text('{"like": "snntorch", "dt": "0.5ms"}')


def recording_seeds(folder) -> None:
    times, neurons = np.array([0.001, 0.0025]), np.array([3, 1], dtype="u4")
    np.savez(folder("npz") / "one.npz", times=times, neurons=neurons)
    np.savez_compressed(
        folder("npz") / "many.npz",
        **{"a.ticks": (times * 1e15).astype("i8"), "a.neurons": neurons, "a.samples": np.array([0, 1])},
        labels=np.array([4, 5]),
        samples_count=2,
    )
    (folder("csv") / "one.csv").write_text("time_s,neuron\n0.001,3\n2.5e-3,1\n")
    (folder("csv") / "many.csv").write_text(
        '# comment\nsample,population,time_ms,neuron\n0,a,1,3\n1,"b ""c"", d",2.5,1\n2,a,,\n'
    )
    header = b"#!AER-DAT2.0\r\n# made\r\n"
    (folder("aedat") / "two.aedat").write_bytes(header + struct.pack(">4I", 5, 10, 6, 11))
    (folder("aedat") / "one.aedat").write_bytes(b"#!AER-DAT1.0\n" + struct.pack(">HIHI", 5, 10, 6, 11))
    (folder("aedat") / "none.aedat").write_bytes(struct.pack(">4I", 5, 10, 6, 11))
    shutil.copy(folder("sonata_config") / "simulation.json", folder("simulation"))
    with h5py.File(folder("nirdata") / "all.h5", "w") as file:
        file.attrs["__type__"] = "NIRGraphData"
        node = file.create_group("nodes/lif")
        node.attrs["__type__"] = "NIRNodeData"
        spikes = node.create_group("observables/spikes")
        spikes.attrs.update({"__type__": "EventData", "n_neurons": 4, "t_max": 0.01})
        spikes["idx"], spikes["time"] = (
            np.array([[3, 1], [2, -1]]),
            np.array([[0.001, 0.002], [0.003, np.inf]]),
        )
        potential = node.create_group("observables/v")
        potential.attrs.update({"__type__": "TimeGriddedData", "dt": 0.001})
        potential["data"] = np.zeros((2, 3, 4), dtype="f4")


def clock_seeds(folder: Path) -> None:
    """Choices at random: networks of every size and kind."""
    choices = np.random.default_rng(1)
    for k in range(40):
        (folder / f"random{k}").write_bytes(choices.bytes(150))


def main(out: Path) -> None:
    def folder(name: str) -> Path:
        (out / name).mkdir(parents=True, exist_ok=True)
        return out / name

    copy(folder("nir"), sorted(TESTS.glob("conformance/nir/**/*.nir")))
    json_seeds(folder("json"))
    sonata_seeds(folder("sonata"))
    config_seeds(folder("sonata_config"))
    spike_seeds(folder("spikes"))
    copy(folder("aer"), sorted((TESTS.parent / "datasets/samples/n-mnist").glob("**/*.bin")))
    idx_seeds(folder("idx"))
    convention_seeds(folder("convention"))
    recording_seeds(folder)
    for clock in ("exact_clock", "stepped_clock"):
        clock_seeds(folder(clock))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
