// saltus inspect NETWORK: what is in it, in the units it is run with, and what may surprise. A data set is
// shown by what samples it has.
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "commands.hpp"
#include "console.hpp"
#include "frame_arguments.hpp"
#include "inspect_dataset.hpp"
#include "reading.hpp"
#include "saltus/datasets/dataset.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/simulate.hpp"
#include "saltus/io/sonata_network.hpp"

namespace saltus::cli {

namespace {

struct Options {
    std::string network;
    std::string split;
    bool json = false;
    ReadingOptions reading;
    FrameArguments frames;
};

/// One parameter of a population: its name with unit, smallest and largest value.
struct Parameter {
    std::string name;
    std::string unit;
    double low;
    double high;
};

template <class P, class Member>
void append(std::vector<Parameter>& list, const neurons::PerNeuron<P>& model, const char* name,
            const char* unit, Member member) {
    const auto value = [&](const P& p) -> double {
        if constexpr (std::is_same_v<Member, Duration P::*>)
            return (p.*member).seconds();
        else
            return p.*member;
    };
    const auto [low, high] = std::minmax_element(model.begin(), model.end(),
                                                 [&](const P& a, const P& b) { return value(a) < value(b); });
    list.push_back({name, unit, value(*low), value(*high)});
}

template <class P>
std::vector<Parameter> parameters_of(const neurons::PerNeuron<P>& model) {
    constexpr bool has_current = requires(P p) {
        p.tau_syn;
    }
    || requires(P p) {
        p.tau_syn_ex;
    };
    constexpr bool has_unit = !std::is_same_v<P, neurons::Qif>;
    constexpr bool is_ramp = std::is_same_v<P, neurons::RampIf>;
    constexpr const char* volt = has_unit ? "V" : "";
    constexpr const char* jump_unit = has_current || is_ramp ? "I per weight"
                                      : has_unit             ? "V per weight"
                                                             : "per weight";
    std::vector<Parameter> list;
    if constexpr (requires(P p) { p.tau_m; }) append(list, model, "tau_m", "s", &P::tau_m);
    if constexpr (requires(P p) { p.tau_syn; }) append(list, model, "tau_syn", "s", &P::tau_syn);
    if constexpr (requires(P p) { p.tau_syn_ex; }) append(list, model, "tau_syn_ex", "s", &P::tau_syn_ex);
    if constexpr (requires(P p) { p.tau_syn_in; }) append(list, model, "tau_syn_in", "s", &P::tau_syn_in);
    if constexpr (requires(P p) { p.th_tau; }) append(list, model, "th_tau", "s", &P::th_tau);
    if constexpr (requires(P p) { p.th_jump; }) append(list, model, "th_jump", "V", &P::th_jump);
    if constexpr (requires(P p) { p.t_min; }) {
        append(list, model, "t_min", "s", &P::t_min);
        append(list, model, "t_max", "s", &P::t_max);
        append(list, model, "slope", "V/s", &P::slope);
    }
    if constexpr (requires(P p) { p.R; }) append(list, model, "R", "", &P::R);
    if constexpr (requires(P p) { p.E_L; }) append(list, model, "E_L", "V", &P::E_L);
    if constexpr (requires(P p) { p.V_th; }) append(list, model, "V_th", volt, &P::V_th);
    if constexpr (requires(P & p) { p.t_ref = Duration(); }) {
        append(list, model, "V_reset", volt, &P::V_reset);
        append(list, model, "t_ref", "s", &P::t_ref);
    }
    if constexpr (requires(P p) { p.I_e; }) append(list, model, "I_e", "", &P::I_e);
    if constexpr (requires(P p) { p.J; }) append(list, model, "J", jump_unit, &P::J);
    return list;
}

template <class Source>
std::vector<Parameter> parameters_of(const Source&) {
    return {};
}

std::string reset_of(const Population& population) {
    return std::visit(
        [](const auto& model) -> std::string {
            if constexpr (requires { model[0].t_ref = Duration(); }) {
                switch (model[0].reset) {
                    case neurons::Reset::to_value:
                        return "to V_reset";
                    case neurons::Reset::subtract:
                        return "by subtraction";
                    case neurons::Reset::subtract_repeated:
                        return "by repeated subtraction";
                    case neurons::Reset::none:
                        return "none but by synapses";
                }
            }
            return "";
        },
        population.model);
}

std::string chain_of(const Projection& projection) {
    std::string text;
    for (const Stage& stage : projection.stages) {
        text += (text.empty() ? "" : ", ") + stage_kind(stage);
        if (!stage_name(stage).empty()) text += " " + stage_name(stage);
    }
    return text.empty() ? "one to one" : text;
}

std::uint64_t synapses_of(const Projection& projection) {
    std::uint64_t most = 0;
    for (const Stage& stage : projection.stages) most = std::max(most, synapse_count(stage));
    return most;
}

std::string delay_of(const Projection& projection) {
    const Duration low = projection.min_delay();
    const Duration high = projection.max_delay();
    return low == high ? to_string(low) : to_string(low) + " to " + to_string(high);
}

/// What the exact clock would refuse, as a warning.
void add_refusals(const Network& network, std::vector<std::string>& warnings) {
    try {
        const ExactSimulation check(network);
    } catch (const Error& error) {
        warnings.push_back(std::string("the exact clock refuses this network: ") + error.what());
    }
}

/// What only a NIR file has: who may have written it, who can run it, and what they do not agree on.
struct Origins {
    converters::Guess guess;
    std::vector<converters::ToolReading> tools;
    std::vector<std::string> traps;
    std::optional<Network> as_guessed;  // on the exact clock
    std::string not_exact;              // why there is none
};

std::optional<Origins> origins_of(const Options& options) {
    if (io::is_sonata_config(options.network)) return std::nullopt;
    const io::NirDocument document = read_document(options.network, options.reading.sum_duplicate_edges());
    Origins origins{converters::guess_convention(document),
                    converters::tool_readings(document),
                    converters::traps_of(document),
                    std::nullopt,
                    {}};
    converters::NirReading guessed = options.reading.reading();
    guessed.clock = converters::Clock::exact;
    guessed.convention = origins.guess.convention;
    if (!guessed.dt) guessed.dt = origins.guess.dt;
    try {
        origins.as_guessed = converters::network_from_nir(document, guessed).network;
    } catch (const Error& error) {
        origins.not_exact = error.what();
    }
    return origins;
}

std::vector<std::vector<std::string>> rows_of(const Network& network) {
    std::vector<std::vector<std::string>> populations{
        {"population", "model", "shape", "neurons", "parameters"}};
    for (const Population& population : network.populations()) {
        std::string text;
        for (const Parameter& p :
             std::visit([](const auto& model) { return parameters_of(model); }, population.model)) {
            text += (text.empty() ? "" : ", ") + p.name + " " + short_number(p.low);
            if (p.low != p.high) text += ".." + short_number(p.high);
            if (!p.unit.empty()) text += " " + p.unit;
        }
        if (const std::string reset = reset_of(population); !reset.empty()) text += ", reset " + reset;
        populations.push_back({population.name, std::string(neurons::model_name(population.model)),
                               to_string(population.shape), with_commas(population.size()), text});
    }
    return populations;
}

void print_origins(const Origins& origins) {
    std::string also;
    for (const std::string& name : origins.guess.also) also += (also.empty() ? "" : ", ") + name;
    std::cout << "\n  stepped clock: convention " << origins.guess.convention << ", steps of "
              << to_string(origins.guess.dt) << (origins.guess.told ? ", for " : ", guessed because ")
              << origins.guess.reason << (also.empty() ? "" : "; the nodes are also those of " + also)
              << "\n\n";
    std::cout << "  exact clock, as " << origins.guess.convention << " means the file";
    if (origins.as_guessed) {
        std::cout << ":\n\n" << table(rows_of(*origins.as_guessed)) << "\n";
    } else {
        std::cout << " it cannot be run: " << origins.not_exact << "\n\n";
    }
    std::vector<std::vector<std::string>> tools{{"convention", "step", "on the stepped clock"}};
    for (const converters::ToolReading& tool : origins.tools)
        tools.push_back({tool.convention, to_string(tool.dt), tool.refusal.empty() ? "runs" : tool.refusal});
    std::cout << table(tools);
    if (!origins.traps.empty()) std::cout << "\n";
    for (const std::string& trap : origins.traps) std::cout << "  trap: " << trap << "\n";
}

void print_text(const Network& network, const std::vector<std::string>& warnings) {
    std::vector<std::vector<std::string>> projections{{"projection", "through", "synapses", "delay"}};
    for (const Projection& projection : network.projections()) {
        projections.push_back({network.projection_name(projection), chain_of(projection),
                               with_commas(synapses_of(projection)), delay_of(projection)});
    }
    std::cout << table(rows_of(network)) << "\n" << table(projections);
    if (!network.outputs().empty()) std::cout << "\n";
    for (const OutputPort& output : network.outputs()) {
        std::cout << "  output " << output.name << ": population "
                  << network.populations()[output.population].name << "\n";
    }
    if (!warnings.empty()) std::cout << "\n";
    for (const std::string& warning : warnings) std::cout << "  warning: " << warning << "\n";
}

nlohmann::ordered_json populations_of(const Network& network) {
    nlohmann::ordered_json populations = nlohmann::ordered_json::array();
    for (const Population& population : network.populations()) {
        nlohmann::ordered_json parameters = nlohmann::ordered_json::object();
        for (const Parameter& p :
             std::visit([](const auto& model) { return parameters_of(model); }, population.model)) {
            parameters[p.name] = {{"min", p.low}, {"max", p.high}, {"unit", p.unit}};
        }
        populations.push_back({{"name", population.name},
                               {"model", std::string(neurons::model_name(population.model))},
                               {"shape", population.shape},
                               {"neurons", population.size()},
                               {"parameters", std::move(parameters)},
                               {"reset", reset_of(population)}});
    }
    return populations;
}

nlohmann::ordered_json as_json(const Origins& origins) {
    nlohmann::ordered_json tools = nlohmann::ordered_json::array();
    for (const converters::ToolReading& tool : origins.tools) {
        tools.push_back({{"convention", tool.convention},
                         {"dt_s", tool.dt.seconds()},
                         {"refusal", tool.refusal.empty() ? nlohmann::ordered_json()
                                                          : nlohmann::ordered_json(tool.refusal)}});
    }
    return {{"guess",
             {{"convention", origins.guess.convention},
              {"dt_s", origins.guess.dt.seconds()},
              {"reason", origins.guess.reason},
              {"told", origins.guess.told},
              {"also", origins.guess.also}}},
            {"exact",
             {{"populations",
               origins.as_guessed ? populations_of(*origins.as_guessed) : nlohmann::ordered_json()},
              {"refusal",
               origins.as_guessed ? nlohmann::ordered_json() : nlohmann::ordered_json(origins.not_exact)}}},
            {"tools", std::move(tools)},
            {"traps", origins.traps}};
}

void print_json(const Network& network, const std::vector<std::string>& warnings,
                const std::optional<Origins>& origins) {
    nlohmann::ordered_json json;
    json["populations"] = populations_of(network);
    json["projections"] = nlohmann::ordered_json::array();
    for (const Projection& projection : network.projections()) {
        nlohmann::ordered_json stages = nlohmann::ordered_json::array();
        for (const Stage& stage : projection.stages) {
            stages.push_back({{"type", stage_kind(stage)}, {"name", stage_name(stage)}});
        }
        json["projections"].push_back({{"source", network.populations()[projection.source].name},
                                       {"target", network.populations()[projection.target].name},
                                       {"stages", std::move(stages)},
                                       {"synapses", synapses_of(projection)},
                                       {"min_delay_s", projection.min_delay().seconds()},
                                       {"max_delay_s", projection.max_delay().seconds()}});
    }
    json["outputs"] = nlohmann::ordered_json::object();
    for (const OutputPort& output : network.outputs()) {
        json["outputs"][output.name] = network.populations()[output.population].name;
    }
    json["warnings"] = warnings;
    if (origins) json["stepped"] = as_json(*origins);
    std::cout << json.dump() << "\n";
}

void inspect(const Options& options) {
    if (datasets::is_dataset(options.network)) {
        inspect_dataset(options.network, options.split, options.frames.options(), options.json);
        return;
    }
    const converters::NirImport import = read_network(options.network, options.reading);
    std::vector<std::string> warnings = import.notes;
    add_refusals(import.network, warnings);
    const std::optional<Origins> origins = origins_of(options);
    if (options.json) {
        print_json(import.network, warnings, origins);
    } else {
        print_text(import.network, warnings);
        if (origins) print_origins(*origins);
    }
}

}  // namespace

void add_inspect(CLI::App& app) {
    auto options = std::make_shared<Options>();
    CLI::App* verb =
        app.add_subcommand("inspect", "show what is in a network, and what may surprise; or in a data set");
    verb->add_option("NETWORK", options->network, ".nir or .nir.json; or a data set: a folder, .h5, yin-yang")
        ->required();
    verb->add_option("--split", options->split, "data sets: the part to show, as train or test");
    verb->add_flag("--json", options->json, "one JSON object on standard output");
    options->reading.add_to(*verb);
    options->frames.add_to(*verb);
    verb->footer("Example: saltus inspect net.nir --convention norse");
    verb->callback([options] { inspect(*options); });
}

}  // namespace saltus::cli
