#include "saltus/engine/spike_distance.hpp"

#include <doctest/doctest.h>

#include <cmath>

namespace saltus {
namespace {

constexpr Duration ms{1'000'000'000'000};

std::vector<Time> at(std::initializer_list<std::int64_t> milliseconds) {
    std::vector<Time> times;
    for (const std::int64_t t : milliseconds) times.emplace_back(Duration(t * ms.femtoseconds()));
    return times;
}
Duration span(std::int64_t milliseconds) {
    return Duration(milliseconds * ms.femtoseconds());
}

TEST_SUITE("engine/spike_distance") {
    TEST_CASE("spikes match in order, within the tolerance, and the first that does not is told") {
        const auto a = at({1, 5, 9, 20});
        const Matching same = match(a, a, Duration());
        CHECK(same.partners == 4);
        CHECK(!same.first_alone);
        const Matching m = match(a, at({2, 5, 12}), span(1));
        CHECK(m.partners == 2);
        CHECK(m.only_in_a == 2);
        CHECK(m.only_in_b == 1);
        CHECK(m.first_alone == at({9})[0]);
        CHECK(m.first_is_in_a);
        const Matching late = match({}, at({3}), span(1));
        CHECK(late.only_in_b == 1);
        CHECK(!late.first_is_in_a);
    }

    TEST_CASE("van Rossum: one spike counts 1/2, two that are d apart 1 - exp(-d/tau)") {
        const Duration tau = span(10);
        CHECK(van_rossum({}, {}, tau) == 0.0);
        CHECK(van_rossum(at({7}), {}, tau) == 0.5);
        CHECK(van_rossum(at({7, 9}), at({7, 9}), tau) == 0.0);
        CHECK(van_rossum(at({0}), at({4}), tau) == doctest::Approx(1.0 - std::exp(-0.4)).epsilon(1e-14));
        // two spikes at once are a function of twice the height
        CHECK(van_rossum(at({3, 3}), {}, tau) == 2.0);
        CHECK(van_rossum(at({0, 5}), at({2, 30}), tau) ==
              doctest::Approx(van_rossum(at({2, 30}), at({0, 5}), tau)));
    }

    TEST_CASE("Victor and Purpura: moving is cheaper than a spike less and one more, up to twice the shift") {
        const Duration shift = span(10);
        CHECK(victor_purpura({}, at({1, 2, 3}), shift) == 3.0);
        CHECK(victor_purpura(at({0}), at({4}), shift) == doctest::Approx(0.4).epsilon(1e-14));
        CHECK(victor_purpura(at({0}), at({50}), shift) == 2.0);
        CHECK(victor_purpura(at({0, 100}), at({100}), shift) == 1.0);
        CHECK(victor_purpura(at({0, 10, 20}), at({1, 12, 20}), shift) == doctest::Approx(0.3).epsilon(1e-14));
    }
}

}  // namespace
}  // namespace saltus
