// Files of spikes: every format gives back what was written, by its own rules, and refuses what it has no
// place for.
#include "saltus/io/recordings.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "saltus/engine/errors.hpp"
#include "saltus/io/nir_data.hpp"
#include "unit/io/hdf5_fixture.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::io;
using namespace saltus::test;
using namespace std::string_literals;

namespace {

SpikeTrain train(const std::vector<std::pair<std::int64_t, NeuronIndex>>& spikes) {
    SpikeTrain result;
    for (const auto& [tick, neuron] : spikes) result.add(Time(Duration(tick)), neuron);
    return result;
}

Recordings one_sample() {
    // No double of seconds holds the last.
    return {{{"in", 0, {train({{0, 2}, {1'500'000'000'001, 0}, {9'000'000'000'000'000'001, 1}})}},
             {"silent", 0, {train({})}}},
            {},
            {}};
}
Recordings three_samples() {
    return {{{"a, \"b\"", 0, {train({{5, 1}}), train({}), train({{7, 0}, {7, 1}})}},
             {"c", 0, {train({}), train({}), train({})}}},
            {},
            {}};
}

void check_same(const Recordings& a, const Recordings& b) {
    REQUIRE(a.populations.size() == b.populations.size());
    for (const Recordings::Population& population : a.populations) {
        CAPTURE(population.name);
        const auto other = std::find_if(b.populations.begin(), b.populations.end(),
                                        [&](const auto& p) { return p.name == population.name; });
        REQUIRE(other != b.populations.end());
        CHECK(population.samples == other->samples);
    }
    CHECK(a.labels == b.labels);
}

Recordings read(const std::filesystem::path& path) {
    std::vector<std::string> notes;
    return read_recordings(path, {}, notes);
}
Recordings there_and_back(const Recordings& recordings, const char* name) {
    const TemporaryFolder folder;
    write_recordings(folder / name, recordings);
    return read(folder / name);
}
std::string refusal(const std::filesystem::path& path) {
    return message_of<FileError>([&] { return read(path); });
}
std::string refused_text(const char* name, std::string_view text) {
    const TemporaryFolder folder;
    write_bytes(folder / name, text);
    const std::string message = refusal(folder / name);
    const std::string begin = (folder / name).string() + ": ";
    return message.starts_with(begin) ? message.substr(begin.size()) : message;
}

std::string event(std::uint32_t address, std::uint32_t time, std::size_t address_bytes) {
    std::string bytes;
    for (std::size_t k = address_bytes; k-- > 0;) bytes += static_cast<char>(address >> (8 * k) & 0xff);
    for (std::size_t k = 4; k-- > 0;) bytes += static_cast<char>(time >> (8 * k) & 0xff);
    return bytes;
}

}  // namespace

