// Synaptic weights in the precision of their file: float where every one is exactly a float, else double. The
// values are shared and never change, so networks and projections are cheap to copy.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <variant>
#include <vector>

namespace saltus {

class Weights {
  public:
    Weights() = default;  // none
    explicit Weights(std::vector<float> values);
    explicit Weights(const std::vector<double>& values);

    [[nodiscard]] std::size_t size() const;
    [[nodiscard]] bool empty() const { return size() == 0; }
    [[nodiscard]] double operator[](std::size_t i) const;

    /// Calls f with a std::span<const float> or std::span<const double>.
    template <class F>
    decltype(auto) visit(F&& f) const {
        if (const auto* floats = std::get_if<Shared<float>>(&values_)) return f(span_of(*floats));
        return f(span_of(std::get<Shared<double>>(values_)));
    }

  private:
    template <class T>
    using Shared = std::shared_ptr<const std::vector<T>>;
    template <class T>
    static std::span<const T> span_of(const Shared<T>& values) {
        return values ? std::span<const T>(*values) : std::span<const T>();
    }

    std::variant<Shared<float>, Shared<double>> values_;
};

}  // namespace saltus
