#include "saltus/engine/raster.hpp"

#include <doctest/doctest.h>

#include <limits>

#include "saltus/engine/errors.hpp"

namespace saltus {
namespace {

constexpr Duration ms{1'000'000'000'000};

SpikeTrain train_of(std::initializer_list<std::pair<std::int64_t, NeuronIndex>> spikes) {
    SpikeTrain train;
    for (const auto& [femtoseconds, neuron] : spikes) train.add(Time(Duration(femtoseconds)), neuron);
    return train;
}

TEST_SUITE("engine/raster") {
    TEST_CASE("a spike at t falls into step floor(t / dt), those that fall together add up") {
        const std::int64_t one = ms.femtoseconds();
        const SpikeTrain train =
            train_of({{0, 1}, {one - 1, 1}, {one, 0}, {2 * one, 2}, {3 * one, 0}, {9 * one, 0}});
        const Raster raster = Raster::of(train, 3, ms, 3, "p");
        CHECK(raster.steps() == 3);
        CHECK(raster.dense() == std::vector<double>{0, 2, 0, 1, 0, 0, 0, 0, 1});
        CHECK(raster.train(ms) == train_of({{0, 1}, {0, 1}, {one, 0}, {2 * one, 2}}));
    }

    TEST_CASE("a dense signal survives, also with amplitudes that are no counts") {
        const std::vector<double> spikes{0, 1, 0, 0, 1, 1};
        CHECK(Raster::of(spikes, 2, "p").dense() == spikes);
        CHECK(Raster::of(spikes, 2, "p").amplitudes.empty());
        const std::vector<double> reals{0.5, 0, -1.25, 3};
        CHECK(Raster::of(reals, 2, "p").dense() == reals);
        CHECK(Raster::of(reals, 2, "p").train(ms).size() ==
              5);  // 3 spikes for the 3, one each for the others
        CHECK(Raster::of(reals, 2, "p").train(ms, true).size() == 3);  // heights: one each
        CHECK(Raster::of(std::vector<double>{}, 2, "p").steps() == 0);
    }

    TEST_CASE("what is no signal is refused, with its place") {
        const std::vector<double> infinite{0, 1, 0, std::numeric_limits<double>::infinity()};
        CHECK_THROWS_WITH_AS(static_cast<void>(Raster::of(infinite, 2, "p")),
                             doctest::Contains("step 1, neuron 1"), InputError);
        CHECK_THROWS_WITH_AS(static_cast<void>(Raster::of(infinite, 3, "p")),
                             doctest::Contains("a multiple of 3 values, found 4"), UsageError);
        CHECK_THROWS_WITH_AS(static_cast<void>(Raster::of(train_of({{0, 3}}), 3, ms, 2, "p")),
                             doctest::Contains("spike 0: expected a neuron below 3, found 3"), InputError);
        CHECK_THROWS_AS(static_cast<void>(Raster::of(train_of({{-1, 0}}), 3, ms, 2, "p")), InputError);
        CHECK_THROWS_AS(static_cast<void>(Raster::of(train_of({}), 3, Duration(), 2, "p")), UsageError);
    }
}

}  // namespace
}  // namespace saltus
