r"""The same mini-batch in PyTorch: forward, backward and update of the published speech network.

Written for speed: one convolution per layer over all steps, the loop over steps on (channels, batch, bands)
slices, spikes of all steps stacked, lateral connections as one matrix product a step. Prints one JSON object
a batch.

    python peer_torch.py [--batch 64] [--repeat 3] [--threads 2] [--threshold 1] [--saved PREFIX] \
        [--triangle SLOPE] [--shape small]

PREFIX: samples and parameters that benchmark_surrogate --save wrote.
"""

import argparse
import json
import resource
import time

import torch

STEPS, BANDS, CLASSES = 101, 40, 12
# Channels, dilation, stride over bands; "small" is the network of datasets/surrogate.
SHAPES = {
    "published": ((64, (1, 1), 1), (64, (4, 3), 1), (64, (16, 9), 1)),
    "small": ((32, (1, 1), 2), (64, (4, 1), 2), (64, (16, 2), 1)),
}
SIGMA, PEAK, RHO, EPS = 10.0, 0.25, 0.1, 1e-8


class Spike(torch.autograd.Function):
    """Heaviside forward, sigmoid's derivative (without its slope) backward, or a triangle of this slope."""

    triangle = 0.0

    @staticmethod
    def forward(ctx, z):
        ctx.save_for_backward(z)
        return (z > 0).to(z.dtype)

    @staticmethod
    def backward(ctx, g):
        (z,) = ctx.saved_tensors
        if Spike.triangle:
            return g * (PEAK * (1 - Spike.triangle * z.abs()).clamp_min(0))
        s = torch.sigmoid(SIGMA * z)
        return g * s * (1 - s)


class Layer(torch.nn.Module):
    def __init__(self, inputs, channels, dilation, stride, threshold):
        super().__init__()
        self.w = torch.nn.Parameter(torch.randn(channels, inputs, 4, 3) * 0.15 / (inputs * 12) ** 0.5)
        self.beta = torch.nn.Parameter(torch.tensor(0.7))
        self.b = torch.nn.Parameter(torch.full((channels,), float(threshold)))
        self.dilation, self.stride = dilation, stride
        self.padding = tuple(-(-(k - 1) * d // 2) for k, d in zip((4, 3), dilation, strict=True))

    def forward(self, x):
        bands = x.shape[3] // self.stride
        x = torch.nn.functional.conv2d(
            x, self.w, stride=(1, self.stride), padding=self.padding, dilation=self.dilation
        )[..., :bands]
        flat = self.w.flatten(1)
        overlap = flat @ flat.T
        scale = 1 / (overlap.diagonal() + EPS)
        drive = ((1 - self.beta) * x).permute(2, 0, 3, 1).contiguous()
        u = torch.zeros_like(drive[0])
        s = torch.zeros_like(u)
        spikes = []
        for step in drive.unbind(0):
            u = torch.addcmul(step, self.beta, u - s @ overlap)
            s = Spike.apply(u * scale - self.b)
            spikes.append(s)
        return torch.stack(spikes).permute(1, 3, 0, 2)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--threshold", type=float, default=1.0)
    parser.add_argument("--shape", choices=SHAPES, default="published")
    parser.add_argument("--saved")
    parser.add_argument("--triangle", type=float, default=0.0)
    options = parser.parse_args()
    Spike.triangle = options.triangle
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    layers = torch.nn.ModuleList()
    inputs, bands = 3, BANDS
    for channels, dilation, stride in SHAPES[options.shape]:
        layers.append(Layer(inputs, channels, dilation, stride, options.threshold))
        inputs, bands = channels, bands // stride
    w = torch.nn.Parameter(torch.randn(inputs * bands, CLASSES) * 0.15 / (inputs * bands) ** 0.5)
    b = torch.nn.Parameter(torch.ones(CLASSES))
    x = torch.randn(options.batch, 3, STEPS, BANDS)
    y = torch.arange(options.batch) % CLASSES
    if options.saved:
        steps_first = torch.from_file(f"{options.saved}.input", size=x.numel())
        x = steps_first.reshape(options.batch, STEPS, 3, BANDS).transpose(1, 2).contiguous()
        y = torch.from_file(f"{options.saved}.labels", size=options.batch, dtype=torch.int64)
        parameters = [p for layer in layers for p in (layer.w, layer.beta, layer.b)] + [w, b]
        sizes = [p.numel() for p in parameters]
        stored = torch.from_file(f"{options.saved}.parameters", size=sum(sizes), dtype=torch.float64)
        for parameter, numbers in zip(parameters, stored.split(sizes), strict=True):
            parameter.data.copy_(numbers.reshape(parameter.shape))
    optimiser = torch.optim.RAdam([*layers.parameters(), w, b], lr=1e-3)
    for _ in range(options.repeat):
        wall, cpu = time.perf_counter(), time.process_time()
        optimiser.zero_grad()
        h, penalty, rates = x, 0.0, []
        for k, layer in enumerate(layers):
            h = layer(h)
            penalty = penalty + (k + 1) / len(layers) * 0.5 * (h * h).mean()
            rates.append(h.detach().mean().item())
        counts = h.mean(2).flatten(1)
        out = (counts @ w) / ((w * w).sum(0) + EPS) - b
        loss = torch.nn.functional.cross_entropy(out, y) + RHO * penalty
        loss.backward()
        optimiser.step()
        print(
            json.dumps(
                {
                    "program": "torch",
                    "batch": options.batch,
                    "threads": options.threads,
                    "wall_s": time.perf_counter() - wall,
                    "cpu_s": time.process_time() - cpu,
                    "rates": rates,
                    "loss": loss.item(),
                    "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
