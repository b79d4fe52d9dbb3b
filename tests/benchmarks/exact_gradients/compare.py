"""Training on exact gradients, Saltus beside the program of Wunderlich & Pehle 2021, one thread each.

    python compare.py SALTUS EVENTPROP_FOLDER [--mnist MNIST_FOLDER] [--rounds 3]

Prints for each task the most samples a CPU second that either reached in a round. See README.md here for how
the peer is built.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
YIN_YANG = [
    "--hidden",
    "120",
    "--tau-syn",
    "3.3333ms",
    "--tau-m",
    "13.3333ms",
    "--tau-0",
    "0.3333ms",
    "--tau-1",
    "4.3ms",
    "--alpha",
    "3e-4",
    "--wake",
    "30",
    "--batch",
    "32",
    "--schedule",
    "constant",
]
MNIST = [
    "--hidden",
    "350",
    "--loss",
    "largest_potential",
    "--slot",
    "78125ns",
    "--slots",
    "256",
    "-d",
    "40ms",
    "--batch",
    "64",
    "--schedule",
    "constant",
    "--validation",
    "1000",
]


def cpu_seconds(command):
    """User and system time of a command."""
    before = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def of_saltus(saltus, data, arguments, epochs):
    """Samples a second of further epochs: what reading the data takes cancels."""
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "log.jsonl"
        command = [saltus, "train", "exact", data, "-o", f"{folder}/net.nir", "--log", log, *arguments, "-q"]
        seconds = [cpu_seconds([*command, "--epochs", str(n)]) for n in epochs]
        epoch = json.loads(log.read_text().splitlines()[-1])
        # Held back samples are only run forward: counted as none.
        return epoch["training"]["samples"] * (epochs[1] - epochs[0]) / (seconds[1] - seconds[0])


def of_peer(folder, *arguments):
    lines = subprocess.run(
        [sys.executable, HERE / "peer_eventprop.py", folder, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout.splitlines()
    return max(json.loads(line)["samples_per_cpu_s"] for line in lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("saltus")
    parser.add_argument("eventprop")
    parser.add_argument("--mnist")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    tasks = {
        "yin-yang": (
            lambda: of_saltus(options.saltus, "yin-yang", YIN_YANG, (1, 4)),
            lambda: of_peer(options.eventprop, "yin-yang", "--epochs", "3"),
        )
    }
    if options.mnist:
        tasks["mnist"] = (
            lambda: of_saltus(options.saltus, options.mnist, MNIST, (1, 2)),
            lambda: of_peer(options.eventprop, "mnist", "--data", options.mnist, "--samples", "1000"),
        )
    for task, (own, peer) in tasks.items():
        rounds = [(own(), peer()) for _ in range(options.rounds)]
        ours, theirs = (max(column) for column in zip(*rounds, strict=True))
        print(
            json.dumps(
                {
                    "task": task,
                    "saltus_samples_per_cpu_s": round(ours),
                    "eventprop_samples_per_cpu_s": round(theirs),
                    "ratio": round(ours / theirs, 2),
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
