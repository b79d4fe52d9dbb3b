// One sample forward through all layers, and back. One thread uses it, for one sample after the other.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "weights.hpp"

namespace saltus::learning::surrogate {

/// What a layer gives in all steps: bits where it spikes, else rows of numbers.
template <class T>
struct Signal {
    SignalSize size;
    std::size_t width = 0;  // of a row of numbers
    std::size_t words = 0;  // of a position's bits
    bool binary = false;
    std::vector<std::uint64_t> bits;  // [step][position][word]
    std::vector<T> numbers;           // [step][position][width]

    void become_binary(const SignalSize& of);
    void become_numbers(const SignalSize& of);
    [[nodiscard]] std::size_t rows() const { return std::size_t{size.steps} * size.positions(); }
    [[nodiscard]] T at(std::size_t row, std::size_t channel) const {
        if (!binary) return numbers[row * width + channel];
        return bits[row * words + channel / 64] >> (channel % 64) & 1 ? T(1) : T(0);
    }
    [[nodiscard]] std::uint64_t spikes() const;
};

template <class T>
class Run {
  public:
    explicit Run(const Weights<T>& weights);

    /// `sample` is [step][channel][space]; what comes out is output().
    template <class Number>
    void forward(std::span<const Number> sample);
    [[nodiscard]] const std::vector<double>& output() const { return output_; }
    [[nodiscard]] double cross_entropy(std::uint32_t label) const;
    [[nodiscard]] std::uint32_t answer() const;
    /// 1/2 mean(s^2) of a layer that spikes.
    [[nodiscard]] double activity(std::size_t layer) const;
    [[nodiscard]] double regulariser() const;

    /// After forward(): adds to `sums` (Weights::sums()); also the gradient by the input if it is asked for.
    void backward(std::uint32_t label, std::span<double> sums, bool input_gradient = false);

    [[nodiscard]] const Signal<T>& spikes(std::size_t layer) const { return layers_[layer].out; }
    [[nodiscard]] double excess(std::size_t layer, std::size_t row, std::size_t channel) const;
    /// [step][position][width], after backward().
    [[nodiscard]] const std::vector<T>& input_gradient() const { return input_errors_; }
    [[nodiscard]] std::size_t input_width() const { return input_.width; }

  private:
    struct Layer {
        Signal<T> joined;  // of several sources
        Signal<T> out;
        std::vector<T> x, u;    // drive and potential, [step][position][width]
        std::vector<T> errors;  // derivative by what the layer gives; then p
        bool has_errors = false;
    };

    [[nodiscard]] const Signal<T>& source(std::uint32_t from) const;
    [[nodiscard]] const Signal<T>& in(std::size_t l) const;
    void join(std::size_t l);
    void pool(std::size_t l);
    void pool_back(std::size_t l);
    void drive(std::size_t l, std::vector<T>& x);
    void potentials(std::size_t l);
    void spike(std::size_t l);
    void read_out(std::size_t l);
    void read_out_back(std::size_t l, std::span<const double> slope);
    void mean_back(std::size_t l, std::span<const double> slope);
    void push_down_activity(std::size_t l);
    void spike_back(std::size_t l);
    void collect(std::size_t l);
    void hand_down(std::size_t l);
    [[nodiscard]] bool marks_errors(std::size_t l) const;
    void hand_down_marked(std::size_t l, std::vector<T>& errors);
    void split(std::size_t l, const std::vector<T>& errors);
    [[nodiscard]] bool wants_errors(std::size_t l) const;
    std::vector<T>& errors_of(std::uint32_t from);
    [[nodiscard]] std::vector<T>& x_of(std::size_t l) {
        return weights_.options().recompute ? shared_x_ : layers_[l].x;
    }
    [[nodiscard]] std::vector<T>& u_of(std::size_t l) {
        return weights_.options().recompute ? shared_u_ : layers_[l].u;
    }

    const Weights<T>& weights_;
    const SurrogateNetwork& network_;
    Signal<T> input_;
    std::vector<T> input_errors_;
    bool wants_input_errors_ = false;
    std::vector<Layer> layers_;
    std::vector<T> shared_x_, shared_u_;
    std::vector<T> jump_;
    // Of the layer that is on its way back, one step more, in front: p - beta p of the next step, where it is
    // not 0.
    std::vector<T> own_;
    std::vector<std::uint64_t> marks_;
    std::vector<T> leaking_;
    std::vector<T> zeros_;
    std::vector<T> sums_;
    std::vector<double> output_;
    std::vector<std::uint32_t> best_step_;  // of each class
};

}  // namespace saltus::learning::surrogate
