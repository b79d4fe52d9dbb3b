#include <doctest/doctest.h>

#include <algorithm>
#include <thread>

#include "saltus/datasets/dataset.hpp"
#include "saltus/engine/errors.hpp"
#include "unit/io/hdf5_fixture.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::datasets;
using namespace saltus::test;

namespace {

const std::string samples = std::string(SALTUS_DATASETS) + "/samples/";

std::string usage_refusal(const std::filesystem::path& path, const std::string& split = "") {
    return message_of<UsageError>([&] { return open_dataset(path, split); });
}

std::string file_refusal(const std::filesystem::path& path, const std::string& split = "") {
    return message_of<FileError>([&] { return open_dataset(path, split); });
}

/// x = 3, y = 1, OFF at 0 us; x = 33, y = 33, ON at 1 us.
const std::string two_events("\x03\x01\x00\x00\x00\x21\x21\x80\x00\x01", 10);

void write_camera_file(const std::filesystem::path& path, bool with_flags) {
    Hdf5Writer writer(path);
    writer.column("events/x", std::vector<std::uint8_t>{3, 33, 0})
        .column("events/y", std::vector<std::uint8_t>{1, 33, 0})
        .column("events/p", std::vector<std::uint8_t>{0, 1, 0})
        .column("events/t_us", std::vector<std::uint32_t>{0, 1, 2})
        .column("offsets", std::vector<std::uint32_t>{0, 2, 3, 3})
        .column("label", std::vector<std::uint8_t>{4, 0, 2});
    if (with_flags) writer.column("test", std::vector<std::uint8_t>{1, 0, 0});
}

}  // namespace

