"""Networks that go from Saltus to a tool and from a tool to Saltus: the same spikes on both sides."""

import numpy as np
import pytest
import saltus
import torch
from graphs import chain, grid, raster
from tools import TOOLS, stepped

STEPS = 150
KINDS = {
    "norse": ["IF", "LIF", "CubaLIF"],
    "snntorch": ["LIF", "CubaLIF"],
    "sinabs": ["IF", "LIF"],
    "spikingjelly": ["IF", "LIF", "CubaLIF"],
}
EXPORTED = [(tool, kind, seed) for tool, kinds in KINDS.items() for kind in kinds for seed in range(8)]


def by_saltus(path, tool: str, x: np.ndarray, dt: float) -> np.ndarray:
    """Spikes of the population that the only output shows."""
    net = saltus.load(path)
    name = next(population.name for population in net.populations if population.model == "Input")
    # steps of sinabs have no length: 1 of its file is one step of any
    out = saltus.simulate(net, {name: x}, clock="stepped", convention=tool, dt=dt)
    (last,) = out.outputs.values()
    return out.raster(last, dt=dt)[: len(x)]


@pytest.mark.parametrize(("tool", "kind", "seed"), EXPORTED)
@pytest.mark.parametrize("ending", [".nir", ".nir.json"])
def test_a_tool_runs_what_saltus_has_written_with_the_same_spikes(tool, kind, seed, ending, tmp_path):
    dt = TOOLS[tool].dt
    graph = chain(tool, seed, dt, kind)
    saltus.save(saltus.from_nir(graph), tmp_path / f"first{ending}")
    saltus.save(saltus.load(tmp_path / f"first{ending}"), tmp_path / "net.nir")
    x = raster(seed, STEPS, tuple(int(n) for n in graph.nodes["input"].input_type["input"]))
    expected = TOOLS[tool].run(tmp_path / "net.nir", x, dt)
    assert expected.sum() > 0
    np.testing.assert_array_equal(by_saltus(tmp_path / "net.nir", tool, x, dt), expected)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_saltus_runs_what_a_tool_has_written_with_the_same_spikes(tool, seed, tmp_path):
    random = np.random.default_rng(seed)
    gain = 8.0 if tool in ("norse", "spikingjelly") else 1.0  # there a step adds only dt/tau of the input
    weights = [grid(random, -0.5 * gain, 0.9 * gain, 5, 4), grid(random, -0.5 * gain, 0.9 * gain, 3, 5)]
    _, export = TOOLS[tool].model(weights)
    x = raster(seed, STEPS, (4,))
    export(tmp_path / "net.nir", torch.as_tensor(x[:1]))
    imported = TOOLS[tool].run(tmp_path / "net.nir", x, TOOLS[tool].dt)
    assert imported.sum() > 0
    guess = saltus.inspect(saltus.load(tmp_path / "net.nir"))
    assert (guess.convention, guess.dt, guess.told) == (tool, TOOLS[tool].dt, False)
    np.testing.assert_array_equal(by_saltus(tmp_path / "net.nir", tool, x, TOOLS[tool].dt), imported)
    if tool in ("norse", "spikingjelly"):  # the others' models follow rules that a file does not say
        own, _ = TOOLS[tool].model(weights)
        np.testing.assert_array_equal(stepped(own, x, TOOLS[tool].takes_state), imported)
