"""Training networks on data sets.

>>> options = {"hidden": (30,), "threshold": 1.0, "slots": 64, "batch": 32, "optimizer": "adam", "epochs": 2}
>>> result = saltus.train.s4nn(None, "yin-yang", **options)
>>> result.network.outputs
{'output_2': 'output'}
"""

import dataclasses
import json
import math
import operator
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from saltus import _saltus, datasets
from saltus._network import Network, _path, _reading
from saltus._progress import Bar, reporter
from saltus._simulate import whole_number
from saltus.errors import UsageError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Training", "exact", "s4nn", "surrogate"]

_FLOATS = [
    "threshold",
    "learning_rate",
    "momentum",
    "weight_decay",
    "averaging",
    "averaged_samples",
    "last_rate",
    "gamma",
    "period",
    "warmup",
    "validation",
    "margin",
    "softness",
    "delay_step",
    "largest_delay",
    "delay_rate",
    "slot",
    "checkpoint_every",
    "activity",
    "largest_norm",
    "largest_element",
    "tau_m",
    "tau_syn",
    "window",
    "tau_0",
    "tau_1",
    "alpha",
    "gap",
    "target",
    "other_target",
    "decay",
    "gain",
    "duration",
    "initial_delay",
    "largest_factor",
    "wake",
    "lower_rate",
    "upper_rate",
    "rate_strength",
    "input_dropout",
]

# What says how samples are made from files.
_OF_FILES = [
    "split",
    "validation_split",
    "steps",
    "binary",
    "derivatives",
    "task",
    "left_out",
    "shift",
    "noise",
    "drop",
    "pixels",
    "mask_steps",
    "mask_bands",
    "encoding",
    "slot",
    "slots",
]


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Training:
    """What a training has made.

    Attributes
    ----------
    network : Network
        That of the best epoch, by the samples held back; of the last one where none are.
    log : list of dict
        One entry an epoch: "epoch", "rate_factor", "training" and "validation" (each with "samples",
        "correct", "accuracy", "loss"), "best", "seconds".
    best_epoch : int or None
        From 1.
    stopped_early, interrupted : bool
    figures : dict
        Of `surrogate`: "parameters", and of the samples held back "balanced_accuracy" (the mean over the
        classes) and "spikes_per_neuron_and_step" by layer.
    """

    network: Network
    log: list[dict[str, Any]]
    best_epoch: int | None
    stopped_early: bool
    interrupted: bool
    figures: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __repr__(self) -> str:
        best = "" if self.best_epoch is None else f", best {self.best_epoch}"
        return f"Training: {len(self.log)} epochs{best}"


