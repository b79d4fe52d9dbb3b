"""Runs against values computed by hand."""

import math
import signal
import threading

import nir
import numpy as np
import pytest
import saltus
from conftest import if_layer, lif


def jumping(graph, **choices):
    """A spike adds its weight to the potential."""
    return saltus.from_nir(graph, spike_area="jump", **choices)


# Regular firing, coincidence, potentials


def test_constant_drive_fires_a_lif_at_the_textbook_interval():
    # Gerstner et al., Neuronal Dynamics, 1.3: T = tau ln(R I / (R I - V_th)); here 20 ms ln 3.
    out = saltus.simulate(saltus.from_nir(lif([[0.0]], bias=[1.5])), {}, duration=1.0)
    interval = 20e-3 * math.log(3.0)
    train = out.spikes["lif"]
    assert len(train) == math.floor(1.0 / interval)
    # Each interval is rounded to a femtosecond, and the double nearest to it is off by less than one.
    k = np.arange(1, len(train) + 1)
    assert np.all(np.abs(train.ticks - np.round(k * interval * 1e15)) <= k)
    assert np.allclose(train.times, k * interval, rtol=1e-14)


def test_drive_that_reaches_the_threshold_only_asymptotically_never_fires():
    out = saltus.simulate(saltus.from_nir(lif([[0.0]], bias=[1.0])), {}, duration=10.0)
    assert len(out.spikes["lif"]) == 0


def test_an_if_neuron_with_bias_fires_at_multiples_of_threshold_over_slope():
    graph = if_layer([1], v_threshold=0.5)
    graph.nodes["fc"] = nir.Affine(np.zeros((1, 1)), np.array([50.0]))
    graph.edges = [("input", "fc"), ("fc", "if"), ("if", "output")]
    out = saltus.simulate(saltus.from_nir(graph), {}, duration=0.035)
    assert out.spikes["if"].ticks.tolist() == [10 * 10**12, 20 * 10**12, 30 * 10**12]


def test_two_spikes_below_threshold_fire_a_neuron_only_if_they_coincide():
    net = jumping(lif([[0.6, 0.6]]))
    together = saltus.simulate(net, {"input": ([0.01, 0.01], [0, 1])}, duration=0.1)
    assert together.spikes["lif"].times.tolist() == [0.01]
    # After a time tau the first has decayed to 0.6 / e = 0.22: 0.82 in all.
    apart = saltus.simulate(net, {"input": ([0.01, 0.03], [0, 1])}, duration=0.1)
    assert len(apart.spikes["lif"]) == 0
    # 0.6 exp(-d / tau) = 0.4 at d = tau ln 1.5 = 8.1 ms.
    for distance, fires in ((8.10e-3, True), (8.12e-3, False)):
        out = saltus.simulate(net, {"input": ([0.01, 0.01 + distance], [0, 1])}, duration=0.1)
        assert len(out.spikes["lif"]) == fires


def test_excitation_and_inhibition_at_one_instant_are_summed_before_the_threshold_is_tested():
    net = jumping(lif([[1.5, -1.0]]))
    out = saltus.simulate(net, {"input": ([0.01, 0.01], [0, 1])}, duration=0.1)
    assert len(out.spikes["lif"]) == 0


def test_potentials_follow_the_closed_form_on_the_grid():
    net = jumping(lif([[0.5]]))
    out = saltus.simulate(
        net, {"input": ([0.0015, 0.0040], [0, 0])}, duration=0.01, dt=1e-3, record=("spikes", "potentials")
    )
    t = np.arange(11) * 1e-3
    expected = sum(np.where(t >= s, 0.5 * np.exp(-(t - s) / 20e-3), 0.0) for s in (0.0015, 0.0040))
    assert out.potential_times.tolist() == [k / 1000 for k in range(11)]
    assert out.potentials["lif"].shape == (11, 1)
    assert np.allclose(out.potentials["lif"][:, 0], expected, rtol=1e-14, atol=0)


