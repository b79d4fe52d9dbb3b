from collections.abc import Sequence
import os
from typing import Annotated

import numpy
import numpy.typing
from numpy.typing import NDArray

class Buffer:
    pass

class SpikeTrain:
    def __init__(self, times: object, neurons: object) -> None: ...
    @staticmethod
    def from_ticks(ticks: object, neurons: object) -> SpikeTrain: ...
    @property
    def times(self) -> numpy.typing.NDArray[numpy.float64]: ...
    @property
    def ticks(self) -> numpy.typing.NDArray[numpy.int64]: ...
    @property
    def neurons(self) -> numpy.typing.NDArray[numpy.uint32]: ...
    def __len__(self) -> int: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __repr__(self) -> str: ...

    __hash__: None = None

def input_train(name: str, times: object, neurons: object) -> SpikeTrain: ...
def ticks_of(seconds: float, what: str) -> int: ...
def read_spikes(path: str | os.PathLike) -> dict: ...
def write_spikes(path: str | os.PathLike, trains: dict, potentials: list) -> None: ...
def holds_recording(path: str | os.PathLike) -> bool: ...
def read_samples(
    path: str | os.PathLike, frame: tuple[int, int], address_bytes: int | None, tick: float | None
) -> tuple: ...
def write_samples(path: str | os.PathLike, samples: list, labels: list) -> None: ...

class Reading:
    def __init__(
        self,
        convention: str | None,
        time_unit: str | None,
        spike_area: str | None,
        reset: str | None,
        dt: float | None,
        recurrent_delay: float | None,
        t_ref: float,
        clock: str,
    ) -> None: ...

class Document:
    @staticmethod
    def read(path: str | os.PathLike, form: str, sum_duplicate_edges: bool) -> Document: ...
    @staticmethod
    def from_tree(tree: dict, version: str, origin: str, sum_duplicate_edges: bool) -> Document: ...
    def write(self, path: str | os.PathLike, form: str) -> None: ...
    def to_delays(self, tool: str | None) -> Document: ...
    def tree(self) -> dict: ...
    @property
    def notes(self) -> list: ...
    def __eq__(self, other: object, /) -> bool: ...

    __hash__: None = None

def is_sonata_config(path: str | os.PathLike) -> bool: ...

class BuiltNetwork:
    def __init__(self, document: Document, reading: Reading) -> None: ...
    @staticmethod
    def from_sonata(path: str | os.PathLike) -> BuiltNetwork: ...
    def to_document(self, origin: str) -> tuple: ...
    def write_sonata(self, path: str | os.PathLike) -> None: ...
    def with_recurrent_delay(self, seconds: float) -> BuiltNetwork: ...
    def for_steps(self, reading: Reading) -> BuiltNetwork: ...
    @property
    def dt(self) -> float: ...
    @property
    def populations(self) -> list: ...
    @property
    def projections(self) -> list: ...
    @property
    def outputs(self) -> dict: ...
    @property
    def notes(self) -> list: ...

class Distribution:
    @staticmethod
    def constant(value: float) -> Distribution: ...
    @staticmethod
    def uniform(low: float, high: float, step: float) -> Distribution: ...
    @staticmethod
    def normal(mean: float, sd: float, low: float, high: float, step: float) -> Distribution: ...
    def __repr__(self) -> str: ...

class NetworkBuilder:
    def __init__(self, seed: int) -> None: ...
    def input(self, name: str, shape: list) -> None: ...
    def source(self, name: str, shape: list, kind: str, parameters: dict, seed: int | None) -> None: ...
    def spike_source(self, name: str, shape: list, spikes: SpikeTrain) -> None: ...
    def population(self, name: str, shape: list, model: str, parameters: dict) -> None: ...
    def connect(
        self,
        pre: str,
        post: str,
        rule: str,
        k: int | None,
        N: int | None,
        p: float | None,
        autapses: bool,
        multapses: bool,
        procedural: bool,
        seed: int | None,
        weight: Distribution,
        delay: Distribution,
    ) -> None: ...
    def connect_list(
        self, pre: str, post: str, sources: object, targets: object, weight: object, delay: object
    ) -> None: ...
    def connect_matrix(
        self,
        pre: str,
        post: str,
        weight: Annotated[
            NDArray[numpy.float64], dict(shape=(None, None), order="C", device="cpu", writable=False)
        ],
        delay: float,
    ) -> None: ...
    def network(self) -> BuiltNetwork: ...

