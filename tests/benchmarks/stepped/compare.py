"""The stepped clock beside torch tools: a batch of 64 recordings of N-MNIST through the paper's CNN.

    python tests/benchmarks/stepped/compare.py [--rounds 3] [--steps 300] [--only saltus-norse norse ...]

needs saltus and what requirements.txt beside this file lists. Each row is a process of its own, so that
neither libraries nor threads meet; rows take turns. All are fed the same float32 tensor (samples, steps, 2,
34, 34) in memory. Prints a JSON line for each run: the smallest of the repetitions after a first one that
does not count, in seconds of wall clock and of CPU, and the spikes of the output; at the end the smallest of
all rounds, and ratios to the row of Saltus under the same rule.

norse, sinabs and spikingjelly run the file by their own importers, step by step; sinabs-whole takes all steps
in one call. The importer of snntorch 1.0.0 cannot have an IF inside a network, that of spikingjelly 2.0.0 no
sum pooling over all steps: the row of snntorch, and spikingjelly-whole, which goes layer by layer, are the
model as their users write it, with the weights of the file.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
NETWORK = ROOT / "datasets/samples/cnn_nmnist/cnn_sinabs.nir"
RECORDINGS = ROOT / "datasets/samples/n-mnist"
BATCH = 64


def batch(steps):
    """(samples, steps, 2, 34, 34): events a millisecond; after the last recording comes the first again."""
    import numpy as np

    files = sorted(RECORDINGS.glob("Test/*/*.bin"), key=lambda path: path.name)
    raster = np.zeros((BATCH, steps, 2, 34, 34), np.float32)
    for k in range(BATCH):
        raw = np.fromfile(files[k % len(files)], dtype=np.uint8).reshape(-1, 5).astype(np.int64)
        t = (((raw[:, 2] & 0x7F) << 16) | (raw[:, 3] << 8) | raw[:, 4]) // 1000
        ok = t < steps
        np.add.at(raster[k], (t[ok], raw[ok, 2] >> 7, raw[ok, 1], raw[ok, 0]), 1)
    return raster


def graph_for_batches():
    """The file's Flatten has no batch axis; norse takes start_dim as it stands."""
    import nir

    graph = nir.read(NETWORK, type_check=False)
    for node in graph.nodes.values():
        if isinstance(node, nir.Flatten):
            node.start_dim = 1
    return graph


def saltus_runner(convention, raster, threads, dt=1e-3):
    import saltus

    net = saltus.load(NETWORK)
    samples = [{"input": sample} for sample in raster]

    def run():
        outs = saltus.simulate(
            net, samples, clock="stepped", convention=convention, dt=dt, threads=threads, record=()
        )
        return sum(out.spike_counts["12"] for out in outs)

    return run


def norse_runner(raster):
    import norse.torch
    import torch

    model = norse.torch.from_nir(graph_for_batches(), dt=1e-3)
    signal = torch.from_numpy(raster)

    def run():
        state, spikes = None, 0.0
        with torch.no_grad():
            for t in range(signal.shape[1]):
                z, state = model(signal[:, t], state)
                spikes += float(z.sum())
        return int(spikes)

    return run


def sinabs_runner(raster, whole):
    """Sample by sample and step in one axis, as sinabs has it; `whole`: all steps in one call."""
    import nir
    import sinabs.nir
    import torch

    length = raster.shape[1]
    steps = length if whole else 1
    graph = nir.read(NETWORK, type_check=False)
    model = sinabs.nir.from_nir(graph, batch_size=BATCH, num_timesteps=steps)
    signal = torch.from_numpy(raster)

    def run():
        for module in model.modules():
            if hasattr(module, "reset_states"):
                module.reset_states()
        spikes = 0.0
        with torch.no_grad():
            for t in range(0, length, steps):
                out = model(signal[:, t : t + steps].reshape(BATCH * steps, 2, 34, 34))
                out = out[0] if isinstance(out, tuple) else out
                spikes += float(out.sum())
        return int(spikes)

    return run


def layers_of(neuron):
    """The file's nodes as modules of torch, in order; neuron(threshold) makes those that spike."""
    import nir
    import torch

    nodes = nir.read(NETWORK, type_check=False).nodes
    layers = []
    for name in map(str, range(13)):
        node = nodes[name]
        if isinstance(node, nir.Conv2d):
            out, channels, *kernel = node.weight.shape
            stride, padding = tuple(map(int, node.stride)), tuple(map(int, node.padding))
            layers.append(torch.nn.Conv2d(channels, out, tuple(kernel), stride, padding))
        elif isinstance(node, nir.Affine):
            layers.append(torch.nn.Linear(node.weight.shape[1], node.weight.shape[0]))
        elif isinstance(node, nir.SumPool2d):
            layers.append(torch.nn.LPPool2d(1, tuple(map(int, node.kernel_size))))
        elif isinstance(node, nir.Flatten):
            layers.append(torch.nn.Flatten())
        else:
            layers.append(neuron(float(node.v_threshold.flat[0])))
        if hasattr(node, "weight"):
            layers[-1].weight.data = torch.from_numpy(node.weight)
            layers[-1].bias.data = torch.from_numpy(node.bias)
    return layers


