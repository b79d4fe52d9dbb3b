// Exact gradients. The GIL is released while the network runs, and taken for losses that are Python
// functions.
#include <nanobind/stl/vector.h>

#include <memory>

#include "arrays.hpp"
#include "network.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::python {

namespace {

using learning::Observed;

/// A Python function of the spike times, {population: [array of each neuron]}, which returns the loss and its
/// derivatives in the same form.
class PythonLoss final : public learning::Loss {
  public:
    explicit PythonLoss(nb::object function) : function_(std::move(function)) {}
    ~PythonLoss() override {
        const nb::gil_scoped_acquire gil;
        function_.reset();
    }

    [[nodiscard]] double evaluate(const Network& network, const Observed& observed,
                                  Observed& derivative) const override {
        const nb::gil_scoped_acquire gil;
        nb::dict spikes;
        const auto populations = network.populations();
        for (std::size_t q = 0; q < populations.size(); ++q) {
            nb::list neurons;
            for (const std::vector<double>& times : observed.spikes[q])
                neurons.append(array_of(times, {times.size()}));
            spikes[text(populations[q].name)] = neurons;
        }
        const nb::object answer = function_(spikes);
        if (!nb::isinstance<nb::tuple>(answer) || nb::len(answer) != 2) {
            throw UsageError("loss: expected the function to return (loss, {population: derivatives}).");
        }
        const auto slopes = nb::cast<nb::dict>(answer[1]);
        for (const auto& [name, neurons] : slopes)
            take(network, nb::cast<std::string>(name), neurons, derivative);
        return nb::cast<double>(answer[0]);
    }

  private:
    static void take(const Network& network, const std::string& name, nb::handle neurons,
                     Observed& derivative) {
        auto& population = derivative.spikes[network.index_of(name)];
        if (nb::len(neurons) != population.size()) {
            throw UsageError("loss: population " + quoted(name) + ": expected derivatives for " +
                             std::to_string(population.size()) + " neurons, found " +
                             std::to_string(nb::len(neurons)) + ".");
        }
        std::size_t i = 0;
        for (const nb::handle neuron : neurons) {
            const auto column = column_from<double>(neuron, "derivatives");
            if (column.shape(0) != population[i].size()) {
                throw UsageError("loss: population " + quoted(name) + ", neuron " + std::to_string(i) +
                                 ": expected " + std::to_string(population[i].size()) +
                                 " derivatives, one a spike, found " + std::to_string(column.shape(0)) + ".");
            }
            std::copy(column.data(), column.data() + column.shape(0), population[i].begin());
            ++i;
        }
    }

