"""Networks built in code: against values computed by hand, and against the same network given otherwise."""

import math
import warnings

import nir
import numpy as np
import pytest
import saltus
from saltus import NetworkBuilder, NetworkError


def relay(**connection):
    """Two inputs, three neurons that fire for every weight of 1."""
    build = NetworkBuilder(seed=3)
    build.input("in", 2)
    build.population("out", 3, "if_delta")
    build.connect("in", "out", **connection)
    return build.network()


def spikes_of(net, inputs, duration=0.01, name="out", **options):
    train = saltus.simulate(net, inputs, duration, **options).spikes[name]
    return list(zip(train.ticks.tolist(), train.neurons.tolist(), strict=True))


# Populations


def test_constant_drive_fires_at_the_textbook_interval_in_farads_and_amperes():
    # R = tau_m / C_m = 80 MOhm; 1 nA drives 80 mV above rest, 20 mV is the threshold: T = tau ln(80 / 60).
    build = NetworkBuilder()
    build.population(
        "a", 2, "lif_delta", C_m=250e-12, tau_m=20e-3, E_L=-70e-3, V_th=-50e-3, V_reset=-70e-3, I_e=[1e-9, 0]
    )
    train = saltus.simulate(build.network(), {}, 1.0).spikes["a"]
    interval = 20e-3 * math.log(80 / 60)
    k = np.arange(1, math.floor(1.0 / interval) + 1)
    assert np.allclose(train.times, k * interval, rtol=1e-12)
    assert set(train.neurons.tolist()) == {0}


def test_synaptic_current_of_one_spike_follows_its_closed_form():
    # tau_m = 20 ms, tau_syn = 5 ms, R = 1: V(t) = w tau_s / (tau_m - tau_s) (e^(-t/tau_m) - e^(-t/tau_s)).
    build = NetworkBuilder()
    build.input("in", 1)
    build.population("a", 1, "lif_exp", tau_m=20e-3, tau_syn=5e-3, V_th=1.0)
    build.connect("in", "a", weight=2.0, delay=1e-3)
    out = saltus.simulate(
        build.network(), {"in": ([0.0], [0])}, 0.05, dt=1e-3, record=("spikes", "potentials")
    )
    t = np.maximum(np.arange(51) * 1e-3 - 1e-3, 0.0)
    expected = 2.0 * 5e-3 / 15e-3 * (np.exp(-t / 20e-3) - np.exp(-t / 5e-3))
    assert np.allclose(out.potentials["a"][:, 0], expected, rtol=1e-12, atol=1e-15)


def test_parameters_may_have_the_shape_of_the_population():
    build = NetworkBuilder()
    build.population("a", (2, 3), "if_delta", I_e=1000.0, V_th=np.arange(1, 7).reshape(2, 3))
    net = build.network()
    assert net.populations == [saltus.Population("a", (2, 3), "IF")]
    # V = 1000 t reaches k at k ms.
    train = saltus.simulate(net, {}, 6.5e-3).spikes["a"]
    first = [train.ticks[train.neurons == i][0] for i in range(6)]
    assert first == [(i + 1) * 10**12 for i in range(6)]


def test_the_start_and_the_refractory_period_are_as_said():
    build = NetworkBuilder()
    build.population("a", 1, "if_delta", I_e=1000.0, V_0=0.5, t_ref=2e-3)
    # Fires at 0.5 ms, then every 2 ms + 1 ms.
    assert saltus.simulate(build.network(), {}, 7e-3).spikes["a"].ticks.tolist() == [
        5 * 10**11,
        35 * 10**11,
        65 * 10**11,
    ]


# Connections


@pytest.mark.parametrize("kind", [np.int32, np.uint16, np.int64, list])
def test_explicit_synapses_deliver_each_its_weight_after_its_delay(kind):
    def column(values):
        return values if kind is list else np.array(values, kind)

    net = relay(
        pre=column([0, 0, 1]), post=column([2, 1, 0]), weight=[1.0, 0.5, 1.5], delay=np.array([1e-3, 2e-3, 0])
    )
    assert net.projections == [saltus.Projection("in", "out", (("", "Sparse"),))]
    assert spikes_of(net, {"in": ([0.0, 0.0], [0, 1])}) == [(0, 0), (10**12, 2)]


