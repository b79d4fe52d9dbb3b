"""Data sets as frames, and sound, from Python."""

import hashlib
import wave

import h5py
import numpy as np
import pytest
import saltus
from conftest import SAMPLES

SPEECH = SAMPLES / "speech-commands"


def test_parts_of_speech_commands_are_those_of_the_file():
    with h5py.File(SPEECH / "features.h5") as file:
        names = [name.decode() for name in file["word_names"][:]]
        words = [names[word] for word in file["word"][:]]
        split = file["split"][:]
    trained = sorted({word for word, part in zip(words, split, strict=True) if part == 0} - {"_silence_"})
    for number, part in enumerate(("train", "validation", "test")):
        expected = [word for word, p in zip(words, split, strict=True) if p == number and word in trained]
        frames = saltus.datasets.frames(SPEECH, part)
        assert frames.classes == trained
        assert [trained[label] for label in frames.labels] == expected
        assert len(frames) == len(expected)


def polynomial_derivative(rows, order):
    """Of order 1 or 2 of the polynomial of that order fitted to 9 frames, by NumPy's least squares."""
    steps = len(rows)
    result = np.empty_like(rows)
    for t in range(steps):
        middle = min(max(t, 4), steps - 5)
        fit = np.polyfit(np.arange(-4, 5), rows[middle - 4 : middle + 5], order)
        result[t] = fit[0] * order
    return result


def test_features_of_stored_levels_are_those_of_the_formulas():
    frames = saltus.datasets.frames(SPEECH, "train")
    with h5py.File(SPEECH / "features.h5") as file:
        names = [name.decode() for name in file["word_names"][:]]
        chosen = np.array([names[word] in frames.classes for word in file["word"][:]]) & (
            file["split"][:] == 0
        )
        levels = file["logmel"][:][chosen]
    values = frames.batch()
    assert values.dtype == np.float32
    assert values.shape == (len(levels), 101, 3, 40)
    for i in (0, 7, len(levels) - 1):
        power = 10 ** ((levels[i] / 2 - 100) / 10)
        log = np.log1p(power / power.max())
        channels = [log, polynomial_derivative(log, 1), polynomial_derivative(log, 2)]
        for c, channel in enumerate(channels):
            deviation = channel.std(axis=0)
            deviation[deviation == 0] = 1
            np.testing.assert_allclose(values[i, :, c], channel / deviation, rtol=2e-5, atol=2e-5)


def test_a_wav_file_gives_the_same_features_as_its_samples(tmp_path):
    path = SPEECH / "right_1eddce1d_nohash_3.wav"
    samples, rate = saltus.datasets.read_wav(path)
    with wave.open(str(path)) as file:
        expected = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
        assert rate == file.getframerate()
    np.testing.assert_array_equal(samples[:, 0], expected)
    folder = tmp_path / "right"
    folder.mkdir()
    (folder / "a.wav").write_bytes(path.read_bytes())
    from_folder = saltus.datasets.frames(tmp_path).batch()[0]
    np.testing.assert_allclose(from_folder, saltus.datasets.log_mel(samples[:, 0], rate), atol=1e-5)
    alone = saltus.datasets.log_mel(samples[:, 0], rate, derivatives=False)
    np.testing.assert_array_equal(alone[:, 0], saltus.datasets.log_mel(samples[:, 0], rate)[:, 0])


def test_power_is_that_of_librosas_formula():
    rate = 16000
    rng = np.random.default_rng(5)
    sound = rng.uniform(-1, 1, 16000)
    padded = np.pad(sound, 240)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(480) / 480)
    spectrum = np.abs(np.fft.rfft([padded[t * 160 : t * 160 + 480] * window for t in range(101)])) ** 2

    def to_mel(hertz):
        return hertz * 3 / 200 if hertz < 1000 else 15 + 27 * np.log(hertz / 1000) / np.log(6.4)

    mels = np.linspace(to_mel(20), to_mel(4000), 42)
    corners = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * np.log(6.4) / 27))
    bins = np.fft.rfftfreq(480, 1 / rate)
    filters = np.array(
        [
            np.interp(bins, corners[b : b + 3], [0, 1, 0]) * 2 / (corners[b + 2] - corners[b])
            for b in range(40)
        ]
    )
    np.testing.assert_allclose(saltus.datasets.mel_power(sound, rate), spectrum @ filters.T, rtol=1e-11)


