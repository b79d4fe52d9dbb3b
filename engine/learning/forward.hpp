// One sample through all layers, in pieces of time, for as long as is needed to know what is asked.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "layer.hpp"
#include "saltus/engine/learning/s4nn.hpp"
#include "saltus/engine/learning/samples.hpp"
#include "saltus/engine/random.hpp"

namespace saltus::learning {

using Layers = std::vector<std::unique_ptr<Layer>>;

[[nodiscard]] Layers make_layers(const FirstSpikeNetwork& network);

/// What chance does to one sample in learning: the same for the same step and sample, in any order.
class Chance {
  public:
    /// `input` is the shape of the samples. Keeps references.
    Chance(const S4nnOptions& options, const Shape& input, std::uint64_t step, std::uint64_t sample);

    /// The input neuron that stands for this one in a moved image; none outside.
    [[nodiscard]] std::optional<NeuronIndex> moved(NeuronIndex neuron) const {
        if (!moves_) return neuron;
        const auto row = static_cast<std::int64_t>(neuron / columns_ % rows_) + down_;
        const auto column = static_cast<std::int64_t>(neuron % columns_) + right_;
        if (row < 0 || row >= rows_ || column < 0 || column >= columns_) return std::nullopt;
        const std::int64_t plane = neuron / (rows_ * columns_);
        return static_cast<NeuronIndex>((plane * rows_ + row) * columns_ + column);
    }
    [[nodiscard]] bool drops(std::size_t layer, NeuronIndex neuron) const {
        if (layer >= shares_.size() || shares_[layer] == 0.0) return false;
        const std::uint64_t place = (sample_ << 8 | layer) << 32 | neuron;
        return random_.uniform(place) < shares_[layer];
    }

  private:
    const std::vector<double>& shares_;
    CounterRandom random_;
    std::uint64_t sample_;
    bool moves_ = false;
    std::uint32_t rows_ = 1;
    std::uint32_t columns_ = 1;
    std::int64_t down_ = 0;
    std::int64_t right_ = 0;
};

class Forward {
  public:
    Forward(const FirstSpikeNetwork& network, const Layers& layers);

    /// What has to be known before a run may end.
    struct Until {
        bool decided = false;      // the earliest output; else every output before t_max
        std::int64_t margin = 0;   // decided: and every output less than that after it
        std::int64_t neuron = -1;  // decided: and when this output fires
    };
    /// Of several spikes of an input neuron only the first counts.
    void run(const SampleSet::View& sample, const Until& until, const Chance* chance = nullptr);

    /// Of layer l; 0 is the input. Complete before known(), and up to there.
    [[nodiscard]] const Spikes& spikes(std::size_t l) const { return spikes_[l]; }
    /// Output times; t_max for those that were not seen to fire.
    [[nodiscard]] const std::vector<std::int64_t>& output_times() const { return times_; }

    struct Decision {
        NeuronIndex neuron = 0;
        std::int64_t time = 0;   // t_max: none fired
        NeuronIndex lowest = 0;  // lowest index of those that fired first (or have the largest potential)
        bool tied = false;       // several fired first
    };
    /// After a run until decided.
    [[nodiscard]] Decision decision() const;

  private:
    void drop(const Chance& chance, std::size_t layer);

    const FirstSpikeNetwork& network_;
    const Layers& layers_;
    std::int64_t t_max_;
    std::int64_t least_delay_ = 0;  // from the input to the output
    std::vector<std::unique_ptr<LayerState>> states_;
    std::vector<Spikes> spikes_;
    std::vector<std::size_t> taken_;  // spikes of each that the next layer has seen
    std::vector<std::int64_t> times_;
    std::vector<std::uint64_t> seen_;  // input neurons: number of the run in which they have spiked
    std::uint64_t runs_ = 0;
};

}  // namespace saltus::learning
