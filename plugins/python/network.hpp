// A network that was read from a document or built in code, and what the exact clock has prepared for it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bindings.hpp"
#include "saltus/converters/nir.hpp"
#include "saltus/engine/learning/event_prop.hpp"
#include "saltus/engine/simulate.hpp"

namespace saltus::python {

class BuiltNetwork {
  public:
    explicit BuiltNetwork(converters::NirImport import) : import_(std::move(import)) {}

    [[nodiscard]] const Network& network() const { return import_.network; }
    [[nodiscard]] const std::vector<std::string>& notes() const { return import_.notes; }

    /// Prepared where the last call was for another number of threads, and kept. Call with the GIL held; it
    /// is released while preparing.
    [[nodiscard]] std::shared_ptr<const ExactSimulation> exact(std::uint32_t threads);
    /// The same for exact gradients.
    [[nodiscard]] std::shared_ptr<const learning::EventProp> event_prop();

  private:
    converters::NirImport import_;
    std::shared_ptr<const ExactSimulation> exact_;
    std::uint32_t threads_ = 0;  // of exact_
    std::shared_ptr<const learning::EventProp> event_prop_;
};

}  // namespace saltus::python
