"""kill -9 at random moments, then go on: the fingerprint of the run that nothing happened to, every time.

    python tests/benchmarks/checkpoint/kill.py --program build/release/bin/saltus --times 20

Each time a run is killed up to three times, at random moments, and goes on with a random number of threads;
half of the times it is the program on a network from a file, half the Python package on one with Poisson
sources. One line each on standard output; exit code 1 unless all agree. Needs the packages saltus and numpy.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import saltus

EVERY_S = 0.05  # wall-clock time between checkpoints
THREADS = 3  # at most


def driven(neurons):
    """Neurons under constant drive, inhibiting each other after 1 ms: what a NIR file can hold."""
    rng = np.random.default_rng(1)
    build = saltus.NetworkBuilder()
    build.population(
        "ring",
        neurons,
        "lif_delta",
        tau_m=20e-3,
        V_th=20e-3,
        V_reset=0.0,
        I_e=rng.uniform(21e-3, 40e-3, neurons),
    )
    weight = rng.normal(-0.02e-3, 0.02e-3, (neurons, neurons))
    build.connect("ring", "ring", weight=weight, delay=1e-3)
    return build.network()


def noisy(neurons):
    """Poisson trains drive two populations with synaptic currents; distributed delays lead back."""
    build = saltus.NetworkBuilder(seed=1)
    build.source("noise", neurons, "poisson", rate=2000.0)
    for name, model in (("exc", "lif_exp"), ("inh", "lif_delta")):
        build.population(name, neurons, model, tau_m=20e-3, V_th=20e-3, V_reset=10e-3, t_ref=2e-3)
        build.connect("noise", name, rule="one_to_one", weight=2e-3 if name == "exc" else 0.6e-3, delay=1e-3)
    build.connect("exc", "inh", rule="fixed_indegree", k=20, weight=1e-3, delay=saltus.uniform(1e-3, 5e-3))
    build.connect("inh", "exc", rule="fixed_indegree", k=20, weight=-4e-3, delay=1.5e-3)
    return build.network()


def run_here(checkpoint, neurons, seconds, threads):
    """One run by the Python package; prints what matters here as the program does with --json."""
    out = saltus.simulate(
        noisy(neurons),
        {},
        seconds,
        threads=threads,
        checkpoint=checkpoint,
        checkpoint_every=EVERY_S,
        resume=True,
    )
    print(
        json.dumps({"fingerprint": f"{out.fingerprint:016x}", "resumed_at": out.resumed_at, "end_s": out.end})
    )


class Job:
    """A run that can be started again and again: a command for each number of threads, and its checkpoint."""

    def __init__(self, checkpoint, command):
        self.checkpoint = checkpoint
        self.command = command

    def start(self, threads):
        return subprocess.Popen(self.command(threads), stdout=subprocess.PIPE, text=True)

    def finish(self, threads):
        process = self.start(threads)
        stdout, _ = process.communicate()
        if process.returncode != 0:
            raise RuntimeError(f"{self.command(threads)} ended with {process.returncode}")
        return json.loads(stdout)


def job_of_program(program, folder, neurons, seconds):
    network = folder / "net.nir"
    saltus.save(driven(neurons), network)
    checkpoint = folder / "out.checkpoint.h5"

    def command(threads):
        fixed = [
            program,
            "run",
            network,
            "-d",
            f"{seconds}s",
            "-o",
            folder / "out.h5",
            "--json",
            "-q",
            "--resume",
        ]
        return [
            *map(str, fixed),
            "--checkpoint-every",
            f"{round(EVERY_S * 1e3)}ms",
            "--threads",
            str(threads),
        ]

    return Job(checkpoint, command)


def job_of_package(folder, neurons, seconds):
    checkpoint = folder / "run.checkpoint.h5"

    def command(threads):
        worker = [checkpoint, neurons, seconds, threads]
        return [sys.executable, __file__, "--worker", *map(str, worker)]

    return Job(checkpoint, command)


def written(path):
    """When the file was last written; None where there is none."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None


def killed_and_resumed(job, wall_s, chance, kills=3):
    """Kill the job up to `kills` times, at moments that chance has chosen; its result, and how often.

    Each time only once it has written its checkpoint anew, so that a machine that is faster or slower than
    it was in the first run does not decide whether anything is killed at all.
    """
    done = 0
    for _ in range(kills):
        before = written(job.checkpoint)
        process = job.start(1 + chance.randrange(THREADS))
        while process.poll() is None and written(job.checkpoint) in (before, None):
            time.sleep(0.002)
        time.sleep(chance.uniform(0.0, 0.25) * wall_s)
        process.kill()
        stdout, _ = process.communicate()
        if process.returncode == 0:  # done before
            return json.loads(stdout), done
        done += 1
    return job.finish(1 + chance.randrange(THREADS)), done


def check(job, whole, wall_s, chance):
    """One trial: whether it went on, ended as it should, and left no checkpoint."""
    result, kills = killed_and_resumed(job, wall_s, chance)
    equal = result["fingerprint"] == whole["fingerprint"] and result["end_s"] == whole["end_s"]
    tidy = not job.checkpoint.exists()
    return {"equal": equal, "tidy": tidy, "kills": kills, "resumed_at": result["resumed_at"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", type=Path, default=Path("build/release/bin/saltus"))
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--neurons", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=60.0, help="simulated")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    chance = random.Random(args.seed)
    failed = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jobs = {
            "program": job_of_program(args.program, folder, args.neurons, args.seconds),
            "package": job_of_package(folder, args.neurons, args.seconds),
        }
        wholes = {}
        for kind, job in jobs.items():
            begin = time.monotonic()
            wholes[kind] = (job.finish(1), time.monotonic() - begin)
        for trial in range(args.times):
            kind = ("program", "package")[trial % 2]
            result = check(jobs[kind], *wholes[kind], chance)
            print(json.dumps({"trial": trial, "job": kind, **result}), flush=True)
            failed += not (result["equal"] and result["tidy"])
    print(f"{args.times - failed} of {args.times} equal")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        path, neurons, seconds, threads = sys.argv[2:]
        run_here(path, int(neurons), float(seconds), int(threads))
    else:
        main()
