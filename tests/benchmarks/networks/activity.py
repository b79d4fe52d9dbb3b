"""Statistics of spike trains, to compare networks whose single spikes cannot be compared."""

from itertools import pairwise

import numpy as np

FEWEST_SPIKES = 10  # of a neuron whose intervals count
PAIRED = 200  # neurons whose counts are correlated
BIN_S = 5e-3


def statistics(times, neurons, size, begin, end):
    """Rate, variation of intervals, and correlation of counts of the spikes with begin < t <= end [s]."""
    inside = (times > begin) & (times <= end)
    order = np.lexsort((times[inside], neurons[inside]))
    times, neurons = times[inside][order], neurons[inside][order]
    bounds = np.searchsorted(neurons, np.arange(size + 1))
    trains = [times[a:b] for a, b in pairwise(bounds)]
    rates = np.diff(bounds) / (end - begin)

    intervals = [np.diff(train) for train in trains if len(train) >= FEWEST_SPIKES]
    variation = [d.std() / d.mean() for d in intervals]

    edges = np.linspace(begin, end, round((end - begin) / BIN_S) + 1)
    chosen = np.random.default_rng(1).choice(size, min(PAIRED, size), replace=False)
    counts = np.array([np.histogram(trains[i], edges)[0] for i in chosen], dtype=np.float64)
    counts = counts[counts.std(axis=1) > 0]
    pairs = np.corrcoef(counts)[np.triu_indices(len(counts), 1)] if len(counts) > 1 else np.array([np.nan])
    return {
        "rate_hz": float(rates.mean()),
        "rate_sd_over_neurons": float(rates.std()),
        "cv_isi": float(np.mean(variation)) if variation else None,
        "corr_5ms": float(pairs.mean()),
    }
