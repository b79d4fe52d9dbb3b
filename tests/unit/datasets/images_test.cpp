#include <doctest/doctest.h>
#include <zlib.h>

#include <cmath>
#include <string>

#include "saltus/datasets/dataset.hpp"
#include "saltus/datasets/yin_yang.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/idx.hpp"
#include "unit/io/hdf5_fixture.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::datasets;
using namespace saltus::test;

namespace {

constexpr std::int64_t ms = 1'000'000'000'000;  // [fs]

std::string number(std::uint32_t x) {
    return {static_cast<char>(x >> 24), static_cast<char>(x >> 16), static_cast<char>(x >> 8),
            static_cast<char>(x)};
}

std::string head(char type, std::vector<std::uint32_t> shape) {
    std::string bytes{'\0', '\0', type, static_cast<char>(shape.size())};
    for (const std::uint32_t n : shape) bytes += number(n);
    return bytes;
}

void write_gz(const std::filesystem::path& path, const std::string& bytes) {
    const gzFile file = gzopen(path.c_str(), "wb");
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(file);
}

std::string refusal(const std::filesystem::path& path) {
    return message_of<FileError>([&] { return io::read_idx(path); });
}

/// Two images of 1 x 3 pixels with labels 7 and 1.
void write_pair(const TemporaryFolder& folder, const std::string& prefix, bool compressed) {
    const std::string images = head(8, {2, 1, 3}) + std::string("\xff\x00\x80\x01\x02\x03", 6);
    const std::string labels = head(8, {2}) + "\x07\x01";
    if (compressed) {
        write_gz(folder / (prefix + "images-idx3-ubyte.gz"), images);
        write_gz(folder / (prefix + "labels-idx1-ubyte.gz"), labels);
    } else {
        write_bytes(folder / (prefix + "images-idx3-ubyte"), images);
        write_bytes(folder / (prefix + "labels-idx1-ubyte"), labels);
    }
}

std::vector<std::int64_t> times_of(const SpikeTrain& spikes) {
    std::vector<std::int64_t> times;
    for (const Time t : spikes.times) times.push_back(t.femtoseconds());
    return times;
}

}  // namespace

