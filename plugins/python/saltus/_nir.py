"""Graphs of the package nir to trees (see nir_tree.hpp) and back. No value passes through text."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from saltus.errors import UsageError

if TYPE_CHECKING:
    import nir

_DEEPEST = 24  # as in the reader of files


def import_nir():
    """Import the package nir, or say how to get it."""
    try:
        import nir
    except ImportError as error:
        raise ImportError(
            "Graphs are exchanged with the package nir, which is not installed: pip install 'saltus[nir]'."
        ) from error
    return nir


def _plain(value: Any, place: str) -> Any:
    """A string, a dictionary of plain values, or an array of a type that NIR documents keep."""
    import numpy as np

    if isinstance(value, str | bytes):
        return value.decode() if isinstance(value, bytes) else str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(entry, f"{place}, {key!r}") for key, entry in value.items()}
    if hasattr(value, "detach"):  # a tensor of torch, perhaps with a gradient or on a device
        value = value.detach().cpu()
    array = np.asarray(value)
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind == "f" and size <= 8:
        dtype = np.dtype("float64" if size == 8 else "float32")
    elif kind in "iu":
        keeps = array.dtype.newbyteorder("=") in (np.dtype("int32"), np.dtype("int64"), np.dtype("uint8"))
        dtype = array.dtype.newbyteorder("=") if keeps else np.dtype("int64")
    elif kind == "b":
        dtype = array.dtype
    else:
        raise TypeError(f"{place}: expected numbers or a string, found {value!r:.80}.")
    return array.astype(dtype, order="C", copy=False)


def tree_from(node: "nir.NIRNode", name: str = "", depth: int = 0) -> dict[str, Any]:
    """The tree of a nir node; its arrays are shared with the node where their type allows it."""
    nir = import_nir()
    place = f"node {name!r}" if name else "the graph"
    if not isinstance(node, nir.NIRNode):
        raise TypeError(
            f"{place}: expected a nir.NIRGraph or another node of nir, found {type(node).__name__}."
        )
    tree = {"type": type(node).__name__, "metadata": _plain(node.metadata or {}, f"{place}, metadata")}
    if isinstance(node, nir.NIRGraph):
        if depth > _DEEPEST:
            raise UsageError(
                f"{place}: graphs are nested deeper than {_DEEPEST} levels. Does one contain itself?"
            )
        prefix = f"{name}/" if name else ""
        tree["nodes"] = {key: tree_from(child, prefix + key, depth + 1) for key, child in node.nodes.items()}
        tree["edges"] = [(str(source), str(target)) for source, target in node.edges]
        return tree
    fields = {
        field.name: getattr(node, field.name)
        for field in dataclasses.fields(node)
        if field.name not in ("input_type", "output_type", "metadata")
    }
    if isinstance(node, nir.Input):
        fields["shape"] = node.input_type["input"]
    elif isinstance(node, nir.Output):
        fields["shape"] = node.output_type["output"]
    elif isinstance(node, nir.Flatten):
        fields["input_type"] = node.input_type["input"]
    for key, value in fields.items():
        if value is not None:
            tree[key] = _plain(value, f"{place}, field {key!r}")
    return tree


def node_from(tree: dict[str, Any]) -> "nir.NIRNode":
    """The nir node of a tree.

    Every node knows its input and output type. nir is not asked to infer them, because it refuses some valid
    graphs: it takes all kernels for square, and the channels of one group for all channels.
    """
    nir = import_nir()
    import numpy as np

    if tree["type"] == "NIRGraph":
        nodes = {name: node_from(child) for name, child in tree["nodes"].items()}
        for name, (source, target) in tree["shapes"].items():
            if tree["nodes"][name]["type"] != "NIRGraph" and source is not None and target is not None:
                nodes[name].input_type = {"input": np.array(source)}
                nodes[name].output_type = {"output": np.array(target)}
        return nir.NIRGraph(nodes, tree["edges"], metadata=tree["metadata"], type_check=False)
    kind = getattr(nir, tree["type"])
    known = {field.name for field in dataclasses.fields(kind)} | {"type", "shape"}
    return kind.from_dict({key: value for key, value in tree.items() if key in known})
