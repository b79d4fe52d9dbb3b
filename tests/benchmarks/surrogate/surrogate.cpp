// One mini-batch of the published speech network, forward, backward and update, again and again. Prints one
// JSON object a batch.
//
//   benchmark_surrogate [--batch 64] [--repeat 3] [--threads 2] [--threshold 1] [--surrogate s2net] [--slope
//   A] benchmark_surrogate --network TRAINED.nir --dataset PATH [--split train] [--save PREFIX] ...
//
// The input is random, and a higher threshold makes fewer spikes; or a trained network of this shape sees
// samples, evenly spread over a data set. --save writes both for peer_torch.py: PREFIX.input (float32),
// PREFIX.parameters (float64) and PREFIX.labels (int64).
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>

#include "saltus/converters/surrogate_model.hpp"
#include "saltus/engine/learning/surrogate.hpp"
#include "saltus/engine/learning/surrogate_text.hpp"
#include "saltus/engine/random.hpp"
#include "saltus/io/nir.hpp"
#include "shared/surrogate_evaluation.hpp"

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

struct Work {
    std::vector<float> values;  // of all samples
    std::vector<std::uint32_t> labels;
    std::vector<double> parameters;
};

Work random_work(const SurrogateNetwork& network, std::uint64_t batch, std::uint64_t values,
                 double threshold) {
    Work work;
    SequentialRandom random(1, 0, 0);
    work.values.resize(batch * values);
    for (float& x : work.values) x = static_cast<float>(random.normal());
    for (std::uint64_t i = 0; i < batch; ++i) work.labels.push_back(static_cast<std::uint32_t>(i % 12));
    work.parameters = network.initial(1);
    for (const SurrogateNetwork::Layer& layer : network.layers()) {
        for (std::uint32_t j = 0; layer.spikes() && j < layer.out.channels; ++j)
            work.parameters[layer.at.b + j] *= threshold;
    }
    return work;
}

Work trained_work(const std::string& network, const std::string& dataset, const std::string& split,
                  std::uint64_t batch) {
    const auto model = converters::surrogate_model_of(io::read_nir(network));
    if (!model) throw std::runtime_error(network + ": not a network that surrogate gradients trained.");
    const auto samples = plugins::samples_for(*model, dataset, split, "", 1);
    const std::uint64_t size = samples->layout().values();
    Work work;
    work.parameters = model->parameters;
    work.values.resize(batch * size);
    for (std::uint64_t i = 0; i < batch; ++i) {
        const std::uint64_t sample = i * samples->size() / batch;
        samples->read(sample, std::span(work.values).subspan(i * size, size));
        work.labels.push_back(samples->label(sample));
    }
    return work;
}

template <class T>
void write(const std::string& path, const std::vector<T>& numbers) {
    std::ofstream out(path, std::ios::binary);
    out.write(reinterpret_cast<const char*>(numbers.data()),
              static_cast<std::streamsize>(numbers.size() * sizeof(T)));
    if (!out) throw std::runtime_error(path + ": cannot be written.");
}

}  // namespace

int main(int argc, char** argv) {
    std::uint64_t batch = 64;
    unsigned repeat = 3;
    unsigned threads = 2;
    double threshold = 1.0;
    std::string trained, dataset, split = "train", save;
    SurrogateOptions options;
    for (int k = 1; k + 1 < argc; k += 2) {
        const std::string name = argv[k];
        if (name == "--batch") batch = std::strtoull(argv[k + 1], nullptr, 10);
        if (name == "--repeat") repeat = static_cast<unsigned>(std::strtoul(argv[k + 1], nullptr, 10));
        if (name == "--threads") threads = static_cast<unsigned>(std::strtoul(argv[k + 1], nullptr, 10));
        if (name == "--threshold") threshold = std::strtod(argv[k + 1], nullptr);
        if (name == "--network") trained = argv[k + 1];
        if (name == "--dataset") dataset = argv[k + 1];
        if (name == "--split") split = argv[k + 1];
        if (name == "--save") save = argv[k + 1];
        if (name == "--surrogate") options.function = surrogate_function(argv[k + 1]);
        if (name == "--peak") options.function.peak = std::strtod(argv[k + 1], nullptr);
        if (name == "--slope") options.function.slope = std::strtod(argv[k + 1], nullptr);
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
    Work work = trained.empty() ? random_work(network, batch, layout.values(), threshold)
                                : trained_work(trained, dataset, split, batch);
    if (!save.empty()) {
        write(save + ".input", work.values);
        write(save + ".parameters", work.parameters);
        write(save + ".labels", std::vector<std::int64_t>(work.labels.begin(), work.labels.end()));
    }
    const auto rule = std::make_shared<SurrogateRule>(
        network, std::make_shared<StoredFrames>(layout, std::move(work.values), std::move(work.labels)),
        options, work.parameters);
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
