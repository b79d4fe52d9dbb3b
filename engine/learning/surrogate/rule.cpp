#include <algorithm>
#include <cmath>
#include <utility>

#include "options.hpp"
#include "run.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/learning/surrogate.hpp"
#include "saltus/engine/learning/surrogate_text.hpp"

namespace saltus::learning {

namespace {

using surrogate::Run;
using surrogate::Weights;

}  // namespace

/// The rule in one precision.
class SurrogateRule::Machine {
  public:
    Machine(SurrogateNetwork network, std::shared_ptr<const FrameSet> samples,
            const SurrogateOptions& options, std::vector<double> initial)
        : network_(std::move(network)),
          samples_(std::move(samples)),
          options_(options),
          initial_(std::move(initial)) {}
    virtual ~Machine() = default;
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;

    virtual Tally gradient(std::span<const double> parameters, std::span<const std::uint64_t> batch,
                           std::span<double> gradient, unsigned threads) = 0;
    virtual SurrogateMeasure measure(std::span<const double> parameters,
                                     std::span<const std::uint64_t> samples, unsigned threads) = 0;

    SurrogateNetwork network_;
    std::shared_ptr<const FrameSet> samples_;
    SurrogateOptions options_;
    std::vector<double> initial_;
    std::uint64_t step_ = 0;
};

namespace {

template <class T>
class MachineOf final : public SurrogateRule::Machine {
  public:
    MachineOf(SurrogateNetwork network, std::shared_ptr<const FrameSet> samples,
              const SurrogateOptions& options, std::vector<double> initial)
        : Machine(std::move(network), std::move(samples), options, std::move(initial)),
          weights_(network_, options_) {}

    Tally gradient(std::span<const double> parameters, std::span<const std::uint64_t> batch,
                   std::span<double> gradient, unsigned threads) override {
        begin(parameters, batch.size(), threads);
        std::vector<double> sums(weights_.sums(), 0.0);
        std::vector<Tally> tallies(batch.size());
        ordered_sum(batch.size(), threads, sums, [&](std::size_t i, unsigned thread, std::span<double> sum) {
            samples_->read_altered(batch[i], step_, frames_[thread]);
            Run<T>& run = runs_[thread];
            const std::uint32_t label = samples_->label(batch[i]);
            run.forward(std::span<const float>(frames_[thread]));
            run.backward(label, sum);
            tallies[i] = {1, run.answer() == label ? 1u : 0u, run.cross_entropy(label) + run.regulariser()};
        });
        weights_.add_gradient(parameters, sums, gradient, threads);
        Tally tally;
        for (const Tally& one : tallies) tally += one;
        return tally;
    }

    SurrogateMeasure measure(std::span<const double> parameters, std::span<const std::uint64_t> samples,
                             unsigned threads) override {
        begin(parameters, samples.size(), threads);
        const std::size_t layers = network_.layers().size();
        const std::size_t classes = network_.classes();
        SurrogateMeasure measure;
        measure.rates.assign(layers, 0.0);
        measure.confusion.assign(classes, std::vector<std::uint64_t>(classes, 0));
        std::vector<std::uint32_t> answers(samples.size());
        std::vector<double> losses(samples.size());
        std::vector<double> rates(samples.size() * layers, 0.0);
        for_each_parallel(samples.size(), threads, [&](std::size_t i, unsigned thread) {
            samples_->read(samples[i], frames_[thread]);
            Run<T>& run = runs_[thread];
            run.forward(std::span<const float>(frames_[thread]));
            answers[i] = run.answer();
            losses[i] = run.cross_entropy(samples_->label(samples[i])) + run.regulariser();
            for (std::size_t l = 0; l < layers; ++l) {
                if (network_.layers()[l].spikes()) rates[i * layers + l] = 2.0 * run.activity(l);
            }
        });
        for (std::size_t i = 0; i < samples.size(); ++i) {
            const std::uint32_t label = samples_->label(samples[i]);
            measure.tally += {1, answers[i] == label ? 1u : 0u, losses[i]};
            ++measure.confusion[label][answers[i]];
            for (std::size_t l = 0; l < layers; ++l)
                measure.rates[l] += rates[i * layers + l] / static_cast<double>(samples.size());
        }
        return measure;
    }

  private:
    void begin(std::span<const double> parameters, std::size_t samples, unsigned threads) {
        weights_.set(parameters, threads);
        const std::size_t used =
            std::min<std::size_t>(std::max(threads, 1u), std::max<std::size_t>(samples, 1));
        while (runs_.size() < used) {
            runs_.emplace_back(weights_);
            frames_.emplace_back(samples_->layout().values());
        }
    }