def snntorch_runner(raster):
    import snntorch
    import torch

    layers = layers_of(
        lambda theta: snntorch.Leaky(1.0, threshold=theta, reset_mechanism="zero", reset_delay=False)
    )
    signal = torch.from_numpy(raster)

    def run():
        potentials = {
            k: layer.reset_mem() for k, layer in enumerate(layers) if isinstance(layer, snntorch.Leaky)
        }
        spikes = 0.0
        with torch.no_grad():
            for t in range(signal.shape[1]):
                z = signal[:, t]
                for k, layer in enumerate(layers):
                    if k in potentials:
                        z, potentials[k] = layer(z, potentials[k])
                    else:
                        z = layer(z)
                spikes += float(z.sum())
        return int(spikes)

    return run


def spikingjelly_runner(raster):
    """The file's r = 1 asks for steps of one second."""
    import nir
    import torch
    from spikingjelly.activation_based import nir_exchange

    model = nir_exchange.import_from_nir(nir.read(NETWORK, type_check=False), dt=1.0)
    signal = torch.from_numpy(raster)

    def run():
        state, spikes = None, 0.0
        with torch.no_grad():
            for t in range(signal.shape[1]):
                z, state = model(signal[:, t], state)
                spikes += float(z.sum())
        return int(spikes)

    return run


def spikingjelly_whole_runner(raster):
    import torch
    from spikingjelly.activation_based import functional, layer, neuron

    layers = layers_of(lambda theta: neuron.IFNode(v_threshold=theta, v_reset=0.0, step_mode="m"))
    model = torch.nn.Sequential(
        *(x if isinstance(x, neuron.IFNode) else layer.SeqToANNContainer(x) for x in layers)
    )
    signal = torch.from_numpy(raster)

    def run():
        functional.reset_net(model)
        with torch.no_grad():
            return int(model(signal.transpose(0, 1)).sum())

    return run


ROWS = {
    "saltus-norse": lambda raster, threads: saltus_runner("norse", raster, threads),
    "norse": lambda raster, threads: norse_runner(raster),
    "snntorch": lambda raster, threads: snntorch_runner(raster),
    "saltus-sinabs": lambda raster, threads: saltus_runner("sinabs", raster, threads),
    "sinabs-steps": lambda raster, threads: sinabs_runner(raster, whole=False),
    "sinabs-whole": lambda raster, threads: sinabs_runner(raster, whole=True),
    "saltus-spikingjelly": lambda raster, threads: saltus_runner("spikingjelly", raster, threads, dt=1.0),
    "spikingjelly-steps": lambda raster, threads: spikingjelly_runner(raster),
    "spikingjelly-whole": lambda raster, threads: spikingjelly_whole_runner(raster),
}


# Which row of Saltus follows the same rule.
RULES = {
    "norse": "saltus-norse",
    "snntorch": "saltus-norse",
    "sinabs-steps": "saltus-sinabs",
    "sinabs-whole": "saltus-sinabs",
    "spikingjelly-steps": "saltus-spikingjelly",
    "spikingjelly-whole": "saltus-spikingjelly",
}


def measure(row, threads, repetitions, steps):
    if not row.startswith("saltus"):
        import torch

        torch.set_num_threads(threads)
    run = ROWS[row](batch(steps), threads)
    spikes = run()
    wall, cpu = [], []
    for _ in range(repetitions):
        begin, used = time.perf_counter(), time.process_time()
        again = run()
        wall.append(time.perf_counter() - begin)
        cpu.append(time.process_time() - used)
        if again != spikes:
            raise SystemExit(f"{row}: {again} spikes, then {spikes}: state is left over between runs")
    print(json.dumps({"row": row, "wall_s": min(wall), "cpu_s": min(cpu), "output_spikes": spikes}))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300, help="of 1 ms, of each recording")
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS))
    parser.add_argument("--row", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.row:
        measure(args.row, args.threads, args.repetitions, args.steps)
        return
    best = {}
    for _ in range(args.rounds):
        for row in args.only:
            environment = {**os.environ, "OMP_NUM_THREADS": str(args.threads)}
            numbers = [
                *("--threads", str(args.threads), "--repetitions", str(args.repetitions)),
                *("--steps", str(args.steps)),
            ]
            command = [sys.executable, __file__, "--row", row, *numbers]
            line = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
            print(line, end="", flush=True)
            result = json.loads(line)
            for key in best.setdefault(row, {"wall_s": float("inf"), "cpu_s": float("inf")}):
                best[row][key] = min(best[row][key], result[key])
    for row, seconds in best.items():
        peer = RULES.get(row, row)
        ratio = "".join(f"{seconds[key] / best[peer][key]:8.1f} x" for key in seconds) if peer in best else ""
        shown = "".join(f"{value:9.3f} s" for value in seconds.values())
        print(f"{row:20s} wall and CPU {shown} a batch {ratio}", file=sys.stderr)


if __name__ == "__main__":
    main()
