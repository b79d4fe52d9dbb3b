"""Networks: loading, saving, exchanging with nir, looking at them."""

import html
import os
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from saltus import _saltus
from saltus._nir import import_nir, node_from, tree_from
from saltus.errors import Error, UsageError

if TYPE_CHECKING:
    import nir


class Population(NamedTuple):
    """A population: `name`, `shape` (neuron indices are row-major in it) and `model`, as NIR calls it."""

    name: str
    shape: tuple[int, ...]
    model: str


class Projection(NamedTuple):
    """A projection: names of `source` and `target`, and its `stages` as (node name, kind) in order."""

    source: str
    target: str
    stages: tuple[tuple[str, str], ...]


class Network:
    """A network as its file describes it, with the meaning that its numbers are given, or built in code.

    Made by `load`, `from_nir` and `NetworkBuilder.network`. Nothing of a file is lost: names, metadata and
    element types are kept, and `save` and `to_nir` give them back.

    Examples
    --------
    >>> net = saltus.load("two_lif_neurons.nir", spike_area="jump")
    >>> net
    Network two_lif_neurons.nir
      population  model  neurons  fed by
      in          Input  1
      lif1        LIF    1        in > Linear
      lif2        LIF    1        lif1 > Linear
    """

    __slots__ = ("_built", "_code", "_document", "_name", "_reading")

    def __init__(self, *_: Any):
        raise TypeError("A Network is made by saltus.load, saltus.from_nir or saltus.NetworkBuilder.")

    @classmethod
    def _of(cls, document: _saltus.Document, name: str, reading: dict[str, Any]) -> "Network":
        net = object.__new__(cls)
        net._code = None
        net._document = document
        net._name = name
        net._reading = reading
        net._built = {}
        return net

    @classmethod
    def _of_code(cls, built: _saltus.BuiltNetwork, name: str) -> "Network":
        """A network that no document describes."""
        net = cls._of(None, name, _reading(None, None, None, None, None, 0.0))
        net._code = built
        return net

    def _build(self, **choices: Any) -> _saltus.BuiltNetwork:
        """The network under these choices; None: as at loading. The last one for each clock is kept."""
        reading = {**self._reading, **{key: value for key, value in choices.items() if value is not None}}
        known, built = self._built.get(reading["clock"], (None, None))
        if known != reading:
            built = self._read(reading)
            self._built[reading["clock"]] = (reading, built)
        return built

    def _read(self, reading: dict[str, Any]) -> _saltus.BuiltNetwork:
        if self._code is None:
            return _saltus.BuiltNetwork(self._document, _saltus.Reading(**reading))
        if reading["clock"] == "stepped":
            return self._code.for_steps(_saltus.Reading(**reading))
        for name in ("convention", "time_unit", "spike_area", "reset", "t_ref"):
            if reading[name] not in (None, 0.0):
                raise UsageError(
                    f"{name}: the numbers of this network, which no NIR file holds, have one meaning. "
                    "Leave it out."
                )
        delay = reading["recurrent_delay"]
        return self._code if delay is None else self._code.with_recurrent_delay(delay)

    def _as_document(self) -> _saltus.Document:
        """The file's, or what can be said of a network built in code; a warning tells what cannot."""
        if self._code is None:
            return self._document
        document, losses = self._code.to_document(self._name)
        for loss in losses:
            warnings.warn(loss, stacklevel=3)
        return document

    @property
    def populations(self) -> list[Population]:
        """Inputs and neurons, in the order of the file."""
        return [Population(*entry) for entry in self._build().populations]

    @property
    def projections(self) -> list[Projection]:
        """Ways from one population to another, through nodes without memory."""
        return [Projection(*entry) for entry in self._build().projections]

    @property
    def outputs(self) -> dict[str, str]:
        """Output ports: the name of each, and the population that it shows."""
        return self._build().outputs

    @property
    def notes(self) -> list[str]:
        """What was tolerated, repaired or guessed while reading, one sentence each."""
        return self._build().notes

    def to_nir(self) -> "nir.NIRGraph":
        """Return the network as a graph of the package nir.

        Fields that no node type of nir has are left out; `notes` names them. Of a network built in code,
        what NIR has no place for is left out with a warning, or refused.

        Returns
        -------
        nir.NIRGraph
            Arrays of its own, with the element types of the file.

        Raises
        ------
        ImportError
            The package nir is not installed: `pip install 'saltus[nir]'`.

        Examples
        --------
        >>> graph = saltus.load("two_lif_neurons.nir").to_nir()
        >>> graph.nodes["lif1"].v_leak
        array([1.2])
        """
        return node_from(self._as_document().tree())

    def to_delays(self, tool: str | None = None) -> "Network":
        """Return neurons, and synapses with delays, of a network that was trained in steps of time.

        A kernel over time of such a network (one that `saltus train surrogate` has written) becomes synapses
        with a delay for each tap; the exact and the stepped clock then have the trainer's spikes. Later
        layers are late by what their kernels look ahead: `notes` tells.

        Parameters
        ----------
        tool : {"norse"}, optional
            In nodes that norse maps and with which it has the trainer's spikes: delays become chains of
            neurons. Images are (channels, height, width).

        Raises
        ------
        UsageError
            The network was not trained in steps of time, or another tool.
        NetworkError
            A layer that no delays, or no node of the tool, can stand for, by name.
        """
        if self._document is None:
            raise UsageError("to_delays: expected a network that was trained in steps of time.")
        document = self._document.to_delays(tool)
        return Network._of(document, self._name, _reading(None, None, None, None, None, 0.0))

    def _table(self) -> tuple[list[str], list[list[str]], list[str]]:
        """Column names, rows and remarks of what is shown of the network."""
        try:
            populations, projections, notes = self.populations, self.projections, self.notes
        except Error as error:
            nodes = self._document.tree()["nodes"]
            return ["node", "type"], [[name, node["type"]] for name, node in nodes.items()], [str(error)]
        rows = []
        for name, shape, model in populations:
            fed = [
                " > ".join([entry.source, *(kind for _, kind in entry.stages)])
                for entry in projections
                if entry.target == name
            ]
            rows.append([name, model, " x ".join(map(str, shape)), ", ".join(fed)])
        return ["population", "model", "neurons", "fed by"], rows, notes

    def __repr__(self) -> str:
        columns, rows, notes = self._table()
        table = [columns, *rows]
        widths = [max(len(row[i]) for row in table) for i in range(len(columns))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table
        ]
        return "\n".join([f"Network {self._name}", *(f"  {line}".rstrip() for line in lines), *notes])

    def _repr_html_(self) -> str:
        columns, rows, notes = self._table()

        def row(tag: str, cells: list[str]) -> str:
            return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

        return (
            f"<table><caption>{html.escape(self._name)}</caption><thead>{row('th', columns)}</thead><tbody>"
            + "".join(row("td", cells) for cells in rows)
            + "</tbody></table>"
            + "".join(f"<p>{html.escape(note)}</p>" for note in notes)
        )


