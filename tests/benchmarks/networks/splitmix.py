"""Numbers that every language draws alike: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), as a function.

Draw k of stream S is the generator's output for state k + (S << 48). The benchmark networks are defined by
such draws, so that each simulator builds the same one.
"""

import numpy as np


def draws(count, stream, first=0):
    """Draws first, ..., first + count - 1 of a stream, 64 bits each."""
    with np.errstate(over="ignore"):
        z = np.arange(first, first + count, dtype=np.uint64) + np.uint64((stream << 48) + 1)
        z *= np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def uniform(count, stream, first=0):
    """Doubles in [0, 1), 53 bits."""
    return (draws(count, stream, first) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def below(count, limit, stream, first=0):
    """Whole numbers below `limit` (a number or an array), from the upper 32 bits of each draw."""
    high = draws(count, stream, first) >> np.uint64(32)
    return ((high * np.asarray(limit, dtype=np.uint64)) >> np.uint64(32)).astype(np.int64)


def fixed_indegree(targets, first_source, sources, degree, stream):
    """Give each target t, first <= t < end, `degree` sources out of first_source, ..., + sources - 1.

    `targets` is (first, end). Repeated pairs are kept; the target itself is left out. Returns sources and
    targets, one entry per synapse, in the order of targets, counted from 0 within both ranges.
    """
    first, end = targets
    target = np.repeat(np.arange(first, end), degree)
    inside = (first_source <= target) & (target < first_source + sources)
    drawn = below(len(target), sources - inside, stream, first * degree)
    source = first_source + drawn
    source += inside & (source >= target)
    return source - first_source, target - first