TEST_SUITE("datasets") {
    TEST_CASE("N-MNIST in the layout of its authors: 60 test recordings, labels from the folders") {
        for (const char* split : {"", "test"}) {
            CAPTURE(split);
            const Dataset dataset = open_dataset(samples + "n-mnist", split);
            CHECK(dataset.name == "N-MNIST");
            CHECK(dataset.shape == std::vector<std::uint32_t>{2, 34, 34});
            REQUIRE(dataset.size == 60);
            CHECK(dataset.classes ==
                  std::vector<std::string>{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
            std::vector<int> per_digit(10, 0);
            std::uint64_t events = 0;
            for (std::uint64_t i = 0; i < dataset.size; ++i) {
                const Sample sample = dataset.sample(i);
                ++per_digit.at(static_cast<std::size_t>(sample.label));
                events += sample.spikes.size();
                CHECK(*std::max_element(sample.spikes.neurons.begin(), sample.spikes.neurons.end()) <
                      2 * 34 * 34);
            }
            CHECK(per_digit == std::vector<int>{5, 8, 5, 7, 8, 4, 6, 9, 1, 7});
            CHECK(events == 230'437);
            CHECK(dataset.sample(0).name.rfind("Test/0/", 0) == 0);
        }
        CHECK(contains(usage_refusal(samples + "n-mnist", "train"), "has no part 'train'"));
    }

    TEST_CASE("a camera event becomes neuron polarity * 34 * 34 + y * 34 + x") {
        const TemporaryFolder folder;
        write_bytes(folder / "5" / "a.bin", two_events);
        const Sample sample = open_dataset(folder.path()).sample(0);
        CHECK(sample.name == "5/a.bin");
        CHECK(sample.label == 5);
        CHECK(sample.spikes.neurons == std::vector<NeuronIndex>{1 * 34 + 3, 34 * 34 + 33 * 34 + 33});
        CHECK(sample.spikes.times == std::vector<Time>{Time(), Time(Duration(1'000'000'000))});
    }

    TEST_CASE("files are in the order of their names, and a label in the name wins over the folder's") {
        const TemporaryFolder folder;
        write_bytes(folder / "2023" / "test_00002_label0.bin", two_events);
        write_bytes(folder / "2023" / "test_00001_label12.bin", "");
        write_bytes(folder / "2023" / "notes.txt", "no recording");
        const Dataset dataset = open_dataset(folder.path());
        REQUIRE(dataset.size == 2);
        CHECK(dataset.sample(0).name == "2023/test_00001_label12.bin");
        CHECK(dataset.sample(0).label == 12);
        CHECK(dataset.sample(0).spikes.empty());
        CHECK(dataset.sample(1).label == 0);
        CHECK(dataset.classes.size() == 13);
    }

    TEST_CASE("a split is the sub-folder of that name, in any case") {
        const TemporaryFolder folder;
        write_bytes(folder / "Train" / "1" / "a.bin", two_events);
        write_bytes(folder / "TEST" / "3" / "b.bin", two_events);
        CHECK(open_dataset(folder.path()).size == 2);
        CHECK(open_dataset(folder.path(), "train").sample(0).label == 1);
        CHECK(open_dataset(folder.path(), "test").size == 1);
        CHECK(open_dataset(folder.path(), "test").sample(0).label == 3);
    }

    TEST_CASE("events outside the frame are refused when the sample is loaded, with file and number") {
        const TemporaryFolder folder;
        write_bytes(folder / "1" / "a.bin", two_events + std::string("\x22\x00\x80\x00\x02", 5));
        const Dataset dataset = open_dataset(folder.path());
        const std::string text = message_of<FileError>([&] { return dataset.sample(0); });
        CHECK(contains(text, "a.bin: event 2: expected a pixel within 34 x 34, found x = 34, y = 0."));
    }

    TEST_CASE("folders without recordings, and recordings without labels, are refused") {
        const TemporaryFolder folder;
        CHECK(contains(file_refusal(folder.path()), "expected 40-bit event files (*.bin), found none."));
        for (const char* name : {"cat", "-1", "7x", "99999", "99999999999999999999"}) {
            CAPTURE(name);
            const TemporaryFolder other;
            write_bytes(other / name / "a.bin", two_events);
            CHECK(contains(file_refusal(other.path()), "label"));
        }
    }

    TEST_CASE("spoken digits in the SHD layout") {
        const Dataset dataset = open_dataset(samples + "fsdd_spikes/fsdd_spikes_20.h5");
        CHECK(dataset.name == "SHD layout");
        CHECK(dataset.shape == std::vector<std::uint32_t>{64});
        REQUIRE(dataset.size == 20);
        CHECK(dataset.classes.at(9) == "digit 9");
        const Sample sample = dataset.sample(19);
        CHECK(sample.name == "19");
        CHECK(sample.label == 9);
        CHECK_FALSE(sample.spikes.empty());
        CHECK(contains(usage_refusal(samples + "fsdd_spikes/fsdd_spikes_20.h5", "test"), "Name that file."));
    }

    TEST_CASE("SHD layout: labels without a name, and labels that are none, are refused") {
        const TemporaryFolder folder;
        const auto write = [&](const char* name, std::int64_t label) {
            Hdf5Writer(folder / name)
                .rows("spikes/times", std::vector<std::vector<double>>{{0.1}})
                .rows("spikes/units", std::vector<std::vector<std::int64_t>>{{1}})
                .column("labels", std::vector<std::int64_t>{label})
                .strings("extra/keys", {"zero", "one"});
        };
        write("good.h5", 1);
        CHECK(open_dataset(folder / "good.h5").classes == std::vector<std::string>{"zero", "one"});
        write("names.h5", 2);
        CHECK(contains(file_refusal(folder / "names.h5"),
                       "'/extra/keys': expected a name for each label, 3, found 2."));
        write("negative.h5", -1);
        CHECK(contains(file_refusal(folder / "negative.h5"),
                       "'/labels', entry 0: expected a label from 0 to 65535, found -1."));
        write("huge.h5", 65536);
        CHECK(contains(file_refusal(folder / "huge.h5"), "found 65536."));
    }

    TEST_CASE("packed camera recordings: splits follow the flags") {
        const TemporaryFolder folder;
        write_camera_file(folder / "c.h5", true);
        const Dataset all = open_dataset(folder / "c.h5");
        CHECK(all.shape == std::vector<std::uint32_t>{2, 34, 34});
        CHECK(all.size == 3);
        CHECK(all.classes.size() == 5);
        const Dataset test = open_dataset(folder / "c.h5", "test");
        REQUIRE(test.size == 1);
        CHECK(test.sample(0).label == 4);
        CHECK(test.sample(0).spikes.neurons == std::vector<NeuronIndex>{37, 2311});
        const Dataset train = open_dataset(folder / "c.h5", "train");
        REQUIRE(train.size == 2);
        CHECK(train.sample(0).name == "1");
        CHECK(train.sample(1).label == 2);
        CHECK(train.sample(1).spikes.empty());
    }

    TEST_CASE("packed camera recordings without flags have no parts") {
        const TemporaryFolder folder;
        write_camera_file(folder / "c.h5", false);
        CHECK(open_dataset(folder / "c.h5").size == 3);
        CHECK(contains(usage_refusal(folder / "c.h5", "test"), "it has no flags /test"));
    }

    TEST_CASE("an unknown split is refused, with what was meant") {
        CHECK(contains(usage_refusal(samples + "n-mnist", "tests"),
                       "split: expected train or test, found 'tests'. Did you mean 'test'?"));
    }

    TEST_CASE("files that are no data sets are refused by name") {
        const TemporaryFolder folder;
        CHECK(contains(file_refusal(folder / "none.h5"), "none.h5: no such file"));
        Hdf5Writer(folder / "sonata.h5")
            .column("spikes/p/timestamps", std::vector<double>{3.0})
            .column("spikes/p/node_ids", std::vector<std::uint64_t>{0});
        CHECK(
            contains(file_refusal(folder / "sonata.h5"), "found a SONATA spike file, which has no labels."));
        CHECK(contains(file_refusal(samples + "cnn_nmnist/cnn_sinabs.nir"), "found none of these groups"));
    }

    TEST_CASE("a sample that does not exist is refused") {
        const Dataset folder = open_dataset(samples + "n-mnist");
        const Dataset file = open_dataset(samples + "fsdd_spikes/fsdd_spikes_20.h5");
        CHECK(contains(message_of<UsageError>([&] { return folder.sample(60); }),
                       "sample 60: the data set has 60 samples, counted from 0."));
        CHECK(contains(message_of<UsageError>([&] { return file.sample(20); }), "sample 20"));
    }

    TEST_CASE("several threads read the same samples as one") {
        const Dataset dataset = open_dataset(samples + "n-mnist");
        std::vector<SpikeTrain> alone;
        for (std::uint64_t i = 0; i < dataset.size; ++i) alone.push_back(dataset.sample(i).spikes);
        std::vector<SpikeTrain> together(alone.size());
        std::vector<std::thread> threads;
        for (std::size_t first = 0; first < 4; ++first) {
            threads.emplace_back([&, first] {
                for (std::size_t i = first; i < together.size(); i += 4)
                    together[i] = dataset.sample(i).spikes;
            });
        }
        for (std::thread& thread : threads) thread.join();
        CHECK(alone == together);
    }
}