    nb::object function_;
};

struct LossBox {
    std::shared_ptr<const learning::Loss> loss;
};

LossBox class_loss_of(const std::string& population, const std::string& kind, std::uint32_t label,
                      const nb::dict& values) {
    learning::ClassLoss loss;
    loss.kind = learning::class_loss_kind(kind);
    const auto set = [&](const char* name, double& member) {
        if (values.contains(name)) member = nb::cast<double>(values[name]);
    };
    set("tau_0", loss.tau_0);
    set("alpha", loss.alpha);
    set("tau_1", loss.tau_1);
    set("target", loss.target);
    set("other_target", loss.other_target);
    set("gap", loss.gap);
    set("silent", loss.silent);
    set("gain", loss.gain);
    set("decay", loss.decay);
    return {learning::class_loss(population, loss, label)};
}

LossBox spike_times_of(const std::string& population, const std::vector<NeuronIndex>& neurons,
                       const std::vector<std::uint32_t>& indices, const std::vector<double>& times) {
    std::vector<learning::SpikeTarget> targets;
    for (std::size_t k = 0; k < neurons.size(); ++k)
        targets.push_back({population, neurons[k], indices[k], times[k]});
    return {learning::spike_time_loss(std::move(targets))};
}

LossBox potentials_of(const std::string& population, const std::vector<NeuronIndex>& neurons,
                      const std::vector<double>& times, const std::vector<double>& values) {
    std::vector<learning::PotentialTarget> targets;
    for (std::size_t k = 0; k < neurons.size(); ++k)
        targets.push_back({population, neurons[k], times[k], values[k]});
    return {learning::potential_loss(std::move(targets))};
}

LossBox sum_of(const std::vector<double>& factors, const nb::list& losses) {
    std::vector<std::pair<double, std::shared_ptr<const learning::Loss>>> terms;
    for (std::size_t k = 0; k < factors.size(); ++k)
        terms.emplace_back(factors[k], nb::cast<const LossBox&>(losses[k]).loss);
    return {learning::sum_of_losses(std::move(terms))};
}

/// The shape in which a stage's weights are handed out, empty for those listed synapse by synapse.
std::vector<std::size_t> weight_shape(const Stage& stage, std::size_t count) {
    if (const auto* dense = std::get_if<Dense>(&stage)) {
        if (dense->blocks == 1) return {dense->inputs, dense->outputs};
        return {dense->blocks, dense->inputs, dense->outputs};
    }
    if (const auto* c = std::get_if<Convolution>(&stage)) {
        const std::size_t in_group = c->in_channels / c->groups;
        if (c->one_dimensional) return {c->out_channels, in_group, c->kernel[1]};
        return {c->out_channels, in_group, c->kernel[0], c->kernel[1]};
    }
    return {count};
}

nb::dict stage_of(const Stage& stage, learning::Gradient::OfStage& of) {
    nb::dict out;
    out["kind"] = stage_kind(stage);
    const auto column = [](std::vector<double>& values) {
        const std::vector<std::size_t> shape{values.size()};
        return array_of(std::move(values), shape);
    };
    const std::vector<std::size_t> shape = weight_shape(stage, of.weights.size());
    if (!of.weights.empty()) out["weights"] = array_of(std::move(of.weights), shape);
    if (!of.bias.empty()) out["bias"] = column(of.bias);
    if (!of.delays.empty()) out["delays"] = column(of.delays);

    const auto* rule = std::get_if<Rule>(&stage);
    const Sparse drawn = rule ? Sparse::of(*rule) : Sparse{};
    const Sparse* sparse = rule ? &drawn : std::get_if<Sparse>(&stage);
    if (!sparse) return out;
    std::vector<double> pre;
    std::vector<double> post;
    for (std::uint32_t i = 0; i < sparse->inputs; ++i) {
        for (std::uint64_t r = sparse->table->rows[i]; r < sparse->table->rows[i + 1]; ++r) {
            const Sparse::Segment& segment = sparse->table->segments[r];
            for (std::uint64_t k = segment.begin; k < segment.end; ++k) {
                pre.push_back(i);
                post.push_back(sparse->table->targets[k]);
            }
        }
    }
    out["pre"] = column(pre);
    out["post"] = column(post);
    return out;
}

nb::list by_neuron(const std::vector<std::vector<double>>& values) {
    nb::list list;
    for (const std::vector<double>& times : values) list.append(array_of(times, {times.size()}));
    return list;
}

/// Everything of a gradient, population by population and stage by stage.
nb::dict gradient(BuiltNetwork& built, const nb::dict& trains, double duration, const LossBox& loss,
                  bool of_neurons, double largest_factor) {
    const Network& network = built.network();
    std::vector<InputSpikes> inputs;
    for (const auto& [name, train] : trains)
        inputs.push_back({nb::cast<std::string>(name), nb::cast<const Spikes&>(train).train});
    learning::GradientOptions options;
    options.duration = duration_from_seconds(duration);
    options.of_neurons = of_neurons;
    options.largest_factor = largest_factor;
    const std::shared_ptr<const learning::EventProp> event_prop = built.event_prop();
    learning::Gradient found;
    {
        const nb::gil_scoped_release unlocked;
        found = event_prop->gradient(inputs, *loss.loss, options);
    }
    nb::list projections;
    for (std::size_t p = 0; p < found.projections.size(); ++p) {
        const Projection& projection = network.projections()[p];
        nb::list stages;
        for (std::size_t k = 0; k < found.projections[p].size(); ++k)
            stages.append(stage_of(projection.stages[k], found.projections[p][k]));
        projections.append(nb::make_tuple(text(network.projection_name(projection)), stages));
    }
    nb::dict neurons;
    nb::dict spikes;
    nb::dict times;
    const auto populations = network.populations();
    for (std::size_t q = 0; q < populations.size(); ++q) {
        const nb::object name = text(populations[q].name);
        nb::dict columns;
        for (auto& [field, values] : found.populations[q]) {
            const std::vector<std::size_t> shape(populations[q].shape.begin(), populations[q].shape.end());
            columns[field.c_str()] = array_of(std::move(values), shape);
        }
        if (nb::len(columns) > 0) neurons[name] = columns;
        spikes[name] = by_neuron(found.spikes[q]);
        times[name] = by_neuron(found.times[q]);
    }
    nb::dict out;
    out["loss"] = found.loss;
    out["projections"] = projections;
    out["neurons"] = neurons;
    out["spikes"] = spikes;
    out["times"] = times;
    out["events"] = found.events;
    out["bounded"] = found.bounded;
    return out;
}

}  // namespace

std::shared_ptr<const learning::EventProp> BuiltNetwork::event_prop() {
    if (event_prop_) return event_prop_;
    std::shared_ptr<const learning::EventProp> made;
    {
        const nb::gil_scoped_release unlocked;
        made = std::make_shared<const learning::EventProp>(network());
    }
    event_prop_ = made;
    return made;
}

void bind_gradient(nb::module_& module) {
    using namespace nb::literals;
    nb::class_<LossBox>(module, "Loss", "A loss of spike times and potentials.")
        .def_static("of_class", class_loss_of, "population"_a, "kind"_a, "label"_a, "values"_a)
        .def_static("of_spike_times", spike_times_of, "population"_a, "neurons"_a, "indices"_a, "times"_a)
        .def_static("of_potentials", potentials_of, "population"_a, "neurons"_a, "times"_a, "values"_a)
        .def_static("sum", sum_of, "factors"_a, "losses"_a)
        .def_static(
            "function",
            [](nb::object function) { return LossBox{std::make_shared<PythonLoss>(std::move(function))}; },
            "function"_a);
    module.def("gradient", gradient, "built"_a, "trains"_a, "duration"_a, "loss"_a, "of_neurons"_a,
               "largest_factor"_a);
}

}  // namespace saltus::python
