"""What the examples measure in spike trains."""

import numpy as np
import saltus


def after(train: saltus.SpikeTrain, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Times in seconds and neurons of the spikes from that instant on, in the order of time."""
    first = np.searchsorted(train.times, seconds)
    return train.times[first:], train.neurons[first:]


def cv_of_intervals(times: np.ndarray, neurons: np.ndarray, least: int = 3) -> float:
    """Standard deviation over mean of the intervals between a neuron's spikes: 0 for a clock, 1 for Poisson.

    The mean over all neurons with at least `least` intervals; NaN if there are none.
    """
    order = np.lexsort((times, neurons))
    times, neurons = times[order], neurons[order]
    same = neurons[1:] == neurons[:-1]
    intervals, owners = np.diff(times)[same], neurons[1:][same]
    count = np.bincount(owners)
    chosen = count >= least
    if not chosen.any():
        return float("nan")
    mean = np.bincount(owners, intervals)[chosen] / count[chosen]
    deviation = intervals - (np.bincount(owners, intervals) / np.maximum(count, 1))[owners]
    variance = np.bincount(owners, deviation**2)[chosen] / count[chosen]
    return float(np.mean(np.sqrt(variance) / mean))


def fano_factor(times: np.ndarray, begin: float, end: float, bin_width: float = 1e-3) -> float:
    """Variance over mean of the number of spikes of a whole population in bins of time.

    Neurons that fire independently have at most 1; neurons that fire together have up to their number.
    """
    bins = max(1, round((end - begin) / bin_width))
    counts, _ = np.histogram(times, bins, (begin, end))
    return float(counts.var() / counts.mean()) if counts.any() else float("nan")