def test_one_weight_and_one_delay_stand_for_all_of_a_list():
    net = relay(pre=[0, 0, 1], post=[0, 1, 2], delay=1e-3)
    assert spikes_of(net, {"in": ([0.0, 0.001], [0, 1])}) == [(10**12, 0), (10**12, 1), (2 * 10**12, 2)]


def test_several_synapses_between_one_pair_add_up():
    net = relay(pre=[0, 0], post=[1, 1], weight=0.5)
    assert spikes_of(net, {"in": ([0.0], [0])}) == [(0, 1)]


def test_all_to_all_and_one_to_one_connect_whom_they_say():
    assert spikes_of(relay(), {"in": ([0.002], [1])}) == [(2 * 10**12, i) for i in range(3)]
    build = NetworkBuilder()
    build.input("in", 3)
    build.population("out", 3, "if_delta")
    build.connect("in", "out", rule="one_to_one", delay=1e-3)
    assert spikes_of(build.network(), {"in": ([0.0, 0.0], [0, 2])}) == [(10**12, 0), (10**12, 2)]


def test_an_all_to_all_connection_runs_as_the_same_synapses_given_one_by_one():
    def network(**connection):
        build = NetworkBuilder(seed=2)
        build.input("in", 30)
        build.population("out", 20, "lif_delta", tau_m=10e-3, V_th=1.0)
        build.connect("in", "out", weight=0.3, delay=1.5e-3, **connection)
        return build.network()

    pre, post = (index.ravel() for index in np.meshgrid(np.arange(30), np.arange(20), indexing="ij"))
    rng = np.random.default_rng(1)
    inputs = {"in": (rng.uniform(0.0, 0.1, 300), rng.integers(0, 30, 300))}
    drawn = saltus.simulate(network(), inputs, 0.2)
    listed = saltus.simulate(network(pre=pre, post=post), inputs, 0.2)
    assert len(drawn.spikes["out"]) > 0
    assert drawn.fingerprint == listed.fingerprint


def fan_in(rule, seed, **arguments):
    """Spikes of each output neuron when every input neuron spikes once, each a millisecond after another."""
    build = NetworkBuilder(seed=seed)
    build.input("in", 10)
    build.population("out", 50, "if_delta")
    build.connect("in", "out", rule=rule, **arguments)
    train = saltus.simulate(build.network(), {"in": (np.arange(10) * 1e-3, np.arange(10))}, 0.02).spikes[
        "out"
    ]
    return np.bincount(train.neurons, minlength=50), train


def test_a_fixed_indegree_reaches_every_neuron_as_often_without_multapses():
    counts, train = fan_in("fixed_indegree", seed=1, k=4, multapses=False)
    assert (counts == 4).all()
    assert len(set(zip(train.ticks.tolist(), train.neurons.tolist(), strict=True))) == 200


def test_a_seed_decides_the_network_and_another_draws_another():
    ticks = [fan_in("fixed_total_number", seed=seed, N=70)[1].ticks.tolist() for seed in (1, 1, 2)]
    assert ticks[0] == ticks[1]
    assert ticks[0] != ticks[2]
    drawn = [fan_in("bernoulli", seed=seed, p=0.3)[0].sum() for seed in (1, 2)]
    # 500 pairs with p = 0.3: 150 +- 10.2; 6 standard deviations, outside with 2e-9.
    assert all(abs(n - 150) < 62 for n in drawn)


def test_drawn_delays_are_multiples_of_their_step_within_their_bounds():
    build = NetworkBuilder(seed=4)
    build.input("in", 1)
    build.population("out", 500, "if_delta")
    build.connect("in", "out", delay=saltus.normal(1.5e-3, 1e-3, low=0.5e-3, high=2e-3, step=0.5e-3))
    ticks = {t for t, _ in spikes_of(build.network(), {"in": ([0.0], [0])})}
    assert ticks == {5 * 10**11, 10**12, 15 * 10**11, 2 * 10**12}


def test_drawn_weights_stay_in_their_range():
    def fired(low, high):
        build = NetworkBuilder(seed=4)
        build.input("in", 1)
        build.population("out", 400, "if_delta")
        build.connect("in", "out", weight=saltus.uniform(low, high))
        return len(spikes_of(build.network(), {"in": ([0.0], [0])}))

    assert fired(0.0, 0.99) == 0
    assert fired(1.0, 1.5) == 400
    # Half of them reach 1: 200 +- 10; 6 standard deviations.
    assert abs(fired(0.5, 1.5) - 200) < 60


