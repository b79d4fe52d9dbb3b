// Checkpoints: every field comes back, and nothing damaged, forged or foreign is gone on from.
#include "saltus/io/checkpoint.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>

#include "saltus/engine/digest.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/network_builder.hpp"
#include "unit/io/hdf5_fixture.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::io;
using namespace saltus::test;

namespace {

Time at(std::int64_t femtoseconds) {
    return Time(Duration(femtoseconds));
}

/// Every field has a value of its own, at the ends of its range where it has one.
Snapshot full_snapshot() {
    Snapshot s;
    s.network = 0xfedcba9876543210u;
    s.inputs = 0x8000000000000001u;
    s.time = at((std::int64_t{1} << 62) + 1);  // no double holds it
    s.in_flight = {{at(1), 0, 7}, {at(2), 1, 0}};
    s.synaptic_events = std::numeric_limits<std::uint64_t>::max();
    s.windows = 12;
    s.spike_counts = {3, 0};
    PopulationSnapshot exc;
    exc.size = 3;
    exc.reals = {{"V", {0.1, -0.0, std::numeric_limits<double>::infinity()}}, {"I", {1e-300, 2.0, 3.0}}};
    exc.ticks = {{"since", {INT64_MAX, 0, -1}}};
    exc.events = {{at(5), 2, NeuronEvent::What::look, 0.25}, {at(5), 2, NeuronEvent::What::release, -0.5}};
    exc.trains = {{{4, 5, 6}, {7, 8, 9}}, {}, {{1, 2, 3}}};
    exc.frame_origin = 17;
    PopulationSnapshot empty;
    empty.size = 9;
    s.populations = {exc, empty};
    SpikeTrain train;
    train.add(at(1), 2);
    train.add(at(1), 2);
    train.add(at(INT64_MAX), 0xfffffffe);
    s.spikes = {train, {}};
    return s;
}

std::string bytes_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string refusal_of(const std::filesystem::path& path) {
    return message_of<FileError>([&] { return read_checkpoint(path); });
}

/// Changes a checkpoint as write_checkpoint never would, and seals it again (checkpoint.hpp): forged, not
/// damaged.
template <class Change>
void forge(const std::filesystem::path& path, Change change) {
    {
        const Hid file(H5Fopen(path.c_str(), H5F_ACC_RDWR, H5P_DEFAULT));
        change(file);
    }
    std::string bytes = bytes_of(path);
    REQUIRE(bytes.size() < (1u << 20));
    Digest digest;
    digest.text(bytes);
    bytes += "saltus\r\n";
    for (unsigned k = 0; k < 8; ++k) bytes += static_cast<char>(digest.value() >> 8 * k & 0xff);
    write_bytes(path, bytes);
}

/// A checkpoint of a run of two populations with a Poisson source and delays, taken about half way.
struct Run {
    Network network;
    SimulationOptions options;

    explicit Run(double weight = 2e-3) : network(built(weight)) {
        options.duration = Duration(100'000'000'000'000);
    }
    static Network built(double weight) {
        NetworkBuilder build(3);
        build.source("noise", {100}, "poisson", {{"rate", 200.0}});
        build.population("exc", {100}, "lif_exp",
                         {{"tau_m", 20e-3}, {"tau_syn", 2e-3}, {"V_th", 20e-3}, {"t_ref", 2e-3}});
        build.connect("noise", "exc",
                      Connection{.rule = "fixed_indegree",
                                 .k = 20,
                                 .weight = Distribution::constant(20 * weight),
                                 .delay = Distribution::constant(1e-3)});
        build.connect("exc", "exc",
                      Connection{.rule = "fixed_indegree",
                                 .k = 10,
                                 .weight = Distribution::constant(-weight),
                                 .delay = Distribution::uniform(1e-3, 5e-3)});
        return build.network();
    }
    Snapshot half_way() const {
        Snapshot snapshot;
        SimulationOptions watched = options;
        watched.snapshot_due = [&](Time t) {
            return snapshot.time == Time() && t > Time(Duration(50'000'000'000'000));
        };
        watched.on_snapshot = [&](const Snapshot& taken) { snapshot = taken; };
        static_cast<void>(simulate(network, {}, watched));
        return snapshot;
    }
    SimulationResult from(const std::filesystem::path& checkpoint, std::uint32_t threads) const {
        SimulationOptions resumed = options;
        resumed.resume_from = std::make_shared<const Snapshot>(read_checkpoint(checkpoint));
        return simulate(network, {}, resumed, {threads});
    }
};

}  // namespace

