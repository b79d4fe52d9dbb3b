#include "saltus/engine/learning/samples.hpp"

#include "saltus/engine/errors.hpp"

namespace saltus::learning {

void SampleSet::add(const SpikeTrain& spikes, std::int64_t label) {
    const std::string where = "sample " + std::to_string(size());
    if (label < 0 || label >= static_cast<std::int64_t>(classes_)) {
        throw InputError(where, "label: expected 0 to " + std::to_string(classes_ - 1) + ", found " +
                                    std::to_string(label) + ".");
    }
    const std::uint64_t neurons = element_count(shape_);
    for (std::size_t k = 0; k < spikes.size(); ++k) {
        if (spikes.neurons[k] >= neurons) {
            throw InputError(where, "expected neurons below " + std::to_string(neurons) + ", found " +
                                        std::to_string(spikes.neurons[k]) + ".");
        }
        if (spikes.times[k] < Time() || (k > 0 && spikes.times[k] < spikes.times[k - 1])) {
            throw InputError(where, "expected times from 0 on, ascending, found " +
                                        to_string(spikes.times[k].since_start()) + " at spike " +
                                        std::to_string(k) + ".");
        }
    }
    for (const Time time : spikes.times) times_.push_back(time.femtoseconds());
    neurons_.insert(neurons_.end(), spikes.neurons.begin(), spikes.neurons.end());
    offsets_.push_back(times_.size());
    labels_.push_back(static_cast<std::uint32_t>(label));
}

}  // namespace saltus::learning
