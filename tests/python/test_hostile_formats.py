"""Bad files of every other kind than .nir: refused by file and place, at once, in little memory."""

import time

import pytest
import saltus
from hostile import KINDS
from test_hostile_files import answer

CASES = [(kind, name) for kind, cases in KINDS.items() for name in cases]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_there_are_at_least_15_bad_files_of_each_kind(kind):
    assert len(KINDS[kind]) >= 15


@pytest.mark.parametrize(("kind", "name"), CASES, ids=[f"{kind}-{name}" for kind, name in CASES])
def test_a_bad_file_is_refused_with_what_is_wrong(kind, name, tmp_path):
    make, words = KINDS[kind][name]
    path = make(tmp_path)
    begin = time.process_time()
    with pytest.raises((saltus.FileError, saltus.NetworkError)) as caught:
        saltus.load(path)
    assert time.process_time() - begin < 1
    text = str(caught.value)
    assert text.startswith(str(tmp_path)) or isinstance(caught.value, saltus.NetworkError)
    assert "\n" not in text
    assert len(text) < 1000
    for word in words:
        assert word in text


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("npz", "bomb"),
        ("npz", "declared size"),
        ("SHD", "huge labels"),
        ("SONATA", "huge edges"),
        ("JSON", "declared size"),
        ("JSON", "deep lists"),
        ("CSV", "huge sample"),
        ("NIRData", "huge events"),
    ],
)
def test_what_a_file_declares_is_not_allocated(kind, name, tmp_path):
    make, _ = KINDS[kind][name]
    found = answer(make(tmp_path))
    assert found["error"] is not None
    assert found["mib"] < 300
    assert found["seconds"] < 1