TEST_SUITE("datasets/images") {
    TEST_CASE("a folder of IDX files, plain or compressed, has a part for training and one for tests") {
        for (const bool compressed : {false, true}) {
            const TemporaryFolder folder;
            write_pair(folder, "train-", compressed);
            write_pair(folder, "t10k-", compressed);
            CHECK(open_dataset(folder.path()).size == 4);
            for (const char* split : {"train", "test"}) {
                const Dataset dataset = open_dataset(folder.path(), split);
                CHECK(dataset.size == 2);
                CHECK(dataset.shape == std::vector<std::uint32_t>{1, 3});
                CHECK(dataset.classes.size() == 8);
                CHECK(dataset.sample(0).label == 7);
                CHECK(dataset.sample(1).label == 1);
                CHECK(dataset.sample(0).spikes.neurons == std::vector<NeuronIndex>{0, 2});
            }
            const std::string ending = compressed ? ".gz" : "";
            CHECK(open_dataset(folder / ("t10k-images-idx3-ubyte" + ending)).size == 2);
        }
    }

    TEST_CASE("latency: level p spikes in slot floor((255 - p) slots / 255), black never") {
        std::vector<std::uint8_t> levels(256);
        for (std::size_t p = 0; p < 256; ++p) levels[p] = static_cast<std::uint8_t>(p);
        // With 256 slots that is 255 - p for p >= 1 (s4nn.md, section 2).
        SpikeTrain spikes = encode(levels, {});
        REQUIRE(spikes.size() == 255);
        for (std::size_t k = 0; k < 255; ++k) {
            CHECK(spikes.neurons[k] == 255 - k);
            CHECK(spikes.times[k] == Time(Duration(static_cast<std::int64_t>(k) * ms)));
        }
        Encoding coarse;
        coarse.slots = 10;
        spikes = encode(levels, coarse);
        for (std::size_t k = 0; k < spikes.size(); ++k) {
            const std::int64_t slot = (255 - static_cast<std::int64_t>(spikes.neurons[k])) * 10 / 255;
            CHECK(spikes.times[k] == Time(Duration(slot * ms)));
        }
        CHECK(spikes.size() == 255);
    }

    TEST_CASE("continuous latency is t_max times what is missing to white") {
        Encoding encoding;
        encoding.kind = Encoding::Kind::continuous;
        const std::vector<std::uint8_t> levels{0, 255, 51};
        const SpikeTrain spikes = encode(levels, encoding);
        CHECK(spikes.neurons == std::vector<NeuronIndex>{1, 2});
        CHECK(times_of(spikes) == std::vector<std::int64_t>{0, 2048 * ms / 10});  // 256 ms * 4/5
    }

    TEST_CASE("rank order: the levels that occur, from the brightest, one slot each") {
        Encoding encoding;
        encoding.kind = Encoding::Kind::rank;
        const std::vector<std::uint8_t> levels{9, 0, 200, 9, 31};
        const SpikeTrain spikes = encode(levels, encoding);
        CHECK(spikes.neurons == std::vector<NeuronIndex>{2, 4, 0, 3});
        CHECK(times_of(spikes) == std::vector<std::int64_t>{0, ms, 2 * ms, 2 * ms});
    }

    TEST_CASE("charging: the time at which a leaky integrator reaches theta") {
        Encoding encoding;
        encoding.kind = Encoding::Kind::charging;
        encoding.theta = 0.5;
        const std::vector<std::uint8_t> levels{255, 127, 128, 204};
        const SpikeTrain spikes = encode(levels, encoding);
        CHECK(spikes.neurons == std::vector<NeuronIndex>{0, 3});  // 128: after t_max, 50 ms ln 256 = 277 ms
        CHECK(spikes.times[0].seconds() == doctest::Approx(0.05 * std::log(2.0)).epsilon(1e-12));
        CHECK(spikes.times[1].seconds() == doctest::Approx(0.05 * std::log(0.8 / 0.3)).epsilon(1e-12));
    }

    TEST_CASE("encodings out of their range are refused by name") {
        const auto refused = [](auto change) {
            Encoding encoding;
            change(encoding);
            return message_of<UsageError>([&] { encoding.check(); });
        };
        CHECK(contains(refused([](Encoding& e) { e.slots = 0; }), "slots: expected 1 to 1048576, found 0"));
        CHECK(contains(refused([](Encoding& e) { e.slot = Duration(); }), "slot: expected > 0"));
        CHECK(contains(refused([](Encoding& e) { e.slot = Duration::max(); }), "slot: expected > 0"));
        CHECK(contains(refused([](Encoding& e) { e.theta = 1.0; }), "theta: expected 0 < x < 1, found 1"));
        CHECK(contains(message_of<UsageError>([] { return encoding_kind("latent"); }),
                       "Did you mean 'latency'"));
    }

    TEST_CASE("hostile IDX files are refused, each by what is wrong") {
        const TemporaryFolder folder;
        const auto file = folder / "x";
        const auto says = [&](const std::string& bytes, const char* text) {
            write_bytes(file, bytes);
            const std::string plain = refusal(file);
            CAPTURE(plain);
            CHECK(contains(plain, text));
            write_gz(file, bytes);
            CHECK(contains(refusal(file), text));
        };
        says("", "expected an IDX file");
        says("PK\x03\x04xxxx", "expected an IDX file");
        says(head(0x0d, {1}) + "aaaa", "unsigned byte), found type 13");
        says(head(8, {}), "1 to 4 dimensions, found 0");
        says(head(8, {1, 1, 1, 1, 1}) + "a", "1 to 4 dimensions, found 5");
        says(head(8, {2, 2}).substr(0, 10), "2 dimensions, found the end of the file after 1");
        says(head(8, {3}) + "ab", "3 elements, as its dimensions say, found 2");
        says(head(8, {3}) + "abcd", "3 elements, as its dimensions say, found more");
        says(head(8, {0xffffffff, 0xffffffff, 0xffffffff}) + "a", "at most 2^32 elements");
        says(head(8, {0xf0000000}) + "a", "4026531840 elements, as its dimensions say, found 1");

        write_gz(file, head(8, {2000}) + std::string(2000, 'a'));
        std::string packed;
        {
            std::ifstream in(file, std::ios::binary);
            packed.assign(std::istreambuf_iterator<char>(in), {});
        }
        write_bytes(file, packed.substr(0, packed.size() - 9));
        CHECK(contains(refusal(file), "damaged or cut short"));
        packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
        write_bytes(file, packed);
        CHECK_FALSE(refusal(file).empty());
        CHECK(contains(refusal(folder / "missing"), "no such file"));
        CHECK(contains(refusal(folder.path()), "a folder"));
    }

    TEST_CASE("images and labels that do not belong together are refused") {
        const TemporaryFolder folder;
        write_pair(folder, "train-", false);
        write_bytes(folder / "train-labels-idx1-ubyte", head(8, {3}) + "abc");
        const auto text = message_of<FileError>([&] { return open_dataset(folder.path(), "train"); });
        CHECK(contains(text, "2 labels, one for each image"));
        std::filesystem::remove(folder / "train-labels-idx1-ubyte");
        CHECK(contains(message_of<FileError>([&] { return open_dataset(folder.path()); }),
                       "train-labels-idx1-ubyte: no such file"));
        CHECK(contains(message_of<UsageError>([&] { return open_dataset(folder.path(), "test"); }),
                       "has no part 'test'"));
    }
}

