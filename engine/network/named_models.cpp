#include "named_models.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <memory>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/synapse_draw.hpp"

namespace saltus {

namespace {

std::string listed(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
    return text;
}

/// Draws the value of one neuron.
double draw(const detail::WeightDraw& distribution, std::uint64_t seed, std::uint64_t neuron) {
    SequentialRandom random(seed, neuron, static_cast<std::uint32_t>(detail::Purpose::parameter));
    return distribution(random);
}

/// Named columns, each with one value for all neurons or one for each.
class Columns {
  public:
    /// Throws for names that are not among `known` or come twice, for other lengths, and for values that are
    /// not finite, unless they are infinite and `endless` is their name.
    Columns(const std::string& population, std::uint64_t size, std::string_view kind,
            const Parameters& parameters, const std::vector<std::string>& known,
            std::string_view endless = {})
        : population_(population), parameters_(parameters) {
        for (const Parameter& p : parameters) {
            if (std::find(known.begin(), known.end(), p.name) == known.end()) {
                const std::string near = did_you_mean(p.name, known);
                throw refused(p.name, std::string(kind) + " has no such parameter." +
                                          (near.empty() ? " It has " + listed(known) + "." : near));
            }
            if (&find(p.name)->get() != &p) throw refused(p.name, "given twice.");
            if (p.drawn) check_distribution(population, p.name, *p.drawn);
            if (!p.drawn && (p.values.empty() || (p.values.size() != 1 && p.values.size() != size))) {
                throw refused(p.name, "expected 1 or " + std::to_string(size) + " values, found " +
                                          std::to_string(p.values.size()) + ".");
            }
            for (std::size_t i = 0; i < p.values.size(); ++i) {
                const double x = p.values[i];
                if (std::isfinite(x) || (p.name == endless && x > 0.0)) continue;
                throw refused(p.name, "neuron " + std::to_string(i) + ": expected a finite number, found " +
                                          std::to_string(x) + ".");
            }
            if (p.drawn || p.values.size() > 1) length_ = size;
        }
    }

    /// 1 where every parameter is the same for all.
    [[nodiscard]] std::size_t length() const { return length_; }

    [[nodiscard]] std::optional<double> value(std::string_view name, std::size_t neuron) const {
        const auto column = find(name);
        if (!column) return std::nullopt;
        const Parameter& p = *column;
        if (p.drawn) return draw(detail::WeightDraw(*p.drawn), p.seed, neuron);
        return p.values[p.values.size() == 1 ? 0 : neuron];
    }
    /// The same as a function of the neuron, which outlives the columns.
    [[nodiscard]] std::function<double(std::size_t)> function_of(std::string_view name) const {
        const Parameter& p = *find(name);
        if (!p.drawn) {
            return [values = std::make_shared<const std::vector<double>>(p.values)](std::size_t i) {
                return (*values)[i];
            };
        }
        return [draws = detail::WeightDraw(*p.drawn), seed = p.seed](std::size_t i) {
            return draw(draws, seed, i);
        };
    }
    /// The only parameter of which neurons have different values; none if there is no such, or if there are
    /// several.
    [[nodiscard]] std::string_view only_different() const {
        std::string_view different;
        for (const Parameter& p : parameters_) {
            if (!p.drawn && p.values.size() == 1) continue;
            if (!different.empty()) return {};
            different = p.name;
        }
        return different;
    }
    [[nodiscard]] bool has(std::string_view name) const { return find(name).has_value(); }

    /// The column; empty if it is not there.
    [[nodiscard]] std::vector<double> column(std::string_view name) const {
        const auto found = find(name);
        if (!found) return {};
        const Parameter& p = *found;
        if (!p.drawn) return p.values;
        std::vector<double> values;
        for (std::size_t i = 0; i < length_; ++i)
            values.push_back(draw(detail::WeightDraw(*p.drawn), p.seed, i));
        return values;
    }

    [[nodiscard]] NetworkError refused(const std::string& field, const std::string& text) const {
        return {population_, field, text};
    }

    [[nodiscard]] Duration duration(const std::string& field, double seconds) const {
        return checked_duration(population_, field, seconds);
    }

