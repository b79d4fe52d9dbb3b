#include "first_arrivals.hpp"

#include <limits>

#include "windows.hpp"

namespace saltus::learning {

namespace {

constexpr double never = std::numeric_limits<double>::infinity();

class FirstArrivalsRun final : public LayerRun {
  public:
    explicit FirstArrivalsRun(const FirstArrivals& layer) : layer_(layer), first_(layer.size()) {}

    void begin() override {}

    void forward(const Volley& arrivals, Volley& spikes) override {
        for (const std::uint32_t neuron : spikes.neuron) first_[neuron] = {};  // those of the sample before
        spikes.clear();
        events_ = 0;
        for (std::uint32_t s = 0; s < arrivals.time.size(); ++s) {
            const std::uint32_t from = arrivals.neuron[s];
            const std::uint32_t channel = from / layer_.plane();
            for (const std::uint32_t window : layer_.windows(from % layer_.plane())) {
                const std::uint32_t neuron = channel * layer_.places() + window;
                First& first = first_[neuron];
                ++events_;
                if (first.time == never) spikes.add(0.0, neuron);
                // Of arrivals in one instant the last in the order of synapses is the one that counts.
                if (arrivals.time[s] < first.time || (arrivals.time[s] == first.time && from > first.from))
                    first = {arrivals.time[s], from, s};
            }
        }
        for (std::size_t k = 0; k < spikes.neuron.size(); ++k) spikes.time[k] = first_[spikes.neuron[k]].time;
    }

    void backward(Volley& arrivals, const Volley& spikes, bool times, double,
                  std::span<const double>) override {
        arrivals.error.assign(times ? arrivals.time.size() : 0, 0.0);
        for (std::size_t k = 0; times && k < spikes.neuron.size(); ++k)
            arrivals.error[first_[spikes.neuron[k]].spike] += spikes.error[k];
    }

    void wake(std::uint32_t, double) override {}
    void add_gradient(std::span<double>, unsigned, unsigned) const override {}
    [[nodiscard]] std::uint64_t events() const override { return events_; }

  private:
    struct First {
        double time = never;
        std::uint32_t from = 0;   // neuron
        std::uint32_t spike = 0;  // which it is of those that came in
    };

    const FirstArrivals& layer_;
    std::vector<First> first_;  // of each neuron
    std::uint64_t events_ = 0;
};

}  // namespace

FirstArrivals::FirstArrivals(const Pooling& windows)
    : channels_(windows.channels), places_(static_cast<std::uint32_t>(area(windows.out_size))), begin_{0} {
    for (std::uint64_t pixel = 0; pixel < area(windows.in_size); ++pixel) {
        windows_of(windows, {1, 1}, pixel,
                   [&](std::uint32_t y, std::uint32_t x, std::uint32_t, std::uint32_t) {
                       window_.push_back(y * windows.out_size[1] + x);
                   });
        begin_.push_back(static_cast<std::uint32_t>(window_.size()));
    }
}

std::unique_ptr<LayerRun> FirstArrivals::run() const {
    return std::make_unique<FirstArrivalsRun>(*this);
}

}  // namespace saltus::learning
