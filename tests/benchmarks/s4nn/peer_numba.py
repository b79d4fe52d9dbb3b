"""The published rule as an event loop in numba: what a careful user would write.

Weights are float64, [input][output]; spikes of an image are sorted by time beforehand. Inference ends at
the first output spike; training takes one sample after another, `code` order, as the published program
does, and skips the backward pass where the error is zero.
"""

import gzip
import pathlib
import sys
import time

import numba
import numpy as np

T_MAX = 256
GAMMA = 3


def read_idx(folder, name):
    data = gzip.decompress((pathlib.Path(folder) / f"{name}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((pathlib.Path(folder) / f"{name}-labels-idx1-ubyte.gz").read_bytes())
    images = np.frombuffer(data, np.uint8, offset=16).reshape(-1, 784)
    return images, np.frombuffer(labels, np.uint8, offset=8).astype(np.int64)


def sorted_spikes(images):
    offsets = np.zeros(len(images) + 1, np.int64)
    times, neurons = [], []
    for k, image in enumerate(images):
        order = np.argsort(255 - image.astype(np.int16), kind="stable")
        order = order[: np.count_nonzero(image)]
        times.append((255 - image[order].astype(np.int16)).astype(np.int16))
        neurons.append(order.astype(np.int16))
        offsets[k + 1] = offsets[k] + len(order)
    return offsets, np.concatenate(times), np.concatenate(neurons)


@numba.njit(cache=False, fastmath=False)
def layer(times, neurons, n, W, theta, V, out):
    """Spike times of a layer whose inputs are sorted; returns how many inputs were used."""
    for j in range(V.shape[0]):
        V[j] = 0.0
        out[j] = T_MAX
    k = 0
    while k < n and times[k] < T_MAX - 1:
        s = times[k]
        while k < n and times[k] == s:
            row = W[neurons[k]]
            for j in range(V.shape[0]):
                V[j] += row[j]
            k += 1
        for j in range(V.shape[0]):
            if V[j] > theta and out[j] == T_MAX:
                out[j] = s + 1
    return k


@numba.njit(cache=False, fastmath=False)
def infer(offsets, times, neurons, W0, W1, theta, decided, when):
    hidden, classes = W0.shape[1], W1.shape[1]
    V0, V1 = np.empty(hidden), np.empty(classes)
    fired = np.empty(hidden, np.bool_)
    last = np.empty(hidden, np.int64)
    for i in range(offsets.shape[0] - 1):
        V0[:] = 0.0
        V1[:] = 0.0
        fired[:] = False
        n_last = 0
        k, end = offsets[i], offsets[i + 1]
        decided[i], when[i] = -1, T_MAX
        slot = times[k] if k < end else T_MAX
        while slot < T_MAX - 1:
            # spikes of hidden neurons sent in this slot, by what arrived in the one before
            for a in range(n_last):
                row = W1[last[a]]
                for j in range(classes):
                    V1[j] += row[j]
            if n_last > 0:
                best = -1
                for j in range(classes):
                    if V1[j] > theta and (best < 0 or V1[j] > V1[best]):
                        best = j
                if best >= 0:
                    decided[i], when[i] = best, slot + 1
                    break
            n_last = 0
            if k < end and times[k] == slot:
                while k < end and times[k] == slot:
                    row = W0[neurons[k]]
                    for j in range(hidden):
                        V0[j] += row[j]
                    k += 1
                for j in range(hidden):
                    if V0[j] > theta and not fired[j]:
                        fired[j] = True
                        last[n_last] = j
                        n_last += 1
            if n_last > 0:
                slot += 1
            elif k < end:
                slot = times[k]
            else:
                break
        if decided[i] < 0:
            decided[i] = np.argmax(V1)


@numba.njit(cache=False, fastmath=False)
def train(offsets, times, neurons, labels, W0, W1, theta, eta, decay):
    hidden, classes = W0.shape[1], W1.shape[1]
    V0, V1 = np.empty(hidden), np.empty(classes)
    t0, t1 = np.empty(hidden, np.int64), np.empty(classes, np.int64)
    d0, d1 = np.empty(hidden), np.empty(classes)
    scale = 1.0
    errors = 0
    for i in range(labels.shape[0]):
        begin, end = offsets[i], offsets[i + 1]
        layer(times[begin:end], neurons[begin:end], end - begin, W0, theta / scale, V0, t0)
        order = np.argsort(t0)
        n = 0
        while n < hidden and t0[order[n]] < T_MAX - 1:
            n += 1
        layer(t0[order], order, n, W1, theta / scale, V1, t1)
        first, y = t1.min(), labels[i]
        norm = 0.0
        for j in range(classes):
            target = t1[j]
            if first == T_MAX:
                target = T_MAX - GAMMA if j == y else T_MAX
            elif j == y:
                target = first
            elif t1[j] - first < GAMMA:
                target = min(first + GAMMA, T_MAX)
            d1[j] = (target - t1[j]) / T_MAX
            norm += d1[j] * d1[j]
        if norm > 0.0:
            errors += 1
            d1 /= np.sqrt(norm)
            step = eta / scale
            keep = 1.0 - eta * decay
            norm = 0.0
            for h in range(hidden):
                total = 0.0
                for j in range(classes):
                    if t0[h] < t1[j]:
                        W1[h, j] -= step * d1[j]
                        total += d1[j] * W1[h, j] * scale * keep
                d0[h] = total
                norm += total * total
            if norm > 0.0:
                d0 /= np.sqrt(norm)
                for k in range(begin, end):
                    row = W0[neurons[k]]
                    for h in range(hidden):
                        if times[k] < t0[h]:
                            row[h] -= step * d0[h]
        scale *= 1.0 - eta * decay
    W0 *= scale
    W1 *= scale
    return errors


def initial_weights(seed=0):
    random = np.random.RandomState(seed)
    W0 = random.random_sample((400, 28, 28)).reshape(400, 784) * 5.0
    W1 = random.random_sample((10, 400)) * 48.0
    return np.ascontiguousarray(W0.T), np.ascontiguousarray(W1.T)


def read_network(path):
    """Weights [input][output] and what V has to exceed.

    Of a network of Saltus, whose neurons fire where V >= v_threshold, or of an HDF5 file of the published
    kind (hidden/weight, output/weight).
    """
    import h5py

    with h5py.File(path) as file:
        if "node" not in file:
            weights, theta = [file[f"{name}/weight"][:] for name in ("hidden", "output")], 100.0
        else:
            nodes = file["node/nodes"]
            weights = [nodes[f"{name}_weights/weight"][:] for name in ("hidden", "output")]
            thresholds = np.unique([nodes[name]["v_threshold"][:].flat[0] for name in ("hidden", "output")])
            if len(thresholds) != 1:
                raise SystemExit(f"{path}: expected one threshold for both layers, found {thresholds}")
            theta = float(np.nextafter(np.float64(thresholds[0]), 0.0))
    return (*(np.ascontiguousarray(w.T.astype(np.float64)) for w in weights), theta)


def main():
    folder = sys.argv[1]
    images, labels = read_idx(folder, "train")
    train_set = sorted_spikes(images)
    W0, W1 = initial_weights()
    train(train_set[0][:11], *train_set[1:], labels[:10], W0.copy(), W1.copy(), 100.0, 0.2, 1e-6)
    best = 1e9
    for _ in range(2):
        A, B = W0.copy(), W1.copy()
        start = time.process_time()
        errors = train(*train_set, labels, A, B, 100.0, 0.2, 1e-6)
        best = min(best, time.process_time() - start)
    print(
        f"training, first epoch from random weights: {len(labels) / best:.0f} samples/s, "
        f"{errors} with an error"
    )
    theta = 100.0
    if len(sys.argv) > 2:
        A, B, theta = read_network(sys.argv[2])
    images, labels = read_idx(folder, "t10k")
    test = sorted_spikes(images)
    decided, when = np.empty(len(labels), np.int64), np.empty(len(labels), np.int64)
    infer(*test, A, B, theta, decided, when)
    best = 1e9
    for _ in range(5):
        start = time.process_time()
        infer(*test, A, B, theta, decided, when)
        best = min(best, time.process_time() - start)
    print(
        f"inference: {len(labels) / best:.0f} images/s, mean decision {when.mean():.2f} slots, "
        f"{np.count_nonzero(decided == labels)} right"
    )
    if len(sys.argv) > 3:
        np.savez(sys.argv[3], decided=decided, when=when)


if __name__ == "__main__":
    main()