def test_a_cycle_without_delay_is_refused_and_can_be_given_one():
    build = NetworkBuilder()
    build.input("in", 1)
    build.population("a", 1, "if_delta", t_ref=1e-3)
    build.connect("in", "a")
    build.connect("a", "a")
    net = build.network()
    with pytest.raises(NetworkError, match="a -> a: this cycle has no delay"):
        saltus.simulate(net, {"in": ([0.0], [0])}, 0.01)
    # Each spike comes back after 3 ms.
    assert spikes_of(net, {"in": ([0.0], [0])}, name="a", recurrent_delay=3e-3) == [
        (k * 3 * 10**12, 0) for k in range(4)
    ]


def test_a_network_does_not_change_when_the_builder_goes_on():
    build = NetworkBuilder()
    build.input("in", 1)
    net = build.network()
    build.input("more", 1)
    assert [p.name for p in net.populations] == ["in"]
    assert [p.name for p in build.network().populations] == ["in", "more"]


# Sources


def test_sources_are_populations_that_can_be_connected():
    build = NetworkBuilder(seed=1)
    build.source("noise", 2, "poisson", rate=[10.0, 20.0], start=0.1, seed=7)
    build.source("clock", (1, 2), "regular", interval=1e-3)
    build.source("file", 2, "spikes", times=[0.2, 0.1], neurons=[0, 1])
    build.population("out", 2, "if_delta")
    for name in ("noise", "clock", "file"):
        build.connect(name, "out", rule="one_to_one")
    assert [(p.name, p.shape, p.model) for p in build.network().populations[:3]] == [
        ("noise", (2,), "PoissonSource"),
        ("clock", (1, 2), "RegularSource"),
        ("file", (2,), "SpikeSource"),
    ]


def test_sources_spike_at_their_times():
    build = NetworkBuilder(seed=1)
    build.source("clock", 2, "regular", interval=[1e-3, 2e-3], first=0.0, stop=4e-3)
    build.source("file", 2, "spikes", times=[5e-3, 4e-3], neurons=[0, 1])
    build.population("out", 2, "if_delta")
    for name in ("clock", "file"):
        build.connect(name, "out", rule="one_to_one", delay=1e-3)
    assert spikes_of(build.network(), {}) == [
        (ms * 10**12, neuron)
        for ms, neuron in [(1, 0), (1, 1), (2, 0), (3, 0), (3, 1), (4, 0), (5, 1), (6, 0)]
    ]


def test_poisson_trains_have_their_rate_and_the_seed_that_was_given():
    def trains(of_all, **own):
        build = NetworkBuilder(seed=of_all)
        build.source("noise", 100, "poisson", rate=50.0, **own)
        build.population("out", 100, "if_delta")
        build.connect("noise", "out", rule="one_to_one")
        return saltus.simulate(build.network(), {}, 20.0).spikes["out"]

    # 100 neurons, 20 s, 50 Hz: 100000 +- 316; 6 standard deviations.
    assert abs(len(trains(1)) - 100_000) < 6 * 316
    assert trains(1) == trains(1)
    assert trains(1) != trains(2)
    assert trains(1, seed=9) == trains(2, seed=9)


# As a file


def test_a_network_built_in_code_is_saved_and_read_back(tmp_path):
    net = relay(pre=[0, 0, 1], post=[0, 1, 2], weight=[1.0, 1.0, 2.0], delay=[1e-3, 2e-3, 1e-3])
    inputs = {"in": ([0.0, 0.0], [0, 1])}
    saltus.save(net, tmp_path / "net.nir")
    again = saltus.load(tmp_path / "net.nir")
    assert spikes_of(again, inputs) == spikes_of(net, inputs) == [(10**12, 0), (10**12, 2), (2 * 10**12, 1)]
    assert isinstance(net.to_nir().nodes["out"], nir.IF)


