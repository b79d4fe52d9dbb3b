#include "places_layer.hpp"

#include <algorithm>

#include "../sort_spread.hpp"

namespace saltus::learning {

namespace {

/// A spike on its way to the places, with its number among those that came in.
struct Arrival {
    double time;
    std::uint32_t neuron;
    std::uint32_t spike;

    friend bool operator<(const Arrival& a, const Arrival& b) {
        return a.time != b.time ? a.time < b.time : a.neuron < b.neuron;
    }
};

class PlacesRun final : public LayerRun {
  public:
    explicit PlacesRun(const PlacesLayer& layer)
        : layer_(layer),
          places_(layer.map().places()),
          by_weight_(layer.shared().weight_count(), 0.0),
          is_touched_(layer.shared().sources(), 0) {
        for (Place& place : places_) place.run.end = layer.end();
    }

    void begin() override {
        const std::size_t stride = layer_.shared().stride();
        for (const std::uint32_t i : touched_) {
            std::fill_n(by_weight_.begin() + static_cast<std::ptrdiff_t>(i * stride), stride, 0.0);
            is_touched_[i] = 0;
        }
        touched_.clear();
    }

    void forward(const Volley& arrivals, Volley& spikes) override {
        sort(arrivals);
        for (Place& place : places_) {
            place.run.arrivals.clear();
            place.spike.clear();
        }
        for (const Arrival& arrival : sorted_) {
            layer_.map().reach(arrival.neuron, [&](std::uint32_t p, std::uint32_t input) {
                places_[p].run.arrivals.add(arrival.time, input);
                places_[p].spike.push_back(arrival.spike);
            });
        }
        spikes.clear();
        for (std::uint32_t p = 0; p < places_.size(); ++p) {
            SharedLayer::Run& run = places_[p].run;
            run.arrivals.close();
            layer_.shared().forward(run);
            for (const SharedLayer::Spike& spike : run.spikes)
                spikes.add(spike.time, spike.neuron * layer_.map().places() + p);
        }
    }

    void backward(Volley& arrivals, const Volley& spikes, bool times, double largest_factor,
                  std::span<const double> pulls) override {
        bounded_ = 0;
        arrivals.error.assign(times ? arrivals.time.size() : 0, 0.0);
        auto error = spikes.error.begin();
        for (std::uint32_t p = 0; p < places_.size(); ++p) {
            SharedLayer::Run& run = places_[p].run;
            const auto end = error + static_cast<std::ptrdiff_t>(run.spikes.size());
            run.spike_errors.assign(error, end);
            error = end;
            touch(run);
            pull(run, p, pulls);
            layer_.shared().backward(run, by_weight_, times, largest_factor);
            bounded_ += run.bounded;
            for (std::size_t a = 0; a < run.arrival_errors.size(); ++a)
                arrivals.error[places_[p].spike[a]] += run.arrival_errors[a];
        }
    }

    void wake(std::uint32_t neuron, double rise) override {
        const SharedLayer::Run& run = places_[neuron % layer_.map().places()].run;
        touch(run);
        for (const std::uint32_t source : run.arrivals.source)
            by_weight_[source * layer_.shared().stride() + neuron / layer_.map().places()] -= rise;
    }

    void add_gradient(std::span<double> by_parameter, unsigned part, unsigned parts) const override {
        constexpr std::uint32_t block = 16;  // rows that follow each other share cache lines
        for (const std::uint32_t i : touched_) {
            if (i / block % parts != part) continue;
            const double* from = by_weight_.data() + i * layer_.shared().stride();
            for (std::size_t c = 0; c < layer_.map().channels(); ++c)
                by_parameter[layer_.map().parameter(i, c)] += from[c];
        }
    }

    [[nodiscard]] std::span<const double> values() const override { return places_.front().run.values; }
    void set_value_errors(std::span<const double> errors) override {
        places_.front().run.value_errors.assign(errors.begin(), errors.end());
    }
    [[nodiscard]] std::uint64_t events() const override {
        std::uint64_t events = 0;
        for (const Place& place : places_)
            events += place.run.arrivals.source.size() * layer_.map().channels();
        return events;
    }
    [[nodiscard]] std::uint64_t bounded() const override { return bounded_; }

  private:
    struct Place {
        SharedLayer::Run run;
        std::vector<std::uint32_t> spike;  // of each arrival: which it is of those that came in
    };

    void sort(const Volley& arrivals) {
        sorted_.clear();
        for (std::uint32_t s = 0; s < arrivals.time.size(); ++s)
            sorted_.push_back({arrivals.time[s], arrivals.neuron[s], s});
        if (std::is_sorted(sorted_.begin(), sorted_.end())) return;
        constexpr int bits = 32;
        const double scale = static_cast<double>((std::uint64_t{1} << bits) - 1) / layer_.end();
        scratch_.resize(std::max(scratch_.size(), sorted_.size()));
        sort_spread(sorted_.data(), sorted_.size(), scratch_.data(), bits,
                    [scale](const Arrival& a) { return static_cast<std::uint64_t>(a.time * scale); });
    }

    /// What arrives is what weights learn from.
    void touch(const SharedLayer::Run& run) {
        for (const std::uint32_t i : run.arrivals.source) {
            if (is_touched_[i] == 0) touched_.push_back(i);
            is_touched_[i] = 1;
        }
    }

    void pull(SharedLayer::Run& run, std::uint32_t place, std::span<const double> pulls) {
        run.pulls.clear();
        if (pulls.empty()) return;
        fired_.assign(layer_.map().channels(), 0);
        for (const SharedLayer::Spike& spike : run.spikes) fired_[spike.neuron] = 1;
        for (std::uint32_t c = 0; c < layer_.map().channels(); ++c) {
            const std::uint32_t neuron = c * layer_.map().places() + place;
            run.pulls.push_back(pulls[neuron]);
            if (pulls[neuron] < 0.0 && fired_[c] == 0) wake(neuron, -pulls[neuron]);
        }
    }

    const PlacesLayer& layer_;
    std::vector<Place> places_;
    std::vector<double> by_weight_;  // [input][stride]
    std::vector<char> is_touched_;   // of each input: its row of that may not be 0
    std::vector<std::uint32_t> touched_;
    std::vector<Arrival> sorted_;
    std::vector<Arrival> scratch_;
    std::vector<char> fired_;
    std::uint64_t bounded_ = 0;
};

}  // namespace

PlacesLayer::PlacesLayer(const LinearNeuron& neuron, PlaceMap map, bool once, const ClassLoss* readout,
                         double end)
    : map_(std::move(map)), shared_(neuron, map_.inputs(), map_.channels(), once, readout), end_(end) {}

void PlacesLayer::set_weights(std::span<const double> weights) {
    shared_.set_weights(weights, map_.input_stride(), map_.channel_stride());
}

std::unique_ptr<LayerRun> PlacesLayer::run() const {
    return std::make_unique<PlacesRun>(*this);
}

}  // namespace saltus::learning