    Weights<T> weights_;
    std::vector<Run<T>> runs_;
    std::vector<std::vector<float>> frames_;
};

}  // namespace

SurrogateRule::SurrogateRule(SurrogateNetwork network, std::shared_ptr<const FrameSet> samples,
                             const SurrogateOptions& options, std::vector<double> initial) {
    surrogate::check(options);
    const FrameLayout& layout = samples->layout();
    const SurrogateDescription& description = network.description();
    if (layout.steps != description.steps || layout.shape != description.input ||
        layout.classes.size() != network.classes()) {
        throw UsageError("samples: expected " + std::to_string(description.steps) + " steps of shape " +
                         to_string(description.input) + " and " + std::to_string(network.classes()) +
                         " classes, as the network has them, found " + std::to_string(layout.steps) +
                         " steps of shape " + to_string(layout.shape) + " and " +
                         std::to_string(layout.classes.size()) + " classes.");
    }
    if (initial.size() != network.parameters()) {
        throw UsageError("parameters: expected " + std::to_string(network.parameters()) + " values, found " +
                         std::to_string(initial.size()) + ".");
    }
    if (options.precision == SurrogateOptions::Precision::float32) {
        machine_ = std::make_unique<MachineOf<float>>(std::move(network), std::move(samples), options,
                                                      std::move(initial));
    } else {
        machine_ = std::make_unique<MachineOf<double>>(std::move(network), std::move(samples), options,
                                                       std::move(initial));
    }
}

SurrogateRule::~SurrogateRule() = default;

const SurrogateNetwork& SurrogateRule::network() const {
    return machine_->network_;
}
const std::vector<ParameterGroup>& SurrogateRule::groups() const {
    return machine_->network_.groups();
}
std::vector<double> SurrogateRule::initial() const {
    return machine_->initial_;
}
std::uint64_t SurrogateRule::samples() const {
    return machine_->samples_->size();
}
Asked SurrogateRule::asked() const {
    Asked asked = surrogate::asked(machine_->options_, *machine_->samples_);
    asked["layers"] = text_of(machine_->network_.description().layers);
    return asked;
}
void SurrogateRule::begin_step(std::uint64_t step) {
    machine_->step_ = step;
}
Tally SurrogateRule::gradient(std::span<const double> parameters, std::span<const std::uint64_t> batch,
                              std::span<double> gradient, unsigned threads) {
    return machine_->gradient(parameters, batch, gradient, threads);
}
Tally FrameRule::measure(std::span<const double> parameters, std::span<const std::uint64_t> samples,
                         unsigned threads) {
    return measure_all(parameters, samples, threads).tally;
}
std::vector<std::string> SurrogateRule::layers() const {
    std::vector<std::string> names;
    for (const SurrogateNetwork::Layer& layer : network().layers())
        names.push_back(layer.spikes() ? layer.described.name : "");
    return names;
}
SurrogateMeasure SurrogateRule::measure_all(std::span<const double> parameters,
                                            std::span<const std::uint64_t> samples, unsigned threads) {
    return machine_->measure(parameters, samples, threads);
}

SurrogateTrace surrogate_trace(const SurrogateNetwork& network, std::span<const double> parameters,
                               const SurrogateOptions& options, std::span<const double> sample,
                               std::uint32_t label) {
    surrogate::check(options);
    const SignalSize& in = network.input_size();
    if (sample.size() != in.steps * in.neurons() || parameters.size() != network.parameters() ||
        label >= network.classes()) {
        throw UsageError("trace: expected a sample of " + std::to_string(in.steps * in.neurons()) +
                         " numbers, " + std::to_string(network.parameters()) +
                         " parameters and a label below " + std::to_string(network.classes()) + ", found " +
                         std::to_string(sample.size()) + ", " + std::to_string(parameters.size()) + " and " +
                         std::to_string(label) + ".");
    }
    SurrogateTrace trace;
    const auto run_it = [&]<class T>(T) {
        Weights<T> weights(network, options);
        weights.set(parameters, 1);
        Run<T> run(weights);
        run.forward(sample);
        std::vector<double> sums(weights.sums(), 0.0);
        run.backward(label, sums, true);
        trace.output = run.output();
        trace.cross_entropy = run.cross_entropy(label);
        trace.loss = trace.cross_entropy + run.regulariser();
        trace.gradient.assign(network.parameters(), 0.0);
        weights.add_gradient(parameters, sums, trace.gradient, 1);
        for (std::size_t l = 0; l < network.layers().size(); ++l) {
            SurrogateTrace::Layer& layer = trace.layers.emplace_back();
            if (!network.layers()[l].spikes()) continue;
            const SignalSize& size = network.layers()[l].out;
            layer.activity = run.activity(l);
            for (std::size_t t = 0; t < size.steps; ++t) {
                for (std::size_t c = 0; c < size.channels; ++c) {
                    for (std::size_t place = 0; place < size.positions(); ++place) {
                        const std::size_t row = t * size.positions() + place;
                        layer.spikes.push_back(run.spikes(l).at(row, c) != T(0) ? 1 : 0);
                        if (!options.recompute) layer.excess.push_back(run.excess(l, row, c));
                    }
                }
            }
        }
        for (std::size_t t = 0; t < in.steps; ++t) {
            for (std::size_t c = 0; c < in.channels; ++c) {
                for (std::size_t place = 0; place < in.positions(); ++place) {
                    trace.input_gradient.push_back(static_cast<double>(
                        run.input_gradient()[(t * in.positions() + place) * surrogate::padded(in.channels) +
                                             c]));
                }
            }
        }
    };
    options.precision == SurrogateOptions::Precision::float32 ? run_it(float{}) : run_it(double{});
    return trace;
}

}  // namespace saltus::learning
