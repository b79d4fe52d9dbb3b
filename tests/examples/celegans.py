"""The nervous system of C. elegans: touch the worm and see which neurons fire first.

Wiring as electron microscopy shows it (White and others 1986, Varshney and others 2011; datasets/celegans).
What it does not show is chosen here: all 302 neurons are the same LIF neuron with delta synapses; GABA
inhibits, all other transmitters excite; a synapse moves the membrane by 1 mV a contact; its delay is 0.5 ms
plus 5 ms times the distance along the body. Of position only what names say is used: motor neurons of the
ventral cord are numbered from head (0) to tail (1), neurons whose names begin with P are posterior (1), the
others are taken to be in the head (0).

Gap junctions are continuous currents between membranes, no events: they are counted and left out. The
worm's own touch reflex goes through them in good part (Chalfie and others 1985), and its neurons are graded
rather than spiking: this is a small real graph with hubs and loops to play with, no model of behaviour.

The receptors of gentle touch are stimulated: ALM and AVM in front, or PLM behind. Prints the graph's
numbers and, for each, the command and motor neurons that fire first.
"""

import argparse
import csv
import re
from pathlib import Path

import numpy as np
import saltus

FOLDER = Path(__file__).resolve().parents[2] / "datasets" / "celegans"
TOUCH = {"front": ("ALML", "ALMR", "AVM"), "behind": ("PLML", "PLMR")}
COMMAND = re.compile(r"(AV[ABDE]|PVC)[LR]")
CORD = re.compile(r"(AS|D[ABD]|V[ABCD])(\d+)")
NEURON = {"tau_m": 20e-3, "V_th": 15e-3, "t_ref": 2e-3}
MV_PER_CONTACT, SYNAPSE_MS, BODY_MS = 1.0, 0.5, 5.0


def rows(file: str) -> list[dict[str, str]]:
    """A table of the folder."""
    with (FOLDER / file).open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


NEURONS = rows("neurons.csv")
INDEX = {neuron["name"]: i for i, neuron in enumerate(NEURONS)}
CHEMICAL = [row for row in rows("connections.csv") if row["kind"] == "chemical"]
GAP = [row for row in rows("connections.csv") if row["kind"] == "gap"]


