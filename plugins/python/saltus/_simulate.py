"""Running networks."""

import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from saltus import _saltus
from saltus._network import Network
from saltus._progress import Bar, reporter
from saltus._result import ByName, Result, step_ticks
from saltus._saltus import SpikeTrain
from saltus._spikes import is_pair, train_from
from saltus.errors import InputError, LimitError, UsageError

_CLOCKS = ("exact", "stepped", "integer")
_RECORDS = ("spikes", "potentials")


def _counts(name: str, raster: Any) -> Any:
    """The raster as an array of whole numbers, checked."""
    import numpy as np

    counts = np.asarray(raster)
    if counts.dtype.kind not in "biuf":
        raise TypeError(f"spikes for {name!r}: expected numbers, found {counts.dtype}.")
    wrong = (
        ~(np.isfinite(counts) & (counts >= 0) & (counts == np.trunc(counts)))
        if counts.dtype.kind == "f"
        else counts < 0
    )
    if wrong.any():
        step, *neuron = (int(i) for i in np.argwhere(wrong)[0])
        raise InputError(
            f"spikes for {name!r}: step {step}, neuron {tuple(neuron)}: expected a whole number of spikes, "
            f"found {counts[(step, *neuron)]}. The exact clock has no spikes of other amplitudes.",
            name,
        )
    return counts.astype(np.int64)


def _train_from_raster(name: str, raster: Any, shape: tuple[int, ...] | None, dt: float | None) -> SpikeTrain:
    import numpy as np

    if dt is None:
        raise UsageError(f"spikes for {name!r}: a raster needs the length of its steps: dt=... in seconds.")
    counts = _shape_of(name, _counts(name, raster), shape)
    flat = counts.reshape(len(counts), -1)
    steps, neurons = np.nonzero(flat)
    repeats = flat[steps, neurons]
    return SpikeTrain.from_ticks(np.repeat(steps, repeats) * step_ticks(dt), np.repeat(neurons, repeats))


def _train(name: str, value: Any, shape: tuple[int, ...] | None, dt: float | None) -> SpikeTrain:
    if _is_raster(value):
        return _train_from_raster(name, value, shape, dt)
    return train_from(name, value)


def _shape_of(name: str, raster: Any, shape: tuple[int, ...] | None) -> Any:
    """The raster as an array, with one axis of steps and those of the input, or one of its neurons."""
    import numpy as np

    array = np.asarray(raster)
    if shape is not None and array.shape[1:] not in (shape, (int(np.prod(shape, dtype=np.int64)),)):
        raise InputError(
            f"spikes for {name!r}: expected a raster of shape (steps, {', '.join(map(str, shape))}), found "
            f"{array.shape}.",
            name,
        )
    return array


def _is_raster(value: Any) -> bool:
    return not isinstance(value, SpikeTrain) and getattr(value, "ndim", 0) >= 2


def _signal(name: str, value: Any, shape: tuple[int, ...] | None) -> Any:
    """What the stepped clock takes: a train, or an array (steps, neurons) of amplitudes."""
    import numpy as np

    if not _is_raster(value):
        return train_from(name, value)
    array = _shape_of(name, value, shape)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"spikes for {name!r}: expected numbers, found {array.dtype}.")
    kind = np.float32 if array.dtype in (bool, np.uint8, np.int8, np.float32) else np.float64
    return np.ascontiguousarray(array.reshape(len(array), -1), kind)


def _check_clock(clock: str) -> None:
    if not isinstance(clock, str):
        raise TypeError(f"clock: expected a str, found {type(clock).__name__}.")
    if clock not in _CLOCKS:
        raise UsageError(f"clock: expected one of {', '.join(map(repr, _CLOCKS))}, found {clock!r}.")
    if clock == "integer":
        raise LimitError(f"clock {clock!r}: not built yet. Built are 'exact' and 'stepped'.")


def _records(record: str | Iterable[str]) -> set[str]:
    names = (record,) if isinstance(record, str) else tuple(record)
    for name in names:
        if name not in _RECORDS:
            raise UsageError(f"record: expected 'spikes' or 'potentials', found {name!r}.")
    return set(names)


def whole_number(name: str, value: Any, smallest: int, largest: int | None = None) -> None:
    """Check an optional whole number."""
    if value is None:
        return
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name}: expected a whole number, found {value!r:.80}.")
    if value < smallest:
        raise UsageError(f"{name}: expected at least {smallest}, found {value}.")
    if largest is not None and value > largest:
        raise UsageError(f"{name}: expected at most {largest}, found {value}.")


