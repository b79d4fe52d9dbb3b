"""Saltus beside every simulator that is installed, taking turns, on the benchmark networks.

    python tests/benchmarks/networks/run.py --peers-folder FOLDER [--nest-python PYTHON]
        [--brian-python PYTHON] [--genn-python PYTHON] [--roofline PROGRAM] [--json results.jsonl]

FOLDER has the scripts of the peers, each PYTHON the packages of its peer (nest: NEST and Arbor); who is not
given does not take part. The Python that runs this has saltus and numpy. Every run is a JSON line in the file
and on standard error; at the end a table in Markdown on standard output: medians and minima of the rounds,
ratios of the medians, and the bars. Exit code 1 if a run failed.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Peer:
    name: str
    kind: str  # nest, brian or genn: whose Python runs it
    script: str
    arguments: str
    bar: float = 0.0  # Saltus should be so many times faster; 0: shown, no bar


@dataclasses.dataclass
class Line:
    """One comparison: what Saltus runs, what the peers run, and the figure that is compared."""

    name: str
    what: str
    arguments: str  # of networks.py
    peers: list
    figure: str = "s per s"
    threads: tuple = (1,)


NEST, NEST_SMALL, ARBOR = "nest_balanced.py", "nest_small.py", "arbor_balanced.py"
BRIAN, GENN, FEEDFORWARD = "brian_balanced.py", "genn_balanced.py", "feedforward.py"

# {t} is the milliseconds of --t; Arbor, the slowest, gets a fraction.
B_PEERS = [
    Peer("NEST iaf_psc_exp_ps", "nest", NEST, "--model exp_ps --drive dc --t {t}", 30),
    Peer("NEST iaf_psc_exp, grid", "nest", NEST, "--model exp --drive dc --t {t}", 10),
]
LINES = [
    Line(
        "A-poisson",
        "A, Poisson drive",
        "--net A --drive poisson --t {t}",
        [
            Peer("NEST iaf_psc_delta_ps", "nest", NEST, "--model delta_ps --t {t}", 30),
            Peer("NEST iaf_psc_delta, grid", "nest", NEST, "--model delta --t {t}", 8),
            Peer("Brian2, grid", "brian", BRIAN, "--net A --t {t}", 4),
            Peer("Arbor", "nest", ARBOR, "--net A --t {slow_t}"),
        ],
        threads=(1, 2),
    ),
    Line(
        "A-dc",
        "A, constant drive",
        "--net A --drive dc --t {t}",
        [
            Peer("NEST iaf_psc_delta_ps", "nest", NEST, "--model delta_ps --drive dc --t {t}", 50),
            Peer("NEST iaf_psc_delta, grid", "nest", NEST, "--model delta --drive dc --t {t}"),
            Peer("Brian2, grid", "brian", BRIAN, "--net A --drive dc --t {t}"),
            Peer("GeNN on the CPU, grid", "genn", GENN, "--t {t}", 3),
        ],
        threads=(1, 2),
    ),
    Line(
        "B",
        "B, delays on a grid",
        "--net B --drive dc --t {t}",
        B_PEERS,
        threads=(1, 2),
    ),
    Line(
        "B-continuous",
        "B, continuous delays (peers: on a grid)",
        "--net B --drive dc --delays continuous --t {t}",
        B_PEERS,
        threads=(1, 2),
    ),
    Line(
        "E",
        "E, sparse",
        "--net E --t {t}",
        [
            Peer("NEST iaf_psc_delta_ps", "nest", NEST_SMALL, "--net sparse --t {t}", 100),
            Peer("NEST iaf_psc_delta, grid", "nest", NEST_SMALL, "--net sparse --model delta --t {t}"),
            Peer("Brian2, grid", "brian", BRIAN, "--net sparse --t {t}", 20),
            Peer("Arbor", "nest", ARBOR, "--net sparse --t {slow_t}"),
        ],
        threads=(1, 2),
    ),
    Line(
        "F",
        "F, feed-forward",
        "--net F --samples 200",
        [
            Peer("numpy, exact", "nest", FEEDFORWARD, "--peer numpy --samples 200", 30),
            Peer("NEST iaf_psc_delta_ps", "nest", FEEDFORWARD, "--peer nest --samples 200 --h 1.0", 30),
            Peer("Brian2, grid", "brian", FEEDFORWARD, "--peer brian2 --samples 200 --h 0.1", 30),
        ],
        figure="ms per sample",
    ),
    Line(
        "ring",
        "G, ring",
        "--net ring --t 100000",
        [
            Peer("NEST iaf_psc_delta_ps, 1 ms", "nest", NEST_SMALL, "--net ring --h 1.0 --t 100000", 10),
            Peer("Arbor", "nest", ARBOR, "--net ring --t 100000"),
            Peer("Brian2, grid", "brian", BRIAN, "--net ring --t 10000"),
        ],
        figure="us per spike",
    ),
    Line(
        "dc10",
        "G, ten coupled",
        "--net dc10 --t 100000",
        [Peer("NEST iaf_psc_delta_ps, 1 ms", "nest", NEST_SMALL, "--net dc10 --h 1.0 --t 100000")],
        figure="us per spike",
    ),
]

FIGURES = {
    "s per s": lambda r: r["sim_s"] / r["bio_ms"] * 1e3,
    "ms per sample": lambda r: r["ms_per_sample"],
    "us per spike": lambda r: r["us_per_spike"],
}
FASTER_ON_TWO = 1.7  # bars of the issue
OF_ROOFLINE = 1.6
OF_NESTS_BUILD = 1 / 3
MEMORY_MIB = 150

# Means and bounds for networks that no two simulators run alike: NEST 3.10.0, precise models, seeds 1 and 2,
# 2 s after 300 ms. Rate within 5 %, variation of intervals within 0.05, correlation within 0.02.
ACTIVITY = {
    "A-poisson": {"rate_hz": 20.415, "cv_isi": 0.8985, "corr_5ms": 0.0321},
    "A-dc": {"rate_hz": 20.365, "cv_isi": 0.8715, "corr_5ms": 0.0437},
    "B": {"rate_hz": 12.86, "cv_isi": 1.162, "corr_5ms": 0.0100},
}
BOUNDS = {"rate_hz": lambda x: 0.05 * x, "cv_isi": lambda x: 0.05, "corr_5ms": lambda x: 0.02}


class Runs:
    """Starts programs one at a time, keeps their results by (line, name), and writes each to the file."""

    def __init__(self, file):
        self.file = file  # or None
        self.results = {}
        self.failed = []

    def run(self, line, name, command, threads=1, cwd=None):
        """The JSON lines that a command prints; none if it fails, which is told and remembered."""
        environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
        done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, check=False)
        lines = [json.loads(text) for text in done.stdout.splitlines() if text.startswith("{")]
        if done.returncode != 0 or not lines:
            why = (done.stderr.strip().splitlines() or ["no word"])[-1]
            print(f"{line}, {name}: exit code {done.returncode}: {why}", file=sys.stderr)
            self.failed.append(f"{line}, {name}")
            return
        for result in lines:
            self.results.setdefault((line, name), []).append(result)
            text = json.dumps({"line": line, "run": name, **result})
            print(text, file=sys.stderr, flush=True)
            if self.file:
                print(text, file=self.file, flush=True)

    def of(self, line, name):
        return self.results.get((line, name), [])

    def median(self, line, name, figure):
        values = [figure(result) for result in self.of(line, name)]
        return statistics.median(values) if values else None


def saltus_name(threads):
    return "Saltus" if threads == 1 else f"Saltus, {threads} threads"


def measure(runs, lines, args):
    times = {"t": args.t, "slow_t": max(50.0, args.t / 10)}
    pythons = {"nest": args.nest_python, "brian": args.brian_python, "genn": args.genn_python}
    for _ in range(args.rounds):
        if args.roofline:
            runs.run("roofline", "roofline", [args.roofline])
        for line in lines:
            for threads in line.threads:
                options = [*line.arguments.format(**times).split(), "--threads", str(threads)]
                command = [sys.executable, HERE / "networks.py", *options]
                runs.run(line.name, saltus_name(threads), command, threads)
            for peer in line.peers:
                python = pythons[peer.kind]
                if python:
                    command = [python, peer.script, *peer.arguments.format(**times).split()]
                    runs.run(line.name, peer.name, command, cwd=args.peers_folder)
    for line in lines:
        for seed in range(1, args.seeds + 1) if line.name in ACTIVITY else ():
            options = [*line.arguments.format(t=2000, slow_t=0).split(), "--warm", "300", "--stats", "1"]
            command = [sys.executable, HERE / "networks.py", *options, "--seed", str(seed)]
            runs.run(line.name, "activity", command)


def table(head, rows):
    print("\n| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")


def number(x):
    return "-" if x is None else f"{x:.3g}"


def verdict(reached):
    return "met" if reached else "**missed**"


def speed_rows(runs, lines):
    for line in lines:
        figure = FIGURES[line.figure]
        ours = runs.median(line.name, "Saltus", figure)
        for name, bar in [
            *((saltus_name(n), 0) for n in line.threads),
            *((p.name, p.bar) for p in line.peers),
        ]:
            results = runs.of(line.name, name)
            if not results:
                continue
            median = runs.median(line.name, name, figure)
            ratio = median / ours if ours else None
            if name.startswith("Saltus,"):
                ratio, bar = (
                    (1 / ratio if ratio else None),
                    (FASTER_ON_TWO if line.name != "B-continuous" else 0),
                )
            judged = f"{bar:g} x: {verdict(ratio >= bar)}" if bar and ratio else ""
            yield [
                line.what,
                name,
                f"{number(median)} {line.figure}",
                number(min(figure(r) for r in results)),
                number(runs.median(line.name, name, lambda r: r["synaptic_events"] / r["sim_s"] * 1e-6)),
                number(runs.median(line.name, name, lambda r: r["build_s"])),
                number(runs.median(line.name, name, lambda r: r["rss_mib"])),
                "1" if name == "Saltus" else f"{number(ratio)} x" + (" faster" if "threads" in name else ""),
                judged,
            ]


def other_rows(runs):
    """The bars that are no ratio of speeds: build, memory, roofline, the sum of times, activity."""
    build = runs.median("A-dc", "Saltus", lambda r: r["build_s"])
    nest = runs.median("A-dc", "NEST iaf_psc_delta_ps", lambda r: r["build_s"])
    if build and nest:
        bar = OF_NESTS_BUILD * nest
        yield ["building A", f"{number(build)} s", f"NEST {number(nest)} s / 3", verdict(build <= bar)]
    memory = runs.median("A-dc", "Saltus", lambda r: r["rss_mib"])
    if memory:
        yield ["memory of A", f"{number(memory)} MiB", f"{MEMORY_MIB} MiB", verdict(memory <= MEMORY_MIB)]
    limits = [
        r["ns_per_update"]
        for r in runs.of("roofline", "roofline")
        if (r["case"], r["kernel"], r["threads"], r["target_bytes"]) == ("A", "compare", 1, 4)
    ]
    event = runs.median("A-dc", "Saltus", lambda r: r["ns_per_event"])
    if limits and event:
        limit = statistics.median(limits)
        reached = verdict(event <= OF_ROOFLINE * limit)
        yield ["A, ns per event", number(event), f"{OF_ROOFLINE} x roofline {number(limit)}", reached]
    sums = {r["check_sum_output_times"] for r in runs.of("F", "Saltus")}
    exact = {r["check_sum_output_times"] for r in runs.of("F", "numpy, exact")}
    if sums and exact:
        yield [
            "F, sum of output times",
            ", ".join(sums),
            ", ".join(exact) + " (exact)",
            verdict(sums == exact),
        ]
    early = runs.median("F", "Saltus", lambda r: r["ms_per_sample_to_first_output"])
    if early:
        yield ["F, ms a sample up to its first output spike", number(early), "", ""]
    for line, expected in ACTIVITY.items():
        results = runs.of(line, "activity")
        for name, value in expected.items() if results else ():
            mean = statistics.mean(r[name] for r in results)
            bound = BOUNDS[name](value)
            reached = verdict(abs(mean - value) <= bound)
            yield [f"{line}, {name}", number(mean), f"{value:g} +- {bound:.3g}", reached]


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers-folder", type=pathlib.Path, help="folder with the scripts of the peers")
    parser.add_argument("--nest-python")
    parser.add_argument("--brian-python")
    parser.add_argument("--genn-python")
    parser.add_argument("--roofline", help="the program benchmark_roofline")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=3, help="runs for the statistics of A and B; 0: none")
    parser.add_argument("--t", type=float, default=1000.0, help="milliseconds of A, B, E")
    parser.add_argument("--only", help="lines, with commas between: " + ",".join(x.name for x in LINES))
    parser.add_argument("--json", help="file for one JSON line per run")
    args = parser.parse_args()
    chosen = args.only.split(",") if args.only else [line.name for line in LINES]
    for name in chosen:
        if name not in [line.name for line in LINES]:
            parser.error(f"--only: no line {name!r}")
    for python in ("nest", "brian", "genn"):
        if getattr(args, f"{python}_python") and not args.peers_folder:
            parser.error(f"--{python}-python: needs --peers-folder")
    return args, [line for line in LINES if line.name in chosen]


def main():
    args, lines = options()
    with open(args.json, "w", encoding="utf-8") if args.json else contextlib.nullcontext() as file:
        runs = Runs(file)
        measure(runs, lines, args)
    head = ["network", "run", "median", "minimum", "Mev/s", "build s", "MiB", "against Saltus", "bar"]
    table(head, speed_rows(runs, lines))
    table(["line", "measured", "bar", ""], other_rows(runs))
    if runs.failed:
        sys.exit("failed: " + "; ".join(runs.failed))


if __name__ == "__main__":
    main()