TEST_SUITE("io/recordings") {
    TEST_CASE("spikes come back to the femtosecond from SONATA, npz and csv") {
        for (const char* name : {"s.h5", "s.npz", "s.csv"}) {
            CAPTURE(name);
            check_same(there_and_back(one_sample(), name), one_sample());
        }
    }

    TEST_CASE("samples come back, the silent ones too, from npz, csv and NIRData") {
        for (const char* name : {"s.npz", "s.csv", "s.nirdata", "s.nirdata.h5"}) {
            CAPTURE(name);
            check_same(there_and_back(three_samples(), name), three_samples());
        }
        Recordings labelled = three_samples();
        labelled.labels = {3, -1, 4};
        check_same(there_and_back(labelled, "s.npz"), labelled);
    }

    TEST_CASE("what a format has no place for is refused by name") {
        const TemporaryFolder folder;
        const auto said = [&](const char* name, const Recordings& recordings) {
            return message_of<UsageError>([&] { write_recordings(folder / name, recordings); });
        };
        Recordings labelled = three_samples();
        labelled.labels = {1, 2, 3};
        CHECK(contains(said("s.h5", three_samples()), "3 samples: a SONATA file holds one"));
        CHECK(contains(said("s.csv", labelled), "labels of samples"));
        CHECK(contains(said("s.nirdata", labelled), "labels of samples"));
        CHECK(contains(said("s.nirdata", one_sample()), "has no exact value in seconds"));
        CHECK(contains(said("s.bin", one_sample()), "recordings of sensors are read only"));
        CHECK(contains(said("s.txt", one_sample()), "expected a file of spikes that ends in"));
    }

    TEST_CASE("one sample of several") {
        const Recordings one = sample_of(three_samples(), 2);
        CHECK(one.samples() == 1);
        CHECK(one.populations[0].samples[0] == train({{7, 0}, {7, 1}}));
        CHECK(contains(message_of<UsageError>([] { return sample_of(three_samples(), 3); }),
                       "sample 3: expected one below 3"));
    }

    TEST_CASE("csv: columns in any order, units, comments, quotes and exponents") {
        const TemporaryFolder folder;
        write_bytes(
            folder / "s.csv",
            "# a comment\r\nneuron,population,time_ms\r\n3,\"a\",1.5\r\n\r\n4,\"b, \"\"c\"\"\",2.5e0\n");
        const Recordings recordings = read(folder / "s.csv");
        REQUIRE(recordings.populations.size() == 2);
        CHECK(recordings.populations[0].samples[0] == train({{1'500'000'000'000, 3}}));
        CHECK(recordings.populations[1].name == "b, \"c\"");
        CHECK(recordings.populations[1].samples[0] == train({{2'500'000'000'000, 4}}));
    }

    TEST_CASE("csv is written as others read it") {
        const TemporaryFolder folder;
        write_recordings(folder / "s.csv", {{{"", 0, {train({{1'500'000'000'000, 3}, {0, 1}})}}}, {}, {}});
        std::ifstream file(folder / "s.csv");
        CHECK(std::string(std::istreambuf_iterator<char>(file), {}) == "time_s,neuron\n0.0015,3\n0,1\n");
    }

    TEST_CASE("csv that is wrong is refused by line") {
        const auto said = [](std::string_view text) { return refused_text("s.csv", text); };
        CHECK(contains(said(""), "expected a line of names"));
        CHECK(contains(said("time_s\n"), "line 1: expected a column 'neuron', found none"));
        CHECK(contains(said("neuron\n"), "line 1: expected a column 'time_s', found none"));
        CHECK(contains(said("time_s,neuron,time_ms\n"), "line 1: expected each column once"));
        CHECK(contains(said("time_s,neuron,weight\n"), "found 'weight'"));
        CHECK(contains(said("time_s,neuron\n1\n"), "line 2: expected 2 columns, found 1"));
        CHECK(contains(said("time_s,neuron\n-1,0\n"),
                       "line 2, time: expected a number from 0 to 9223 s, found '-1'"));
        CHECK(contains(said("time_s,neuron\n#\nnan,0\n"), "line 3, time: expected a number"));
        CHECK(contains(said("time_s,neuron\n1e300,0\n"), "line 2, time: expected a number"));
        CHECK(contains(said("time_s,neuron\n99999999999999999999,0\n"), "line 2, time: expected a number"));
        CHECK(contains(said("time_s,neuron\n1,-1\n"), "line 2, neuron: expected a whole number"));
        CHECK(contains(said("time_s,neuron\n1,4294967295\n"),
                       "line 2, neuron: expected a whole number from 0 to 4294967294"));
        CHECK(contains(said("time_s,neuron\n1,1.5\n"), "found '1.5'"));
        CHECK(
            contains(said("time_s,neuron,sample\n1,1,1048576\n"), "line 2, sample: expected a whole number"));
        CHECK(contains(said("time_s,neuron\n\"1,1\n"), "line 2: expected a closing quote, found none"));
        CHECK(contains(said("time_s,neuron\n\xff,1\n"), "is not text in UTF-8"));
    }

    TEST_CASE("archives that are damaged are refused") {
        const TemporaryFolder folder;
        write_recordings(folder / "s.npz", one_sample());
        std::ifstream file(folder / "s.npz", std::ios::binary);
        const std::string whole{std::istreambuf_iterator<char>(file), {}};
        for (std::size_t length = 0; length < whole.size(); length += 13)
            CHECK(refused_text("cut.npz", std::string_view(whole).substr(0, length)) != "");
        for (std::size_t at = 0; at < whole.size(); at += 3) {
            std::string changed = whole;
            changed[at] = static_cast<char>(changed[at] ^ 0x5a);
            write_bytes(folder / "changed.npz", changed);
            try {
                static_cast<void>(
                    read(folder / "changed.npz"));  // names and dates of entries are not checked
            } catch (const FileError&) {
            }
        }
        CHECK(
            contains(refused_text("text.npz", "PK but not quite, and long enough to be taken for an archive"),
                     "truncated"));
    }

    TEST_CASE("the golden file of NIRData is read, written and read again") {
        const auto golden =
            std::filesystem::path(SALTUS_TEST_DATA) / "conformance/nir/package/observables.nirdata.h5";
        const std::vector<NirNodeData> nodes = read_nir_data(golden);
        REQUIRE(nodes.size() == 1);
        CHECK(nodes[0].node == "lif");
        REQUIRE(nodes[0].observables.size() == 3);
        const auto& spikes = std::get<NirEvents>(nodes[0].observables[0].second);
        CHECK(spikes.samples == 2);
        CHECK(spikes.events == 4);
        CHECK(spikes.n_neurons == 3);
        CHECK(spikes.t_max == 0.01);
        const Hdf5Reader file(golden);
        CHECK(spikes.idx == file.values<std::int64_t>("nodes/lif/observables/spikes/idx"));
        CHECK(spikes.time == file.values<double>("nodes/lif/observables/spikes/time"));
        CHECK(std::get<NirGrid>(nodes[0].observables[1].second).data.shape ==
              std::vector<std::uint64_t>{2, 10, 3});

        const TemporaryFolder folder;
        write_nir_data(folder / "again.nirdata", nodes);
        CHECK(read_nir_data(folder / "again.nirdata") == nodes);

        std::vector<std::string> notes;
        const Recordings recordings = recordings_of(nodes, "golden", notes);
        CHECK(notes == std::vector<std::string>{"node 'lif': 'v' is left out, it holds no spikes.",
                                                "node 'lif': 'w' is left out, it holds no spikes."});
        REQUIRE(recordings.samples() == 2);
        std::size_t events = 0;
        for (const std::int64_t idx : spikes.idx) events += idx >= 0 ? 1 : 0;
        CHECK(recordings.populations[0].samples[0].size() + recordings.populations[0].samples[1].size() ==
              events);
        CHECK(recordings.populations[0].neurons == 3);
        check_same(recordings_of(nir_data_of(recordings), "again", notes), recordings);
    }

    TEST_CASE("a grid of booleans is a spike at the beginning of each step") {
        NirGrid grid{{NirType::boolean, {1, 3, 2}, {}}, 0.5e-3};
        for (const int x : {0, 0, 1, 0, 0, 1}) grid.data.data.push_back(static_cast<std::byte>(x));
        std::vector<std::string> notes;
        const Recordings recordings = recordings_of({{"n", {{"s", grid}}}}, "file", notes);
        CHECK(recordings.populations.at(0).samples.at(0) ==
              train({{500'000'000'000, 0}, {1'000'000'000'000, 1}}));
        CHECK(recordings.duration == Duration(1'500'000'000'000));
    }

    TEST_CASE("address events: versions 1 and 2, and none with a format") {
        const TemporaryFolder folder;
        write_bytes(folder / "two.aedat",
                    "#!AER-DAT2.0\r\n# made by hand\r\n" + event(70'000, 10, 4) + event(3, 12, 4));
        CHECK(read_address_events(folder / "two.aedat", {}) ==
              train({{10'000'000'000, 70'000}, {12'000'000'000, 3}}));
        write_bytes(folder / "one.aedat", "#!AER-DAT1.0\n" + event(7, 10, 2));
        CHECK(read_address_events(folder / "one.aedat", {}) == train({{10'000'000'000, 7}}));
        write_bytes(folder / "none.aedat", event(7, 573'010, 2) + event(63, 573'011, 2));
        CHECK(read_address_events(folder / "none.aedat", AddressFormat{2, Duration(200'000'000)}) ==
              train({{114'602'000'000'000, 7}, {114'602'200'000'000, 63}}));
        CHECK(contains(refusal(folder / "none.aedat"), "--address-bytes 2 --tick 200ns"));
    }

    TEST_CASE("address events that are damaged are refused") {
        const auto said = [](std::string_view text) { return refused_text("s.aedat", text); };
        CHECK(contains(said("#!AER-DAT2.0\n" + event(1, 2, 4).substr(1)), "expected a multiple of 8 bytes"));
        CHECK(contains(said("#!AER-DAT3.1\n" + event(1, 2, 4)), "expected AER-DAT 1.0 or 2.0"));
        CHECK(contains(said("#!AER-DAT2.0"), "expected a line break behind the header"));
        CHECK(contains(said("#!AER-DAT2.0\n" + event(1, 3, 4) + event(1, 2, 4)),
                       "event 1: expected a time that does not run backwards"));
        CHECK(contains(said("#!AER-DAT2.0\n" + event(0xffffffff, 3, 4)), "event 0: expected an address"));
        const TemporaryFolder folder;
        write_bytes(folder / "s.aedat", event(1, 0xffffffff, 2));
        CHECK(contains(
            message_of<FileError>([&] {
                return read_address_events(folder / "s.aedat", AddressFormat{2, parse_duration("1s")});
            }),
            "expected a time up to 9223 s"));
        CHECK(contains(message_of<UsageError>([&] {
                           return read_address_events(folder / "s.aedat", AddressFormat{3, Duration(1)});
                       }),
                       "expected 2 or 4 bytes of address"));
    }

    TEST_CASE("batches and cameras are recordings, too") {
        const TemporaryFolder folder;
        Hdf5Writer(folder / "shd.h5")
            .rows("spikes/times", std::vector<std::vector<double>>{{0.25, 0.5}, {}})
            .rows("spikes/units", std::vector<std::vector<std::uint16_t>>{{3, 4}, {}})
            .column("labels", std::vector<std::uint16_t>{1, 0});
        const Recordings batch = read(folder / "shd.h5");
        CHECK(batch.labels == std::vector<std::int64_t>{1, 0});
        CHECK(batch.populations.at(0).samples.at(0) ==
              train({{250'000'000'000'000, 3}, {500'000'000'000'000, 4}}));
        write_bytes(folder / "camera.bin", "\x02\x01\x80\x00\x05"s);
        const Recordings camera = read(folder / "camera.bin");
        CHECK(camera.populations.at(0).neurons == 2 * 34 * 34);
        CHECK(camera.populations.at(0).samples.at(0) == train({{5'000'000'000, (34 + 1) * 34 + 2}}));
        write_bytes(folder / "camera.bin", "\x40\x01\x80\x00\x05"s);
        CHECK(contains(refusal(folder / "camera.bin"), "expected x, y inside 34 x 34, found 64, 1"));
    }

    TEST_CASE("an HDF5 file is a recording if it holds spikes") {
        const TemporaryFolder folder;
        write_recordings(folder / "s.h5", one_sample());
        CHECK(holds_recording(folder / "s.h5"));
        Hdf5Writer(folder / "n.h5").group("node");
        CHECK(!holds_recording(folder / "n.h5"));
        CHECK(holds_recording("missing.csv"));
        CHECK(!holds_recording("missing.nir"));
    }
}
