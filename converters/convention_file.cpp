// Conventions as JSON files. Every value has a name here, and nowhere else.
#include <algorithm>
#include <array>
#include <functional>
#include <string_view>

#include "saltus/converters/convention.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/io/settings.hpp"

namespace saltus::converters {

namespace {

using namespace stepped;

template <class E>
struct Named {
    std::string_view name;
    E value;
};
template <class E>
Named(std::string_view, E) -> Named<E>;  // clang 14 does not deduce it for an aggregate

constexpr std::array precisions{Named{"float32", Precision::float32}, Named{"float64", Precision::float64}};
constexpr std::array orders{Named{"after_sources", NodeOrder::after_sources},
                            Named{"depth_first", NodeOrder::depth_first}};
constexpr std::array recurrences{Named{"last_output", Recurrence::last_output},
                                 Named{"last_spikes", Recurrence::last_spikes},
                                 Named{"nested_only", Recurrence::nested_only}};
constexpr std::array currents{Named{"relax", Current::relax}, Named{"decay", Current::decay},
                              Named{"add_then_decay", Current::add_then_decay},
                              Named{"use_then_decay", Current::use_then_decay},
                              Named{"low_pass", Current::low_pass}};
constexpr std::array membranes{Named{"relax", Membrane::relax},
                               Named{"relax_by_division", Membrane::relax_by_division},
                               Named{"decay", Membrane::decay},
                               Named{"decay_by_division", Membrane::decay_by_division},
                               Named{"substep", Membrane::substep},
                               Named{"fixed_point", Membrane::fixed_point},
                               Named{"closed_form", Membrane::closed_form}};
constexpr std::array leaks{Named{"quotient", Leak::quotient}, Named{"reciprocal", Leak::reciprocal},
                           Named{"in_double", Leak::in_double}, Named{"exponential", Leak::exponential}};
constexpr std::array resistances{Named{"ignored", Resistance::ignored},
                                 Named{"multiplies", Resistance::multiplies},
                                 Named{"scales_threshold", Resistance::scales_threshold},
                                 Named{"tau_over_dt", Resistance::tau_over_dt},
                                 Named{"one", Resistance::one},
                                 Named{"one_or_tau_over_dt", Resistance::one_or_tau_over_dt},
                                 Named{"sets_step", Resistance::sets_step},
                                 Named{"one_over_dt", Resistance::one_over_dt}};
constexpr std::array gains{Named{"ignored", InputGain::ignored}, Named{"multiplies", InputGain::multiplies},
                           Named{"scales_threshold", InputGain::scales_threshold},
                           Named{"tau_syn_over_dt", InputGain::tau_syn_over_dt}};
constexpr std::array rests{Named{"v_leak", Rest::E_L}, Named{"v_reset", Rest::V_reset},
                           Named{"must_be_zero", Rest::must_be_zero}, Named{"zero", Rest::zero},
                           Named{"added", Rest::added}};
constexpr std::array resets{Named{"zero", Reset::to_zero}, Named{"v_reset", Reset::to_V_reset},
                            Named{"subtract", Reset::subtract}};
constexpr std::array reset_times{
    Named{"same_step", ResetTime::same_step}, Named{"next_step_first", ResetTime::next_step_first},
    Named{"next_step", ResetTime::next_step}, Named{"before_and_after", ResetTime::before_and_after}};
constexpr std::array floors{Named{"none", Floor::none}, Named{"minus_threshold", Floor::minus_threshold},
                            Named{"zero", Floor::zero}};
constexpr std::array starts{Named{"zero", Start::zero}, Named{"v_leak", Start::E_L},
                            Named{"v_reset", Start::V_reset}, Named{"initial", Start::V_0}};
constexpr std::array arrivals{Named{"before_test", Arrival::before_test},
                              Named{"after_test", Arrival::after_test}};
constexpr std::array shares{Named{"nothing", Shared::nothing}, Named{"threshold", Shared::threshold},
                            Named{"all_but_threshold", Shared::all_but_threshold},
                            Named{"everything", Shared::everything}};
constexpr std::array time_units{Named{"s", TimeUnit::seconds}, Named{"ms", TimeUnit::milliseconds},
                                Named{"steps", TimeUnit::steps}};
constexpr std::array spike_areas{Named{"unit", SpikeArea::unit}, Named{"step", SpikeArea::step},
                                 Named{"jump", SpikeArea::jump}};
constexpr std::array reset_rules{Named{"v_reset", ResetRule::v_reset}, Named{"zero", ResetRule::zero},
                                 Named{"subtract", ResetRule::subtract},
                                 Named{"subtract_repeated", ResetRule::subtract_repeated},
                                 Named{"none", ResetRule::none}};
constexpr std::array fires{Named{"above", false}, Named{"at_threshold", true}};
constexpr std::array spikes_a_step{Named{"one", false}, Named{"many", true}};
constexpr std::array current_rests{Named{"zero", false}, Named{"v_leak", true}};
constexpr std::array input_scales{Named{"one", false}, Named{"leak", true}};
constexpr std::array heights{Named{"one", false}, Named{"one_over_dt", true}};
constexpr std::array potential_units{Named{"as_in_file", false}, Named{"thresholds", true}};
constexpr std::array records{Named{"after_reset", false}, Named{"before_reset", true}};
constexpr std::array shortest_delays{Named{"none", false}, Named{"step", true}};

/// Reads one file: every key is looked up in a list of what it may set.
class Reader {
  public:
    explicit Reader(const std::string& path) : path_(path) {}

