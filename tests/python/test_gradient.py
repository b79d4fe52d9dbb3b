"""Exact gradients from Python, against differences of `saltus.simulate` and `saltus.gradient` itself."""

import dataclasses

import numpy as np
import pytest
import saltus
from saltus import losses

DURATION = 0.04


@dataclasses.dataclass
class Numbers:
    """A network as numbers that can be moved one by one."""

    w_in: np.ndarray
    w_out: np.ndarray
    delay: np.ndarray
    tau_m: np.ndarray
    V_th: np.ndarray
    times: np.ndarray

    @staticmethod
    def some() -> "Numbers":
        random = np.random.default_rng(4)
        return Numbers(
            w_in=random.uniform(1.0, 3.0, (3, 4)),
            w_out=random.uniform(1.0, 2.5, 8),
            delay=random.uniform(1e-3, 4e-3, 8),
            tau_m=random.uniform(10e-3, 20e-3, 4),
            V_th=random.uniform(0.8, 1.2, 4),
            times=np.array([12e-3, 3e-3, 7e-3, 5e-3]),
        )

    def network(self) -> saltus.Network:
        build = saltus.NetworkBuilder()
        build.input("in", 3)
        build.population("hidden", 4, "lif_exp", tau_m=self.tau_m, tau_syn=5e-3, V_th=self.V_th)
        build.population("out", 2, "lif_exp", tau_m=20e-3, tau_syn=5e-3)
        build.population("readout", 2, "li_exp", tau_m=20e-3, tau_syn=5e-3)
        pre, post = np.repeat(np.arange(4), 2), np.tile(np.arange(2), 4)
        build.connect("in", "hidden", weight=self.w_in)
        build.connect("hidden", "out", pre=pre, post=post, weight=self.w_out, delay=self.delay)
        build.connect("hidden", "readout", pre=pre, post=post, weight=self.w_out, delay=self.delay)
        return build.network()

    def inputs(self) -> dict:
        return {"in": (self.times, [0, 1, 2, 1])}


ALL = ("weights", "delays", "tau", "threshold", "reset", "bias", "neurons", "inputs")
LOSS = losses.first_spike_cross_entropy("out", 1, tau_0=2e-3, alpha=0.1) + 0.5 * losses.mean_potential(
    "readout", 0
)


def run(numbers: Numbers, loss=LOSS, wrt=()) -> saltus.Gradient:
    return saltus.gradient(numbers.network(), numbers.inputs(), loss, DURATION, wrt=wrt)


def difference(numbers: Numbers, field: str, index: tuple, h: float) -> float:
    values = getattr(numbers, field)
    at = values[index]
    values[index] = at + h
    up = run(numbers).loss
    values[index] = at - h
    down = run(numbers).loss
    values[index] = at
    return (up - down) / (2 * h)


@pytest.mark.parametrize(
    ("field", "h", "found"),
    [
        ("w_in", 1e-6, lambda g: g.weights["in -> hidden"]),
        ("tau_m", 1e-8, lambda g: g.tau["hidden"]["tau_m"]),
        ("V_th", 1e-6, lambda g: g.threshold["hidden"]["V_th"]),
        ("times", 1e-8, lambda g: g.inputs["in"]),
    ],
)
def test_gradients_are_differences(field, h, found):
    numbers = Numbers.some()
    gradient = found(run(numbers, wrt=ALL))
    assert gradient.shape == getattr(numbers, field).shape
    largest = np.abs(gradient).max()
    assert largest > 0
    for index in np.ndindex(gradient.shape):
        expected = difference(numbers, field, index, h)
        assert gradient[index] == pytest.approx(expected, abs=1e-4 * largest)


@pytest.mark.parametrize(("field", "h", "kind"), [("w_out", 1e-6, "weights"), ("delay", 1e-8, "delays")])
def test_listed_synapses_go_by_their_neurons(field, h, kind):
    numbers = Numbers.some()
    found = run(numbers, wrt=(kind,))
    by_pair = np.zeros((4, 2))
    for target in ("out", "readout"):
        pre, post = found.synapses[f"hidden -> {target}"]
        np.add.at(by_pair, (pre, post), getattr(found, kind)[f"hidden -> {target}"])
    largest = np.abs(by_pair).max()
    for k in range(8):
        assert by_pair[k // 2, k % 2] == pytest.approx(
            difference(numbers, field, (k,), h), abs=1e-4 * largest
        )