def _check_checkpoint(checkpoint: Any, every: Any, resume: Any) -> None:
    if checkpoint is not None:
        os.fspath(checkpoint)
    elif resume:
        raise UsageError("resume: from which file? Name it: checkpoint=...")
    if isinstance(every, bool) or not isinstance(every, int | float):
        raise TypeError(f"checkpoint_every: expected a number of seconds, found {every!r:.80}.")
    if not every > 0:
        raise UsageError(f"checkpoint_every: expected > 0, found {every}.")
    if not isinstance(resume, bool):
        raise TypeError(f"resume: expected True or False, found {resume!r:.80}.")


def _run_steps(
    built: _saltus.BuiltNetwork,
    samples: list[Mapping[str, Any]],
    duration: float | None,
    records: set[str],
    threads: int,
    report: Any,
) -> list[Result]:
    shapes = {name: shape for name, shape, _ in built.populations}
    dt = step_ticks(built.dt)
    signals = [
        {name: _signal(name, value, shapes.get(name)) for name, value in inputs.items()} for inputs in samples
    ]
    if duration is None:
        lengths = [len(value) for inputs in signals for value in inputs.values() if _is_raster(value)]
        if not lengths:
            raise UsageError("duration: none given, and only a raster has a length of its own.")
        steps = max(lengths)
    else:
        steps = _saltus.steps_covering(duration, built.dt)
    runs, error = _saltus.run_steps(
        built, signals, steps, "spikes" in records, "potentials" in records, threads, report
    )
    results = []
    for run in runs:
        for key in ("spikes", "potentials", "final_potentials"):
            run[key] = ByName(run[key])
        results.append(
            Result(
                **run, duration=steps * dt / 1e15, outputs=built.outputs, notes=built.notes, _shapes=shapes
            )
        )
    if error is not None:
        error.partial = results
        raise error
    return results


def _duration(duration: float | None, inputs: Mapping[str, Any], dt: float | None) -> float:
    if duration is not None:
        return duration
    steps = [
        len(value) for value in inputs.values() if not isinstance(value, SpikeTrain) and not is_pair(value)
    ]
    if not steps or dt is None:
        raise UsageError("duration: none given, and only a raster, with dt, has a length of its own.")
    return max(steps) * step_ticks(dt) / 1e15


