// A report as one HTML file: no script, nothing fetched, light and dark as the reader's system asks, readable
// when printed and for the colour-blind. Every string is text, never markup.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "saltus/engine/spike_train.hpp"

namespace saltus::io {

/// What a run was and what came out: (name, value), one line each.
struct KeyValues {
    std::vector<std::pair<std::string, std::string>> rows;
};

struct Table {
    std::vector<std::string> columns;
    std::vector<std::vector<std::string>> rows;  // each as long as `columns`
};

/// counts[i * classes + j]: samples of class i that were taken for class j.
struct ConfusionMatrix {
    std::vector<std::string> classes;
    std::vector<std::uint64_t> counts;
};

/// Spikes over time, one panel per population. Where there are more than `max_spikes`, every n-th is drawn,
/// and the page says so.
struct Raster {
    struct Panel {
        std::string population;
        std::uint64_t neurons = 0;
        SpikeTrain spikes;
    };
    std::vector<Panel> panels;
    Duration duration;  // end of the time axis; spikes later than that extend it
    std::uint64_t max_spikes = 20'000;
};

/// Lines through points, such as training curves. A value that is not finite leaves a gap, and the page says
/// so.
struct LinePlot {
    struct Series {
        std::string name;
        std::vector<double> x;
        std::vector<double> y;
    };
    std::string x_label;
    std::string y_label;
    std::vector<Series> series;
};

/// Bar i reaches from edges[i] to edges[i + 1]; one more edge than counts, rising.
struct Histogram {
    std::string x_label;
    std::string y_label;
    std::vector<double> edges;
    std::vector<std::uint64_t> counts;
};

struct Section {
    std::string title;
    std::variant<KeyValues, Table, ConfusionMatrix, Raster, LinePlot, Histogram> content;
    std::string text = {};  // a paragraph above the content; may be empty
};

struct Report {
    std::string title;
    std::vector<Section> sections;
};

/// The page. Throws UsageError where the parts of a section do not fit together (lengths, neuron indices,
/// edges).
[[nodiscard]] std::string report_html(const Report& report);

/// Writes the page; the file appears whole or not at all. Throws FileError.
void write_report(const std::filesystem::path& path, const Report& report);

}  // namespace saltus::io
