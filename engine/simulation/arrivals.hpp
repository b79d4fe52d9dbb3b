// What reaches the neurons of one population at one instant: the sum of the weights, neuron by neuron, and
// the blocks of neurons that are to be looked at. Where excitation and inhibition act apart, the weights < 0
// have a sum of their own. Indices are those inside the run (layout.hpp).
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "kernels.hpp"
#include "layout.hpp"

namespace saltus {

class Arrivals {
  public:
    Arrivals(std::uint32_t neurons, const Layout& layout, bool signs_apart = false)
        : layout_(layout),
          sum_(neurons, 0.0),
          negative_(signs_apart ? neurons : 0, 0.0),
          marked_(neurons / layout.block(), 0),
          touched_(marked_.size() + 1) {}

    [[nodiscard]] bool any() const { return everybody_ || count_ != 0; }

    /// Neuron j, counted as outside, receives w.
    void add(NeuronIndex j, double w) {
        const NeuronIndex i = layout_.inside(j);
        (w < 0.0 && !negative_.empty() ? negative_ : sum_)[i] += w;
        mark(i / layout_.block());
    }
    /// Looks at neuron i although nothing arrives.
    void wake(NeuronIndex i) { mark(i / layout_.block()); }

    /// `n` neurons from number `offset` of block `block` on receive amplitude * row; they lie in `count`
    /// blocks.
    template <class W>
    [[gnu::always_inline]] void add_to_blocks(std::uint32_t block, std::uint32_t count, std::uint32_t offset,
                                              const W* row, std::size_t n, double amplitude) {
        add_row(std::size_t{block} * layout_.block() + offset, row, n, amplitude);
        for (std::uint32_t b = block; b < block + count; ++b) mark(b);
    }
    /// Every neuron receives its entry of amplitude * row; only where the layout is that of outside.
    template <class W>
    [[gnu::always_inline]] void add_to_all(const W* row, double amplitude) {
        add_row(0, row, sum_.size(), amplitude);
        everybody_ = true;
    }

    [[nodiscard]] const Layout& layout() const { return layout_; }

    /// The sum of the weights < 0 at neuron i, which is then 0; only where signs are kept apart.
    [[nodiscard]] double take_negative(NeuronIndex i) { return std::exchange(negative_[i], 0.0); }

    /// Calls f(i, sums) for each run of neurons from i on that may have been touched, and forgets them all. f
    /// must leave zeros in `sums`: it reads them anyway.
    template <class F>
    void drain(F&& f) {
        if (everybody_) {
            f(NeuronIndex{0}, std::span<double>(sum_));
            if (count_ != 0) std::fill(marked_.begin(), marked_.end(), std::uint8_t{0});
        } else {
            const std::uint32_t block = layout_.block();
            for (std::size_t k = 0; k < count_;) {
                const std::uint32_t first = touched_[k];
                std::uint32_t neighbours = 0;  // blocks that were touched one after the other and lie so
                for (; k < count_ && touched_[k] == first + neighbours; ++k, ++neighbours)
                    marked_[touched_[k]] = 0;
                const NeuronIndex i = first * block;
                f(i, std::span<double>(sum_.data() + i, std::size_t{neighbours} * block));
            }
        }
        everybody_ = false;
        count_ = 0;
    }

  private:
    void mark(std::uint32_t block) {
        touched_[count_] = block;  // kept only if the block is new: no branch
        count_ += marked_[block] == 0;
        marked_[block] = 1;
    }
    template <class W>
    [[gnu::always_inline]] void add_row(std::size_t first, const W* row, std::size_t n, double amplitude) {
        if (negative_.empty()) {
            kernels::add_row(sum_.data() + first, row, n, amplitude);
        } else {
            kernels::add_row_by_sign(sum_.data() + first, negative_.data() + first, row, n, amplitude);
        }
    }

    Layout layout_;
    std::vector<double> sum_;
    std::vector<double> negative_;        // empty unless signs are kept apart
    std::vector<std::uint8_t> marked_;    // per block
    std::vector<std::uint32_t> touched_;  // the first count_ blocks; one more is scratch
    std::size_t count_ = 0;
    bool everybody_ = false;
};

}  // namespace saltus
