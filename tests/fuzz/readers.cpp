#include "readers.hpp"

#include <array>
#include <fstream>
#include <iterator>
#include <string>

#include "clocks.hpp"
#include "saltus/converters/convention.hpp"
#include "saltus/converters/nir.hpp"
#include "saltus/converters/sonata.hpp"
#include "saltus/engine/digest.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/checkpoint.hpp"
#include "saltus/io/idx.hpp"
#include "saltus/io/nir_data.hpp"
#include "saltus/io/nir_json.hpp"
#include "saltus/io/recordings.hpp"
#include "saltus/io/settings.hpp"
#include "saltus/io/spikes.hpp"
#include "saltus/io/training_checkpoint.hpp"
#include "unit/io/temporary_folder.hpp"

namespace saltus::fuzz {

namespace {

using Path = std::filesystem::path;

/// A file without faults must also become a network, or be refused.
void as_network(const io::NirDocument& document) {
    static_cast<void>(converters::traps_of(document));
    static_cast<void>(converters::network_from_nir(document));
}

/// A circuit one file of which is the one at `path`; the HDF5 file holds both nodes and edges.
void read_circuit(const Path& config) {
    static_cast<void>(converters::network_from_sonata(io::read_sonata_circuit(config)));
}

void read_sonata_elements(const Path& path) {
    test::write_bytes(path.parent_path() / "node_types.csv",
                      "node_type_id model_type model_template dynamics_params\n"
                      "0 virtual NULL NULL\n1 point_neuron nest:iaf_psc_exp NULL\n");
    test::write_bytes(path.parent_path() / "edge_types.csv", "edge_type_id delay syn_weight\n0 1.5 2.0\n");
    const std::string file = path.filename().string();
    const Path config = path.parent_path() / "circuit_config.json";
    test::write_bytes(config, R"({"networks": {"nodes": [{"nodes_file": ")" + file +
                                  R"(", "node_types_file": "node_types.csv"}], "edges": [{"edges_file": ")" +
                                  file + R"(", "edge_types_file": "edge_types.csv"}]}})");
    read_circuit(config);
}

/// Whatever the bytes are, with a seal that fits, so that what comes behind it is reached.
void seal(const Path& path) {
    std::string bytes;
    {
        std::ifstream file(path, std::ios::binary);
        bytes.assign(std::istreambuf_iterator<char>(file), {});
    }
    constexpr std::size_t piece = std::size_t{1} << 20;
    Digest digest;
    for (std::size_t begin = 0; begin < bytes.size(); begin += piece)
        digest.text(std::string_view(bytes).substr(begin, piece));
    std::string mark = "saltus\r\n";
    for (unsigned shift = 0; shift < 64; shift += 8)
        mark += static_cast<char>(digest.value() >> shift & 0xff);
    std::ofstream(path, std::ios::binary | std::ios::app) << mark;
}

void read_recordings(const Path& path) {
    std::vector<std::string> notes;
    io::RecordingOptions options;
    options.addresses.emplace();
    static_cast<void>(io::read_recordings(path, options, notes));
}

void read_any_spikes(const Path& path) {
    switch (io::spike_layout(path)) {
        case io::SpikeLayout::sonata:
            static_cast<void>(io::read_spikes(path));
            break;
        case io::SpikeLayout::batch:
            static_cast<void>(io::read_spike_batch(path));
            break;
        case io::SpikeLayout::camera:
            static_cast<void>(io::read_camera_recordings(path));
            break;
        case io::SpikeLayout::features:
            static_cast<void>(io::read_feature_table(path));
            break;
    }
}

constexpr std::array all{
    Reader{"nir", ".nir", [](const Path& path) { as_network(io::read_nir(path)); }},
    Reader{"json", ".nir.json", [](const Path& path) { as_network(io::read_nir_json(path)); }},
    Reader{"sonata", ".h5", read_sonata_elements},
    Reader{"sonata_config", ".json", read_circuit},
    Reader{"spikes", ".h5", read_any_spikes},
    Reader{"aer", ".bin", [](const Path& path) { static_cast<void>(io::read_aer(path)); }},
    Reader{"idx", ".idx", [](const Path& path) { static_cast<void>(io::read_idx(path)); }},
    Reader{"convention", ".json",
           [](const Path& path) { static_cast<void>(converters::convention(path.string())); }},
    Reader{"checkpoint", ".h5",
           [](const Path& path) {
               seal(path);
               static_cast<void>(io::read_checkpoint(path));
           }},
    Reader{"training", ".h5",
           [](const Path& path) {
               seal(path);
               static_cast<void>(io::read_training_checkpoint(path));
           }},
    Reader{"nirdata", ".nirdata", read_recordings},
    Reader{"npz", ".npz", read_recordings},
    Reader{"csv", ".csv", read_recordings},
    Reader{"aedat", ".aedat", read_recordings},
    Reader{"simulation", ".json",
           [](const Path& path) { static_cast<void>(io::read_sonata_simulation(path)); }},
    Reader{"exact_clock", ".choices", compare_schedules},
    Reader{"stepped_clock", ".choices", compare_with_plain_steps},
};

}  // namespace

std::span<const Reader> readers() {
    return all;
}

void answer(const Reader& reader, const std::filesystem::path& path) {
    try {
        reader.read(path);
    } catch (const Error&) {
        // refused, as it should be
    }
}

}  // namespace saltus::fuzz
