// saltus convert IN OUT: the same document in another form, by ending.
#include <filesystem>
#include <iostream>
#include <memory>

#include "commands.hpp"
#include "console.hpp"
#include "reading.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/nir_json.hpp"

namespace saltus::cli {

namespace {

struct Options {
    std::string in;
    std::string out;
    std::string json_arrays = "auto";
    bool sum_duplicate_edges = false;
    bool quiet = false;
};

io::JsonArrays json_arrays_from(const std::string& name) {
    if (name == "auto") return io::JsonArrays::automatic;
    if (name == "list") return io::JsonArrays::list;
    if (name == "packed") return io::JsonArrays::packed;
    throw UsageError("--json-arrays: expected auto, list or packed, found " + quoted(name) + ".");
}

void convert(const Options& options) {
    const io::JsonArrays arrays = json_arrays_from(options.json_arrays);
    const std::string ending = std::filesystem::path(options.out).extension().string();
    if (ending != ".nir" && ending != ".json") {
        throw UsageError(options.out + ": expected an ending .nir or .nir.json, found " + quoted(ending) +
                         "; other formats are not built yet.");
    }
    const io::NirDocument document = read_document(options.in, options.sum_duplicate_edges);
    if (!options.quiet) print_notes(document.notes);
    if (ending == ".nir") {
        io::write_nir(document, options.out);
    } else {
        io::write_nir_json(document, options.out, arrays);
    }
}

}  // namespace

void add_convert(CLI::App& app) {
    auto options = std::make_shared<Options>();
    CLI::App* verb = app.add_subcommand("convert", "write a network in another format, by ending");
    verb->add_option("IN", options->in, ".nir or .nir.json")->required();
    verb->add_option("OUT", options->out, ".nir or .nir.json")->required();
    verb->add_option("--json-arrays", options->json_arrays,
                     "auto (lists up to 64 numbers), list (always), packed (always)");
    verb->add_flag("--sum-duplicate-edges", options->sum_duplicate_edges, "accept edges that stand twice");
    verb->add_flag("-q,--quiet", options->quiet, "no notes");
    verb->footer("Example: saltus convert net.nir net.nir.json");
    verb->callback([options] { convert(*options); });
}

}  // namespace saltus::cli
