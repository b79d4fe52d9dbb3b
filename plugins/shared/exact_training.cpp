#include "exact_training.hpp"

#include "exact_network.hpp"
#include "saltus/converters/nir.hpp"
#include "saltus/datasets/evaluate.hpp"

namespace saltus::plugins {

learning::ExactOptions default_exact_options() {
    learning::ExactOptions rule;
    rule.loss.tau_0 = 1e-3;
    rule.loss.alpha = 3e-3;
    rule.loss.tau_1 = 6.4e-3;
    rule.loss.gap = 2e-3;
    rule.loss.target = 20e-3;
    rule.loss.other_target = 30e-3;
    rule.duration = Duration(60'000'000'000'000);
    rule.delay_rate = 0.1;
    rule.largest_delay = Duration(50'000'000'000'000);
    rule.largest_factor = 0.2;
    rule.wake = 3.0;
    return rule;
}

ExactTraining::ExactTraining(const std::filesystem::path& path, ExactRequest request)
    : reading_(request.reading) {
    request.rule.loss.kind = learning::class_loss_kind(request.loss);
    reading_.loss = request.loss;
    reading_.decay = request.rule.loss.decay;
    reading_.duration = request.rule.duration;
    const datasets::Dataset dataset = datasets::open_dataset(
        path, request.split, datasets::encoding_of(reading_.encoding, reading_.slot, reading_.slots));
    dataset_ = dataset.name;
    const auto samples = std::make_shared<const learning::SampleSet>(datasets::load_samples(dataset));
    Network network =
        request.network ? std::move(*request.network) : new_exact_network(request, dataset, *samples);
    if (!request.rule.learn_delays) network = learning::in_layers(network);
    rule_ = std::make_shared<learning::ExactRule>(network, samples, request.rule);
    learner_ = std::make_unique<learning::GradientLearner>(rule_, request.gradient);
}

io::NirDocument ExactTraining::trained(std::vector<std::string>* notes) const {
    io::NirDocument document = converters::nir_from_network(rule_->network(learner_->parameters()), notes);
    converters::set_exact_reading(document, reading_);
    return document;
}

}  // namespace saltus::plugins
