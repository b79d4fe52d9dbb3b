"""One benchmark network in Saltus; prints one JSON line.

    python tests/benchmarks/networks/networks.py --net A --drive dc --threads 1 --t 1000 --warm 100

`build_s` is making the network and getting it ready to run, `sim_s` the simulation of --t milliseconds after
a warm-up of --warm. synaptic_events are spikes times synapses, external_events the expected arrivals from
outside, as the scripts of the other simulators count them; delivered is what Saltus counted. Needs the
packages saltus and numpy.
"""

import argparse
import json
import os
import resource
import time

import numpy as np
import saltus
from activity import statistics
from definitions import NETWORKS, feedforward


def options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--net", choices=[*NETWORKS, "F"], default="A")
    parser.add_argument("--drive", choices=["poisson", "dc"], default="poisson", help="A and B")
    parser.add_argument("--delays", choices=["grid", "continuous"], default="grid", help="B and E")
    parser.add_argument("--wiring", choices=["rule", "splitmix"], default="rule", help="A, B and E")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--t", type=float, default=1000.0, help="milliseconds")
    parser.add_argument("--warm", type=float, default=100.0, help="milliseconds before them, not timed")
    parser.add_argument("--stats", type=int, default=0, help="1: rate, variation, correlation")
    parser.add_argument("--record", type=int, default=0, help="1: record all spikes")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of neurons in A, B, E")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--samples", type=int, default=200, help="F")
    return parser.parse_args()


def timed_run(benchmark, args):
    """The run until the end, the seconds to prepare it, and less its warm-up: seconds, spikes, events.

    The warm-up is a run of its own that takes the same course; its figures are subtracted. What it has
    prepared serves both.
    """
    record = ("spikes",) if args.stats or args.record else ()
    begin, end = args.warm * 1e-3, (args.warm + args.t) * 1e-3

    def run(duration):
        return saltus.simulate(
            benchmark.network, benchmark.inputs, duration=duration, threads=args.threads, record=record
        )

    def figures(out):
        spikes = sum(out.spike_counts[name] for name in benchmark.sizes)
        return np.array([out.sim_s, spikes, out.synaptic_events])

    warm, out = run(begin), run(end)
    sim_s, spikes, delivered = figures(out) - figures(warm)
    return out, warm.build_s, float(sim_s), int(spikes), int(delivered)


def recorded_statistics(benchmark, out, args):
    times = np.concatenate([out.spikes[name].times for name in benchmark.sizes])
    neurons, first = [], 0
    for name, size in benchmark.sizes.items():
        neurons.append(first + out.spikes[name].neurons)
        first += size
    begin = args.warm * 1e-3
    return statistics(times, np.concatenate(neurons), benchmark.size, begin, begin + args.t * 1e-3)


def recurrent(args):
    start = time.perf_counter()
    benchmark = NETWORKS[args.net](saltus.NetworkBuilder(seed=args.seed), args)
    built = time.perf_counter() - start
    out, prepared, sim_s, spikes, delivered = timed_run(benchmark, args)
    internal, external = spikes * benchmark.degree, int(benchmark.external_hz * args.t * 1e-3)
    events = internal + external
    result = {
        "net": args.net,
        "drive": args.drive,
        "delays": args.delays,
        "wiring": args.wiring,
        "bio_ms": args.t,
        "n": benchmark.size,
        "synapses": benchmark.size * benchmark.degree,
        "build_s": built + prepared,
        "sim_s": sim_s,
        "spikes": spikes,
        "synaptic_events": internal,
        "external_events": external,
        "delivered": delivered,
        "events_per_s": events / sim_s,
        "recurrent_events_per_s": internal / sim_s,
        "ns_per_event": sim_s / max(events, 1) * 1e9,
        "us_per_spike": sim_s / max(spikes, 1) * 1e6,
    }
    return result | (recorded_statistics(benchmark, out, args) if args.stats else {})


def feedforward_samples(args):
    """Each sample is a run of its own; then once more, each ended at its first output spike."""
    start = time.perf_counter()
    network, samples = feedforward(saltus.NetworkBuilder(seed=args.seed), args.samples)
    built = time.perf_counter() - start

    def run(times, until=None):
        inputs = {"pixels": (times, np.arange(times.size))}
        return saltus.simulate(
            network,
            inputs,
            duration=0.264,
            threads=args.threads,
            record=("spikes",),
            until_first_spike_of=until,
        )

    outs = [run(times) for times in samples]
    stopped = [run(times, "output") for times in samples]
    sim_s = sum(out.sim_s for out in outs)
    stopped_s = sum(out.sim_s for out in stopped)
    delivered = sum(out.synaptic_events for out in outs)
    sum_of_times = sum(float(np.sum(out.spikes["output"].times * 1e3)) for out in outs)
    return {
        "net": "F",
        "samples": args.samples,
        "build_s": built + outs[0].build_s,
        "sim_s": sim_s,
        "hidden_spikes": sum(out.spike_counts["hidden"] for out in outs),
        "output_spikes": sum(out.spike_counts["output"] for out in outs),
        "synaptic_events": delivered,
        "events_per_s": delivered / sim_s,
        "ns_per_event": sim_s / delivered * 1e9,
        "ms_per_sample": sim_s / args.samples * 1e3,
        "ms_per_sample_to_first_output": stopped_s / args.samples * 1e3,
        "check_sum_output_times": f"{sum_of_times:.9f}",
    }


def main():
    args = options()
    result = feedforward_samples(args) if args.net == "F" else recurrent(args)
    head = {"peer": f"saltus {saltus.__version__}", "threads": args.threads}
    tail = {
        "rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "load_avg": os.getloadavg()[0],
    }
    line = {k: float(f"{v:.5g}") if isinstance(v, float) else v for k, v in (head | result | tail).items()}
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