def s4nn(
    net: Network | None,
    dataset: "str | os.PathLike[str]",
    *,
    split: str = "train",
    hidden: "Sequence[int | str]" = (400,),
    threshold: float = 100.0,
    initial: Sequence[float] = (),
    epochs: int = 100,
    batch: int = 1,
    optimizer: str = "sgd",
    learning_rate: float = 0.2,
    momentum: float = 0.0,
    weight_decay: float = 1e-6,
    averaging: float = 0.0,
    averaged_samples: float = 60000.0,
    schedule: str = "linear",
    last_rate: float = 0.05,
    gamma: float = 0.5,
    period: float = 10.0,
    warmup: float = 0.0,
    validation: float = 1 / 12,
    patience: int = 0,
    keep_best: bool = True,
    shuffle: bool = True,
    seed: int = 0,
    threads: int = 1,
    margin: float = 3e-3,
    loss: str = "relative",
    softness: float = 5e-3,
    normalise: bool = True,
    order: str = "paper",
    dropout: Sequence[float] = (),
    shift: int = 0,
    learn_delays: bool = False,
    delay_step: float = 1e-3,
    largest_delay: float = 20e-3,
    delay_rate: float = 1e-3,
    encoding: str = "latency",
    slot: float = 1e-3,
    slots: int = 256,
    checkpoint: "str | os.PathLike[str] | None" = None,
    checkpoint_every: float = 60.0,
    resume: bool = False,
    progress: bool | Callable[..., Any] | None = None,
    on_epoch: Callable[[dict[str, Any]], Any] | None = None,
) -> Training:
    """Train a network whose neurons fire at most once, by temporal back-propagation.

    Kheradpisheh and Masquelier, Int. J. Neural Systems 30(6), 2050027 (2020). The first output spike
    decides. The defaults are the published rule: a step after each sample.

    Parameters
    ----------
    net : Network or None
        A chain of IF populations to begin with; None: a new one of dense layers.
    dataset : str or path-like
        As in `evaluate`.
    split : str
        The part to learn from; "" takes everything.
    hidden, threshold, initial
        Of a new network: hidden layers (400: so many neurons; "16c5": a convolution to 16 channels with
        kernels of 5 x 5; "p2": the first spike of windows of 2 x 2); the threshold of all; weights begin
        uniform in [0, X), one X for each layer that has any.
    batch : int
        Samples of a step. With 1 the published rule: `optimizer`, `momentum` and `averaging` do not apply,
        and `averaged_samples` is over how many samples the weights handed out are averaged (0: not at all).
    optimizer : {"sgd", "adam", "adamw", "radam"}
    averaging : float
        Hand out an exponential average of the weights: 0.999 is one over about 1000 steps.
    schedule : {"constant", "step", "exponential", "cosine", "linear"}
        Of the learning rate; `last_rate` is its factor at the end, `gamma` and `period` belong to "step".
    validation : float
        Share (below 1) or number of samples held back, the last ones, to choose the best epoch.
    patience : int
        Stop after so many epochs without a better one; 0: never.
    threads : int
        Results do not depend on it.
    margin : float
        Seconds by which the label should be first.
    loss : {"relative", "cross_entropy"}
        `softness` is the time constant of the latter, in seconds.
    normalise : bool
        Divide the errors of a layer by their norm.
    order : {"paper", "code"}
        With batch=1: errors of a layer from the weights before or after the step.
    dropout : sequence of float
        With batch > 1: share of the spikes of the input, the first hidden layer, ... dropped in learning.
    shift : int
        With batch > 1: images are moved by up to so many pixels in learning.
    learn_delays : bool
        A delay for each synapse, multiples of `delay_step` up to `largest_delay`.
    encoding, slot, slots
        As in `evaluate`.
    checkpoint, checkpoint_every, resume
        A file from which the training can go on with the same bits: written every so many seconds and when
        it is interrupted.
    progress : bool or callable, optional
        True: a bar on standard error, if that is a terminal. A callable is given the fraction done, the
        epoch, its loss and accuracy so far, samples per second, and the seconds left.
    on_epoch : callable, optional
        Given each entry of the log.

    Returns
    -------
    Training

    Raises
    ------
    FileError
        The data set or the checkpoint cannot be read.
    UsageError
        An argument is out of its range, or things do not fit together.
    NetworkError
        `net` is no chain of IF populations.
    KeyboardInterrupt
        Ctrl-C. This exception, and one that `progress` raises, has an attribute `partial`: the Training so
        far.

    Examples
    --------
    >>> result = saltus.train.s4nn(
    ...     None, "yin-yang", hidden=(30,), threshold=1.0, epochs=2, slots=64, batch=32, optimizer="adam"
    ... )
    >>> len(result.log)
    2
    """
    arguments = dict(locals())
    whole_number("shift", shift, 0)
    for name in ("net", "dataset", "split", "checkpoint", "resume", "progress", "on_epoch"):
        del arguments[name]
    arguments["hidden"] = [str(layer) for layer in hidden]
    arguments["dropout"] = [float(x) for x in dropout]
    arguments["initial"] = [float(x) for x in initial]
    _check(net, arguments, checkpoint, resume)

    def run(*callbacks: Any) -> dict[str, Any]:
        built = None if net is None else net._build()
        return _saltus.train_s4nn(built, _path(dataset), split, arguments, *callbacks)

    return _train(run, epochs, checkpoint, resume, progress, on_epoch)