def test_spikes_are_those_of_a_run_before_they_are_rounded():
    numbers = Numbers.some()
    found = run(numbers)
    out = saltus.simulate(numbers.network(), numbers.inputs(), DURATION)
    for name in ("hidden", "out"):
        times, neurons = out.spikes[name].times, out.spikes[name].neurons
        for i, own in enumerate(found.spikes[name]):
            assert own == pytest.approx(times[neurons == i], abs=1e-14)
        assert len(times) > 0


def test_a_function_of_the_spike_times_is_a_loss():
    numbers = Numbers.some()

    def sum_of_first(spikes):
        first = [float(times[0]) for times in spikes["out"]]
        return sum(first), {"out": [np.r_[1.0, np.zeros(len(times) - 1)] for times in spikes["out"]]}

    found = run(numbers, sum_of_first, ALL)
    each = [
        run(numbers, losses.spike_times("out", [i], [0], [found.spikes["out"][i][0] - 1.0]), ALL)
        for i in (0, 1)
    ]
    expected = each[0].weights["in -> hidden"] + each[1].weights["in -> hidden"]
    assert found.weights["in -> hidden"] == pytest.approx(expected, rel=1e-9)


def test_what_a_function_returns_is_checked():
    numbers = Numbers.some()
    with pytest.raises(saltus.UsageError, match=r"expected the function to return \(loss, "):
        run(numbers, lambda spikes: 1.0)
    with pytest.raises(saltus.UsageError, match="expected derivatives for 2 neurons, found 1"):
        run(numbers, lambda spikes: (1.0, {"out": [[0.0]]}))
    with pytest.raises(ZeroDivisionError):
        run(numbers, lambda spikes: 1 / 0)


def test_only_what_was_asked_for_is_there():
    found = run(Numbers.some(), wrt="delays")
    assert found.weights is None
    assert found.tau is None
    assert set(found.delays) == {"hidden -> out", "hidden -> readout"}


def test_parallel_projections_have_names_of_their_own():
    build = saltus.NetworkBuilder()
    build.input("in", 1)
    build.population("out", 1, "lif_exp", tau_m=20e-3, tau_syn=5e-3)
    for _ in range(2):
        build.connect("in", "out", weight=np.array([[5.0]]))
    loss = losses.spike_times("out", [0], [0], [1e-3])
    found = saltus.gradient(build.network(), {"in": ([1e-3], [0])}, loss, 0.02)
    assert set(found.weights) == {"in -> out", "in -> out (2)"}
    assert found.weights["in -> out"] == found.weights["in -> out (2)"]


def test_what_is_not_possible_is_refused_by_name():
    numbers = Numbers.some()
    net, inputs = numbers.network(), numbers.inputs()
    with pytest.raises(saltus.LimitError, match="clock 'stepped'"):
        saltus.gradient(net, inputs, LOSS, clock="stepped")
    with pytest.raises(saltus.UsageError, match="wrt: expected of 'weights'"):
        run(numbers, wrt=("weight",))
    with pytest.raises(saltus.UsageError, match="expected a spike of number 99"):
        run(numbers, losses.spike_times("out", [0], [99], [0.0]))
    with pytest.raises(TypeError, match="loss: expected one of"):
        saltus.gradient(net, inputs, 3)
    with pytest.raises(saltus.UsageError, match="columns of one length, found neurons 1, times 2, values 1"):
        losses.potentials("readout", [0], [0.0, 0.1], [0.0])
    build = saltus.NetworkBuilder()
    build.population("a", 1, "qif_delta")
    with pytest.raises(saltus.NetworkError, match="QIF has no exact gradient"):
        saltus.gradient(build.network(), {}, losses.spike_times("a", [], [], []), 0.01)
