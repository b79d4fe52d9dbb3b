// Seeds for the fuzzers of checkpoints: checkpoint_seeds FOLDER writes FOLDER/checkpoint and FOLDER/training.
// They lack the seal, which the harness adds to whatever the fuzzer makes of them.
#include <filesystem>
#include <string>

#include "saltus/io/checkpoint.hpp"
#include "saltus/io/training_checkpoint.hpp"

namespace {

using namespace saltus;

void without_seal(const std::filesystem::path& path) {
    constexpr std::uintmax_t seal_bytes = 16;
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - seal_bytes);
}

Snapshot small_snapshot() {
    Snapshot s;
    s.time = Time(Duration(5));
    s.in_flight = {{Time(Duration(6)), 0, 1}};
    s.spike_counts = {1};
    PopulationSnapshot population;
    population.size = 2;
    population.reals = {{"V", {0.5, -0.5}}};
    population.ticks = {{"since", {1, 2}}};
    population.events = {{Time(Duration(7)), 1, NeuronEvent::What::look, 0.25}};
    population.trains = {{{4}, {7}}};
    s.populations = {population};
    SpikeTrain train;
    train.add(Time(Duration(1)), 1);
    s.spikes = {train};
    return s;
}

learning::TrainingSnapshot small_training() {
    learning::TrainingSnapshot s;
    s.asked = {{"seed", "3"}};
    s.learner = {{"weights", {0.5, 0.25}}};
    s.best = {{"weights", {0.5, 0.25}}};
    s.log.resize(1);
    return s;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) return 2;
    const std::filesystem::path folder(arguments[1]);
    std::filesystem::create_directories(folder / "checkpoint");
    std::filesystem::create_directories(folder / "training");
    io::write_checkpoint(folder / "checkpoint/small.h5", small_snapshot());
    without_seal(folder / "checkpoint/small.h5");
    io::write_training_checkpoint(folder / "training/small.h5", small_training());
    without_seal(folder / "training/small.h5");
}