def test_potentials_have_the_shape_of_their_population():
    net = saltus.from_nir(if_layer([2, 3, 4], v_threshold=10.0))
    out = saltus.simulate(net, {"input": ([0.001], [23])}, duration=0.002, dt=1e-3, record="potentials")
    assert out.potentials["if"].shape == (3, 2, 3, 4)
    assert out.potentials["if"][:, 1, 2, 3].tolist() == [0.0, 1.0, 1.0]
    assert out.potentials["if"].sum() == 2.0
    assert out.spikes == {}


def test_a_leaky_integrator_tells_its_potential_at_the_end():
    one = np.ones(1)
    graph = nir.NIRGraph.from_list(nir.LI(tau=0.02 * one, r=one, v_leak=0 * one))
    out = saltus.simulate(saltus.from_nir(graph, spike_area="jump"), {"input": ([0.01], [0])}, duration=0.05)
    assert out.final_potentials["li"] == pytest.approx(math.exp(-2), rel=1e-14)
    assert "li" not in out.spikes


def test_a_spike_is_worth_what_the_convention_says():
    # tau = 20 ms: an impulse of area 1 jumps by w / tau, a pulse one step wide by w dt / tau.
    for choices, jump in (
        ({}, 0.5 / 20e-3),
        ({"spike_area": "step", "dt": 1e-3}, 0.5 * 1e-3 / 20e-3),
        ({"spike_area": "jump"}, 0.5),
    ):
        net = saltus.from_nir(lif([[0.5]], v_threshold=1e6))
        out = saltus.simulate(
            net, {"input": ([0.0], [0])}, duration=0.0, record="potentials", **{"dt": 1e-3, **choices}
        )
        assert out.potentials["lif"][0, 0] == pytest.approx(jump, rel=1e-15)


def test_choices_of_loading_hold_for_runs_that_make_none():
    graph = lif([[2.0]])
    inputs = {"input": ([0.001, 0.002], [0, 0])}
    loaded = saltus.from_nir(graph, spike_area="jump", t_ref=5e-3)
    told = saltus.simulate(saltus.from_nir(graph), inputs, 0.01, spike_area="jump", t_ref=5e-3)
    assert saltus.simulate(loaded, inputs, 0.01).fingerprint == told.fingerprint
    assert len(told.spikes["lif"]) == 1
    assert len(saltus.simulate(loaded, inputs, 0.01, t_ref=0.0).spikes["lif"]) == 2


# Inputs and outputs


def test_a_poisson_input_passes_one_to_one_with_its_shape():
    shape = (2, 3, 4)
    random = np.random.default_rng(7)
    counts = random.poisson(2.0, size=shape)
    neurons = np.repeat(np.arange(24), counts.ravel())
    times = random.uniform(0.0, 0.5, size=len(neurons))
    net = saltus.from_nir(if_layer(shape))
    out = saltus.simulate(net, {"input": (times, neurons)}, duration=0.5)
    assert out.spike_counts == {"if": len(times), "input": len(times)}
    assert out.synaptic_events == len(times)
    order = np.lexsort((neurons, times))
    assert np.array_equal(out.spikes["if"].neurons, neurons[order])
    # Half a femtosecond, and the rounding of a double below 0.5.
    assert np.allclose(out.spikes["if"].times, times[order], rtol=0, atol=0.5e-15 + 2**-53)
    assert np.array_equal(out.raster("if", dt=0.5), counts[np.newaxis])
    assert np.array_equal(out.raster("if", dt=0.1).sum(axis=0), counts)


def test_a_raster_in_is_the_same_raster_out():
    raster = np.random.default_rng(3).integers(0, 2, size=(50, 3, 4))
    net = saltus.from_nir(if_layer([3, 4]))
    out = saltus.simulate(net, {"input": raster}, duration=0.05, dt=1e-3)
    assert np.array_equal(out.raster("if", dt=1e-3), raster)
    flat = saltus.simulate(net, {"input": raster.reshape(50, 12)}, duration=0.05, dt=1e-3)
    assert flat.fingerprint == out.fingerprint


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int64, np.float32, np.float64])
def test_a_raster_may_be_of_any_type_that_holds_whole_numbers(kind):
    raster = np.array([[0], [1], [0], [1]], dtype=kind)
    out = saltus.simulate(saltus.from_nir(if_layer([1])), {"input": raster}, dt=1e-3)
    assert out.duration == 0.004
    assert out.spikes["if"].ticks.tolist() == [10**12, 3 * 10**12]


