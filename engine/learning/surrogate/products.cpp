// The dense part of the backward pass: rows of errors times tables of weights, over all taps of a kernel
// without leaving the registers.
#include <array>

#include "../../simulation/kernels.hpp"
#include "kernels.hpp"
#include "vector.hpp"

namespace saltus::learning::surrogate {

namespace {

template <class T, std::size_t bytes>
constexpr std::size_t lanes_of = bytes / sizeof(T);

/// R rows and B vectors of columns, through one tap.
template <std::size_t R, std::size_t B, std::size_t bytes, class T>
[[gnu::always_inline]] inline void tile(const Products<T>& p, std::size_t tap, std::size_t first,
                                        std::size_t column) {
    std::array<std::array<Block<T, bytes>, B>, R> sum;
    std::array<const T*, R> rows;
    for (std::size_t r = 0; r < R; ++r) {
        rows[r] = p.sources[tap * tile_rows + first + r];
        for (std::size_t j = 0; j < B; ++j)
            sum[r][j] = load<bytes>(p.out[first + r] + column + j * lanes_of<T, bytes>);
    }
    const T* table = p.tables[tap] + column;
    for (std::size_t i = 0; i < p.inner; ++i, table += p.width) {
        std::array<Block<T, bytes>, B> weights;
        for (std::size_t j = 0; j < B; ++j) weights[j] = load<bytes>(table + j * lanes_of<T, bytes>);
        for (std::size_t r = 0; r < R; ++r) {
            const T x = rows[r][i];
            for (std::size_t j = 0; j < B; ++j) sum[r][j] += x * weights[j];
        }
    }
    for (std::size_t r = 0; r < R; ++r) {
        for (std::size_t j = 0; j < B; ++j)
            store(p.out[first + r] + column + j * lanes_of<T, bytes>, sum[r][j]);
    }
}

/// All rows, R at a time: as many sums as the registers hold.
template <std::size_t R, std::size_t B, std::size_t bytes, class T>
[[gnu::always_inline]] inline void columns(const Products<T>& p, std::size_t tap, std::size_t column) {
    std::size_t first = 0;
    for (; first + R <= p.rows; first += R) tile<R, B, bytes>(p, tap, first, column);
    for (; first + 2 <= p.rows; first += 2) tile<2, B, bytes>(p, tap, first, column);
    for (; first < p.rows; ++first) tile<1, B, bytes>(p, tap, first, column);
}

/// Taps are the outer loop: the columns of a table that one pass takes stay in the nearest cache.
template <std::size_t R, std::size_t B, std::size_t bytes, class T>
[[gnu::always_inline]] inline void products_of(const Products<T>& p) {
    for (std::size_t tap = 0; tap < p.taps; ++tap) {
        std::size_t column = 0;
        constexpr std::size_t one = lanes_of<T, bytes>;
        for (; column + B * one <= p.width; column += B * one) columns<R, B, bytes>(p, tap, column);
        for (; column < p.width; column += one) columns<R, 1, bytes>(p, tap, column);
    }
}

}  // namespace

#ifdef SALTUS_VECTOR_CHOICE
// One shape does not fit all: 32 registers of 16 floats, or 16 of 8. Each sum has its terms in the same order
// in all of them.
[[gnu::target("arch=x86-64-v4")]] static void gather_512(const Products<float>& p) {
    products_of<12, 2, 64>(p);
}
[[gnu::target("arch=x86-64-v4")]] static void gather_512(const Products<double>& p) {
    products_of<12, 2, 64>(p);
}
[[gnu::target("arch=x86-64-v3")]] static void gather_256(const Products<float>& p) {
    products_of<6, 2, 32>(p);
}
[[gnu::target("arch=x86-64-v3")]] static void gather_256(const Products<double>& p) {
    products_of<6, 2, 32>(p);
}
template <class T>
static void choose(const Products<T>& products) {
    if (__builtin_cpu_supports("x86-64-v4")) return gather_512(products);
    if (__builtin_cpu_supports("x86-64-v3")) return gather_256(products);
    products_of<3, 4, 16>(products);
}
#else
template <class T>
static void choose(const Products<T>& products) {
    products_of<3, 4, 16>(products);
}
#endif

void gather_products(const Products<float>& products) {
    choose(products);
}
void gather_products(const Products<double>& products) {
    choose(products);
}

}  // namespace saltus::learning::surrogate
