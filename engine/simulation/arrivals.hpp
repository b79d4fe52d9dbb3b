// What reaches the neurons of one population at one instant: the sum of the weights, neuron by neuron, and the list of
// the neurons that are to be looked at.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "saltus/engine/spike_train.hpp"

namespace saltus {

class Arrivals {
  public:
    explicit Arrivals(std::uint32_t neurons) : sum_(neurons, 0.0), marked_(neurons, 0), touched_(std::size_t{neurons} + 1) {}

    [[nodiscard]] bool any() const { return everybody_ || count_ != 0; }

    void add(NeuronIndex j, double w) {
        sum_[j] += w;
        mark(j);
    }
    /// Looks at neuron j although nothing arrives.
    void mark(NeuronIndex j) {
        touched_[count_] = j;  // kept only if j is new: no branch
        count_ += marked_[j] == 0;
        marked_[j] = 1;
    }
    /// The neurons from `first` on receive amplitude * row.
    template <class W>
    void add_row(NeuronIndex first, std::span<const W> row, double amplitude) {
        double* const sum = sum_.data() + first;
        for (std::size_t k = 0; k < row.size(); ++k) sum[k] += amplitude * static_cast<double>(row[k]);
        if (row.size() == sum_.size()) {
            everybody_ = true;
        } else {
            for (std::size_t k = 0; k < row.size(); ++k) mark(first + static_cast<NeuronIndex>(k));
        }
    }

    /// Calls f(neuron, sum) once for each neuron that was touched and forgets them all.
    template <class F>
    void drain(F&& f) {
        if (everybody_) {
            for (std::size_t j = 0; j < sum_.size(); ++j) visit(static_cast<NeuronIndex>(j), f);
        } else {
            for (std::size_t k = 0; k < count_; ++k) visit(touched_[k], f);
        }
        everybody_ = false;
        count_ = 0;
    }

  private:
    template <class F>
    void visit(NeuronIndex j, F&& f) {
        const double w = sum_[j];
        sum_[j] = 0.0;
        marked_[j] = 0;
        f(j, w);
    }

    std::vector<double> sum_;
    std::vector<std::uint8_t> marked_;
    std::vector<NeuronIndex> touched_;  // the first count_ entries; one more is scratch
    std::size_t count_ = 0;
    bool everybody_ = false;
};

}  // namespace saltus
