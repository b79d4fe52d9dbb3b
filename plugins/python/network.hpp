// A network that was read from a document or built in code, and what the clocks have prepared for it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bindings.hpp"
#include "saltus/converters/nir.hpp"
#include "saltus/engine/learning/event_prop.hpp"
#include "saltus/engine/simulate.hpp"
#include "saltus/engine/stepped.hpp"

namespace saltus::python {

class BuiltNetwork {
  public:
    explicit BuiltNetwork(converters::NirImport import) : import_(std::move(import)) {}

    [[nodiscard]] const Network& network() const { return import_.network; }
    [[nodiscard]] const std::vector<std::string>& notes() const { return import_.notes; }
    /// How its first spikes are to be read, where its file says so.
    [[nodiscard]] const std::optional<converters::ExactReading>& exact_reading() const {
        return import_.exact;
    }
    [[nodiscard]] const std::optional<converters::FirstSpikeReading>& first_spike() const {
        return import_.first_spike;
    }

    /// Prepared where the last call was for another number of threads, and kept. Call with the GIL held; it
    /// is released while preparing.
    [[nodiscard]] std::shared_ptr<const ExactSimulation> exact(std::uint32_t threads);
    /// The same for exact gradients.
    [[nodiscard]] std::shared_ptr<const learning::EventProp> event_prop();

    /// None where the network was read for the exact clock.
    [[nodiscard]] const std::optional<SteppedRules>& steps() const { return import_.rules; }
    /// Only where the network was read for the stepped clock.
    [[nodiscard]] const SteppedRules& rules() const { return import_.rules.value(); }
    /// Prepared by the first call, with the GIL held; it is released while preparing. Appends to the notes
    /// what was rounded.
    [[nodiscard]] std::shared_ptr<const SteppedSimulation> stepped();

  private:
    converters::NirImport import_;
    std::shared_ptr<const ExactSimulation> exact_;
    std::uint32_t threads_ = 0;  // of exact_
    std::shared_ptr<const learning::EventProp> event_prop_;
    std::shared_ptr<const SteppedSimulation> stepped_;
};

}  // namespace saltus::python
