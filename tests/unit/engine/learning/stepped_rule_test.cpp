// The gradient by going back through the clock's steps, against the tangents of the same formulas going
// forward, one parameter at a time.
#include "saltus/engine/learning/stepped_rule.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/explicit_synapses.hpp"
#include "saltus/engine/random.hpp"
#include "unit/io/temporary_folder.hpp"

using namespace saltus;
using namespace saltus::learning;
using namespace saltus::stepped;
using neurons::PerNeuron;
using saltus::test::contains;
using saltus::test::message_of;

namespace {

constexpr Duration ms{1'000'000'000'000};
constexpr std::uint32_t steps = 14;
constexpr double tau_m = 4e-3, tau_syn = 2.5e-3, V_th = 0.7, V_reset = -0.1, E_L = 0.05, R = 1.3, w_in = 0.8;
constexpr double rest_of_spike = 0.3;  // the activity's weight

/// A number and its derivative by one parameter.
struct Dual {
    double v = 0.0;
    double d = 0.0;
};
Dual operator+(Dual a, Dual b) {
    return {a.v + b.v, a.d + b.d};
}
Dual operator-(Dual a, Dual b) {
    return {a.v - b.v, a.d - b.d};
}
Dual operator*(Dual a, Dual b) {
    return {a.v * b.v, a.v * b.d + a.d * b.v};
}
Dual operator*(double a, Dual b) {
    return {a * b.v, a * b.d};
}

SurrogateOptions options_of(bool detach) {
    SurrogateOptions options;
    options.function = surrogate_function("atan");
    options.function.slope = 2.0;
    options.activity = rest_of_spike;
    options.detach_reset = detach;
    options.precision = SurrogateOptions::Precision::float64;
    return options;
}

/// in(2) -> a(3), a -> a with a delay of two steps, a -> b(2), with biases; b spikes or integrates.
template <class Hidden, class Output>
Network network_of(std::uint64_t seed = 1) {
    SequentialRandom random(seed, 0, 0);
    const auto some = [&](std::size_t n, double mean) {
        std::vector<double> values(n);
        for (double& x : values) x = mean + 0.8 * random.normal();
        return Weights(values);
    };
    Hidden hidden;
    hidden.tau_m = tau_m;
    hidden.R = R;
    hidden.E_L = E_L;
    hidden.V_th = V_th;
    hidden.V_reset = V_reset;
    if constexpr (requires { hidden.tau_syn; }) {
        hidden.tau_syn = tau_syn;
        hidden.w_in = w_in;
    }
    Output output;
    output.tau_m = tau_m;
    output.R = R;
    output.E_L = E_L;
    if constexpr (requires { output.V_th; }) {
        output.V_th = V_th;
        output.V_reset = V_reset;
    }
    return {
        {{"in", {2}, neurons::Input{}},
         {"a", {3}, PerNeuron<Hidden>{hidden}},
         {"b", {2}, PerNeuron<Output>{output}}},
        {{0, 1, {Dense{"w", 1, 2, 3, some(6, 1.5), some(3, 0.4)}}},
         {1, 1, {Dense{"v", 1, 3, 3, some(9, 0.0), {}}, Delay{"d", 3, {Duration(2 * ms.femtoseconds())}}}},
         {1, 2, {Delay{"d2", 3, {ms}}, Dense{"o", 1, 3, 2, some(6, 0.4), some(2, 0.1)}}}},
        {{"out", 2}}};
}

std::shared_ptr<const FrameSet> frames_of(std::size_t samples) {
    SequentialRandom random(7, 0, 0);
    std::vector<float> values(samples * steps * 2);
    for (float& x : values) x = random.uniform() < 0.6 ? static_cast<float>(2.0 * random.uniform()) : 0.0f;
    std::vector<std::uint32_t> labels(samples);
    for (std::uint32_t i = 0; i < samples; ++i) labels[i] = i % 2;
    return std::make_shared<StoredFrames>(FrameLayout{steps, {2}, ms, {"x", "y"}}, values, labels);
}

SteppedRules rules_of(const NeuronRule& rule) {
    SteppedRules rules;
    rules.name = "test";
    rules.without_leak = rules.with_leak = rules.with_current = rule;
    return rules;
}

/// One population, by the formulas of stepped.hpp.
class Reference {
  public:
    Reference(const NeuronRule& rule, bool current, bool spikes, std::size_t n, const SurrogateFunction& f,
              bool detach)
        : rule_(rule), current_(current), spikes_(spikes), f_(f), detach_(detach), V_(n), I_(n), z_(n) {}

