"""The program as users and scripts call it: output, exit codes, what it leaves behind."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from conftest import NIR_FILES, ROOT, SAMPLES

PROGRAM = Path(os.environ.get("SALTUS_PROGRAM", ROOT / "build" / "release" / "bin" / "saltus"))
NETWORK = SAMPLES / "cnn_nmnist" / "cnn_sinabs.nir"
RECORDINGS = SAMPLES / "n-mnist"
SEVEN = RECORDINGS / "Test" / "7" / "00001.bin"


def saltus(*arguments, code=0):
    """Runs the program; returns what it wrote to standard output and standard error."""
    result = subprocess.run(
        [PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == code, result.stderr
    return result.stdout, result.stderr


def json_network(path, nodes, edges):
    path.write_text(
        json.dumps({"version": "1.0.8", "node": {"type": "NIRGraph", "nodes": nodes, "edges": edges}})
    )
    return path


def driven_lif(path, current=1.5, tau=0.01):
    """One LIF under constant drive: period tau ln(I / (I - 1)); its input never comes."""
    lif = {
        "type": "LIF",
        "tau": [tau],
        "r": [1.0],
        "v_leak": [current],
        "v_threshold": [1.0],
        "v_reset": [0.0],
    }
    nodes = {"input": {"type": "Input", "shape": [1]}, "lif": lif, "output": {"type": "Output", "shape": [1]}}
    return json_network(path, nodes, [["input", "lif"], ["lif", "output"]])


def test_run_writes_sonata_spikes_that_another_reader_understands(tmp_path):
    out = tmp_path / "out.h5"
    stdout, _ = saltus("run", NETWORK, "-i", SEVEN, "-d", "350ms", "-o", out, "--json", "-q")
    summary = json.loads(stdout)
    with h5py.File(out) as file:
        spikes = file["spikes/12"]
        assert spikes["timestamps"].attrs["units"] == "ms"
        times = spikes["timestamps"][()]
        assert np.all(np.diff(times) >= 0)
        assert np.bincount(spikes["node_ids"][()].astype(int)).argmax() == 7
        total = sum(len(file[f"spikes/{name}/node_ids"]) for name in file["spikes"])
    assert total == summary["spikes"]
    assert summary["threads"] == 1
    assert summary["sim_s"] > 0
    assert summary["peak_rss_mib"] > 1


def test_a_run_can_end_with_the_first_spike_of_a_population(tmp_path):
    net = driven_lif(tmp_path / "net.json")
    arguments = ["run", net, "-d", "100ms", "--until-first-spike-of", "lif", "--json", "-q"]
    summary = json.loads(saltus(*arguments)[0])
    assert summary["spikes_by_population"]["lif"] == 1
    np.testing.assert_allclose(summary["end_s"], 0.01 * np.log(3.0), rtol=1e-12)


def test_the_exit_code_and_one_line_tell_what_went_wrong(tmp_path):
    def refusal(code, *arguments):
        stdout, stderr = saltus(*arguments, code=code)
        assert stdout == ""
        assert stderr.count("\n") == 1, stderr
        return stderr

    hostile = sorted((NIR_FILES / "hostile").glob("*.nir"))
    assert len(hostile) == 15
    for file in hostile:
        assert str(file) in refusal(3, "inspect", file)
    assert "no such file" in refusal(3, "inspect", tmp_path / "none.nir")
    assert "expected a time up to the end" in refusal(3, "run", NETWORK, "-i", SEVEN, "-d", "5ms", "-q")
    assert "has no delay" in refusal(4, "run", NIR_FILES / "package" / "self_loop.nir", "-d", "1ms", "-q")
    assert "beyond the range" in refusal(4, "run", NETWORK, "-d", "3h", "-q")
    assert "not built yet" in refusal(4, "run", NETWORK, "-d", "1ms", "--clock", "integer")
    assert "no Linear" in refusal(
        4,
        "run",
        NIR_FILES / "paper" / "two_lif_neurons.nir",
        "-d",
        "1ms",
        "--clock",
        "stepped",
        "--convention",
        "sinabs",
    )
    for verb in ("export", "quantize", "sweep", "bench"):
        assert f"saltus {verb} is not built yet" in refusal(4, verb, "anything", "--at", "all")
    assert "has no unit" in refusal(2, "run", NETWORK, "-d", "350")
    assert "did you mean" in refusal(2, "run", NETWORK, "-d", "1ms", "--convention", "nors").lower()
    assert ".foo" in refusal(2, "convert", NETWORK, tmp_path / "out.foo")
    saltus("run", NETWORK, code=2)  # no duration
    saltus("frobnicate", code=2)


def test_a_spike_file_is_checked_before_anything_runs(tmp_path):
    def spike_file(name, times, ids, population="input"):
        path = tmp_path / name
        with h5py.File(path, "w") as file:
            group = file.create_group(f"spikes/{population}")
            group["timestamps"] = np.asarray(times, float)
            group["timestamps"].attrs["units"] = "ms"
            group["node_ids"] = np.asarray(ids, np.uint64)
        return path

    def run(path, code):
        return saltus("run", NETWORK, "-i", path, "-d", "10ms", "-q", "-o", tmp_path / "out.h5", code=code)[1]

    assert run(spike_file("good.h5", [1.0, 2.0], [0, 2311]), 0) == ""
    (tmp_path / "out.h5").unlink()
    assert "2312" in run(spike_file("neuron.h5", [1.0], [2312]), 3)
    assert "nan" in run(spike_file("nan.h5", [np.nan], [0]), 3).lower()
    assert "negative.h5" in run(spike_file("negative.h5", [-1.0], [0]), 3)
    assert "late.h5" in run(spike_file("late.h5", [11.0], [0]), 3)
    assert "uneven.h5" in run(spike_file("uneven.h5", [1.0, 2.0], [0]), 3)
    two = spike_file("two.h5", [1.0], [0], "a")
    with h5py.File(two, "a") as file:
        file["spikes/b/timestamps"] = [1.0]
        file["spikes/b/node_ids"] = np.array([0], np.uint64)
    assert "no input of this name" in run(two, 3)
    assert not (tmp_path / "out.h5").exists()


def test_convert_there_and_back_keeps_every_bit(tmp_path):
    saltus("convert", NETWORK, tmp_path / "cnn.nir.json")
    saltus("convert", tmp_path / "cnn.nir.json", tmp_path / "back.nir")
    with h5py.File(NETWORK) as before, h5py.File(tmp_path / "back.nir") as after:
        for node in before["node/nodes"]:
            for field in before["node/nodes"][node]:
                a, b = (file["node/nodes"][node][field][()] for file in (before, after))
                assert np.asarray(a).tobytes() == np.asarray(b).tobytes(), (node, field)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["back.nir", "cnn.nir.json"]


def test_inspect_shows_populations_units_and_traps():
    stdout, _ = saltus("inspect", NIR_FILES / "package" / "self_loop.nir")
    assert "LIF" in stdout
    assert "tau_m 0.01 s" in stdout
    assert "this cycle has no delay" in stdout
    facts = json.loads(saltus("inspect", NETWORK, "--json")[0])
    assert [p["name"] for p in facts["populations"]] == ["input", "1", "3", "6", "10", "12"]
    assert facts["outputs"] == {"output": "12"}


def test_evaluate_is_the_same_on_any_number_of_threads(tmp_path):
    def evaluate(threads):
        out = json.loads(saltus("evaluate", NETWORK, RECORDINGS, "--threads", threads, "--json", "-q")[0])
        return {
            key: out[key]
            for key in ("decisions", "confusion", "spikes_per_sample", "synaptic_events_per_sample")
        }

    one = evaluate(1)
    assert one == evaluate(4)
    assert len(one["decisions"]) == 60
    report = tmp_path / "report.html"
    saltus("evaluate", NETWORK, RECORDINGS, "-q", "--report", report)
    assert "Confusion matrix" in report.read_text()


def test_of_sixty_recordings_at_least_57_times_right():
    out = json.loads(saltus("evaluate", NETWORK, RECORDINGS, "--json", "-q")[0])
    assert out["samples"] == 60
    assert out["correct"] >= 57


def test_a_driven_neuron_fires_at_the_textbook_interval(tmp_path):
    saltus("run", driven_lif(tmp_path / "lif.nir.json"), "-d", "1s", "-o", tmp_path / "o.h5", "-q")
    with h5py.File(tmp_path / "o.h5") as file:
        times = file["spikes/lif/timestamps"][()]
    assert len(times) == 91
    assert np.allclose(np.diff(times), 10 * np.log(3), rtol=1e-12)


def test_potentials_are_recorded_on_a_grid(tmp_path):
    network = driven_lif(tmp_path / "lif.nir.json", current=0.5)  # below threshold: relaxes to 0.5
    saltus(
        "run", network, "-d", "10ms", "--dt", "1ms", "--record", "potentials", "-o", tmp_path / "o.h5", "-q"
    )
    with h5py.File(tmp_path / "o.h5") as file:
        values = file["report/lif/data"][()][:, 0]
    assert np.allclose(values, 0.5 * (1 - np.exp(-np.arange(11) / 10)), rtol=1e-6)
    assert "--dt" in saltus("run", network, "-d", "10ms", "--record", "potentials", code=2)[1]


def test_ctrl_c_ends_with_130_and_keeps_what_was_recorded(tmp_path):
    out = tmp_path / "o.h5"
    network = driven_lif(tmp_path / "lif.nir.json", tau=1e-6)  # 8 * 10^9 spikes, were it to end
    command = [PROGRAM, "run", network, "-d", "9000s", "-o", out, "--json", "-q"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    summary = json.loads(stdout)
    assert summary["interrupted"] is True
    with h5py.File(out) as file:
        assert len(file["spikes/lif/timestamps"]) == summary["spikes"] > 0


def test_a_sonata_circuit_is_inspected_and_run(circuit, tmp_path):
    shown = json.loads(saltus("inspect", circuit, "--json")[0])
    assert [p["name"] for p in shown["populations"]] == ["in", "out"]
    assert shown["projections"][0]["synapses"] == 2
    spikes = tmp_path / "in.h5"
    with h5py.File(spikes, "w") as file:
        file["spikes/in/timestamps"] = np.array([0.0])
        file["spikes/in/node_ids"] = np.array([0], "u8")
    out, _ = saltus("run", circuit, "-i", spikes, "-d", "10ms", "--json")
    assert json.loads(out)["spikes"] == 1
    (tmp_path / "node_types.csv").unlink()
    _, said = saltus("run", circuit, "-i", spikes, "-d", "10ms", code=3)
    assert "node_types.csv: no such file" in said


def test_compare_tells_where_clocks_and_conventions_part(tmp_path):
    network = NIR_FILES / "paper" / "lif_norse.nir"
    with h5py.File(NIR_FILES / "paper" / "lif_traces.h5") as file:
        pulses = np.flatnonzero(file["norse/input"][:])
    spikes = tmp_path / "spikes.h5"
    with h5py.File(spikes, "w") as file:
        group = file.create_group("spikes/input")
        group["timestamps"] = pulses * 0.1
        group["timestamps"].attrs["units"] = "ms"
        group["node_ids"] = np.zeros(len(pulses), np.uint64)
    page = tmp_path / "compare.html"
    stdout, _ = saltus(
        *("compare", network, "-i", spikes, "-d", "100ms", "--dt", "0.1ms", "--json", "--report", page),
        *("--with", "stepped:norse,stepped:snntorch,exact:norse"),
    )
    result = json.loads(stdout)
    assert [run["run"] for run in result["runs"]] == ["stepped:norse", "stepped:snntorch", "exact:norse"]
    assert [run["spikes_by_population"]["1"] for run in result["runs"]] == [4, 4, 4]
    alike, exact = result["populations"]
    assert (alike["same"], alike["only_here"], alike["first_difference"]) == (4, 0, None)
    assert alike["van_rossum"] == alike["victor_purpura"] == 0
    # An impulse of area dt lets the neuron fire at 45 and 50 ms, a pulse dt wide at 46 and 51 ms.
    assert exact["same"] == 2
    first = exact["first_difference"]
    assert (first["time_s"], first["only_in"]) == (0.045, "exact:norse")
    assert first["potential"] == 0.0  # it has just been reset
    assert 0.09 < first["potential_of_first"] < 0.1
    assert exact["victor_purpura"] == pytest.approx(0.2)  # two spikes, 1 ms each, at 10 ms
    assert exact["van_rossum"] > 0
    html = page.read_text()
    for text in ("stepped:snntorch", "1, neuron 0", "Spikes of 1"):
        assert text in html
    assert "<script" not in html

    stdout, _ = saltus("compare", network, "-i", spikes, "-d", "100ms", "--with", "exact,stepped")
    assert "first difference" in stdout
    saltus("compare", network, "-i", spikes, "-d", "100ms", "--with", "exact", code=2)
    saltus("compare", network, "-i", spikes, "--with", "exact,stepped", code=2)
    saltus("compare", network, "-i", spikes, "-d", "1ms", "--with", "exact,walked", code=2)
    for runs in ("exact,stepped", "stepped,exact"):
        _, stderr = saltus("compare", network, "-i", spikes, "-d", "20ms", "--with", runs, code=3)
        assert f"{spikes}: spikes for 'input'" in stderr
        assert "expected a time up to the end of the run, 20ms" in stderr
    _, stderr = saltus(
        "compare", network, "-i", spikes, "-d", "100ms", "--with", "exact,stepped:lava-dl", code=4
    )
    assert "stepped:lava-dl" in stderr
    assert "no LIF" in stderr


def test_compare_counts_decisions_on_a_data_set(tmp_path):
    arguments = ("--with", "stepped:norse,stepped:sinabs", "--dt", "1ms", "--json", "-q")
    stdout, _ = saltus("compare", NETWORK, "--dataset", RECORDINGS / "Test" / "3", "-d", "100ms", *arguments)
    norse, sinabs = json.loads(stdout)["decisions"]
    assert norse["samples"] == norse["as_first"] == sinabs["samples"] > 0
    assert sinabs["as_first"] <= sinabs["samples"]


def test_inspect_tells_who_wrote_a_file_who_can_run_it_and_the_traps():
    stdout, _ = saltus("inspect", NIR_FILES / "norse" / "skip_join" / "network.nir", "--json")
    stepped = json.loads(stdout)["stepped"]
    assert stepped["guess"]["convention"] == "norse"
    assert {tool["convention"] for tool in stepped["tools"] if tool["refusal"] is None} >= {
        "norse",
        "snntorch",
    }
    assert any("joins another way" in trap for trap in stepped["traps"])
    stdout, _ = saltus("inspect", NIR_FILES / "norse" / "skip_join" / "network.nir")
    assert "guessed because" in stdout
    assert "trap: " in stdout


def test_inspect_prints_the_file_as_asked_for_and_as_the_tool_means_it():
    network = NIR_FILES / "sinabs" / "lif_chain" / "network.nir"
    facts = json.loads(saltus("inspect", network, "--json")[0])
    guessed = facts["stepped"]["exact"]
    assert guessed["refusal"] is None
    for reading, tau, reset in ((facts, 10.0, "to V_reset"), (guessed, 0.01, "by repeated subtraction")):
        readout = next(entry for entry in reading["populations"] if entry["name"] == "3")
        assert readout["parameters"]["tau_m"]["max"] == pytest.approx(tau)
        assert readout["reset"] == reset
    stdout, _ = saltus("inspect", network)
    assert "as sinabs means the file" in stdout
    nengo = json.loads(saltus("inspect", NIR_FILES / "nengo" / "lif_layer" / "network.nir", "--json")[0])
    assert nengo["stepped"]["exact"]["populations"] is None
    assert "1/dt" in nengo["stepped"]["exact"]["refusal"]


def test_inspect_shows_the_samples_of_a_data_set():
    speech = json.loads(saltus("inspect", SAMPLES / "speech-commands", "--task", "7", "--json")[0])
    assert (speech["kind"], speech["frames"], speech["shape"]) == ("sound", 101, [3, 40])
    assert list(speech["classes"]) == ["down", "go", "left", "right", "up", "_silence_", "_unknown_"]
    assert sum(speech["classes"].values()) == speech["samples"]
    braille = SAMPLES / "braille" / "braille_30.h5"
    stdout, _ = saltus("inspect", braille, "--split", "test")
    assert "touch" in stdout
    assert "162" in stdout
    touch = json.loads(saltus("inspect", braille, "--json")[0])
    assert touch["classes"]["Q"] == 30
    assert 0.15 < touch["last_spike_s"] <= 77 * 0.002
    _, stderr = saltus("inspect", braille, "--split", "valid", code=2)
    assert "split" in stderr