def test_a_count_in_a_raster_is_that_many_spikes_at_the_start_of_its_step():
    net = jumping(lif([[0.4]]))
    assert len(saltus.simulate(net, {"input": np.array([[0], [2]])}, dt=1e-3).spikes["lif"]) == 0
    assert saltus.simulate(net, {"input": np.array([[0], [3]])}, dt=1e-3).spikes["lif"].times.tolist() == [
        1e-3
    ]


def test_a_spike_at_the_very_end_counts_in_the_last_step():
    out = saltus.simulate(saltus.from_nir(if_layer([1])), {"input": ([0.0, 0.003], [0, 0])}, duration=0.003)
    assert out.raster("if", dt=1e-3).ravel().tolist() == [1, 0, 1]
    assert out.raster("if", dt=2e-3).ravel().tolist() == [1, 1]


def test_inputs_may_be_lists_trains_and_arrays_of_other_types():
    net = saltus.from_nir(if_layer([3]))
    times, neurons = [0.002, 0.001], [2, 1]
    forms = [
        (times, neurons),
        [np.array(times), np.array(neurons, dtype=np.uint8)],
        (np.array([0, 0.002, 0, 0.001])[1::2], np.array([0, 2, 0, 1], dtype=np.uint64)[1::2]),
        (np.array(times, dtype=">f8"), np.array(neurons, dtype=">i4")),
        saltus.SpikeTrain(times, neurons),
        saltus.SpikeTrain.from_ticks([2 * 10**12, 10**12], neurons),
    ]
    prints = {saltus.simulate(net, {"input": form}, 0.01).fingerprint for form in forms}
    assert len(prints) == 1
    assert saltus.simulate(net, {"input": ([], [])}, 0.01).spike_counts["input"] == 0
    assert saltus.simulate(net, {}, 0.01).spike_counts["input"] == 0


def test_arrays_of_a_result_share_its_memory_and_outlive_it():
    out = saltus.simulate(saltus.from_nir(if_layer([2])), {"input": ([0.001, 0.002], [0, 1])}, 0.01)
    train = out.spikes["if"]
    assert np.shares_memory(train.ticks, train.ticks)
    assert np.shares_memory(train.times, train.times)
    assert (train.times.dtype, train.ticks.dtype, train.neurons.dtype) == (np.float64, np.int64, np.uint32)
    with pytest.raises(ValueError, match="read-only"):
        train.ticks[0] = 5
    ticks = train.ticks
    del out, train
    assert ticks.tolist() == [10**12, 2 * 10**12]


def test_an_unknown_name_in_a_result_is_answered_with_the_known_ones():
    out = saltus.simulate(saltus.from_nir(if_layer([1])), {}, 0.01)
    with pytest.raises(KeyError, match=r"'lif' is not recorded; recorded are: 'if'"):
        out.spikes["lif"]
    with pytest.raises(KeyError, match="'lif' is not recorded"):
        out.raster("lif", dt=1e-3)


def test_outputs_name_the_population_that_a_port_shows():
    assert saltus.simulate(saltus.from_nir(if_layer([1])), {}, 0.01).outputs == {"output": "if"}


def test_a_result_shows_what_it_holds():
    out = saltus.simulate(saltus.from_nir(if_layer([1])), {"input": ([0.001], [0])}, 0.01)
    assert repr(out) == "Result of 0.01 s; spikes: input 1, if 1; 1 synaptic events"
    assert "<td>if</td><td>1</td>" in out._repr_html_()


# Refusals


