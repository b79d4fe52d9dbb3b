#include "ramp_layer.hpp"

#include <algorithm>

#include "surrogate/kernels.hpp"

namespace saltus::learning {

namespace {

using surrogate::NumberRows;

class RampRun final : public LayerRun {
  public:
    explicit RampRun(const RampLayer& layer)
        : layer_(layer),
          places_(layer.map().places()),
          width_(layer.channel_width()),
          inputs_(places_ * layer.input_width()),
          V_(places_ * width_),
          by_V_(places_ * width_),
          by_input_(places_ * layer.input_width()),
          by_weight_(layer.map().channels() * layer.input_width()) {}

    void begin() override { std::fill(by_weight_.begin(), by_weight_.end(), 0.0); }

    void forward(const Volley& arrivals, Volley& spikes) override {
        const neurons::RampIf& p = layer_.neuron();
        const PlaceMap& map = layer_.map();
        std::fill(inputs_.begin(), inputs_.end(), 0.0);
        std::uint64_t reached = 0;
        for (std::size_t s = 0; s < arrivals.time.size(); ++s) {
            const double x = p.R * p.J * std::max(0.0, p.t_min - arrivals.time[s]);
            map.reach(arrivals.neuron[s], [&](std::uint32_t place, std::uint32_t input) {
                inputs_[place * layer_.input_width() + input] += x;
                ++reached;
            });
        }
        events_ = reached * map.channels();
        std::fill(V_.begin(), V_.end(), p.V_0 + p.R * p.t_min * p.I_e);
        surrogate::add_numbers(V_.data(), places_, rows_of_inputs(), layer_.by_input(), width_);

        spikes.clear();
        fired_.clear();
        const double least = p.V_th - p.slope * (p.t_max - p.t_min);
        for (std::uint32_t place = 0; place < places_; ++place) {
            const double* V = V_.data() + place * width_;
            for (std::uint32_t c = 0; c < map.channels(); ++c) {
                if (V[c] < least) continue;
                const double t = p.t_min + std::max(0.0, p.V_th - V[c]) / p.slope;
                if (t >= p.t_max || t > layer_.end()) continue;
                spikes.add(t, c * static_cast<std::uint32_t>(places_) + place);
                fired_.push_back(static_cast<std::uint32_t>(place * width_ + c));
            }
        }
    }

    void backward(Volley& arrivals, const Volley& spikes, bool times, double largest_factor,
                  std::span<const double> pulls) override {
        const neurons::RampIf& p = layer_.neuron();
        const double factor = std::min(1.0 / p.slope, largest_factor);
        bounded_ = factor * p.slope < 1.0 ? fired_.size() : 0;
        std::fill(by_V_.begin(), by_V_.end(), 0.0);
        for (std::size_t s = 0; s < fired_.size(); ++s) {
            const std::uint32_t at = fired_[s];
            if (V_[at] < p.V_th) by_V_[at] = -spikes.error[s] * factor;
            if (!pulls.empty()) by_V_[at] += pulls[spikes.neuron[s]];
        }
        if (!pulls.empty()) wake_silent(spikes, pulls);
        const NumberRows<double> errors{by_V_.data(), width_, layer_.map().channels()};
        surrogate::collect_numbers(by_weight_.data(), places_, errors, inputs_.data(), layer_.input_width());

        arrivals.error.assign(times ? arrivals.time.size() : 0, 0.0);
        if (!times) return;
        std::fill(by_input_.begin(), by_input_.end(), 0.0);
        surrogate::add_numbers(by_input_.data(), places_, errors, layer_.by_channel(), layer_.input_width());
        for (std::size_t s = 0; s < arrivals.time.size(); ++s) {
            if (arrivals.time[s] >= p.t_min) continue;
            double sum = 0.0;
            layer_.map().reach(arrivals.neuron[s], [&](std::uint32_t place, std::uint32_t input) {
                sum += by_input_[place * layer_.input_width() + input];
            });
            arrivals.error[s] = -p.R * p.J * sum;
        }
    }

    void wake(std::uint32_t neuron, double rise) override {
        const std::size_t place = neuron % places_;
        const double* x = inputs_.data() + place * layer_.input_width();
        double* by_weight = by_weight_.data() + neuron / places_ * layer_.input_width();
        for (std::size_t i = 0; i < layer_.map().inputs(); ++i) {
            if (x[i] != 0.0) by_weight[i] -= rise;
        }
    }

    void add_gradient(std::span<double> by_parameter, unsigned part, unsigned parts) const override {
        constexpr std::size_t block = 8;  // channels that follow each other share cache lines
        const PlaceMap& map = layer_.map();
        for (std::size_t first = part * block; first < map.channels(); first += parts * block) {
            const std::size_t end = std::min<std::size_t>(first + block, map.channels());
            for (std::size_t i = 0; i < map.inputs(); ++i) {
                for (std::size_t c = first; c < end; ++c)
                    by_parameter[map.parameter(i, c)] += by_weight_[c * layer_.input_width() + i];
            }
        }
    }

    [[nodiscard]] std::uint64_t events() const override { return events_; }
    [[nodiscard]] std::uint64_t bounded() const override { return bounded_; }

  private:
    [[nodiscard]] NumberRows<double> rows_of_inputs() const {
        return {inputs_.data(), layer_.input_width(), layer_.map().inputs()};
    }

    void wake_silent(const Volley& spikes, std::span<const double> pulls) {
        silent_.assign(layer_.size(), 1);
        for (const std::uint32_t neuron : spikes.neuron) silent_[neuron] = 0;
        for (std::uint32_t neuron = 0; neuron < silent_.size(); ++neuron) {
            if (silent_[neuron] != 0 && pulls[neuron] < 0.0) wake(neuron, -pulls[neuron]);
        }
    }

    const RampLayer& layer_;
    std::size_t places_;
    std::size_t width_;
    std::vector<double> inputs_;        // [place][input]: R J max(0, t_min - a)
    std::vector<double> V_;             // [place][channel] at t_min
    std::vector<double> by_V_;          // dL/dV, [place][channel]
    std::vector<double> by_input_;      // [place][input]: dL/d inputs_
    std::vector<double> by_weight_;     // [channel][input]
    std::vector<std::uint32_t> fired_;  // of each spike: its place in V_
    std::vector<char> silent_;
    std::uint64_t events_ = 0;
    std::uint64_t bounded_ = 0;
};

}  // namespace

RampLayer::RampLayer(const neurons::RampIf& neuron, PlaceMap map, double end)
    : neuron_(neuron),
      map_(std::move(map)),
      end_(end),
      channel_width_(surrogate::padded(map_.channels())),
      input_width_(surrogate::padded(map_.inputs())),
      by_input_(map_.inputs() * channel_width_),
      by_channel_(map_.channels() * input_width_) {}

void RampLayer::set_weights(std::span<const double> weights) {
    for (std::size_t i = 0; i < map_.inputs(); ++i) {
        for (std::size_t c = 0; c < map_.channels(); ++c)
            by_input_[i * channel_width_ + c] = weights[map_.parameter(i, c)];
    }
    for (std::size_t c = 0; c < map_.channels(); ++c) {
        for (std::size_t i = 0; i < map_.inputs(); ++i)
            by_channel_[c * input_width_ + i] = weights[map_.parameter(i, c)];
    }
}

std::unique_ptr<LayerRun> RampLayer::run() const {
    return std::make_unique<RampRun>(*this);
}

}  // namespace saltus::learning
