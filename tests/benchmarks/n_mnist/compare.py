"""Saltus beside torch on the 60 N-MNIST recordings, one thread each, taking turns.

    python tests/benchmarks/n_mnist/compare.py build/release/bin/saltus [--rounds 3]

needs torch, h5py and numpy in the Python that runs it. Prints one JSON line per run and the ratios of the
medians.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
NETWORK = ROOT / "datasets/samples/cnn_nmnist/cnn_sinabs.nir"
RECORDINGS = ROOT / "datasets/samples/n-mnist"


def json_of(command):
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def saltus(program, convention):
    out = json_of(
        [
            program,
            "evaluate",
            NETWORK,
            RECORDINGS,
            "--threads",
            "1",
            "--json",
            "-q",
            "--convention",
            convention,
        ]
    )
    return {
        "peer": f"saltus exact, {convention}",
        "samples": out["samples"],
        "correct": out["correct"],
        "s_per_sample": out["sim_s_per_sample"],
        "spikes": out["spikes_per_sample"],
        "synaptic_events": out["synaptic_events_per_sample"],
    }


def torch_stepped(how, reset):
    return json_of([sys.executable, HERE / "torch_stepped.py", "--how", how, "--reset", reset])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    runs = {
        "saltus, reset to zero": lambda: saltus(args.program, "nir"),
        "torch, step by step, reset to zero": lambda: torch_stepped("steps", "zero"),
        "torch, layer by layer, reset to zero": lambda: torch_stepped("layers", "zero"),
        "saltus, repeated subtraction": lambda: saltus(args.program, "sinabs"),
        "torch, step by step, subtraction": lambda: torch_stepped("steps", "subtract"),
    }
    seconds = {name: [] for name in runs}
    for _ in range(args.rounds):
        for name, run in runs.items():
            result = run()
            print(json.dumps({"run": name, **result}), flush=True)
            seconds[name].append(result["s_per_sample"])
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    fastest = medians["saltus, reset to zero"]
    for name, value in medians.items():
        print(f"{name:40s} {1e3 * value:9.2f} ms a recording   {value / fastest:6.1f} x", file=sys.stderr)


if __name__ == "__main__":
    main()
