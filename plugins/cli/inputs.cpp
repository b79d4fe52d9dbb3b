#include "inputs.hpp"

#include <filesystem>

#include "saltus/engine/errors.hpp"
#include "saltus/io/spikes.hpp"

namespace saltus::cli {

namespace {

std::vector<const Population*> input_populations(const Network& network) {
    std::vector<const Population*> inputs;
    for (const Population& population : network.populations()) {
        if (population.is_input()) inputs.push_back(&population);
    }
    return inputs;
}

const Population& only_input(const Network& network, const std::string& path) {
    const auto inputs = input_populations(network);
    if (inputs.size() != 1) {
        throw FileError(path, "",
                        "names no population, and the network has " + std::to_string(inputs.size()) +
                            " inputs, not one.");
    }
    return *inputs.front();
}

/// Events of a camera for an input of shape (2, height, width) or (1, height, width).
SpikeTrain spikes_of_camera(const std::string& path, const Population& input) {
    if (input.shape.size() != 3 || input.shape[0] > 2) {
        throw FileError::unexpected(path, "", "an input of shape (2, height, width) for camera events",
                                    quoted(input.name) + " of shape " + to_string(input.shape));
    }
    SpikeTrain train;
    for (const io::CameraEvent& event : io::read_aer(path)) {
        if (event.y >= input.shape[1] || event.x >= input.shape[2]) {
            throw FileError::unexpected(path, "event " + std::to_string(train.size()),
                                        "x, y inside " + to_string(input.shape),
                                        std::to_string(event.x) + ", " + std::to_string(event.y));
        }
        const std::uint32_t channel = event.on && input.shape[0] == 2 ? 1 : 0;
        train.add(event.time, (channel * input.shape[1] + event.y) * input.shape[2] + event.x);
    }
    return train;
}

}  // namespace

void append_inputs(const std::string& path, const Network& network, std::vector<InputSpikes>& inputs,
                   std::vector<std::string>& notes) {
    if (std::filesystem::path(path).extension() == ".bin") {
        const Population& input = only_input(network, path);
        inputs.push_back({input.name, spikes_of_camera(path, input)});
        return;
    }
    std::vector<io::PopulationSpikes> populations = io::read_spikes(path);
    const auto is_input = [&](const std::string& name) {
        const auto q = network.find(name);
        return q && network.populations()[*q].is_input();
    };
    if (populations.size() == 1 && !is_input(populations[0].population)) {
        const Population& input = only_input(network, path);
        notes.push_back("spikes of " + quoted(populations[0].population) + " in " + path +
                        " go to the only input, " + quoted(input.name) + ".");
        populations[0].population = input.name;
    }
    for (io::PopulationSpikes& population : populations) {
        if (!is_input(population.population)) {
            std::string list;
            for (const Population* input : input_populations(network)) {
                list += (list.empty() ? "" : ", ") + quoted(input->name);
            }
            throw FileError(
                path, "population " + quoted(population.population),
                "the network has no input of this name; its inputs: " + (list.empty() ? "none" : list) + ".");
        }
        inputs.push_back({std::move(population.population), std::move(population.spikes)});
    }
}

}  // namespace saltus::cli
