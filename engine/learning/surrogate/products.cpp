// The dense part of the backward pass: rows of errors times tables of weights, over all taps of a kernel
// without leaving the registers.
#include <array>

#include "../../simulation/kernels.hpp"
#include "kernels.hpp"
#include "vector.hpp"

namespace saltus::learning::surrogate {

namespace {

template <class T, std::size_t R, std::size_t B>
[[gnu::always_inline]] inline void tile(const Products<T>& p, std::size_t first, std::size_t column) {
    std::array<std::array<Block<T>, B>, R> sum;
    for (std::size_t r = 0; r < R; ++r) {
        for (std::size_t j = 0; j < B; ++j) sum[r][j] = load(p.out[first + r] + column + j * lanes);
    }
    for (std::size_t a = 0; a < p.taps; ++a) {
        std::array<const T*, R> rows;
        for (std::size_t r = 0; r < R; ++r) rows[r] = p.sources[a * tile_rows + first + r];
        const T* table = p.tables[a] + column;
        for (std::size_t i = 0; i < p.inner; ++i, table += p.width) {
            std::array<Block<T>, B> weights;
            for (std::size_t j = 0; j < B; ++j) weights[j] = load(table + j * lanes);
            for (std::size_t r = 0; r < R; ++r) {
                const T x = rows[r][i];
                for (std::size_t j = 0; j < B; ++j) sum[r][j] += x * weights[j];
            }
        }
    }
    for (std::size_t r = 0; r < R; ++r) {
        for (std::size_t j = 0; j < B; ++j) store(p.out[first + r] + column + j * lanes, sum[r][j]);
    }
}

template <class T, std::size_t R>
[[gnu::always_inline]] inline void all_columns(const Products<T>& p, std::size_t first) {
    constexpr std::size_t wide = sizeof(T) == 4 ? 2 : 1;
    std::size_t column = 0;
    for (; column + wide * lanes <= p.width; column += wide * lanes) tile<T, R, wide>(p, first, column);
    for (; column < p.width; column += lanes) tile<T, R, 1>(p, first, column);
}

template <class T>
[[gnu::always_inline]] inline void products_of(const Products<T>& p) {
    if (p.rows == tile_rows) return all_columns<T, tile_rows>(p, 0);
    std::size_t first = 0;
    if (p.rows >= 4) {
        all_columns<T, 4>(p, 0);
        first = 4;
    }
    for (; first < p.rows; ++first) all_columns<T, 1>(p, first);
}

}  // namespace

SALTUS_VECTOR_VERSIONS void gather_products(const Products<float>& products) {
    products_of(products);
}
SALTUS_VECTOR_VERSIONS void gather_products(const Products<double>& products) {
    products_of(products);
}

}  // namespace saltus::learning::surrogate
