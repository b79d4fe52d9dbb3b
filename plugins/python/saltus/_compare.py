"""One network under several clocks and conventions, and what its file tells about them."""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from saltus import _saltus
from saltus._evaluate import Evaluation, evaluate
from saltus._network import Network
from saltus._result import Result, step_ticks
from saltus._simulate import _is_raster, simulate
from saltus.errors import Error, LimitError, NetworkError, UsageError

_MOST_POTENTIALS = 50_000_000  # of one run: 400 MB


class ToolReading(NamedTuple):
    """A tool: its `convention`, its step `dt` in seconds, and its `refusal`, None where it runs the file."""

    convention: str
    dt: float
    refusal: str | None


@dataclasses.dataclass(frozen=True)
class Inspection:
    """What the file of a network tells.

    Attributes
    ----------
    convention : str
        The tool that the file seems to come from.
    dt : float
        Seconds: the step that goes with it.
    reason : str
        What in the file says so.
    also : list of str
        Other conventions under which the file makes sense.
    told : bool
        The file's own metadata name the convention: nothing was guessed.
    tools : list of ToolReading
        Every tool that steps: its step, and why it cannot run the file.
    traps : list of str
        Where clocks and tools part, one sentence each.
    refusal : str or None
        Why the exact clock does not run the network as it is meant now; None: it does.
    notes : list of str
        What was tolerated, repaired or guessed while reading.
    """

    convention: str
    dt: float
    reason: str
    also: list[str]
    told: bool
    tools: list[ToolReading]
    traps: list[str]
    refusal: str | None
    notes: list[str]


class FirstDifference(NamedTuple):
    """The first spike that one run has and another has not.

    `time` in seconds, `neuron`, `only_in` which run; the potentials of both then, None where there are none.
    """

    time: float
    neuron: int
    only_in: str
    potential_of_first: float | None
    potential: float | None


class PopulationComparison(NamedTuple):
    """One population of one run beside the same of the first run.

    `population`, `run`; `spikes` and `rate` (spikes a neuron and second) of the run; how many spikes are the
    `same`, `only_in_first`, `only_here`; the squared `van_rossum` distance and that of `victor_purpura`,
    means over the neurons; the `first_difference`, None where there is none.
    """

    population: str
    run: str
    spikes: int
    rate: float
    same: int
    only_in_first: int
    only_here: int
    van_rossum: float
    victor_purpura: float | None
    first_difference: FirstDifference | None


