#include "kernels.hpp"

#include <array>

#include "../../simulation/kernels.hpp"
#include "derivative.hpp"
#include "vector.hpp"

#define SALTUS_INLINE __attribute__((always_inline))

namespace saltus::learning::surrogate {

namespace {

template <class T, std::size_t bytes>
constexpr std::size_t vector_lanes = bytes / sizeof(T);

/// Rows of B vectors, of which the first begins at `column`.
template <std::size_t bytes, std::size_t B, class T>
[[gnu::always_inline]] inline void add_spikes_of(T* out, std::size_t n, BitRows spikes, const T* table,
                                                 std::size_t width) {
    for (std::size_t k = 0; k < n; ++k, out += width) {
        const std::uint64_t* bits = spikes.first + k * spikes.step;
        std::uint64_t any = 0;
        for (std::size_t w = 0; w < spikes.words; ++w) any |= bits[w];
        if (any == 0) continue;
        std::array<Block<T, bytes>, B> sum;
        for (std::size_t j = 0; j < B; ++j) sum[j] = load<bytes>(out + j * vector_lanes<T, bytes>);
        for_each_bit(
            bits, spikes.words, [&](std::size_t c) __attribute__((always_inline)) {
                const T* row = table + c * width;
                for (std::size_t j = 0; j < B; ++j) sum[j] += load<bytes>(row + j * vector_lanes<T, bytes>);
            });
        for (std::size_t j = 0; j < B; ++j) store(out + j * vector_lanes<T, bytes>, sum[j]);
    }
}

template <std::size_t bytes, std::size_t B, class T>
[[gnu::always_inline]] inline void add_numbers_of(T* out, std::size_t n, NumberRows<T> x, const T* table,
                                                  std::size_t width) {
    for (std::size_t k = 0; k < n; ++k, out += width) {
        const T* values = x.first + k * x.step;
        std::array<Block<T, bytes>, B> sum;
        for (std::size_t j = 0; j < B; ++j) sum[j] = load<bytes>(out + j * vector_lanes<T, bytes>);
        for (std::size_t c = 0; c < x.channels; ++c) {
            const T value = values[c];
            if (value == T(0)) continue;
            const T* row = table + c * width;
            for (std::size_t j = 0; j < B; ++j)
                sum[j] += value * load<bytes>(row + j * vector_lanes<T, bytes>);
        }
        for (std::size_t j = 0; j < B; ++j) store(out + j * vector_lanes<T, bytes>, sum[j]);
    }
}

template <std::size_t bytes, std::size_t B, class T>
[[gnu::always_inline]] inline void collect_spikes_of(T* table, std::size_t n, BitRows spikes, const T* rows,
                                                     std::size_t width) {
    for (std::size_t k = 0; k < n; ++k, rows += width) {
        std::array<Block<T, bytes>, B> row;
        for (std::size_t j = 0; j < B; ++j) row[j] = load<bytes>(rows + j * vector_lanes<T, bytes>);
        for_each_bit(
            spikes.first + k * spikes.step, spikes.words, [&](std::size_t c) __attribute__((always_inline)) {
                T* sum = table + c * width;
                for (std::size_t j = 0; j < B; ++j)
                    store(sum + j * vector_lanes<T, bytes>,
                          load<bytes>(sum + j * vector_lanes<T, bytes>) + row[j]);
            });
    }
}

template <std::size_t bytes, std::size_t B, class T>
[[gnu::always_inline]] inline void collect_numbers_of(T* table, std::size_t n, NumberRows<T> x, const T* rows,
                                                      std::size_t width) {
    for (std::size_t k = 0; k < n; ++k, rows += width) {
        const T* values = x.first + k * x.step;
        std::array<Block<T, bytes>, B> row;
        for (std::size_t j = 0; j < B; ++j) row[j] = load<bytes>(rows + j * vector_lanes<T, bytes>);
        for (std::size_t c = 0; c < x.channels; ++c) {
            const T value = values[c];
            if (value == T(0)) continue;
            T* sum = table + c * width;
            for (std::size_t j = 0; j < B; ++j)
                store(sum + j * vector_lanes<T, bytes>,
                      load<bytes>(sum + j * vector_lanes<T, bytes>) + value * row[j]);
        }
    }
}

template <std::size_t bytes, std::size_t B, class T>
[[gnu::always_inline]] inline void add_marked_of(T* out, std::size_t out_step, std::size_t n, BitRows marks,
                                                 const T* x, std::size_t x_width, const T* table,
                                                 std::size_t width) {
    for (std::size_t k = 0; k < n; ++k, out += out_step, x += x_width) {
        const std::uint64_t* bits = marks.first + k * marks.step;
        std::uint64_t any = 0;
        for (std::size_t w = 0; w < marks.words; ++w) any |= bits[w];
        if (any == 0) continue;
        std::array<Block<T, bytes>, B> sum;
        for (std::size_t j = 0; j < B; ++j) sum[j] = load<bytes>(out + j * vector_lanes<T, bytes>);
        for_each_bit(
            bits, marks.words, [&](std::size_t c) __attribute__((always_inline)) {
                const T value = x[c];
                const T* row = table + c * width;
                for (std::size_t j = 0; j < B; ++j)
                    sum[j] += value * load<bytes>(row + j * vector_lanes<T, bytes>);
            });
        for (std::size_t j = 0; j < B; ++j) store(out + j * vector_lanes<T, bytes>, sum[j]);
    }
}

template <class T>
[[gnu::always_inline]] inline void leak_all_back(T* __restrict now, const T* __restrict later,
                                                 T* __restrict errors, std::size_t n, T beta) {
#pragma omp simd
    for (std::size_t k = 0; k < n; ++k) {
        now[k] += beta * later[k];
        errors[k] += now[k];
    }
}

/// Bits of the channels of one position for which is(j), 16 at a time.
template <class Is>
[[gnu::always_inline]] inline void mark(std::uint64_t* bits, std::size_t words, std::size_t width, Is&& is) {
    for (std::size_t w = 0; w < words; ++w) {
        const std::size_t end = std::min<std::size_t>(width, (w + 1) * 64);
        bits[w] = 0;
        for (std::size_t j = w * 64; j < end; j += lanes) {
            std::array<std::uint8_t, lanes> set;
#pragma omp simd
            for (std::size_t i = 0; i < lanes; ++i) set[i] = is(j + i) ? 1 : 0;
            std::array<std::uint64_t, 2> eights;
            std::memcpy(eights.data(), set.data(), lanes);
            // Eight bytes of 0 or 1 to eight bits.
            constexpr std::uint64_t gather = 0x0102040810204080u;
            const std::uint64_t low = (eights[0] * gather) >> 56;
            const std::uint64_t high = (eights[1] * gather) >> 56;
            bits[w] |= (low | (high << 8)) << (j % 64);
        }
    }
}

template <class T>
[[gnu::always_inline]] inline void step_all(const NeuronStep<T>& s) {
    const T one_minus = T(1) - s.beta;
    for (std::size_t k = 0; k < s.n; ++k) {
        const std::size_t at = k * s.width;
        T* u = s.u + at;
        const T* x = s.x + at;
        if (s.before) {
            const T* before = s.before + at;
            if (s.jump) {
                const T* jump = s.jump + at;
#pragma omp simd
                for (std::size_t j = 0; j < s.width; ++j)
                    u[j] = s.beta * before[j] + one_minus * x[j] + jump[j];
            } else {
#pragma omp simd
                for (std::size_t j = 0; j < s.width; ++j) u[j] = s.beta * before[j] + one_minus * x[j];
            }
        } else {
#pragma omp simd
            for (std::size_t j = 0; j < s.width; ++j) u[j] = one_minus * x[j];
        }
        mark(
            s.spikes + k * s.words, s.words, s.width, [&](std::size_t j) __attribute__((always_inline)) {
                return u[j] * s.per_norm[j] - s.threshold[j] > T(0);
            });
    }
}

template <class T>
[[gnu::always_inline]] inline void step_all_back(const NeuronStepBack<T>& s, const SurrogateFunction& f) {
    with_derivative<T>(
        f, [&](auto derivative) __attribute__((always_inline)) {
            for (std::size_t k = 0; k < s.n; ++k) {
                const std::size_t at = k * s.width;
                const T* __restrict u = s.u + at;
                const T* __restrict x = s.x + at;
                const T* __restrict before = s.before ? s.before + at : s.zeros;
                const T* __restrict next = s.next ? s.next + at : s.zeros;
                T* __restrict g = s.g + at;
                T* __restrict b = s.b;
                T* __restrict square = s.square;
                T* __restrict leak = s.leak;
                const auto all = [&](auto keep) __attribute__((always_inline)) {
#pragma omp simd
                    for (std::size_t j = 0; j < s.width; ++j) {
                        const T per_norm = s.per_norm[j];
                        const T scaled = u[j] * per_norm;
                        const T zeta = g[j] * derivative(scaled - s.threshold[j]);
                        const T own = zeta * per_norm;
                        const T p = own + s.beta * next[j];
                        keep(j, own);
                        g[j] = p;
                        b[j] -= zeta;
                        square[j] -= zeta * scaled * per_norm;
                        leak[j] += p * (before[j] - x[j]);
                    }
                };
                if (!s.own) {
                    all([](std::size_t, T) __attribute__((always_inline)){});
                    continue;
                }
                T* __restrict kept = s.own + at;
                all([kept](std::size_t j, T own) __attribute__((always_inline)) { kept[j] = own; });
                mark(
                    s.marks + k * s.words, s.words,
                    s.width, [kept](std::size_t j) __attribute__((always_inline)) {
                        return kept[j] != T(0);
                    });
            }
        });
}

/// f<B>(column) for B vectors side by side; a width is a multiple of 64 bytes.
template <class T, std::size_t bytes, class F>
[[gnu::always_inline]] inline void by_columns(std::size_t width, F&& f) {
    std::size_t column = 0;
    constexpr std::size_t one = vector_lanes<T, bytes>;
    for (; column + 8 * one <= width; column += 8 * one) f.template operator()<8>(column);
    for (; column + 4 * one <= width; column += 4 * one) f.template operator()<4>(column);
    for (; column < width; column += one) f.template operator()<1>(column);
}

/// Calls f<bytes>(), bytes as many as a vector of this processor has. Each number is added up by itself, so
/// the width of vectors does not show.
#ifdef SALTUS_VECTOR_CHOICE
template <class F>
[[gnu::target("arch=x86-64-v4")]] void with_512(F&& f) {
    f.template operator()<64>();
}
template <class F>
[[gnu::target("arch=x86-64-v3")]] void with_256(F&& f) {
    f.template operator()<32>();
}
template <class F>
void with_vectors(F&& f) {
    if (__builtin_cpu_supports("x86-64-v4")) return with_512(f);
    if (__builtin_cpu_supports("x86-64-v3")) return with_256(f);
    f.template operator()<16>();
}
#else
template <class F>
void with_vectors(F&& f) {
    f.template operator()<16>();
}
#endif

/// f<bytes, B>(column), over all columns.
template <class T, class F>
void in_columns(std::size_t width, F&& f) {
    with_vectors([&]<std::size_t bytes>() SALTUS_INLINE {
        by_columns<T, bytes>(
            width, [&]<std::size_t B>(std::size_t c) SALTUS_INLINE { f.template operator()<bytes, B>(c); });
    });
}

}  // namespace

#define SALTUS_FOR_BOTH(T)                                                                             \
    void add_spikes(T* out, std::size_t n, BitRows spikes, const T* table, std::size_t width) {        \
        in_columns<T>(width, [&]<std::size_t bytes, std::size_t B>(std::size_t c) SALTUS_INLINE {      \
            add_spikes_of<bytes, B>(out + c, n, spikes, table + c, width);                             \
        });                                                                                            \
    }                                                                                                  \
    void add_numbers(T* out, std::size_t n, NumberRows<T> x, const T* table, std::size_t width) {      \
        in_columns<T>(width, [&]<std::size_t bytes, std::size_t B>(std::size_t c) SALTUS_INLINE {      \
            add_numbers_of<bytes, B>(out + c, n, x, table + c, width);                                 \
        });                                                                                            \
    }                                                                                                  \
    void add_marked(T* out, std::size_t out_step, std::size_t n, BitRows marks, const T* x,            \
                    std::size_t x_width, const T* table, std::size_t width) {                          \
        in_columns<T>(width, [&]<std::size_t bytes, std::size_t B>(std::size_t c) SALTUS_INLINE {      \
            add_marked_of<bytes, B>(out + c, out_step, n, marks, x, x_width, table + c, width);        \
        });                                                                                            \
    }                                                                                                  \
    void collect_spikes(T* table, std::size_t n, BitRows spikes, const T* rows, std::size_t width) {   \
        in_columns<T>(width, [&]<std::size_t bytes, std::size_t B>(std::size_t c) SALTUS_INLINE {      \
            collect_spikes_of<bytes, B>(table + c, n, spikes, rows + c, width);                        \
        });                                                                                            \
    }                                                                                                  \
    void collect_numbers(T* table, std::size_t n, NumberRows<T> x, const T* rows, std::size_t width) { \
        in_columns<T>(width, [&]<std::size_t bytes, std::size_t B>(std::size_t c) SALTUS_INLINE {      \
            collect_numbers_of<bytes, B>(table + c, n, x, rows + c, width);                            \
        });                                                                                            \
    }                                                                                                  \
    SALTUS_VECTOR_VERSIONS void leak_back(T* now, const T* later, T* errors, std::size_t n, T beta) {  \
        leak_all_back(now, later, errors, n, beta);                                                    \
    }                                                                                                  \
    SALTUS_VECTOR_VERSIONS void step_neurons(const NeuronStep<T>& step) {                              \
        step_all(step);                                                                                \
    }                                                                                                  \
    SALTUS_VECTOR_VERSIONS void step_neurons_back(const NeuronStepBack<T>& step,                       \
                                                  const SurrogateFunction& f) {                        \
        step_all_back(step, f);                                                                        \
    }
SALTUS_FOR_BOTH(float)
SALTUS_FOR_BOTH(double)
#undef SALTUS_FOR_BOTH
#undef SALTUS_INLINE

}  // namespace saltus::learning::surrogate
