"""Draws docs/activity.svg: held-back samples that are right, over spikes, for several --activity.

    python tests/benchmarks/surrogate/activity.py SALTUS SPEECH_COMMANDS FOLDER [--threads 1]

Trains one network for each weight, unless FOLDER has its result already, and prints a JSON line for each.
"""

import argparse
import json
import math
import pathlib
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[3]
WEIGHTS = [0, 0.1, 0.3, 1]
LAYERS = (
    "conv 32 kernel=4x3 stride=1x2; conv 64 kernel=4x3 dilation=4x1 stride=1x2; "
    "conv 64 kernel=4x3 dilation=8x1; readout mean"
)
OPTIONS = (
    "--epochs 10 --learning-rate 0.003 --schedule cosine --surrogate triangle --slope 2 --peak 0.25 --seed 1 "
    "--shift 100ms --mask-steps 15 --mask-bands 6 --validation-split validation"
)
LEFT, TOP, SIDE, HEIGHT = 60, 20, 420, 240


def train(saltus, dataset, folder, weight, threads):
    result = folder / f"activity_{weight}.json"
    if not result.exists():
        command = [saltus, "train", "surrogate", dataset, "-o", folder / f"activity_{weight}.nir"]
        command += ["--layers", LAYERS, *OPTIONS.split(), "--activity", str(weight)]
        command += ["--threads", str(threads), "--json"]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        result.write_text(done.stdout)
    return json.loads(result.read_text())


def drawing(points):
    """Points (weight, spikes per neuron and step, accuracy), spikes on a logarithmic axis."""
    low = math.floor(100 * min(a for _, _, a in points))
    first = math.floor(2 * math.log2(100 * min(r for _, r, _ in points))) / 2
    last = math.ceil(2 * math.log2(100 * max(r for _, r, _ in points))) / 2

    def x(rate):
        return LEFT + SIDE * (math.log2(100 * rate) - first) / (last - first)

    def y(accuracy):
        return TOP + HEIGHT * (100 - 100 * accuracy) / (100 - low)

    width, height = LEFT + SIDE + 40, TOP + HEIGHT + 50
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12" fill="#777">'
    ]
    for percent in range(low, 101, max(1, (100 - low) // 6)):
        parts.append(f'<path d="M{LEFT} {y(percent / 100):.1f}h{SIDE}" stroke="#8884"/>')
        parts.append(
            f'<text x="{LEFT - 6}" y="{y(percent / 100) + 4:.1f}" text-anchor="end">{percent} %</text>'
        )
    for power in range(math.ceil(first), math.floor(last) + 1):
        parts.append(
            f'<text x="{x(2**power / 100):.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle">'
            f"{2**power:g} %</text>"
        )
    parts.append(
        f'<text x="{LEFT + SIDE / 2}" y="{TOP + HEIGHT + 38}" text-anchor="middle">'
        "spikes per neuron and step of 10 ms</text>"
    )
    line = " ".join(f"{x(r):.1f},{y(a):.1f}" for _, r, a in points)
    parts.append(f'<polyline points="{line}" fill="none" stroke="#0072b2" stroke-width="2"/>')
    for weight, rate, accuracy in points:
        parts.append(f'<circle cx="{x(rate):.1f}" cy="{y(accuracy):.1f}" r="3" fill="#0072b2"/>')
        parts.append(
            f'<text x="{x(rate):.1f}" y="{y(accuracy) + 18:.1f}" text-anchor="middle">{weight:g}</text>'
        )
    return "\n".join([*parts, "</svg>\n"])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("saltus")
    parser.add_argument("dataset")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    points = []
    for weight in WEIGHTS:
        result = train(options.saltus, options.dataset, options.folder, weight, options.threads)
        print(json.dumps({"activity": weight, **result}), flush=True)
        # All layers of this network have 640 neurons.
        rate = statistics.mean(result["spikes_per_neuron_and_step"].values())
        best = result["log"][result["best_epoch"] - 1]
        points.append((weight, rate, best["validation"]["accuracy"]))
    (ROOT / "docs/activity.svg").write_text(drawing(points))


if __name__ == "__main__":
    main()
