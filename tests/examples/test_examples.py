"""The examples run, and what they print is what theory, the data and the papers say."""

import math

import brunel
import celegans
import measures
import microcircuit
import numpy as np
import pytest
import saltus


def test_measures_of_a_clock_and_of_poisson_spikes():
    """A clock has CV 0; Poisson trains have CV 1 and Fano factor 1, here within 3 standard errors."""
    clock = np.arange(100) * 0.01
    assert measures.cv_of_intervals(clock, np.zeros(100, dtype=int)) == pytest.approx(0, abs=1e-9)
    assert math.isnan(measures.cv_of_intervals(clock, np.arange(100)))
    rng = np.random.default_rng(1)
    times = np.sort(rng.uniform(0, 100, 50_000))
    assert measures.cv_of_intervals(times, rng.integers(0, 50, len(times))) == pytest.approx(1, abs=0.02)
    assert measures.fano_factor(times, 0, 100, 0.1) == pytest.approx(1, abs=0.14)
    together = np.repeat(np.arange(10) + 0.25, 20)  # every other bin holds 20 spikes
    assert measures.fano_factor(together, 0, 10, 0.5) == pytest.approx(10)


def brunel_run(regime: str, *more: str) -> dict[str, float]:
    return brunel.main(["--regime", regime, "--scale", "0.2", "--time", "0.3", "--warm-up", "0.1", *more])


@pytest.mark.parametrize(("regime", "paper"), [("AI", 38.0), ("SI-fast", 55.8), ("SI-slow", 6.5)], ids=str)
def test_brunels_mean_field_rates_are_those_of_the_paper(regime, paper):
    """Theory beside figure 8, at full scale."""
    assert brunel.mean_field_rate(*brunel.REGIMES[regime], 1.0) == pytest.approx(paper, rel=0.01)


def test_brunels_network_with_strong_inhibition_is_asynchronous_and_irregular():
    out = brunel_run("AI")
    for name in ("exc", "inh"):
        assert out[f"rate_{name}"] == pytest.approx(out["mean_field"], rel=0.1)
        assert 0.7 < out[f"cv_{name}"] < 1.4
    assert out["fano_exc"] < 60  # of 2000 neurons; those of the next test are together within 1 ms or two


def test_brunels_network_with_weak_inhibition_is_synchronous_and_regular():
    out = brunel_run("SR")
    for name in ("exc", "inh"):
        assert out[f"rate_{name}"] > 200
        assert out[f"cv_{name}"] < 0.2
    assert out["fano_exc"] > 200


def test_brunels_spikes_are_written_and_independent_of_threads(tmp_path):
    path = tmp_path / "brunel.h5"
    one = brunel_run("SI-slow", "--spikes", str(path))
    two = brunel_run("SI-slow", "--threads", "2")
    assert one == pytest.approx(two, rel=0)
    rate = np.count_nonzero(saltus.read_spikes(path)["exc"].times >= 0.1) / (2000 * 0.3)
    assert rate == pytest.approx(one["rate_exc"])
    assert brunel_run("SI-slow", "--seed", "2")["fingerprint"] != one["fingerprint"]
    assert brunel_run("SI-slow", "--g", "5")["rate_exc"] < one["rate_exc"]


def test_the_microcircuit_has_its_published_size():
    parameters = microcircuit.PARAMETERS
    assert sum(microcircuit.sizes(1.0).values()) == 77_169
    assert np.sum(parameters["derived"]["synapses"]["values"]) == 298_880_968
    N = np.array(parameters["neurons"], dtype=float)
    p = np.array(parameters["connection_probability"]["values"])
    K = np.log1p(-p) / np.log1p(-1 / np.outer(N, N))  # equation 1 of the paper
    assert np.abs(K - parameters["derived"]["synapses"]["values"]).max() < 1  # rounded, in doubles


