"""Exact gradients of runs of the exact clock."""

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from saltus import _saltus
from saltus._network import Network
from saltus._simulate import _train
from saltus.errors import LimitError, UsageError
from saltus.losses import Loss, function

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_WRT = ("weights", "delays", "tau", "threshold", "reset", "bias", "neurons", "inputs")
_OF_NEURONS = {
    "tau": ("tau_m", "tau_syn"),
    "threshold": ("V_th",),
    "reset": ("V_reset",),
    "bias": ("E_L", "I_e"),
    "neurons": ("tau_m", "tau_syn", "R", "E_L", "I_e", "V_th", "V_reset", "V_0"),
}


class Synapses(NamedTuple):
    """Neurons of the synapses of a projection that lists them one by one, in the order of its gradients."""

    pre: "npt.NDArray[np.int64]"
    post: "npt.NDArray[np.int64]"


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Gradient:
    """The loss of a run and its derivatives. What was not asked for is None.

    Projections go by "a -> b"; further ones between the same populations by "a -> b (2)", and so on. A
    projection of several stages with weights has a list, one entry for each.

    Attributes
    ----------
    loss : float
    weights : dict of str to ndarray
        (inputs, outputs) where all are connected to all, the shape of the kernel for a convolution, one entry
        for each synapse otherwise, see `synapses`.
    delays : dict of str to ndarray
        Per second; one entry for each synapse, or for each entry of a Delay node.
    biases : dict of str to ndarray
        Of projections that have a bias; asked for by "bias".
    synapses : dict of str to Synapses
    tau, threshold, reset, bias : dict of str to dict of str to ndarray
        By population and parameter, one value for each neuron: the derivative by a parameter that all share
        is the sum. `tau` has tau_m and tau_syn, `bias` E_L and I_e.
    neurons : dict of str to dict of str to ndarray
        All of them, and R and V_0.
    inputs : dict of str to ndarray
        Of the input spikes, in the order in which they were given.
    spikes : dict of str to list of ndarray
        Unrounded times of all spikes, by population and neuron.
    events : int
        Deliveries of a spike over a synapse.
    bounded : int
        Spikes at which the potential only touched the threshold, or 1/V' was bounded.
    """

    loss: float
    weights: dict[str, Any] | None
    delays: dict[str, Any] | None
    biases: dict[str, Any] | None
    synapses: dict[str, Synapses]
    tau: dict[str, dict[str, Any]] | None
    threshold: dict[str, dict[str, Any]] | None
    reset: dict[str, dict[str, Any]] | None
    bias: dict[str, dict[str, Any]] | None
    neurons: dict[str, dict[str, Any]] | None
    inputs: "dict[str, npt.NDArray[np.float64]] | None"
    spikes: "dict[str, list[npt.NDArray[np.float64]]]"
    events: int
    bounded: int

    def __repr__(self) -> str:
        return f"Gradient: loss {self.loss:.6g}, {self.events} synaptic events, {self.bounded} spikes bounded"


def _wrt(names: str | Iterable[str]) -> set[str]:
    chosen = {names} if isinstance(names, str) else set(names)
    for name in chosen:
        if name not in _WRT:
            raise UsageError(f"wrt: expected of {', '.join(map(repr, _WRT))}, found {name!r}.")
    return chosen


