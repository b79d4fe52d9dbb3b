#include <doctest/doctest.h>

#include <cmath>

#include "saltus/engine/errors.hpp"
#include "saltus/io/spikes.hpp"
#include "unit/io/hdf5_fixture.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::io;
using namespace saltus::test;

namespace {

const std::string samples = std::string(SALTUS_DATASETS) + "/samples/fsdd_spikes/";

double sum_of_seconds(const SpikeBatch& batch) {
    double sum = 0.0;
    for (const SpikeTrain& sample : batch.samples) {
        for (const Time time : sample.times) sum += time.seconds();
    }
    return sum;
}

std::size_t spikes_in(const SpikeBatch& batch) {
    std::size_t n = 0;
    for (const SpikeTrain& sample : batch.samples) n += sample.size();
    return n;
}

using Rows = std::vector<std::vector<double>>;
using Units = std::vector<std::vector<std::int64_t>>;

std::string refusal_of(const Rows& times, const Units& units, const std::vector<std::int64_t>& labels) {
    const TemporaryFolder folder;
    Hdf5Writer(folder / "b.h5")
        .rows("spikes/times", times)
        .rows("spikes/units", units)
        .column("labels", labels);
    return message_of<FileError>([&] { return read_spike_batch(folder / "b.h5"); });
}

}  // namespace

TEST_SUITE("io/spike_batch") {
    // Counts, sums and first entries were read with h5py.
    TEST_CASE("spoken digits: every sample, label and name is there") {
        const SpikeBatch batch = read_spike_batch(samples + "fsdd_spikes_20.h5");
        REQUIRE(batch.samples.size() == 20);
        CHECK(batch.labels ==
              std::vector<std::int64_t>{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9});
        CHECK(batch.units == 64);
        REQUIRE(batch.classes.size() == 10);
        CHECK(batch.classes[7] == "digit 7");
        CHECK(spikes_in(batch) == 8046);
        CHECK(sum_of_seconds(batch) == doctest::Approx(1451.1522047137842).epsilon(1e-13));
        REQUIRE(batch.samples[0].size() == 302);
        CHECK(batch.samples[0].neurons[2] == 8);
        // float32 0.011907930485904217 s, to the nearest femtosecond
        CHECK(batch.samples[0].times[2].femtoseconds() == 11'907'930'485'904);
        CHECK(spike_layout(samples + "fsdd_spikes_20.h5") == SpikeLayout::batch);
    }

    TEST_CASE("half precision times are read as the numbers that they are") {
        const SpikeBatch batch = read_spike_batch(samples + "fsdd_spikes_f16.h5");
        REQUIRE(batch.samples.size() == 10);
        CHECK(spikes_in(batch) == 4593);
        CHECK(sum_of_seconds(batch) == doctest::Approx(954.837929).epsilon(1e-9));
        CHECK(batch.samples[1].size() == 944);
    }

    TEST_CASE("rows are sorted by time, empty rows are samples without spikes") {
        const TemporaryFolder folder;
        Hdf5Writer(folder / "b.h5")
            .rows("spikes/times", Rows{{0.5, 0.25, 0.5}, {}})
            .rows("spikes/units", std::vector<std::vector<std::uint16_t>>{{7, 699, 3}, {}})
            .column("labels", std::vector<std::uint16_t>{19, 0});
        const SpikeBatch batch = read_spike_batch(folder / "b.h5");
        REQUIRE(batch.samples.size() == 2);
        CHECK(batch.samples[0].neurons == std::vector<NeuronIndex>{699, 3, 7});
        CHECK(batch.samples[0].times[0].femtoseconds() == 250'000'000'000'000);
        CHECK(batch.samples[1].empty());
        CHECK(batch.labels == std::vector<std::int64_t>{19, 0});
        CHECK(batch.classes.empty());
        CHECK(batch.units == 700);
    }

    TEST_CASE("counts of labels, times and units that differ are refused") {
        CHECK(contains(refusal_of({{0.1}}, {{1}}, {0, 1}),
                       "'/spikes/times': expected 2 samples, as many as labels, found shape [1]"));
        CHECK(contains(refusal_of({{0.1}, {0.1}}, {{1}}, {0, 1}), "'/spikes/units': expected 2 samples"));
        CHECK(contains(refusal_of({{0.1}, {0.1, 0.2}}, {{1}, {1}}, {0, 1}),
                       "'/spikes/units': sample 1: expected as many units as times, 2, found 1."));
    }

    TEST_CASE("times and units out of range are refused, with sample and entry") {
        for (const double wrong : {std::nan(""), HUGE_VAL, -0.001, 1e4}) {
            CAPTURE(wrong);
            CHECK(contains(refusal_of({{0.1}, {0.1, wrong}}, {{1}, {1, 2}}, {0, 1}),
                           "'/spikes/times': sample 1, entry 1: expected a time from 0 to 9223 s, found "));
        }
        CHECK(contains(refusal_of({{0.1}}, {{-1}}, {0}),
                       "'/spikes/units': sample 0, entry 0: expected a unit from 0"));
        CHECK(contains(refusal_of({{0.1}}, {{4294967295}}, {0}), "found 4294967295."));
    }

    TEST_CASE("missing parts, columns in place of rows, and links are refused") {
        const TemporaryFolder folder;
        const auto refusal = [&](const char* name) {
            return message_of<FileError>([&] { return read_spike_batch(folder / name); });
        };
        Hdf5Writer(folder / "a.h5").rows("spikes/times", Rows{{0.1}}).rows("spikes/units", Units{{1}});
        CHECK(contains(refusal("a.h5"), "'/labels': is missing"));
        Hdf5Writer(folder / "b.h5").column("labels", std::vector<std::int64_t>{1}).group("spikes");
        CHECK(contains(refusal("b.h5"), "'/spikes/times': is missing"));
        Hdf5Writer(folder / "c.h5")
            .column("labels", std::vector<std::int64_t>{1})
            .column("spikes/times", std::vector<double>{1.0})
            .rows("spikes/units", Units{{1}});
        CHECK(contains(refusal("c.h5"), "'/spikes/times': expected a list of rows of numbers"));
        Hdf5Writer(folder / "d.h5")
            .column("labels", std::vector<std::int64_t>{1})
            .rows("t", Rows{{0.1}})
            .rows("spikes/units", Units{{1}})
            .soft_link("spikes/times", "/t");
        CHECK(contains(refusal("d.h5"), "'/spikes/times': is a soft link"));
        Hdf5Writer(folder / "e.h5")
            .column("labels", std::vector<std::int64_t>{1})
            .rows("spikes/times", Rows{{0.1}})
            .rows("spikes/units", Rows{{1.0}});
        CHECK(contains(refusal("e.h5"), "'/spikes/units': expected a list of rows of numbers"));
    }
}