@pytest.mark.parametrize("drive", ["poisson", "dc"])
def test_a_tenth_of_the_microcircuit_fires_near_the_published_rates(drive):
    """With three tenths of the inputs and a current for the others; full scale agrees within 10 percent."""
    out = microcircuit.main(["--time", "0.5", "--warm-up", "0.2", "--drive", drive])
    assert out["synapses"] == pytest.approx(298_880_968 * 0.03, rel=1e-3)
    for name, rate in out["rates"].items():
        assert rate == pytest.approx(microcircuit.RATES[name], rel=0.35), name
        assert 0.3 < out["cvs"][name] < 1.2, name


def test_the_microcircuit_loses_no_spike_when_threads_change():
    few = ["--scale-neurons", "0.05", "--scale-indegree", "0.1", "--time", "0.2", "--warm-up", "0"]
    one, two, other = (microcircuit.main([*few, *more]) for more in ([], ["--threads", "2"], ["--seed", "2"]))
    assert one["fingerprint"] == two["fingerprint"] != other["fingerprint"]
    assert one["rates"] == two["rates"]


def test_the_graph_of_the_worm_is_the_one_described():
    assert celegans.facts() == {
        "neurons": 302,
        "neurons that occur": 299,
        "chemical connections": 2279,
        "chemical contacts": 6465,
        "gap rows": 1084,
        "gap contacts": 1847,
        "gap rows without mirror": 35,
        "self-connections": 5,
        "largest strong component": 237,
        "weak components": [279, 20, 1, 1, 1],
        "most targets": ("AVAR", 49),
        "most sources": ("AVAL", 53),
    }


def test_reachable_follows_directed_paths_of_any_length():
    ring_with_tail = np.zeros((6, 6), dtype=bool)
    ring_with_tail[[0, 1, 2, 2, 3], [1, 2, 0, 3, 4]] = True
    paths = celegans.reachable(ring_with_tail)
    assert (paths & paths.T).sum(1).tolist() == [3, 3, 3, 1, 1, 1]
    assert paths[0].tolist() == [True] * 5 + [False]
    line = np.eye(40, k=1, dtype=bool)
    assert celegans.reachable(line)[0, 39]


def test_touched_neurons_are_answered_when_the_membrane_equation_says_so(capsys):
    """A volley of c contacts every 5 ms: V = c (1 + r + r^2 + ...) mV with r = exp(-5 ms / 20 ms)."""
    latencies = celegans.main([])
    assert "Not simulated: 1084 gap junctions" in capsys.readouterr().out
    for place, touched in celegans.TOUCH.items():
        assert all(latencies[place][name] == 0.0 for name in touched)
        assert list(latencies[place].values()) == sorted(latencies[place].values())
    r = math.exp(-5 / 20)
    for name, contacts, delay in (("PVCR", 1 + 3 + 5, 5.5), ("AVBL", 6, 0.5), ("AVBR", 6, 0.5)):
        volleys = next(n for n in range(1, 20) if contacts * (1 - r**n) / (1 - r) >= 15)
        assert latencies["front"][name] == pytest.approx(delay + 5 * (volleys - 1), abs=1e-9)


def test_spikes_of_the_worm_take_the_shortest_path():
    """Where each synapse fires its target, excitation takes the shortest path; inhibition only delays."""
    synapses = celegans.synapses(30.0)
    excites = synapses["weight"] > 0
    lengths = np.full((302, 302), np.inf)
    lengths[synapses["pre"][excites], synapses["post"][excites]] = synapses["delay"][excites] * 1e3
    shortest = np.full(302, np.inf)
    shortest[[celegans.INDEX[name] for name in celegans.TOUCH["front"]]] = 0.0
    for _ in range(302):
        shortest = np.minimum(shortest, (shortest[:, None] + lengths).min(0))
    pre, delay = synapses["pre"][~excites], synapses["delay"][~excites]
    undisturbed = shortest < (shortest[pre] + delay * 1e3).min()

    latency = celegans.first_spikes(celegans.network(30.0), celegans.TOUCH["front"], 0.05)
    fired = np.full(302, np.inf)
    fired[[celegans.INDEX[name] for name in latency]] = list(latency.values())
    assert np.count_nonzero(undisturbed) > 20
    assert fired[undisturbed] == pytest.approx(shortest[undisturbed], abs=1e-9)
    assert (fired >= shortest - 1e-9).all()
