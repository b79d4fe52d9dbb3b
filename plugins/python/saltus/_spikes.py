"""Spike files."""

import copyreg
import os
from collections.abc import Mapping
from typing import Any

from saltus import _saltus
from saltus._network import _path
from saltus._result import Result
from saltus._saltus import SpikeTrain


def _from_ticks(ticks: Any, neurons: Any) -> SpikeTrain:
    return SpikeTrain.from_ticks(ticks, neurons)


copyreg.pickle(SpikeTrain, lambda train: (_from_ticks, (train.ticks, train.neurons)))


def is_pair(value: Any) -> bool:
    """Whether this can only be (times, neurons)."""
    return isinstance(value, tuple | list) and len(value) == 2


def train_from(name: str, value: Any) -> SpikeTrain:
    """The train of one population, in the order given."""
    if not isinstance(name, str):
        raise TypeError(f"expected the name of a population, found {name!r:.80}.")
    if isinstance(value, SpikeTrain):
        return value
    if is_pair(value):
        return _saltus.input_train(name, *value)
    raise TypeError(
        f"spikes for {name!r}: expected a pair (times, neurons) or a SpikeTrain (a simulation takes a raster "
        f"of shape (steps, neurons), too), found {type(value).__name__}."
    )


def read_spikes(path: "str | os.PathLike[str]") -> dict[str, SpikeTrain]:
    """Read a SONATA spike file.

    Parameters
    ----------
    path : str or path-like

    Returns
    -------
    dict of str to SpikeTrain
        By population; "" in the older layout, which has none.

    Raises
    ------
    FileError
        The file cannot be read, or what it holds is wrong.

    Examples
    --------
    >>> saltus.write_spikes("spikes.h5", {"input": ([0.001, 0.002], [0, 1])})
    >>> saltus.read_spikes("spikes.h5")
    {'input': SpikeTrain of 2 spikes}
    """
    return _saltus.read_spikes(_path(path))


def write_spikes(path: "str | os.PathLike[str]", spikes: Mapping[str, Any] | Result) -> None:
    """Write spikes to a SONATA file, exact femtoseconds beside the times in ms.

    Parameters
    ----------
    path : str or path-like
    spikes : dict of str to SpikeTrain or (times, neurons), or Result
        By population. Of a Result, the recorded potentials are written too, as a SONATA report.

    Raises
    ------
    InputError
        Times or neurons that are not possible.
    FileError
        The file cannot be written.

    Examples
    --------
    >>> net = saltus.load("two_lif_neurons.nir")
    >>> saltus.write_spikes("out.h5", saltus.simulate(net, {}, duration=0.1))
    """
    import numpy as np

    potentials = []
    if isinstance(spikes, Result):
        if spikes.potentials:
            ticks = np.array([_saltus.ticks_of(t, "time") for t in spikes.potential_times])
            potentials = [
                (name, ticks, values.reshape(len(ticks), -1)) for name, values in spikes.potentials.items()
            ]
        spikes = spikes.spikes
    if not isinstance(spikes, Mapping):
        raise TypeError(
            f"spikes: expected a dictionary of spikes by population, found {type(spikes).__name__}."
        )
    trains = {name: train_from(name, value) for name, value in spikes.items()}
    _saltus.write_spikes(_path(path), trains, potentials)
