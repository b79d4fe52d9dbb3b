// Chains of layers, each run for a whole sample before the next.
#include <algorithm>
#include <limits>
#include <optional>

#include "exact_backend.hpp"
#include "first_arrivals.hpp"
#include "places_layer.hpp"
#include "ramp_layer.hpp"

namespace saltus::learning {

namespace {

constexpr double never = std::numeric_limits<double>::infinity();

class LayeredBackend final : public Backend {
  public:
    struct Link {
        std::unique_ptr<ChainLayer> layer;
        std::size_t parameters;  // place of the first of its weights
        std::size_t weights;     // their number
        std::uint32_t first;     // neuron of the circuit
    };

    LayeredBackend(const Circuit& the_circuit, const BackendOptions& the_options, std::vector<Link> the_links)
        : circuit(the_circuit), options(the_options), links(std::move(the_links)) {
        refresh();
    }
    void refresh() override {
        for (Link& link : links) {
            link.layer->set_weights(std::span(circuit.parameters()).subspan(link.parameters, link.weights));
        }
    }
    void pull(std::vector<double> the_pulls) override { pulls = std::move(the_pulls); }
    [[nodiscard]] std::unique_ptr<Worker> worker() const override;

    const Circuit& circuit;
    BackendOptions options;
    std::vector<Link> links;
    std::vector<double> pulls;
};

class LayeredWorker final : public Worker {
  public:
    explicit LayeredWorker(const LayeredBackend& backend)
        : backend_(backend), options_(backend.options), volleys_(backend.links.size() + 1) {
        for (const LayeredBackend::Link& link : backend.links) runs_.push_back(link.layer->run());
    }

    void begin() override {
        for (auto& run : runs_) run->begin();
    }
    SampleOutcome run(const SampleSpikes& sample, std::uint32_t label, bool learns) override;
    void add_counts(std::span<std::uint64_t> by_neuron) const override;
    void add_gradient(std::span<double> by_parameter, unsigned part, unsigned parts) const override;

  private:
    void read_values(SampleOutcome& outcome, std::uint32_t label);
    void read_spikes(SampleOutcome& outcome, std::uint32_t label, bool learns);
    [[nodiscard]] std::span<const double> pulls_of(std::size_t k) const;

