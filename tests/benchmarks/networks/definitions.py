"""The benchmark networks A, B, E, F, G, built by saltus.NetworkBuilder. Seconds, volts, amperes, farads.

A, B  balanced networks of the type of Brunel (J Comput Neurosci 8:183, 2000): 8,000 excitatory and 2,000
      inhibitory neurons, 800 + 200 inputs each. A: delta synapses, delay 1.5 ms. B: exponential synapses,
      delays of 1 to 5 ms, on a grid of 0.1 ms or anywhere.
E     100,000 neurons, 100 inputs each, hardly active.
F     784-400-10 neurons without leak that fire once, times as input.
G     a ring of ten relays; ten coupled neurons with constant drive.
"""

import dataclasses

import numpy as np
import saltus
import splitmix

MS, MV = 1e-3, 1e-3


@dataclasses.dataclass
class Benchmark:
    """A network and what its report needs."""

    network: object
    sizes: dict  # of the populations whose spikes count
    degree: int  # synapses that a spike goes over, on average
    external_hz: float = 0.0  # of all sources together
    inputs: dict = dataclasses.field(default_factory=dict)

    @property
    def size(self):
        return sum(self.sizes.values())


class Wiring:
    """How synapses are drawn: by the builder's rule, or by SplitMix64, as explicit lists."""

    def __init__(self, build, ranges, how):
        self.build = build
        self.ranges = ranges  # population: (first, end), as the definition counts neurons
        self.how = how

    def connect(self, pre, posts, k, weight, delay, stream, place=0, indegree=None):
        """Give each neuron of `posts` k inputs from `pre`, itself excepted.

        Delays that are distributed are draws place, ..., place + k - 1 of the `indegree` that the target has.
        """
        for post in posts:
            if self.how == "rule":
                self.build.connect(
                    pre,
                    post,
                    rule="fixed_indegree",
                    k=k,
                    autapses=pre != post,
                    weight=weight,
                    delay=delay.distribution() if isinstance(delay, Delays) else delay,
                )
                continue
            first, end = self.ranges[pre]
            source, target = splitmix.fixed_indegree(self.ranges[post], first, end - first, k, stream)
            if isinstance(delay, Delays):
                delays = delay.drawn(self.ranges[post], slice(place, place + k), indegree or k)
            else:
                delays = delay
            self.build.connect(pre, post, pre=source, post=target, weight=weight, delay=delays)


@dataclasses.dataclass
class Delays:
    """Uniform from low to high, on a grid where step is not 0."""

    low: float
    high: float
    step: float
    stream: int = 3

    def distribution(self):
        if self.step:
            return saltus.uniform(self.low, self.high, step=self.step)
        return saltus.uniform(self.low, self.high)

    def drawn(self, targets, inputs, indegree):
        first, end = targets
        count, start = (end - first) * indegree, first * indegree
        if self.step:
            steps = round((self.high - self.low) / self.step) + 1
            values = self.low + self.step * splitmix.below(count, steps, self.stream, start)
        else:
            values = self.low + (self.high - self.low) * splitmix.uniform(count, self.stream, start)
        return values.reshape(-1, indegree)[:, inputs].ravel()


def balanced(build, model, parameters, weight, delay, drive, wiring, scale):
    """What A and B share. `drive`: None, or (rate in Hz, weight, delay) of each neuron's Poisson train."""
    n, exc = int(10_000 * scale), int(8_000 * scale)
    ranges = {"exc": (0, exc), "inh": (exc, n)}
    V_0 = 20 * MV * splitmix.uniform(n, stream=9)
    for name, (first, end) in ranges.items():
        build.population(
            name,
            end - first,
            model,
            tau_m=20 * MS,
            E_L=0.0,
            V_th=20 * MV,
            V_reset=10 * MV,
            t_ref=2 * MS,
            V_0=V_0[first:end],
            **parameters,
        )
    rows = Wiring(build, ranges, wiring)
    rows.connect("exc", ranges, 800, weight, delay, stream=1, place=0, indegree=1000)
    rows.connect("inh", ranges, 200, -5 * weight, delay, stream=2, place=800, indegree=1000)
    rate = 0.0
    if drive is not None:
        rate, drive_weight, drive_delay = drive
        for seed, (name, (first, end)) in enumerate(ranges.items()):
            build.source(f"drive_{name}", end - first, "poisson", rate=rate, seed=101 + seed)
            build.connect(f"drive_{name}", name, rule="one_to_one", weight=drive_weight, delay=drive_delay)
    sizes = {name: end - first for name, (first, end) in ranges.items()}
    return Benchmark(build.network(), sizes, degree=1000, external_hz=rate * n)


