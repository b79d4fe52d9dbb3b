"""Networks as `saltus train surrogate` writes them, and what they compute, written out from the article:
Pellegrini, Zimmer and Masquelier, IEEE SLT 2021."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

EPSILON = 1e-8


@dataclass
class Layer:
    """`w` is (out, in, time, space); `words` say the same to Saltus, where they are not all of it."""

    words: str
    w: np.ndarray
    beta: float
    b: np.ndarray
    v: np.ndarray | None = None  # from, to
    lateral: bool = True
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)


def layer(random: np.random.Generator, words: str, shape: tuple[int, ...], **choices) -> Layer:
    w = random.normal(0, 0.3 / np.sqrt(np.prod(shape[1:])), shape)
    v = random.normal(0, 0.1, (shape[0], shape[0])) if "recurrent" in words else None
    beta = random.uniform(0.4, 0.9)
    return Layer(words, w, beta, random.uniform(0.1, 0.5, shape[0]), v, "no_lateral" not in words, **choices)


def drive(x: np.ndarray, of: Layer) -> np.ndarray:
    """(steps, out, space) of x (steps, in, space)."""
    (p, q), (dt, dx) = of.padding, of.dilation
    x = np.pad(x, ((p, p), (0, 0), (q, q)))
    steps = x.shape[0] - dt * (of.w.shape[2] - 1)
    places = x.shape[2] - dx * (of.w.shape[3] - 1)
    out = np.zeros((steps, of.w.shape[0], places))
    for k in range(of.w.shape[2]):
        for i in range(of.w.shape[3]):
            part = x[k * dt : k * dt + steps, :, i * dx : i * dx + places]
            out += np.einsum("oc,tcx->tox", of.w[:, :, k, i], part)
    return out


def spikes(x: np.ndarray, of: Layer) -> tuple[np.ndarray, float]:
    """Spikes of a layer, and how near the nearest potential comes to its threshold."""
    flat = of.w.reshape(of.w.shape[0], -1)
    n = (flat**2).sum(axis=1)
    reset = flat @ flat.T if of.lateral else np.diag(of.b * n)
    x = drive(x, of)
    s, u, nearest = np.zeros_like(x), np.zeros(x.shape[1:]), np.inf
    for t in range(len(x)):
        last = s[t - 1] if t > 0 else np.zeros_like(u)
        recurrent = 0.0 if of.v is None else of.v.T @ last
        u = of.beta * (u - reset.T @ last) + (1 - of.beta) * (x[t] + recurrent)
        z = u / (n + EPSILON)[:, None] - of.b[:, None]
        s[t] = z > 0
        nearest = min(nearest, np.abs(z).min())
    return s, nearest


def mean_readout(x: np.ndarray, of: Layer) -> np.ndarray:
    n = (of.w.reshape(of.w.shape[0], -1) ** 2).sum(axis=1)
    return drive(x, of).mean(axis=0)[:, 0] / (n + EPSILON) - of.b


def parameters(of: Layer) -> list[float]:
    """In the order of the file: w, v, beta, b; w of dense layers and readouts is (in, out)."""
    dense = not of.words.startswith("conv")
    w = of.w[:, :, 0, :].reshape(len(of.w), -1).T if dense else of.w
    parts = [w.ravel(), [] if of.v is None else of.v.ravel()]
    if of.words != "readout mean":
        parts.append([of.beta])
    return [float(x) for part in (*parts, of.b) for x in part]


def write(path: Path, layers: list[Layer], steps: int, shape: tuple[int, ...], dt: float) -> Path:
    own = {
        "layers": "; ".join(of.words for of in layers),
        "parameters": [x for of in layers for x in parameters(of)],
        "steps": steps,
        "input": list(shape),
        "dt": dt,
        "classes": "".join(f"{k}\n" for k in range(len(layers[-1].b))),
        "task": "",
        "derivatives": 0,
        "binary": 1,
        "encoding": "latency",
        "slot": 1e-3,
        "slots": 256,
    }
    nodes = {
        "input": {"type": "Input", "shape": list(shape)},
        "output": {"type": "Output", "shape": [len(layers[-1].b)]},
    }
    graph = {"type": "NIRGraph", "nodes": nodes, "edges": [], "metadata": {"saltus": {"surrogate": own}}}
    path.write_text(json.dumps({"version": "1.0.8", "node": graph}))
    return path