def exact(
    net: Network | None,
    dataset: "str | os.PathLike[str]",
    *,
    split: str = "train",
    hidden: "Sequence[int | str]" = (120,),
    initial: Sequence[float] = (),
    initial_sd: Sequence[float] = (),
    inputs: int | None = None,
    neuron: str = "lif",
    tau_m: float = 20e-3,
    tau_syn: float = 5e-3,
    window: float = 20e-3,
    loss: str = "first_spike_cross_entropy",
    tau_0: float = 1e-3,
    alpha: float = 3e-3,
    tau_1: float = 6.4e-3,
    gap: float = 2e-3,
    target: float = 20e-3,
    other_target: float = 30e-3,
    decay: float = 0.0,
    gain: float = 1.0,
    duration: float = 60e-3,
    learn_delays: bool = False,
    initial_delay: float = 0.0,
    largest_delay: float = 50e-3,
    delay_rate: float = 0.1,
    largest_factor: float = 0.2,
    wake: float = 3.0,
    lower_rate: float = 0.0,
    upper_rate: float = math.inf,
    rate_strength: float = 1e-3,
    input_dropout: float = 0.0,
    input_shift: int = 0,
    input_mirror: bool = False,
    encoding: str = "continuous",
    slot: float = 78.125e-6,
    slots: int = 256,
    epochs: int = 100,
    batch: int = 32,
    optimizer: str = "adam",
    learning_rate: float = 5e-3,
    momentum: float = 0.0,
    weight_decay: float = 0.0,
    largest_norm: float = math.inf,
    largest_element: float = math.inf,
    averaging: float = 0.0,
    schedule: str = "cosine",
    last_rate: float = 0.0,
    gamma: float = 0.5,
    period: float = 10.0,
    warmup: float = 0.0,
    validation: float = 1 / 12,
    patience: int = 0,
    keep_best: bool = True,
    shuffle: bool = True,
    seed: int = 0,
    threads: int = 1,
    checkpoint: "str | os.PathLike[str] | None" = None,
    checkpoint_every: float = 60.0,
    resume: bool = False,
    progress: bool | Callable[..., Any] | None = None,
    on_epoch: Callable[[dict[str, Any]], Any] | None = None,
) -> Training:
    """Train a network on exact gradients of its spike times or potentials.

    Wunderlich and Pehle, Sci. Rep. 11:12829 (2021); docs/exact-gradients.md. The same as `saltus train
    exact`: equal settings give equal bits.

    Parameters
    ----------
    net : Network or None
        One whose models have exact gradients, to go on with; None: a new one.
    dataset : str or path-like
        As in `evaluate`.
    split : str
        The part to learn from; "" takes everything.
    hidden, initial, initial_sd, inputs, neuron, tau_m, tau_syn, window, initial_delay
        Of a new network: hidden layers (120: so many neurons; "16c5": a convolution to 16 channels with
        kernels of 5 x 5; "p2": the first spike of each window of 2 x 2); means of the first weights and
        their standard deviations, one number a layer that has any; only so many inputs have synapses,
        the first ones; "lif", or with one spike at most "lif_once", "lif_equal_once" (tau_m = tau_syn),
        "lif_double_once" (tau_m = 2 tau_syn), "if_once" (no leak), "linear_once" (no leak, no decay),
        "ramp_once" (as that, but firing on a ramp, layer after layer, each within `window`); seconds; where
        delays are learnt they begin uniform from 0 to this many seconds.
    loss : str
        "first_spike_cross_entropy" (`tau_0`, `alpha`, `tau_1`), "first_spike_squared_error" (`target`,
        `other_target`), "first_spike_gap" (`gap`), "mean_potential" (`decay`, `gain`),
        "largest_potential" (`gain`).
    duration : float
        Seconds of the run of a sample.
    learn_delays : bool
        Learn a delay for each synapse, too, up to `largest_delay` seconds, at `delay_rate` times the rate of
        weights.
    largest_factor : float
        Bound of 1/V' at spikes, seconds per V; infinity: exact.
    wake : float
        Rise of the weights onto a silent label.
    lower_rate, upper_rate, rate_strength : float
        Hidden neurons whose spikes a sample, on average over a mini-batch, lie outside are pulled back.
    input_dropout, input_shift, input_mirror
        Share of input spikes left out; images are moved by up to so many pixels; every other one, by chance,
        has left and right exchanged.
    encoding, slot, slots
        As in `evaluate`.
    batch : int
        Samples of a step.
    optimizer, averaging, schedule, last_rate, gamma, period, warmup, largest_norm, largest_element
        As in `surrogate`.
    validation : float
        Share (below 1) or number of samples held back, the last ones, to choose the best epoch.
    patience, keep_best, shuffle, threads, checkpoint, checkpoint_every, resume, progress, on_epoch
        As in `s4nn`.

    Returns
    -------
    Training

    Raises
    ------
    FileError
        The data set or the checkpoint cannot be read.
    UsageError
        An argument is out of its range, or things do not fit together.
    NetworkError
        A model or a reset of `net` has no exact gradient.
    KeyboardInterrupt
        As in `s4nn`.

    Examples
    --------
    >>> result = saltus.train.exact(None, "yin-yang", hidden=(12,), neuron="lif_double_once", epochs=2)
    >>> len(result.log)
    2
    """
    arguments = dict(locals())
    whole_number("input_shift", input_shift, 0, (1 << 32) - 1)
    if inputs is not None:
        whole_number("inputs", inputs, 1, (1 << 32) - 1)
    if net is not None:
        for name in (
            "hidden",
            "initial",
            "initial_sd",
            "inputs",
            "neuron",
            "tau_m",
            "tau_syn",
            "window",
            "initial_delay",
        ):
            if arguments[name] != exact.__kwdefaults__[name]:
                raise UsageError(f"{name}: it describes a new network. Leave it out, or net.")
    for name in ("net", "dataset", "checkpoint", "resume", "progress", "on_epoch"):
        del arguments[name]
    arguments["hidden"] = [str(layer) for layer in hidden]
    arguments["initial"] = [float(x) for x in initial]
    arguments["initial_sd"] = [float(x) for x in initial_sd]
    _check(net, arguments, checkpoint, resume)

    def run(*callbacks: Any) -> dict[str, Any]:
        built = None if net is None else net._build()
        return _saltus.train_exact(built, _path(dataset), arguments, *callbacks)

    return _train(run, epochs, checkpoint, resume, progress, on_epoch)