def test_altered_samples_depend_on_seed_draw_and_sample_alone():
    options = {"shift": 0.1, "noise": 0.3, "mask_steps": 8, "mask_bands": 4}
    frames = saltus.datasets.frames(SPEECH, "train", seed=1, **options)
    once = frames.batch([4, 2], draw=3)
    np.testing.assert_array_equal(once, frames.batch([4, 2], draw=3, threads=2))
    np.testing.assert_array_equal(once[1], frames.batch([2], draw=3)[0])
    assert not np.array_equal(once, frames.batch([4, 2], draw=4))
    other = saltus.datasets.frames(SPEECH, "train", seed=2, **options)
    assert not np.array_equal(once, other.batch([4, 2], draw=3))
    np.testing.assert_array_equal(frames.batch([4]), other.batch([4]))


def test_events_fall_into_the_steps_that_numpy_counts():
    frames = saltus.datasets.frames(SAMPLES / "n-mnist", "test", dt=0.003)
    path = sorted((SAMPLES / "n-mnist").rglob("*.bin"))[0]
    raw = np.frombuffer(path.read_bytes(), np.uint8).reshape(-1, 5).astype(int)
    time = ((raw[:, 2] & 127) << 16 | raw[:, 3] << 8 | raw[:, 4]) // 3000
    expected = np.zeros((frames.steps, 2, 34, 34), np.float32)
    np.add.at(expected, (time, raw[:, 2] >> 7, raw[:, 1], raw[:, 0]), 1)
    np.testing.assert_array_equal(frames.batch([0])[0], expected)
    binary = saltus.datasets.frames(SAMPLES / "n-mnist", "test", dt=0.003, binary=True)
    np.testing.assert_array_equal(binary.batch([0])[0], expected > 0)


def test_the_part_of_a_speaker_follows_from_its_sha1(tmp_path):
    speakers = [hashlib.md5(str(k).encode()).hexdigest()[:8] for k in range(60)]
    folder = tmp_path / "yes"
    folder.mkdir()
    for speaker in speakers:
        with wave.open(str(folder / f"{speaker}_nohash_0.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(b"\1\0")

    def part(speaker):
        percent = int(hashlib.sha1(speaker.encode()).hexdigest(), 16) % 2**27 * 100 / (2**27 - 1)
        return "validation" if percent < 10 else "test" if percent < 20 else "train"

    for name in ("train", "validation", "test"):
        expected = sum(part(speaker) == name for speaker in speakers)
        assert expected > 0
        assert len(saltus.datasets.frames(tmp_path, name)) == expected


def test_braille_letters_are_learnt_by_a_linear_model_of_their_events():
    """Ridge regression on counts in 20 steps: far above chance (3.7 %), so the events keep the letters."""
    parts = [
        saltus.datasets.frames(SAMPLES / "braille" / "braille_30.h5", part, dt=0.008)
        for part in ("train", "test")
    ]
    (x, test), (y, truth) = (
        [p.batch().reshape(len(p), -1).astype(float) for p in parts],
        [p.labels for p in parts],
    )
    x, test = (np.c_[a, np.ones(len(a))] for a in (x, test))
    weights = np.linalg.solve(x.T @ x + 10 * np.eye(x.shape[1]), x.T @ np.eye(27)[y])
    assert (np.argmax(test @ weights, 1) == truth).mean() > 0.9


def test_wrong_arguments_are_refused_where_they_are_given(tmp_path):
    with pytest.raises(saltus.UsageError, match="Did you mean 'train'"):
        saltus.datasets.frames(SPEECH, "trian")
    with pytest.raises(saltus.UsageError, match="task: expected 12w or 7"):
        saltus.datasets.frames(SPEECH, task="35")
    with pytest.raises(saltus.UsageError, match="steps: expected at least 1"):
        saltus.datasets.frames(SAMPLES / "n-mnist", steps=0)
    with pytest.raises(saltus.UsageError, match="sample 100000: the data set has"):
        saltus.datasets.frames(SPEECH, "train").batch([100000])
    with pytest.raises(saltus.UsageError, match="counted from 0"):
        saltus.datasets.frames(SPEECH, "train").batch([-1])
    with pytest.raises(saltus.UsageError, match="half the rate"):
        saltus.datasets.mel_power(np.zeros(10), 4000)
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    with pytest.raises(saltus.FileError, match="expected a WAV file of at least 12 bytes"):
        saltus.datasets.read_wav(tmp_path / "a.wav")
    with pytest.raises(saltus.FileError, match="found sound"):
        saltus.evaluate(saltus.load(SAMPLES / "cnn_nmnist" / "cnn_sinabs.nir", convention="sinabs"), SPEECH)
