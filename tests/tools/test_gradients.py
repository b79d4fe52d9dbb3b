"""A step of learning by saltus.train.surrogate is a step along the gradient that a tool's autograd gives."""

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
    "sinabs": ["LIF"],
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
    labels = np.arange(SAMPLES) % classes

    gradients: list[np.ndarray] = []
    for sample, label in zip(x, labels, strict=True):
        module = imported(tool, path, dt)  # without the state of the sample before
        weights = [p for p in module.parameters() if p.requires_grad and p.ndim == 2]
        loss_of(module, sample, int(label), tool != "sinabs").backward()
        one = [p.grad.numpy().astype(float) for p in weights]
        gradients = [a + b for a, b in zip(gradients, one, strict=True)] if gradients else one

    result = saltus.train.surrogate(
        saltus.load(path, convention=tool, dt=dt),
        (x, labels),
        dt=dt,
        classes=[str(k) for k in range(classes)],
        activity=0.0,
        epochs=1,
        batch=SAMPLES,
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
    names = [name for name, node in graph.nodes.items() if isinstance(node, nir.Linear | nir.Affine)]
    assert len(names) == len(gradients)
    for name, gradient in zip(names, gradients, strict=True):
        step = graph.nodes[name].weight.astype(float) - trained.nodes[name].weight.astype(float)
        scale = np.abs(gradient).max() / SAMPLES
        assert scale > 0
        np.testing.assert_allclose(step, gradient / SAMPLES, rtol=1e-3, atol=2e-5 * scale + 4e-7)
