#include "simulation/kernels.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "saltus/engine/random.hpp"

namespace saltus {
namespace {

template <class W>
void check_rows() {
    SequentialRandom random(7, 1, 0);
    for (std::size_t n = 0; n <= 3 * kernels::row_lanes + 1; ++n) {
        CAPTURE(n);
        std::vector<double> c(n);
        std::vector<W> row(n);
        for (std::size_t k = 0; k < n; ++k) {
            c[k] = random.uniform();
            row[k] = static_cast<W>(random.uniform() - 0.5);
        }
        const double bound = n % 2 == 0 ? 1.25 : 2.0;  // some reach it, or none
        std::vector<double> expected = c;
        std::uint32_t lanes = 0;
        for (std::size_t k = 0; k < n; ++k) {
            expected[k] += 0.75 * static_cast<double>(row[k]);
            if (expected[k] >= bound) lanes |= 1u << (k % kernels::row_lanes);
        }
        CHECK(kernels::add_row_and_compare(c.data(), row.data(), n, 0.75, bound) == lanes);
        CHECK(c == expected);
    }
}

TEST_SUITE("simulation/kernels") {
    TEST_CASE("a row is added, and the lanes of those who reach the bound are told") {
        check_rows<float>();
        check_rows<double>();
    }
    TEST_CASE("who is at the bound has reached it") {
        std::vector<double> c(40, 0.5);
        const std::vector<double> row(40, 0.25);
        c[38] = 0.75;
        CHECK(kernels::add_row_and_compare(c.data(), row.data(), 40, 1.0, 1.0) == 1u << 6);
    }
}

}  // namespace
}  // namespace saltus
