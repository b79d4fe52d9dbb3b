#include "saltus/io/training_checkpoint.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "saltus/engine/errors.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::io;
using namespace saltus::test;

namespace {

learning::TrainingSnapshot example() {
    learning::TrainingSnapshot s;
    s.asked = {{"layers", "dense 12\nreadout mean\n"}, {"seed", "0"}, {"order", ""}};
    s.epoch = 2;
    s.batches = 7;
    s.tally = {70, 50, 0.1};
    s.learner = {{"hidden/weights", {1.0, -0.1, 0x1p-1074}}, {"empty", {}}, {"steps", {9.0}}};
    s.best = {{"hidden/weights", {2.0, 3.0, 4.0}}};
    s.log = {{1, 1.0, {100, 60, 3.0}, {20, 11, 0.7}, true, 0.25},
             {2, 0.5, {100, 70, 2.0}, {20, 10, 0.9}, false, 0.5}};
    return s;
}

std::string refusal(const std::filesystem::path& path) {
    return message_of<FileError>([&] { return read_training_checkpoint(path); });
}

}  // namespace

TEST_SUITE("io/training checkpoint") {
    TEST_CASE("what is written is read, to the last bit") {
        const TemporaryFolder folder;
        const learning::TrainingSnapshot s = example();
        write_training_checkpoint(folder / "c.h5", s);
        const learning::TrainingSnapshot t = read_training_checkpoint(folder / "c.h5");
        CHECK(t.asked == s.asked);
        CHECK(t.epoch == s.epoch);
        CHECK(t.batches == s.batches);
        CHECK(t.tally.samples == s.tally.samples);
        CHECK(t.tally.correct == s.tally.correct);
        CHECK(t.tally.loss == s.tally.loss);
        CHECK(t.learner == s.learner);
        CHECK(t.best == s.best);
        REQUIRE(t.log.size() == 2);
        for (std::size_t k = 0; k < 2; ++k) {
            CHECK(t.log[k].epoch == s.log[k].epoch);
            CHECK(t.log[k].rate_factor == s.log[k].rate_factor);
            CHECK(t.log[k].training.loss == s.log[k].training.loss);
            CHECK(t.log[k].validation.correct == s.log[k].validation.correct);
            CHECK(t.log[k].best == s.log[k].best);
            CHECK(t.log[k].seconds == s.log[k].seconds);
        }
        write_training_checkpoint(folder / "c.h5", {});
        CHECK(read_training_checkpoint(folder / "c.h5").log.empty());
    }

    TEST_CASE("a changed bit, a cut file and another file are refused") {
        const TemporaryFolder folder;
        write_training_checkpoint(folder / "c.h5", example());
        std::string bytes;
        {
            std::ifstream in(folder / "c.h5", std::ios::binary);
            bytes.assign(std::istreambuf_iterator<char>(in), {});
        }
        for (std::size_t k = 0; k < bytes.size(); k += 97) {
            std::string damaged = bytes;
            damaged[k] = static_cast<char>(damaged[k] ^ 1);
            write_bytes(folder / "d.h5", damaged);
            CHECK_FALSE(refusal(folder / "d.h5").empty());
        }
        write_bytes(folder / "d.h5", bytes.substr(0, bytes.size() / 2));
        CHECK(contains(refusal(folder / "d.h5"), "with its checksum at the end, found none"));
        CHECK(contains(refusal(folder / "none.h5"), "no such file"));
    }
}
