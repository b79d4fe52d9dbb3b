// Images a second of S4NN, one thread: inference that ends at the first output spike, and one epoch of the
// published rule from random weights. Seconds are those of the processor; the smallest of five runs.
//
//   benchmark_s4nn MNIST_FOLDER NETWORK.nir
#include <ctime>
#include <iostream>

#include "saltus/converters/nir.hpp"
#include "saltus/datasets/evaluate.hpp"
#include "saltus/engine/learning/s4nn.hpp"
#include "saltus/engine/learning/training.hpp"

namespace {

using namespace saltus;
using namespace saltus::learning;

double processor_seconds() {
    std::timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

template <class F>
double smallest_of_five(F&& f) {
    double smallest = 1e9;
    for (int run = 0; run < 5; ++run) {
        const double begin = processor_seconds();
        f();
        smallest = std::min(smallest, processor_seconds() - begin);
    }
    return smallest;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "benchmark_s4nn MNIST_FOLDER NETWORK.nir\n";
        return 2;
    }
    const converters::FirstSpikeReading reading;
    const auto import = converters::network_from_nir(io::read_nir(argv[2]));
    const FirstSpikeNetwork network =
        first_spike_network(import.network, reading.t_max, reading.silence_decides_at);
    const SampleSet test = datasets::load_samples(datasets::open_dataset(argv[1], "test"));
    std::vector<FirstSpikeOutcome> outcomes;
    const double inference = smallest_of_five([&] { outcomes = classify(network, test); });
    std::uint64_t right = 0;
    for (std::uint64_t i = 0; i < test.size(); ++i) right += outcomes[i].decided == test[i].label ? 1 : 0;
    std::cout << "inference: " << static_cast<double>(test.size()) / inference << " images/s, " << right
              << " right\n";

    const auto samples =
        std::make_shared<const SampleSet>(datasets::load_samples(datasets::open_dataset(argv[1], "train")));
    FirstSpikePlan plan;
    plan.input = samples->shape();
    plan.layers = {400, 10};
    plan.initial = {5.0, 48.0};
    S4nnOptions options;
    options.order = S4nnOptions::Order::code;
    std::vector<std::uint64_t> all(samples->size());
    for (std::uint64_t i = 0; i < all.size(); ++i) all[i] = i;
    const double training = smallest_of_five([&] {
        S4nnSequential learner(new_first_spikes(plan), samples, options, {});
        learner.learn(all, 1.0, 1);
    });
    std::cout << "training, first epoch: " << static_cast<double>(samples->size()) / training
              << " samples/s\n";
}
