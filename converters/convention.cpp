#include "saltus/converters/convention.hpp"

#include <algorithm>
#include <array>

#include "saltus/engine/errors.hpp"
#include "stepping.hpp"

namespace saltus::converters {

namespace {

constexpr Duration tenth_of_a_millisecond{100'000'000'000};
constexpr Duration millisecond{1'000'000'000'000};
constexpr Duration ten_milliseconds{10'000'000'000'000};

std::vector<Convention> exact_readings() {
    return {
        {.name = "nir"},
        {.name = "norse",
         .spike_area = SpikeArea::step,
         .reset = ResetRule::zero,
         .dt = millisecond,
         .if_jumps_by_w = true,
         .lif_ignores_r = true,
         .current_rests_at_v_leak = true,
         .start = Convention::Start::v_leak},
        {.name = "snntorch",
         .spike_area = SpikeArea::step,
         .reset = ResetRule::zero,
         .if_reset = ResetRule::subtract,
         .dt = tenth_of_a_millisecond,
         .if_jumps_by_w = true},
        {.name = "sinabs",
         .time_unit = TimeUnit::steps,
         .spike_area = SpikeArea::jump,
         .reset = ResetRule::subtract_repeated,
         .dt = millisecond,
         .if_jumps_by_w = true},
        {.name = "spikingjelly",
         .spike_area = SpikeArea::step,
         .dt = tenth_of_a_millisecond,
         .start = Convention::Start::v_reset},
        {.name = "rockpool",
         .spike_area = SpikeArea::jump,
         .reset = ResetRule::subtract_repeated,
         .dt = millisecond,
         .if_jumps_by_w = true,
         .cuba_current_adds_to_v = true},
        {.name = "lava-dl",
         .spike_area = SpikeArea::step,
         .reset = ResetRule::zero,
         .dt = tenth_of_a_millisecond},
        {.name = "jaxsnn",
         .time_unit = TimeUnit::milliseconds,
         .spike_area = SpikeArea::jump,
         .dt = millisecond,
         .if_jumps_by_w = true,
         .lif_ignores_r = true,
         .cuba_ignores_r = true,
         .ignores_v_leak = true},
        {.name = "nengo",
         .dt = millisecond,
         .not_exact = "its LIF sends spikes of height 1/dt and its CubaLIF is one step late, which the exact "
                      "clock does not "
                      "follow."},
        {.name = "brian2", .spike_area = SpikeArea::jump, .dt = tenth_of_a_millisecond},
        {.name = "nest", .spike_area = SpikeArea::jump, .dt = tenth_of_a_millisecond},
        {.name = "s2net",
         .spike_area = SpikeArea::jump,
         .reset = ResetRule::none,
         .dt = ten_milliseconds,
         .start = Convention::Start::v_leak},
    };
}

Convention like(const std::vector<Convention>& known, std::string_view name, std::string_view other) {
    Convention c = *std::find_if(known.begin(), known.end(), [&](const auto& k) { return k.name == other; });
    c.name = name;
    return c;
}

const std::vector<Convention>& conventions() {
    static const std::vector<Convention> all = [] {
        std::vector<Convention> known = exact_readings();
        known.push_back(like(known, "snntorch-native", "snntorch"));
        known.back().reset = ResetRule::subtract;
        known.push_back(like(known, "sinabs-norm", "sinabs"));
        known.back().not_exact = "it scales the input by 1 - exp(-1/tau). Use sinabs.";
        known.push_back(like(known, "rockpool-native", "rockpool"));
        for (Convention& c : known) c.stepped = stepping_of(c.name);
        return known;
    }();
    return all;
}

template <class Value, std::size_t n>
Value named(std::string_view what, std::string_view name,
            const std::array<std::pair<std::string_view, Value>, n>& known) {
    std::vector<std::string> names;
    std::string list;
    for (const auto& [key, value] : known) {
        if (key == name) return value;
        names.emplace_back(key);
        list += (list.empty() ? "" : ", ") + names.back();
    }
    throw UsageError(std::string(what) + ": expected one of " + list + ", found " + quoted(name) + "." +
                     did_you_mean(name, names));
}

}  // namespace

Convention convention(const std::string& name) {
    if (name.size() > 5 && name.compare(name.size() - 5, 5, ".json") == 0) return convention_from_file(name);
    const auto found = std::find_if(conventions().begin(), conventions().end(),
                                    [&](const Convention& c) { return c.name == name; });
    if (found != conventions().end()) return *found;
    const std::vector<std::string> names = convention_names();
    std::string list;
    for (const std::string& known : names) list += (list.empty() ? "" : ", ") + known;
    throw UsageError("convention: expected one of " + list + ", or a file that ends in .json, found " +
                     quoted(name) + "." + did_you_mean(name, names));
}

std::vector<std::string> convention_names() {
    std::vector<std::string> names;
    for (const Convention& c : conventions()) names.emplace_back(c.name);
    return names;
}

TimeUnit time_unit_from(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, TimeUnit>, 3> known{
        {{"s", TimeUnit::seconds}, {"ms", TimeUnit::milliseconds}, {"steps", TimeUnit::steps}}};
    return named("time unit", name, known);
}

SpikeArea spike_area_from(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, SpikeArea>, 3> known{
        {{"unit", SpikeArea::unit}, {"step", SpikeArea::step}, {"jump", SpikeArea::jump}}};
    return named("spike area", name, known);
}

ResetRule reset_rule_from(std::string_view name) {
    static constexpr std::array<std::pair<std::string_view, ResetRule>, 5> known{
        {{"v_reset", ResetRule::v_reset},
         {"zero", ResetRule::zero},
         {"subtract", ResetRule::subtract},
         {"subtract_repeated", ResetRule::subtract_repeated},
         {"none", ResetRule::none}}};
    return named("reset", name, known);
}

}  // namespace saltus::converters