@pytest.mark.parametrize(
    ("times", "neurons", "words"),
    [
        ([0.001, math.nan], [0, 0], "spike 1: .*found nan"),
        ([math.inf], [0], "spike 0: .*found inf"),
        ([0.001, 0.002, -0.003], [0, 0, 0], r"spike 2: .*found -0\.003"),
        ([1e300], [0], r"spike 0: .*found 1e\+300"),
        ([0.001, 0.02], [0, 0], "spike 1: .*found 20ms"),
        ([0.001, 0.002], [0, 3], "spike 1: expected a neuron below 3, found 3"),
        ([0.001], [-1], "spike 0: .*found -1"),
        ([0.001], [2**40], "spike 0: .*found 1099511627776"),
        ([0.001, 0.002], [0], "expected as many neurons as times, found 1 and 2"),
    ],
)
def test_spikes_that_cannot_be_are_refused_by_input_index_and_value(times, neurons, words):
    with pytest.raises(saltus.InputError, match="spikes for 'input': " + words) as caught:
        saltus.simulate(saltus.from_nir(if_layer([3])), {"input": (times, neurons)}, duration=0.01)
    assert caught.value.population == "input"
    assert isinstance(caught.value, ValueError)


def test_spikes_for_no_input_are_refused_with_the_inputs_there_are():
    net = saltus.from_nir(if_layer([3]))
    for name in ("inptu", "if", "output"):
        with pytest.raises(saltus.InputError, match="its inputs: 'input'"):
            saltus.simulate(net, {name: ([], [])}, 0.01)


@pytest.mark.parametrize(
    ("raster", "words"),
    [
        (
            np.array([[0.0, 0.0], [0.0, 0.5]]),
            r"step 1, neuron \(1,\): expected a whole number of spikes, found 0\.5",
        ),
        (np.array([[math.nan, 0.0]]), r"step 0, neuron \(0,\): .*found nan"),
        (np.array([[0, -1]]), r"step 0, neuron \(1,\): .*found -1"),
        (np.array([[0, 1, 0]]), r"expected a raster of shape \(steps, 2\), found \(1, 3\)"),
        (np.zeros((1, 2, 1)), r"expected a raster of shape \(steps, 2\)"),
    ],
)
def test_rasters_that_are_no_counts_are_refused(raster, words):
    with pytest.raises(saltus.InputError, match="spikes for 'input': " + words):
        saltus.simulate(saltus.from_nir(if_layer([2])), {"input": raster}, duration=0.01, dt=1e-3)


def test_a_raster_needs_a_step_and_a_run_without_raster_a_duration():
    net = saltus.from_nir(if_layer([1]))
    with pytest.raises(saltus.UsageError, match="a raster needs the length of its steps"):
        saltus.simulate(net, {"input": np.array([[1]])}, duration=0.01)
    with pytest.raises(saltus.UsageError, match="duration: none given"):
        saltus.simulate(net, {"input": ([0.001], [0])}, dt=1e-3)
    with pytest.raises(saltus.UsageError, match="potentials need the distance"):
        saltus.simulate(net, {}, 0.01, record=("potentials",))


def test_the_clock_to_come_is_refused_by_name():
    with pytest.raises(saltus.LimitError, match="clock 'integer': not built yet"):
        saltus.simulate(saltus.from_nir(if_layer([1])), {}, 0.01, clock="integer")


@pytest.mark.parametrize(
    ("choice", "error", "words"),
    [
        ({"clock": "exakt"}, saltus.UsageError, "'exact'"),
        ({"convention": "nors"}, saltus.UsageError, "norse"),
        ({"convention": "nengo"}, saltus.LimitError, "nengo"),
        ({"time_unit": "hours"}, saltus.UsageError, "ms"),
        ({"spike_area": "wide"}, saltus.UsageError, "jump"),
        ({"reset": "never"}, saltus.UsageError, "subtract"),
        ({"record": ("spikes", "voltages")}, saltus.UsageError, "voltages"),
        ({"dt": 0.0}, saltus.UsageError, "dt"),
        ({"dt": -1e-3}, saltus.UsageError, "dt"),
        ({"dt": math.nan}, saltus.UsageError, "dt"),
        ({"dt": 1e300}, saltus.LimitError, "dt"),
        ({"t_ref": -1e-3}, saltus.UsageError, "t_ref"),
        ({"recurrent_delay": 0.0}, saltus.UsageError, "delay"),
        ({"threads": 0}, saltus.UsageError, "threads"),
        ({"threads": 1025}, saltus.UsageError, "threads: expected at most 1024"),
        ({"threads": 2**70}, saltus.UsageError, "threads"),
        ({"seed": -1}, saltus.UsageError, "seed"),
        ({"duration": -1.0}, saltus.LimitError, "duration"),
        ({"duration": 1e9}, saltus.LimitError, "duration"),
        ({"duration": math.nan}, saltus.UsageError, "duration"),
        ({"dt": 1e-15, "duration": 9000.0, "record": "potentials"}, saltus.LimitError, "larger dt"),
    ],
)
def test_values_out_of_their_range_are_refused_by_name(choice, error, words):
    with pytest.raises(error, match=words):
        saltus.simulate(saltus.from_nir(if_layer([1])), {}, **{"duration": 0.01, **choice})


