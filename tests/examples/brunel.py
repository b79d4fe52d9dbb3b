"""The balanced random network of Brunel, in its four regimes.

N. Brunel, Dynamics of sparsely connected networks of excitatory and inhibitory spiking neurons, J Comput
Neurosci 8:183-208 (2000), model A. 10,000 excitatory and 2,500 inhibitory LIF neurons with delta synapses;
each hears 1,000 and 250 of them, and Poisson trains of a rate that is eta times what brings the mean input
to the threshold. Inhibition is g times as strong as excitation. The regimes of figure 8:

  SR       g = 3    eta = 2    synchronous, regular
  SI-fast  g = 6    eta = 4    synchronous, irregular, fast oscillation
  AI       g = 5    eta = 2    asynchronous, irregular
  SI-slow  g = 4.5  eta = 0.9  synchronous, irregular, slow oscillation

A scale below 1 takes fewer neurons with fewer, stronger synapses: neurons over inputs and inputs times
strength stay, noise grows. Prints the rate beside that of the stationary state in mean-field theory (section
3; the network is not in that state where it is synchronous), the CV of intervals, and the Fano factor of the
population's spikes in bins of 1 ms.
"""

import argparse
import math
import time

import measures
import numpy as np
import saltus

REGIMES = {"SR": (3.0, 2.0), "SI-fast": (6.0, 4.0), "AI": (5.0, 2.0), "SI-slow": (4.5, 0.9)}
NEURONS = {"exc": 10_000, "inh": 2_500}
INPUTS = {"exc": 1_000, "inh": 250}  # of each neuron
J = 0.1e-3  # V
TAU, THETA, V_RESET, T_REF, DELAY = 20e-3, 20e-3, 10e-3, 2e-3, 1.5e-3  # s, V, V, s, s
RATE_AT_THRESHOLD = THETA / (J * INPUTS["exc"] * TAU)  # of each of as many external trains, Hz


def scaled(numbers: dict[str, int], scale: float) -> dict[str, int]:
    """Round a part of each number, at least 1."""
    return {name: max(1, round(scale * n)) for name, n in numbers.items()}


def network(g: float, eta: float, scale: float, seed: int) -> saltus.Network:
    """Build the network."""
    build = saltus.NetworkBuilder(seed)
    start = np.random.default_rng(seed)
    neurons, inputs, weight = scaled(NEURONS, scale), scaled(INPUTS, scale), J / scale
    for name, n in neurons.items():
        V_0 = start.uniform(V_RESET, THETA, n)
        build.population(name, n, "lif_delta", tau_m=TAU, V_th=THETA, V_reset=V_RESET, t_ref=T_REF, V_0=V_0)
        build.source(f"drive of {name}", n, "poisson", rate=eta * RATE_AT_THRESHOLD * inputs["exc"])
        build.connect(f"drive of {name}", name, rule="one_to_one", weight=weight)
    for source, w in (("exc", weight), ("inh", -g * weight)):
        for target in neurons:
            build.connect(source, target, rule="fixed_indegree", k=inputs[source], weight=w, delay=DELAY)
    return build.network()


def mean_field_rate(g: float, eta: float, scale: float) -> float:
    """The rate in Hz at which a neuron fires if all others do so, irregularly (equations 4, 21 and 22)."""
    gamma = INPUTS["inh"] / INPUTS["exc"]
    CJ, external = INPUTS["exc"] * J, eta * RATE_AT_THRESHOLD

    def answer(rate: float) -> float:
        mu = CJ * TAU * (external + rate * (1 - g * gamma))
        sigma = math.sqrt(CJ * J / scale * TAU * (external + rate * (1 + g**2 * gamma)))
        u = np.linspace(max(-25.0, (V_RESET - mu) / sigma), min(25.0, (THETA - mu) / sigma), 2001)
        integrand = [math.exp(x * x) * math.erfc(-x) for x in u]
        return 1 / (T_REF + TAU * math.sqrt(math.pi) * float(np.mean(integrand)) * (u[-1] - u[0]))

    low, high = 0.0, 1 / T_REF
    for _ in range(50):
        rate = (low + high) / 2
        low, high = (rate, high) if answer(rate) > rate else (low, rate)
    return rate


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Run the network and print what it does; the measures by name."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--regime", choices=REGIMES, default="AI", help="sets g and eta (default: AI)")
    parser.add_argument("--g", type=float, help="inhibition over excitation")
    parser.add_argument("--eta", type=float, help="external rate over the rate that reaches the threshold")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of neurons")
    parser.add_argument("--time", type=float, default=1.0, help="seconds that are measured")
    parser.add_argument("--warm-up", type=float, default=0.2, help="seconds before them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--spikes", metavar="FILE.h5", help="write all spikes, SONATA layout")
    o = parser.parse_args(arguments)
    g, eta = REGIMES[o.regime]
    g = g if o.g is None else o.g
    eta = eta if o.eta is None else o.eta

    net = network(g, eta, o.scale, o.seed)
    begin, end = o.warm_up, o.warm_up + o.time
    started = time.perf_counter()
    out = saltus.simulate(net, {}, end, threads=o.threads, seed=o.seed)
    took = time.perf_counter() - started
    if o.spikes:
        saltus.write_spikes(o.spikes, out)

    result = {"mean_field": mean_field_rate(g, eta, o.scale), "fingerprint": out.fingerprint}
    print(f"g = {g:g}, eta = {eta:g}; mean-field rate {result['mean_field']:.1f} Hz")
    for name, n in scaled(NEURONS, o.scale).items():
        times, neurons = measures.after(out.spikes[name], begin)
        result |= {
            f"rate_{name}": len(times) / (n * o.time),
            f"cv_{name}": measures.cv_of_intervals(times, neurons),
            f"fano_{name}": measures.fano_factor(times, begin, end),
        }
        print(
            f"{name}: {result[f'rate_{name}']:.1f} Hz, CV of intervals {result[f'cv_{name}']:.2f}, "
            f"Fano factor {result[f'fano_{name}']:.1f}"
        )
    print(f"{out.synaptic_events:.3g} synaptic events in {took:.2f} s; fingerprint {out.fingerprint:016x}")
    return result


if __name__ == "__main__":
    main()
