"""Data sets as frames, for networks in discrete time, and sound.

>>> test = saltus.datasets.frames("yin-yang", "test", dt=0.001, steps=32)
>>> test
Frames: 1000 samples, 32 steps of 0.001 s, shape (5,), 3 classes
>>> test.batch([0, 5, 7]).shape
(3, 32, 5)
"""

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from saltus import _saltus
from saltus._network import _path
from saltus._simulate import whole_number
from saltus.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Frames", "frames", "log_mel", "mel_power", "read_wav"]


class Frames:
    """Labelled samples as numbers on a grid of steps.

    Attributes
    ----------
    steps : int
    dt : float
        Seconds from step to step.
    shape : tuple of int
        Of one step: (channel, band) for sound, (polarity, y, x) for a camera.
    classes : list of str
        Names of the labels 0, 1, ...
    labels : ndarray of int
        One for each sample.
    """

    def __init__(self, built: "_saltus.FrameSet") -> None:
        import numpy as np

        self._built = built
        self.steps: int = built.steps
        self.dt: float = built.dt
        self.shape: tuple[int, ...] = built.shape
        self.classes: list[str] = built.classes
        self.labels: npt.NDArray[np.int64] = np.array(built.labels, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._built)

    def __repr__(self) -> str:
        return (
            f"Frames: {len(self)} samples, {self.steps} steps of {self.dt:g} s, shape {self.shape}, "
            f"{len(self.classes)} classes"
        )

    def batch(
        self, samples: Iterable[int] | None = None, *, draw: int | None = None, threads: int | None = None
    ) -> "npt.NDArray[np.float32]":
        """Values of some samples, of shape (samples, steps, ...).

        Parameters
        ----------
        samples : iterable of int, optional
            Their numbers; without it, all.
        draw : int, optional
            Alters the samples as `frames` was asked to: by a function of its seed, this number and the
            sample's. Without it they are as they are.
        threads : int, optional
            Values do not depend on it.

        Raises
        ------
        UsageError
            There is no sample of that number.

        Examples
        --------
        >>> test = saltus.datasets.frames("n-mnist", "test", dt=0.01)
        >>> test.batch([0, 1]).shape
        (2, 32, 2, 34, 34)
        """
        import numpy as np

        whole_number("draw", draw, 0, (1 << 32) - 1)
        whole_number("threads", threads, 1)
        chosen = np.arange(len(self)) if samples is None else np.array(list(samples), dtype=np.int64)
        values = np.empty((len(chosen), self.steps, *self.shape), dtype=np.float32)
        self._built.read(chosen, draw, threads or 1, values.reshape(-1))
        return values


def frames(
    path: "str | os.PathLike[str]",
    split: str | None = None,
    *,
    dt: float = 0.01,
    steps: int | None = None,
    binary: bool = False,
    derivatives: bool = True,
    task: str | None = None,
    left_out: str | None = None,
    shift: float = 0.0,
    noise: float = 0.0,
    drop: float = 0.0,
    pixels: int = 0,
    mask_steps: int = 0,
    mask_bands: int = 0,
    seed: int = 0,
    threads: int | None = None,
) -> Frames:
    """Open a data set as frames: sound as log-mel features, spikes and events counted in steps.

    Parameters
    ----------
    path : str or path-like
        Speech commands or spoken digits (HDF5), a folder of WAV files, and everything that `evaluate` takes.
    split : {"train", "validation", "test"}, optional
        The part to take; without it, everything.
    dt : float
        Seconds of a step.
    steps : int, optional
        Spikes: steps of a sample; without it, to the last spike of all.
    binary : bool
        Spikes: one or none in a step.
    derivatives : bool
        Sound: the first and second derivative over time, too.
    task : {"12w", "7"}, optional
        Speech commands: twelve words, or the seven categories.
    left_out : str, optional
        Spoken digits: the speaker who is the test part.
    shift : float
        Altered samples are moved by up to so many seconds.
    noise : float
        Sound: power of noise beside that of the recording, at most. Spikes: added beside those there are.
    drop : float
        Spikes: the share that is left out.
    pixels : int
        Spikes: moved in the last two dimensions by up to so much.
    mask_steps, mask_bands : int
        Sound: up to so many steps and bands in a row are silent.
    seed : int
        Of the alterations.
    threads : int, optional
        That turn sound into features; None: all processors.

    Returns
    -------
    Frames

    Raises
    ------
    FileError
        A file cannot be read, or what it holds is wrong.
    UsageError
        The data set has no such part or task, or an argument is out of its range.

    Examples
    --------
    >>> saltus.datasets.frames("speech-commands", "test", task="7").classes
    ['down', 'go', 'left', 'right', 'up', '_silence_', '_unknown_']
    """
    options = frame_options(
        dt=dt,
        steps=steps,
        binary=binary,
        derivatives=derivatives,
        task=task,
        left_out=left_out,
        shift=shift,
        noise=noise,
        drop=drop,
        pixels=pixels,
        mask_steps=mask_steps,
        mask_bands=mask_bands,
        seed=seed,
        threads=threads,
    )
    return Frames(_saltus.open_frames(_path(path), split or "", options))


