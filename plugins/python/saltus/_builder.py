"""Building networks in code."""

import math
from typing import Any

from saltus import _saltus
from saltus._network import Network
from saltus._saltus import Distribution
from saltus.errors import NetworkError


def uniform(low: float, high: float, step: float | None = None) -> Distribution:
    """Values drawn uniformly from [low, high); with a step, from low, low + step, ..., high.

    For weights and delays of synapses, and for parameters of neurons.

    Examples
    --------
    >>> saltus.uniform(1e-3, 2e-3)
    uniform(0.001, 0.002)
    """
    return Distribution.uniform(low, high, 0.0 if step is None else step)


def normal(
    mean: float, sd: float, low: float = -math.inf, high: float = math.inf, step: float | None = None
) -> Distribution:
    """Values drawn from a normal distribution, for weights, delays, and parameters of neurons.

    Each is rounded to a multiple of `step`, if there is one, and drawn again unless low <= x <= high, as
    NEST's `redraw` does. Delays need both bounds.

    Examples
    --------
    >>> saltus.normal(1.5e-3, 0.75e-3, low=0.1e-3, high=5e-3, step=0.1e-3)
    normal(0.0015, 0.00075, low=0.0001, high=0.005, step=0.0001)
    """
    return Distribution.normal(mean, sd, low, high, 0.0 if step is None else step)


def _shape(name: str, size: Any) -> list[int]:
    shape = list(size) if isinstance(size, tuple | list) else [size]
    for n in shape:
        if isinstance(n, bool) or not hasattr(n, "__index__"):
            raise TypeError(
                f"{name!r}: expected a number of neurons, or a tuple of them, found {size!r:.80}."
            )
        if not 0 <= n < 2**32:
            raise NetworkError(
                f"{name!r}, field 'shape': expected 1 to 2^32 - 2 neurons, found {size!r}.", name, "shape"
            )
    return [int(n) for n in shape]


def _values(parameters: dict[str, Any], name: str, shape: list[int]) -> dict[str, Any]:
    """Each parameter as a float, as a flat array, one entry per neuron, or as it is drawn."""
    import numpy as np

    values = {}
    for field, value in parameters.items():
        if isinstance(value, Distribution):
            values[field] = value
            continue
        array = np.asarray(value)
        if array.dtype.kind not in "iuf":
            raise TypeError(f"{name!r}, {field}: expected a number or an array, found {value!r:.80}.")
        if array.ndim > 1 and list(array.shape) == shape:
            array = array.ravel()
        if array.ndim > 1:
            raise NetworkError(
                f"{name!r}, field {field!r}: expected an array of shape {tuple(shape)}, found {array.shape}.",
                name,
                field,
            )
        values[field] = float(array) if array.ndim == 0 else array
    return values


def _distribution(edge: str, field: str, value: Any) -> Distribution:
    import numpy as np

    if isinstance(value, Distribution):
        return value
    array = np.asarray(value)
    if array.dtype.kind not in "iuf":
        raise TypeError(
            f"{edge}, {field}: expected a number, saltus.uniform(...) or saltus.normal(...), "
            f"found {value!r:.80}."
        )
    if array.ndim != 0:
        raise NetworkError(
            f"{edge}, field {field!r}: expected one number for a rule, found an array of shape "
            f"{array.shape}. Give the synapses one by one: pre=..., post=...",
            edge,
            field,
        )
    return Distribution.constant(float(array))


def _matrix(edge: str, weight: Any, delay: Any, choices: dict[str, Any]) -> tuple[Any, float]:
    """The weights of all pairs and their delay, checked; nothing else may be chosen."""
    import numpy as np

    for field, value in choices.items():
        if value is not None:
            raise NetworkError(
                f"{edge}, field {field!r}: a matrix of weights connects all to all and leaves no choice, "
                f"found {value!r}.",
                edge,
                field,
            )
    matrix = np.asarray(weight)
    if matrix.dtype.kind not in "iuf":
        raise TypeError(f"{edge}, weight: expected numbers, found {matrix.dtype}.")
    if isinstance(delay, Distribution) or np.ndim(delay) != 0:
        raise NetworkError(
            f"{edge}, field 'delay': expected one number for a matrix of weights, found {delay!r:.80}.",
            edge,
            "delay",
        )
    if np.asarray(delay).dtype.kind not in "iuf":
        raise TypeError(f"{edge}, delay: expected a number, found {delay!r:.80}.")
    return np.ascontiguousarray(matrix, np.float64), float(delay)


