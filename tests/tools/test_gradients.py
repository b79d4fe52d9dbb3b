"""A step of learning by saltus.train.surrogate is a step along the gradient that a tool's autograd gives."""

from itertools import pairwise

import nir
import numpy as np
import pytest
import saltus
import torch
from graphs import chain, raster
from tools import TOOLS

STEPS = 40
SAMPLES = 6

# What the importers of the tools put in place of a spike's derivative.
SURROGATES = {
    "norse": {"surrogate": "norse"},
    "snntorch": {"surrogate": "snntorch.atan"},
    "sinabs": {"surrogate": "sinabs"},
    "spikingjelly": {"surrogate": "spikingjelly.sigmoid"},
    "spikingjelly CubaLIF": {"surrogate": "box", "slope": 2.0},  # its Rect
}
KINDS = {
    "norse": ["IF", "LIF", "CubaLIF"],
    "snntorch": ["LIF", "CubaLIF"],
    "sinabs": ["IF", "LIF"],
    "spikingjelly": ["IF", "LIF", "CubaLIF"],
}


def imported(tool: str, path, dt: float) -> torch.nn.Module:
    if tool == "norse":
        import norse.torch

        return norse.torch.from_nir(nir.read(path, type_check=False), dt=dt)
    if tool == "snntorch":
        from snntorch.import_nir import import_from_nir

        return import_from_nir(nir.read(path))
    if tool == "sinabs":
        import sinabs.nir

        return sinabs.nir.from_nir(nir.read(path, type_check=False), batch_size=1, num_timesteps=1)
    from spikingjelly.activation_based.nir_exchange import import_from_nir

    return import_from_nir(nir.read(path), dt=dt)


def loss_of(module: torch.nn.Module, x: np.ndarray, label: int, takes_state: bool) -> torch.Tensor:
    total, state = 0.0, None
    for row in torch.as_tensor(x):
        out = module(row[None], state) if takes_state else module(row[None])
        if isinstance(out, tuple):
            out, state = out[0], out[-1]
        total = total + out
    return torch.nn.functional.cross_entropy(total, torch.tensor([label]))


def check_step(tool: str, kind: str, path, dt: float, x: np.ndarray, labels: np.ndarray) -> None:
    """Trains on all samples at once, from the file and from the tool's module, and compares the weights."""
    graph = nir.read(path, type_check=False)
    gradients: list[np.ndarray] = []
    for sample, label in zip(x, labels, strict=True):
        module = imported(tool, path, dt)  # without the state of the sample before
        weights = [p for p in module.parameters() if p.requires_grad and p.ndim >= 2]
        loss_of(module, sample, int(label), tool != "sinabs").backward()
        one = [p.grad.numpy().astype(float) for p in weights]
        gradients = [a + b for a, b in zip(gradients, one, strict=True)] if gradients else one
    (output,) = (node for node in graph.nodes.values() if isinstance(node, nir.Output))
    classes = int(np.prod(next(iter(output.output_type.values()))))
    result = saltus.train.surrogate(
        saltus.load(path, convention=tool, dt=dt),
        (x, labels),
        dt=dt,
        classes=[str(k) for k in range(classes)],
        activity=0.0,
        epochs=1,
        batch=len(x),
        validation=0,
        optimizer="sgd",
        learning_rate=1.0,
        weight_decay=0.0,
        largest_element=np.inf,
        schedule="constant",
        warmup=0.0,
        **SURROGATES.get(f"{tool} {kind}", SURROGATES[tool]),
    )
    trained = result.network.to_nir()
    names = [name for name, node in graph.nodes.items() if hasattr(node, "weight")]
    assert len(names) == len(gradients)
    if tool == "sinabs":  # the order of its modules is that of the names
        names = sorted(names, key=lambda name: int("".join(c for c in name if c.isdigit()) or 0))
    for name, gradient in zip(names, gradients, strict=True):
        step = graph.nodes[name].weight.astype(float) - trained.nodes[name].weight.astype(float)
        scale = np.abs(gradient).max() / len(x)
        assert scale > 0
        np.testing.assert_allclose(step, gradient / len(x), rtol=1e-3, atol=2e-5 * scale + 4e-7)


@pytest.mark.parametrize(("tool", "kind"), [(tool, kind) for tool, kinds in KINDS.items() for kind in kinds])
@pytest.mark.parametrize("seed", range(3))
def test_a_step_of_learning_is_along_the_gradient_of_the_tool(tool, kind, seed, tmp_path):
    dt = TOOLS[tool].dt
    path = tmp_path / "net.nir"
    saltus.save(saltus.from_nir(chain(tool, seed, dt, kind)), path)
    graph = nir.read(path, type_check=False)
    inputs = int(graph.nodes["input"].input_type["input"][0])
    classes = int(graph.nodes["output"].input_type["input"][0])
    x = np.stack([raster(100 * seed + k, STEPS, (inputs,)) for k in range(SAMPLES)])
    check_step(tool, kind, path, dt, x, np.arange(SAMPLES) % classes)


def test_a_step_of_learning_of_convolutions_is_along_the_gradient_of_sinabs(tmp_path):
    # Without pooling: that of sinabs, an LPPool2d, hands nothing back where a window is silent.
    random = np.random.default_rng(3)

    def conv(outputs, inputs, size, stride):
        weight = random.normal(0.05, 0.4, (outputs, inputs, 3, 3)).astype(np.float32)
        return nir.Conv2d(size, weight, stride, 1, 1, 1, np.zeros(outputs, np.float32))

    def neurons(*shape):
        one = np.ones(shape, np.float32)
        return nir.IF(r=one, v_threshold=one, v_reset=0 * one)

    nodes = {
        "input": nir.Input(np.array([2, 8, 8])),
        "0_conv": conv(4, 2, (8, 8), 1),
        "1_if": neurons(4, 8, 8),
        "3_conv": conv(4, 4, (8, 8), 2),
        "4_if": neurons(4, 4, 4),
        "5_flat": nir.Flatten({"input": np.array([4, 4, 4])}, start_dim=0),
        "6_fc": nir.Affine(random.normal(0.0, 0.3, (3, 64)).astype(np.float32), np.zeros(3, np.float32)),
        "7_if": neurons(3),
        "output": nir.Output(np.array([3])),
    }
    names = list(nodes)
    path = tmp_path / "net.nir"
    nir.write(path, nir.NIRGraph(nodes, list(pairwise(names))))
    x = np.stack([(random.random((12, 2, 8, 8)) < 0.15).astype(np.float32) for _ in range(3)])
    check_step("sinabs", "IF", path, 1e-3, x, np.arange(3))