    /// What neuron i sends for input x.
    Dual step(std::size_t i, Dual x) {
        const double a = leak(tau_m), a_s = leak(tau_syn);
        const double E = rule_.rest == Rest::E_L ? E_L : 0.0;
        Dual u = x;
        Dual& I = I_[i];
        if (current_) {
            const double gain = rule_.R == Resistance::multiplies ? R : 1.0;
            const double w = rule_.w_in == InputGain::multiplies ? w_in : 1.0;
            switch (rule_.current) {
                case Current::relax:
                    I = I + a_s * (w * x - I);
                    u = gain * I;
                    break;
                case Current::decay:
                    I = (1.0 - a_s) * I + x;
                    u = I;
                    break;
                case Current::add_then_decay:
                    I = (1.0 - a_s) * (I + x);
                    u = I;
                    break;
                case Current::use_then_decay:
                    u = I + x;
                    I = u - a_s * u;
                    break;
                case Current::low_pass:
                    u = gain * w * I;
                    I = (1.0 - a_s) * I + a_s * x;
                    break;
            }
        } else if (rule_.R == Resistance::multiplies) {
            u = R * x;
        }
        Dual& V = V_[i];
        const Dual before = detach_ ? Dual{z_[i].v, 0.0} : z_[i];
        if (spikes_ && rule_.reset_time == ResetTime::next_step_first) V = reset(V, before);
        switch (rule_.membrane) {
            case Membrane::relax:
                V = V + a * ((u + Dual{E, 0.0}) - V);
                break;
            case Membrane::relax_by_division:
                V = V + 1e-3 / tau_m * (u - (V - Dual{E, 0.0}));
                break;
            case Membrane::decay_by_division:
                V = V - 1e-3 / tau_m * (V - Dual{E, 0.0}) + u;
                break;
            default:
                V = (1.0 - a) * V + u;
        }
        if (!spikes_) return V;
        if (rule_.reset_time == ResetTime::next_step) V = reset(V, before);
        const double excess = rule_.counts ? V.v / V_th - 1.0 : V.v - V_th;
        Dual z;
        if (rule_.fires_at_threshold ? excess >= 0.0 : excess > 0.0)
            z.v = rule_.counts ? std::trunc(V.v / V_th) : 1.0;
        z.d = f_.derivative(excess) * V.d / (rule_.counts ? V_th : 1.0);
        z_[i] = z;
        if (rule_.reset_time == ResetTime::same_step) {
            V = reset(V, detach_ ? Dual{z.v, 0.0} : z);
            if (rule_.floor == Floor::minus_threshold && V.v < -V_th) V = {-V_th, 0.0};
        }
        return z;
    }

  private:
    [[nodiscard]] double leak(double tau) const {
        return rule_.leak == Leak::exponential ? 1.0 - std::exp(-1e-3 / tau) : 1e-3 / tau;
    }
    [[nodiscard]] Dual reset(Dual V, Dual z) const {
        if (rule_.reset == Reset::subtract) return V - V_th * z;
        const double to = rule_.reset == Reset::to_V_reset ? V_reset : 0.0;
        return V - z * V + to * z;
    }

