"""What can go wrong: one class for each kind of mistake, all of them a `saltus.Error`.

A value of the wrong type is a `TypeError` instead, raised by the call that was given it.
"""


class Error(Exception):
    """Base of all errors of Saltus."""


class FileError(Error, ValueError):
    """A file cannot be read or written, or what it holds is wrong.

    Attributes
    ----------
    path : str
        The file; "nir.NIRGraph" for a graph given to `from_nir`.
    where : str
        The place in it, such as "node 'lif', field 'tau'"; empty if it is the file as a whole.
    """

    def __init__(self, message: str, path: str = "", where: str = ""):
        super().__init__(message)
        self.path = path
        self.where = where


class NetworkError(Error, ValueError):
    """A network that cannot be built or run: wrong shapes, a cycle without delay, a parameter out of range.

    Attributes
    ----------
    node : str
        A population, or a projection "a -> b".
    field : str
        A parameter of it; may be empty.
    """

    def __init__(self, message: str, node: str = "", field: str = ""):
        super().__init__(message)
        self.node = node
        self.field = field


class InputError(Error, ValueError):
    """Spikes given to a simulation are wrong: no such neuron, before the start, after the end.

    Attributes
    ----------
    population : str
        The input that they were for.
    """

    def __init__(self, message: str, population: str = ""):
        super().__init__(message)
        self.population = population


class UsageError(Error, ValueError):
    """An argument is wrong: an unknown name, a value out of its range, a combination that means nothing."""


class LimitError(Error, ValueError):
    """What is asked is beyond what is possible, or not built yet."""
