// Rules read in the code of norse 1.1.0, snntorch 1.0.0, sinabs 2.0.3, spikingjelly 2.0.0, rockpool 3.1.0,
// lava-dl 0.6.0 (the script in NIR's documentation) and nengo 4.1.0 (the script published with the NIR
// paper), and held against their runs in tests/conformance/nir. Brian 2: the order of its default schedule;
// NEST: the models iaf_psc_* on the grid (Rotter and Diesmann, Biol. Cybern. 81, 1999). s2net: the closed
// form between steps is its leak.
#include "stepping.hpp"

#include <map>

namespace saltus::converters {

namespace {

using namespace stepped;

using Nodes = std::vector<std::string>;

SteppedRules rules_of(Precision precision, const NeuronRule& without_leak, const NeuronRule& with_leak,
                      const NeuronRule& with_current) {
    SteppedRules rules;
    rules.precision = precision;
    rules.without_leak = without_leak;
    rules.with_leak = with_leak;
    rules.with_current = with_current;
    return rules;
}

Stepping norse() {
    NeuronRule plain;
    plain.leak = Leak::reciprocal;
    NeuronRule lif = plain;
    lif.membrane = Membrane::relax;
    lif.rest = Rest::E_L;
    lif.start = Start::E_L;
    NeuronRule cuba = lif;
    cuba.current = Current::relax;
    cuba.R = Resistance::multiplies;
    cuba.w_in = InputGain::multiplies;
    cuba.current_rests_at_E_L = true;
    return {rules_of(Precision::float32, plain, lif, cuba), NodeOrder::depth_first, Recurrence::last_output,
            Nodes{"Affine", "Linear", "Conv2d", "SumPool2d", "Flatten", "IF", "LIF", "CubaLIF"}};
}

Stepping snntorch() {
    NeuronRule plain;
    plain.retention = 0.9;  // of version 1.0.0; 0 before, 1 after
    plain.reset = Reset::subtract;
    plain.reset_time = ResetTime::before_and_after;
    plain.shared = Shared::threshold;
    NeuronRule lif;
    lif.R = Resistance::scales_threshold;
    lif.rest = Rest::must_be_zero;
    lif.shared = Shared::threshold;
    NeuronRule cuba = lif;
    cuba.R = Resistance::tau_over_dt;
    cuba.w_in = InputGain::scales_threshold;
    return {rules_of(Precision::float32, plain, lif, cuba), NodeOrder::after_sources, Recurrence::last_output,
            Nodes{"Affine", "Linear", "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d", "Flatten", "IF", "LIF",
                  "CubaLIF"}};
}

/// The layers as they were trained: reset_mechanism "subtract" with reset_delay, their defaults.
Stepping snntorch_native() {
    Stepping native = snntorch();
    native.recurrence = Recurrence::last_spikes;
    for (NeuronRule* rule : {&native.rules.with_leak, &native.rules.with_current}) {
        rule->reset = Reset::subtract;
        rule->reset_time = ResetTime::next_step;
    }
    return native;
}

Stepping sinabs() {
    NeuronRule plain;
    plain.leak = Leak::exponential;
    plain.fires_at_threshold = true;
    plain.counts = true;
    plain.reset = Reset::subtract;
    NeuronRule lif = plain;
    plain.floor = Floor::minus_threshold;
    return {rules_of(Precision::float32, plain, lif, lif), NodeOrder::depth_first, Recurrence::last_output,
            Nodes{"Affine", "Conv1d", "Conv2d", "SumPool2d", "Flatten", "IF", "LIF", "LI"}};
}

/// Layers with norm_input, their default, which a file does not say.
Stepping sinabs_norm() {
    Stepping norm = sinabs();
    norm.rules.with_leak.input_times_leak = true;
    return norm;
}

Stepping spikingjelly() {
    NeuronRule plain;
    plain.leak = Leak::in_double;
    plain.fires_at_threshold = true;
    plain.reset = Reset::to_V_reset;
    plain.start = Start::V_reset;
    plain.shared = Shared::everything;
    NeuronRule lif = plain;
    lif.R = Resistance::one_or_tau_over_dt;
    lif.rest = Rest::V_reset;
    NeuronRule cuba = plain;
    cuba.R = Resistance::tau_over_dt;
    cuba.w_in = InputGain::tau_syn_over_dt;
    cuba.rest = Rest::must_be_zero;
    plain.R = Resistance::one_over_dt;
    return {rules_of(Precision::float32, plain, lif, cuba), NodeOrder::after_sources, Recurrence::last_output,
            Nodes{"Affine", "Linear", "Conv1d", "Conv2d", "SumPool2d", "AvgPool2d", "Flatten", "IF", "LIF",
                  "CubaLIF"}};
}

Stepping rockpool() {
    NeuronRule rule;
    rule.current = Current::add_then_decay;
    rule.leak = Leak::exponential;
    rule.R = Resistance::sets_step;
    rule.rest = Rest::added;
    rule.fires_at_threshold = true;
    rule.counts = true;
    rule.reset = Reset::subtract;
    return {rules_of(Precision::float32, rule, rule, rule), NodeOrder::depth_first, Recurrence::nested_only,
            Nodes{"Affine", "Linear", "CubaLIF"}};
}

/// The step of the model instead of one computed from r.
Stepping rockpool_native() {
    Stepping native = rockpool();
    native.rules.with_current.R = Resistance::ignored;
    return native;
}

Stepping lava_dl() {
    NeuronRule rule;
    rule.membrane = Membrane::fixed_point;
    rule.R = Resistance::tau_over_dt;
    rule.w_in = InputGain::tau_syn_over_dt;
    rule.rest = Rest::must_be_zero;
    rule.fires_at_threshold = true;
    rule.shared = Shared::everything;
    rule.record_before_reset = true;
    return {rules_of(Precision::float32, rule, rule, rule), NodeOrder::after_sources, Recurrence::last_output,
            Nodes{"Affine", "Linear", "Conv2d", "SumPool2d", "Flatten", "CubaLIF"}};
}

Stepping nengo() {
    NeuronRule plain;
    plain.in_thresholds = true;
    plain.shared = Shared::all_but_threshold;
    NeuronRule lif = plain;
    lif.membrane = Membrane::substep;
    lif.R = Resistance::one;
    lif.rest = Rest::must_be_zero;
    lif.floor = Floor::zero;
    lif.height_per_second = true;
    NeuronRule cuba = lif;
    cuba.current = Current::low_pass;
    cuba.R = Resistance::multiplies;
    cuba.w_in = InputGain::multiplies;
    cuba.height_per_second = false;
    return {rules_of(Precision::float64, plain, lif, cuba), NodeOrder::after_sources, Recurrence::last_output,
            Nodes{"Affine", "Linear", "Conv2d", "SumPool2d", "Flatten", "IF", "LIF", "CubaLIF"}};
}

NeuronRule closed_form() {
    NeuronRule rule;
    rule.membrane = Membrane::closed_form;
    rule.start = Start::V_0;
    rule.reset = Reset::to_V_reset;
    rule.fires_at_threshold = true;
    return rule;
}

/// The equations as written, with the closed form between steps and every spike at one.
Stepping nir() {
    const NeuronRule rule = closed_form();
    return {rules_of(Precision::float64, rule, rule, rule),
            NodeOrder::after_sources,
            Recurrence::last_output,
            {}};
}

/// Schedule: groups, thresholds, synapses, resets. Conditions are v > v_th as a rule.
Stepping brian2() {
    NeuronRule rule = closed_form();
    rule.fires_at_threshold = false;
    rule.arrival = Arrival::after_test;
    return {rules_of(Precision::float64, rule, rule, rule),
            NodeOrder::after_sources,
            Recurrence::last_output,
            {}};
}

Stepping nest() {
    Stepping stepping = nir();
    stepping.rules.needs_delay = true;
    return stepping;
}

}  // namespace

std::optional<Stepping> stepping_of(const std::string& name) {
    static const std::map<std::string, Stepping (*)()> known{
        {"nir", nir},
        {"norse", norse},
        {"snntorch", snntorch},
        {"snntorch-native", snntorch_native},
        {"sinabs", sinabs},
        {"sinabs-norm", sinabs_norm},
        {"spikingjelly", spikingjelly},
        {"rockpool", rockpool},
        {"rockpool-native", rockpool_native},
        {"lava-dl", lava_dl},
        {"nengo", nengo},
        {"brian2", brian2},
        {"nest", nest},
        {"s2net", nir},
    };
    const auto found = known.find(name);
    if (found == known.end()) return std::nullopt;
    Stepping stepping = found->second();
    stepping.rules.name = name;
    return stepping;
}

}  // namespace saltus::converters
