"""What each tool makes of a file, and the file that it makes of its own model: one adapter per tool."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nir
import numpy as np
import torch

warnings.filterwarnings("ignore")


def stepped(module: torch.nn.Module, raster: np.ndarray, takes_state: bool) -> np.ndarray:
    """The output of every step; the state is passed on, or kept by the module."""
    outputs, state = [], None
    with torch.no_grad():
        for row in torch.as_tensor(raster, dtype=torch.float32):
            out = module(row[None], state) if takes_state else module(row[None])
            if isinstance(out, tuple):
                out, state = out[0], out[-1]
            outputs.append(out[0].numpy().copy())
    return np.stack(outputs)


def norse_run(path: Path, raster: np.ndarray, dt: float) -> np.ndarray:
    import norse.torch

    return stepped(norse.torch.from_nir(nir.read(path, type_check=False), dt=dt), raster, True)


def snntorch_run(path: Path, raster: np.ndarray, dt: float) -> np.ndarray:
    from snntorch.import_nir import import_from_nir

    assert dt == 1e-4
    return stepped(import_from_nir(nir.read(path)), raster, True)


def sinabs_run(path: Path, raster: np.ndarray, dt: float) -> np.ndarray:
    import sinabs.nir

    module = sinabs.nir.from_nir(nir.read(path, type_check=False), batch_size=1, num_timesteps=1)
    return stepped(module, raster, False)


def spikingjelly_run(path: Path, raster: np.ndarray, dt: float) -> np.ndarray:
    from spikingjelly.activation_based.nir_exchange import import_from_nir

    return stepped(import_from_nir(nir.read(path), dt=dt), raster, True)


def norse_model(weights: list[np.ndarray]) -> tuple[torch.nn.Module, Callable[[Path, torch.Tensor], None]]:
    import norse.torch as norse

    layers = []
    for weight in weights:
        out = len(weight)
        layers.append(linear(weight))
        tau = torch.linspace(100.0, 300.0, out)
        parameters = norse.LIFBoxParameters(
            tau_mem_inv=tau, v_leak=torch.zeros(out), v_th=torch.full((out,), 0.703125)
        )
        layers.append(norse.LIFBoxCell(parameters))
    model = norse.SequentialState(*layers)
    return model, lambda path, x: nir.write(path, norse.to_nir(model, x, dt=1.0))


def snntorch_model(weights: list[np.ndarray]) -> tuple[torch.nn.Module, Callable[[Path, torch.Tensor], None]]:
    import snntorch
    from snntorch.export_nir import export_to_nir

    layers = []
    for weight in weights:
        layers.append(linear(weight))
        layers.append(
            snntorch.Leaky(
                beta=torch.linspace(0.75, 0.9375, len(weight)),
                threshold=torch.ones(len(weight)),
                reset_mechanism="zero",
                init_hidden=True,
            )
        )
    model = torch.nn.Sequential(*layers)
    return model, lambda path, x: nir.write(path, export_to_nir(model, x[0]))


def sinabs_model(weights: list[np.ndarray]) -> tuple[torch.nn.Module, Callable[[Path, torch.Tensor], None]]:
    import sinabs.layers
    import sinabs.nir

    layers = []
    for weight in weights:
        layers.append(linear(weight))
        layers.append(sinabs.layers.IAFSqueeze(batch_size=1, num_timesteps=1))
    model = torch.nn.Sequential(*layers)
    return model, lambda path, x: nir.write(path, sinabs.nir.to_nir(model, x))


def spikingjelly_model(
    weights: list[np.ndarray],
) -> tuple[torch.nn.Module, Callable[[Path, torch.Tensor], None]]:
    from spikingjelly.activation_based import neuron
    from spikingjelly.activation_based.nir_exchange import export_to_nir

    layers = []
    for weight in weights:
        layers.append(linear(weight))
        layers.append(neuron.LIFNode(tau=4.0, v_threshold=0.71875, v_reset=0.0))
    model = torch.nn.Sequential(*layers)
    return model, lambda path, x: nir.write(path, export_to_nir(model, x, dt=1e-4))


def linear(weight: np.ndarray) -> torch.nn.Linear:
    layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        layer.weight[:] = torch.as_tensor(weight, dtype=torch.float32)
        layer.bias[:] = torch.arange(len(weight)) % 3 / 64
    return layer


@dataclass(frozen=True)
class Tool:
    dt: float
    run: Callable[[Path, np.ndarray, float], np.ndarray]
    model: Callable[[list[np.ndarray]], tuple[torch.nn.Module, Callable[[Path, torch.Tensor], None]]]
    takes_state: bool  # of its own models


TOOLS = {
    "norse": Tool(1e-3, norse_run, norse_model, True),
    "snntorch": Tool(1e-4, snntorch_run, snntorch_model, False),
    "sinabs": Tool(1e-3, sinabs_run, sinabs_model, False),
    "spikingjelly": Tool(1e-4, spikingjelly_run, spikingjelly_model, False),
}
