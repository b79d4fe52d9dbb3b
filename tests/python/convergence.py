"""A neuron under constant drive as each tool steps it, with ever smaller steps, beside the exact clock."""

import nir
import numpy as np
import saltus

TAU, TAU_SYN, DRIVE, CHECK_AT = 8e-3, 4e-3, 1.5, 5e-3  # seconds; drive in thresholds
V_TH = 1024.0  # lava-dl's integers have 12 bits below 1, and shorter steps more of their rounding

# convention, node, order with which the difference shrinks; None: there is none but rounding
CONVENTIONS = [
    ("norse", "LIF", 1),
    ("norse", "CubaLIF", 1),
    ("snntorch", "LIF", 1),
    ("snntorch", "CubaLIF", 1),
    ("spikingjelly", "LIF", 1),
    ("spikingjelly", "CubaLIF", 1),
    ("sinabs", "LIF", 1),
    ("rockpool", "CubaLIF", 1),
    ("lava-dl", "CubaLIF", 1),
    ("nengo", "CubaLIF", 1),
    ("nest", "LIF", 1),
    ("brian2", "LIF", 1),
    ("nengo", "LIF", None),
    ("nir", "LIF", None),
]
# Where x is added in each step, in place of the share of it that a step stands for.
PER_STEP = {
    "LIF": ("snntorch", "sinabs", "nest", "brian2"),
    "CubaLIF": ("snntorch", "spikingjelly", "rockpool", "lava-dl"),
}


def graph(convention: str, kind: str, dt: float) -> nir.NIRGraph:
    """The neuron in the numbers that the tool expects for this step, driven to DRIVE thresholds."""
    one = np.ones(1)
    per_step = convention in PER_STEP[kind]
    bias = DRIVE * V_TH * (dt / TAU if per_step else 1.0)
    if kind == "LIF":
        r = TAU / dt if convention == "snntorch" else 1.0
        unit = dt if convention == "sinabs" else 1.0
        neuron = nir.LIF(tau=one * TAU / unit, r=one * r, v_leak=0 * one, v_threshold=one * V_TH)
    else:
        bias *= dt / TAU_SYN if per_step else 1.0  # the current grows by x in each step
        r, w_in = (TAU / dt, TAU_SYN / dt) if per_step else (1.0, 1.0)
        if convention == "rockpool":
            r -= 1.0
        times = {"tau_mem": one * TAU, "tau_syn": one * TAU_SYN}
        neuron = nir.CubaLIF(**times, r=one * r, v_leak=0 * one, v_threshold=one * V_TH, w_in=one * w_in)
    nodes = {
        "input": nir.Input(np.array([1])),
        "fc": nir.Affine(np.zeros((1, 1)), one * bias),
        "n": neuron,
        "output": nir.Output(np.array([1])),
    }
    return nir.NIRGraph(nodes, [("input", "fc"), ("fc", "n"), ("n", "output")])


def difference(convention: str, kind: str, dt: float) -> tuple[float, float]:
    """How far the potential before the first spike, in thresholds, and the time of the third, in seconds,
    are off."""
    file = graph(convention, kind, dt)
    # nengo's spikes of height 1/dt are nothing that the exact clock follows; its neuron is that of NIR
    exact = saltus.from_nir(file, convention="nir" if convention == "nengo" else convention, dt=dt)
    stepped = saltus.from_nir(file, convention=convention, dt=dt)
    exact = saltus.simulate(exact, {}, 0.06, record=("spikes", "potentials"), dt=dt)
    stepped = saltus.simulate(stepped, {}, 0.06, clock="stepped", record=("spikes", "potentials"))
    step = round(CHECK_AT / dt)
    ahead = 0 if convention == "nir" else 1  # other rules take the drive of a step before it is recorded
    unit = 1.0 if convention == "nengo" else V_TH
    v = stepped.potentials["n"][step - ahead, 0] / unit - exact.potentials["n"][step, 0] / V_TH
    t = stepped.spikes["n"].times[2] + ahead * dt - exact.spikes["n"].times[2]
    return abs(v), abs(t)
