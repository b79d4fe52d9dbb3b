#include <algorithm>
#include <limits>
#include <numeric>

#include "exact_backend.hpp"
#include "shared_layer.hpp"

namespace saltus::learning {

namespace {

constexpr double never = std::numeric_limits<double>::infinity();

class LayeredBackend;

class LayeredWorker final : public Worker {
  public:
    LayeredWorker(const LayeredBackend& backend, const BackendOptions& options);

    void begin() override;
    SampleOutcome run(const SampleSpikes& sample, std::uint32_t label, bool learns) override;
    void add_counts(std::span<std::uint64_t> by_neuron) const override;
    void add_gradient(std::span<double> by_parameter, unsigned part, unsigned parts) const override;

  private:
    /// Spikes of layer k become the arrivals of the next, in the order of time.
    void hand_on(std::size_t k);
    void wake(std::size_t k, std::uint32_t neuron, double rise);
    void pull(std::size_t k);
    /// What arrives at layer k is what its weights learn from.
    void touch(std::size_t k);

    const LayeredBackend& backend_;
    const BackendOptions& options_;
    std::vector<SharedLayer::Run> runs_;
    std::vector<std::vector<std::uint32_t>> order_;  // of the spikes of each layer
    std::vector<std::vector<double>> by_weight_;
    std::vector<std::vector<std::uint32_t>>
        touched_;  // sources of each layer whose rows of that may not be 0
    std::vector<std::vector<char>> is_touched_;
    std::vector<double> first_;
    std::vector<std::uint32_t> first_spike_;
    std::vector<double> derivatives_;
};

class LayeredBackend final : public Backend {
  public:
    struct Link {
        SharedLayer layer;
        std::size_t parameters;  // place of the first of its weights
        std::uint32_t first;     // neuron of the circuit
    };

    LayeredBackend(const Circuit& the_circuit, const BackendOptions& the_options, std::vector<Link> the_links)
        : circuit(the_circuit), options(the_options), links(std::move(the_links)) {
        refresh();
    }
    void refresh() override {
        for (Link& link : links) {
            link.layer.set_weights(
                std::span(circuit.parameters())
                    .subspan(link.parameters, std::size_t{link.layer.size()} * link.layer.sources()));
        }
    }
    void pull(std::vector<double> the_pulls) override { pulls = std::move(the_pulls); }
    [[nodiscard]] std::unique_ptr<Worker> worker() const override {
        return std::make_unique<LayeredWorker>(*this, options);
    }