def _by_projection(projections: list[tuple[str, list[dict[str, Any]]]], field: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, stages in projections:
        values = [stage[field] for stage in stages if field in stage]
        if values:
            found[name] = values[0] if len(values) == 1 else values
    return found


def _named_apart(
    projections: list[tuple[str, list[dict[str, Any]]]],
) -> list[tuple[str, list[dict[str, Any]]]]:
    seen: dict[str, int] = {}
    result = []
    for name, stages in projections:
        seen[name] = seen.get(name, 0) + 1
        result.append((name if seen[name] == 1 else f"{name} ({seen[name]})", stages))
    return result


def _of_inputs(trains: Mapping[str, _saltus.SpikeTrain], times: dict[str, list[Any]]) -> dict[str, Any]:
    """From [neuron][spike, by time] to the order of each train."""
    import numpy as np

    found = {}
    for name, train in trains.items():
        values = np.empty(len(train))
        for neuron in np.unique(train.neurons):
            own = np.flatnonzero(train.neurons == neuron)
            values[own[np.argsort(train.ticks[own], kind="stable")]] = times[name][neuron]
        found[name] = values
    return found


def gradient(
    net: Network,
    inputs: Mapping[str, Any],
    loss: Loss | Callable[[dict[str, list[Any]]], tuple[float, dict[str, list[Any]]]],
    duration: float | None = None,
    *,
    clock: str = "exact",
    wrt: str | Iterable[str] = ("weights", "delays", "tau", "threshold"),
    largest_factor: float = math.inf,
    convention: str | None = None,
    dt: float | None = None,
    recurrent_delay: float | None = None,
    time_unit: str | None = None,
    spike_area: str | None = None,
    reset: str | None = None,
    t_ref: float | None = None,
) -> Gradient:
    """Run a network and differentiate a loss of its spike times and potentials, exactly.

    Neurons may be IF, LIF, IFExp, CubaLIF with a reset to a value, and the integrators I, LI, CubaLI.

    Parameters
    ----------
    net : Network
    inputs : dict of str to spikes
        As in `simulate`.
    loss : Loss or callable
        One of `saltus.losses`, or a function as `saltus.losses.function` takes it.
    duration : float, optional
        Seconds; None: 100 ms after the last input spike.
    clock : {"exact"}
        The derivatives are those of the exact clock.
    wrt : iterable of str
        "weights", "delays", "tau" (tau_m, tau_syn), "threshold", "reset", "bias" (E_L, I_e, biases of
        projections), "neurons" (all parameters of neurons), "inputs" (times of input spikes).
    largest_factor : float
        Take 1/V' at each spike to be no more than this, in seconds per volt: bounds what spikes that barely
        happened contribute. Infinity: exact.
    convention, dt, recurrent_delay, time_unit, spike_area, reset, t_ref
        As in `simulate`.

    Returns
    -------
    Gradient

    Raises
    ------
    NetworkError
        A model or a reset without an exact gradient; what the exact clock cannot run.
    InputError, UsageError, LimitError
        As in `simulate`; a loss that asks for what the network does not have.

    Examples
    --------
    >>> build = saltus.NetworkBuilder()
    >>> build.input("in", 1)
    >>> build.population("out", 1, "lif_exp", tau_m=20e-3, tau_syn=5e-3)
    >>> build.connect("in", "out", pre=[0], post=[0], weight=[9.0], delay=[1e-3])
    >>> net = build.network()
    >>> loss = saltus.losses.spike_times("out", [0], [0], [5e-3])
    >>> found = saltus.gradient(net, {"in": ([1e-3], [0])}, loss, duration=0.02)
    >>> bool(found.delays["in -> out"][0] > 0)  # it fires too late: a shorter delay helps
    True
    """
    if not isinstance(net, Network):
        raise TypeError(f"net: expected a saltus.Network, found {type(net).__name__}.")
    if not isinstance(inputs, Mapping):
        raise TypeError(f"inputs: expected a dictionary of spikes by input, found {type(inputs).__name__}.")
    if clock != "exact":
        raise LimitError(f"clock {clock!r}: only the exact clock has exact gradients: clock='exact'.")
    chosen = _wrt(wrt)
    if callable(loss):
        loss = function(loss)
    if not isinstance(loss, Loss):
        raise TypeError(f"loss: expected one of saltus.losses or a function, found {type(loss).__name__}.")

    built = net._build(
        convention=convention,
        time_unit=time_unit,
        spike_area=spike_area,
        reset=reset,
        dt=dt,
        recurrent_delay=recurrent_delay,
        t_ref=t_ref,
    )
    step = net._reading["dt"] if dt is None else dt
    shapes = {name: shape for name, shape, _ in built.populations}
    trains = {name: _train(name, value, shapes.get(name), step) for name, value in inputs.items()}
    if duration is None:
        duration = (
            max((float(train.times.max()) for train in trains.values() if len(train)), default=0.0) + 0.1
        )

    of_neurons = bool(chosen & _OF_NEURONS.keys())
    run = _saltus.gradient(built, trains, duration, loss._compiled(), of_neurons, largest_factor)
    projections = _named_apart(run["projections"])

    def columns(kind: str) -> dict[str, dict[str, Any]] | None:
        if kind not in chosen:
            return None
        return {
            population: {name: values[name] for name in _OF_NEURONS[kind] if name in values}
            for population, values in run["neurons"].items()
        }

    synapses = {}
    for name, stages in projections:
        for stage in stages:
            if "pre" in stage:
                synapses[name] = Synapses(stage["pre"].astype("int64"), stage["post"].astype("int64"))
    return Gradient(
        loss=run["loss"],
        weights=_by_projection(projections, "weights") if "weights" in chosen else None,
        delays=_by_projection(projections, "delays") if "delays" in chosen else None,
        biases=_by_projection(projections, "bias") if "bias" in chosen else None,
        synapses=synapses,
        tau=columns("tau"),
        threshold=columns("threshold"),
        reset=columns("reset"),
        bias=columns("bias"),
        neurons=columns("neurons"),
        inputs=_of_inputs(trains, run["times"]) if "inputs" in chosen else None,
        spikes=run["spikes"],
        events=run["events"],
        bounded=run["bounded"],
    )
