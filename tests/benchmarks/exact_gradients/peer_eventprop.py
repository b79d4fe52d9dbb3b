"""The program of Wunderlich & Pehle 2021 (github.com/eventprop/eventprop, built beside) on its own examples.

One JSON line an epoch: CPU and wall seconds of forward, backward and optimiser so far (without evaluation),
samples a CPU second of this epoch, and the share of the test set that is right after it.

    python peer_eventprop.py FOLDER yin-yang [--epochs N] [--threads N]
    python peer_eventprop.py FOLDER mnist --data MNIST_FOLDER [--samples N]
"""

import argparse
import gzip
import json
import os
import pathlib
import sys
import time

import numpy as np


def yin_yang(seed, size):
    """Kriener, Goeltz, Petrovici 2022, with the draws of the authors' generator."""
    random = np.random.RandomState(seed)
    samples, labels = [], []
    for _ in range(size):
        wanted = random.randint(3)
        while True:
            x, y = random.rand(2)
            if np.hypot(x - 0.5, y - 0.5) > 0.5:
                continue
            right, left = np.hypot(x - 0.75, y - 0.5), np.hypot(x - 0.25, y - 0.5)
            label = int(right <= 0.1 or 0.1 < left <= 0.25 or (y > 0.5 and right > 0.25))
            if min(left, right) < 0.1:
                label = 2
            if label == wanted:
                break
        samples.append((x, y, 1 - x, 1 - y))
        labels.append(label)
    return np.array(samples), np.array(labels)


def mnist(folder, part, size):
    folder = pathlib.Path(folder)
    images = gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    images = np.frombuffer(images, np.uint8, offset=16).reshape(-1, 784)
    return images[:size], np.frombuffer(labels, np.uint8, offset=8)[:size].astype(int)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("task", choices=("yin-yang", "mnist"))
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--samples", type=int, default=2000, help="of MNIST, one epoch of them")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    sys.path.insert(0, options.folder)
    np.int = int  # the program was written for NumPy below 1.20
    from eventprop.eventprop_cpp import Spikes, SpikesVector
    from eventprop.layer import GaussianDistribution, SpikeDataset
    from eventprop.lif_layer import LIFLayerParameters
    from eventprop.loss_layer import TTFSCrossEntropyLossParameters, VMaxCrossEntropyLossParameters
    from eventprop.optimizer import GradientDescentParameters
    from eventprop.ttfs_training import TwoLayerTTFS
    from eventprop.vmax_training import TwoLayerVMax

    def dataset(all_times, labels):
        trains = []
        for times in all_times:
            order = np.argsort(times, kind="stable")
            order = order[np.isfinite(times[order])]
            trains.append(Spikes(times[order], order.astype(np.int32)))
        return SpikeDataset(SpikesVector(trains), labels)

    def yin_yang_spikes(seed, size):
        samples, labels = yin_yang(seed, size)
        return dataset(0.03 * np.hstack([samples, np.zeros((size, 1))]), labels)

    def mnist_spikes(part, size):
        images, labels = mnist(options.data, part, size)
        return dataset(np.where(images > 1, 0.02 * (1 - images / 255.0), np.inf), labels)

    def layer(inputs, outputs, mean, deviation):
        return LIFLayerParameters(n_in=inputs, n=outputs, w_dist=GaussianDistribution(None, mean, deviation))

    np.random.seed(options.seed)
    if options.task == "yin-yang":

        class Task(TwoLayerTTFS):
            def load_data(self):
                self.train_batch = yin_yang_spikes(42, 5000)
                self.test_batch = yin_yang_spikes(40, 1000)

        loss = TTFSCrossEntropyLossParameters(
            lif_parameters=layer(120, 3, 0.93, 0.1),
            alpha=3e-3,
            tau0=0.5e-3,
            tau1=6.4e-3,
        )
        hidden, batch, epochs = layer(5, 120, 1.5, 0.78), 32, options.epochs
    else:

        class Task(TwoLayerVMax):
            def load_data(self):
                self.train_batch = mnist_spikes("train", options.samples)
                self.test_batch = mnist_spikes("t10k", 300)

        loss = VMaxCrossEntropyLossParameters(n_in=350, n=10, w_dist=GaussianDistribution(None, 0.2, 0.37))
        hidden, batch, epochs = layer(784, 350, 0.078, 0.045), 64, 1
    steps = GradientDescentParameters(lr=5e-3, minibatch_size=batch, epochs=1)
    training = Task(gd_parameters=steps, hidden_parameters=hidden, loss_parameters=loss, lr_decay_step=None)

    cpu = wall = 0.0
    for epoch in range(1, epochs + 1):
        cpu_before, wall_before, seen, right = time.process_time(), time.perf_counter(), 0, 0.0
        for minibatch in training._training_data():
            training.forward_and_backward(minibatch)
            right += training.loss.get_accuracy(minibatch.labels) * len(minibatch)
            training.optimizer.step()
            training.optimizer.zero_grad()
            seen += len(minibatch)
        cpu_now = time.process_time() - cpu_before
        cpu, wall = cpu + cpu_now, wall + time.perf_counter() - wall_before
        _, test = training._get_results_for_set(training.test_batch)[:2]
        print(
            json.dumps(
                {
                    "peer": "eventprop",
                    "task": options.task,
                    "threads": options.threads,
                    "epoch": epoch,
                    "cpu_s": round(cpu, 3),
                    "wall_s": round(wall, 3),
                    "samples_per_cpu_s": round(seen / cpu_now, 1),
                    "training": round(right / seen, 4),
                    "test": round(float(test), 4),
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
