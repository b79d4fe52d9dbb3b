#include "inputs.hpp"

#include <charconv>
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

/// The populations of a file that holds one sample.
std::vector<io::PopulationSpikes> only_sample(const std::string& path, std::vector<std::string>& notes) {
    io::Recordings recordings = io::read_recordings(path, {}, notes);
    if (recordings.samples() != 1) {
        throw FileError::unexpected(path, "", "one sample", std::to_string(recordings.samples()),
                                    "Take one by saltus convert --sample.");
    }
    std::vector<io::PopulationSpikes> populations;
    for (io::Recordings::Population& population : recordings.populations)
        populations.push_back({std::move(population.name), std::move(population.samples[0])});
    return populations;
}

bool is_hdf5(const std::string& path) {
    const std::string ending = std::filesystem::path(path).extension().string();
    return ending == ".h5" || ending == ".hdf5" || !io::is_recording(path);
}

std::uint32_t size_from(const std::string& text, const std::string& frame) {
    std::uint32_t value = 0;
    const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (status != std::errc() || end != text.data() + text.size() || value == 0 || value > 65536)
        throw UsageError("--frame: expected WIDTHxHEIGHT, as in 240x180, found " + quoted(frame) + ".");
    return value;
}

void append(const std::string& path, const Network& network, std::vector<InputSpikes>& inputs,
            std::vector<std::string>& notes) {
    if (std::filesystem::path(path).extension() == ".bin") {
        const Population& input = only_input(network, path);
        inputs.push_back({input.name, spikes_of_camera(path, input)});
        return;
    }
    const bool is_nir_data = path.ends_with(".nirdata.h5");
    std::vector<io::PopulationSpikes> populations =
        is_hdf5(path) && !is_nir_data ? io::read_spikes(path) : only_sample(path, notes);
    const auto is_input = [&](const std::string& name) {
        const auto q = network.find(name);
        return q && network.populations()[*q].is_input();
    };
    if (populations.size() == 1 && !is_input(populations[0].population)) {
        const Population& input = only_input(network, path);
        if (!populations[0].population.empty()) {
            notes.push_back("spikes of " + quoted(populations[0].population) + " in " + path +
                            " go to the only input, " + quoted(input.name) + ".");
        }
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

}  // namespace

void RecordingChoices::add_to(CLI::App& app) {
    app.add_option("--frame", frame_, "pixels of the camera that wrote a .bin file (34x34)");
    app.add_option("--address-bytes", address_bytes_, "2 or 4, of an .aedat file without header");
    app.add_option("--tick", tick_, "unit of the times of an .aedat file, as in 200ns (1us)");
}

io::RecordingOptions RecordingChoices::options() const {
    io::RecordingOptions options;
    if (!frame_.empty()) {
        const std::size_t x = std::min(frame_.find('x'), frame_.size());
        options.width = size_from(frame_.substr(0, x), frame_);
        options.height = size_from(frame_.substr(std::min(frame_.size(), x + 1)), frame_);
    }
    if (address_bytes_ != 0 || !tick_.empty()) {
        io::AddressFormat& format = options.addresses.emplace();
        if (address_bytes_ != 0) format.address_bytes = address_bytes_;
        if (!tick_.empty()) format.tick = parse_duration(tick_);
    }
    return options;
}

FileError FileInputs::error(const InputError& error) const {
    const auto file = file_of.find(error.population());
    return {file == file_of.end() ? std::string() : file->second, "", error.what()};
}

FileInputs read_inputs(const std::vector<std::string>& paths, const Network& network,
                       std::vector<std::string>& notes) {
    FileInputs inputs;
    for (const std::string& path : paths) {
        const std::size_t before = inputs.spikes.size();
        append(path, network, inputs.spikes, notes);
        for (std::size_t k = before; k < inputs.spikes.size(); ++k)
            inputs.file_of[inputs.spikes[k].population] = path;
    }
    return inputs;
}

}  // namespace saltus::cli
