"""The examples run, and what they print is what theory, the data and the papers say."""

import math

import brunel
import celegans
import measures
import microcircuit
import numpy as np
import pytest
import saltus


def test_measures_of_a_clock_and_of_poisson_spikes():
    """A clock has CV 0; Poisson trains have CV 1 and Fano factor 1, here to 3 standard errors or more."""
    clock = np.arange(100) * 0.01
    assert measures.cv_of_intervals(clock, np.zeros(100, dtype=int)) == pytest.approx(0, abs=1e-9)
    assert math.isnan(measures.cv_of_intervals(clock, np.arange(100)))
    rng = np.random.default_rng(1)
    neurons = np.repeat(np.arange(50), 1000)
    times = np.sort(rng.uniform(0, 100, len(neurons)))
    assert measures.cv_of_intervals(times, rng.permutation(neurons)) == pytest.approx(1, abs=0.02)
    assert measures.fano_factor(times, 0, 100, 0.1) == pytest.approx(1, abs=0.15)
    together = np.repeat(np.arange(10) + 0.5, 20)  # every other bin holds 20 spikes
    assert measures.fano_factor(together, 0, 10, 0.5) == pytest.approx(10)
