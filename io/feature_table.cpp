// Rows of numbers with a label each: /samples floating (rows, columns), /labels integer (rows).
#include "hdf5.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/spikes.hpp"

namespace saltus::io {

namespace {

constexpr std::uint64_t max_bytes = std::uint64_t{1} << 32;

}  // namespace

FeatureTable read_feature_table(const std::filesystem::path& path) {
    const hdf5::File file = hdf5::File::open(path);
    const hdf5::Group root = file.root();
    const hdf5::Dataset samples = root.dataset("samples");
    const hdf5::Dataset labels = root.dataset("labels");
    if (samples.shape().size() != 2 || samples.shape()[1] == 0 || samples.shape()[1] > (1u << 24)) {
        throw samples.error("expected a table of samples and columns, found shape " +
                            hdf5::to_string(samples.shape()) + ".");
    }
    if (labels.shape() != std::vector<std::uint64_t>{samples.shape()[0]}) {
        throw labels.error("expected " + std::to_string(samples.shape()[0]) +
                           " labels, one for each sample, found shape " + hdf5::to_string(labels.shape()) +
                           ".");
    }
    FeatureTable table;
    table.columns = static_cast<std::uint32_t>(samples.shape()[1]);
    table.values = samples.read<double>(max_bytes);
    table.labels = labels.read<std::int64_t>(max_bytes);
    return table;
}

}  // namespace saltus::io