def run(
    built: BuiltNetwork,
    trains: dict,
    duration: float,
    record_spikes: bool,
    potential_step: float,
    until_first_spike_of: str | None,
    threads: int,
    checkpoint: str | os.PathLike | None,
    checkpoint_every: float,
    resume: bool,
    callback: object | None,
) -> dict: ...
def steps_covering(duration: float, dt: float) -> int: ...
def run_steps(
    built: BuiltNetwork,
    samples: list,
    steps: int,
    record_spikes: bool,
    record_potentials: bool,
    threads: int,
    callback: object | None,
) -> tuple: ...
def inspect(document: Document) -> dict: ...
def refusal_by_exact_clock(built: BuiltNetwork) -> object: ...
def usual_step(convention: str | None) -> float: ...
def compare_trains(a: SpikeTrain, b: SpikeTrain, neurons: int, tolerance: int, tau: float) -> dict: ...

class FrameSet:
    def __len__(self) -> int: ...
    @property
    def steps(self) -> int: ...
    @property
    def shape(self) -> tuple: ...
    @property
    def dt(self) -> float: ...
    @property
    def classes(self) -> list: ...
    @property
    def labels(self) -> list[int]: ...
    def read(
        self,
        samples: object,
        draw: int | None,
        threads: int,
        values: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
    ) -> None: ...

def open_frames(path: str | os.PathLike, split: str, options: dict) -> FrameSet: ...
def stored_frames(
    values: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
    labels: object,
    steps: int,
    shape: Sequence[int],
    dt: float,
    classes: Sequence[str],
) -> FrameSet: ...
def read_wav(path: str | os.PathLike) -> tuple: ...
def mel_power(samples: object, rate: int, dt: float) -> object: ...
def log_mel(
    power: object,
    bands: int,
    derivatives: bool,
    features: Annotated[NDArray[numpy.float32], dict(shape=(None,), order="C", device="cpu")],
) -> None: ...
def evaluate(
    built: BuiltNetwork,
    path: str | os.PathLike,
    split: str,
    duration: float | None,
    output: str,
    threads: int,
    decide: str,
    encoding: str,
    slot: float | None,
    slots: int | None,
    callback: object | None,
) -> dict: ...
def evaluate_surrogate(
    document: Document,
    path: str | os.PathLike | None,
    samples: FrameSet | None,
    split: str,
    left_out: str,
    threads: int,
    callback: object | None,
) -> dict: ...
def learnt_in_steps(document: Document) -> object: ...

class Loss:
    @staticmethod
    def of_class(population: str, kind: str, label: int, values: dict) -> Loss: ...
    @staticmethod
    def of_spike_times(
        population: str, neurons: Sequence[int], indices: Sequence[int], times: Sequence[float]
    ) -> Loss: ...
    @staticmethod
    def of_potentials(
        population: str, neurons: Sequence[int], times: Sequence[float], values: Sequence[float]
    ) -> Loss: ...
    @staticmethod
    def sum(factors: Sequence[float], losses: list) -> Loss: ...
    @staticmethod
    def function(function: object) -> Loss: ...

def gradient(
    built: BuiltNetwork, trains: dict, duration: float, loss: Loss, of_neurons: bool, largest_factor: float
) -> dict: ...
def train_s4nn(
    built: BuiltNetwork | None,
    path: str | os.PathLike,
    split: str,
    arguments: dict,
    checkpoint: str,
    resume: bool,
    callback: object | None,
    on_epoch: object | None,
) -> dict: ...
def train_exact(
    built: BuiltNetwork | None,
    path: str | os.PathLike,
    arguments: dict,
    checkpoint: str,
    resume: bool,
    callback: object | None,
    on_epoch: object | None,
) -> dict: ...
def train_surrogate(
    document: Document | None,
    reading: Reading | None,
    path: str | os.PathLike | None,
    samples: FrameSet | None,
    held_back: FrameSet | None,
    arguments: dict,
    checkpoint: str,
    resume: bool,
    callback: object | None,
    on_epoch: object | None,
) -> dict: ...
