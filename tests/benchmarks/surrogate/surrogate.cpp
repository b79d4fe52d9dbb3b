// One mini-batch of the published speech network, forward, backward and update, again and again. Prints one
// JSON object a batch.
//
//   benchmark_surrogate [--batch 64] [--repeat 3] [--threads 2] [--threshold 1] [--surrogate s2net]
//
// The input is random, as references/peers-learning.md has it; a higher threshold makes fewer spikes.
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <numeric>
#include <string>

#include "saltus/engine/learning/surrogate.hpp"
#include "saltus/engine/learning/surrogate_text.hpp"
#include "saltus/engine/random.hpp"

namespace {

using namespace saltus;
using namespace saltus::learning;

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double peak_mib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

}  // namespace

int main(int argc, char** argv) {
    std::uint64_t batch = 64;
    unsigned repeat = 3;
    unsigned threads = 2;
    double threshold = 1.0;
    SurrogateOptions options;
    for (int k = 1; k + 1 < argc; k += 2) {
        const std::string name = argv[k];
        if (name == "--batch") batch = std::strtoull(argv[k + 1], nullptr, 10);
        if (name == "--repeat") repeat = static_cast<unsigned>(std::strtoul(argv[k + 1], nullptr, 10));
        if (name == "--threads") threads = static_cast<unsigned>(std::strtoul(argv[k + 1], nullptr, 10));
        if (name == "--threshold") threshold = std::strtod(argv[k + 1], nullptr);
        if (name == "--surrogate") options.function = surrogate_function(argv[k + 1]);
    }
    SurrogateDescription description;
    description.steps = 101;
    description.input = {3, 40};
    description.layers = surrogate_layers(
        "conv 64 kernel=4x3; conv 64 kernel=4x3 dilation=4x3; conv 64 kernel=4x3 dilation=16x9; readout mean",
        12);
    const SurrogateNetwork network(description);

    FrameLayout layout;
    layout.steps = 101;
    layout.shape = {3, 40};
    layout.dt = Duration{10'000'000'000'000};
    for (int k = 0; k < 12; ++k) layout.classes.push_back(std::to_string(k));
    std::vector<float> values(batch * layout.values());
    SequentialRandom random(1, 0, 0);
    for (float& x : values) x = static_cast<float>(random.normal());
    std::vector<std::uint32_t> labels(batch);
    for (std::uint64_t i = 0; i < batch; ++i) labels[i] = static_cast<std::uint32_t>(i % 12);

    std::vector<double> initial = network.initial(1);
    for (const SurrogateNetwork::Layer& layer : network.layers()) {
        for (std::uint32_t j = 0; layer.spikes() && j < layer.out.channels; ++j)
            initial[layer.at.b + j] *= threshold;
    }
    const auto rule = std::make_shared<SurrogateRule>(
        network, std::make_shared<StoredFrames>(layout, std::move(values), std::move(labels)), options,
        initial);
    GradientLearnerOptions learning;
    learning.optimizer.kind = OptimizerOptions::Kind::radam;
    GradientLearner learner(rule, learning);
    std::vector<std::uint64_t> samples(batch);
    std::iota(samples.begin(), samples.end(), 0);
    const SurrogateMeasure measure = rule->measure_all(learner.parameters(), samples, threads);
    for (unsigned r = 0; r < repeat; ++r) {
        const auto wall = std::chrono::steady_clock::now();
        const double cpu = cpu_seconds();
        const Tally tally = learner.learn(samples, 1.0, threads);
        std::cout << "{\"program\": \"saltus\", \"batch\": " << batch << ", \"threads\": " << threads
                  << ", \"wall_s\": "
                  << std::chrono::duration<double>(std::chrono::steady_clock::now() - wall).count()
                  << ", \"cpu_s\": " << cpu_seconds() - cpu << ", \"rates\": [" << measure.rates[0] << ", "
                  << measure.rates[1] << ", " << measure.rates[2] << "], \"loss\": " << tally.mean_loss()
                  << ", \"peak_mib\": " << peak_mib() << "}" << std::endl;
    }
}
