// The counter-based generator: the published answers of Philox, and draws that depend on their key alone.
#include "saltus/engine/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>

using namespace saltus;

TEST_SUITE("engine/random") {
    // Known answers that the authors of Philox publish with it (Random123, kat_vectors, "philox4x32 10").
    TEST_CASE("Philox gives the published answers") {
        CHECK(philox({0, 0, 0, 0}, {0, 0}) == PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
        CHECK(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}) ==
              PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
        CHECK(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
              PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
    }

    TEST_CASE("a draw is a function of its key: any order, any object") {
        const CounterRandom random(7, 3);
        std::array<std::uint64_t, 64> forward{};
        for (std::uint64_t i = 0; i < 64; ++i) forward[i] = random.bits(i);
        for (std::uint64_t i = 64; i-- > 0;) CHECK(CounterRandom(7, 3).bits(i) == forward[i]);
    }

    TEST_CASE("seed, stream and index are told apart in all their 64 bits") {
        std::set<std::uint64_t> draws;
        std::size_t made = 0;
        for (int bit = 0; bit < 64; ++bit) {
            const std::uint64_t x = std::uint64_t{1} << bit;
            draws.insert(CounterRandom(x, 0).bits(0));
            draws.insert(CounterRandom(0, x).bits(0));
            draws.insert(CounterRandom(0, 0).bits(x));
            made += 3;
        }
        CHECK(draws.size() == made);
    }

    TEST_CASE("bits are the first two words of Philox, the low one first") {
        CHECK(CounterRandom(0, 0).bits(0) == 0xe169c58d6627e8d5u);
        CHECK(CounterRandom(0x299f31d0a4093822u, 0x0370734413198a2eu).bits(0x85a308d3243f6a88u) ==
              0x94fdccebd16cfe09u);
    }

    TEST_CASE("uniform draws are the upper 53 bits, from 0 to below 1") {
        CHECK(CounterRandom(0, 0).uniform(0) == static_cast<double>(0xe169c58d6627e8d5u >> 11) * 0x1p-53);
        const CounterRandom random(1, 2);
        for (std::uint64_t i = 0; i < 10'000; ++i) {
            const double u = random.uniform(i);
            REQUIRE(u >= 0.0);
            REQUIRE(u < 1.0);
        }
    }

    TEST_CASE("uniform draws have the moments of the uniform distribution") {
        const CounterRandom random(5, 0);
        constexpr int n = 100'000;
        double sum = 0.0;
        double sum_of_squares = 0.0;
        for (int i = 0; i < n; ++i) {
            const double u = random.uniform(static_cast<std::uint64_t>(i));
            sum += u;
            sum_of_squares += u * u;
        }
        // Five standard errors: sd(u) = 1/sqrt(12), sd(u^2) = sqrt(4/45).
        CHECK(std::abs(sum / n - 0.5) < 5.0 * std::sqrt(1.0 / 12.0 / n));
        CHECK(std::abs(sum_of_squares / n - 1.0 / 3.0) < 5.0 * std::sqrt(4.0 / 45.0 / n));
    }

    TEST_CASE("draws below n stay below n and reach every value equally often") {
        const CounterRandom random(11, 4);
        constexpr std::uint64_t n = 7;
        constexpr int draws = 70'000;
        std::array<int, n> count{};
        for (int i = 0; i < draws; ++i) {
            const std::uint64_t k = random.below(static_cast<std::uint64_t>(i), n);
            REQUIRE(k < n);
            ++count[k];
        }
        // Binomial: mean 10000, standard deviation sqrt(draws * 1/7 * 6/7) = 92.6; five of them.
        for (const int c : count) CHECK(std::abs(c - 10'000) < 463);
        CHECK(random.below(0, 1) == 0);
    }

    TEST_CASE("draws below n are the 64 bits scaled by n and rounded down") {
        const CounterRandom random(0, 0);
        CHECK(random.below(0, std::uint64_t{1} << 32) == 0xe169c58du);
        CHECK(random.below(0, 16) == 0xe);
    }

    TEST_CASE(
        "the layers of the ziggurat have one area, and lie one upon another up to the top of the curve") {
        const auto curve = [](double x) { return std::exp(-0.5 * x * x); };
        const auto& layers = detail::normal_layers;
        // The strip below the others with the tail beyond it: R f(R) + sqrt(pi/2) erfc(R/sqrt 2).
        const double R = static_cast<double>(layers[0].sure) * layers[0].width;
        const double area = R * curve(R) + std::sqrt(std::acos(0.0)) * std::erfc(R / std::sqrt(2.0));
        CHECK(layers[0].low == 0.0);
        CHECK(layers[255].high == 1.0);
        for (std::size_t k = 0; k < layers.size(); ++k) {
            CAPTURE(k);
            const double x = layers[k].width * 0x1p52;
            // The top layer takes up what 255 roundings have left.
            CHECK(x * (layers[k].high - layers[k].low) ==
                  doctest::Approx(area).epsilon(k < 255 ? 1e-13 : 1e-11));
            if (k > 0) {
                CHECK(layers[k].low == layers[k - 1].high);
                CHECK(curve(x) == doctest::Approx(layers[k].low).epsilon(1e-14));
                CHECK(static_cast<double>(layers[k - 1].sure) * layers[k - 1].width <= x);
            }
        }
    }

    TEST_CASE("a normal draw is its place in its layer, from the bits of one draw") {
        // The first bits of this state are 41943041 = 20480 2^11 + 1 (connectivity_test.cpp): place 20480 of
        // layer 1.
        SequentialRandom random(std::array<std::uint64_t, 4>{1, 2, 3, 4});
        CHECK(random.normal() == 20480.5 * detail::normal_layers[1].width);
    }

    TEST_CASE("normal draws have the moments of the normal distribution") {
        SequentialRandom random(3, 9, 0);
        constexpr int n = 1'000'000;
        double sum = 0.0;
        double squares = 0.0;
        double cubes = 0.0;
        double fourth = 0.0;
        for (int i = 0; i < n; ++i) {
            const double x = random.normal();
            sum += x;
            squares += x * x;
            cubes += x * x * x;
            fourth += x * x * x * x;
        }
        // Five standard errors: Var(x) = 1, Var(x^2) = 2, Var(x^3) = 15, Var(x^4) = 96.
        CHECK(std::abs(sum / n) < 5.0 * std::sqrt(1.0 / n));
        CHECK(std::abs(squares / n - 1.0) < 5.0 * std::sqrt(2.0 / n));
        CHECK(std::abs(cubes / n) < 5.0 * std::sqrt(15.0 / n));
        CHECK(std::abs(fourth / n - 3.0) < 5.0 * std::sqrt(96.0 / n));
    }

    TEST_CASE("normal draws fall evenly into slices of equal probability, and beyond the ziggurat as often") {
        SequentialRandom random(17, 1, 0);
        constexpr int n = 4'000'000;
        constexpr std::size_t slices = 1000;
        std::array<int, slices> count{};
        std::array<int, 3> beyond{};  // 3.6541..., where the tail begins, 4, 4.5
        const std::array<double, 3> bounds{3.654152885361009, 4.0, 4.5};
        for (int i = 0; i < n; ++i) {
            const double x = random.normal();
            const double below = 0.5 * std::erfc(-x / std::sqrt(2.0));
            ++count[std::min(static_cast<std::size_t>(below * slices), slices - 1)];
            for (std::size_t k = 0; k < bounds.size(); ++k) beyond[k] += std::abs(x) > bounds[k];
        }
        double chi_square = 0.0;
        for (const int c : count) chi_square += (c - 4000.0) * (c - 4000.0) / 4000.0;
        // 999 degrees of freedom, standard deviation sqrt(2 * 999); six of them.
        CHECK(std::abs(chi_square - 999.0) < 6.0 * std::sqrt(1998.0));
        for (std::size_t k = 0; k < bounds.size(); ++k) {
            const double expected = n * std::erfc(bounds[k] / std::sqrt(2.0));
            CHECK(std::abs(beyond[k] - expected) < 5.0 * std::sqrt(expected));
        }
    }
}
