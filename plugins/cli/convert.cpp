// saltus convert IN OUT: the same network or the same spikes in another format, by ending.
#include <filesystem>
#include <iostream>
#include <memory>

#include "commands.hpp"
#include "console.hpp"
#include "inputs.hpp"
#include "reading.hpp"
#include "saltus/converters/sonata.hpp"
#include "saltus/converters/surrogate_delays.hpp"
#include "saltus/converters/surrogate_norse.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/nir_json.hpp"
#include "saltus/io/recordings.hpp"
#include "saltus/io/sonata_network.hpp"
#include "saltus/io/spikes.hpp"

namespace saltus::cli {

namespace {

namespace fs = std::filesystem;

struct Options {
    std::string in;
    std::string out;
    std::string json_arrays = "auto";
    std::string convention;
    std::vector<std::string> inputs;
    std::string duration;
    int sample = -1;
    bool drop_labels = false;
    bool to_delays = false;
    std::string tool;
    RecordingChoices recordings;
    ReadingOptions reading{ReadingOptions::Clock::chosen_elsewhere};
    bool quiet = false;
};

constexpr std::string_view circuit_ending = "circuit_config.json";
constexpr std::string_view simulation_ending = "simulation_config.json";

io::JsonArrays json_arrays_from(const std::string& name) {
    if (name == "auto") return io::JsonArrays::automatic;
    if (name == "list") return io::JsonArrays::list;
    if (name == "packed") return io::JsonArrays::packed;
    throw UsageError("--json-arrays: expected auto, list or packed, found " + quoted(name) + ".");
}

void tell(const Options& options, const std::vector<std::string>& notes) {
    if (!options.quiet) print_notes(notes);
}

void convert_spikes(const Options& options) {
    std::vector<std::string> notes;
    io::Recordings recordings = io::read_recordings(options.in, options.recordings.options(), notes);
    if (options.sample >= 0) recordings = io::sample_of(recordings, static_cast<std::size_t>(options.sample));
    if (options.drop_labels) recordings.labels.clear();
    tell(options, notes);
    io::write_recordings(options.out, recordings);
}

converters::Import network_of(const Options& options) {
    converters::NirReading reading = options.reading.reading();
    if (!options.convention.empty()) reading.convention = options.convention;
    return read_network(options.in, options.reading, reading);
}

void write_document(const Options& options, const io::NirDocument& document, io::JsonArrays arrays) {
    if (fs::path(options.out).extension() == ".nir") {
        io::write_nir(document, options.out);
    } else {
        io::write_nir_json(document, options.out, arrays);
    }
}

/// What trainer and clocks make of the spikes of the files, one sentence a layer.
std::vector<std::string> checked(const Options& options, const converters::SurrogateModel& model,
                                 const converters::DelayedNetwork& delayed) {
    std::vector<std::string> notes;
    const std::vector<InputSpikes> inputs = read_inputs(options.inputs, delayed.network, notes).spikes;
    for (const auto& layer : converters::check_delays(model, delayed, inputs).layers) {
        const auto count = [](std::uint64_t n) { return std::to_string(n); };
        notes.push_back(
            quoted(layer.name) + ": " + count(layer.spikes) + " spikes of the trainer; exact clock " +
            count(layer.exact_differ) + " others, stepped clock " + count(layer.stepped_differ) +
            " others; a test at the spike would have come early for " + count(layer.lifted) +
            " neurons that were lifted and " + count(layer.repeated) + " far above the threshold; " +
            count(layer.edge) + " spikes part the sample from one with silence around it.");
    }
    return notes;
}

/// A network that learnt in steps of time, as neurons and synapses.
void convert_to_delays(const Options& options) {
    const io::JsonArrays arrays = json_arrays_from(options.json_arrays);
    const std::string ending = fs::path(options.out).extension().string();
    const bool circuit = options.out.ends_with(circuit_ending) || options.out.ends_with(simulation_ending);
    if (circuit || (ending != ".nir" && ending != ".json"))
        throw UsageError(options.out + ": expected an ending .nir or .nir.json for --to-delays.");
    if (!options.tool.empty() && options.tool != "norse")
        throw UsageError("--tool: expected norse, found " + quoted(options.tool) +
                         ". Other tools have no neuron that does what a layer does.");
    if (!options.tool.empty() && !options.inputs.empty())
        throw UsageError("-i: clocks are compared without --tool. Leave one of them out.");
    const std::optional<converters::SurrogateModel> model = read_surrogate(options.in);
    if (!model)
        throw FileError::unexpected(options.in, "", "a network that saltus train surrogate has written",
                                    "another", "Its delays are in it already, if it has any.");
    if (!options.tool.empty()) {
        const io::NirDocument document = converters::nir_for_norse(*model);
        tell(options, document.notes);
        return write_document(options, document, arrays);
    }
    const converters::DelayedNetwork delayed = converters::delayed_network(*model);
    tell(options, delayed.notes);
    if (!options.inputs.empty()) tell(options, checked(options, *model, delayed));
    write_document(options, converters::nir_with_delays(delayed), arrays);
}

/// A simulation configuration, with its circuit and the spikes of its inputs beside it.
void convert_to_simulation(const Options& options, const std::string& prefix) {
    if (options.duration.empty())
        throw UsageError("-d: a simulation has a duration, as in -d 300ms. Say it, or write " + prefix +
                         std::string(circuit_ending) + ".");
    converters::Import import = network_of(options);
    const fs::path folder = fs::path(options.out).parent_path();
    io::SonataSimulation simulation{folder / (prefix + std::string(circuit_ending)),
                                    parse_duration(options.duration).seconds() * 1e3,
                                    {}};
    std::vector<InputSpikes> inputs = read_inputs(options.inputs, import.network, import.notes).spikes;
    if (!inputs.empty()) {
        std::vector<io::PopulationSpikes> spikes;
        for (InputSpikes& input : inputs) spikes.push_back({input.population, std::move(input.spikes)});
        simulation.inputs = {{"spikes", folder / (prefix + "inputs.h5")}};
        io::write_spikes(simulation.inputs[0].spikes, spikes);
    }
    tell(options, import.notes);
    io::write_sonata_circuit(simulation.circuit, converters::sonata_from_network(import.network));
    io::write_sonata_simulation(options.out, simulation);
}

void convert_network(const Options& options) {
    const io::JsonArrays arrays = json_arrays_from(options.json_arrays);
    const std::string name = fs::path(options.out).filename().string();
    if (name.ends_with(simulation_ending)) {
        return convert_to_simulation(options, name.substr(0, name.size() - simulation_ending.size()));
    }
    if (name.ends_with(circuit_ending)) {
        const converters::Import import = network_of(options);
        tell(options, import.notes);
        return io::write_sonata_circuit(options.out, converters::sonata_from_network(import.network));
    }
    const std::string ending = fs::path(options.out).extension().string();
    if (ending != ".nir" && ending != ".json") {
        throw UsageError(
            options.out +
            ": expected an ending .nir, .nir.json, circuit_config.json or simulation_config.json "
            "for a network, .h5, .nirdata, .npz or .csv for spikes, found " +
            quoted(ending) + ".");
    }
    if (io::is_recording(options.in) && fs::path(options.in).extension() != ".h5") {
        throw UsageError(options.in + " holds spikes, " + options.out +
                         " a network: expected a name for spikes, that ends in .h5, .nirdata, .npz or .csv.");
    }
    const io::NirDocument document = read_document(options.in, options.reading.sum_duplicate_edges());
    tell(options, document.notes);
    write_document(options, document, arrays);
}

void convert(const Options& options) {
    try {
        if (!options.tool.empty() && !options.to_delays)
            throw UsageError("--tool: it says for whom --to-delays writes. Say both.");
        if (options.to_delays) return convert_to_delays(options);
        io::is_recording(options.out) ? convert_spikes(options) : convert_network(options);
    } catch (const NetworkError& error) {
        throw LimitError(options.in + ": " + error.what());
    }
}

}  // namespace

void add_convert(CLI::App& app) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand("convert", "write a network or spikes in another format, by ending");
    verb->add_option(
            "IN", options->in,
            "network: .nir, .nir.json, SONATA configuration; spikes: .h5, .nirdata, .npz, .csv, .bin, .aedat")
        ->required();
    verb->add_option("OUT", options->out,
                     "network: .nir, .nir.json, [NAME_]circuit_config.json, [NAME_]simulation_config.json; "
                     "spikes: .h5 (SONATA), .nirdata, .npz, .csv")
        ->required();
    verb->add_option("--json-arrays", options->json_arrays,
                     "auto (lists up to 64 numbers), list (always), packed (always)");
    verb->add_option("--convention", options->convention,
                     "NIR to SONATA: what the file's numbers mean (nir)");
    verb->add_flag(
        "--to-delays", options->to_delays,
        "of a network that saltus train surrogate has written: neurons, and synapses with delays in "
        "place of kernels over time");
    verb->add_option("--tool", options->tool,
                     "with --to-delays: in nodes that this tool maps (norse), delays as chains of neurons");
    verb->add_option(
        "-i,--input", options->inputs,
        "spikes for the inputs of a simulation configuration; with --to-delays: a sample on which "
        "trainer and clocks are compared");
    verb->add_option("-d,--duration", options->duration,
                     "duration of a simulation configuration, as in 300ms");
    verb->add_option("--sample", options->sample, "take this sample of several, counted from 0")
        ->check(CLI::NonNegativeNumber);
    verb->add_flag("--drop-labels", options->drop_labels, "leave out the labels of samples");
    options->recordings.add_to(*verb);
    options->reading.add_to(*verb);
    verb->add_flag("-q,--quiet", options->quiet, "no notes");
    verb->footer(
        "Examples: saltus convert net.nir net.nir.json\n          saltus convert spikes.h5 spikes.csv\n"
        "          saltus convert trained.nir delays.nir --to-delays");
    verb->callback([options] { convert(*options); });
}

}  // namespace saltus::cli
