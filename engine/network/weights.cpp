#include "saltus/engine/weights.hpp"

#include <algorithm>

namespace saltus {

Weights::Weights(std::vector<float> values)
    : values_(std::make_shared<const std::vector<float>>(std::move(values))) {}

Weights::Weights(const std::vector<double>& values) {
    const bool exact = std::all_of(values.begin(), values.end(),
                                   [](double w) { return static_cast<double>(static_cast<float>(w)) == w; });
    if (exact) {
        std::vector<float> floats(values.size());
        std::transform(values.begin(), values.end(), floats.begin(),
                       [](double w) { return static_cast<float>(w); });
        values_ = std::make_shared<const std::vector<float>>(std::move(floats));
    } else {
        values_ = std::make_shared<const std::vector<double>>(values);
    }
}

std::size_t Weights::size() const {
    return visit([](auto values) { return values.size(); });
}

double Weights::operator[](std::size_t i) const {
    return visit([i](auto values) { return static_cast<double>(values[i]); });
}

}  // namespace saltus