TEST_SUITE("datasets/yin-yang") {
    TEST_CASE("the published samples: class counts of the three parts, and the first sample") {
        // exact-gradients.md, section 10; checked there against the authors' generator word by word
        const auto counts = [](std::uint64_t n, std::uint32_t seed) {
            std::vector<int> c(3, 0);
            for (const YinYangSample& s : yin_yang(n, seed)) ++c[s.label];
            return c;
        };
        CHECK(counts(5000, 42) == std::vector<int>{1681, 1702, 1617});
        CHECK(counts(1000, 41) == std::vector<int>{316, 336, 348});
        CHECK(counts(1000, 40) == std::vector<int>{350, 316, 334});
        const YinYangSample first = yin_yang(1, 42).front();
        CHECK(first.features[0] == doctest::Approx(0.68030754).epsilon(1e-8));
        CHECK(first.features[1] == doctest::Approx(0.45049925).epsilon(1e-8));
        CHECK(first.features[2] == 1.0 - first.features[0]);
        CHECK(first.label == 2);
    }

    TEST_CASE("features spike between first and last, a bias at first") {
        const Dataset dataset = open_dataset("yin-yang", "test");
        CHECK(dataset.size == 1000);
        CHECK(dataset.shape == std::vector<std::uint32_t>{5});
        CHECK(dataset.classes == std::vector<std::string>{"yin", "yang", "dot"});
        const YinYangSample expected = yin_yang(1, 40).front();
        const Sample sample = dataset.sample(0);
        CHECK(sample.label == expected.label);
        REQUIRE(sample.spikes.size() == 5);
        for (std::size_t k = 0; k < 5; ++k) {
            const NeuronIndex neuron = sample.spikes.neurons[k];
            const double v = neuron == 4 ? 0.0 : expected.features[neuron];
            CHECK(sample.spikes.times[k].seconds() == doctest::Approx(0.01 + 0.02 * v).epsilon(1e-12));
        }
        CHECK(open_dataset("yin-yang").size == 7000);
    }

    TEST_CASE("rows of numbers in an HDF5 file") {
        const TemporaryFolder folder;
        {
            Hdf5Writer writer(folder / "rows.h5");
            writer.column("labels", std::vector<std::uint8_t>{1, 0});
            writer.column("samples", std::vector<double>{0.0, 1.0});
        }
        CHECK(contains(message_of<FileError>([&] { return open_dataset(folder / "rows.h5"); }),
                       "expected a table of samples and columns, found shape"));
    }

    TEST_CASE("a Yin-Yang that is none is refused") {
        CHECK(contains(message_of<UsageError>([] { return yin_yang(1, 1, 0.5, 0.3); }), "0 < r < R / 2"));
        CHECK(contains(message_of<UsageError>([] { return open_dataset("yin-yang", "tests"); }),
                       "expected the part train, validation or test, found 'tests'"));
    }
}
