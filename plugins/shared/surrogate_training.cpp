#include "surrogate_training.hpp"

#include <utility>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/stepped_rule.hpp"
#include "saltus/engine/learning/surrogate_text.hpp"

namespace saltus::plugins {

namespace {

/// Of sound, the network of Pellegrini, Zimmer and Masquelier 2021.
constexpr const char* sound_layers =
    "conv 64 kernel=4x3; conv 64 kernel=4x3 dilation=4x3; conv 64 kernel=4x3 dilation=16x9; readout mean";
constexpr const char* other_layers = "dense 128; readout mean";

void enter_names(SurrogateRequest& request) {
    learning::SurrogateOptions& rule = request.rule;
    rule.function = learning::surrogate_function(request.surrogate);
    if (request.slope) rule.function.slope = *request.slope;
    if (request.peak) rule.function.peak = *request.peak;
    if (request.precision != "float32" && request.precision != "float64") {
        throw UsageError("precision: expected float32 or float64, found " + quoted(request.precision) + ".");
    }
    if (request.precision == "float64") rule.precision = learning::SurrogateOptions::Precision::float64;
    request.frames.encoding = datasets::encoding_of(request.encoding, request.slot, request.slots);
    if (!request.network && !request.neurons) return;
    if (request.layers)
        throw UsageError("layers: expected none beside a network to begin with, which has its own.");
    if (request.network) request.samples.divisors = request.network->divisors;
}

}  // namespace

void begin_with(SurrogateRequest& request, io::NirDocument document, converters::NirReading reading) {
    request.network = converters::surrogate_model_of(document);
    if (request.network) return;
    reading.clock = converters::Clock::stepped;
    request.neurons = SurrogateRequest::Neurons{std::move(document), std::move(reading)};
}

SurrogateTraining::SurrogateTraining(const std::filesystem::path& dataset, SurrogateRequest request)
    : request_(std::move(request)) {
    enter_names(request_);
    data_ = datasets::open_learning_frames(dataset, request_.frames, request_.samples);
    const bool is_spectrogram = data_.samples->layout().shape.size() == 2 && datasets::is_sound(dataset);
    begin(is_spectrogram ? sound_layers : other_layers);
}

SurrogateTraining::SurrogateTraining(std::shared_ptr<const learning::FrameSet> samples,
                                     std::shared_ptr<const learning::FrameSet> held_back,
                                     SurrogateRequest request)
    : request_(std::move(request)) {
    enter_names(request_);
    data_ = datasets::learning_frames(std::move(samples), std::move(held_back), request_.samples);
    begin(other_layers);
}

void SurrogateTraining::begin(const std::string& default_layers) {
    request_.neurons ? begin_neurons() : begin_layers(default_layers);
    learning::GradientLearnerOptions gradient = request_.gradient;
    gradient.optimizer.decoupled = gradient.optimizer.kind == learning::OptimizerOptions::Kind::radam;
    learner_ = std::make_unique<learning::GradientLearner>(rule_, gradient);
}

void SurrogateTraining::begin_neurons() {
    if (!data_.divisors.empty()) {
        throw LimitError("scaling: a file of neurons and synapses has no place for it; expected none.");
    }
    const SurrogateRequest::Neurons& neurons = *request_.neurons;
    const converters::NirImport import = converters::network_from_nir(neurons.document, neurons.reading);
    const auto rule = std::make_shared<learning::SteppedRule>(import.network, import.rules.value(),
                                                              data_.samples, request_.rule);
    rule_ = rule;
    trained_ = [this, rule, rules = *import.rules] {
        return converters::with_weights(request_.neurons->document, rule->network(learner_->parameters()),
                                        rules);
    };
}

void SurrogateTraining::begin_layers(const std::string& default_layers) {
    const learning::FrameLayout& layout = data_.samples->layout();
    if (request_.network) {
        model_ = *request_.network;
    } else {
        model_.description.steps = layout.steps;
        model_.description.input = layout.shape;
        model_.description.layers = learning::surrogate_layers(
            request_.layers.value_or(default_layers), static_cast<std::uint32_t>(layout.classes.size()));
    }
    learning::SurrogateNetwork network(model_.description);
    if (!request_.network) model_.parameters = network.initial(request_.samples.seed);
    model_.classes = layout.classes;
    model_.dt = layout.dt;
    model_.divisors = data_.divisors;
    model_.task = request_.frames.task;
    model_.derivatives = request_.frames.derivatives;
    model_.binary = request_.frames.binary;
    model_.encoding = request_.encoding;
    model_.slot = request_.slot;
    model_.slots = request_.slots;

    rule_ = std::make_shared<learning::SurrogateRule>(std::move(network), data_.samples, request_.rule,
                                                      model_.parameters);
    trained_ = [this] {
        converters::SurrogateModel model = model_;
        model.parameters.assign(learner_->parameters().begin(), learner_->parameters().end());
        return converters::nir_from_surrogate(model);
    };
}

std::vector<std::uint32_t> SurrogateTraining::balance() const {
    return request_.balanced ? data_.samples->labels() : std::vector<std::uint32_t>();
}

learning::Asked SurrogateTraining::asked() const {
    const datasets::Augmentation& a = request_.frames.augmentation;
    return {{"samples altered", "shift " + to_string(a.shift) + ", noise " + shown(a.noise) + ", drop " +
                                    shown(a.drop) + ", pixels " + std::to_string(a.pixels) + ", mask_steps " +
                                    std::to_string(a.mask_steps) + ", mask_bands " +
                                    std::to_string(a.mask_bands)}};
}

io::NirDocument SurrogateTraining::trained() const {
    return trained_();
}

std::optional<datasets::SurrogateEvaluation> SurrogateTraining::evaluate(unsigned threads) const {
    if (data_.held_back == 0) return std::nullopt;
    return datasets::evaluate_surrogate(
        *rule_, learner_->parameters(),
        {.threads = threads, .first = data_.samples->size() - data_.held_back, .on_progress = {}});
}

}  // namespace saltus::plugins
