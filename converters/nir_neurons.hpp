// Neuron nodes to models: where the numbers of a file get their meaning. See convention.hpp for the table.
#pragma once

#include <string>

#include "saltus/converters/nir.hpp"

namespace saltus::converters {

/// A reading with every choice made.
struct Meaning {
    Convention convention;
    double unit = 1.0;  // the file's unit of time, in seconds
    double dt = 1e-3;   // length of a step, in seconds
    Duration t_ref;

    /// A time of the file in seconds.
    [[nodiscard]] double seconds(double t) const { return t * unit; }
};

[[nodiscard]] bool is_neuron(const std::string& type);

/// The model of a neuron node of `size` neurons; its fields are complete.
[[nodiscard]] neurons::Model model_from_nir(const io::NirNode& node, std::uint64_t size,
                                            const Meaning& meaning);

}  // namespace saltus::converters
