"""What a run gives back."""

import dataclasses
import html
from typing import TYPE_CHECKING, Any

from saltus import _saltus
from saltus._saltus import SpikeTrain
from saltus.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class ByName(dict):
    """A dictionary that answers an unknown name with the names that it has."""

    def __missing__(self, name: Any):
        raise KeyError(f"{name!r} is not recorded; recorded are: {', '.join(map(repr, self)) or 'none'}")


def step_ticks(dt: float) -> int:
    """Length of a step in whole femtoseconds."""
    ticks = _saltus.ticks_of(dt, "dt")
    if ticks <= 0:
        raise UsageError(f"dt: expected > 0, found {dt}.")
    return ticks


@dataclasses.dataclass(frozen=True, repr=False, eq=False)
class Result:
    """Spikes and recordings of one run.

    Attributes
    ----------
    duration : float
        Seconds asked for.
    end : float
        The instant, in seconds, up to which everything was simulated: `duration`, unless the run was
        interrupted.
    spikes : dict of str to SpikeTrain
        Of every population of neurons that spike, if "spikes" were recorded.
    potentials : dict of str to ndarray, shape (steps, *shape of the population)
        Of every population of neurons at `potential_times`, if "potentials" were recorded. A value is the
        potential after everything that happens at its instant.
    potential_times : ndarray, shape (steps,), or None
        Seconds: 0, dt, 2 dt, ... up to the duration.
    final_potentials : dict of str to ndarray, shape of the population
        Of every population that does not spike, at `end`.
    outputs : dict of str to str
        Output ports of the network: the name of each, and the population that it shows.
    spike_counts : dict of str to int
        Spikes of each population, recorded or not, inputs included.
    synaptic_events : int
        Deliveries of one spike over one synapse.
    windows : int
        Pieces of time that were computed without exchanging spikes.
    threads : int
        Threads that computed the run.
    resumed_at : float or None
        The instant, in seconds, of the checkpoint from which the run went on; None: it began at 0.
    build_s : float
        Wall seconds that preparing the network took; next to nothing where an earlier run has prepared it.
    sim_s : float
        Wall seconds of the run alone.
    interrupted : bool
        The run was stopped before its end. True only in the `partial` of an exception, see `simulate`.
    notes : list of str
        What was repaired or guessed in reading the network.
    fingerprint : int
        64-bit digest of every recorded spike: equal runs have equal fingerprints.
    """

    duration: float
    end: float
    spikes: dict[str, SpikeTrain]
    potentials: dict[str, "npt.NDArray[np.float64]"]
    potential_times: "npt.NDArray[np.float64] | None"
    final_potentials: dict[str, "npt.NDArray[np.float64]"]
    outputs: dict[str, str]
    spike_counts: dict[str, int]
    synaptic_events: int
    windows: int
    threads: int
    resumed_at: float | None
    build_s: float
    sim_s: float
    interrupted: bool
    notes: list[str]
    fingerprint: int
    _shapes: dict[str, tuple[int, ...]]

    def raster(self, name: str, dt: float) -> "npt.NDArray[np.int64]":
        """Count the spikes of a population step by step.

        Parameters
        ----------
        name : str
            A population whose spikes were recorded.
        dt : float
            Length of a step in seconds. Step k covers k dt <= t < (k + 1) dt; the last one includes its end.

        Returns
        -------
        ndarray of int, shape (steps, *shape of the population)
            As many steps as cover the duration.

        Raises
        ------
        KeyError
            No spikes of that population were recorded.
        UsageError
            dt is not above 0.

        Examples
        --------
        >>> net = saltus.load("two_lif_neurons.nir", spike_area="jump")
        >>> out = saltus.simulate(net, {"in": ([0.001, 0.003], [0, 0])}, duration=0.005)
        >>> out.raster("lif1", dt=1e-3).ravel()
        array([0, 1, 0, 1, 0])
        """
        import numpy as np

        train, shape, step = self.spikes[name], self._shapes[name], step_ticks(dt)
        steps = max(1, -(-_saltus.ticks_of(self.duration, "duration") // step))
        size = int(np.prod(shape, dtype=np.int64))
        index = np.minimum(train.ticks // step, steps - 1) * size + train.neurons
        return np.bincount(index, minlength=steps * size).reshape(steps, *shape)

    def __repr__(self) -> str:
        counts = ", ".join(f"{name} {count}" for name, count in self.spike_counts.items())
        stopped = f", interrupted at {self.end:g} s" if self.interrupted else ""
        events = f"{self.synaptic_events} synaptic events"
        return f"Result of {self.duration:g} s{stopped}; spikes: {counts}; {events}"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{count}</td></tr>"
            for name, count in self.spike_counts.items()
        )
        return (
            f"<table><caption>{self.duration:g} s, {self.synaptic_events} synaptic events</caption>"
            f"<thead><tr><th>population</th><th>spikes</th></tr></thead><tbody>{rows}</tbody></table>"
        )