    struct Key {
        std::string_view name;
        std::function<void(const io::Setting&, const std::string& place)> set;
    };

    void read(const io::Settings& settings, const std::string& place, const std::vector<Key>& keys) const {
        for (const auto& [name, value] : settings.entries) {
            const auto key =
                std::find_if(keys.begin(), keys.end(), [&, &n = name](const Key& k) { return k.name == n; });
            if (key == keys.end()) {
                std::vector<std::string> names;
                for (const Key& k : keys) names.emplace_back(k.name);
                const std::string near = did_you_mean(name, names);
                throw FileError(
                    path_, place + name,
                    "no such setting." + (near.empty() ? " There are " + listed(names) + "." : near));
            }
            key->set(value, place + name);
        }
    }

    template <class E, std::size_t n>
    [[nodiscard]] Key choice(std::string_view name, E& target, const std::array<Named<E>, n>& known) const {
        return {name, [this, &target, &known](const io::Setting& value, const std::string& place) {
                    std::vector<std::string> names;
                    const auto* text = std::get_if<std::string>(&value);
                    for (const Named<E>& entry : known) {
                        if (text && *text == entry.name) {
                            target = entry.value;
                            return;
                        }
                        names.emplace_back(entry.name);
                    }
                    throw FileError::unexpected(path_, place, "one of " + listed(names), io::kind_of(value));
                }};
    }
    [[nodiscard]] Key number(std::string_view name, double& target) const {
        return {name, [this, &target](const io::Setting& value, const std::string& place) {
                    const auto* x = std::get_if<double>(&value);
                    if (!x) throw FileError::unexpected(path_, place, "a number", io::kind_of(value));
                    target = *x;
                }};
    }
    [[nodiscard]] Key object(std::string_view name,
                             std::function<void(const io::Settings&, const std::string&)> f) const {
        return {name, [this, f = std::move(f)](const io::Setting& value, const std::string& place) {
                    const auto* settings = std::get_if<io::Settings>(&value);
                    if (!settings) throw FileError::unexpected(path_, place, "an object", io::kind_of(value));
                    f(*settings, place + ".");
                }};
    }
    [[nodiscard]] const std::string& text(const io::Setting& value, const std::string& place) const {
        const auto* x = std::get_if<std::string>(&value);
        if (!x) throw FileError::unexpected(path_, place, "a string", io::kind_of(value));
        return *x;
    }
    [[nodiscard]] const std::string& path() const { return path_; }

    [[nodiscard]] static std::string listed(const std::vector<std::string>& names) {
        std::string list;
        for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
        return list;
    }