class DecisionComparison(NamedTuple):
    """What one run makes of a data set.

    `run`; its `samples`, how many of them it decides as their label says (`correct`), and how many as the
    first run does (`as_first`).
    """

    run: str
    samples: int
    correct: int
    as_first: int


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Runs of one network, each held against the first.

    Attributes
    ----------
    results : dict of str to Result
        What each run gave on `inputs`; empty without.
    populations : list of PopulationComparison
        By population, then by run, from the second on.
    evaluations : dict of str to Evaluation
        What each run made of the data set; empty without.
    decisions : list of DecisionComparison
        By run, from the first on.
    """

    results: dict[str, Result]
    populations: list[PopulationComparison]
    evaluations: dict[str, Evaluation] = dataclasses.field(default_factory=dict)
    decisions: list[DecisionComparison] = dataclasses.field(default_factory=list)


def inspect(net: Network) -> Inspection:
    """Tell which tool a network's file comes from, who can run it, and where they part.

    Parameters
    ----------
    net : Network

    Examples
    --------
    >>> found = saltus.inspect(saltus.load("two_lif_neurons.nir"))
    >>> found.convention
    'norse'
    """
    if not isinstance(net, Network):
        raise TypeError(f"net: expected a saltus.Network, found {type(net).__name__}.")
    found = _saltus.inspect(net._as_document())
    found["tools"] = [ToolReading(*entry) for entry in found["tools"]]
    try:
        built = net._build()
        refusal, notes = _saltus.refusal_by_exact_clock(built), built.notes
    except Error as error:
        refusal, notes = str(error), []
    return Inspection(**found, refusal=refusal, notes=notes)


class _Run(NamedTuple):
    name: str
    steps: bool
    ticks: int  # of a step; of the exact clock, between two potentials
    result: Result

    def potential(self, population: str, neuron: int, ticks: int) -> float | None:
        values = self.result.potentials.get(population)
        step = ticks // self.ticks
        if values is None or step >= len(values):
            return None
        return float(values.reshape(len(values), -1)[step, neuron])


def _clock_of(name: str, choices: dict[str, Any]) -> str:
    """Clock of a run; `choices` receive its convention and lose what the clock does not take."""
    clock, _, convention = name.partition(":")
    if clock not in ("exact", "stepped"):
        raise UsageError(
            "runs: expected 'exact' or 'stepped', then a convention if wanted, as in 'stepped:norse', found "
            f"{name!r}."
        )
    choices["convention"] = convention or None
    if clock == "stepped":
        choices["spike_area"] = None
    return clock


def _run(name: str, net: Network, inputs: Mapping[str, Any], duration: float | None, **choices: Any) -> _Run:
    clock = _clock_of(name, choices)
    if clock == "exact" and choices["dt"] is None and not any(_is_raster(value) for value in inputs.values()):
        convention = choices["convention"] or net._reading["convention"]
        choices["dt"] = net._reading["dt"] or _saltus.usual_step(convention)
    meaning = {key: value for key, value in choices.items() if key != "threads"}
    try:
        built = net._build(clock=clock, **meaning)
        dt = built.dt if clock == "stepped" else choices["dt"] or net._reading["dt"]
        steps = max((len(value) for value in inputs.values() if _is_raster(value)), default=0)
        if duration is not None and dt is not None:
            steps = duration / dt
        neurons = sum(_size(shape) for _, shape, _ in built.populations)
        record = ("spikes", "potentials") if steps * neurons < _MOST_POTENTIALS else ("spikes",)
        result = simulate(net, inputs, duration, clock=clock, record=record, **choices)
    except (NetworkError, LimitError) as error:
        raise LimitError(f"{name}: {error}") from error
    return _Run(name, clock == "stepped", step_ticks(dt), result)


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for n in shape:
        size *= n
    return size


def _population(name: str, size: int, first: _Run, run: _Run, tolerance: int, tau: float):
    found = _saltus.compare_trains(first.result.spikes[name], run.result.spikes[name], size, tolerance, tau)
    difference = found.pop("first")
    if difference is not None:
        ticks, neuron, in_first = difference
        difference = FirstDifference(
            ticks / 1e15,
            neuron,
            first.name if in_first else run.name,
            first.potential(name, neuron, ticks),
            run.potential(name, neuron, ticks),
        )
    spikes = run.result.spike_counts[name]
    seconds = run.result.duration
    rate = spikes / size / seconds if seconds > 0 else 0.0
    return PopulationComparison(name, run.name, spikes, rate, **found, first_difference=difference)


def _evaluation(name: str, net: Network, dataset: "str | os.PathLike[str]", **choices: Any) -> Evaluation:
    clock = _clock_of(name, choices)
    try:
        # The stepped clock runs every sample to its end, so all decide by what there is then.
        return evaluate(net, dataset, clock=clock, decide="most", **choices)
    except (NetworkError, LimitError) as error:
        raise LimitError(f"{name}: {error}") from error


def compare(
    net: Network,
    inputs: Mapping[str, Any] | None = None,
    duration: float | None = None,
    *,
    runs: Sequence[str] = ("exact", "stepped"),
    dataset: "str | os.PathLike[str] | None" = None,
    split: str | None = None,
    output: str | None = None,
    tolerance: float | None = None,
    tau: float = 10e-3,
    dt: float | None = None,
    recurrent_delay: float | None = None,
    time_unit: str | None = None,
    spike_area: str | None = None,
    reset: str | None = None,
    t_ref: float | None = None,
    threads: int | None = None,
) -> Comparison:
    """Run a network on one input, or on a data set, under several clocks and conventions: where do they part?

    Parameters
    ----------
    net : Network
    inputs, duration, dt, recurrent_delay, time_unit, spike_area, reset, t_ref, threads
        As in `simulate`. The exact clock needs dt for a raster.
    dataset, split, output
        As in `evaluate`, beside `inputs` or in their place. The most spikes decide, or the largest potential;
        `duration` is then that of a sample.
    runs : sequence of str
        At least two: "exact", "exact:norse", "stepped:norse", "stepped:my.json"; "stepped" for the convention
        that the file suggests. All are held against the first.
    tolerance : float, optional
        Seconds: spikes so far apart are the same. Without it, 0 for two runs on one grid of steps, else the
        longer of their steps.
    tau : float
        Seconds: time constant of van Rossum's distance, and the shift at which moving a spike costs 1 in
        Victor and Purpura's.

    Returns
    -------
    Comparison

    Raises
    ------
    UsageError
        Fewer than two runs, or one that is not known; neither inputs nor a data set.
    FileError
        As `evaluate`.
    LimitError
        A run that its tool or clock cannot do.
    InputError
        As `simulate`.

    Examples
    --------
    >>> net = saltus.load("two_lif_neurons.nir")
    >>> spikes = {"in": ([0.001, 0.002], [0, 0])}
    >>> both = saltus.compare(net, spikes, 0.01, runs=["stepped:norse", "exact:norse"])
    >>> [(entry.population, entry.run) for entry in both.populations]
    [('lif1', 'exact:norse'), ('lif2', 'exact:norse')]
    """
    if not isinstance(net, Network):
        raise TypeError(f"net: expected a saltus.Network, found {type(net).__name__}.")
    names = [runs] if isinstance(runs, str) else list(runs)
    if len(names) < 2 or len(set(names)) < len(names):
        raise UsageError(f"runs: expected at least two that differ, found {names!r:.80}.")
    if inputs is None and dataset is None:
        raise UsageError("expected inputs or a dataset to run the network on, found neither.")
    if dataset is None and (split is not None or output is not None):
        raise UsageError("split and output belong to a dataset, and none was given.")
    choices = {
        "dt": dt,
        "recurrent_delay": recurrent_delay,
        "time_unit": time_unit,
        "spike_area": spike_area,
        "reset": reset,
        "t_ref": t_ref,
        "threads": threads,
    }
    results, populations = {}, []
    if inputs is not None:
        all_runs = [_run(name, net, inputs, duration, **choices) for name in names]
        results = {run.name: run.result for run in all_runs}
        populations = _populations(all_runs, net, inputs, tolerance, tau)
    evaluations, decisions = {}, []
    if dataset is not None:
        choices.update(split=split, output=output, duration=duration)
        evaluations = {name: _evaluation(name, net, dataset, **choices) for name in names}
        decided = [[decision.decided for decision in e.decisions] for e in evaluations.values()]
        decisions = [
            DecisionComparison(name, e.samples, e.correct, sum(map(int.__eq__, decided[0], own)))
            for (name, e), own in zip(evaluations.items(), decided, strict=True)
        ]
    return Comparison(results, populations, evaluations, decisions)


def _populations(
    runs: list[_Run], net: Network, inputs: Mapping[str, Any], tolerance: float | None, tau: float
) -> list[PopulationComparison]:
    first, *others = runs
    built = net._build(clock="stepped" if first.steps else "exact")
    sizes = {name: _size(shape) for name, shape, _ in built.populations}
    populations = []
    for name in first.result.spikes:
        if name not in sizes or name in inputs:
            continue
        for run in others:
            if name not in run.result.spikes:
                continue
            if tolerance is not None:
                apart = _saltus.ticks_of(tolerance, "tolerance")
            elif first.steps and run.steps and first.ticks == run.ticks:
                apart = 0
            else:
                apart = max(first.ticks, run.ticks)
            populations.append(_population(name, sizes[name], first, run, apart, tau))
    return populations
