// A network that was read from a document or built in code, and what the exact clock has prepared for it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bindings.hpp"
#include "saltus/converters/nir.hpp"
#include "saltus/engine/simulate.hpp"

namespace saltus::python {

class BuiltNetwork {
  public:
    explicit BuiltNetwork(converters::NirImport import) : import_(std::move(import)) {}

    [[nodiscard]] const Network& network() const { return import_.network; }
    [[nodiscard]] const std::vector<std::string>& notes() const { return import_.notes; }
    /// How its first spikes are to be read, where its file says so.
    [[nodiscard]] const std::optional<converters::FirstSpikeReading>& first_spike() const {
        return import_.first_spike;
    }

    /// Prepared where the last call was for another number of threads, and kept. Call with the GIL held; it
    /// is released while preparing.
    [[nodiscard]] std::shared_ptr<const ExactSimulation> exact(std::uint32_t threads);

  private:
    converters::NirImport import_;
    std::shared_ptr<const ExactSimulation> exact_;
    std::uint32_t threads_ = 0;  // of exact_
};

}  // namespace saltus::python