def _reading(
    convention: str | None,
    time_unit: str | None,
    spike_area: str | None,
    reset: str | None,
    dt: float | None,
    t_ref: float,
) -> dict[str, Any]:
    """The choices by name, each of them checked: a wrong one is an error here and not at the first run."""
    choices = {
        "convention": convention,
        "time_unit": time_unit,
        "spike_area": spike_area,
        "reset": reset,
        "dt": dt,
    }
    reading = {**choices, "recurrent_delay": None, "t_ref": t_ref, "clock": "exact"}
    _saltus.Reading(**reading)
    return reading


def _form(path: str, reading: bool) -> str:
    ending = os.path.splitext(path)[1].lower()
    if ending == ".nir" or (reading and ending in (".h5", ".hdf5")):
        return "hdf5"
    if ending == ".json":
        return "json"
    raise UsageError(f"{path}: expected a name that ends in .nir, .nir.json or .json, found {ending!r}.")


def _path(path: Any) -> str:
    name = os.fspath(path)
    if not isinstance(name, str):
        raise TypeError(f"path: expected a str or a pathlib.Path, found {type(path).__name__}.")
    return name


def load(
    path: "str | os.PathLike[str]",
    *,
    convention: str | None = None,
    time_unit: str | None = None,
    spike_area: str | None = None,
    reset: str | None = None,
    dt: float | None = None,
    t_ref: float = 0.0,
    sum_duplicate_edges: bool = False,
) -> Any:
    """Read a network or spikes, by ending.

    A network: `.nir` (HDF5), `.nir.json`, `.json`, or the configuration of a SONATA circuit. Spikes: `.h5`,
    `.nirdata`, `.npz`, `.csv`, `.bin`, `.aedat`; what is returned is a dictionary of SpikeTrain by
    population, or, of several or labelled samples, what `read_samples` returns. The other parameters are for
    networks.

    A SONATA circuit of point neurons has NEST's models and units; virtual nodes are inputs. A NIR file says
    neither its unit of time, nor what a spike weighs, nor how the tool that wrote it resets.
    What is said here holds for every run of the network that says nothing else; what nobody says is guessed,
    and `Network.notes` tells how.

    Parameters
    ----------
    path : str or path-like
        The file.
    convention : str, optional
        What the tool that wrote the file means by its numbers: "nir" (the equations as written, the exact
        clock's default), "norse", "snntorch", "sinabs", "spikingjelly", "rockpool", "lava-dl", "nengo",
        "jaxsnn", "brian2", "nest", "s2net", or the name of a JSON file with a convention of one's own.
    time_unit : {"s", "ms", "steps"}, optional
        Unit of the time constants and delays.
    spike_area : {"unit", "step", "jump"}, optional
        A spike is an impulse of area 1, a pulse of height 1 that is one step wide, or adds its weight to the
        state.
    reset : {"v_reset", "zero", "subtract", "subtract_repeated", "none"}, optional
        What a neuron does after a spike.
    dt : float, optional
        Length of a step in seconds, for time constants in steps and for pulses one step wide.
    t_ref : float
        Refractory period of every neuron, in seconds; NIR files have none.
    sum_duplicate_edges : bool
        Take an edge that stands twice for two connections, as nir did before 1.0.8, instead of refusing it.

    Raises
    ------
    FileError
        The file cannot be read, or what it holds is wrong.
    UsageError
        Another ending, or an unknown name of a choice.
    NetworkError
        A SONATA circuit with models or parameters that are not known.

    Examples
    --------
    >>> net = saltus.load("two_lif_neurons.nir", convention="norse")
    >>> net.outputs
    {'out': 'lif2'}
    """
    name = _path(path)
    reading = _reading(convention, time_unit, spike_area, reset, dt, t_ref)
    if _saltus.holds_recording(name):
        from saltus._spikes import load_spikes

        return load_spikes(name)
    form = _form(name, reading=True)
    if form == "json" and _saltus.is_sonata_config(name):
        net = Network._of_code(_saltus.BuiltNetwork.from_sonata(name), os.path.basename(name))
        net._reading = reading
        net._build()
        return net
    document = _saltus.Document.read(name, form, sum_duplicate_edges)
    return Network._of(document, os.path.basename(name), reading)


