"""With ever smaller steps every convention comes to what the exact clock says, at the order of its rule."""

import math

import pytest
from convergence import CONVENTIONS, difference


@pytest.mark.parametrize(("convention", "kind", "order"), CONVENTIONS)
def test_the_difference_from_the_exact_clock_shrinks_at_the_order_of_the_rule(convention, kind, order):
    coarse, fine = 0.5e-3, 0.0625e-3
    (v, t), (v_fine, t_fine) = difference(convention, kind, coarse), difference(convention, kind, fine)
    if order is None:
        assert v <= 1e-12
        assert t <= 3 * coarse  # each of the three spikes waits for the next step
        assert t_fine <= 3 * fine
        return
    assert 1e-3 < v < 0.2
    assert math.log(v / v_fine, coarse / fine) == pytest.approx(order, abs=0.15)
    assert t_fine <= 8 * fine