    const Circuit& circuit;
    BackendOptions options;
    std::vector<Link> links;
    std::vector<double> pulls;
};

LayeredWorker::LayeredWorker(const LayeredBackend& backend, const BackendOptions& options)
    : backend_(backend), options_(options), runs_(backend.links.size()), order_(backend.links.size()) {
    for (const auto& link : backend.links) {
        by_weight_.emplace_back(link.layer.weight_count(), 0.0);
        touched_.emplace_back();
        is_touched_.emplace_back(link.layer.sources(), 0);
    }
}

void LayeredWorker::begin() {
    for (std::size_t k = 0; k < by_weight_.size(); ++k) {
        const std::size_t stride = backend_.links[k].layer.stride();
        for (const std::uint32_t i : touched_[k]) {
            std::fill_n(by_weight_[k].begin() + static_cast<std::ptrdiff_t>(i * stride), stride, 0.0);
            is_touched_[k][i] = 0;
        }
        touched_[k].clear();
    }
}

void LayeredWorker::touch(std::size_t k) {
    for (const std::uint32_t i : runs_[k].arrivals.source) {
        if (is_touched_[k][i] == 0) touched_[k].push_back(i);
        is_touched_[k][i] = 1;
    }
}

void LayeredWorker::hand_on(std::size_t k) {
    const auto& spikes = runs_[k].spikes;
    auto& order = order_[k];
    order.resize(spikes.size());
    std::iota(order.begin(), order.end(), 0u);
    for (auto begin = order.begin();
         begin != order.end();) {  // they come in the order of the layer's instants
        const std::uint32_t instant = spikes[*begin].instant;
        const auto end =
            std::find_if(begin, order.end(), [&](std::uint32_t s) { return spikes[s].instant != instant; });
        std::sort(begin, end, [&](std::uint32_t a, std::uint32_t b) {
            return spikes[a].time != spikes[b].time ? spikes[a].time < spikes[b].time : a < b;
        });
        begin = end;
    }
    ArrivalTimes& arrivals = runs_[k + 1].arrivals;
    arrivals.clear();
    for (const std::uint32_t s : order) arrivals.add(spikes[s].time, spikes[s].neuron);
    arrivals.close();
}

/// The weights of a silent neuron of layer k from those that fired grow.
void LayeredWorker::wake(std::size_t k, std::uint32_t neuron, double rise) {
    const SharedLayer& layer = backend_.links[k].layer;
    for (const std::uint32_t source : runs_[k].arrivals.source)
        by_weight_[k][source * layer.stride() + neuron] -= rise;
}

void LayeredWorker::pull(std::size_t k) {
    const LayeredBackend::Link& link = backend_.links[k];
    SharedLayer::Run& run = runs_[k];
    run.pulls.clear();
    if (backend_.pulls.empty()) return;
    const auto first = backend_.pulls.begin() + link.first;
    run.pulls.assign(first, first + link.layer.size());
    std::vector<bool> fired(link.layer.size(), false);
    for (const SharedLayer::Spike& spike : run.spikes) fired[spike.neuron] = true;
    for (std::uint32_t i = 0; i < link.layer.size(); ++i) {
        if (run.pulls[i] < 0.0 && !fired[i]) wake(k, i, -run.pulls[i]);
    }
}

SampleOutcome LayeredWorker::run(const SampleSpikes& sample, std::uint32_t label, bool learns) {
    const std::int64_t end = options_.duration.femtoseconds();
    const auto& links = backend_.links;
    SampleOutcome outcome;
    ArrivalTimes& input = runs_.front().arrivals;
    input.clear();
    for (std::size_t k = 0; k < sample.times.size() && sample.times[k] <= end; ++k)
        input.add(static_cast<double>(sample.times[k]) / femtoseconds_per_second, sample.neurons[k]);
    input.close();
    for (std::size_t k = 0; k < links.size(); ++k) {
        runs_[k].end = options_.duration.seconds();
        links[k].layer.forward(runs_[k]);
        outcome.spikes += runs_[k].spikes.size();
        outcome.events += runs_[k].arrivals.time.size() * links[k].layer.size();
        if (k + 1 < links.size()) hand_on(k);
        if (learns) touch(k);
    }

    SharedLayer::Run& last = runs_.back();
    last.spike_errors.assign(last.spikes.size(), 0.0);
    const std::uint32_t outputs = links.back().layer.size();
    derivatives_.resize(outputs);
    if (options_.loss.is_of_potentials()) {
        outcome.loss = options_.loss(last.values, label, options_.duration.seconds(), derivatives_);
        outcome.decided = options_.loss.decide(last.values);
        last.value_errors = derivatives_;
    } else {
        first_.assign(outputs, never);
        first_spike_.assign(outputs, 0);
        for (std::uint32_t s = 0; s < last.spikes.size(); ++s) {
            const auto& spike = last.spikes[s];
            if (spike.time >= first_[spike.neuron]) continue;
            first_[spike.neuron] = spike.time;
            first_spike_[spike.neuron] = s;
        }
        outcome.loss = options_.loss(first_, label, options_.duration.seconds(), derivatives_);
        outcome.decided = options_.loss.decide(first_);
        for (std::uint32_t j = 0; j < outputs; ++j) {
            if (first_[j] != never) last.spike_errors[first_spike_[j]] = derivatives_[j];
        }
        if (learns && options_.wake > 0.0 && first_[label] == never)
            wake(links.size() - 1, label, options_.wake);
    }
    if (!learns) return outcome;
    for (std::size_t k = links.size(); k-- > 0;) {
        pull(k);
        links[k].layer.backward(runs_[k], by_weight_[k], k > 0, options_.largest_factor);
        outcome.bounded += runs_[k].bounded;
        if (k == 0) break;
        SharedLayer::Run& below = runs_[k - 1];
        below.spike_errors.resize(below.spikes.size());
        for (std::size_t s = 0; s < order_[k - 1].size(); ++s)
            below.spike_errors[order_[k - 1][s]] = runs_[k].arrival_errors[s];
    }
    return outcome;
}

void LayeredWorker::add_counts(std::span<std::uint64_t> by_neuron) const {
    for (std::size_t k = 0; k < runs_.size(); ++k) {
        for (const SharedLayer::Spike& spike : runs_[k].spikes)
            ++by_neuron[backend_.links[k].first + spike.neuron];
    }
}

void LayeredWorker::add_gradient(std::span<double> by_parameter, unsigned part, unsigned parts) const {
    constexpr std::uint32_t block = 16;  // rows that follow each other share cache lines
    for (std::size_t k = 0; k < backend_.links.size(); ++k) {
        const SharedLayer& layer = backend_.links[k].layer;
        for (const std::uint32_t i : touched_[k]) {
            if (i / block % parts != part) continue;
            double* to = by_parameter.data() + backend_.links[k].parameters + std::size_t{i} * layer.size();
            const double* from = by_weight_[k].data() + i * layer.stride();
            for (std::size_t j = 0; j < layer.size(); ++j) to[j] += from[j];
        }
    }
}

/// The parameters of the weights of a projection that connects all to all without delay; null for any other.
const StageParameters* dense_parameters(const Circuit& circuit, std::uint32_t projection) {
    const StageParameters* found = nullptr;
    for (const StageParameters& at : circuit.stages()) {
        if (at.projection != projection) continue;
        const Stage& stage = circuit.network().projections()[projection].stages[at.stage];
        if (std::holds_alternative<Flatten>(stage)) continue;
        const auto* dense = std::get_if<Dense>(&stage);
        if (!dense || dense->blocks != 1 || !dense->bias.empty() || found) return nullptr;
        found = &at;
    }
    return found;
}

bool equal(const LinearNeuron& a, const LinearNeuron& b) {
    return a.a == b.a && a.b == b.b && a.d == b.d && a.g == b.g && a.J == b.J && a.V_th == b.V_th &&
           a.V_reset == b.V_reset && a.V_0 == b.V_0 && a.I_0 == b.I_0;
}

/// The refractory periods of a population are 0, or all so long that a neuron fires at most once.
enum class Spikes { free, once, otherwise };
Spikes spikes_of(const neurons::Model& model, Duration duration) {
    const auto* all = std::get_if<neurons::PerNeuron<neurons::CubaLif>>(&model);
    if (!all) return Spikes::free;
    const auto every = [&](auto&& test) { return std::all_of(all->begin(), all->end(), test); };
    if (every([](const auto& p) { return p.t_ref == Duration(); })) return Spikes::free;
    if (every([&](const auto& p) { return p.t_ref >= duration; })) return Spikes::once;
    return Spikes::otherwise;
}

}  // namespace

std::unique_ptr<Backend> layered_backend(const Circuit& circuit, const BackendOptions& options) {
    const auto populations = circuit.network().populations();
    const auto projections = circuit.network().projections();
    if (circuit.loops() || projections.size() + 1 != populations.size()) return nullptr;
    std::vector<LayeredBackend::Link> links;
    std::uint32_t at = options.input;
    while (at != options.readout) {
        const auto next = std::find_if(projections.begin(), projections.end(),
                                       [&](const Projection& projection) { return projection.source == at; });
        if (next == projections.end()) return nullptr;
        const auto index = static_cast<std::uint32_t>(next - projections.begin());
        const StageParameters* parameters = dense_parameters(circuit, index);
        const Population& target = populations[next->target];
        const bool is_readout = next->target == options.readout;
        const bool fires = std::holds_alternative<neurons::PerNeuron<neurons::CubaLif>>(target.model);
        const bool reads = std::holds_alternative<neurons::PerNeuron<neurons::CubaLi>>(target.model);
        const bool by_potential = options.loss.is_of_potentials();
        if (!parameters || !(is_readout && by_potential ? reads : fires)) return nullptr;
        const Spikes spikes = spikes_of(target.model, options.duration);
        if (spikes == Spikes::otherwise) return nullptr;
        const std::uint32_t first = circuit.first(next->target);
        if (circuit.linear(first).V_0 >= circuit.linear(first).V_th) return nullptr;  // fires at the start
        for (std::uint32_t i = first; i < circuit.first(next->target + 1); ++i) {
            if (!equal(circuit.linear(i), circuit.linear(first))) return nullptr;
        }
        links.push_back(
            {SharedLayer(circuit.linear(first), populations[at].size(), target.size(), spikes == Spikes::once,
                         is_readout && by_potential ? &options.loss : nullptr),
             parameters->weights, first});
        at = next->target;
    }
    if (links.size() != projections.size()) return nullptr;
    return std::make_unique<LayeredBackend>(circuit, options, std::move(links));
}

}  // namespace saltus::learning