def surrogate(
    net: Network | None,
    dataset: "str | os.PathLike[str] | tuple[npt.ArrayLike, npt.ArrayLike]",
    *,
    layers: "str | Sequence[str | dict[str, Any]] | None" = None,
    split: str = "train",
    validation_split: str | None = None,
    dt: float = 0.01,
    steps: int | None = None,
    binary: bool = False,
    derivatives: bool = True,
    task: str | None = None,
    left_out: str | None = None,
    shift: float = 0.0,
    noise: float = 0.0,
    drop: float = 0.0,
    pixels: int = 0,
    mask_steps: int = 0,
    mask_bands: int = 0,
    encoding: str = "latency",
    slot: float = 1e-3,
    slots: int = 256,
    classes: Sequence[str] | None = None,
    scaling: str = "auto",
    balanced: bool = False,
    surrogate: str = "s2net",
    slope: float | None = None,
    peak: float | None = None,
    activity: float = 0.1,
    truncate: int = 0,
    detach_reset: bool = False,
    recompute: bool = False,
    precision: str = "float32",
    epochs: int = 10,
    batch: int = 64,
    optimizer: str = "radam",
    learning_rate: float = 1e-3,
    momentum: float = 0.0,
    weight_decay: float = 1e-5,
    largest_norm: float = math.inf,
    largest_element: float = 5.0,
    averaging: float = 0.0,
    schedule: str = "exponential",
    last_rate: float = 0.0,
    gamma: float = 0.85,
    period: float = 10.0,
    warmup: float = 1.0,
    validation: "float | tuple[npt.ArrayLike, npt.ArrayLike]" = 1 / 12,
    patience: int = 0,
    keep_best: bool = True,
    shuffle: bool = True,
    seed: int = 0,
    threads: int = 1,
    checkpoint: "str | os.PathLike[str] | None" = None,
    checkpoint_every: float = 60.0,
    resume: bool = False,
    progress: bool | Callable[..., Any] | None = None,
    on_epoch: Callable[[dict[str, Any]], Any] | None = None,
) -> Training:
    """Train layers in discrete time by back-propagation with surrogate gradients.

    Pellegrini, Zimmer and Masquelier, IEEE SLT 2021. The same as `saltus train surrogate`: equal settings
    give equal bits.

    Parameters
    ----------
    net : Network or None
        One that was trained so, to go on with; None: a new one of `layers`. Or neurons and synapses: they run
        on the stepped clock, by the convention and the step that they were loaded with, their file says, or
        `evaluate(net, ..., clock="stepped")` would guess; weights and biases of Linear, Affine
        and convolutions learn.
    dataset : str or path-like, or (frames, labels)
        As in `saltus.datasets.frames`; or arrays: numbers of shape (samples, steps, channels, ...), with up
        to two axes of space, and a whole number for each sample.
    layers : str or sequence, optional
        In words, as in "conv 64 kernel=4x3; dense 128 recurrent; readout mean", or one entry a layer, each in
        words or as a dictionary: {"conv": 64, "kernel": [4, 3]}. Without it, of sound three convolutions, of
        others one dense layer.
    split, validation_split : str
        The part to learn from, and one that is held back to choose the best epoch, in place of `validation`.
    dt : float
        Seconds of a step.
    steps, binary, derivatives, task, left_out, shift, noise, drop, pixels, mask_steps, mask_bands
        As in `saltus.datasets.frames`. Arrays are taken as they are.
    encoding, slot, slots
        Images as spikes, as in `evaluate`.
    classes : sequence of str, optional
        Of arrays: the names of the labels 0, 1, ...; without it, those of `net`, or as many as occur.
    scaling : {"auto", "deviation", "none"}
        Divide each number of a step by its deviation over the samples; "auto": of sound only.
    balanced : bool
        Draw samples with replacement, all classes equally often.
    surrogate : str
        The derivative of a spike: a preset ("s2net", "norse", "snntorch.atan", ...) or a kind ("sigmoid",
        "atan", "triangle", ...).
    slope, peak : float, optional
        Of it; without them the preset's, or 1 of a kind.
    activity : float
        Weight of the spikes in the loss.
    truncate : int
        Errors go back to the last multiple of so many steps; 0: to the beginning.
    detach_reset : bool
        Leave the reset out of the gradient.
    recompute : bool
        Compute potentials again in place of keeping them.
    precision : {"float32", "float64"}
    optimizer : {"sgd", "adam", "adamw", "radam"}
    largest_norm, largest_element : float
        Longer gradients, and larger elements, are cut to this.
    averaging : float
        Hand out an exponential average of the parameters: 0.999 is one over about 1000 steps.
    schedule : {"constant", "step", "exponential", "cosine", "linear"}
        Of the learning rate: `gamma` and `period` belong to "step" and "exponential", `last_rate` is the
        factor at the end of "cosine" and "linear"; it rises over `warmup` epochs.
    validation : float or (frames, labels)
        Share (below 1) or number of samples held back, drawn by `seed`, to choose the best epoch; or arrays
        that are.
    patience, keep_best, shuffle, threads, checkpoint, checkpoint_every, resume, progress, on_epoch
        As in `s4nn`. A checkpoint of other layers, another surrogate or other options is refused.

    Returns
    -------
    Training
        `evaluate` takes its network; `save` writes it.

    Raises
    ------
    FileError
        The data set or the checkpoint cannot be read.
    UsageError
        An argument is out of its range, or things do not fit together.
    LimitError
        What of a network of neurons does not learn: several nodes with weights between two populations,
        delays of single synapses, neurons whose steps are not linear between two thresholds.
    KeyboardInterrupt
        As in `s4nn`.

    Examples
    --------
    >>> frames = saltus.datasets.frames("yin-yang", "train", dt=0.001, steps=32)
    >>> result = saltus.train.surrogate(
    ...     None, (frames.batch(), frames.labels), dt=0.001, layers="dense 20; readout mean", epochs=2
    ... )
    >>> [entry["epoch"] for entry in result.log]
    [1, 2]
    """
    arguments = dict(locals())
    if isinstance(layers, str):
        arguments.update(layers=None, words=layers)
    else:
        layer_list = None if layers is None else json.dumps(list(layers), default=operator.index)
        arguments.update(layers=layer_list, words=None)
    document = reading = None
    if net is not None:
        if not isinstance(net, Network):
            raise TypeError(f"net: expected a saltus.Network or None, found {type(net).__name__}.")
        document = net._as_document()
        reading = _saltus.Reading(**{**net._reading, "clock": "stepped"})
    whole_number("truncate", truncate, 0, (1 << 32) - 1)
    path = samples = held_back = None
    if isinstance(dataset, tuple):
        for name in _OF_FILES:
            if arguments[name] != _DEFAULTS[name]:
                raise UsageError(f"{name}: arrays are learnt as they are. Leave it out.")
        learnt = None if document is None else _saltus.learnt_in_steps(document)
        if classes is None and learnt is not None:
            classes = learnt["classes"]
        samples = datasets.stored("dataset", dataset, dt=dt, classes=classes)
        if isinstance(validation, tuple):
            held_back = datasets.stored("validation", validation, dt=dt, classes=samples.classes)
    else:
        path = _path(dataset)
        if classes is not None:
            raise UsageError("classes: a data set names its own. Leave it out.")
        if isinstance(validation, tuple):
            raise UsageError("validation: expected a number, or, with arrays to learn from, arrays.")
    if isinstance(validation, tuple):
        arguments["validation"] = 0.0
    arguments["frames"] = datasets.frame_options(
        **{name: arguments[name] for name in ("dt", "seed", "threads")},
        **{
            name: arguments[name]
            for name in _OF_FILES
            if name not in ("split", "validation_split", "encoding", "slot", "slots")
        },
    )
    arguments["validation_split"] = validation_split or ""
    for name in ("slope", "peak"):
        arguments[name] = None if arguments[name] is None else float(arguments[name])
    _check(net, arguments, checkpoint, resume)
    for name in ("net", "dataset", "classes", "checkpoint", "resume", "progress", "on_epoch"):
        del arguments[name]
    return _train(
        lambda *callbacks: _saltus.train_surrogate(
            document, reading, path, samples, held_back, arguments, *callbacks
        ),
        epochs,
        checkpoint,
        resume,
        progress,
        on_epoch,
        None if net is None else net._reading,
    )


