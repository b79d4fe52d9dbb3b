#include "camera.hpp"

#include <memory>
#include <utility>

#include "labels.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus::datasets {

SpikeTrain spikes_of(std::span<const io::CameraEvent> events, const Frame& frame, const std::string& path) {
    SpikeTrain spikes;
    spikes.reserve(events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
        const io::CameraEvent& event = events[i];
        if (event.x >= frame.width || event.y >= frame.height) {
            throw FileError::unexpected(
                path, "event " + std::to_string(i),
                "a pixel within " + std::to_string(frame.width) + " x " + std::to_string(frame.height),
                "x = " + std::to_string(event.x) + ", y = " + std::to_string(event.y));
        }
        const std::uint32_t polarity = event.on ? 1 : 0;
        spikes.add(event.time, (polarity * frame.height + event.y) * frame.width + event.x);
    }
    spikes.sort();
    return spikes;
}

Dataset open_camera_recordings(const std::filesystem::path& path, const std::string& split) {
    auto recordings = std::make_shared<const io::CameraRecordings>(io::read_camera_recordings(path));
    if (!split.empty() && recordings->test.empty()) {
        throw UsageError(path.string() + " has no part " + saltus::quoted(split) +
                         ": it has no flags /test. Leave the split out.");
    }
    std::vector<std::uint64_t> chosen;
    for (std::uint64_t k = 0; k < recordings->labels.size(); ++k) {
        check_label(recordings->labels[k], path.string(), "'/label', entry " + std::to_string(k));
        if (split.empty() || (recordings->test[k] == 1) == (split == "test")) chosen.push_back(k);
    }

    const Frame frame{recordings->width, recordings->height};
    Dataset dataset;
    dataset.name = "camera recordings";
    dataset.shape = frame.shape();
    dataset.size = chosen.size();
    dataset.classes = numbered_classes(recordings->labels);
    dataset.sample = [recordings, frame, file = path.string(), chosen = std::move(chosen)](std::uint64_t i) {
        check_index(i, chosen.size());
        const std::uint64_t k = chosen[i];
        const std::uint64_t first = recordings->offsets[k];
        const std::span<const io::CameraEvent> events(recordings->events.data() + first,
                                                      recordings->offsets[k + 1] - first);
        return Sample{std::to_string(k), spikes_of(events, frame, file), recordings->labels[k]};
    };
    return dataset;
}

}  // namespace saltus::datasets
