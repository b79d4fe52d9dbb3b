"""Draws docs/convergence.svg: the stepped clock beside the exact one, with steps from 1 ms to 1/64 ms.

    python tests/benchmarks/stepped/convergence.py

needs saltus and nir. The neuron, and what is compared, is in tests/python/convergence.py.
"""

import math
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests/python"))

from convergence import CONVENTIONS, difference  # noqa: E402

STEPS = [1e-3 / 2**k for k in range(7)]
COLOURS = ["#0072b2", "#56b4e9", "#d55e00", "#009e73", "#cc79a7", "#e69f00"]
WIDTH, HEIGHT, LEFT, TOP, SIDE = 860, 360, 70, 30, 300


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


def main():
    rows = [(f"{name} {kind}", order) for name, kind, order in CONVENTIONS]
    results = [[difference(name, kind, dt) for dt in STEPS] for name, kind, _ in CONVENTIONS]
    for (name, order), values in zip(rows, results, strict=True):
        print(f"{name:18s} order {order}", *(f"{v:.2e}/{t:.2e}" for v, t in values))
    shown = [k for k, (_, order) in enumerate(rows) if order is not None]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="12" fill="#777">'
    ]
    label = "step [ms]"
    parts += panel(
        LEFT,
        "potential at 5 ms, difference in thresholds",
        label,
        [[v for v, _ in results[k]] for k in shown],
        -4,
        0,
    )
    parts += panel(
        LEFT + SIDE + 70,
        "third spike, difference [s]",
        label,
        [[t for _, t in results[k]] for k in shown],
        -7,
        -2,
    )
    for line, k in enumerate(shown):
        top = TOP + 20 + 18 * line
        parts.append(f'<path d="M{WIDTH - 112} {top}h16" stroke="{COLOURS[line]}" stroke-width="2"/>')
        parts.append(f'<text x="{WIDTH - 92}" y="{top + 4}">{rows[k][0]}</text>')
    parts.append("</svg>")
    (ROOT / "docs/convergence.svg").write_text("\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