NONSENSE = object()


@pytest.mark.parametrize(
    "choice",
    [
        {"net": NONSENSE},
        {"inputs": NONSENSE},
        {"inputs": [("input", ([], []))]},
        {"inputs": {"input": NONSENSE}},
        {"inputs": {"input": "spikes"}},
        {"inputs": {"input": (NONSENSE, [0])}},
        {"inputs": {"input": ([0.001], NONSENSE)}},
        {"inputs": {"input": (["soon"], [0])}},
        {"inputs": {"input": ([0.001], [0.5])}},
        {"inputs": {"input": ([0.001], [True])}},
        {"inputs": {"input": np.array([[NONSENSE]])}},
        {"inputs": {3: ([], [])}},
        {"inputs": {3: saltus.SpikeTrain([], [])}},
        {"duration": NONSENSE},
        {"duration": "1s"},
        {"clock": NONSENSE},
        {"convention": NONSENSE},
        {"dt": NONSENSE},
        {"recurrent_delay": NONSENSE},
        {"threads": NONSENSE},
        {"threads": 1.5},
        {"record": NONSENSE},
        {"seed": NONSENSE},
        {"time_unit": NONSENSE},
        {"spike_area": NONSENSE},
        {"reset": NONSENSE},
        {"t_ref": NONSENSE},
        {"progress": NONSENSE},
    ],
    ids=lambda choice: next(iter(choice)),
)
def test_nonsense_in_any_argument_of_simulate_is_a_type_error(choice):
    arguments = {"net": saltus.from_nir(if_layer([1])), "inputs": {}, "duration": 0.01, "dt": 1e-3, **choice}
    with pytest.raises(TypeError):
        saltus.simulate(**arguments)


@pytest.mark.parametrize(
    "call",
    [
        lambda: saltus.load(NONSENSE),
        lambda: saltus.load(b"net.nir"),
        lambda: saltus.load("net.nir", convention=NONSENSE),
        lambda: saltus.load("net.nir", dt="1ms"),
        lambda: saltus.load("net.nir", t_ref=None),
        lambda: saltus.save(NONSENSE, "net.nir"),
        lambda: saltus.save(saltus.from_nir(if_layer([1])), NONSENSE),
        lambda: saltus.from_nir(NONSENSE),
        lambda: saltus.from_nir({"type": "NIRGraph"}),
        lambda: saltus.from_nir(if_layer([1]), reset=NONSENSE),
        lambda: saltus.Network(),
        lambda: saltus.SpikeTrain(NONSENSE, [0]),
        lambda: saltus.SpikeTrain([0.0], NONSENSE),
        lambda: saltus.SpikeTrain.from_ticks([0.5], [0]),
        lambda: saltus.read_spikes(NONSENSE),
        lambda: saltus.write_spikes(NONSENSE, {}),
        lambda: saltus.write_spikes("out.h5", NONSENSE),
        lambda: saltus.write_spikes("out.h5", {"a": NONSENSE}),
        lambda: saltus.write_spikes("out.h5", {3: saltus.SpikeTrain([], [])}),
        lambda: saltus.evaluate(NONSENSE, "folder"),
        lambda: saltus.evaluate(saltus.from_nir(if_layer([1])), NONSENSE),
        lambda: saltus.evaluate(saltus.from_nir(if_layer([1])), "folder", threads=NONSENSE),
        lambda: saltus.evaluate(saltus.from_nir(if_layer([1])), "folder", duration=NONSENSE),
        lambda: saltus.evaluate(saltus.from_nir(if_layer([1])), "folder", split=NONSENSE),
        lambda: saltus.evaluate(saltus.from_nir(if_layer([1])), "folder", output=NONSENSE),
        lambda: saltus.evaluate(saltus.from_nir(if_layer([1])), "folder", progress=NONSENSE),
    ],
)
def test_nonsense_in_any_argument_of_the_other_functions_is_a_type_error(call):
    with pytest.raises(TypeError):
        call()


