"""Losses of a run in continuous time, for `saltus.gradient`. Times are seconds.

Losses can be added and multiplied by numbers:

>>> from saltus import losses
>>> loss = losses.first_spike_cross_entropy("out", 2) + 0.1 * losses.mean_potential("readout", 2)
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from saltus import _saltus
from saltus.errors import UsageError

__all__ = [
    "Loss",
    "first_spike_cross_entropy",
    "first_spike_gap",
    "first_spike_squared_error",
    "function",
    "largest_potential",
    "mean_potential",
    "potentials",
    "spike_times",
]


class Loss:
    """A sum of losses, each with a factor."""

    __slots__ = ("_terms",)

    def __init__(self, terms: Iterable[tuple[float, _saltus.Loss]]):
        self._terms = tuple(terms)

    def __add__(self, other: "Loss") -> "Loss":
        if not isinstance(other, Loss):
            return NotImplemented
        return Loss(self._terms + other._terms)

    def __mul__(self, factor: float) -> "Loss":
        return Loss((float(factor) * own, term) for own, term in self._terms)

    __rmul__ = __mul__

    def _compiled(self) -> _saltus.Loss:
        return _saltus.Loss.sum([factor for factor, _ in self._terms], [term for _, term in self._terms])


def _one(term: _saltus.Loss) -> Loss:
    return Loss([(1.0, term)])


def _of_class(population: str, kind: str, label: int, **values: float) -> Loss:
    return _one(_saltus.Loss.of_class(population, kind, label, {k: float(v) for k, v in values.items()}))


def first_spike_cross_entropy(
    population: str,
    label: int,
    *,
    tau_0: float = 0.5e-3,
    alpha: float = 0.0,
    tau_1: float = 6.4e-3,
    silent: float = 0.0,
) -> Loss:
    """-log softmax(-t/tau_0)[label] + alpha (exp(t_label/tau_1) - 1), t the times of first spikes.

    A neuron that does not fire counts as firing at `silent` (0: the end of the run), without a gradient.
    """
    return _of_class(
        population, "first_spike_cross_entropy", label, tau_0=tau_0, alpha=alpha, tau_1=tau_1, silent=silent
    )


def first_spike_squared_error(
    population: str, label: int, target: float, other_target: float, *, silent: float = 0.0
) -> Loss:
    """1/2 sum (t_k - T_k)^2, where T_k is `target` for the label and `other_target` for the others."""
    return _of_class(
        population,
        "first_spike_squared_error",
        label,
        target=target,
        other_target=other_target,
        silent=silent,
    )


def first_spike_gap(population: str, label: int, gap: float, *, silent: float = 0.0) -> Loss:
    """1/2 sum (t_k - t_label - gap)^2 over the other neurons: the same if all spikes move together."""
    return _of_class(population, "first_spike_gap", label, gap=gap, silent=silent)


def mean_potential(population: str, label: int, *, gain: float = 1.0, decay: float = 0.0) -> Loss:
    """Cross-entropy of the potentials, averaged over the run; with `decay`, weighted by exp(-t/decay)."""
    return _of_class(population, "mean_potential", label, gain=gain, decay=decay)


def largest_potential(population: str, label: int, *, gain: float = 1.0) -> Loss:
    """Cross-entropy of the largest potential of each neuron."""
    return _of_class(population, "largest_potential", label, gain=gain)


def _same_length(**columns: Sequence[Any]) -> None:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise UsageError(
            "loss: expected columns of one length, found "
            + ", ".join(f"{name} {length}" for name, length in lengths.items())
            + "."
        )


def spike_times(
    population: str, neurons: Sequence[int], indices: Sequence[int], times: Sequence[float]
) -> Loss:
    """1/2 sum (t - time)^2 over spikes: number `index`, from 0, of each neuron listed."""
    _same_length(neurons=neurons, indices=indices, times=times)
    return _one(
        _saltus.Loss.of_spike_times(
            population, [int(i) for i in neurons], [int(k) for k in indices], [float(t) for t in times]
        )
    )


def potentials(
    population: str, neurons: Sequence[int], times: Sequence[float], values: Sequence[float]
) -> Loss:
    """1/2 sum (V - value)^2 over samples of the potentials: of each neuron listed, at its time."""
    _same_length(neurons=neurons, times=times, values=values)
    return _one(
        _saltus.Loss.of_potentials(
            population, [int(i) for i in neurons], [float(t) for t in times], [float(v) for v in values]
        )
    )


def function(f: Callable[[dict[str, list[Any]]], tuple[float, dict[str, list[Any]]]]) -> Loss:
    """Any function of the spike times.

    It is given {population: [array of spike times of each neuron]} and returns the loss and its derivatives
    by these times, in the same form; populations that do not matter may be left out.
    """
    if not callable(f):
        raise TypeError(f"f: expected a function, found {type(f).__name__}.")
    return _one(_saltus.Loss.function(f))
