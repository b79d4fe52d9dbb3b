"""The CNN of datasets/samples/cnn_nmnist stepped in torch at 1 ms: the peer of the exact clock on N-MNIST.

One JSON line: accuracy, seconds a recording. Two ways to step: "steps" runs all layers once per step, as the
importers of norse and sinabs do for recurrent graphs; "layers" runs each layer over all steps before the
next, which lets the convolutions work on a batch of steps. Reset: "zero" (one spike a step) or "subtract"
(sinabs: several spikes a step).
"""

import argparse
import json
import pathlib
import time

import h5py
import numpy as np
import torch
import torch.nn.functional as F

ROOT = pathlib.Path(__file__).resolve().parents[3]


def read_events(path):
    """40-bit AER: x, y, polarity, microseconds."""
    raw = np.fromfile(path, dtype=np.uint8).reshape(-1, 5).astype(np.int64)
    t = ((raw[:, 2] & 0x7F) << 16) | (raw[:, 3] << 8) | raw[:, 4]
    return raw[:, 0], raw[:, 1], raw[:, 2] >> 7, t


def frames(path):
    x, y, p, t = read_events(path)
    raster = torch.zeros(int(t.max()) // 1000 + 1, 2, 34, 34)
    raster.index_put_(
        tuple(torch.from_numpy(a) for a in (t // 1000, p, y, x)), torch.ones(len(t)), accumulate=True
    )
    return raster


def load_layers(path):
    """Nodes of the chain, in order, as functions of a batch; "if" marks a neuron layer."""
    layers = []
    with h5py.File(path) as file:
        nodes = file["node/nodes"]
        following = {a.decode(): b.decode() for a, b in file["node/edges"]}
        name = following["input"]
        while name != "output":
            node = nodes[name]
            kind = node["type"][()].decode()
            if kind == "Conv2d":
                w = torch.from_numpy(node["weight"][()])
                b = torch.from_numpy(node["bias"][()])
                stride, padding = node["stride"][()].tolist(), node["padding"][()].tolist()
                layers.append(lambda x, w=w, b=b, s=stride, p=padding: F.conv2d(x, w, b, s, p))
            elif kind == "SumPool2d":
                k, s = node["kernel_size"][()].tolist(), node["stride"][()].tolist()
                layers.append(lambda x, k=k, s=s: F.avg_pool2d(x, k, s) * (k[0] * k[1]))
            elif kind == "Flatten":
                layers.append(lambda x: x.flatten(1))
            elif kind == "Affine":
                w, b = torch.from_numpy(node["weight"][()]), torch.from_numpy(node["bias"][()])
                layers.append(lambda x, w=w, b=b: F.linear(x, w, b))
            elif kind == "IF":
                layers.append("if")
            else:
                raise ValueError(f"{name}: {kind}")
            name = following[name]
    return layers


def fire(v, reset):
    if reset == "zero":
        z = (v >= 1.0).to(v.dtype)
        return z, v * (1.0 - z)
    z = torch.clamp(torch.trunc(v), min=0.0)
    return z, torch.clamp(v - z, min=-1.0)


def run_steps(layers, raster, reset):
    states = [torch.zeros(()) for _ in layers]
    counts = torch.zeros(10)
    for frame in raster:
        x = frame[None]
        for i, layer in enumerate(layers):
            if layer == "if":
                x, states[i] = fire(states[i] + x, reset)
            else:
                x = layer(x)
        counts += x[0]
    return counts


def run_layers(layers, raster, reset):
    x = raster
    for layer in layers:
        if layer != "if":
            x = layer(x)
            continue
        v = torch.zeros_like(x[0])
        spikes = []
        for row in x:
            z, v = fire(v + row, reset)
            spikes.append(z)
        x = torch.stack(spikes)
    return x.sum(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--how", choices=["steps", "layers"], default="layers")
    parser.add_argument("--reset", choices=["zero", "subtract"], default="zero")
    parser.add_argument("--samples", type=int, default=60)
    args = parser.parse_args()
    torch.set_num_threads(1)
    layers = load_layers(ROOT / "datasets/samples/cnn_nmnist/cnn_sinabs.nir")
    files = sorted((ROOT / "datasets/samples/n-mnist").rglob("*.bin"))[: args.samples]
    right, seconds = 0, 0.0
    run = run_steps if args.how == "steps" else run_layers
    with torch.inference_mode():
        run(layers, frames(files[0]), args.reset)  # warm-up
        for file in files:
            raster = frames(file)
            begin = time.perf_counter()
            counts = run(layers, raster, args.reset)
            seconds += time.perf_counter() - begin
            right += int(counts.argmax()) == int(file.parent.name)
    print(
        json.dumps(
            {
                "peer": f"torch {torch.__version__}, 1 ms steps",
                "how": args.how,
                "reset": args.reset,
                "samples": len(files),
                "correct": right,
                "s_per_sample": seconds / len(files),
                "threads": 1,
            }
        )
    )


if __name__ == "__main__":
    main()
