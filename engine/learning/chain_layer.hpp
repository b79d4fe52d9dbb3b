// What the layers of a chain have in common: spikes come in, spikes or the values of a readout go out, and
// what moving each spike is worth comes back (layered_backend.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace saltus::learning {

/// The spikes of a layer in one sample, in any order.
struct Volley {
    std::vector<double> time;           // [s] of each
    std::vector<std::uint32_t> neuron;  // of each
    std::vector<double> error;          // dL/dt of each

    void clear() {
        time.clear();
        neuron.clear();
    }
    void add(double t, std::uint32_t from) {
        time.push_back(t);
        neuron.push_back(from);
    }
};

/// A layer as one worker runs it, and the sum over its samples of dL/dw.
class LayerRun {
  public:
    virtual ~LayerRun() = default;

    /// dL/dw becomes 0.
    virtual void begin() = 0;
    /// One sample; `arrivals` stays as it is until the way back.
    virtual void forward(const Volley& arrivals, Volley& spikes) = 0;
    /// From the errors of its spikes, or those of its values, to dL/dw and, if `times`, to those of its
    /// arrivals. `pulls`: of each neuron, or none (Backend::pull).
    virtual void backward(Volley& arrivals, const Volley& spikes, bool times, double largest_factor,
                          std::span<const double> pulls) = 0;
    /// The weights of a neuron from those that fired grow.
    virtual void wake(std::uint32_t neuron, double rise) = 0;
    /// Adds dL/dw to that of the layer's parameters, which are divided among `parts`.
    virtual void add_gradient(std::span<double> by_parameter, unsigned part, unsigned parts) const = 0;

    /// Of a readout: a value of each neuron, and dL/d of it.
    [[nodiscard]] virtual std::span<const double> values() const { return {}; }
    virtual void set_value_errors(std::span<const double>) {}
    /// Of the last sample.
    [[nodiscard]] virtual std::uint64_t events() const = 0;
    [[nodiscard]] virtual std::uint64_t bounded() const { return 0; }
};

class ChainLayer {
  public:
    virtual ~ChainLayer() = default;
    [[nodiscard]] virtual std::uint32_t size() const = 0;
    virtual void set_weights(std::span<const double>) {}
    [[nodiscard]] virtual std::unique_ptr<LayerRun> run() const = 0;
};

}  // namespace saltus::learning
