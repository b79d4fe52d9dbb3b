"""Training networks on data sets.

>>> options = {"hidden": (30,), "threshold": 1.0, "slots": 64, "batch": 32, "optimizer": "adam", "epochs": 2}
>>> result = saltus.train.s4nn(None, "yin-yang", **options)
>>> result.network.outputs
{'output_2': 'output'}
"""

import dataclasses
import os
from collections.abc import Callable, Sequence
from typing import Any

from saltus import _saltus
from saltus._network import Network, _path, _reading
from saltus._progress import Bar, reporter
from saltus._simulate import whole_number
from saltus.errors import UsageError

__all__ = ["Training", "s4nn"]

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
    """

    network: Network
    log: list[dict[str, Any]]
    best_epoch: int | None
    stopped_early: bool
    interrupted: bool

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
    if net is not None and not isinstance(net, Network):
        raise TypeError(f"net: expected a saltus.Network or None, found {type(net).__name__}.")
    for name, value in (("epochs", epochs), ("batch", batch), ("threads", threads), ("slots", slots)):
        whole_number(name, value, 1)
    whole_number("patience", patience, 0)
    whole_number("seed", seed, 0)
    whole_number("shift", shift, 0)
    if resume and checkpoint is None:
        raise UsageError("resume: from which file? Name it: checkpoint=...")
    for name in ("net", "dataset", "split", "checkpoint", "resume", "progress", "on_epoch"):
        del arguments[name]
    arguments["hidden"] = [str(layer) for layer in hidden]
    arguments["dropout"] = [float(x) for x in dropout]
    arguments["initial"] = [float(x) for x in initial]
    for name in _FLOATS:
        if isinstance(arguments[name], bool) or not isinstance(arguments[name], int | float):
            raise TypeError(f"{name}: expected a number, found {arguments[name]!r:.80}.")
        arguments[name] = float(arguments[name])
    report = reporter(
        progress,
        lambda epoch, loss, right, speed, left: (
            f"epoch {epoch} of {epochs}, loss {loss:.4g}, right {100 * right:.2f} %, {speed:.0f} samples/s"
        ),
    )
    built = None if net is None else net._build()
    try:
        run = _saltus.train_s4nn(
            built,
            _path(dataset),
            split,
            arguments,
            "" if checkpoint is None else os.fspath(checkpoint),
            resume,
            report,
            on_epoch,
        )
    finally:
        if isinstance(report, Bar):
            report.close()
    error = run.pop("error")
    document = run.pop("document")
    network = Network._of(document, "trained", _reading(None, None, None, None, None, 0.0))
    result = Training(network=network, **run)
    if error is not None:
        error.partial = result
        try:
            raise error
        finally:
            del error  # the frame in its traceback would keep it, and the result, until the next collection
    return result
