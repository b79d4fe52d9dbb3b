"""The cortical microcircuit of Potjans and Diesmann, at any scale.

T. C. Potjans and M. Diesmann, The cell-type specific cortical microcircuit, Cerebral Cortex 24(3):785-806
(2014); parameters in datasets/microcircuit. 77,169 LIF neurons with exponential currents in four layers, 3
x 10^8 synapses: a fixed number for each projection, pairs drawn with replacement; weights normal with 10 %,
twice as strong from L4E to L23E; delays normal, in steps of 0.1 ms, drawn again below one step and beyond 5
standard deviations (3 of 10^7). Every neuron has a Poisson train of its own for its external inputs, or the
direct current of the same mean.

Scaled down as in that folder's README (van Albada, Helias and Diesmann 2015); with direct current at least
0.3 of the inputs must stay, for otherwise the current of those left out keeps a silent network silent. Prints
the rate of each population beside the published one.
"""

import argparse
import json
import math
import resource
import time
from pathlib import Path

import measures
import numpy as np
import saltus

PARAMETERS = json.loads(
    (Path(__file__).resolve().parents[2] / "datasets/microcircuit/potjans_diesmann_2014.json").read_text()
)
NAMES = PARAMETERS["populations"]
RATES = dict(zip(NAMES, PARAMETERS["reference_rates_hz"]["newer_implementation"], strict=True))
STEP = 0.1e-3  # of delays [s]


def sizes(scale: float) -> dict[str, int]:
    """Neurons of each population."""
    return {name: max(1, round(scale * n)) for name, n in zip(NAMES, PARAMETERS["neurons"], strict=True)}


def weight(target: str, source: str) -> float:
    """Mean current of a synapse at full scale, in amperes."""
    factor = PARAMETERS["psp_L4E_to_L23E_factor"] if (target, source) == ("L23E", "L4E") else 1.0
    kind = "psc_exc_pA" if source.endswith("E") else "psc_inh_pA"
    return factor * PARAMETERS["derived"][kind] * 1e-12


def delay(source: str):
    """How the delays of the synapses of a source are drawn."""
    mean = PARAMETERS["delay_ms"]["exc_mean" if source.endswith("E") else "inh_mean"] * 1e-3
    sd = PARAMETERS["delay_ms"]["relative_sd"] * mean
    return saltus.normal(mean, sd, low=STEP, high=mean + 5 * sd, step=STEP)


def network(scale: float, indegree: float, drive: str, seed: int) -> tuple[saltus.Network, int]:
    """Build the network of scale x neurons with indegree x inputs each; also the number of its synapses."""
    p = PARAMETERS["neuron"]
    neuron = {name: p[f"{name}_ms"] * 1e-3 for name in ("tau_m", "tau_syn", "t_ref")}
    neuron |= {name: p[f"{name}_mV"] * 1e-3 for name in ("E_L", "V_th", "V_reset")}
    external_weight = weight("", "E")
    stronger = 1 / math.sqrt(indegree)  # weights, so that the variance of the input stays
    start = np.random.default_rng(seed)

    build = saltus.NetworkBuilder(seed)
    n = sizes(scale)
    for k, name in enumerate(NAMES):
        external_rate = PARAMETERS["external_indegree"][k] * PARAMETERS["external_rate_hz"]
        external = external_rate * external_weight
        internal = sum(
            K * weight(name, source) * RATES[source]
            for source, K in zip(NAMES, PARAMETERS["derived"]["mean_indegree"][k], strict=True)
        )
        # What the missing inputs would bring in the mean, and the external inputs if they are no spikes.
        I_e = neuron["tau_syn"] * (1 - math.sqrt(indegree)) * (internal + external)
        if drive == "dc":
            I_e += neuron["tau_syn"] * math.sqrt(indegree) * external
        V_0 = start.normal(p["V0_mean_by_population_mV"][k], p["V0_sd_by_population_mV"][k], n[name]) * 1e-3
        build.population(name, n[name], "lif_exp", C_m=p["C_m_pF"] * 1e-12, **neuron, I_e=I_e, V_0=V_0)
        if drive == "poisson":
            source = f"drive of {name}"
            build.source(source, n[name], "poisson", rate=indegree * external_rate)
            build.connect(
                source,
                name,
                rule="one_to_one",
                weight=stronger * external_weight,
                delay=PARAMETERS["external_delay_ms"] * 1e-3,
            )

    synapses = 0
    for target, row in zip(NAMES, PARAMETERS["derived"]["synapses"]["values"], strict=True):
        for source, full in zip(NAMES, row, strict=True):
            N = round(full * indegree * n[target] / sizes(1.0)[target])
            mean = stronger * weight(target, source)
            low, high = (0.0, math.inf) if mean > 0 else (-math.inf, 0.0)
            drawn = saltus.normal(mean, PARAMETERS["psp_relative_sd"] * abs(mean), low, high)
            if N > 0:
                build.connect(
                    source, target, rule="fixed_total_number", N=N, weight=drawn, delay=delay(source)
                )
            synapses += N
    return build.network(), synapses


def main(arguments: list[str] | None = None) -> dict:
    """Run the circuit and print what it does; rates and CVs by population, and what it took."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale-neurons", type=float, default=0.1, help="part of the neurons (default: 0.1)")
    parser.add_argument(
        "--scale-indegree", type=float, default=0.3, help="part of the inputs of each (default: 0.3)"
    )
    parser.add_argument("--drive", choices=("poisson", "dc"), default="poisson", help="external inputs")
    parser.add_argument("--time", type=float, default=1.0, help="seconds that are measured")
    parser.add_argument("--warm-up", type=float, default=0.5, help="seconds before them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--spikes", metavar="FILE.h5", help="write all spikes, SONATA layout")
    o = parser.parse_args(arguments)

    net, synapses = network(o.scale_neurons, o.scale_indegree, o.drive, o.seed)
    started = time.perf_counter()
    saltus.simulate(net, {}, 0.0, threads=o.threads, seed=o.seed)  # the first run draws the synapses
    built = time.perf_counter()
    out = saltus.simulate(net, {}, o.warm_up + o.time, threads=o.threads, seed=o.seed)
    build_s, run_s = built - started, time.perf_counter() - built
    if o.spikes:
        saltus.write_spikes(o.spikes, out)

    rates, cvs = {}, {}
    print("population  neurons  rate [Hz]  published  CV of intervals")
    for name, neurons in sizes(o.scale_neurons).items():
        times, owners = measures.after(out.spikes[name], o.warm_up)
        rates[name], cvs[name] = len(times) / (neurons * o.time), measures.cv_of_intervals(times, owners)
        print(f"{name:10} {neurons:8} {rates[name]:10.3f} {RATES[name]:10.3f} {cvs[name]:16.2f}")
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    factor = run_s / (o.warm_up + o.time)
    print(f"{synapses} synapses drawn in {build_s:.1f} s; memory {peak_mib:.0f} MiB at most")
    print(
        f"{out.synaptic_events:.4g} synaptic events in {run_s:.1f} s, {factor:.2f} times as long as biology"
    )
    print(f"fingerprint {out.fingerprint:016x}")
    return {"rates": rates, "cvs": cvs, "synapses": synapses, "fingerprint": out.fingerprint}


if __name__ == "__main__":
    main()
