#include <algorithm>
#include <atomic>
#include <mutex>

#include "forward.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/learner.hpp"
#include "saltus/engine/learning/s4nn.hpp"
#include "set_layers.hpp"

namespace saltus::learning {

namespace {

/// Layers with the weights and delays of the network, which must outlive them.
struct Ready {
    explicit Ready(const FirstSpikeNetwork& network, unsigned threads) {
        check(network);
        layers = make_layers(network);
        delays = set_layers(network, layers, threads);
    }
    Layers layers;
    std::vector<std::vector<double>> delays;
};

std::uint32_t before(std::span<const std::int64_t> times, std::int64_t time) {
    return static_cast<std::uint32_t>(std::lower_bound(times.begin(), times.end(), time) - times.begin());
}

}  // namespace

std::vector<FirstSpikeOutcome> classify(const FirstSpikeNetwork& network, const SampleSet& samples,
                                        unsigned threads, bool to_the_end,
                                        const std::function<bool(std::uint64_t)>& on_progress) {
    const Ready ready(network, threads);
    std::vector<std::unique_ptr<Forward>> forward;
    for (unsigned t = 0; t < threads; ++t) {
        forward.push_back(std::make_unique<Forward>(network, ready.layers));
    }
    std::vector<FirstSpikeOutcome> outcomes(samples.size());
    constexpr std::size_t piece = 64;
    std::mutex telling;
    std::uint64_t done = 0;
    std::atomic<bool> stopped = false;
    for_each_parallel((samples.size() + piece - 1) / piece, threads, [&](std::size_t p, unsigned thread) {
        if (stopped) return;
        Forward& run = *forward[thread];
        const std::size_t end = std::min<std::size_t>(samples.size(), (p + 1) * piece);
        for (std::size_t i = p * piece; i < end; ++i) {
            run.run(samples[i], {.decided = !to_the_end});
            const Forward::Decision decision = run.decision();
            FirstSpikeOutcome& outcome = outcomes[i];
            outcome.decided = decision.neuron;
            outcome.lowest = decision.lowest;
            outcome.tied = decision.tied;
            outcome.silent = decision.time == network.t_max.femtoseconds();
            outcome.time = Time(Duration(decision.time));
            outcome.done = true;
            const std::int64_t counted = to_the_end ? network.t_max.femtoseconds() : decision.time;
            outcome.input_spikes = before(samples[i].times, counted);
            for (std::size_t l = 1; l < ready.layers.size(); ++l) {
                outcome.layer_spikes.push_back(before(run.spikes(l).times, counted));
            }
        }
        if (!on_progress) return;
        const std::lock_guard lock(telling);
        done += end - p * piece;
        if (!on_progress(done)) stopped = true;
    });
    return outcomes;
}

std::vector<std::vector<Time>> spike_times(const FirstSpikeNetwork& network, const SampleSet::View& sample) {
    const Ready ready(network, 1);
    Forward forward(network, ready.layers);
    forward.run(sample, {});
    std::vector<std::vector<Time>> times;
    for (std::size_t l = 0; l < ready.layers.size(); ++l) {
        times.emplace_back(network.layers[l].size(), Time(network.t_max));
        const Spikes& spikes = forward.spikes(l + 1);
        for (std::size_t s = 0; s < spikes.size(); ++s) {
            times.back()[spikes.neurons[s]] = Time(Duration(spikes.times[s]));
        }
    }
    return times;
}

}  // namespace saltus::learning
