"""The CNN of the NIR paper on recordings of N-MNIST: norse and sinabs themselves, Saltus by their rules."""

from pathlib import Path

import nir
import numpy as np
import pytest
import saltus
import torch

SAMPLES = Path(__file__).parents[2] / "datasets/samples"
NETWORK = SAMPLES / "cnn_nmnist/cnn_sinabs.nir"
# The three that sinabs takes for other digits, and two on which sums of float32 in another order part spikes.
RECORDINGS = ["2/00044", "3/00019", "9/00063", "3/00069", "7/00037"]
WRONG = RECORDINGS[:3]


def frames(recording: str) -> np.ndarray:
    """Events a millisecond, (steps, 2, 34, 34)."""
    raw = np.fromfile(SAMPLES / f"n-mnist/Test/{recording}.bin", np.uint8).reshape(-1, 5).astype(np.int64)
    step = (((raw[:, 2] & 0x7F) << 16) | (raw[:, 3] << 8) | raw[:, 4]) // 1000
    raster = np.zeros((step.max() + 1, 2, 34, 34), np.float32)
    np.add.at(raster, (step, raw[:, 2] >> 7, raw[:, 1], raw[:, 0]), 1)
    return raster


def by_saltus(raster: np.ndarray, convention: str) -> np.ndarray:
    out = saltus.simulate(
        saltus.load(NETWORK), {"input": raster}, clock="stepped", convention=convention, dt=1e-3
    )
    return out.raster("12", dt=1e-3)


def by_norse(raster: np.ndarray) -> np.ndarray:
    import norse.torch

    model = norse.torch.from_nir(nir.read(NETWORK, type_check=False), dt=1e-3)
    state, outputs = None, []
    with torch.no_grad():
        for row in torch.as_tensor(raster):
            out, state = model(row[None], state)
            outputs.append(out.numpy().reshape(-1).copy())
    return np.stack(outputs)


def by_sinabs(raster: np.ndarray, kind: torch.dtype) -> np.ndarray:
    import sinabs.nir

    model = sinabs.nir.from_nir(nir.read(NETWORK, type_check=False), batch_size=1, num_timesteps=1).to(kind)
    for module in model.modules():
        if type(module).__name__.startswith("IAF"):  # its spikes are float32 whatever the potentials are
            module.register_forward_hook(lambda module, x, spikes: spikes.to(kind))
    outputs = []
    with torch.no_grad():
        for row in torch.as_tensor(raster).to(kind):
            out = model(row[None])
            outputs.append((out[0] if isinstance(out, tuple) else out).numpy().reshape(-1).copy())
    return np.stack(outputs)


@pytest.mark.parametrize("recording", RECORDINGS)
def test_norse_has_every_spike_and_the_digit(recording):
    raster = frames(recording)
    itself = by_norse(raster)
    np.testing.assert_array_equal(by_saltus(raster, "norse"), itself)
    assert int(itself.sum(axis=0).argmax()) == int(recording[0])


@pytest.mark.parametrize("recording", RECORDINGS)
def test_sinabs_takes_a_recording_for_the_same_digit(recording):
    raster = frames(recording)
    decided = int(by_sinabs(raster, torch.float32).sum(axis=0).argmax())
    assert decided == int(by_saltus(raster, "sinabs").sum(axis=0).argmax())
    assert (decided == int(recording[0])) == (recording not in WRONG)


@pytest.mark.parametrize("recording", RECORDINGS)
def test_in_double_arithmetic_every_spike_of_sinabs_is_equal(recording, tmp_path):
    raster = frames(recording)
    convention = tmp_path / "double.json"
    convention.write_text('{"like": "sinabs", "precision": "float64"}')
    np.testing.assert_array_equal(by_saltus(raster, str(convention)), by_sinabs(raster, torch.float64))
