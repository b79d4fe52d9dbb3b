#include "saltus/engine/learning/frames.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

#include "saltus/engine/errors.hpp"

using namespace saltus;
using namespace saltus::learning;

namespace {

FrameLayout layout(std::uint32_t steps, Shape shape) {
    return {steps, std::move(shape), Duration(1'000'000'000'000), {"a", "b"}};
}

StoredFrames random_frames(std::uint64_t n, const FrameLayout& of) {
    std::mt19937_64 random(n);
    std::vector<float> values(n * of.values());
    for (float& x : values) x = std::uniform_real_distribution<float>(-1.0f, 3.0f)(random);
    std::vector<std::uint32_t> labels(n);
    for (std::uint64_t i = 0; i < n; ++i) labels[i] = i % 2;
    return {of, std::move(values), std::move(labels)};
}

std::string refusal(const FrameLayout& of, std::vector<float> values, std::vector<std::uint32_t> labels) {
    try {
        const StoredFrames frames(of, std::move(values), std::move(labels));
    } catch (const UsageError& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_SUITE("learning/frames") {
    TEST_CASE("a batch holds the samples that are asked for, in that order, for any number of threads") {
        const StoredFrames frames = random_frames(7, layout(3, {2, 5}));
        const std::vector<std::uint64_t> chosen{6, 0, 6, 3};
        for (const unsigned threads : {1u, 2u, 4u}) {
            FrameBatch batch;
            read_batch(frames, chosen, std::nullopt, threads, batch);
            REQUIRE(batch.values.size() == 4 * 30);
            CHECK(batch.labels == std::vector<std::uint32_t>{0, 0, 0, 1});
            std::vector<float> alone(30);
            for (std::size_t k = 0; k < 4; ++k) {
                frames.read(chosen[k], alone);
                CHECK(std::equal(alone.begin(), alone.end(), batch.values.begin() + std::ptrdiff_t(30 * k)));
            }
        }
    }

    TEST_CASE("stored samples are not altered by a draw") {
        const StoredFrames frames = random_frames(2, layout(3, {4}));
        std::vector<float> plain(12);
        std::vector<float> drawn(12);
        frames.read(1, plain);
        frames.read_altered(1, 99, drawn);
        CHECK(plain == drawn);
    }

    TEST_CASE("joined: the samples of the first, then those of the second") {
        const auto first = std::make_shared<StoredFrames>(random_frames(3, layout(2, {4})));
        const auto second = std::make_shared<StoredFrames>(random_frames(2, layout(2, {4})));
        const auto both = joined(first, second);
        CHECK(both->size() == 5);
        CHECK(both->labels() == std::vector<std::uint32_t>{0, 1, 0, 0, 1});
        std::vector<float> a(8);
        std::vector<float> b(8);
        both->read(2, a);
        first->read(2, b);
        CHECK(a == b);
        both->read_altered(4, 0, a);
        second->read(1, b);
        CHECK(a == b);
        CHECK_THROWS_WITH_AS(static_cast<void>(joined(
                                 first, std::make_shared<StoredFrames>(random_frames(1, layout(3, {4}))))),
                             "frames: expected two parts of the same layout, found 2 steps of 1ms, shape "
                             "(4,), 2 classes, and 3 "
                             "steps of 1ms, shape (4,), 2 classes.",
                             UsageError);
    }

    TEST_CASE("reordered: number i is the sample that the order names, and none beyond the set") {
        const auto set = std::make_shared<StoredFrames>(random_frames(4, layout(2, {3})));
        const std::shared_ptr<const FrameSet> some = reordered(set, {3, 0, 3});
        REQUIRE(some->size() == 3);
        std::vector<float> expected(6);
        std::vector<float> found(6);
        const std::vector<std::uint64_t> order{3, 0, 3};
        for (std::uint64_t i = 0; i < 3; ++i) {
            set->read(order[i], expected);
            some->read(i, found);
            CHECK(found == expected);
            CHECK(some->label(i) == set->label(order[i]));
        }
        CHECK_THROWS_WITH_AS((void)reordered(set, {4}), "frames, order: expected numbers below 4, found 4.",
                             UsageError);
    }

    TEST_CASE("after division a place of the shape deviates by 1, over the batch and its steps") {
        const FrameLayout of = layout(6, {2, 3});
        const StoredFrames frames = random_frames(9, of);
        std::vector<std::uint64_t> all(9);
        for (std::uint64_t i = 0; i < 9; ++i) all[i] = i;
        FrameBatch batch;
        read_batch(frames, all, std::nullopt, 1, batch);
        for (std::size_t k = 2; k < batch.values.size(); k += 6)
            batch.values[k] = 0.1f;  // one place constant
        const std::vector<float> before = batch.values;
        divide_by_deviation(of, batch);
        for (std::size_t place = 0; place < 6; ++place) {
            double mean = 0.0, square = 0.0;
            for (std::size_t k = place; k < batch.values.size(); k += 6) {
                mean += double{batch.values[k]} / 54.0;
                square += double{batch.values[k]} * double{batch.values[k]} / 54.0;
            }
            CAPTURE(place);
            CHECK(std::sqrt(std::max(0.0, square - mean * mean)) ==
                  doctest::Approx(place == 2 ? 0.0 : 1.0).epsilon(1e-5));
        }
        CHECK(batch.values[2] == before[2]);
    }

    TEST_CASE("deviations of a set divide as those of all its samples in one batch, for any threads") {
        const FrameLayout of = layout(4, {3});
        const StoredFrames frames = random_frames(40, of);
        std::vector<std::uint64_t> all(40);
        for (std::uint64_t i = 0; i < 40; ++i) all[i] = i;
        FrameBatch batch;
        read_batch(frames, all, std::nullopt, 1, batch);
        const std::vector<float> before = batch.values;
        divide_by_deviation(of, batch);
        const std::vector<float> by = deviations(frames, 1);
        for (std::size_t k = 0; k < before.size(); ++k)
            CHECK(batch.values[k] == doctest::Approx(before[k] / by[k % 3]).epsilon(1e-6));
        CHECK(deviations(frames, 2) == by);
        CHECK(deviations(frames, 5) == by);
    }

    TEST_CASE("what is no set of frames is refused with what was expected and found") {
        CHECK(refusal(layout(0, {3}), {}, {}) ==
              "frames: expected 1 to 268435456 numbers a sample, found 0 steps of shape (3,).");
        CHECK(refusal(layout(2, {3, 0}), {}, {}) != "");
        CHECK(refusal(layout(1u << 20, {1u << 20}), {}, {}) != "");
        CHECK(refusal(layout(2, {1}), {1.0f, 2.0f, 3.0f}, {0}) ==
              "frames: expected 1 samples of 2 numbers, found 3 numbers.");
        CHECK(refusal(layout(2, {1}), {1.0f, 2.0f}, {2}) ==
              "frames, sample 0, label: expected 0 to 1, found 2.");
        CHECK(refusal(layout(2, {1}), {1.0f, std::numeric_limits<float>::infinity()}, {1}) ==
              "frames, sample 0, step 1: expected finite numbers, found inf.");
        FrameLayout of = layout(2, {1});
        of.dt = Duration();
        CHECK(refusal(of, {}, {}).substr(0, 24) == "frames, dt: expected > 0");
        of = layout(2, {1});
        of.classes.clear();
        CHECK(refusal(of, {}, {}) == "frames: expected at least one class, found none.");
    }
}
