"""Random networks that a tool can read. Weights, biases, inputs lie on a binary grid: sums are exact."""

from itertools import pairwise

import nir
import numpy as np


def grid(random: np.random.Generator, low: float, high: float, *shape: int) -> np.ndarray:
    return (np.round(random.uniform(low, high, shape) * 64) / 64).astype(np.float32)


def affine(
    random: np.random.Generator, inputs: int, outputs: int, biased: bool = True, gain: float = 1.0
) -> nir.NIRNode:
    weight = grid(random, -0.5 if gain == 1.0 else 0.0, 0.9 * gain, outputs, inputs)
    return nir.Affine(weight, grid(random, 0.0, 0.05, outputs)) if biased else nir.Linear(weight)


def constant(value: float, n: int) -> np.ndarray:
    return np.full(n, value, dtype=np.float32)


def neurons(tool: str, random: np.random.Generator, n: int, dt: float, kind: str) -> nir.NIRNode:
    """Of a kind that the tool reads, with the parameters that its importer takes."""
    threshold = (np.float32(0.7) + random.uniform(0, 0.5, n)).astype(np.float32)
    if tool in ("snntorch", "spikingjelly"):
        threshold = constant(threshold[0], n)
    zero = constant(0.0, n)
    if kind == "IF":
        r = {"spikingjelly": 1 / dt}.get(tool, 1.0)
        return nir.IF(r=constant(r, n), v_threshold=threshold, v_reset=zero)
    if tool == "sinabs":
        tau = random.uniform(5.0, 40.0, n).astype(np.float32)
        return nir.LIF(tau=tau, r=constant(1.0, n), v_leak=zero, v_threshold=threshold, v_reset=zero)
    tau = (dt * random.uniform(4.0, 30.0, n)).astype(np.float32)
    if tool == "spikingjelly":
        tau = constant(tau[0], n)
    if kind == "LIF":
        r = (tau / np.float32(dt)).astype(np.float32) if tool == "snntorch" else constant(1.0, n)
        return nir.LIF(tau=tau, r=r, v_leak=zero, v_threshold=threshold, v_reset=zero)
    tau_syn = (dt * random.uniform(3.0, 10.0, n)).astype(np.float32)
    if tool == "spikingjelly":
        tau_syn = constant(tau_syn[0], n)
    r = w_in = constant(1.0, n)
    if tool in ("snntorch", "spikingjelly"):
        r, w_in = tau / np.float32(dt), tau_syn / np.float32(dt)
    elif tool == "norse":
        w_in = constant(8.0, n)
    return nir.CubaLIF(
        tau_syn=tau_syn, tau_mem=tau, r=r, v_leak=zero, v_threshold=threshold, v_reset=zero, w_in=w_in
    )


def chain(tool: str, seed: int, dt: float, kind: str) -> nir.NIRGraph:
    random = np.random.default_rng(seed)
    sizes = [int(n) for n in random.integers(2, 9, random.integers(2, 5))]
    # where a step adds only dt/tau of the input
    gain = 16.0 if (tool, kind) in (("norse", "LIF"), ("norse", "CubaLIF"), ("spikingjelly", "LIF")) else 1.0
    nodes: dict[str, nir.NIRNode] = {"input": nir.Input(np.array([sizes[0]]))}
    for k in range(1, len(sizes)):
        nodes[f"fc{k}"] = affine(random, sizes[k - 1], sizes[k], tool == "sinabs" or k % 2 == 1, gain)
        nodes[f"lif{k}"] = neurons(tool, random, sizes[k], dt, kind)
    nodes["output"] = nir.Output(np.array([sizes[-1]]))
    names = list(nodes)
    return nir.NIRGraph(nodes, list(pairwise(names)))


def raster(seed: int, steps: int, shape: tuple[int, ...]) -> np.ndarray:
    random = np.random.default_rng(seed + 1000)
    return (random.random((steps, *shape)) < 0.4).astype(np.float32)