    const LayeredBackend& backend_;
    const BackendOptions& options_;
    std::vector<std::unique_ptr<LayerRun>> runs_;
    std::vector<Volley> volleys_;  // what arrives at each layer, and what leaves the last
    std::vector<double> first_;
    std::vector<std::uint32_t> first_spike_;
    std::vector<double> derivatives_;
};

std::unique_ptr<Worker> LayeredBackend::worker() const {
    return std::make_unique<LayeredWorker>(*this);
}

SampleOutcome LayeredWorker::run(const SampleSpikes& sample, std::uint32_t label, bool learns) {
    const std::int64_t end = options_.duration.femtoseconds();
    SampleOutcome outcome;
    Volley& input = volleys_.front();
    input.clear();
    for (std::size_t k = 0; k < sample.times.size() && sample.times[k] <= end; ++k)
        input.add(static_cast<double>(sample.times[k]) / femtoseconds_per_second, sample.neurons[k]);
    for (std::size_t k = 0; k < runs_.size(); ++k) {
        runs_[k]->forward(volleys_[k], volleys_[k + 1]);
        outcome.spikes += volleys_[k + 1].time.size();
        outcome.events += runs_[k]->events();
    }
    volleys_.back().error.assign(volleys_.back().time.size(), 0.0);
    derivatives_.resize(backend_.links.back().layer->size());
    if (options_.loss.is_of_potentials()) {
        read_values(outcome, label);
    } else {
        read_spikes(outcome, label, learns);
    }
    for (std::size_t k = runs_.size(); learns && k-- > 0;) {
        runs_[k]->backward(volleys_[k], volleys_[k + 1], k > 0, options_.largest_factor, pulls_of(k));
        outcome.bounded += runs_[k]->bounded();
    }
    return outcome;
}

void LayeredWorker::read_values(SampleOutcome& outcome, std::uint32_t label) {
    const std::span<const double> values = runs_.back()->values();
    outcome.loss = options_.loss(values, label, options_.duration.seconds(), derivatives_);
    outcome.decided = options_.loss.decide(values);
    runs_.back()->set_value_errors(derivatives_);
}

void LayeredWorker::read_spikes(SampleOutcome& outcome, std::uint32_t label, bool learns) {
    Volley& spikes = volleys_.back();
    first_.assign(derivatives_.size(), never);
    first_spike_.assign(derivatives_.size(), 0);
    for (std::uint32_t s = 0; s < spikes.time.size(); ++s) {
        const std::uint32_t neuron = spikes.neuron[s];
        if (spikes.time[s] >= first_[neuron]) continue;
        first_[neuron] = spikes.time[s];
        first_spike_[neuron] = s;
    }
    outcome.loss = options_.loss(first_, label, options_.duration.seconds(), derivatives_);
    outcome.decided = options_.loss.decide(first_);
    for (std::size_t j = 0; j < first_.size(); ++j) {
        if (first_[j] != never) spikes.error[first_spike_[j]] = derivatives_[j];
    }
    if (learns && options_.wake > 0.0 && first_[label] == never) runs_.back()->wake(label, options_.wake);
}

std::span<const double> LayeredWorker::pulls_of(std::size_t k) const {
    if (backend_.pulls.empty()) return {};
    const LayeredBackend::Link& link = backend_.links[k];
    return std::span(backend_.pulls).subspan(link.first, link.layer->size());
}

void LayeredWorker::add_counts(std::span<std::uint64_t> by_neuron) const {
    for (std::size_t k = 0; k < runs_.size(); ++k) {
        for (const std::uint32_t neuron : volleys_[k + 1].neuron)
            ++by_neuron[backend_.links[k].first + neuron];
    }
}

void LayeredWorker::add_gradient(std::span<double> by_parameter, unsigned part, unsigned parts) const {
    for (std::size_t k = 0; k < runs_.size(); ++k) {
        const LayeredBackend::Link& link = backend_.links[k];
        runs_[k]->add_gradient(by_parameter.subspan(link.parameters, link.weights), part, parts);
    }
}

bool equal(const LinearNeuron& a, const LinearNeuron& b) {
    return a.a == b.a && a.b == b.b && a.d == b.d && a.g == b.g && a.J == b.J && a.V_th == b.V_th &&
           a.V_reset == b.V_reset && a.V_0 == b.V_0 && a.I_0 == b.I_0;
}

/// The refractory periods of a population are 0, or all so long that a neuron fires at most once.
enum class Spikes { free, once, otherwise };
Spikes spikes_of(const neurons::Model& model, Duration duration) {
    return std::visit(
        [&]<class M>(const M& all) {
            if constexpr (neurons::HasNeurons<M>) {
                if constexpr (neurons::Spiking<typename M::value_type>) {
                    const auto every = [&](auto&& test) { return std::all_of(all.begin(), all.end(), test); };
                    if (every([](const auto& p) { return p.t_ref == Duration(); })) return Spikes::free;
                    if (every([&](const auto& p) { return p.t_ref >= duration; })) return Spikes::once;
                    return Spikes::otherwise;
                }
            }
            return Spikes::free;
        },
        model);
}

/// Makes the layers of a chain, one after another; null for what is none of them.
class LinkMaker {
  public:
    LinkMaker(const Circuit& circuit, const BackendOptions& options) : circuit_(circuit), options_(options) {}

    [[nodiscard]] std::optional<LayeredBackend::Link> link(std::uint32_t projection) const {
        const Projection& edge = circuit_.network().projections()[projection];
        const std::uint32_t first = circuit_.first(edge.target);
        const neurons::Model& model = circuit_.network().populations()[edge.target].model;
        const LinearNeuron& neuron = circuit_.linear(first);
        if (!has<neurons::RampIf>(model)) {
            if (neuron.V_0 >= neuron.V_th) return std::nullopt;  // fires at the start
            for (std::uint32_t i = first; i < circuit_.first(edge.target + 1); ++i) {
                if (!equal(circuit_.linear(i), neuron)) return std::nullopt;
            }
        }
        // The one stage that is more than an order of elements.
        const StageParameters* parameters = nullptr;
        for (const StageParameters& at : circuit_.stages()) {
            if (at.projection != projection || std::holds_alternative<Flatten>(edge.stages[at.stage]))
                continue;
            if (parameters) return std::nullopt;
            parameters = &at;
        }
        if (!parameters) return std::nullopt;
        std::unique_ptr<ChainLayer> layer = std::visit(
            [&](const auto& stage) -> std::unique_ptr<ChainLayer> {
                if (const auto* ramps = std::get_if<neurons::PerNeuron<neurons::RampIf>>(&model))
                    return ramps_of(stage, *ramps);
                return layer_of(stage, edge.target, neuron);
            },
            edge.stages[parameters->stage]);
        if (!layer) return std::nullopt;
        return LayeredBackend::Link{std::move(layer), parameters->weights, parameters->weight_count, first};
    }