  private:
    std::string path_;
};

std::vector<Reader::Key> keys_of(const Reader& r, NeuronRule& rule) {
    return {
        r.choice("current", rule.current, currents),
        r.choice("membrane", rule.membrane, membranes),
        r.choice("leak", rule.leak, leaks),
        r.number("retention", rule.retention),
        r.choice("r", rule.R, resistances),
        r.choice("w_in", rule.w_in, gains),
        r.number("input_gain", rule.input_gain),
        r.choice("input_times", rule.input_times_leak, input_scales),
        r.choice("rest", rule.rest, rests),
        r.choice("current_rest", rule.current_rests_at_E_L, current_rests),
        r.choice("potential_unit", rule.in_thresholds, potential_units),
        r.choice("fires", rule.fires_at_threshold, fires),
        r.choice("spikes_a_step", rule.counts, spikes_a_step),
        r.choice("spike_height", rule.height_per_second, heights),
        r.choice("reset", rule.reset, resets),
        r.choice("reset_time", rule.reset_time, reset_times),
        r.choice("floor", rule.floor, floors),
        r.choice("start", rule.start, starts),
        r.choice("shared", rule.shared, shares),
        r.choice("arrival", rule.arrival, arrivals),
        r.choice("record", rule.record_before_reset, records),
    };
}

std::vector<Reader::Key> keys_of(const Reader& r, Convention& c, Stepping& s) {
    const auto neurons = [&r](std::vector<NeuronRule*> rules) {
        return [&r, rules = std::move(rules)](const io::Settings& settings, const std::string& place) {
            for (NeuronRule* rule : rules) r.read(settings, place, keys_of(r, *rule));
        };
    };
    SteppedRules& rules = s.rules;
    return {
        {"name", [&](const io::Setting& value, const std::string& place) { c.name = r.text(value, place); }},
        {"like", [&](const io::Setting& value,
                     const std::string& place) { static_cast<void>(r.text(value, place)); }},
        {"dt",
         [&](const io::Setting& value, const std::string& place) {
             try {
                 c.dt = parse_duration(r.text(value, place));
             } catch (const UsageError& error) {
                 throw FileError(r.path(), place, error.what());
             }
             if (c.dt <= Duration()) throw FileError::unexpected(r.path(), place, "> 0", to_string(c.dt));
         }},
        {"nodes",
         [&](const io::Setting& value, const std::string& place) {
             const auto* list = std::get_if<std::vector<std::string>>(&value);
             if (!list)
                 throw FileError::unexpected(r.path(), place, "a list of node types", io::kind_of(value));
             s.nodes = *list;
         }},
        r.choice("time_unit", c.time_unit, time_units),
        r.choice("spike_area", c.spike_area, spike_areas),
        r.choice("exact_reset", c.reset, reset_rules),
        r.choice("precision", rules.precision, precisions),
        r.choice("order", s.order, orders),
        r.choice("recurrence", s.recurrence, recurrences),
        r.choice("shortest_delay", rules.needs_delay, shortest_delays),
        r.object("neurons", neurons({&rules.without_leak, &rules.with_leak, &rules.with_current})),
        r.object("IF", neurons({&rules.without_leak})),
        r.object("LIF", neurons({&rules.with_leak})),
        r.object("CubaLIF", neurons({&rules.with_current})),
    };
}

}  // namespace

Convention convention_from_file(const std::string& path) {
    const io::Settings settings = io::read_settings(path);
    const Reader reader(path);
    std::string like = "nir";
    for (const auto& [name, value] : settings.entries)
        if (name == "like") like = reader.text(value, name);
    if (like.find('.') != std::string::npos)
        throw FileError::unexpected(path, "like", "the name of a convention", quoted(like));
    Convention c;
    try {
        c = convention(like);
    } catch (const UsageError& error) {
        throw FileError(path, "like", error.what());
    }
    if (!c.stepped) throw FileError(path, "like", quoted(like) + " knows no steps. Take another.");
    c.name = path;
    Stepping stepping = *c.stepped;
    reader.read(settings, "", keys_of(reader, c, stepping));
    stepping.rules.name = c.name;
    c.stepped = std::move(stepping);
    return c;
}

}  // namespace saltus::converters