def network_a(build, args):
    weight, delay, E = 0.2 * MV, 1.5 * MS, 30 * MV
    poisson = args.drive == "poisson"
    drive = (E / (weight * 20 * MS), weight, delay) if poisson else None
    I_e = 0.0 if poisson else E
    return balanced(build, "lif_delta", {"I_e": I_e}, weight, delay, drive, args.wiring, args.scale)


def network_b(build, args):
    weight, jump = 50e-12, 0.4 * MV  # [A], and what its charge does to V
    delay = Delays(1 * MS, 5 * MS, 0.1 * MS if args.delays == "grid" else 0.0)
    poisson = args.drive == "poisson"
    drive = (30 * MV / (jump * 20 * MS), weight, 1 * MS) if poisson else None
    parameters = {"C_m": 250e-12, "tau_syn": 2 * MS, "I_e": 0.0 if poisson else 375e-12}
    return balanced(build, "lif_exp", parameters, weight, delay, drive, args.wiring, args.scale)


def network_e(build, args):
    n = int(100_000 * args.scale)
    build.population(
        "neurons",
        n,
        "lif_delta",
        tau_m=20 * MS,
        E_L=0.0,
        V_th=20 * MV,
        V_reset=0.0,
        t_ref=2 * MS,
        V_0=0.0,
    )
    delay = Delays(1 * MS, 10 * MS, 0.1 * MS if args.delays == "grid" else 0.0)
    Wiring(build, {"neurons": (0, n)}, args.wiring).connect(
        "neurons", ["neurons"], 100, 0.5 * MV, delay, stream=1
    )
    build.source("drive", n, "poisson", rate=1.0, seed=101)
    build.connect("drive", "neurons", rule="one_to_one", weight=25 * MV, delay=1 * MS)
    return Benchmark(build.network(), {"neurons": n}, degree=100, external_hz=1.0 * n)


def ring(build, args):
    build.input("kick", 1)
    build.population(
        "ring", 10, "lif_delta", tau_m=20 * MS, E_L=0.0, V_th=20 * MV, V_reset=0.0, t_ref=0.5 * MS, V_0=0.0
    )
    here = np.arange(10)
    build.connect("ring", "ring", pre=here, post=(here + 1) % 10, weight=25 * MV, delay=1 * MS)
    build.connect("kick", "ring", pre=[0], post=[0], weight=25 * MV, delay=1 * MS)
    inputs = {"kick": ([1 * MS], [0])}
    return Benchmark(build.network(), {"ring": 10}, degree=1, inputs=inputs)


def ten_coupled(build, args):
    build.population(
        "ten",
        10,
        "lif_delta",
        tau_m=20 * MS,
        E_L=0.0,
        V_th=20 * MV,
        V_reset=0.0,
        t_ref=2 * MS,
        I_e=30 * MV,
        V_0=np.linspace(0.0, 18.0, 10) * MV,
    )
    build.connect("ten", "ten", rule="all_to_all", weight=-0.1 * MV, delay=1 * MS)
    return Benchmark(build.network(), {"ten": 10}, degree=10)


def feedforward(build, samples):
    """Network F and its inputs [sample][neuron] in seconds. Potentials and weights are bare numbers here."""
    hidden = splitmix.uniform(784 * 400, stream=21) - 0.3
    output = splitmix.uniform(400 * 10, stream=22) - 0.2
    once = 264 * MS  # refractory for longer than the 256 ms of a sample
    build.input("pixels", 784)
    build.population("hidden", 400, "if_delta", V_th=30.0, V_reset=0.0, t_ref=once, V_0=0.0)
    build.population("output", 10, "if_delta", V_th=30.0, V_reset=0.0, t_ref=once, V_0=0.0)
    build.connect("pixels", "hidden", weight=hidden.reshape(784, 400), delay=1 * MS)
    build.connect("hidden", "output", weight=output.reshape(400, 10), delay=1 * MS)
    times = (1.0 + 255.0 * splitmix.uniform(samples * 784, stream=23)) * MS
    return build.network(), times.reshape(samples, 784)


NETWORKS = {
    "A": network_a,
    "B": network_b,
    "E": network_e,
    "ring": ring,
    "dc10": ten_coupled,
}