    const NeuronRule& rule_;
    bool current_;
    bool spikes_;
    const SurrogateFunction& f_;
    bool detach_;
    std::vector<Dual> V_, I_, z_;
};

/// The loss of a sample, and its derivative by parameter k.
Dual loss_of(const NeuronRule& rule, bool current, bool output_spikes, const SurrogateOptions& options,
             const std::vector<double>& parameters, std::size_t k, const FrameSet& frames, std::uint64_t i) {
    std::vector<float> x(frames.layout().values());
    frames.read(i, x);
    const auto p = [&](std::size_t at) { return Dual{parameters[at], at == k ? 1.0 : 0.0}; };
    constexpr std::size_t w = 0, w_bias = 6, v = 9, o = 18, o_bias = 24;
    Reference a(rule, current, true, 3, options.function, options.detach_reset);
    Reference b(rule, false, output_spikes, 2, options.function, options.detach_reset);
    std::vector<std::vector<Dual>> sent(steps, std::vector<Dual>(3));
    std::vector<Dual> out(2);
    Dual activity_a, activity_b;
    for (std::size_t t = 0; t < steps; ++t) {
        for (std::size_t j = 0; j < 3; ++j) {
            Dual sum = p(w_bias + j);
            for (std::size_t c = 0; c < 2; ++c)
                sum = sum + static_cast<double>(x[2 * t + c]) * p(w + 3 * c + j);
            for (std::size_t c = 0; c < 3 && t >= 2; ++c) sum = sum + sent[t - 2][c] * p(v + 3 * c + j);
            sent[t][j] = a.step(j, sum);
            activity_a = activity_a + sent[t][j] * sent[t][j];
        }
        for (std::size_t j = 0; j < 2; ++j) {
            Dual sum = p(o_bias + j);
            for (std::size_t c = 0; c < 3 && t >= 1; ++c) sum = sum + sent[t - 1][c] * p(o + 2 * c + j);
            const Dual given = b.step(j, sum);
            out[j] = output_spikes ? out[j] + given : given;
            if (output_spikes) activity_b = activity_b + given * given;
        }
    }
    const std::uint32_t label = frames.label(i);
    const double e0 = std::exp(out[0].v), e1 = std::exp(out[1].v);
    Dual loss{std::log(e0 + e1) - out[label].v, (e0 * out[0].d + e1 * out[1].d) / (e0 + e1) - out[label].d};
    loss = loss + (options.activity * (output_spikes ? 0.5 : 1.0) * 0.5 / (3.0 * steps)) * activity_a;
    if (output_spikes) loss = loss + (options.activity * 0.5 / (2.0 * steps)) * activity_b;
    return loss;
}

Weights some(std::size_t n, double mean) {
    SequentialRandom random(n, 0, 0);
    std::vector<double> values(n);
    for (double& x : values) x = mean + 0.8 * random.normal();
    return Weights(values);
}

/// What a chain without delays brings from each source to each element at its end, row-major.
std::vector<double> matrix_of(const Network& network, const Projection& projection) {
    const ExplicitSynapses all = explicit_synapses(network, projection);
    const Sparse& synapses = all.synapses;
    std::vector<double> matrix(std::size_t{synapses.inputs} * synapses.outputs, 0.0);
    for (std::size_t i = 0; i < synapses.inputs; ++i) {
        for (std::uint64_t s = synapses.table->rows[i]; s < synapses.table->rows[i + 1]; ++s) {
            const Sparse::Segment& segment = synapses.table->segments[s];
            for (std::uint64_t k = segment.begin; k < segment.end; ++k)
                matrix[i * synapses.outputs + synapses.table->targets[k]] += synapses.weights[k];
        }
    }
    return matrix;
}

struct Case {
    std::string name;
    NeuronRule rule;
};

std::vector<Case> cases() {
    std::vector<Case> all;
    NeuronRule norse;
    norse.membrane = Membrane::relax;
    norse.rest = Rest::E_L;
    all.push_back({"relax, to zero", norse});
    norse.R = Resistance::multiplies;
    norse.leak = Leak::exponential;
    norse.reset = Reset::subtract;
    all.push_back({"relax, R, exponential, subtract", norse});
    NeuronRule late;
    late.reset = Reset::subtract;
    late.reset_time = ResetTime::next_step;
    all.push_back({"decay, subtract in the next step", late});
    late.reset_time = ResetTime::next_step_first;
    all.push_back({"decay, subtract first in the next step", late});
    late.reset = Reset::to_V_reset;
    late.membrane = Membrane::decay_by_division;
    all.push_back({"decay by division, to V_reset first in the next step", late});
    NeuronRule counts;
    counts.leak = Leak::exponential;
    counts.fires_at_threshold = true;
    counts.counts = true;
    counts.reset = Reset::subtract;
    all.push_back({"counts", counts});
    counts.floor = Floor::minus_threshold;
    all.push_back({"counts, with a floor", counts});
    NeuronRule division;
    division.membrane = Membrane::relax_by_division;
    division.rest = Rest::E_L;
    division.reset = Reset::to_V_reset;
    all.push_back({"relax by division, to V_reset", division});
    return all;
}

template <class Hidden, class Output>
void check_gradient(const NeuronRule& rule, bool detach) {
    constexpr bool current = requires(Hidden h) {
        h.tau_syn;
    };
    constexpr bool output_spikes = requires(Output o) {
        o.V_th;
    };
    const SurrogateOptions options = options_of(detach);
    const auto frames = frames_of(3);
    SteppedRule learns(network_of<Hidden, Output>(), rules_of(rule), frames, options);
    const std::vector<double> parameters = learns.initial();
    std::vector<double> gradient(parameters.size(), 0.0);
    const std::vector<std::uint64_t> batch{0, 1, 2};
    const Tally tally = learns.gradient(parameters, batch, gradient, 1);
    double nonzero = 0.0;
    for (std::size_t k = 0; k < parameters.size(); ++k) {
        Dual expected;
        for (const std::uint64_t i : batch)
            expected = expected + loss_of(rule, current, output_spikes, options, parameters, k, *frames, i);
        CAPTURE(k);
        CHECK(tally.loss == doctest::Approx(expected.v).epsilon(1e-12));
        CHECK(gradient[k] == doctest::Approx(expected.d).epsilon(1e-10));
        nonzero += expected.d != 0.0 ? 1.0 : 0.0;
    }
    CHECK(nonzero > 15.0);
    const SurrogateMeasure measure = learns.measure_all(parameters, batch, 2);
    CHECK(measure.tally.loss == tally.loss);
    CHECK(*std::max_element(measure.rates.begin(), measure.rates.end()) > 0.01);
}

std::string refusal(Network network, const NeuronRule& rule, const SurrogateOptions& options = {}) {
    try {
        const SteppedRule learns(std::move(network), rules_of(rule), frames_of(2), options);
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_SUITE("learning/stepped rule") {
    TEST_CASE("gradients of LIF are the tangents of its steps, for every linear rule, spikes or potentials") {
        for (const Case& c : cases()) {
            for (const bool detach : {false, true}) {
                CAPTURE(c.name);
                CAPTURE(detach);
                check_gradient<neurons::Lif, neurons::Li>(c.rule, detach);
                check_gradient<neurons::Lif, neurons::Lif>(c.rule, detach);
            }
        }
    }

    TEST_CASE("and of CubaLIF, for every form of its current") {
        for (const Current current : {Current::relax, Current::decay, Current::add_then_decay,
                                      Current::use_then_decay, Current::low_pass}) {
            NeuronRule rule = cases()[1].rule;
            rule.current = current;
            rule.w_in = InputGain::multiplies;
            CAPTURE(static_cast<int>(current));
            check_gradient<neurons::CubaLif, neurons::Li>(rule, false);
        }
    }

    TEST_CASE("gradients of kernels are sums of those of the matrices that they stand for") {
        const Convolution kernel{.name = "k",
                                 .one_dimensional = false,
                                 .in_channels = 2,
                                 .out_channels = 4,
                                 .groups = 2,
                                 .in_size = {5, 4},
                                 .out_size = {3, 4},
                                 .kernel = {3, 2},
                                 .stride = {2, 1},
                                 .padding = {1, 1},
                                 .dilation = {1, 2},
                                 .padding_same = false,
                                 .weights = some(24, 0.5),
                                 .bias = some(4, 0.2)};
        const Pooling window{"p", Pooling::Kind::average, 4, {3, 4}, {2, 2}, {2, 2}, {1, 2}, {0, 0}};
        const Dense readout{"o", 1, 16, 2, some(32, 0.3), some(2, 0.1)};
        neurons::Lif lif;
        lif.tau_m = tau_m;
        lif.V_th = V_th;
        neurons::Li li;
        li.tau_m = tau_m;
        const std::vector<Population> populations{{"in", {2, 5, 4}, neurons::Input{}},
                                                  {"a", {4, 3, 4}, PerNeuron<neurons::Lif>{lif}},
                                                  {"b", {2}, PerNeuron<neurons::Li>{li}}};
        const std::vector<OutputPort> outputs{{"out", 2}};
        const Projection first{0, 1, {kernel}};
        const Projection second{1, 2, {window, Flatten{"f", {4, 2, 2}, {16}}, readout}};
        const Network kernels(populations, {first, second}, outputs);
        /// The same as matrices; entry (i, j) of a chain is what j gets of i.
        const auto dense = [&](const Projection& projection, const std::vector<double>& bias) {
            const std::vector<double> matrix = matrix_of(kernels, projection);
            const auto inputs = static_cast<std::uint32_t>(populations[projection.source].size());
            const auto n = static_cast<std::uint32_t>(populations[projection.target].size());
            return Projection{projection.source,
                              projection.target,
                              {Flatten{"", populations[projection.source].shape, {inputs}},
                               Dense{"", 1, inputs, n, Weights(matrix), Weights(bias)},
                               Flatten{"", {n}, populations[projection.target].shape}}};
        };
        std::vector<double> bias;
        for (std::size_t j = 0; j < 48; ++j) bias.push_back(kernel.bias[j / 12]);
        const Network matrices(
            populations, {dense(first, bias), dense(second, {readout.bias[0], readout.bias[1]})}, outputs);

        SequentialRandom random(9, 0, 0);
        std::vector<float> values(2 * steps * 40);
        for (float& x : values) x = random.uniform() < 0.4 ? 2.0f : 0.0f;
        const auto frames = std::make_shared<StoredFrames>(FrameLayout{steps, {2, 5, 4}, ms, {"x", "y"}},
                                                           values, std::vector<std::uint32_t>{0, 1});
        const SurrogateOptions options = options_of(false);
        NeuronRule rule;
        SteppedRule of_kernels(kernels, rules_of(rule), frames, options);
        SteppedRule of_matrices(matrices, rules_of(rule), frames, options);
        const std::vector<std::uint64_t> batch{0, 1};
        std::vector<double> mine(of_kernels.initial().size(), 0.0);
        std::vector<double> theirs(of_matrices.initial().size(), 0.0);
        const Tally tally = of_kernels.gradient(of_kernels.initial(), batch, mine, 1);
        CHECK(tally.loss ==
              doctest::Approx(of_matrices.gradient(of_matrices.initial(), batch, theirs, 1).loss));
        REQUIRE(mine.size() == 24 + 4 + 32 + 2);
        REQUIRE(theirs.size() == 40 * 48 + 48 + 48 * 2 + 2);
        double largest = 0.0;
        for (std::size_t k = 0; k < 24; ++k) {
            Convolution one = kernel;
            std::vector<double> weights(24, 0.0);
            weights[k] = 1.0;
            one.weights = Weights(weights);
            const std::vector<double> where = matrix_of(kernels, {0, 1, {one}});
            double sum = 0.0;
            for (std::size_t e = 0; e < where.size(); ++e) sum += where[e] * theirs[e];
            CHECK(mine[k] == doctest::Approx(sum).epsilon(1e-10));
            largest = std::max(largest, std::abs(sum));
        }
        CHECK(largest > 1e-3);
        for (std::size_t o = 0; o < 4; ++o) {
            double sum = 0.0;
            for (std::size_t k = 0; k < 12; ++k) sum += theirs[40 * 48 + 12 * o + k];
            CHECK(mine[24 + o] == doctest::Approx(sum).epsilon(1e-10));
        }
        const std::vector<double> pooled = matrix_of(kernels, {1, 2, {window}});
        for (std::size_t p = 0; p < 16; ++p) {
            for (std::size_t j = 0; j < 2; ++j) {
                double sum = 0.0;
                for (std::size_t i = 0; i < 48; ++i)
                    sum += pooled[16 * i + p] * theirs[40 * 48 + 48 + 2 * i + j];
                CHECK(mine[28 + 2 * p + j] == doctest::Approx(sum).epsilon(1e-10));
            }
        }
    }

    TEST_CASE("gradients have the same bits for any number of threads") {
        const auto frames = frames_of(20);
        std::vector<std::uint64_t> batch(20);
        for (std::uint64_t i = 0; i < 20; ++i) batch[i] = i;
        std::vector<std::vector<double>> gradients;
        for (const unsigned threads : {1u, 2u, 4u}) {
            SteppedRule learns(network_of<neurons::Lif, neurons::Li>(), rules_of(cases()[0].rule), frames,
                               {});
            gradients.emplace_back(learns.initial().size(), 0.0);
            (void)learns.gradient(learns.initial(), batch, gradients.back(), threads);
        }
        CHECK(gradients[0] == gradients[1]);
        CHECK(gradients[0] == gradients[2]);
    }

    TEST_CASE("the network has the parameters that it is given, and runs as measured") {
        const auto frames = frames_of(4);
        SteppedRule learns(network_of<neurons::Lif, neurons::Lif>(), rules_of(cases()[0].rule), frames, {});
        std::vector<double> parameters = learns.initial();
        for (double& x : parameters) x *= 1.25;
        const Network network = learns.network(parameters);
        SteppedRule again(network, rules_of(cases()[0].rule), frames, {});
        CHECK(again.initial() == parameters);
        const std::vector<std::uint64_t> all{0, 1, 2, 3};
        CHECK(again.measure_all(parameters, all, 1).tally.loss ==
              learns.measure_all(parameters, all, 1).tally.loss);
    }

    TEST_CASE("what does not learn is refused with its name") {
        const NeuronRule lif = cases()[0].rule;
        const Network good = network_of<neurons::Lif, neurons::Li>();
        CHECK(refusal(good, lif).empty());
        NeuronRule rule = lif;
        rule.membrane = Membrane::closed_form;
        CHECK_MESSAGE(contains(refusal(good, rule), "a step of 'test' is not linear"), refusal(good, rule));
        rule = lif;
        rule.membrane = Membrane::substep;
        CHECK(contains(refusal(network_of<neurons::Lif, neurons::Lif>(), rule), "is not linear"));
        rule = lif;
        rule.reset = Reset::subtract;
        rule.reset_time = ResetTime::before_and_after;
        CHECK(contains(refusal(good, rule), "'a': the reset of 'test'"));
        SurrogateOptions options;
        options.truncate = 3;
        CHECK(contains(refusal(good, lif, options), "truncate"));
        options = {};
        options.recompute = true;
        CHECK(contains(refusal(good, lif, options), "recompute"));
        options = {};
        options.activity = -1.0;
        CHECK(contains(refusal(good, lif, options), "activity: expected >= 0"));

        std::vector<Population> populations(good.populations().begin(), good.populations().end());
        std::vector<Projection> projections(good.projections().begin(), good.projections().end());
        const std::vector<OutputPort> outputs{{"out", 2}};
        std::vector<Projection> other = projections;
        other[1].stages = {other[1].stages[0], Dense{"x", 1, 3, 3, Weights(std::vector<double>(9, 1.0)), {}},
                           other[1].stages[1]};
        CHECK(contains(refusal({populations, other, outputs}, lif), "a -> a: of several nodes with weights"));
        other[1].stages = {Sparse::of("s", 3, 3, {0}, {1}, {0.5}, {ms})};
        CHECK(contains(refusal({populations, other, outputs}, lif), "a -> a: a "));
        other = projections;
        std::get<Dense>(other[1].stages[0]).name = "w";
        CHECK(contains(refusal({populations, other, outputs}, lif), "'w'"));
        other = projections;
        std::get<Delay>(other[1].stages[1]).delays = {ms, ms, Duration(2 * ms.femtoseconds())};
        CHECK(contains(refusal({populations, other, outputs}, lif), "delays that differ"));
        CHECK(contains(refusal({populations, projections, {}}, lif), "expected one output"));
        CHECK(contains(refusal({populations, projections, {{"out", 1}}}, lif), "expected 3 classes"));
    }
}
