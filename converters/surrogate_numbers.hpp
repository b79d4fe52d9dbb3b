// The numbers of a layer that learnt by a surrogate gradient, under the names of surrogate_network.hpp.
#pragma once

#include <cmath>
#include <limits>
#include <vector>

#include "saltus/engine/learning/surrogate_network.hpp"

namespace saltus::converters {

struct SurrogateNumbers {
    using Layer = learning::SurrogateNetwork::Layer;

    SurrogateNumbers(const Layer& layer, const std::vector<double>& parameters)
        : channels(layer.out.channels), norm(channels, 0.0), overlap(std::size_t{channels} * channels, 0.0) {
        constexpr std::size_t none = learning::SurrogateParameters::none;
        const bool leaks = layer.at.beta != none;
        beta = leaks ? parameters[layer.at.beta] : 0.0;
        b.assign(parameters.begin() + static_cast<std::ptrdiff_t>(layer.at.b),
                 parameters.begin() + static_cast<std::ptrdiff_t>(layer.at.b + channels));
        std::vector<double> row(channels);
        for (std::uint32_t tap = 0; tap < layer.taps(); ++tap) {
            for (std::uint32_t c = 0; c < layer.in.channels; ++c) {
                for (std::uint32_t o = 0; o < channels; ++o)
                    row[o] = layer.connected(c, o) ? parameters[layer.at.w + layer.weight(tap, c, o)] : 0.0;
                for (std::uint32_t i = 0; i < channels; ++i) {
                    norm[i] += row[i] * row[i];
                    for (std::uint32_t j = 0; row[i] != 0.0 && j < channels; ++j)
                        overlap[std::size_t{i} * channels + j] += row[i] * row[j];
                }
            }
        }
        if (!layer.described.lateral) {
            std::fill(overlap.begin(), overlap.end(), 0.0);
            for (std::uint32_t j = 0; j < channels; ++j)
                overlap[std::size_t{j} * channels + j] = b[j] * norm[j];
        }
    }

    /// What a spike of channel i takes from channel j: G_ij, or b_j n_j for j = i only.
    [[nodiscard]] double reset(std::uint32_t i, std::uint32_t j) const {
        return overlap[std::size_t{i} * channels + j];
    }
    [[nodiscard]] double per_norm(std::uint32_t j) const { return 1.0 / (norm[j] + floor); }
    /// The smallest potential that passes the layer's test, u / (n + e) - b > 0.
    [[nodiscard]] double threshold(std::uint32_t j) const {
        const auto passes = [&](double u) { return u * per_norm(j) - b[j] > 0.0; };
        double u = b[j] * (norm[j] + floor);
        while (!passes(u)) u = std::nextafter(u, std::numeric_limits<double>::infinity());
        for (double below = std::nextafter(u, 0.0); below > 0.0 && passes(below);
             below = std::nextafter(below, 0.0))
            u = below;
        return u;
    }

    static constexpr double floor = 1e-8;  // e

    std::uint32_t channels;
    double beta = 0.0;
    std::vector<double> b;
    std::vector<double> norm;  // n

  private:
    std::vector<double> overlap;  // [from][to]
};

}  // namespace saltus::converters
