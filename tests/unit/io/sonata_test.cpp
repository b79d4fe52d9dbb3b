#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "saltus/engine/errors.hpp"
#include "saltus/io/spikes.hpp"
#include "unit/io/hdf5_fixture.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::io;
using namespace saltus::test;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

Time at(std::int64_t femtoseconds) {
    return Time(Duration(femtoseconds));
}

/// The refusal of a file with one population 'lif' of these columns.
template <class Id = std::uint64_t>
std::string refusal_of(const std::vector<double>& timestamps, const std::vector<Id>& node_ids) {
    const TemporaryFolder folder;
    Hdf5Writer(folder / "s.h5")
        .column("spikes/lif/timestamps", timestamps)
        .column("spikes/lif/node_ids", node_ids);
    return message_of<FileError>([&] { return read_spikes(folder / "s.h5"); });
}

}  // namespace

TEST_SUITE("io/sonata") {
    TEST_CASE("a file of the population layout is read, sorted by time and neuron") {
        const TemporaryFolder folder;
        Hdf5Writer(folder / "s.h5")
            .column("spikes/b/timestamps", std::vector<double>{2.5, 0.1, 2.5})
            .column("spikes/b/node_ids", std::vector<std::uint64_t>{9, 4, 3})
            .text_attribute("spikes/b/timestamps", "units", "ms")
            .column("spikes/a/timestamps", std::vector<double>{})
            .column("spikes/a/node_ids", std::vector<std::uint64_t>{});
        const std::vector<PopulationSpikes> populations = read_spikes(folder / "s.h5");
        REQUIRE(populations.size() == 2);
        CHECK(populations[0].population == "a");
        CHECK(populations[0].spikes.empty());
        CHECK(populations[1].population == "b");
        CHECK(populations[1].spikes.times ==
              std::vector<Time>{at(100'000'000'000), at(2'500'000'000'000), at(2'500'000'000'000)});
        CHECK(populations[1].spikes.neurons == std::vector<NeuronIndex>{4, 3, 9});
    }

    TEST_CASE("the older layout has one population without a name") {
        const TemporaryFolder folder;
        Hdf5Writer(folder / "s.h5")
            .column("spikes/timestamps", std::vector<float>{1.5f, 0.5f})
            .column("spikes/gids", std::vector<std::int32_t>{7, 8});
        const std::vector<PopulationSpikes> populations = read_spikes(folder / "s.h5");
        REQUIRE(populations.size() == 1);
        CHECK(populations[0].population.empty());
        CHECK(populations[0].spikes.times == std::vector<Time>{at(500'000'000'000), at(1'500'000'000'000)});
        CHECK(populations[0].spikes.neurons == std::vector<NeuronIndex>{8, 7});
    }

    TEST_CASE("every unit means what its name says, and without one times are in ms") {
        const std::vector<std::pair<std::string, std::int64_t>> units{{"fs", 1},
                                                                      {"ps", 1'000},
                                                                      {"ns", 1'000'000},
                                                                      {"us", 1'000'000'000},
                                                                      {"ms", 1'000'000'000'000},
                                                                      {"s", 1'000'000'000'000'000},
                                                                      {"", 1'000'000'000'000}};
        for (const auto& [unit, femtoseconds] : units) {
            CAPTURE(unit);
            const TemporaryFolder folder;
            Hdf5Writer writer(folder / "s.h5");
            writer.column("spikes/p/timestamps", std::vector<double>{3.0})
                .column("spikes/p/node_ids", std::vector<std::uint64_t>{0});
            if (!unit.empty()) writer.text_attribute("spikes/p/timestamps", "units", unit);
            CHECK(read_spikes(folder / "s.h5").at(0).spikes.times == std::vector<Time>{at(3 * femtoseconds)});
        }
    }

    // A double of m milliseconds is m (1 + 2^-53) at worst; below 8192 ms that is less than half a
    // femtosecond.
    TEST_CASE("timestamps alone keep whole femtoseconds below 8.192 s") {
        std::vector<std::int64_t> femtoseconds{0, 1, 2, 999'999'999'999, 8'191'999'999'999'999};
        for (std::int64_t t = 7; t < 8'000'000'000'000'000; t = t * 3 + 1) femtoseconds.push_back(t);
        for (std::int64_t k = 0; k < 2000; ++k) {
            femtoseconds.push_back(8'191'999'999'999'999 - k * 7'919);
            femtoseconds.push_back(4'200'000'000'000'000 + k * 7'919);
        }
        std::vector<double> timestamps;
        for (const std::int64_t t : femtoseconds) timestamps.push_back(static_cast<double>(t) / 1e12);
        std::vector<std::uint64_t> node_ids(femtoseconds.size(), 0);

        const TemporaryFolder folder;
        Hdf5Writer(folder / "s.h5")
            .column("spikes/p/timestamps", timestamps)
            .column("spikes/p/node_ids", node_ids);
        std::sort(femtoseconds.begin(), femtoseconds.end());
        const SpikeTrain spikes = read_spikes(folder / "s.h5").at(0).spikes;
        REQUIRE(spikes.size() == femtoseconds.size());
        for (std::size_t i = 0; i < spikes.size(); ++i)
            REQUIRE(spikes.times[i].femtoseconds() == femtoseconds[i]);
    }

    TEST_CASE("what is written is read again to the femtosecond, over the whole range of time") {
        const TemporaryFolder folder;
        PopulationSpikes exc{"exc", {}};
        exc.spikes.add(at(0), 4294967294);
        exc.spikes.add(at(1), 0);
        exc.spikes.add(at(9'007'199'254'740'993), 1);  // 2^53 + 1
        exc.spikes.add(at(9'007'199'254'740'994), 1);
        exc.spikes.add(at(INT64_MAX - 5000), 2);
        for (std::uint32_t i = 0; i < 5000; ++i) exc.spikes.add(at(1'234'567'890'123'457 * (i % 7) + i), i);
        exc.spikes.sort();
        const PopulationSpikes silent{
            "gr\xc3\xb6\xc3\x9f"
            "e 2",
            {}};
        write_spikes(folder / "out.h5", {exc, silent});

        const std::vector<PopulationSpikes> read = read_spikes(folder / "out.h5");
        REQUIRE(read.size() == 2);
        const bool first_is_exc = read[0].population == "exc";
        CHECK(read[first_is_exc ? 0 : 1].spikes == exc.spikes);
        CHECK(read[first_is_exc ? 1 : 0].population == silent.population);
        CHECK(read[first_is_exc ? 1 : 0].spikes.empty());
        CHECK(spike_layout(folder / "out.h5") == SpikeLayout::sonata);
    }

    TEST_CASE(
        "the written file has what the format asks: magic, version, sorting, units, columns in order of "
        "time") {
        const TemporaryFolder folder;
        PopulationSpikes lif{"lif", {}};
        lif.spikes.add(at(2'000'000'000'000), 1);
        lif.spikes.add(at(500'000'000'000), 6);
        write_spikes(folder / "out.h5", {lif});

        const Hdf5Reader file(folder / "out.h5");
        CHECK(file.integers_of("/", "magic") == std::vector<std::uint32_t>{0x0a7a});
        CHECK(file.integers_of("/", "version") == std::vector<std::uint32_t>{0, 1});
        CHECK(file.member_of("/spikes/lif", "sorting") == "by_time");
        CHECK(file.text_of("/spikes/lif/timestamps", "units") == "ms");
        CHECK(file.values<double>("/spikes/lif/timestamps") == std::vector<double>{0.5, 2.0});
        CHECK(file.values<std::uint64_t>("/spikes/lif/node_ids") == std::vector<std::uint64_t>{6, 1});
        CHECK(file.values<std::int64_t>("/spikes/lif/femtoseconds") ==
              std::vector<std::int64_t>{500'000'000'000, 2'000'000'000'000});
        CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
    }

    TEST_CASE("long columns are written without compression, which readers without gzip could not undo") {
        const TemporaryFolder folder;
        PopulationSpikes lif{"lif", {}};
        for (std::uint32_t i = 0; i < 10'000; ++i) lif.spikes.add(at(i), i);
        const PopulationPotentials potentials{"lif", {at(0)}, 10'000, std::vector<double>(10'000, 0.0)};
        write_spikes(folder / "out.h5", {lif}, {potentials});
        const Hdf5Reader file(folder / "out.h5");
        for (const char* column :
             {"/spikes/lif/timestamps", "/spikes/lif/node_ids", "/spikes/lif/femtoseconds",
              "/report/lif/data", "/report/lif/values", "/report/lif/mapping/node_ids"}) {
            CAPTURE(column);
            CHECK(file.filters(column) == 0);
        }
    }

    TEST_CASE("potentials are written as a SONATA report") {
        const TemporaryFolder folder;
        const PopulationPotentials potentials{
            "lif",
            {at(1'000'000'000'000), at(1'250'000'000'000), at(1'500'000'000'000)},
            2,
            {0.1, 2, 3, 4, 5, 6}};
        write_spikes(folder / "out.h5", {}, {potentials});

        const Hdf5Reader file(folder / "out.h5");
        CHECK(file.shape("/report/lif/data") == std::vector<hsize_t>{3, 2});
        CHECK(file.type_size("/report/lif/data") == 4);  // libsonata refuses float64
        CHECK(file.values<float>("/report/lif/data") == std::vector<float>{0.1f, 2, 3, 4, 5, 6});
        CHECK(file.values<double>("/report/lif/values") == std::vector<double>{0.1, 2, 3, 4, 5, 6});
        CHECK(file.text_of("/report/lif/data", "units") == "V");
        CHECK(file.values<double>("/report/lif/mapping/time") == std::vector<double>{1.0, 1.75, 0.25});
        CHECK(file.text_of("/report/lif/mapping/time", "units") == "ms");
        CHECK(file.values<std::uint64_t>("/report/lif/mapping/node_ids") == std::vector<std::uint64_t>{0, 1});
        CHECK(file.values<std::uint64_t>("/report/lif/mapping/index_pointers") ==
              std::vector<std::uint64_t>{0, 1, 2});
        CHECK(file.values<std::uint32_t>("/report/lif/mapping/element_ids") ==
              std::vector<std::uint32_t>{0, 0});
        CHECK(read_spikes(folder / "out.h5").empty());
    }

    TEST_CASE("what the layout cannot hold is refused, and the old file stays as it was") {
        const TemporaryFolder folder;
        const std::filesystem::path path = folder / "out.h5";
        PopulationSpikes good{"lif", {}};
        good.spikes.add(at(5), 1);
        write_spikes(path, {good});
        const auto refusal = [&](const std::vector<PopulationSpikes>& spikes,
                                 const std::vector<PopulationPotentials>& potentials = {}) {
            return message_of<UsageError>([&] { write_spikes(path, spikes, potentials); });
        };
        PopulationSpikes negative{"lif", {}};
        negative.spikes.add(at(-1), 0);
        PopulationSpikes uneven{"lif", {}};
        uneven.spikes.times.push_back(at(1));
        CHECK(contains(refusal({good, good}), "population 'lif': expected each name once"));
        CHECK(contains(refusal({{"", {}}}), "population '': expected a name that HDF5 can hold"));
        CHECK(contains(refusal({{"a/b", {}}}), "population 'a/b': expected a name that HDF5 can hold"));
        CHECK(contains(refusal({negative}), "spikes of 'lif': expected times from 0 on, found -1fs"));
        CHECK(contains(refusal({uneven}), "expected as many times as neurons, found 1 and 0"));
        CHECK(contains(
            refusal({}, {{"lif", {at(0), at(2), at(3)}, 1, {1, 2, 3}}}),
            "potentials of 'lif': expected equally spaced instants (every 2fs), found 2fs and then 3fs"));
        CHECK(
            contains(refusal({}, {{"lif", {at(2), at(2)}, 1, {1, 2}}}), "expected equally spaced instants"));
        CHECK(contains(refusal({}, {{"lif", {at(0)}, 2, {1, 2, 3}}}), "expected 1 x 2 values, found 3"));
        CHECK(read_spikes(path).at(0).spikes == good.spikes);
        CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
    }

    TEST_CASE("times that are no instants of a run are refused and the entry named") {
        for (const double wrong : {std::nan(""), infinity, -infinity, -1e-300, 1e7, 1e300}) {
            CAPTURE(wrong);
            const std::string text = refusal_of<>({1.0, wrong}, {0, 0});
            CHECK(contains(
                text, "s.h5: '/spikes/lif/timestamps': entry 1: expected a time from 0 to 9223 s, found "));
        }
    }

    TEST_CASE("node ids that are negative or too large are refused and the entry named") {
        CHECK(
            contains(refusal_of<std::int64_t>({1.0, 2.0}, {3, -1}),
                     "'/spikes/lif/node_ids': entry 1: expected a node id from 0 to 4294967294, found -1."));
        CHECK(contains(refusal_of<>({1.0}, {4294967295}), "found 4294967295."));
        CHECK(contains(refusal_of<>({1.0}, {UINT64_MAX}), "'/spikes/lif/node_ids'"));
        CHECK(contains(refusal_of<double>({1.0}, {1.0}), "'/spikes/lif/node_ids': expected integers"));
        CHECK(refusal_of<>({1.0}, {4294967294}).empty());
    }

    TEST_CASE("columns of different lengths are refused") {
        CHECK(contains(refusal_of<>({1.0, 2.0}, {3}),
                       "'/spikes/lif/node_ids': expected one column as long as timestamps"));
    }

    TEST_CASE("a unit that is none, or no text, is refused") {
        const TemporaryFolder folder;
        Hdf5Writer(folder / "a.h5")
            .column("spikes/p/timestamps", std::vector<double>{3.0})
            .column("spikes/p/node_ids", std::vector<std::uint64_t>{0})
            .text_attribute("spikes/p/timestamps", "units", "hours");
        CHECK(contains(message_of<FileError>([&] { return read_spikes(folder / "a.h5"); }),
                       "attribute 'units': expected one of fs, ps, ns, us, ms, s, found 'hours'."));
        Hdf5Writer(folder / "b.h5")
            .column("spikes/p/timestamps", std::vector<double>{3.0})
            .column("spikes/p/node_ids", std::vector<std::uint64_t>{0})
            .integer_attribute("spikes/p/timestamps", "units", 3);
        CHECK(contains(message_of<FileError>([&] { return read_spikes(folder / "b.h5"); }), "'units'"));
    }

    TEST_CASE("femtoseconds that contradict the timestamps beside them are refused with the cure") {
        const TemporaryFolder folder;
        Hdf5Writer(folder / "s.h5")
            .column("spikes/p/timestamps", std::vector<double>{3.0})
            .column("spikes/p/node_ids", std::vector<std::uint64_t>{0})
            .column("spikes/p/femtoseconds", std::vector<std::int64_t>{3'000'000'000'002});
        const std::string text = message_of<FileError>([&] { return read_spikes(folder / "s.h5"); });
        CHECK(
            contains(text, "'/spikes/p/femtoseconds': entry 0: expected the time that stands in timestamps"));
        CHECK(contains(text, "Delete this column where timestamps were changed on purpose."));
    }

    TEST_CASE("missing groups and columns are refused by name") {
        const TemporaryFolder folder;
        Hdf5Writer(folder / "a.h5").group("other");
        CHECK(contains(message_of<FileError>([&] { return read_spikes(folder / "a.h5"); }),
                       "'/spikes': is missing"));
        CHECK(contains(message_of<FileError>([&] { return spike_layout(folder / "a.h5"); }),
                       "found none of these groups"));
        Hdf5Writer(folder / "b.h5").column("spikes/p/timestamps", std::vector<double>{3.0});
        CHECK(contains(message_of<FileError>([&] { return read_spikes(folder / "b.h5"); }),
                       "'/spikes/p/node_ids': is missing"));
        write_bytes(folder / "c.h5", "no HDF5 at all");
        CHECK(contains(message_of<FileError>([&] { return read_spikes(folder / "c.h5"); }),
                       "expected an HDF5 file"));
    }

    TEST_CASE("links that lead elsewhere are not followed") {
        const TemporaryFolder folder;
        Hdf5Writer(folder / "good.h5")
            .column("spikes/p/timestamps", std::vector<double>{3.0})
            .column("spikes/p/node_ids", std::vector<std::uint64_t>{0});
        Hdf5Writer(folder / "soft.h5")
            .column("t", std::vector<double>{3.0})
            .column("spikes/p/node_ids", std::vector<std::uint64_t>{0})
            .soft_link("spikes/p/timestamps", "/t");
        Hdf5Writer(folder / "cycle.h5").group("spikes").soft_link("spikes/p", "/spikes");
        Hdf5Writer(folder / "external.h5").group("spikes").external_link("spikes/p", "good.h5", "/spikes/p");
        Hdf5Writer(folder / "whole.h5").external_link("spikes", "good.h5", "/spikes");
        const auto refusal = [&](const char* name) {
            return message_of<FileError>([&] { return read_spikes(folder / name); });
        };
        CHECK(contains(refusal("soft.h5"), "'/spikes/p/timestamps': is a soft link"));
        CHECK(contains(refusal("cycle.h5"), "'/spikes/p': is a soft link"));
        CHECK(contains(refusal("external.h5"), "'/spikes/p': is a link to another file"));
        CHECK(contains(refusal("whole.h5"), "'/spikes': is a link to another file"));
    }

    TEST_CASE("labelled samples are not read as populations") {
        CHECK(contains(message_of<FileError>([] {
                           return read_spikes(std::string(SALTUS_DATASETS) +
                                              "/samples/fsdd_spikes/fsdd_spikes_20.h5");
                       }),
                       "found labelled samples (SHD). Read it as a data set."));
    }

    TEST_CASE("a folder that does not exist is named when writing") {
        const TemporaryFolder folder;
        CHECK(contains(message_of<FileError>([&] { write_spikes(folder / "no" / "out.h5", {}); }), "out.h5"));
    }
}
