"""Write a published S4NN or BS4NN network (pretrained.h5, pretrained_binary.h5) as .nir.

    python to_nir.py pretrained.h5 s4nn.nir

Outputs are put in the order of the digits. A neuron that fires above theta fires at theta (1 + 2^-48), as
Saltus writes such networks; each projection has a delay of one slot, 1 ms.
"""

import itertools
import sys

import h5py
import nir
import numpy as np

AFTER_SPIKE = -(2.0**100)  # a neuron that has fired stays silent


def main(source, target):
    nodes, edges = {"input": nir.Input({"input": np.array([784])})}, []
    before = "input"
    with h5py.File(source) as file:
        for layer in ("hidden", "output"):
            group = file[layer]
            weight = group["weight"][:].astype(np.float64)
            if layer == "output":
                weight = weight[np.argsort(group["digit_of_neuron"][:])]
            # of whole numbers a sum fires at the smallest whole one above theta
            whole = group.attrs.get("integer_threshold_ge")
            theta = group.attrs["threshold"] * (1 + 2.0**-48) if whole is None else float(whole)
            n = len(weight)
            nodes[f"{layer}_weights"] = nir.Linear(weight)
            nodes[f"{layer}_delay"] = nir.Delay(np.full(n, 1e-3))
            nodes[layer] = nir.IF(np.ones(n), np.full(n, theta), np.full(n, AFTER_SPIKE))
            chain = [before, f"{layer}_weights", f"{layer}_delay", layer]
            edges += itertools.pairwise(chain)
            before = layer
    nodes["readout"] = nir.Output({"output": np.array([10])})
    edges.append((before, "readout"))
    nir.write(target, nir.NIRGraph(nodes, edges))


if __name__ == "__main__":
    main(*sys.argv[1:])