def test_what_nir_has_no_place_for_is_told_or_refused(tmp_path):
    build = NetworkBuilder()
    build.population("a", 1, "lif_delta", t_ref=1e-3)
    with pytest.warns(UserWarning, match="NIR has no refractory period") as told:
        saltus.save(build.network(), tmp_path / "net.nir.json")
    assert told[0].filename == __file__
    build.source("noise", 1, "poisson", rate=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(NetworkError, match="PoissonSource has no counterpart in NIR"):
            build.network().to_nir()


def test_its_numbers_have_one_meaning():
    with pytest.raises(saltus.UsageError, match="convention: the numbers of this network"):
        saltus.simulate(relay(), {}, 0.01, convention="norse")


# Refusals


def test_names_that_nothing_has_are_refused_with_the_nearest():
    build = NetworkBuilder()
    build.population("exc", 2, "lif_delta")
    for call, message in [
        (
            lambda: build.population("b", 1, "lif_delt"),
            "no model is called 'lif_delt'. Did you mean 'lif_delta'?",
        ),
        (lambda: build.population("b", 1, "lif_delta", tau=1.0), "'b', field 'tau': lif_delta has no such"),
        (lambda: build.population("b", 1, "izhikevich"), "'izhikevich' has no closed-form flow"),
        (lambda: build.source("b", 1, "poison", rate=1.0), "no source is called 'poison'"),
        (lambda: build.source("b", 1, "spikes", time=[0.0]), "'b', field 'time': spikes has no such"),
        (lambda: build.connect("exd", "exc"), "'exd': no population is called so. Did you mean 'exc'?"),
        (lambda: build.connect("exc", "exc", rule="all"), "no rule is called 'all'"),
    ]:
        with pytest.raises(NetworkError) as error:
            call()
        assert message in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "field", "message"),
    [
        ({"weight": math.nan}, "weight", "expected a finite number, found nan."),
        ({"delay": 5e-16}, "delay", "expected 0 or at least one tick"),
        ({"delay": -1e-3}, "delay", "expected >= 0"),
        ({"rule": "bernoulli", "p": 1.5}, "p", "expected 0 to 1, found 1.5."),
        ({"rule": "bernoulli"}, "p", "bernoulli needs it"),
        ({"rule": "fixed_indegree", "k": 3, "multapses": False}, "k", "at most the 2 sources"),
        ({"weight": [1.0, 2.0]}, "weight", "Give the synapses one by one"),
        ({"pre": [0]}, "post", "expected with pre and post"),
        ({"pre": [0], "post": [0], "rule": "all_to_all"}, "rule", "not possible with pre and post"),
        ({"pre": [2], "post": [0]}, "pre[0]", "expected a neuron below 2, found 2."),
        ({"pre": [0, -1], "post": [0, 0]}, "pre[1]", "found -1."),
        ({"pre": [0], "post": [0, 1]}, "post", "expected 1 entries as in 'pre', found 2."),
        ({"pre": [0], "post": [0], "delay": [math.inf]}, "delay", "expected a time, found inf s."),
        ({"pre": [0], "post": [0], "weight": saltus.uniform(0.0, 1.0)}, "weight", "found uniform(0, 1)"),
        ({"autapses": False}, "autapses", "within one population only"),
    ],
)
def test_connections_that_cannot_be_are_refused_by_projection_and_field(arguments, field, message):
    with pytest.raises(NetworkError) as error:
        relay(**arguments)
    assert (error.value.node, error.value.field) == ("in -> out", field)
    assert message in str(error.value)


def test_values_of_the_wrong_type_or_shape_are_refused_at_the_call():
    build = NetworkBuilder()
    build.population("a", (2, 3), "lif_delta")
    for call in (
        lambda: build.population("b", 1.5, "lif_delta"),
        lambda: build.population("b", True, "lif_delta"),
        lambda: build.population("b", 1, "lif_delta", tau_m="20ms"),
        lambda: build.connect("a", "a", weight="big"),
        lambda: build.connect("a", "a", pre=[0.5], post=[0]),
        lambda: build.connect("a", "a", rule="fixed_indegree", k=0.5),
    ):
        with pytest.raises(TypeError):
            call()
    for size in (0, -1, 2**32, (2, 0)):
        with pytest.raises(NetworkError, match="'b', field 'shape'"):
            build.population("b", size, "lif_delta")
    with pytest.raises(NetworkError, match=r"'b', field 'tau_m': expected an array of shape \(2, 3\)"):
        build.population("b", (2, 3), "lif_delta", tau_m=np.ones((3, 2)))
    with pytest.raises(NetworkError, match="'b', field 'E_L': expected 1 or 6 values, found 2"):
        build.population("b", (2, 3), "lif_delta", E_L=[0.0, 1.0])
    assert [p.name for p in build.network().populations] == ["a"]