def simulate(
    net: Network,
    inputs: Mapping[str, Any] | list[Mapping[str, Any]],
    duration: float | None = None,
    *,
    clock: str = "exact",
    convention: str | None = None,
    dt: float | None = None,
    recurrent_delay: float | None = None,
    threads: int | None = None,
    record: str | Iterable[str] = ("spikes",),
    seed: int | None = None,
    time_unit: str | None = None,
    spike_area: str | None = None,
    reset: str | None = None,
    t_ref: float | None = None,
    until_first_spike_of: str | None = None,
    checkpoint: "str | os.PathLike[str] | None" = None,
    checkpoint_every: float = 60.0,
    resume: bool = False,
    progress: bool | Callable[[float, float, int], Any] | None = None,
) -> Result | list[Result]:
    """Run a network.

    Parameters
    ----------
    net : Network
    inputs : dict of str to spikes
        Spikes of input populations: a pair (times, neurons) of arrays, in seconds and indices; a
        `SpikeTrain`; or a raster, an array of shape (steps, *shape of the input) whose number in step k is
        that many spikes at k dt, or any amplitude for the stepped clock. Inputs that are not named stay
        silent. The stepped clock also takes a list of such dictionaries, samples that are runs of their own,
        and gives a list of results.
    duration : float, optional
        Seconds: the run covers 0 <= t <= duration, the stepped clock as many steps as that takes. Without it,
        as long as the longest raster.
    clock : {"exact", "stepped", "integer"}
        "exact" goes from event to event; "stepped" does what the tool of the convention does, step by step.
        "integer" is not built yet.
    convention, time_unit, spike_area, reset, t_ref
        What the numbers of the network's file mean, see `load`; None: as said there. Of the stepped clock,
        `convention` may also be the name of a JSON file; if nobody says one, it is guessed from the file.
    dt : float, optional
        Seconds: the step of rasters, of recorded potentials, and of conventions that have one; None: as said
        in `load`. The step of the stepped clock; None: that of the convention.
    recurrent_delay : float, optional
        Seconds: delay that is put into cycles that have none and cannot run otherwise.
    threads : int, optional
        Threads of the run, 1 to 1024; None: 1. The stepped clock spreads samples over them. Results do not
        depend on it.
    record : iterable of {"spikes", "potentials"}
        Potentials are recorded at 0, dt, 2 dt, ..., by the stepped clock after each step. Nothing is recorded
        with ().
    seed : int, optional
        The exact clock draws no random numbers; results do not depend on it.
    until_first_spike_of : str, optional
        End the run with the instant of the first spike of this population: a network that decides by who is
        first need not go on.
    checkpoint : str or path-like, optional
        A file from which the run can go on if it is ended: written every `checkpoint_every` seconds of wall
        clock and when it is interrupted, removed when it is done. Not with potentials.
    checkpoint_every : float
    resume : bool
        Go on from `checkpoint` if that file is there, else begin at 0; the same network, inputs, duration and
        record, with any number of threads.
    progress : bool or callable, optional
        True: a bar on standard error, if that is a terminal. A callable is given the fraction done, the time
        reached in seconds, and the spikes of all neurons so far, at most 20 times a second and once at the
        end.

    Returns
    -------
    Result

    Raises
    ------
    FileError
        The checkpoint cannot be written, is damaged, or of another network or run.
    InputError
        Spikes for no input of the network, for neurons that do not exist, before 0 or after the end; NaN
        times; columns of different lengths; a raster of another shape, or with numbers that are not whole.
    NetworkError
        The network cannot run on this clock, for example because a cycle has no delay.
    UsageError
        An unknown name, or a number out of its range.
    LimitError
        What is not built yet, a duration beyond 9223 s, or recordings beyond all memory.
    KeyboardInterrupt
        Ctrl-C. This exception, and one that `progress` raises, has an attribute `partial`: the Result of what
        was recorded until then.

    Examples
    --------
    >>> import numpy as np
    >>> net = saltus.load("two_lif_neurons.nir", spike_area="jump")
    >>> out = saltus.simulate(net, {}, duration=0.02)  # lif1 rests above its threshold: 10 ms ln 6
    >>> out.spikes["lif1"].times
    array([0.01791759])
    >>> out = saltus.simulate(net, {"in": ([0.001, 0.002], [0, 0])}, duration=0.005)
    >>> out.spikes["lif1"].ticks
    array([1000000000000, 2000000000000])
    >>> out = saltus.simulate(net, {"in": np.array([[0], [1], [1]])}, dt=1e-3)  # as a raster
    >>> out.raster("lif1", dt=1e-3).ravel()
    array([0, 1, 1])
    >>> net = saltus.load("two_lif_neurons.nir")
    >>> raster = np.array([[0.5], [0.0], [0.0]])
    >>> out = saltus.simulate(net, {"in": raster}, clock="stepped", convention="norse", dt=1e-3,
    ...                       record=("potentials",))
    >>> out.potentials["lif2"].shape
    (3, 1)
    """
    if not isinstance(net, Network):
        raise TypeError(f"net: expected a saltus.Network, found {type(net).__name__}.")
    _check_clock(clock)
    is_batch = clock == "stepped" and isinstance(inputs, list) and all(isinstance(x, Mapping) for x in inputs)
    if not isinstance(inputs, Mapping) and not is_batch:
        raise TypeError(f"inputs: expected a dictionary of spikes by input, found {type(inputs).__name__}.")
    whole_number("threads", threads, 1, 1024)
    whole_number("seed", seed, 0)
    records = _records(record)
    _check_checkpoint(checkpoint, checkpoint_every, resume)
    report = reporter(progress, lambda t, spikes: f"{t:.6g} s, {spikes} spikes")

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
    if clock == "stepped":
        if until_first_spike_of is not None:
            raise LimitError("until_first_spike_of: the stepped clock runs all its steps.")
        if checkpoint is not None:
            raise LimitError("checkpoint: the stepped clock writes none; only the exact clock does.")
        try:
            results = _run_steps(
                built, inputs if is_batch else [inputs], duration, records, threads or 1, report
            )
        finally:
            if isinstance(report, Bar):
                report.close()
        return results if is_batch else results[0]
    step = net._reading["dt"] if dt is None else dt
    if "potentials" in records and step is None:
        raise UsageError("record: potentials need the distance of their instants: dt=... in seconds.")
    shapes = {name: shape for name, shape, _ in built.populations}
    trains = {name: _train(name, value, shapes.get(name), step) for name, value in inputs.items()}
    duration = _duration(duration, inputs, step)

    potential_step = step if "potentials" in records else 0.0
    try:
        run = _saltus.run(
            built,
            trains,
            duration,
            "spikes" in records,
            potential_step,
            until_first_spike_of,
            threads or 1,
            checkpoint,
            checkpoint_every,
            resume,
            report,
        )
        error = run.pop("error")
        for key in ("spikes", "potentials", "final_potentials"):
            run[key] = ByName(run[key])
        result = Result(
            **run, duration=float(duration), outputs=built.outputs, notes=built.notes, _shapes=shapes
        )
        if error is not None:
            error.partial = result
            try:
                raise error
            finally:
                del (
                    error
                )  # the frame in its traceback would keep it, and the result, until the next collection
        if report is not None:
            report(1.0, result.end, sum(len(train) for train in result.spikes.values()))
    finally:
        if isinstance(report, Bar):
            report.close()
    return result