_DEFAULTS = surrogate.__kwdefaults__


def _check(net: Any, arguments: dict[str, Any], checkpoint: Any, resume: bool) -> None:
    """What trainings have in common; numbers become floats where the compiled module takes those."""
    if net is not None and not isinstance(net, Network):
        raise TypeError(f"net: expected a saltus.Network or None, found {type(net).__name__}.")
    smallest = {"epochs": 1, "batch": 1, "threads": 1, "slots": 1, "patience": 0, "seed": 0}
    for name, least in smallest.items():
        whole_number(name, arguments[name], least)
    if resume and checkpoint is None:
        raise UsageError("resume: from which file? Name it: checkpoint=...")
    for name in _FLOATS:
        if name not in arguments:
            continue
        if isinstance(arguments[name], bool) or not isinstance(arguments[name], int | float):
            raise TypeError(f"{name}: expected a number, found {arguments[name]!r:.80}.")
        arguments[name] = float(arguments[name])


def _train(
    run: Callable[..., dict[str, Any]],
    epochs: int,
    checkpoint: "str | os.PathLike[str] | None",
    resume: bool,
    progress: Any,
    on_epoch: Callable[[dict[str, Any]], Any] | None,
    reading: dict[str, Any] | None = None,
) -> Training:
    """The training that `run` makes, given a checkpoint, whether to resume, and two callbacks."""
    report = reporter(
        progress,
        lambda epoch, loss, right, speed, left: (
            f"epoch {epoch} of {epochs}, loss {loss:.4g}, right {100 * right:.2f} %, {speed:.0f} samples/s"
        ),
    )
    try:
        made = run("" if checkpoint is None else os.fspath(checkpoint), resume, report, on_epoch)
    finally:
        if isinstance(report, Bar):
            report.close()
    error = made.pop("error")
    document = made.pop("document")
    network = Network._of(document, "trained", reading or _reading(None, None, None, None, None, 0.0))
    result = Training(network=network, **made)
    if error is not None:
        error.partial = result
        try:
            raise error
        finally:
            del error  # the frame in its traceback would keep it, and the result, until the next collection
    return result