TEST_SUITE("io/checkpoint") {
    TEST_CASE("every field comes back as it was written") {
        const TemporaryFolder folder;
        const Snapshot snapshot = full_snapshot();
        write_checkpoint(folder / "c.h5", snapshot);
        const Snapshot read = read_checkpoint(folder / "c.h5");
        CHECK(read == snapshot);
        CHECK(std::signbit(read.populations[0].reals.at("V")[1]));
        Snapshot not_a_number = snapshot;
        not_a_number.populations[0].reals["V"][1] = std::numeric_limits<double>::quiet_NaN();
        write_checkpoint(folder / "nan.h5", not_a_number);
        CHECK(std::isnan(read_checkpoint(folder / "nan.h5").populations[0].reals.at("V")[1]));
        write_checkpoint(folder / "empty.h5", Snapshot{});
        CHECK(read_checkpoint(folder / "empty.h5") == Snapshot{});
    }

    TEST_CASE(
        "a run that goes on from its file ends as the run that was not stopped, on any number of threads") {
        const TemporaryFolder folder;
        const Run run;
        write_checkpoint(folder / "c.h5", run.half_way());
        const SimulationResult whole = simulate(run.network, {}, run.options);
        REQUIRE(whole.neuron_spikes > 100);
        for (const std::uint32_t threads : {1u, 2u, 3u}) {
            CAPTURE(threads);
            const SimulationResult resumed = run.from(folder / "c.h5", threads);
            CHECK(fingerprint(resumed) == fingerprint(whole));
            CHECK(resumed.synaptic_events == whole.synaptic_events);
            CHECK(resumed.spike_counts == whole.spike_counts);
        }
    }

    TEST_CASE("a bit that was changed anywhere is found before the library sees the file") {
        const TemporaryFolder folder;
        const Snapshot snapshot = full_snapshot();
        write_checkpoint(folder / "c.h5", snapshot);
        const std::string bytes = bytes_of(folder / "c.h5");
        for (std::size_t i = 0; i < bytes.size(); i += 3) {
            CAPTURE(i);
            std::string damaged = bytes;
            damaged[i] = static_cast<char>(damaged[i] ^ (1 << i % 8));
            write_bytes(folder / "d.h5", damaged);
            CHECK(contains(refusal_of(folder / "d.h5"), i + 16 < bytes.size() || i + 8 >= bytes.size()
                                                            ? "its checksum does not fit its contents"
                                                            : "with its checksum at the end"));
        }
    }

    TEST_CASE("a file that ends early is refused, wherever it ends") {
        const TemporaryFolder folder;
        write_checkpoint(folder / "c.h5", full_snapshot());
        const std::string bytes = bytes_of(folder / "c.h5");
        for (std::size_t n = 0; n < bytes.size(); n += bytes.size() / 16) {
            CAPTURE(n);
            write_bytes(folder / "d.h5", bytes.substr(0, n));
            CHECK_THROWS_AS(static_cast<void>(read_checkpoint(folder / "d.h5")), FileError);
        }
    }

    TEST_CASE("what is no checkpoint, and one of another version, are refused") {
        const TemporaryFolder folder;
        CHECK(contains(refusal_of(folder / "none.h5"), "no such file"));
        Hdf5Writer(folder / "other.h5").group("populations");
        CHECK(contains(refusal_of(folder / "other.h5"), "expected a checkpoint of a run"));
        forge(folder / "other.h5", [](hid_t) {});
        CHECK(contains(refusal_of(folder / "other.h5"), "expected 'saltus checkpoint', found ''"));
        write_checkpoint(folder / "c.h5", full_snapshot());
        forge(folder / "c.h5", [](hid_t file) {
            const Hid attribute(H5Aopen(file, "version", H5P_DEFAULT));
            const std::uint32_t later = 2;
            REQUIRE(H5Awrite(attribute, H5T_NATIVE_UINT32, &later) >= 0);
        });
        CHECK(contains(refusal_of(folder / "c.h5"), "attribute 'version': expected 1, found 2."));
    }

    TEST_CASE("what is missing or of another type is refused by its name") {
        const TemporaryFolder folder;
        const auto refusal = [&](const char* name, bool replaced) {
            write_checkpoint(folder / "c.h5", full_snapshot());
            forge(folder / "c.h5", [&](hid_t file) {
                REQUIRE(H5Ldelete(file, name, H5P_DEFAULT) >= 0);
                if (!replaced) return;
                const hsize_t three = 3;
                const Hid space(H5Screate_simple(1, &three, nullptr));
                const Hid made(
                    H5Dcreate2(file, name, H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
                const std::vector<float> values{1.0f, 2.0f, 3.0f};
                H5Dwrite(made, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
            });
            return refusal_of(folder / "c.h5");
        };
        CHECK(contains(refusal("inputs", false), "'/inputs': is missing."));
        CHECK(contains(refusal("populations/0/events", false), "'/populations/0/events': is missing."));
        CHECK(contains(refusal("populations/0", false), "'/populations/0': is missing."));
        CHECK(contains(refusal("inputs", true), "'/inputs': expected one value, found float32 [3]."));
        CHECK(contains(refusal("populations/0/spikes/time", true),
                       "'/populations/0/spikes/time': expected integers, found float32 [3]."));
    }

    TEST_CASE("columns of another length and groups that stand for many are refused") {
        const TemporaryFolder folder;
        Snapshot snapshot = full_snapshot();
        snapshot.populations[0].size = 4;
        write_checkpoint(folder / "c.h5", snapshot);
        CHECK(
            contains(refusal_of(folder / "c.h5"), "'/populations/0/reals/I': expected 4 entries, found 3."));

        // A thousand names of one population: more than the file can hold.
        snapshot = full_snapshot();
        snapshot.populations[0] = {100'000, {{"V", std::vector<double>(100'000)}}, {}, {}, {}, 0};
        write_checkpoint(folder / "c.h5", snapshot);
        forge(folder / "c.h5", [](hid_t file) {
            const Hid populations(H5Gopen2(file, "populations", H5P_DEFAULT));
            for (int k = 2; k < 1000; ++k) {
                H5Lcreate_hard(populations, "0", populations, std::to_string(k).c_str(), H5P_DEFAULT,
                               H5P_DEFAULT);
            }
        });
        CHECK(contains(refusal_of(folder / "c.h5"), "more than the limit"));
    }

    TEST_CASE("a checkpoint of another network, or of another question, is refused by the run") {
        const TemporaryFolder folder;
        write_checkpoint(folder / "c.h5", Run().half_way());
        const auto refusal = [&](const Run& run) {
            return message_of<SnapshotError>([&] { return run.from(folder / "c.h5", 1); });
        };
        CHECK(contains(refusal(Run(2.1e-3)), "of another network"));
        Run other;
        other.options.duration = Duration(100'000'000'000'001);
        CHECK(contains(refusal(other), "another duration"));
        other = Run();
        other.options.record_spikes = false;
        CHECK(contains(refusal(other), "other populations recorded"));
    }

    TEST_CASE("a snapshot in which state is missing is refused") {
        const TemporaryFolder folder;
        const Run run;
        Snapshot snapshot = run.half_way();
        snapshot.populations[1].reals.clear();
        write_checkpoint(folder / "c.h5", snapshot);
        CHECK(contains(message_of<SnapshotError>([&] { return run.from(folder / "c.h5", 1); }),
                       "population 'exc': a part of its state is missing"));
    }

    TEST_CASE("a file that cannot be written leaves the one before and no other") {
        const TemporaryFolder folder;
        const Snapshot snapshot = full_snapshot();
        write_checkpoint(folder / "c.h5", snapshot);
        CHECK_THROWS_AS(write_checkpoint(folder / "nowhere/c.h5", snapshot), FileError);
        Snapshot unnamed = snapshot;
        unnamed.populations[0].reals["a/b"] = {1.0, 2.0, 3.0};  // no name of a dataset
        CHECK_THROWS_AS(write_checkpoint(folder / "c.h5", unnamed), FileError);
        CHECK(read_checkpoint(folder / "c.h5") == snapshot);
        std::size_t files = 0;
        for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(folder / ".")) ++files;
        CHECK(files == 1);
    }

    TEST_CASE("a failure to write ends the run by its error") {
        const TemporaryFolder folder;
        Run run;
        write_checkpoints(run.options, folder / "nowhere/c.h5", std::chrono::duration<double>(0.0));
        for (const std::uint32_t threads : {1u, 2u}) {
            CHECK(contains(
                message_of<FileError>([&] { return simulate(run.network, {}, run.options, {threads}); }),
                "there is no folder"));
        }
    }
}