class NetworkBuilder:
    """Builds a network from populations and connections, named one after another.

    Parameters have the names of NEST and SI units. Whatever has no seed of its own draws from one made of
    `seed` and its name, so that the order of the calls does not matter. A call that cannot be fulfilled
    raises NetworkError at once, and names the population or projection and the field.

    Parameters
    ----------
    seed : int

    Examples
    --------
    >>> build = saltus.NetworkBuilder(seed=1)
    >>> build.input("drive", 100)
    >>> build.population("exc", 80, "lif_delta", tau_m=20e-3, V_th=20e-3, V_reset=10e-3, t_ref=2e-3)
    >>> build.connect("drive", "exc", rule="fixed_indegree", k=10, weight=5e-3)
    >>> build.connect("exc", "exc", pre=[0, 1], post=[1, 0], weight=-1e-3, delay=[1e-3, 1.5e-3])
    >>> build.network()
    Network built in code
      population  model  neurons  fed by
      drive       Input  100
      exc         LIF    80       drive > fixed_indegree, exc > Sparse
    """

    __slots__ = ("_builder",)

    def __init__(self, seed: int = 0):
        self._builder = _saltus.NetworkBuilder(seed)

    def input(self, name: str, size: int | tuple[int, ...]) -> None:
        """Add a population whose spikes come with the input of a run."""
        self._builder.input(name, _shape(name, size))

    def source(
        self,
        name: str,
        size: int | tuple[int, ...],
        kind: str,
        *,
        seed: int | None = None,
        **parameters: Any,
    ) -> None:
        """Add a population that spikes by itself.

        Parameters
        ----------
        name : str
        size : int or tuple of int
            Number of neurons, or their shape. Each has a train of its own.
        kind : {"poisson", "regular", "spikes"}
            "poisson" (NEST: poisson_generator): rate in Hz; start, stop in seconds.
            "regular": interval, first, stop in seconds; the first spike comes after one interval if nothing
            is said.
            "spikes" (NEST: spike_generator): times in seconds, neurons.
        seed : int, optional
            Of the Poisson trains, which depend on nothing else but the rate.

        Examples
        --------
        >>> build = saltus.NetworkBuilder(seed=1)
        >>> build.source("noise", 8000, "poisson", rate=7500.0)
        >>> build.source("probe", 2, "spikes", times=[0.1, 0.2], neurons=[0, 1])
        """
        shape = _shape(name, size)
        if kind in ("spikes", "spike_generator"):
            for field in parameters:
                if field not in ("times", "neurons"):
                    raise NetworkError(
                        f"{name!r}, field {field!r}: {kind} has no such parameter. It has times, neurons.",
                        name,
                        field,
                    )
            spikes = _saltus.SpikeTrain(parameters.get("times", []), parameters.get("neurons", []))
            self._builder.spike_source(name, shape, spikes)
        else:
            self._builder.source(name, shape, kind, _values(parameters, name, shape), seed)

    def population(self, name: str, size: int | tuple[int, ...], model: str, **parameters: Any) -> None:
        """Add a population of neurons.

        Parameters
        ----------
        name : str
        size : int or tuple of int
            Number of neurons, or their shape.
        model : str
            "if_delta", "lif_delta", "lif_delta_adaptive", "qif_delta": the membrane jumps by the weight of a
            spike, in volts. "if_exp", "lif_exp", "lif_exp2", "lif_alpha": synaptic currents, with one time
            constant or two, one for each sign of the weight. "if_ramp": firing on a ramp, from t_min to
            t_max seconds, slope volts per second. "li_delta", "li_exp": leaky integrators that
            never fire. NEST's names of these models, such as iaf_psc_exp, bring NEST's defaults.
        **parameters
            Numbers, arrays with one entry per neuron, or saltus.uniform(...), saltus.normal(...), drawn for
            each: tau_m, tau_syn (or tau_syn_ex, tau_syn_in), t_ref, th_tau in seconds; E_L, V_th, th_jump,
            V_reset, V_0 (or V_m; at the start, E_L if not given) in volts; C_m in farads, I_e in amperes.
            Without C_m the resistance is 1: I_e and the weights of synaptic currents are then in volts (for
            if_delta, if_exp and if_ramp, per second).

        Examples
        --------
        >>> build = saltus.NetworkBuilder()
        >>> build.population("exc", 3, "iaf_psc_exp", I_e=[0.0, 100e-12, 200e-12])
        """
        shape = _shape(name, size)
        self._builder.population(name, shape, model, _values(parameters, name, shape))

    def connect(
        self,
        source: str,
        target: str,
        *,
        rule: str | None = None,
        k: int | None = None,
        N: int | None = None,
        p: float | None = None,
        autapses: bool = True,
        multapses: bool = True,
        procedural: bool = False,
        pre: Any = None,
        post: Any = None,
        weight: Any = 1.0,
        delay: Any = 0.0,
        seed: int | None = None,
    ) -> None:
        """Connect two populations, by a rule or by a list of synapses.

        Parameters
        ----------
        source, target : str
            Names of populations.
        rule : str
            "all_to_all" (if nothing is said), "one_to_one", "fixed_indegree" and "fixed_outdegree" (k
            synapses of each target or source), "fixed_total_number" (N synapses), "bernoulli" (each pair
            with probability p).
        autapses : bool
            A neuron may be connected to itself.
        multapses : bool
            A pair may be connected several times; for the rules with a number.
        procedural : bool
            The synapses are not kept in memory: those of a neuron are drawn again whenever it fires. Same
            network, same spikes, slower. Not for "fixed_indegree" and "fixed_total_number", nor for delays
            without a step.
        pre, post : arrays of int
            Instead of a rule: the neurons of each synapse.
        weight, delay : float, Distribution, or array with one entry per synapse of a list
            Delays in seconds; 0 is possible. The weights of "all_to_all" may be a matrix with a row for each
            neuron of the source and a column for each of the target; it then has one delay.
        seed : int, optional

        Examples
        --------
        >>> build = saltus.NetworkBuilder(seed=1)
        >>> build.population("exc", 1000, "lif_delta")
        >>> build.connect("exc", "exc", rule="bernoulli", p=0.1, autapses=False,
        ...               weight=saltus.normal(0.01, 0.001, low=0.0), delay=saltus.uniform(1e-3, 2e-3))
        """
        edge = f"{source} -> {target}"
        if pre is None and post is None and getattr(weight, "ndim", 0) == 2:
            choices = {
                "rule": None if rule == "all_to_all" else rule,
                "k": k,
                "N": N,
                "p": p,
                "autapses": None if autapses else autapses,
                "multapses": None if multapses else multapses,
                "procedural": procedural or None,
                "seed": seed,
            }
            self._builder.connect_matrix(source, target, *_matrix(edge, weight, delay, choices))
            return
        if pre is None and post is None:
            self._builder.connect(
                source,
                target,
                "all_to_all" if rule is None else rule,
                k,
                N,
                p,
                autapses,
                multapses,
                procedural,
                seed,
                _distribution(edge, "weight", weight),
                _distribution(edge, "delay", delay),
            )
            return
        import numpy as np

        ruled = {"rule": rule, "k": k, "N": N, "p": p, "procedural": procedural or None, "seed": seed}
        for field, value in {**ruled, "pre": pre, "post": post}.items():
            if (value is None) == (field in ("pre", "post")):
                said = "expected with pre and post" if value is None else "not possible with pre and post"
                raise NetworkError(f"{edge}, field {field!r}: {said}.", edge, field)
        for field, value in (("weight", weight), ("delay", delay)):
            if isinstance(value, Distribution):
                raise NetworkError(
                    f"{edge}, field {field!r}: expected a number or an array for synapses given one by one, "
                    f"found {value!r}.",
                    edge,
                    field,
                )
        self._builder.connect_list(source, target, pre, post, np.atleast_1d(weight), np.atleast_1d(delay))

    def network(self) -> Network:
        """Return the network as built so far; later calls do not change it."""
        return Network._of_code(self._builder.network(), "built in code")
