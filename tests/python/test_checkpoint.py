"""Runs that kill -9, Ctrl-C or an exception has ended go on from their checkpoint to the same end."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import h5py
import pytest
import saltus
from conftest import ROOT
from test_cli import PROGRAM, driven_lif
from test_cli import saltus as program

sys.path.append(str(ROOT / "tests" / "benchmarks" / "checkpoint"))
import kill

NEURONS, SECONDS = 200, 20.0


@pytest.mark.parametrize("kind", ["program", "package"])
def test_killed_runs_go_on_to_the_same_fingerprint_on_any_number_of_threads(tmp_path, kind):
    if kind == "program":
        job = kill.job_of_program(PROGRAM, tmp_path, NEURONS, SECONDS)
    else:
        job = kill.job_of_package(tmp_path, NEURONS, SECONDS)
    begin = time.monotonic()
    whole = job.finish(1)
    wall_s = time.monotonic() - begin
    assert whole["resumed_at"] is None
    chance = random.Random(7)
    results = [kill.check(job, whole, wall_s, chance) for _ in range(3)]
    assert all(result["equal"] and result["tidy"] for result in results), results
    assert any(result["kills"] and result["resumed_at"] for result in results), results


def interrupted_run(tmp_path, *arguments):
    """A run that Ctrl-C has ended after it wrote a checkpoint: network, checkpoint, standard error."""
    network = tmp_path / "net.nir"
    saltus.save(kill.driven(100), network)
    checkpoint = tmp_path / "c.h5"
    command = [PROGRAM, "run", network, "-d", "4000s", "--checkpoint", checkpoint]
    command += ["--record", "none", "--checkpoint-every", "20ms", *arguments]
    before = kill.written(checkpoint)
    process = subprocess.Popen(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while kill.written(checkpoint) == before and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    return network, checkpoint, stderr


def test_a_run_ended_by_ctrl_c_leaves_its_checkpoint_and_goes_on_from_it(tmp_path):
    _, checkpoint, _ = interrupted_run(tmp_path)
    with h5py.File(checkpoint) as file:
        assert file.attrs["format"] == "saltus checkpoint"
        at = int(file["time"][()])
    _, _, stderr = interrupted_run(tmp_path, "--resume", "--threads", 2)
    assert f"the run goes on from {checkpoint} at " in stderr
    with h5py.File(checkpoint) as file:
        assert int(file["time"][()]) > at


def test_a_run_says_that_it_begins_at_0_where_there_is_no_checkpoint(tmp_path):
    network = driven_lif(tmp_path / "net.nir.json")
    out = tmp_path / "out.h5"
    stdout, stderr = program("run", network, "-d", "100ms", "-o", out, "--resume", "--json")
    assert f"no checkpoint {tmp_path / 'out.checkpoint.h5'} to go on from: the run begins at 0." in stderr
    assert json.loads(stdout)["resumed_at"] is None
    assert sorted(os.listdir(tmp_path)) == ["net.nir.json", "out.h5"]


def test_checkpoints_of_another_run_and_damaged_ones_are_refused_in_one_line(tmp_path):
    network, checkpoint, _ = interrupted_run(tmp_path)

    def refusal(net, *arguments, duration="4000s", code=3):
        fixed = ["-d", duration, "--checkpoint", checkpoint, "--resume", "-q"]
        stdout, stderr = program("run", net, *fixed, *arguments, code=code)
        assert stdout == ""
        assert stderr.count("\n") == 1, stderr
        return stderr

    none = ("--record", "none")
    assert "another duration" in refusal(network, *none, duration="3999s")
    assert "other populations recorded" in refusal(network)
    other = driven_lif(tmp_path / "other.nir.json")
    assert f"{checkpoint}: snapshot: it was taken of another network" in refusal(other, *none)
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[: len(whole) // 2])
    assert "was cut off" in refusal(network, *none)
    with h5py.File(checkpoint, "w") as file:
        file["spikes"] = [0]
    assert "expected a checkpoint of a run" in refusal(network, *none)
    middle = len(whole) // 2
    checkpoint.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    assert "its checksum does not fit its contents" in refusal(network, *none)


def test_a_distributed_run_of_one_rank_is_the_run_or_is_refused_by_a_build_without_mpi(tmp_path):
    network = driven_lif(tmp_path / "net.nir.json")
    command = [PROGRAM, "run", network, "-d", "100ms", "--json", "-q"]
    whole = json.loads(program(*command[1:])[0])
    ranks = subprocess.run(
        [*map(str, command), "--mpi"], capture_output=True, text=True, timeout=60, check=False
    )
    if ranks.returncode == 4:
        assert "this build of Saltus is without MPI" in ranks.stderr
    else:
        summary = json.loads(ranks.stdout)
        assert (summary["ranks"], summary["fingerprint"]) == (1, whole["fingerprint"])


def test_options_that_mean_nothing_are_refused(tmp_path):
    network = driven_lif(tmp_path / "net.nir.json")

    def refusal(code, *arguments):
        return program("run", network, "-d", "10ms", "-q", *arguments, code=code)[1]

    assert "no --out to name it after" in refusal(2, "--resume")
    assert "another file than --out" in refusal(2, "-o", "a.h5", "--checkpoint", "./a.h5")
    assert "has no unit" in refusal(2, "-o", "a.h5", "--checkpoint-every", "10")
    assert "expected > 0" in refusal(2, "-o", "a.h5", "--checkpoint-every", "0s")
    potentials = ("-o", "a.h5", "--record", "potentials", "--dt", "1ms", "--checkpoint", "c.h5")
    assert "snapshot" in refusal(4, *potentials)
    assert "threads: expected 1 to 1024, found 0." in refusal(2, "--threads", 0)
    assert "threads: expected 1 to 1024, found 5000." in refusal(2, "--threads", 5000)
    assert "--record: expected spikes, potentials or both, or none" in refusal(2, "--record", "none,spikes")


def test_the_package_goes_on_from_what_an_exception_has_ended(tmp_path):
    net = kill.noisy(50)
    whole = saltus.simulate(net, {}, 20.0)
    path = tmp_path / "c.h5"

    def stop(fraction, *_):
        if fraction < 1:
            raise RuntimeError

    with pytest.raises(RuntimeError) as stopped:
        saltus.simulate(net, {}, 20.0, checkpoint=path, progress=stop)
    assert 0 < stopped.value.partial.end < 20.0
    assert path.exists()
    with pytest.raises(saltus.FileError, match="another duration") as refused:
        saltus.simulate(net, {}, 21.0, checkpoint=path, resume=True)
    assert refused.value.path == str(path)
    rest = saltus.simulate(net, {}, 20.0, checkpoint=path, resume=True, threads=2)
    assert rest.resumed_at == stopped.value.partial.end
    assert (rest.fingerprint, rest.synaptic_events) == (whole.fingerprint, whole.synaptic_events)
    assert rest.spike_counts == whole.spike_counts
    assert not path.exists()


@pytest.mark.parametrize(
    ("choice", "error"),
    [
        ({"resume": True}, saltus.UsageError),
        ({"checkpoint": 3}, TypeError),
        ({"checkpoint": "c.h5", "checkpoint_every": 0}, saltus.UsageError),
        ({"checkpoint": "c.h5", "checkpoint_every": float("nan")}, saltus.UsageError),
        ({"checkpoint": "c.h5", "checkpoint_every": "10s"}, TypeError),
        ({"checkpoint": "c.h5", "resume": "yes"}, TypeError),
        ({"checkpoint": "c.h5", "record": "potentials", "dt": 1e-3}, saltus.LimitError),
    ],
)
def test_choices_of_the_package_that_mean_nothing_are_refused(choice, error):
    with pytest.raises(error):
        saltus.simulate(kill.noisy(10), {}, 0.01, **choice)
    assert os.listdir() == []