def save(net: Any, path: "str | os.PathLike[str]") -> None:
    """Write a network or spikes to a file, by ending.

    A network: `.nir` (HDF5), `.nir.json`, `.json`, or a SONATA circuit, of which the name ends in
    `circuit_config.json`; its other files are written beside it. Spikes: `.h5` (SONATA), `.nirdata`, `.npz`,
    `.csv`.

    The file appears whole or not at all; one that is there is replaced. Of a network built in code, what NIR
    has no place for is left out with a warning, or refused.

    Parameters
    ----------
    net : Network, or dict of str to SpikeTrain or (times, neurons), a list of them, Samples or Result
    path : str or path-like

    Raises
    ------
    FileError
        The file cannot be written.
    NetworkError
        A network built in code that no NIR file can hold, for example with a source of spikes.
    UsageError
        Another ending, or something that the format has no place for.

    Examples
    --------
    >>> saltus.save(saltus.load("two_lif_neurons.nir"), "two.nir.json")
    """
    from saltus._spikes import are_spikes, save_spikes

    name = _path(path)
    if are_spikes(net):
        return save_spikes(net, name)
    if not isinstance(net, Network):
        raise TypeError(f"net: expected a saltus.Network or spikes, found {type(net).__name__}.")
    if name.endswith("circuit_config.json"):
        return net._build().write_sonata(name)
    form = _form(name, reading=False)
    net._as_document().write(name, form)


def from_nir(
    graph: "nir.NIRNode",
    *,
    convention: str | None = None,
    time_unit: str | None = None,
    spike_area: str | None = None,
    reset: str | None = None,
    dt: float | None = None,
    t_ref: float = 0.0,
    sum_duplicate_edges: bool = False,
) -> Network:
    """Take a network from a graph of the package nir, with no file between.

    Parameters
    ----------
    graph : nir.NIRGraph or another node of nir
        A single node becomes a graph of one node. Arrays are copied; tensors of torch are taken as arrays.
    convention, time_unit, spike_area, reset, dt, t_ref, sum_duplicate_edges
        As in `load`.

    Raises
    ------
    TypeError
        Not a node of nir, or a field that is neither numbers nor a string.
    FileError
        The graph breaks a rule of NIR files; `path` is "nir.NIRGraph".

    Examples
    --------
    >>> import nir
    >>> import numpy as np
    >>> one = np.ones(2)
    >>> neurons = nir.LIF(tau=0.02 * one, r=one, v_leak=0 * one, v_threshold=one)
    >>> net = saltus.from_nir(nir.NIRGraph.from_list(neurons))
    >>> [population.model for population in net.populations]
    ['Input', 'LIF']
    """
    reading = _reading(convention, time_unit, spike_area, reset, dt, t_ref)
    tree = tree_from(graph)
    document = _saltus.Document.from_tree(tree, import_nir().version, "nir.NIRGraph", sum_duplicate_edges)
    return Network._of(document, "nir.NIRGraph", reading)
