#include "saltus/datasets/dataset.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "camera.hpp"
#include "images.hpp"
#include "labels.hpp"
#include "saltus/datasets/frames.hpp"
#include "saltus/datasets/yin_yang.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/recordings.hpp"
#include "saltus/io/spikes.hpp"
#include "touch_recordings.hpp"

namespace saltus::datasets {

namespace {

Dataset open_spike_batch(const std::filesystem::path& path, const std::string& split) {
    if (!split.empty()) {
        throw UsageError(path.string() + " has no part " + saltus::quoted(split) +
                         ": each part of a data set in the SHD layout is a file of its own. Name that file.");
    }
    auto batch = std::make_shared<const io::SpikeBatch>(io::read_spike_batch(path));
    for (std::size_t k = 0; k < batch->labels.size(); ++k) {
        check_label(batch->labels[k], path.string(), "'/labels', entry " + std::to_string(k));
    }
    Dataset dataset;
    dataset.name = "SHD layout";
    dataset.shape = {batch->units};
    dataset.size = batch->samples.size();
    dataset.classes = numbered_classes(batch->labels);
    if (!batch->classes.empty()) {
        if (batch->classes.size() < dataset.classes.size()) {
            throw FileError::unexpected(path.string(), "'/extra/keys'",
                                        "a name for each label, " + std::to_string(dataset.classes.size()),
                                        std::to_string(batch->classes.size()));
        }
        dataset.classes = batch->classes;
    }
    dataset.sample = [batch](std::uint64_t i) {
        check_index(i, batch->samples.size());
        return Sample{std::to_string(i), batch->samples[i], batch->labels[i]};
    };
    return dataset;
}

}  // namespace

void check_label(std::int64_t label, const std::string& path, const std::string& where) {
    if (label < 0 || label > largest_label) {
        throw FileError::unexpected(path, where, "a label from 0 to " + std::to_string(largest_label),
                                    std::to_string(label));
    }
}

std::vector<std::string> numbered_classes(const std::vector<std::int64_t>& labels) {
    std::vector<std::string> classes;
    if (labels.empty()) return classes;
    const std::int64_t largest = *std::max_element(labels.begin(), labels.end());
    for (std::int64_t label = 0; label <= largest; ++label) classes.push_back(std::to_string(label));
    return classes;
}

void check_index(std::uint64_t index, std::uint64_t size) {
    if (index >= size) {
        throw UsageError("sample " + std::to_string(index) + ": the data set has " + std::to_string(size) +
                         " samples, counted from 0.");
    }
}

namespace {

Dataset open_features(const std::filesystem::path& path, const std::string& split) {
    if (!split.empty()) {
        throw UsageError(path.string() + " has no part " + saltus::quoted(split) +
                         ": each part is a file of its own. Name that file.");
    }
    io::FeatureTable table = io::read_feature_table(path);
    for (std::size_t k = 0; k < table.labels.size(); ++k) {
        check_label(table.labels[k], path.string(), "'/labels', entry " + std::to_string(k));
    }
    return feature_dataset(path.string(), table.columns, std::move(table.values), std::move(table.labels),
                           {});
}

}  // namespace

Dataset open_dataset(const std::filesystem::path& path, const std::string& split, const Encoding& encoding) {
    std::error_code error;
    const bool exists = std::filesystem::exists(path, error);
    if (!exists && path == "yin-yang") return open_yin_yang(split);
    constexpr std::array<std::string_view, 2> splits{"train", "test"};
    if (!split.empty() && std::find(splits.begin(), splits.end(), split) == splits.end()) {
        throw UsageError("split: expected train or test, found " + saltus::quoted(split) + "." +
                         did_you_mean(split, splits));
    }
    if (is_sound(path)) {
        throw FileError::unexpected(path.string(), "", "spikes, events or images", "sound",
                                    "It is opened as frames, for networks in discrete time.");
    }
    if (std::filesystem::is_directory(path, error)) {
        return is_image_folder(path) ? open_images(path, split, encoding) : open_camera_folder(path, split);
    }
    if (exists && is_image_file(path)) return open_images(path, split, encoding);
    if (io::recording_layout(path) == io::RecordingLayout::touch) return open_touch_recordings(path, split);
    switch (io::spike_layout(path)) {
        case io::SpikeLayout::batch:
            return open_spike_batch(path, split);
        case io::SpikeLayout::camera:
            return open_camera_recordings(path, split);
        case io::SpikeLayout::features:
            return open_features(path, split);
        case io::SpikeLayout::sonata:
            break;
    }
    throw FileError::unexpected(path.string(), "", "labelled samples (SHD layout or camera recordings)",
                                "a SONATA spike file, which has no labels");
}

bool is_dataset(const std::filesystem::path& path) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) return true;
    if (!std::filesystem::exists(path, error)) return path == "yin-yang";
    if (is_image_file(path)) return true;
    const std::filesystem::path ending = path.extension();
    return (ending == ".h5" || ending == ".hdf5") && io::holds_samples(path);
}

}  // namespace saltus::datasets
