#include "reading.hpp"

#include <filesystem>

#include "saltus/converters/sonata.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/nir_json.hpp"
#include "saltus/io/sonata_network.hpp"
#include "shared/surrogate_layers.hpp"

namespace saltus::cli {

void ReadingOptions::add_to(CLI::App& app) {
    if (has_clock_) {
        app.add_option("--clock", clock_, "exact, or stepped (integer is not built yet)");
        app.add_option(
            "--convention", convention_,
            "what the tool that wrote the file means by it: nir, norse, snntorch, sinabs, spikingjelly, "
            "rockpool, lava-dl, nengo, jaxsnn, brian2, nest, s2net, or a file of your own that ends in .json "
            "(default: what the file's own metadata say; else nir for the exact clock, and a guess from "
            "the file for the stepped one)");
    }
    app.add_option("--time-unit", time_unit_, "unit of the file's time constants and delays: s, ms, steps");
    app.add_option("--spike-area", spike_area_, "what a spike weighs: unit, step, jump");
    app.add_option("--reset", reset_, "v_reset, zero, subtract, subtract_repeated, none");
    app.add_option("--dt", dt_, "length of one step, as in 1ms");
    app.add_option("--recurrent-delay", recurrent_delay_,
                   "delay inserted into cycles that have none, as in 1ms");
    app.add_option("--t-ref", t_ref_, "refractory period of every spiking neuron, as in 2ms");
    app.add_flag("--sum-duplicate-edges", sum_duplicate_edges_, "let an edge that stands twice count twice");
}

converters::NirReading ReadingOptions::reading() const {
    if (clock_ == "integer") throw LimitError("clock 'integer' is not built yet; exact and stepped are.");
    if (clock_ != "exact" && clock_ != "stepped")
        throw UsageError("--clock: expected exact, stepped or integer, found " + quoted(clock_) + ".");
    converters::NirReading reading;
    if (steps()) reading.clock = converters::Clock::stepped;
    if (!convention_.empty()) reading.convention = convention_;
    if (!time_unit_.empty()) reading.time_unit = converters::time_unit_from(time_unit_);
    if (!spike_area_.empty()) reading.spike_area = converters::spike_area_from(spike_area_);
    if (!reset_.empty()) reading.reset = converters::reset_rule_from(reset_);
    if (!dt_.empty()) reading.dt = parse_duration(dt_);
    if (!recurrent_delay_.empty()) reading.recurrent_delay = parse_duration(recurrent_delay_);
    if (!t_ref_.empty()) reading.t_ref = parse_duration(t_ref_);
    return reading;
}

namespace {

bool is_sonata(const std::string& path) {
    return std::filesystem::path(path).extension() == ".json" && io::is_sonata_config(path);
}

}  // namespace

io::NirDocument read_document(const std::string& path, bool sum_duplicate_edges) {
    if (is_sonata(path)) return converters::nir_from_network(read_network(path, ReadingOptions()).network);
    const io::NirReadOptions options{sum_duplicate_edges};
    if (std::filesystem::path(path).extension() == ".json") return io::read_nir_json(path, options);
    return io::read_nir(path, options);
}

converters::Import read_network(const std::string& path, const ReadingOptions& options) {
    return read_network(path, options, options.reading());
}

converters::Import read_network(const std::string& path, const ReadingOptions& options,
                                const converters::NirReading& reading) {
    try {
        if (!is_sonata(path)) {
            const io::NirDocument document = read_document(path, options.sum_duplicate_edges());
            return converters::network_from_nir(document, reading);
        }
        const io::SonataCircuit circuit = io::read_sonata_circuit(path);
        if (reading.clock == converters::Clock::exact)
            return converters::network_from_sonata(circuit, reading.recurrent_delay);
        converters::Import import = converters::network_from_sonata(circuit);
        converters::Import stepped = converters::network_for_steps(import.network, reading);
        stepped.notes.insert(stepped.notes.begin(), import.notes.begin(), import.notes.end());
        return stepped;
    } catch (const NetworkError& error) {
        throw LimitError(path + ": " + error.what());
    }
}

std::optional<converters::SurrogateModel> read_surrogate(const std::string& path) {
    if (plugins::read_layers(path)) {
        throw FileError::unexpected(path, "", "a trained network", "a description of layers",
                                    "Train it: saltus train surrogate DATASET --network " + path);
    }
    try {
        return converters::surrogate_model_of(read_document(path, false));
    } catch (const UsageError& error) {
        throw FileError(path, "", error.what());
    }
}

}  // namespace saltus::cli
