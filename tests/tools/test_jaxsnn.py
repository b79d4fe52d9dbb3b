"""The exact clock beside jaxsnn, whose neurons have closed forms too: the same spikes at the same times."""

from itertools import pairwise
from pathlib import Path

import jax
import jax.numpy as jnp
import nir
import numpy as np
import pytest
import saltus
from graphs import grid
from jaxsnn.event import ConversionConfig, from_nir
from jaxsnn.event.types import Spike

jax.config.update("jax_enable_x64", True)

T_MAX = 0.05


def graph_of(seed: int) -> nir.NIRGraph:
    random = np.random.default_rng(seed)
    sizes = [int(n) for n in random.integers(3, 9, 2 + seed % 2)]
    tau_syn = float(
        random.integers(3, 7)
    )  # in ms, as the importer reads it, which solves tau_mem = 2 tau_syn
    V_reset = -0.5 if seed % 3 == 0 else 0.0
    nodes: dict[str, nir.NIRNode] = {"input": nir.Input(np.array([sizes[0]]))}
    for k, (inputs, outputs) in enumerate(pairwise(sizes)):
        # the importer stops at [inputs, outputs] unless both are equal, so it is given the transpose below
        nodes[f"w{k}"] = nir.Linear(grid(random, -0.5, 2.5, outputs, inputs))
        nodes[f"lif{k}"] = nir.CubaLIF(
            tau_syn=np.full(outputs, tau_syn),
            tau_mem=np.full(outputs, 2 * tau_syn),
            r=np.full(outputs, 1.0),
            v_leak=np.full(outputs, 0.0),
            v_threshold=np.full(outputs, 1.03),
            v_reset=np.full(outputs, V_reset),
            w_in=np.full(outputs, 1.0),
        )
    nodes["output"] = nir.Output(np.array([sizes[-1]]))
    return nir.NIRGraph(nodes, list(pairwise(nodes)))


def inputs_of(seed: int, neurons: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed + 1000)
    times = np.sort(random.uniform(1e-3, 0.8 * T_MAX, 25))
    return times, random.integers(0, neurons, len(times))


def by_jaxsnn(path: Path, times: np.ndarray, neurons: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    graph = nir.read(path)
    for node in graph.nodes.values():
        if isinstance(node, nir.Linear):
            node.weight = np.asarray(node.weight, dtype=np.float64).T
    steps = {name: 800 for name, node in graph.nodes.items() if isinstance(node, nir.CubaLIF)}
    init, apply = from_nir(graph, ConversionConfig(t_max=T_MAX, n_steps=steps)).done()
    n = len(times)
    spikes = Spike(
        jnp.asarray(times)[None],
        jnp.asarray(neurons)[None],
        jnp.zeros((1, n)),
        jnp.zeros((1, n), dtype=int),
        jnp.ones((1, n), dtype=bool),
    )
    events = apply({"input": spikes}, init(jax.random.PRNGKey(0)))
    found = {}
    for name in steps:
        event = events[name]
        t, i = np.asarray(event.time[0]), np.asarray(event.idx[0])
        own = np.isfinite(t) & (t < T_MAX) & (i >= 0) & np.asarray(event.internal[0])
        assert not np.all(t < T_MAX)  # it did not run out of steps
        found[name] = (t[own], i[own])
    return found


@pytest.mark.parametrize(("seed", "ending"), [(0, ".nir"), (1, ".nir.json"), (2, ".nir.json"), (3, ".nir")])
def test_jaxsnn_runs_what_saltus_has_written_with_the_same_spike_times(seed, ending, tmp_path):
    graph = graph_of(seed)
    saltus.save(saltus.from_nir(graph), tmp_path / f"first{ending}")
    net = saltus.load(tmp_path / f"first{ending}")
    saltus.save(net, tmp_path / "net.nir")
    times, neurons = inputs_of(seed, int(graph.nodes["input"].input_type["input"][0]))
    expected = by_jaxsnn(tmp_path / "net.nir", times, neurons)
    out = saltus.simulate(
        saltus.load(tmp_path / "net.nir"), {"input": (times, neurons)}, duration=T_MAX, convention="jaxsnn"
    )
    assert sum(len(t) for t, _ in expected.values()) > 10
    for name, (t, i) in expected.items():
        mine = out.spikes[name]
        order, expected_order = np.lexsort((mine.neurons, mine.times)), np.lexsort((i, t))
        np.testing.assert_array_equal(np.asarray(mine.neurons)[order], i[expected_order])
        np.testing.assert_allclose(np.asarray(mine.times)[order], t[expected_order], rtol=0, atol=1e-14)