def ends(connections: list[dict[str, str]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """pre, post and contacts of each connection."""
    columns = [(INDEX[row["pre"]], INDEX[row["post"]], int(row["contacts"])) for row in connections]
    pre, post, contacts = np.array(columns).T
    return pre, post, contacts


def reachable(adjacent: np.ndarray) -> np.ndarray:
    """[i, j]: a path leads from i to j. Each product doubles the length of the paths."""
    paths = adjacent | np.eye(len(adjacent), dtype=bool)
    for _ in range(len(adjacent).bit_length()):
        paths = (paths.astype(np.float32) @ paths.astype(np.float32)) > 0
    return paths


def facts() -> dict:
    """Numbers of the graph, those of the folder's README."""
    pre, post, contacts = ends(CHEMICAL)
    gaps = set(zip(*(column.tolist() for column in ends(GAP)), strict=True))
    adjacent = np.zeros((len(NEURONS), len(NEURONS)), dtype=bool)
    adjacent[pre, post] = True
    paths = reachable(adjacent)
    weak = {tuple(row) for row in reachable(adjacent | adjacent.T).tolist()}
    out_degree, in_degree = adjacent.sum(1), adjacent.sum(0)
    return {
        "neurons": len(NEURONS),
        "neurons that occur": len({row[end] for row in CHEMICAL + GAP for end in ("pre", "post")}),
        "chemical connections": len(pre),
        "chemical contacts": int(contacts.sum()),
        "gap rows": len(GAP),
        "gap contacts": int(ends(GAP)[2].sum()),
        "gap rows without mirror": sum((b, a, count) not in gaps for a, b, count in gaps),
        "self-connections": sum(row["pre"] == row["post"] for row in CHEMICAL + GAP),
        "largest strong component": int((paths & paths.T).sum(1).max()),
        "weak components": sorted((sum(row) for row in weak), reverse=True),
        "most targets": (NEURONS[out_degree.argmax()]["name"], int(out_degree.max())),
        "most sources": (NEURONS[in_degree.argmax()]["name"], int(in_degree.max())),
    }


def position(name: str) -> float:
    """Place along the body, 0 head to 1 tail, as far as the name tells."""
    cord = CORD.fullmatch(name)
    if cord:
        same = [int(other[2]) for other in map(CORD.fullmatch, INDEX) if other and other[1] == cord[1]]
        return (int(cord[2]) - 1) / (max(same) - 1)
    return float(name.startswith("P"))


def synapses(mv_per_contact: float) -> dict[str, np.ndarray]:
    """pre, post, weight in volts and delay in seconds of the chemical connections."""
    pre, post, contacts = ends(CHEMICAL)
    sign = np.array([-1.0 if row["transmitter"] == "GABA" else 1.0 for row in CHEMICAL])
    place = np.array([position(name) for name in INDEX])
    delay = (SYNAPSE_MS + BODY_MS * np.abs(place[pre] - place[post])) * 1e-3
    return {"pre": pre, "post": post, "weight": mv_per_contact * 1e-3 * sign * contacts, "delay": delay}


def network(mv_per_contact: float) -> saltus.Network:
    """Build the network; its input "touch" fires the neuron of the same number."""
    build = saltus.NetworkBuilder()
    build.input("touch", len(NEURONS))
    build.population("neurons", len(NEURONS), "lif_delta", V_reset=0.0, **NEURON)
    build.connect("touch", "neurons", rule="one_to_one", weight=2 * NEURON["V_th"])
    build.connect("neurons", "neurons", **synapses(mv_per_contact))
    return build.network()


def first_spikes(net: saltus.Network, touched: tuple[str, ...], duration: float) -> dict[str, float]:
    """Latency in ms of each neuron that fires, in order; the receptors touched fire at 0, 5, 10 ... ms."""
    times = np.arange(0.0, duration, 5e-3)
    receptors = [INDEX[name] for name in touched]
    stimulus = (np.repeat(times, len(receptors)), np.tile(receptors, len(times)))
    train = saltus.simulate(net, {"touch": stimulus}, duration).spikes["neurons"]
    fired, first = np.unique(train.neurons, return_index=True)
    return {NEURONS[fired[k]]["name"]: train.times[first[k]] * 1e3 for k in np.argsort(first)}


def main(arguments: list[str] | None = None) -> dict[str, dict[str, float]]:
    """Run both touches and print the first answers; the latency of each neuron in ms, by touch."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--time", type=float, default=0.05, help="seconds of touch")
    parser.add_argument("--weight", type=float, default=MV_PER_CONTACT, help="mV a contact")
    parser.add_argument("--first", type=int, default=8, help="neurons to show of each kind")
    o = parser.parse_args(arguments)

    print("\n".join(f"{fact:26}{value}" for fact, value in facts().items()))
    print(f"Not simulated: {len(GAP)} gap junctions; they are continuous currents, not events.")
    net = network(o.weight)
    latencies = {place: first_spikes(net, touched, o.time) for place, touched in TOUCH.items()}
    for place, fired in latencies.items():
        print(f"\nTouch {place} ({', '.join(TOUCH[place])}): {len(fired)} of {len(NEURONS)} neurons fire")
        command = [name for name in fired if COMMAND.fullmatch(name)]
        motor = [name for name in fired if NEURONS[INDEX[name]]["class"] == "motor"]
        for kind, names in (("command", command), ("motor", motor)):
            shown = ", ".join(f"{name} {fired[name]:.2f} ms" for name in names[: o.first])
            print(f"  {kind:8} {shown or 'none'}")
    return latencies


if __name__ == "__main__":
    main()
