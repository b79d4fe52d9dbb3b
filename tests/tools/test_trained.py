"""A network that was trained in steps of time, in nodes that a tool maps: the same output there, and on the
clocks of Saltus."""

import numpy as np
import pytest
import saltus
from tools import TOOLS
from trained import Layer, layer, mean_readout, spikes, write

DT = 4e-3
STEPS = 40
NEAR = 1e-5  # of a threshold: there, float and double may part


def dense(random: np.random.Generator) -> tuple[list[Layer], tuple[int, ...]]:
    return [
        layer(random, "dense 8 name=a", (8, 6, 1, 1)),
        layer(random, "dense 7 recurrent name=b", (7, 8, 1, 1)),
        layer(random, "dense 6 no_lateral name=c", (6, 7, 1, 1)),
        layer(random, "readout mean", (3, 6, 1, 1)),
    ], (6,)


def over_time(random: np.random.Generator) -> tuple[list[Layer], tuple[int, ...]]:
    return [
        layer(
            random,
            "conv 5 kernel=3 dilation=2 padding=4 name=a",
            (5, 4, 3, 1),
            padding=(4, 0),
            dilation=(2, 1),
        ),
        layer(random, "conv 4 kernel=4 padding=3 recurrent name=b", (4, 5, 4, 1), padding=(3, 0)),
        layer(random, "readout mean", (3, 4, 1, 1)),
    ], (4,)


def over_time_and_space(random: np.random.Generator) -> tuple[list[Layer], tuple[int, ...]]:
    return [
        layer(
            random,
            "conv 4 kernel=3x3 dilation=1x2 padding=2x2 name=a",
            (4, 2, 3, 3),
            padding=(2, 2),
            dilation=(1, 2),
        ),
        layer(random, "conv 3 kernel=2x3 padding=1x0 name=b", (3, 4, 2, 3), padding=(1, 0)),
        layer(random, "dense 6 name=c", (6, 3, 1, 5)),
        layer(random, "readout mean", (3, 6, 1, 1)),
    ], (2, 7)


NETWORKS = {"dense": dense, "time": over_time, "time_and_space": over_time_and_space}


def example(kind: str, seed: int, tmp_path):
    """File, input (steps, channels, places), spikes of each layer and output."""
    for attempt in range(20):
        random = np.random.default_rng((seed, attempt))
        layers, shape = NETWORKS[kind](random)
        x = (random.random((STEPS, shape[0], shape[1] if len(shape) > 1 else 1)) < 0.35).astype(float)
        outputs, signal, near = [], x, np.inf
        for of in layers[:-1]:
            signal, nearest = spikes(signal, of)
            outputs.append(signal)
            near = min(near, nearest)
        if near > NEAR:
            path = write(tmp_path / "trained.nir.json", layers, STEPS, shape, DT)
            return path, x, outputs, mean_readout(signal, layers[-1])
    raise AssertionError("every network comes too near to a threshold")


def silent_after(x: np.ndarray, steps: int) -> np.ndarray:
    return np.concatenate([x, np.zeros((steps - len(x), *x.shape[1:]))])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", NETWORKS)
def test_norse_gives_the_output_that_the_network_was_trained_for(kind, seed, tmp_path):
    path, x, outputs, expected = example(kind, seed, tmp_path)
    assert all(0.02 < layer.mean() < 0.98 for layer in outputs)
    saltus.save(saltus.load(path).to_delays(tool="norse"), tmp_path / "norse.nir")
    steps = len(outputs[-1])
    signal = silent_after(x, steps)
    signal = signal[:, :, None, :] if x.shape[2] > 1 else signal[:, :, 0]
    out = TOOLS["norse"].run(tmp_path / "norse.nir", signal, DT).reshape(steps, -1)
    np.testing.assert_allclose(out.mean(axis=0), expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("form", ["delays", "norse"])
def test_the_clocks_have_the_spikes_of_the_network_as_the_article_writes_it(form, kind, seed, tmp_path):
    path, x, outputs, _ = example(kind, seed, tmp_path)
    net = saltus.load(path).to_delays(tool=None if form == "delays" else "norse")
    saltus.save(net, tmp_path / "net.nir")
    net = saltus.load(tmp_path / "net.nir")
    steps = len(outputs[-1])
    signal = silent_after(x, steps)
    signal = signal[:, :, None, :] if form == "norse" and x.shape[2] > 1 else signal
    signal = signal[:, :, 0] if x.shape[2] == 1 else signal
    clocks = ("stepped",) if form == "norse" else ("exact", "stepped")
    for clock in clocks:
        if clock == "exact":
            step, neuron = np.nonzero(signal.reshape(steps, -1))
            out = saltus.simulate(net, {"input": (step * DT, neuron)}, duration=(steps - 0.5) * DT)
        else:
            out = saltus.simulate(net, {"input": signal}, clock="stepped")
        last = steps  # of the layers below: later they may fire on, but not in the trainer
        for name, expected in zip("abc", outputs, strict=False):
            last = min(last, len(expected))
            raster = out.raster(name, dt=DT).reshape(-1, *expected.shape[1:])
            assert len(raster) >= last
            np.testing.assert_array_equal(raster[:last], expected[:last], err_msg=f"{clock} {name}")
