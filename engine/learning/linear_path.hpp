// A projection on the way back: a chain of linear stages, of which at most one (Dense, Convolution) has
// weights that learn, and pooling, scales and flattening before or behind it.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "saltus/engine/network.hpp"

namespace saltus::learning {

class LinearPath {
  public:
    /// Delays are rounded to steps as the stepped clock rounds them. Throws LimitError, with the name of the
    /// projection, for what does not learn: several stages with weights, other stages, delays that differ.
    LinearPath(const Network& network, const Projection& projection, Duration dt);

    [[nodiscard]] std::uint32_t source() const { return source_; }
    [[nodiscard]] std::uint32_t target() const { return target_; }
    /// Steps from what is sent to its arrival, and until the bias arrives.
    [[nodiscard]] std::uint32_t delay() const { return delay_; }
    [[nodiscard]] std::uint32_t bias_delay() const { return bias_delay_; }
    /// The stage of the projection that has weights.
    [[nodiscard]] std::optional<std::size_t> weighted() const { return weighted_; }

    /// From the derivative by what arrives, `by_x`: adds to that by the weights, where there are any, and,
    /// unless it is null, to that by what was sent.
    void back(const double* sent, const double* by_x, std::span<const double> weights, double* by_weights,
              double* by_sent) const;
    /// Adds to the derivative by the bias.
    void bias_back(const double* by_x, double* by_bias) const;

  private:
    [[nodiscard]] const double* behind(const double* by_x, std::vector<double>& room) const;

    std::uint32_t source_ = 0;
    std::uint32_t target_ = 0;
    std::uint32_t size_ = 0;  // of the source
    std::uint32_t delay_ = 0;
    std::uint32_t bias_delay_ = 0;
    std::optional<std::size_t> weighted_;
    std::optional<Sparse> before_;  // the weights, or all of it where there are none; none: nothing changes
    std::optional<Sparse> after_;
    Stage stage_;  // that has weights
};

}  // namespace saltus::learning
