"""Spike files."""

import copyreg
import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

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


class Samples(NamedTuple):
    """Recordings: the spikes of each sample by population, and the samples' labels, if the file has any."""

    spikes: list[dict[str, SpikeTrain]]
    labels: list[int] | None


def read_samples(
    path: "str | os.PathLike[str]",
    *,
    frame: tuple[int, int] = (34, 34),
    address_bytes: int | None = None,
    tick: float | None = None,
) -> Samples:
    """Read recordings: `.h5` (SONATA, SHD, packed camera), `.nirdata`, `.npz`, `.csv`, `.bin`, `.aedat`.

    Parameters
    ----------
    path : str or path-like
    frame : (int, int)
        Width and height of the camera that wrote a `.bin` file; a pixel is the neuron
        `(polarity * height + y) * width + x`.
    address_bytes : {2, 4}, optional
        Of an `.aedat` file without header; a neuron is the address.
    tick : float, optional
        Unit of the times of an `.aedat` file in seconds, 1e-6 if not given.

    Raises
    ------
    FileError
        The file cannot be read, or what it holds is wrong.
    UsageError
        Another ending.

    Examples
    --------
    >>> saltus.save({"input": ([0.001, 0.002], [0, 1])}, "spikes.csv")
    >>> saltus.read_samples("spikes.csv")
    Samples(spikes=[{'input': SpikeTrain of 2 spikes}], labels=None)
    """
    spikes, labels, notes = _saltus.read_samples(_path(path), frame, address_bytes, tick)
    for note in notes:
        warnings.warn(note, stacklevel=2)
    return Samples(spikes, labels or None)


def load_spikes(path: str) -> "dict[str, SpikeTrain] | Samples":
    """The only sample, or all of several."""
    samples = read_samples(path)
    return samples.spikes[0] if len(samples.spikes) == 1 and samples.labels is None else samples


def save_spikes(spikes: Any, path: str) -> None:
    """One sample, or several."""
    if isinstance(spikes, Result):
        spikes = spikes.spikes
    labels: list[int] = []
    if isinstance(spikes, Samples):
        spikes, labels = spikes.spikes, [int(label) for label in spikes.labels or []]
    samples = [spikes] if isinstance(spikes, Mapping) else list(spikes)
    trains = [{name: train_from(name, value) for name, value in sample.items()} for sample in samples]
    _saltus.write_samples(path, trains, labels)


def are_spikes(value: Any) -> bool:
    """A sample, several, or a result."""
    if isinstance(value, Mapping | Result | Samples):
        return True
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    return is_list and all(isinstance(sample, Mapping) for sample in value)


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