def recurrent():
    graph = lif([[2.0]])
    graph.nodes["rec"] = nir.Linear(np.array([[0.1]]))
    graph.edges += [("lif", "rec"), ("rec", "lif")]
    return saltus.from_nir(graph, spike_area="jump")


def test_a_cycle_without_delay_is_refused_by_name_and_runs_with_the_delay_asked_for():
    with pytest.raises(saltus.NetworkError, match=r"lif -> lif.* no delay"):
        saltus.simulate(recurrent(), {"input": ([0.001], [0])}, 0.01)
    out = saltus.simulate(recurrent(), {"input": ([0.001], [0])}, 0.01, recurrent_delay=1e-3)
    assert out.synaptic_events == 2
    assert any("closes a cycle without delay" in note for note in out.notes)


# Progress, interrupting, threads


def endless():
    """A neuron that fires every microsecond: 30 s of it take longer than any test waits."""
    graph = if_layer([1])
    graph.nodes["fc"] = nir.Affine(np.zeros((1, 1)), np.array([1e6]))
    graph.edges = [("input", "fc"), ("fc", "if"), ("if", "output")]
    return saltus.from_nir(graph)


def test_progress_is_told_in_order_and_once_at_the_end():
    told = []
    out = saltus.simulate(endless(), {}, duration=0.3, progress=lambda *facts: told.append(facts))
    assert told[-1] == (1.0, 0.3, len(out.spikes["if"]))
    assert told == sorted(told)
    assert all(0 < fraction <= 1 for fraction, _, _ in told)


def test_an_error_in_the_progress_callback_stops_the_run_and_carries_what_was_recorded():
    def stop(fraction, t, spikes):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough") as caught:
        saltus.simulate(endless(), {}, duration=30.0, progress=stop)
    partial = caught.value.partial
    assert partial.interrupted
    assert 0 < partial.end < 30
    assert partial.spikes["if"].times[-1] == pytest.approx(partial.end, abs=2e-6)
    assert partial.spike_counts["if"] == len(partial.spikes["if"])


def test_ctrl_c_stops_a_run_and_carries_what_was_recorded():
    # A shell that starts something in the background has it ignore Ctrl-C.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
    try:
        timer.start()
        with pytest.raises(KeyboardInterrupt) as caught:
            saltus.simulate(endless(), {}, duration=30.0)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert caught.value.partial.interrupted
    assert len(caught.value.partial.spikes["if"]) > 0


def test_no_progress_bar_where_standard_error_is_no_terminal(capfd):
    saltus.simulate(endless(), {}, duration=0.2, progress=True)
    assert capfd.readouterr() == ("", "")


def test_on_a_terminal_the_progress_bar_ends_at_100_percent():
    import os
    import pty
    import subprocess

    from conftest import python_in

    code = """
import nir, numpy as np, saltus
one = np.ones(1)
net = saltus.from_nir(nir.NIRGraph.from_list(nir.IF(r=one, v_threshold=one)))
saltus.simulate(net, {"input": (np.arange(500000) * 1e-6, np.zeros(500000, int))}, 0.5, progress=True)
"""
    terminal, end = pty.openpty()
    subprocess.run(python_in(code), stderr=end, check=True)
    os.close(end)
    shown = os.read(terminal, 65536).decode()
    os.close(terminal)
    assert "100 %  0.5 s, 500000 spikes" in shown


