"""Event-driven simulation of spiking neural networks, at exact times.

>>> net = saltus.load("two_lif_neurons.nir")
>>> out = saltus.simulate(net, {"in": ([0.010, 0.011], [0, 0])}, duration=0.02)
>>> out.spikes["lif1"].times
array([0.01 , 0.011])

Times are seconds, as floats; where exactness counts, whole femtoseconds. Importing the package loads neither
NumPy nor any other tool: they are imported by the first call that needs them.
"""

from saltus import datasets, losses, train
from saltus._builder import NetworkBuilder, normal, uniform
from saltus._compare import (
    Comparison,
    DecisionComparison,
    FirstDifference,
    Inspection,
    PopulationComparison,
    ToolReading,
    compare,
    inspect,
)
from saltus._evaluate import Decision, Evaluation, FirstSpikes, SurrogateEvaluation, evaluate
from saltus._gradient import Gradient, gradient
from saltus._network import Network, Population, Projection, from_nir, load, save
from saltus._result import Result
from saltus._saltus import SpikeTrain, __version__
from saltus._simulate import simulate
from saltus._spikes import Samples, read_samples, read_spikes, write_spikes
from saltus.errors import Error, FileError, InputError, LimitError, NetworkError, UsageError

__all__ = [
    "Comparison",
    "Decision",
    "DecisionComparison",
    "Error",
    "Evaluation",
    "FileError",
    "FirstDifference",
    "FirstSpikes",
    "Gradient",
    "InputError",
    "Inspection",
    "LimitError",
    "Network",
    "NetworkBuilder",
    "NetworkError",
    "Population",
    "PopulationComparison",
    "Projection",
    "Result",
    "Samples",
    "SpikeTrain",
    "SurrogateEvaluation",
    "ToolReading",
    "UsageError",
    "__version__",
    "compare",
    "datasets",
    "evaluate",
    "from_nir",
    "gradient",
    "inspect",
    "load",
    "losses",
    "normal",
    "read_samples",
    "read_spikes",
    "save",
    "simulate",
    "train",
    "uniform",
    "write_spikes",
]
