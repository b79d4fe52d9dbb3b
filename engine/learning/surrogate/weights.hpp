// The parameters of a network, as its loops read them, and the way from what they collect to a gradient.
#pragma once

#include <span>
#include <vector>

#include "kernels.hpp"
#include "saltus/engine/learning/surrogate.hpp"

namespace saltus::learning::surrogate {

/// Where a layer's sums begin in the vector that a sample adds to.
struct LayerSums {
    std::size_t weights = 0;  // [tap][in channel][width]: sum of input times p
    std::size_t pairs = 0;    // S, [channel][width]; without lateral or recurrent connections its diagonal
    std::size_t b = 0;        // [width] each
    std::size_t square = 0;
    std::size_t leak = 0;
};

template <class T>
class Weights {
  public:
    struct Layer {
        std::size_t width = 0;     // of rows of the layer
        std::size_t in_width = 0;  // and of what it takes
        T beta = 0;
        bool pairs = false;           // spikes of the last step reach other neurons
        std::vector<T> forward;       // [tap][in channel][width]
        std::vector<T> backward;      // [tap][out channel][in width], times what p is to be multiplied with
        std::vector<T> per_norm;      // [width]
        std::vector<T> threshold;     // [width]
        std::vector<T> jump;          // -beta G + (1 - beta) v, [from][width]; not pairs: -beta b n, [width]
        std::vector<T> jump_back;     // the same from j to i, as the gradient sees it
        std::vector<double> square;   // n
        std::vector<double> overlap;  // G, [channel][channel], where it is needed
    };

    Weights(const SurrogateNetwork& network, const SurrogateOptions& options);
    void set(std::span<const double> parameters, unsigned threads);

    [[nodiscard]] const SurrogateNetwork& network() const { return network_; }
    [[nodiscard]] const SurrogateOptions& options() const { return options_; }
    [[nodiscard]] const Layer& operator[](std::size_t l) const { return layers_[l]; }
    [[nodiscard]] const LayerSums& sums(std::size_t l) const { return sums_[l]; }
    [[nodiscard]] std::size_t sums() const { return size_; }
    /// Adds the gradient to which `sums` of some samples lead.
    void add_gradient(std::span<const double> parameters, std::span<const double> sums,
                      std::span<double> gradient, unsigned threads) const;

  private:
    void set_layer(std::size_t l, std::span<const double> parameters);
    void add_layer(std::size_t l, std::span<const double> parameters, std::span<const double> sums,
                   std::span<double> gradient) const;

    const SurrogateNetwork& network_;
    SurrogateOptions options_;
    std::vector<Layer> layers_;
    std::vector<LayerSums> sums_;
    std::size_t size_ = 0;
};

/// e: what keeps a neuron without weights from a division by 0.
constexpr double norm_floor = 1e-8;

}  // namespace saltus::learning::surrogate
