// What a file tells about the tools, and how far two spike trains are apart.
#include <nanobind/stl/optional.h>

#include "network.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/spike_distance.hpp"

namespace saltus::python {

namespace {

nb::list texts(const std::vector<std::string>& strings) {
    nb::list list;
    for (const std::string& string : strings) list.append(text(string));
    return list;
}

nb::object refusal_of(const std::string& refusal) {
    return refusal.empty() ? nb::none() : text(refusal);
}

/// Under the names of saltus.Inspection.
nb::dict inspect(const io::NirDocument& document) {
    const converters::Guess guess = converters::guess_convention(document);
    nb::list tools;
    for (const converters::ToolReading& tool : converters::tool_readings(document))
        tools.append(nb::make_tuple(tool.convention, tool.dt.seconds(), refusal_of(tool.refusal)));
    nb::dict out;
    out["convention"] = guess.convention;
    out["dt"] = guess.dt.seconds();
    out["reason"] = text(guess.reason);
    out["also"] = texts(guess.also);
    out["told"] = guess.told;
    out["tools"] = tools;
    out["traps"] = texts(converters::traps_of(document));
    return out;
}

/// Why the exact clock refuses the network, or None.
nb::object refusal_by_exact_clock(BuiltNetwork& built) {
    try {
        static_cast<void>(built.exact(1));
        return nb::none();
    } catch (const Error& error) {
        return text(error.what());
    }
}

/// Under the names of saltus.PopulationComparison; "first": (ticks, neuron, is in a) or None.
nb::dict compare_trains(const Spikes& a, const Spikes& b, std::uint32_t neurons, std::int64_t tolerance,
                        double tau) {
    const Duration constant = duration_from_seconds(tau, "tau");
    if (constant <= Duration()) throw UsageError("tau: expected > 0.");
    TrainDifference d;
    {
        const nb::gil_scoped_release unlocked;
        d = difference(a.train, b.train, neurons, Duration(tolerance), constant);
    }
    nb::dict out;
    out["same"] = d.partners;
    out["only_in_first"] = d.only_in_a;
    out["only_here"] = d.only_in_b;
    out["van_rossum"] = d.van_rossum;
    out["victor_purpura"] = d.victor_purpura;
    out["first"] = nb::none();
    if (d.first)
        out["first"] =
            nb::make_tuple(d.first->time.since_start().femtoseconds(), d.first->neuron, d.first->in_a);
    return out;
}

}  // namespace

void bind_compare(nb::module_& module) {
    using namespace nb::literals;
    module.def("inspect", inspect, "document"_a);
    module.def("refusal_by_exact_clock", refusal_by_exact_clock, "built"_a);
    module.def(
        "usual_step",
        [](const std::optional<std::string>& convention) {
            return converters::convention(convention.value_or("nir")).dt.seconds();
        },
        "convention"_a.none(), "Seconds: the step that a convention has if nobody says one.");
    module.def("compare_trains", compare_trains, "a"_a, "b"_a, "neurons"_a, "tolerance"_a, "tau"_a,
               "Spikes of two trains that are at most `tolerance` femtoseconds apart, and distances.");
}

}  // namespace saltus::python