def frame_options(**given: Any) -> dict[str, Any]:
    """The arguments of `frames` as the compiled module takes them, checked."""
    smallest = {"steps": 1, "pixels": 0, "mask_steps": 0, "mask_bands": 0, "threads": 1}
    for name, least in smallest.items():
        whole_number(name, given[name], least, (1 << 32) - 1)
        given[name] = given[name] or 0
    whole_number("seed", given["seed"], 0, (1 << 64) - 1)
    for name in ("dt", "shift", "noise", "drop"):
        given[name] = float(given[name])
    for name in ("binary", "derivatives"):
        given[name] = bool(given[name])
    for name in ("task", "left_out"):
        given[name] = given[name] or ""
    return given


def stored(
    what: str, arrays: tuple[Any, ...], *, dt: float, classes: "Sequence[str] | None"
) -> "_saltus.FrameSet":
    """Samples in memory, (frames, labels); without `classes` these are 0 to the largest label."""
    import numpy as np

    if len(arrays) != 2:
        raise UsageError(f"{what}: expected (frames, labels), found a tuple of {len(arrays)}.")
    values, labels = map(np.asarray, arrays)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"frames: expected numbers, found {values.dtype}.")
    if not 3 <= values.ndim <= 5:
        raise UsageError(
            "frames: expected samples x steps x channels and up to two axes of space, found shape "
            f"{values.shape}."
        )
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels: expected whole numbers, found {labels.dtype}.")
    if labels.shape != values.shape[:1]:
        raise UsageError(
            f"labels: expected one for each of {len(values)} samples, found shape {labels.shape}."
        )
    if classes is None:
        classes = [str(k) for k in range(int(labels.max(initial=0)) + 1)]
    return _saltus.stored_frames(
        np.ascontiguousarray(values, dtype=np.float32).reshape(-1),
        labels,
        values.shape[1],
        list(values.shape[2:]),
        float(dt),
        list(classes),
    )


def read_wav(path: "str | os.PathLike[str]") -> "tuple[npt.NDArray[np.float64], int]":
    """Read a WAV file of whole or floating numbers.

    Returns
    -------
    samples : ndarray of float, shape (frames, channels)
        Whole numbers of n bits are divided by 2^(n - 1).
    rate : int
        Frames a second.

    Raises
    ------
    FileError
        The file cannot be read, or is not such a file.

    Examples
    --------
    >>> samples, rate = saltus.datasets.read_wav("right_1eddce1d_nohash_3.wav")
    >>> samples.shape, rate
    ((16000, 1), 16000)
    """
    return _saltus.read_wav(_path(path))


def mel_power(samples: "npt.ArrayLike", rate: int, *, dt: float = 0.01) -> "npt.NDArray[np.float64]":
    """Power of one second of sound in 40 bands of the mel scale, 20 to 4000 Hz, in windows of 30 ms.

    Parameters
    ----------
    samples : array_like of float, shape (n,)
        Centred in one second of silence; of more, the middle is taken.
    rate : int
        Samples a second, at least 8000.
    dt : float
        Seconds from frame to frame, a whole number of samples.

    Returns
    -------
    ndarray of float, shape (frames, 40)

    Raises
    ------
    UsageError
        An argument is out of its range.

    Examples
    --------
    >>> samples, rate = saltus.datasets.read_wav("right_1eddce1d_nohash_3.wav")
    >>> saltus.datasets.mel_power(samples[:, 0], rate).shape
    (101, 40)
    """
    whole_number("rate", rate, 1, 1_000_000)
    return _saltus.mel_power(samples, rate, float(dt))


def log_mel(
    samples: "npt.ArrayLike", rate: int, *, dt: float = 0.01, derivatives: bool = True
) -> "npt.NDArray[np.float32]":
    """Log-mel features of one second of sound: log(1 + S / max S) of `mel_power`, and its derivatives.

    Each band is divided by its standard deviation over time.

    Parameters
    ----------
    samples, rate, dt
        As in `mel_power`.
    derivatives : bool
        The first and second derivative over time, too: polynomials of order 1 and 2 fitted to 9 frames.

    Returns
    -------
    ndarray of float, shape (frames, 3, 40), or (frames, 1, 40) without derivatives

    Raises
    ------
    UsageError
        An argument is out of its range.

    Examples
    --------
    >>> samples, rate = saltus.datasets.read_wav("right_1eddce1d_nohash_3.wav")
    >>> saltus.datasets.log_mel(samples[:, 0], rate).shape
    (101, 3, 40)
    """
    import numpy as np

    power = mel_power(samples, rate, dt=dt)
    features = np.empty((power.shape[0], 3 if derivatives else 1, power.shape[1]), dtype=np.float32)
    _saltus.log_mel(power.reshape(-1), power.shape[1], derivatives, features.reshape(-1))
    return features
