"""Classifying data sets."""

import dataclasses
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from saltus import _saltus, datasets
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


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class SurrogateEvaluation:
    """How well a network that learnt in steps of time (`saltus.train.surrogate`) classified a data set.

    Attributes
    ----------
    accuracy, balanced_accuracy : float
        Fraction of the samples that were classified rightly, and the mean of that over the classes.
    loss : float
        Mean over the samples.
    samples, correct : int
        Samples done, and right ones.
    classes : list of str
        Names of the labels 0, 1, ...
    confusion : ndarray of int, shape (classes, classes)
        Samples by (label, answer).
    spikes_per_neuron_and_step : dict of str to float
        By the name of each layer that spikes.
    wall_s : float
        Seconds that passed.
    threads : int
        Threads used.
    interrupted : bool
        The evaluation was stopped before its end. True only in the `partial` of an exception, see `evaluate`.
    """

    accuracy: float
    balanced_accuracy: float
    loss: float
    samples: int
    correct: int
    classes: list[str]
    confusion: "npt.NDArray[np.int64]"
    spikes_per_neuron_and_step: dict[str, float]
    wall_s: float
    threads: int
    interrupted: bool

    def __repr__(self) -> str:
        right = f"{self.correct} of {self.samples} right"
        return f"SurrogateEvaluation: {right}, {self.wall_s:.3g} s on {self.threads} threads"


def evaluate(
    net: Network,
    dataset: "str | os.PathLike[str] | tuple[npt.ArrayLike, npt.ArrayLike]",
    *,
    split: str | None = None,
    left_out: str | None = None,
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
) -> Evaluation | SurrogateEvaluation:
    """Let a network classify every sample of a data set.

    The class is the neuron of the output with the most spikes, or, where the output does not spike, the one
    with the largest potential at the end.

    Parameters
    ----------
    net : Network
        With one input of as many channels as a sample has.
    dataset : str or path-like, or (frames, labels)
        A folder of images in IDX files (MNIST) or of N-MNIST recordings, an HDF5 file in the layout of SHD,
        or one of packed camera events, or "yin-yang". A network that learnt in steps of time takes what
        `saltus.train.surrogate` does, arrays too.
    split : {"train", "validation", "test"}, optional
        The part to take, where the data set has parts.
    left_out : str, optional
        Of a network that learnt in steps, and spoken digits: the speaker who is the test part.
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
        Or, of a network that learnt in steps of time, SurrogateEvaluation. Its file says how samples are
        made and who decides: other parameters than `split`, `left_out`, `threads` and `progress` are refused.

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
    given = dict(locals())
    if not isinstance(net, Network):
        raise TypeError(f"net: expected a saltus.Network, found {type(net).__name__}.")
    whole_number("threads", threads, 1)
    whole_number("slots", slots, 1, 1 << 20)
    if decide not in (None, "first", "most"):
        raise UsageError(f"decide: expected 'first' or 'most', found {decide!r:.80}.")
    _check_clock(clock)
    learnt = None if net._document is None else _saltus.learnt_in_steps(net._document)
    if learnt is not None:
        return _evaluate_surrogate(learnt, given)
    if left_out is not None:
        raise UsageError("left_out: only of networks that learnt in steps of time. Leave it out.")
    report = reporter(progress, lambda done, total: f"{done} of {total} samples")
    path = _path(dataset)
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
    return _evaluation(
        lambda: _saltus.evaluate(
            built,
            path,
            split or "",
            duration,
            output or "",
            threads or 0,
            decide or "",
            encoding or "",
            slot,
            slots,
            callback,
        ),
        _result,
        report,
    )


def _result(run: dict[str, Any]) -> Evaluation:
    run["decisions"] = [Decision(*entry) for entry in run["decisions"]]
    if run["first_spikes"] is not None:
        run["first_spikes"] = FirstSpikes(**run["first_spikes"])
    return Evaluation(**run)


def _evaluate_surrogate(learnt: dict[str, Any], given: dict[str, Any]) -> SurrogateEvaluation:
    """`learnt`: dt and classes; `given`: the arguments of evaluate."""
    for name, value in given.items():
        if name in ("net", "dataset", "split", "left_out", "threads", "progress"):
            continue
        if value != evaluate.__kwdefaults__[name]:
            raise UsageError(f"{name}: the network learnt in steps of time, and its file says. Leave it out.")
    dataset = given["dataset"]
    path = samples = None
    if isinstance(dataset, tuple):
        for name in ("split", "left_out"):
            if given[name] is not None:
                raise UsageError(f"{name}: arrays are taken as they are. Leave it out.")
        samples = datasets.stored("dataset", dataset, **learnt)
    else:
        path = _path(dataset)
    report = reporter(given["progress"], lambda done, total: f"{done} of {total} samples")
    callback = None if report is None else lambda done, total: report(done / total, done, total)
    return _evaluation(
        lambda: _saltus.evaluate_surrogate(
            given["net"]._document,
            path,
            samples,
            given["split"] or "",
            given["left_out"] or "",
            given["threads"] or 0,
            callback,
        ),
        lambda run: SurrogateEvaluation(**run),
        report,
    )


def _evaluation(
    run: Callable[[], dict[str, Any]], result_of: Callable[[dict[str, Any]], Any], report: Any
) -> Any:
    import numpy as np

    try:
        made = run()
        error = made.pop("error")
        size = len(made["classes"])
        made["confusion"] = np.array(made["confusion"], dtype=np.int64).reshape(size, size)
        result = result_of(made)
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