  private:
    [[nodiscard]] std::optional<std::reference_wrapper<const Parameter>> find(std::string_view name) const {
        for (const Parameter& p : parameters_) {
            if (p.name == name) return p;
        }
        return std::nullopt;
    }

    const std::string& population_;
    const Parameters& parameters_;
    std::size_t length_ = 1;
};

/// f(name, member) for the parameters that are members of P as they are.
template <class P, class F>
void for_each_member(P& p, F&& f) {
    if constexpr (requires { p.tau_m; }) f("tau_m", p.tau_m);
    if constexpr (requires { p.E_L; }) f("E_L", p.E_L);
    if constexpr (requires { p.V_th; }) f("V_th", p.V_th);
    if constexpr (requires { p.V_reset; }) f("V_reset", p.V_reset);
    if constexpr (requires { p.I_e; }) f("I_e", p.I_e);
    if constexpr (requires { p.th_jump; }) f("th_jump", p.th_jump);
    if constexpr (requires { p.th_tau; }) f("th_tau", p.th_tau);
    if constexpr (requires { p.t_min; }) {
        f("t_min", p.t_min);
        f("t_max", p.t_max);
        f("slope", p.slope);
    }
}

template <class P>
constexpr bool has_synaptic_current = requires(P p) {
    p.tau_syn;
}
|| requires(P p) {
    p.tau_syn_ex;
};

template <class P>
std::vector<std::string> names_of() {
    std::vector<std::string> names;
    P p;
    for_each_member(p, [&](const char* name, double) { names.emplace_back(name); });
    if constexpr (has_synaptic_current<P>) {
        names.insert(names.end(), {"tau_syn", "tau_syn_ex", "tau_syn_in"});
    }
    if constexpr (requires { p.R; }) names.emplace_back("C_m");
    if constexpr (requires { p.t_ref; }) names.emplace_back("t_ref");
    names.insert(names.end(), {"V_0", "V_m"});
    return names;
}

/// tau_syn stands for both time constants; a model that has one wants both the same.
template <class P>
void set_synapse(P& p, const Columns& columns, std::size_t i) {
    const std::optional<double> both = columns.value("tau_syn", i);
    const std::optional<double> ex = columns.has("tau_syn_ex") ? columns.value("tau_syn_ex", i) : both;
    const std::optional<double> in = columns.has("tau_syn_in") ? columns.value("tau_syn_in", i) : both;
    if constexpr (requires { p.tau_syn; }) {
        const double tau = ex.value_or(in.value_or(p.tau_syn));
        if (in.value_or(tau) != tau) {
            throw columns.refused("tau_syn_in", "neuron " + std::to_string(i) +
                                                    ": this model has one synaptic time constant, expected "
                                                    "tau_syn_ex, found another.");
        }
        p.tau_syn = tau;
    } else {
        p.tau_syn_ex = ex.value_or(p.tau_syn_ex);
        p.tau_syn_in = in.value_or(p.tau_syn_in);
    }
}

template <class P>
P neuron_of(const Columns& columns, std::size_t i) {
    P p;
    for_each_member(
        p, [&](const char* name, double& member) { member = columns.value(name, i).value_or(member); });
    if constexpr (has_synaptic_current<P>) set_synapse(p, columns, i);
    if constexpr (requires { p.R; }) {
        if (const auto C_m = columns.value("C_m", i)) {
            if (!(*C_m > 0.0)) {
                throw columns.refused("C_m", "neuron " + std::to_string(i) + ": expected > 0, found " +
                                                 std::to_string(*C_m) + ".");
            }
            if constexpr (requires { p.tau_m; }) {
                p.R = p.tau_m / *C_m;
            } else {
                p.R = 1.0 / *C_m;
            }
        }
    }
    if constexpr (requires { p.E_L; }) p.V_0 = p.E_L;
    p.V_0 = columns.value("V_0", i).value_or(columns.value("V_m", i).value_or(p.V_0));
    if constexpr (requires { p.t_ref; })
        p.t_ref = columns.duration("t_ref", columns.value("t_ref", i).value_or(0.0));
    return p;
}

template <class P>
neurons::Model neurons_of(const std::string& population, std::uint64_t size, std::string_view model,
                          const Parameters& parameters) {
    const Columns columns(population, size, model, parameters, names_of<P>());
    if (columns.has("V_0") && columns.has("V_m"))
        throw columns.refused("V_m", "V_0 is given too; they are the same.");
    const std::string_view different = columns.only_different();
    if (different == "V_0" || different == "V_m") {
        return neurons::PerNeuron<P>(size, neuron_of<P>(columns, 0), columns.function_of(different));
    }
    neurons::PerNeuron<P> result;
    result.reserve(columns.length());
    for (std::size_t i = 0; i < columns.length(); ++i) result.push_back(neuron_of<P>(columns, i));
    return result;
}

struct NamedModel {
    std::string_view name;
    neurons::Model (*make)(const std::string&, std::uint64_t, std::string_view, const Parameters&);
    std::vector<std::string> (*names)();
    bool is_of_nest = false;
};

template <class P>
constexpr NamedModel saltus_model(std::string_view name) {
    return {name, neurons_of<P>, names_of<P>, false};
}
template <class P>
constexpr NamedModel nest_model(std::string_view name) {
    return {name, neurons_of<P>, names_of<P>, true};
}

constexpr std::array models{
    saltus_model<neurons::If>("if_delta"),
    saltus_model<neurons::Lif>("lif_delta"),
    saltus_model<neurons::LifAdaptive>("lif_delta_adaptive"),
    saltus_model<neurons::Qif>("qif_delta"),
    saltus_model<neurons::RampIf>("if_ramp"),
    saltus_model<neurons::IfExp>("if_exp"),
    saltus_model<neurons::CubaLif>("lif_exp"),
    saltus_model<neurons::LifExp2>("lif_exp2"),
    saltus_model<neurons::LifAlpha>("lif_alpha"),
    saltus_model<neurons::Li>("li_delta"),
    saltus_model<neurons::CubaLi>("li_exp"),
    nest_model<neurons::Lif>("iaf_psc_delta"),
    nest_model<neurons::Lif>("iaf_psc_delta_ps"),
    nest_model<neurons::LifExp2>("iaf_psc_exp"),
    nest_model<neurons::LifExp2>("iaf_psc_exp_ps"),
    nest_model<neurons::LifAlpha>("iaf_psc_alpha"),
    nest_model<neurons::LifAlpha>("iaf_psc_alpha_ps"),
};

/// Defaults of NEST's models iaf_psc_* (NEST 3.8, models/iaf_psc_exp.cpp).
Parameters nest_defaults() {
    return {{"C_m", 250e-12}, {"tau_m", 10e-3},    {"tau_syn", 2e-3}, {"t_ref", 2e-3}, {"E_L", -70e-3},
            {"V_th", -55e-3}, {"V_reset", -70e-3}, {"V_m", -70e-3},   {"I_e", 0.0}};
}

Parameters with_nest_defaults(Parameters parameters, const std::vector<std::string>& names) {
    const auto given = [&](std::string_view name) {
        return std::any_of(parameters.begin(), parameters.end(),
                           [&](const auto& p) { return p.name == name; });
    };
    Parameters defaults;
    for (Parameter& p : nest_defaults()) {
        const bool known = std::find(names.begin(), names.end(), p.name) != names.end();
        const bool as_V_0 = p.name == "V_m" && given("V_0");
        if (known && !given(p.name) && !as_V_0) defaults.push_back(std::move(p));
    }
    parameters.insert(parameters.end(), defaults.begin(), defaults.end());
    return parameters;
}

/// Beginnings of names of models whose equations have no solution in closed form.
constexpr std::array<std::string_view, 7> without_flow{"izhikevich",     "adex",      "aeif_",   "hh_",
                                                       "hodgkin_huxley", "iaf_cond_", "if_cond_"};

Time end_of(const Columns& columns) {
    const auto stop = columns.value("stop", 0);
    if (!stop || std::isinf(*stop)) return Time::never();
    return Time(columns.duration("stop", *stop));
}

neurons::Model poisson(const Columns& columns, std::uint64_t seed) {
    neurons::PoissonSource source;
    if (!columns.has("rate")) throw columns.refused("rate", "expected a rate in Hz, found none.");
    source.rate = columns.column("rate");
    source.seed = seed;
    source.start = Time(columns.duration("start", columns.value("start", 0).value_or(0.0)));
    source.stop = end_of(columns);
    return source;
}

neurons::Model regular(const Columns& columns, std::uint64_t) {
    neurons::RegularSource source;
    if (!columns.has("interval")) throw columns.refused("interval", "expected seconds, found none.");
    const std::vector<double> interval = columns.column("interval");
    for (const double x : interval) source.interval.push_back(columns.duration("interval", x));
    for (const double x : columns.has("first") ? columns.column("first") : interval)
        source.first.emplace_back(columns.duration("first", x));
    source.stop = end_of(columns);
    return source;
}

struct NamedSource {
    std::string_view name;
    neurons::Model (*make)(const Columns&, std::uint64_t);
    std::vector<std::string> parameters;
};

const std::array<NamedSource, 4>& sources() {
    static const std::array<NamedSource, 4> all{{
        {"poisson", poisson, {"rate", "start", "stop"}},
        {"regular", regular, {"interval", "first", "stop"}},
        {"poisson_generator", poisson, {"rate", "start", "stop"}},
        {"poisson_generator_ps", poisson, {"rate", "start", "stop"}},
    }};
    return all;
}

}  // namespace

std::vector<std::string> neuron_models() {
    std::vector<std::string> names;
    for (const NamedModel& model : models) names.emplace_back(model.name);
    return names;
}

neurons::Model named_model(const std::string& population, std::uint64_t size, std::string_view model,
                           Parameters parameters) {
    const auto* const found =
        std::find_if(models.begin(), models.end(), [&](const NamedModel& m) { return m.name == model; });
    if (found != models.end()) {
        if (found->is_of_nest) parameters = with_nest_defaults(std::move(parameters), found->names());
        return found->make(population, size, model, parameters);
    }
    if (std::any_of(without_flow.begin(), without_flow.end(),
                    [&](std::string_view begin) { return model.substr(0, begin.size()) == begin; })) {
        throw NetworkError(population, "model",
                           quoted(model) + " has no closed-form flow, the exact clock cannot run it.");
    }
    const std::string near = did_you_mean(model, neuron_models());
    throw NetworkError(population, "model",
                       "no model is called " + quoted(model) + "." +
                           (near.empty() ? " Known are " + listed(neuron_models()) + "." : near));
}

neurons::Model named_source(const std::string& population, std::uint64_t size, std::string_view kind,
                            const Parameters& parameters, std::uint64_t seed) {
    std::vector<std::string> names{"spikes"};
    for (const NamedSource& source : sources()) {
        if (source.name == kind) {
            const Columns columns(population, size, kind, parameters, source.parameters, "stop");
            for (const char* const one : {"start", "stop"}) {
                if (columns.column(one).size() > 1)
                    throw columns.refused(one, "expected one value for all neurons.");
            }
            return source.make(columns, seed);
        }
        names.emplace_back(source.name);
    }
    const std::string near = did_you_mean(kind, names);
    throw NetworkError(population, "kind",
                       "no source is called " + quoted(kind) + "." +
                           (near.empty() ? " Known are " + listed(names) + "." : near));
}

Duration checked_duration(const std::string& node, const std::string& field, double seconds) {
    constexpr double longest = 9'223.0;
    const auto refused = [&](const std::string& expected) {
        return NetworkError(node, field, "expected " + expected + ", found " + shown(seconds) + " s.");
    };
    if (!std::isfinite(seconds)) throw refused("a time");
    if (std::abs(seconds) > longest) throw refused("at most " + shown(longest) + " s");
    if (seconds != 0.0 && std::abs(seconds) < 1.0 / femtoseconds_per_second)
        throw refused("0 or at least one tick of time, 1e-15 s");
    return duration_from_seconds(seconds, field);
}

}  // namespace saltus
