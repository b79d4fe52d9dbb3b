"""Draws docs/convergence.svg: the stepped clock beside the exact one, with steps from 1 ms to 1/64 ms.

    python tests/benchmarks/stepped/convergence.py

needs saltus and nir. The neuron, and what is compared, is in tests/python/convergence.py.
"""

import math
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/python"))

import numpy as np  # noqa: E402
from convergence import CONVENTIONS, difference  # noqa: E402

STEPS = [1e-3 / 2**k for k in range(7)]
COLOURS = ["#0072b2", "#56b4e9", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#777777"]
WIDTH, HEIGHT, LEFT, TOP, SIDE = 1060, 360, 70, 30, 300


def panel(left, title, label, series, low, high):
    """Lines on two logarithmic axes; y from 10^low to 10^high."""

    def x(dt):
        return left + SIDE * (math.log2(dt / STEPS[-1]) / math.log2(STEPS[0] / STEPS[-1]))

    def y(value):
        return TOP + 270 * (high - math.log10(value)) / (high - low)

    parts = [f'<text x="{left}" y="18" font-weight="bold">{title}</text>']
    for power in range(low, high + 1):
        parts.append(f'<path d="M{left} {y(10**power):.1f}h{SIDE}" stroke="#8884"/>')
        parts.append(f'<text x="{left - 6}" y="{y(10**power) + 4:.1f}" text-anchor="end">1e{power}</text>')
    for dt in STEPS[::2]:
        parts.append(
            f'<text x="{x(dt):.1f}" y="{TOP + 288}" text-anchor="middle">1/{round(1e-3 / dt)}</text>'
        )
    parts.append(f'<text x="{left + SIDE / 2}" y="{TOP + 308}" text-anchor="middle">{label}</text>')
    for colour, values in zip(COLOURS, series, strict=False):
        points = " ".join(f"{x(dt):.1f},{y(v):.1f}" for dt, v in zip(STEPS, values, strict=True) if v > 0)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
    return parts


def curves():
    """(kind, names of the conventions, differences) of each curve; conventions of one rule share theirs."""
    found = []
    for name, kind, order in CONVENTIONS:
        values = [difference(name, kind, dt) for dt in STEPS]
        print(f"{name:13s} {kind:8s} order {order}", *(f"{v:.2e}/{t:.2e}" for v, t in values))
        if order is None:
            continue
        same = [other for other in found if other[0] == kind and np.allclose(other[2], values, 1e-2, 1e-6)]
        if same:
            same[0][1].append(name)
        else:
            found.append((kind, [name], values))
    return found


def main():
    found = curves()
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12" fill="#777">'
    ]
    label = "step [ms]"
    parts += panel(
        LEFT,
        "potential at 5 ms, difference in thresholds",
        label,
        [[v for v, _ in values] for _, _, values in found],
        -4,
        0,
    )
    parts += panel(
        LEFT + SIDE + 70,
        "third spike, difference [s]",
        label,
        [[t for _, t in values] for _, _, values in found],
        -7,
        -2,
    )
    top = TOP + 20
    for colour, (kind, names, _) in zip(COLOURS, found, strict=True):
        parts.append(f'<path d="M{WIDTH - 280} {top}h16" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{WIDTH - 260}" y="{top + 4}">{kind}: {", ".join(names)}</text>')
        top += 18
    parts.append("</svg>")
    (ROOT / "docs/convergence.svg").write_text("\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
