"""Classifying data sets."""

import dataclasses
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from saltus import _saltus
from saltus._network import Network, _path
from saltus._progress import Bar, reporter
from saltus._simulate import _check_clock, whole_number
from saltus.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Decision(NamedTuple):
    """What the network made of one sample; `decided` is -1 where all output neurons stayed silent."""

    sample: str
    label: int
    decided: int
    tie: bool


class FirstSpikes(NamedTuple):
    """Decisions by the first output spike.

    `correct_by_index` had ties been decided by the lowest index; `silent` samples without an output spike,
    which the largest potential decides; `decision_s` the mean time of the decision; `input_share` the mean
    share of a sample's input spikes before it; the others are what running all samples to their end would
    have taken.
    """

    correct_by_index: int
    silent: int
    decision_s: float
    input_share: float
    full_neuron_spikes: int
    full_synaptic_events: int
    full_s: float


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Evaluation:
    """How well a network classified a data set.

    Attributes
    ----------
    accuracy : float
        Fraction of the samples that were classified rightly.
    samples, correct, ties, undecided : int
        Samples done, and of these: right ones, those where the lowest of several best classes was taken, and
        those without any output spike, which count as wrong.
    classes : list of str
        Names of the labels 0, 1, ...
    confusion : ndarray of int, shape (classes, classes)
        Samples by (label, decision), without the undecided.
    decisions : list of Decision
        In the order of the data set.
    input_spikes, neuron_spikes, synaptic_events : int
        Over all samples.
    simulation_s, wall_s : float
        Seconds spent simulating, summed over threads, and seconds that passed.
    threads : int
        Threads used.
    first_spikes : FirstSpikes or None
        Where the first output spike decides; `correct` then breaks ties by potential, and spikes and events
        are those before the decisions.
    interrupted : bool
        The evaluation was stopped before its end. True only in the `partial` of an exception, see `evaluate`.
    """

    accuracy: float
    samples: int
    correct: int
    ties: int
    undecided: int
    classes: list[str]
    confusion: "npt.NDArray[np.int64]"
    decisions: list[Decision]
    input_spikes: int
    neuron_spikes: int
    synaptic_events: int
    simulation_s: float
    wall_s: float
    threads: int
    interrupted: bool
    first_spikes: FirstSpikes | None = None

    def __repr__(self) -> str:
        right = f"{self.correct} of {self.samples} right"
        return f"Evaluation: {right}, {self.wall_s:.3g} s on {self.threads} threads"


def evaluate(
    net: Network,
    dataset: "str | os.PathLike[str]",
    *,
    split: str | None = None,
    duration: float | None = None,
    output: str | None = None,
    decide: str | None = None,
    encoding: str | None = None,
    slot: float | None = None,
    slots: int | None = None,
    clock: str = "exact",
    convention: str | None = None,
    dt: float | None = None,
    recurrent_delay: float | None = None,
    threads: int | None = None,
    time_unit: str | None = None,
    spike_area: str | None = None,
    reset: str | None = None,
    t_ref: float | None = None,
    progress: bool | Callable[[float, int, int], Any] | None = None,
) -> Evaluation:
    """Let a network classify every sample of a data set.

    The class is the neuron of the output with the most spikes, or, where the output does not spike, the one
    with the largest potential at the end.

    Parameters
    ----------
    net : Network
        With one input of as many channels as a sample has.
    dataset : str or path-like
        A folder of images in IDX files (MNIST) or of N-MNIST recordings, an HDF5 file in the layout of SHD,
        or one of packed camera events, or "yin-yang".
    split : {"train", "test"}, optional
        The part to take, where the data set has parts.
    duration : float, optional
        Seconds of each sample; without it, up to its last spike and as long as one may be under way.
    output : str, optional
        The output that decides, where there are several.
    decide : {"first", "most"}, optional
        "first": the first output spike, every neuron firing at most once; "most": most spikes. Without it,
        what the network's file says, else "first" for images and "most" for others.
    encoding : {"latency", "continuous", "rank", "charging"}, optional
        Images as spikes; without it, what the network's file says, else "latency".
    slot : float, optional
        Seconds of a slot of time; 0.001 unless the file says otherwise.
    slots : int, optional
        Slots of a sample; what fires later is silent. 256 unless the file says otherwise.
    clock, convention, dt, recurrent_delay, time_unit, spike_area, reset, t_ref
        As in `simulate`.
    threads : int, optional
        Samples run in parallel on so many threads; None: on all processors. Results do not depend on it.
    progress : bool or callable, optional
        True: a bar on standard error, if that is a terminal. A callable is given the fraction done, the
        samples done and all samples.

    Returns
    -------
    Evaluation

    Raises
    ------
    FileError
        The data set, or a sample of it, cannot be read.
    UsageError
        The data set does not fit the network, or an argument is out of its range.
    NetworkError
        The network cannot run on this clock.
    KeyboardInterrupt
        Ctrl-C. This exception, and one that `progress` raises, has an attribute `partial`: the Evaluation of
        the samples done until then.

    Examples
    --------
    >>> net = saltus.load("cnn_sinabs.nir", convention="sinabs")
    >>> result = saltus.evaluate(net, "n-mnist")
    >>> result.correct == result.samples
    True
    """
    if not isinstance(net, Network):
        raise TypeError(f"net: expected a saltus.Network, found {type(net).__name__}.")
    import numpy as np

    whole_number("threads", threads, 1)
    whole_number("slots", slots, 1, 1 << 20)
    if decide not in (None, "first", "most"):
        raise UsageError(f"decide: expected 'first' or 'most', found {decide!r:.80}.")
    _check_clock(clock)
    report = reporter(progress, lambda done, total: f"{done} of {total} samples")
    built = net._build(
        convention=convention,
        time_unit=time_unit,
        spike_area=spike_area,
        reset=reset,
        dt=dt,
        recurrent_delay=recurrent_delay,
        t_ref=t_ref,
        clock=clock,
    )
    callback = None if report is None else lambda done, total: report(done / total, done, total)
    try:
        run = _saltus.evaluate(
            built,
            _path(dataset),
            split or "",
            duration,
            output or "",
            threads or 0,
            decide or "",
            encoding or "",
            slot,
            slots,
            callback,
        )
        error = run.pop("error")
        size = len(run["classes"])
        run["confusion"] = np.array(run["confusion"], dtype=np.int64).reshape(size, size)
        run["decisions"] = [Decision(*entry) for entry in run["decisions"]]
        if run["first_spikes"] is not None:
            run["first_spikes"] = FirstSpikes(**run["first_spikes"])
        result = Evaluation(**run)
        if error is not None:
            error.partial = result
            try:
                raise error
            finally:
                del (
                    error
                )  # the frame in its traceback would keep it, and the result, until the next collection
        if report is not None:
            report(1.0, result.samples, result.samples)
    finally:
        if isinstance(report, Bar):
            report.close()
    return result