def test_two_runs_in_two_threads_give_what_they_give_one_after_the_other():
    net = jumping(lif(np.random.default_rng(1).uniform(0.0, 0.5, size=(20, 30))))
    random = np.random.default_rng(2)
    inputs = [{"input": (random.uniform(0.0, 1.0, 20_000), random.integers(0, 30, 20_000))} for _ in range(2)]
    alone = [saltus.simulate(net, spikes, 1.0) for spikes in inputs]
    together = [None, None]

    def run(i):
        together[i] = saltus.simulate(net, inputs[i], 1.0)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert alone[0].spikes["lif"] != alone[1].spikes["lif"]
    for i in range(2):
        assert together[i].spikes["lif"] == alone[i].spikes["lif"]
        assert together[i].fingerprint == alone[i].fingerprint


def test_other_python_threads_go_on_during_a_run():
    ticks = []
    done = threading.Event()

    def count():
        while not done.wait(0.005):
            ticks.append(1)

    thread = threading.Thread(target=count)
    thread.start()
    with pytest.raises(RuntimeError):
        saltus.simulate(endless(), {}, duration=30.0, progress=lambda *_: (_ for _ in ()).throw(RuntimeError))
    seen = len(ticks)
    done.set()
    thread.join()
    assert seen >= 2


def test_any_number_of_threads_computes_the_same_spikes_and_says_how_long_it_took():
    build = saltus.NetworkBuilder(seed=1)
    build.source("noise", 400, "poisson", rate=100.0)
    build.population("exc", 400, "lif_delta", tau_m=20e-3, V_th=20e-3, V_reset=10e-3, t_ref=2e-3)
    build.connect("noise", "exc", rule="fixed_indegree", k=20, weight=2e-3, delay=1e-3)
    build.connect("exc", "exc", rule="fixed_indegree", k=40, weight=-0.5e-3, delay=1.5e-3)
    net = build.network()
    runs = [saltus.simulate(net, {}, 0.2, threads=threads) for threads in (1, 2, 3, 2, None)]
    assert runs[0].spike_counts["exc"] > 100
    assert len({(run.fingerprint, run.synaptic_events, run.windows) for run in runs}) == 1
    assert [run.threads for run in runs] == [1, 2, 3, 2, 1]
    assert all(run.build_s > 0 and run.sim_s > 0 for run in runs)
    again = saltus.simulate(net, {}, 0.2)
    assert again.build_s < runs[-1].build_s  # it was there already


def test_a_run_that_records_nothing_counts_the_same_spikes():
    net = jumping(lif([[0.6, 0.6]]))
    inputs = {"input": ([0.01, 0.01], [0, 1])}
    full, silent = (saltus.simulate(net, inputs, 0.1, record=record) for record in (("spikes",), ()))
    assert silent.spikes == {}
    assert silent.spike_counts == full.spike_counts
    assert silent.synaptic_events == full.synaptic_events


def test_a_run_ends_with_the_first_spike_of_a_population_if_asked_to():
    build = saltus.NetworkBuilder(seed=1)
    build.input("in", 1)
    build.population("a", 1, "if_delta", V_th=1.0, V_reset=0.0, t_ref=0.0)
    build.connect("in", "a", pre=[0], post=[0], weight=0.5, delay=1e-3)
    net = build.network()
    inputs = {"in": ([0.001, 0.002, 0.003, 0.004], [0, 0, 0, 0])}
    out = saltus.simulate(net, inputs, duration=0.01, until_first_spike_of="a")
    assert out.end == 0.003
    np.testing.assert_allclose(out.spikes["a"].times, [0.003])
    assert out.spike_counts["in"] == 3
    assert saltus.simulate(net, inputs, duration=0.01).spike_counts["a"] == 2
    with pytest.raises(saltus.UsageError, match="b"):
        saltus.simulate(net, inputs, duration=0.01, until_first_spike_of="b")


def test_threads_and_seed_do_not_change_what_the_exact_clock_gives():
    net = jumping(lif([[0.6, 0.6]]))
    inputs = {"input": ([0.01, 0.01], [0, 1])}
    prints = {
        saltus.simulate(net, inputs, 0.1, threads=threads, seed=seed).fingerprint
        for threads, seed in ((None, None), (1, 0), (4, 12345))
    }
    assert len(prints) == 1
