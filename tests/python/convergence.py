"""A neuron under constant drive as each tool steps it, with ever smaller steps, beside the exact clock."""

import nir
import numpy as np
import saltus

TAU, TAU_SYN, DRIVE, CHECK_AT = 10e-3, 4e-3, 1.5, 5e-3  # seconds; drive in thresholds

# convention, node, order with which the difference shrinks; None: there is none but rounding
CONVENTIONS = [
    ("norse", "LIF", 1),
    ("norse", "CubaLIF", 1),
    ("snntorch", "LIF", 1),
    ("spikingjelly", "LIF", 1),
    ("sinabs", "LIF", 1),
    ("rockpool", "CubaLIF", 1),
    ("nir", "LIF", None),
]


def graph(convention: str, kind: str, dt: float) -> nir.NIRGraph:
    """The neuron in the numbers that the tool expects for this step, driven to DRIVE thresholds."""
    one = np.ones(1)
    per_step = convention in ("snntorch", "sinabs", "rockpool")  # x is added in each step
    bias = DRIVE * (dt / TAU if per_step else 1.0)
    unit = dt if convention == "sinabs" else 1.0
    if kind == "LIF":
        r = TAU / dt if convention == "snntorch" else 1.0
        neuron = nir.LIF(tau=one * TAU / unit, r=one * r, v_leak=0 * one, v_threshold=one)
    else:
        r = TAU / dt - 1.0 if convention == "rockpool" else 1.0
        if convention == "rockpool":
            bias *= dt / TAU_SYN  # the current grows by x in each step
        neuron = nir.CubaLIF(
            tau_mem=one * TAU, tau_syn=one * TAU_SYN, r=one * r, v_leak=0 * one, v_threshold=one, w_in=one
        )
    nodes = {
        "input": nir.Input(np.array([1])),
        "fc": nir.Affine(np.zeros((1, 1)), one * bias),
        "n": neuron,
        "output": nir.Output(np.array([1])),
    }
    return nir.NIRGraph(nodes, [("input", "fc"), ("fc", "n"), ("n", "output")])


def difference(convention: str, kind: str, dt: float) -> tuple[float, float]:
    """How far the potential before the first spike, and the time of the third spike in seconds, are off."""
    net = saltus.from_nir(graph(convention, kind, dt), convention=convention, dt=dt)
    exact = saltus.simulate(net, {}, 0.06, record=("spikes", "potentials"))
    stepped = saltus.simulate(net, {}, 0.06, clock="stepped", record=("spikes", "potentials"))
    step = round(CHECK_AT / dt)
    ahead = 0 if convention == "nir" else 1  # other rules take the drive of a step before it is recorded
    v = stepped.potentials["n"][step - ahead, 0] - exact.potentials["n"][step, 0]
    t = stepped.spikes["n"].times[2] + ahead * dt - exact.spikes["n"].times[2]
    return abs(v), abs(t)