  private:
    template <class Stage>
    [[nodiscard]] std::unique_ptr<ChainLayer> ramps_of(
        const Stage& stage, const neurons::PerNeuron<neurons::RampIf>& model) const {
        if constexpr (std::is_same_v<Stage, Dense> || std::is_same_v<Stage, Convolution>) {
            const bool equal_ones = std::all_of(model.begin(), model.end(), [&](const neurons::RampIf& p) {
                return same_but_reset(p, model[0]) && p.t_ref >= options_.duration;
            });
            if (!equal_ones || !is_plain(stage)) return nullptr;
            return std::make_unique<RampLayer>(model[0], PlaceMap(stage), options_.duration.seconds());
        }
        return nullptr;
    }
    [[nodiscard]] static bool same_but_reset(const neurons::RampIf& a, const neurons::RampIf& b) {
        return a.t_min == b.t_min && a.t_max == b.t_max && a.slope == b.slope && a.R == b.R &&
               a.V_th == b.V_th && a.I_e == b.I_e && a.J == b.J && a.V_0 == b.V_0;
    }
    [[nodiscard]] static bool is_plain(const Dense& matrix) {
        return matrix.blocks == 1 && matrix.bias.empty();
    }
    [[nodiscard]] static bool is_plain(const Convolution& convolution) {
        return convolution.groups == 1 && convolution.bias.empty();
    }
    [[nodiscard]] std::unique_ptr<ChainLayer> layer_of(const Dense& matrix, std::uint32_t target,
                                                       const LinearNeuron& neuron) const {
        if (!is_plain(matrix)) return nullptr;
        const neurons::Model& model = circuit_.network().populations()[target].model;
        const bool is_readout = target == options_.readout && options_.loss.is_of_potentials();
        const Spikes spikes = spikes_of(model, options_.duration);
        if (!(is_readout ? has<neurons::CubaLi>(model) : has<neurons::CubaLif>(model)) ||
            spikes == Spikes::otherwise)
            return nullptr;
        return std::make_unique<PlacesLayer>(neuron, PlaceMap(matrix), spikes == Spikes::once,
                                             is_readout ? &options_.loss : nullptr,
                                             options_.duration.seconds());
    }
    [[nodiscard]] std::unique_ptr<ChainLayer> layer_of(const Convolution& convolution, std::uint32_t target,
                                                       const LinearNeuron& neuron) const {
        const neurons::Model& model = circuit_.network().populations()[target].model;
        const Spikes spikes = spikes_of(model, options_.duration);
        if (!is_plain(convolution) || target == options_.readout || !has<neurons::CubaLif>(model) ||
            spikes == Spikes::otherwise)
            return nullptr;
        return std::make_unique<PlacesLayer>(neuron, PlaceMap(convolution), spikes == Spikes::once, nullptr,
                                             options_.duration.seconds());
    }
    [[nodiscard]] std::unique_ptr<ChainLayer> layer_of(const Pooling& windows, std::uint32_t target,
                                                       const LinearNeuron& neuron) const {
        const neurons::Model& model = circuit_.network().populations()[target].model;
        const bool first_counts = has<neurons::If>(model) && neuron.d == 0.0 &&
                                  neuron.J >= neuron.V_th - neuron.V_0 &&
                                  spikes_of(model, options_.duration) == Spikes::once;
        if (windows.kind != Pooling::Kind::sum || !first_counts || target == options_.readout) return nullptr;
        return std::make_unique<FirstArrivals>(windows);
    }
    template <class Stage>
    [[nodiscard]] std::unique_ptr<ChainLayer> layer_of(const Stage&, std::uint32_t,
                                                       const LinearNeuron&) const {
        return nullptr;
    }
    template <class P>
    [[nodiscard]] static bool has(const neurons::Model& model) {
        return std::holds_alternative<neurons::PerNeuron<P>>(model);
    }

    const Circuit& circuit_;
    const BackendOptions& options_;
};

}  // namespace

std::unique_ptr<Backend> layered_backend(const Circuit& circuit, const BackendOptions& options) {
    const auto populations = circuit.network().populations();
    const auto projections = circuit.network().projections();
    if (circuit.loops() || projections.size() + 1 != populations.size()) return nullptr;
    const LinkMaker make(circuit, options);
    std::vector<LayeredBackend::Link> links;
    std::uint32_t at = options.input;
    while (at != options.readout) {
        const auto next = std::find_if(projections.begin(), projections.end(),
                                       [&](const Projection& projection) { return projection.source == at; });
        if (next == projections.end()) return nullptr;
        auto link = make.link(static_cast<std::uint32_t>(next - projections.begin()));
        if (!link) return nullptr;
        links.push_back(std::move(*link));
        at = next->target;
    }
    if (links.size() != projections.size()) return nullptr;
    return std::make_unique<LayeredBackend>(circuit, options, std::move(links));
}

}  // namespace saltus::learning
