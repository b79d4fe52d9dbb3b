#include "inspect_dataset.hpp"

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <vector>

#include "console.hpp"
#include "saltus/datasets/dataset.hpp"

namespace saltus::cli {

namespace {

using Facts = std::vector<std::vector<std::string>>;
using nlohmann::ordered_json;

struct Contents {
    std::vector<std::string> classes;
    std::vector<std::uint64_t> counts;  // of each class
    std::uint64_t samples = 0;
    ordered_json json;
    Facts facts;

    void count(std::uint64_t label) {
        ++counts[label];
        ++samples;
    }
};

Contents sound(const std::string& path, const std::string& split, const datasets::FrameOptions& options) {
    const auto set = datasets::open_frames(path, split, options);
    const learning::FrameLayout& layout = set->layout();
    Contents c{layout.classes, std::vector<std::uint64_t>(layout.classes.size()), 0, {}, {}};
    for (const std::uint32_t label : set->labels()) c.count(label);
    c.facts = {{"kind", "sound"},
               {"frames", std::to_string(layout.steps) + " of " + to_string(layout.dt)},
               {"shape of a frame", to_string(layout.shape)}};
    c.json = {
        {"kind", "sound"}, {"frames", layout.steps}, {"dt_s", layout.dt.seconds()}, {"shape", layout.shape}};
    return c;
}

Contents spikes(const std::string& path, const std::string& split, const datasets::FrameOptions& options) {
    const datasets::Dataset set = datasets::open_dataset(path, split, options.encoding);
    Contents c{set.classes, std::vector<std::uint64_t>(set.classes.size()), 0, {}, {}};
    std::uint64_t total = 0;
    Time last;
    for (std::uint64_t i = 0; i < set.size; ++i) {
        const datasets::Sample sample = set.sample(i);
        c.count(static_cast<std::uint64_t>(sample.label));
        total += sample.spikes.size();
        if (!sample.spikes.empty()) last = std::max(last, sample.spikes.times.back());
    }
    const double mean = c.samples == 0 ? 0.0 : static_cast<double>(total) / static_cast<double>(c.samples);
    c.facts = {{"kind", set.name},
               {"shape", to_string(set.shape)},
               {"spikes a sample", short_number(mean)},
               {"last spike", to_string(last.since_start())}};
    c.json = {{"kind", set.name},
              {"shape", set.shape},
              {"spikes_per_sample", mean},
              {"last_spike_s", last.since_start().seconds()}};
    return c;
}

}  // namespace

void inspect_dataset(const std::string& path, const std::string& split, const datasets::FrameOptions& options,
                     bool json) {
    Contents c = datasets::is_sound(path) ? sound(path, split, options) : spikes(path, split, options);
    if (json) {
        c.json["samples"] = c.samples;
        c.json["classes"] = ordered_json::object();
        for (std::size_t k = 0; k < c.classes.size(); ++k) c.json["classes"][c.classes[k]] = c.counts[k];
        std::cout << c.json.dump() << "\n";
        return;
    }
    c.facts.insert(c.facts.begin(), {"data set", path + (split.empty() ? "" : ", part " + split)});
    c.facts.push_back({"samples", with_commas(c.samples)});
    Facts classes{{"class", "samples"}};
    for (std::size_t k = 0; k < c.classes.size(); ++k)
        classes.push_back({c.classes[k], with_commas(c.counts[k])});
    std::cout << table(c.facts) << "\n" << table(classes);
}

}  // namespace saltus::cli
