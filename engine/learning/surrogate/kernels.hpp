// The inner loops of surrogate learning. A row holds the channels of one position, padded to whole blocks of
// `lanes`; spikes of a position are bits, 64 channels a word. Loops run over positions, so that what is
// chosen at run time (vector instructions, width) is chosen once.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "saltus/engine/learning/surrogate_function.hpp"

namespace saltus::learning::surrogate {

constexpr std::size_t lanes = 16;

[[nodiscard]] constexpr std::size_t padded(std::size_t channels) {
    return (channels + lanes - 1) / lanes * lanes;
}
[[nodiscard]] constexpr std::size_t words(std::size_t channels) {
    return (channels + 63) / 64;
}

/// use(c) for each bit of a position that is set.
template <class Use>
[[gnu::always_inline]] inline void for_each_bit(const std::uint64_t* bits, std::size_t words, Use&& use) {
    for (std::size_t w = 0; w < words; ++w) {
        for (std::uint64_t left = bits[w]; left != 0; left &= left - 1)
            use(w * 64 + static_cast<std::size_t>(std::countr_zero(left)));
    }
}

/// Positions `first`, first + step, ...; of bits or of numbers.
struct BitRows {
    const std::uint64_t* first = nullptr;
    std::size_t step = 0;   // words
    std::size_t words = 0;  // of one position
};
template <class T>
struct NumberRows {
    const T* first = nullptr;
    std::size_t step = 0;      // numbers
    std::size_t channels = 0;  // of one position
};

/// out[k] += sum over the spikes c of position k of table[c], k < n.
void add_spikes(float* out, std::size_t n, BitRows spikes, const float* table, std::size_t width);
void add_spikes(double* out, std::size_t n, BitRows spikes, const double* table, std::size_t width);
/// The same with amplitudes; zeros cost nothing.
void add_numbers(float* out, std::size_t n, NumberRows<float> x, const float* table, std::size_t width);
void add_numbers(double* out, std::size_t n, NumberRows<double> x, const double* table, std::size_t width);

/// The same with amplitudes where bits are set, [channel] of rows that follow one another; out[k] is
/// `out_step` numbers after out[k - 1].
void add_marked(float* out, std::size_t out_step, std::size_t n, BitRows marks, const float* x,
                std::size_t x_width, const float* table, std::size_t width);
void add_marked(double* out, std::size_t out_step, std::size_t n, BitRows marks, const double* x,
                std::size_t x_width, const double* table, std::size_t width);
/// later[k] -> now[k] += beta later[k], and errors[k] += now[k].
void leak_back(float* now, const float* later, float* errors, std::size_t n, float beta);
void leak_back(double* now, const double* later, double* errors, std::size_t n, double beta);

/// table[c] += rows[k] for all spikes c of positions k < n: the transpose of add_spikes.
void collect_spikes(float* table, std::size_t n, BitRows spikes, const float* rows, std::size_t width);
void collect_spikes(double* table, std::size_t n, BitRows spikes, const double* rows, std::size_t width);
void collect_numbers(float* table, std::size_t n, NumberRows<float> x, const float* rows, std::size_t width);
void collect_numbers(double* table, std::size_t n, NumberRows<double> x, const double* rows,
                     std::size_t width);

/// One step of neurons, in `n` positions: u = beta u_before + (1 - beta) x + jump, spikes where
/// u per_norm - b > 0. `jump` is what spikes of the last step bring.
template <class T>
struct NeuronStep {
    std::size_t n = 0;
    std::size_t width = 0;
    std::size_t words = 0;
    T beta = 0;
    const T* per_norm = nullptr;   // 1 / (n_j + e), by channel
    const T* threshold = nullptr;  // b
    const T* before = nullptr;     // u of the last step, or null: 0
    const T* jump = nullptr;       // or null
    const T* x = nullptr;
    T* u = nullptr;
    std::uint64_t* spikes = nullptr;
};
void step_neurons(const NeuronStep<float>& step);
void step_neurons(const NeuronStep<double>& step);

/// One step back: p = g d(z) per_norm + beta p_next, in place of g, and what it adds to the gradients of
/// b, n and beta by channel.
template <class T>
struct NeuronStepBack {
    std::size_t n = 0;
    std::size_t width = 0;
    T beta = 0;
    const T* per_norm = nullptr;
    const T* threshold = nullptr;
    const T* u = nullptr;
    const T* before = nullptr;  // u of the last step, or null: 0
    const T* x = nullptr;
    const T* zeros = nullptr;        // `width` of them
    const T* next = nullptr;         // p of the next step, or null: 0
    T* g = nullptr;                  // becomes p
    T* own = nullptr;                // p - beta p_next, or null: not asked for
    std::uint64_t* marks = nullptr;  // with `own`: where it is not 0
    std::size_t words = 0;           // of a position's marks
    T* b = nullptr;                  // -= zeta
    T* square = nullptr;             // -= zeta u per_norm^2
    T* leak = nullptr;               // += p (u_before - x)
};
void step_neurons_back(const NeuronStepBack<float>& step, const SurrogateFunction& f);
void step_neurons_back(const NeuronStepBack<double>& step, const SurrogateFunction& f);

/// Most rows that gather_products takes at once.
constexpr std::size_t tile_rows = 24;
/// out[k] += sum over taps a of sources[a][k] tables[a], k < rows: a row of `inner` numbers times a table of
/// [inner][width]. Sources that do not exist point to zeros.
template <class T>
struct Products {
    std::size_t rows = 0;
    std::size_t taps = 0;
    std::size_t inner = 0;
    std::size_t width = 0;
    const T* const* sources = nullptr;  // [tap][tile_rows]
    const T* const* tables = nullptr;   // [tap]
    T* const* out = nullptr;            // [tile_rows]
};
void gather_products(const Products<float>& products);
void gather_products(const Products<double>& products);

}  // namespace saltus::learning::surrogate
