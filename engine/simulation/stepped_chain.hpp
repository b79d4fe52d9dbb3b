// A projection made ready for the stepped clock: entries of a step (neuron, amplitude) to sums at its target.
//
// Chains become a list of parts. Stages that send an element to one other (pooling without overlap, Scale,
// Flatten) are tables, and tables that follow each other are one. A convolution keeps its kernel and writes
// the channels of a pixel side by side (layout.hpp). Delays leave the chain: if they are the same for all
// synapses they are one number, else the chain is expanded to synapses. Biases, and how late each arrives,
// are summed once.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "layout.hpp"
#include "route.hpp"
#include "saltus/engine/network.hpp"

namespace saltus {

template <class T>
struct StepEntry {
    NeuronIndex index;
    T amplitude;
};

namespace stepped {

inline constexpr NeuronIndex nowhere = static_cast<NeuronIndex>(-1);

/// Element i goes to to[i], times factors[i] if there are any.
template <class T>
struct Table {
    std::vector<NeuronIndex> to;
    std::vector<T> factors;
};

/// Element i brings row i of the weights to `outputs` elements, of which first[i] is the first.
template <class T>
struct Rows {
    std::uint32_t inputs_of_block;
    std::uint32_t outputs;
    std::vector<T> weights;
};

/// Element i brings weights[k] to targets[k], k in [rows[i], rows[i + 1]).
template <class T>
struct Synapses {
    std::vector<std::uint64_t> rows;
    std::vector<NeuronIndex> targets;
    std::vector<T> weights;
    std::vector<std::uint32_t> delays;  // in steps; empty: none
    std::uint32_t longest = 0;
};

template <class T>
struct Kernel {
    Kernel(const Convolution& convolution);

    struct Place {
        std::uint32_t channel, y, x;
    };
    Convolution shape;
    AxisMap rows;
    AxisMap columns;
    std::vector<Place> places;  // of each element of the input
    std::vector<T> weights;     // [in channel][place of row][place of column][out channel of the group]
};

template <class T>
using Part = std::variant<Table<T>, Rows<T>, Synapses<T>, Kernel<T>>;

/// Buffers of one run of a chain.
template <class T>
struct Scratch {
    std::vector<StepEntry<T>> entries;
    std::vector<T> sums;
};

}  // namespace stepped

template <class T>
class SteppedChain {
  public:
    /// `projection` has delays that are whole multiples of `dt` and no rules. Throws NetworkError,
    /// LimitError.
    SteppedChain(const Projection& projection, std::uint32_t source_size, const Layout& source,
                 const Layout& target, std::uint32_t target_size, Duration dt, const std::string& name);

    [[nodiscard]] std::uint32_t source() const { return source_; }
    [[nodiscard]] std::uint32_t target() const { return target_; }

    /// Steps that every synapse takes; 0 where they differ.
    [[nodiscard]] std::uint32_t delay() const { return delay_; }
    /// Synapses each with its delay, if these differ; then deliver() is not for this chain.
    [[nodiscard]] const stepped::Synapses<T>* delayed_synapses() const;

    /// Adds what `entries`, in the layout of the source, bring to x, in that of the target. Returns the
    /// number of synaptic events.
    std::uint64_t deliver(std::span<const StepEntry<T>> entries, T* x, stepped::Scratch<T>& scratch) const;

    /// The constant signal of the biases: what comes in from each step on.
    [[nodiscard]] const std::map<std::uint32_t, std::vector<T>>& constants() const { return constants_; }

  private:
    void compile(const Projection& projection, std::uint32_t source_size, const Layout& source,
                 const Layout& target);
    void expand(const Projection& projection, std::uint32_t source_size, const Layout& source,
                const Layout& target, Duration dt, const std::string& name);
    void add_constants(const Projection& projection, const Layout& target, std::uint32_t target_size,
                       Duration dt);

    void append(stepped::Part<T> part, std::uint64_t outputs);

    struct Link {
        stepped::Part<T> part;
        std::size_t outputs;
    };
    std::uint32_t source_;
    std::uint32_t target_;
    std::uint32_t delay_ = 0;
    std::vector<Link> links_;
    std::map<std::uint32_t, std::vector<T>> constants_;
};

extern template class SteppedChain<float>;
extern template class SteppedChain<double>;

}  // namespace saltus
