// First spikes in closed form against the exact clock and its gradients: the formulas of the rules that need
// them, for the neurons that `saltus train exact --neuron` names. V = sum of w D(t - a) over the arrivals
// that cause the spike, E = e^{a/tau}.
//
//   linear_once      D = x/tau                    t = (theta tau + sum w a) / sum w     (ReL-PSP, Zhang 2020)
//   if_once          D = 1 - e^{-x/tau}           e^{t/tau} = sum w E / (sum w - theta)         (Mostafa
//   2017) lif_double_once  D = e^{-x/2tau} - e^{-x/tau}  tau_m = 2 tau            (Goltz et al. 2021)
//                    t = 2 tau log(2 A / (B + sqrt(B^2 - 4 A theta))), A = sum w E, B = sum w sqrt(E)
//   lif_equal_once   D = x/tau e^{-x/tau}         V(t) = theta at the t of the clock  (Comsa et al. 2020)
//
// dt/dw = -D/V', dt/da = w D'/V', dt/dtheta = 1/V' (the implicit function theorem).
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "saltus/engine/learning/event_prop.hpp"
#include "saltus/engine/network_builder.hpp"

namespace saltus::learning {
namespace {

constexpr double tau = 5e-3;
constexpr double endless = 1e30;
const std::vector<double> weights{1.3, 0.9, -0.4, 2.1};
const std::vector<double> arrivals{1e-3, 2e-3, 2.5e-3, 4e-3};

struct Form {
    double tau_m;
    double tau_syn;
    double C_m;
    double theta;
    double (*D)(double);
    double (*slope)(double);
};

/// Of one neuron that all inputs reach: its first spike, and the gradient of its time.
Gradient found_of(const Form& form) {
    NetworkBuilder build;
    build.input("in", {4});
    build.population("out", {1}, "lif_exp",
                     {{"tau_m", form.tau_m},
                      {"tau_syn", form.tau_syn},
                      {"C_m", form.C_m},
                      {"V_th", form.theta},
                      {"t_ref", 0.1}});
    build.connect("in", "out", ConnectionMatrix{4, 1, weights, 0.0});
    SpikeTrain train;
    for (std::uint32_t i = 0; i < 4; ++i) train.add(Time(duration_from_seconds(arrivals[i])), i);
    // dL/dt = 1 at the spike.
    const auto run = [&](double target) {
        return gradient(build.network(), {{"in", train}}, *spike_time_loss({{"out", 0, 0, target}}),
                        {.duration = Duration(100'000'000'000'000)});
    };
    return run(run(0.0).spikes[1][0][0] - 1.0);
}

void check(const Form& form, double expected) {
    const Gradient found = found_of(form);
    const double t = found.spikes[1][0][0];
    REQUIRE(t > arrivals.back());
    if (expected > 0.0) CHECK(t == doctest::Approx(expected).epsilon(1e-13));
    double V = 0.0;
    double slope = 0.0;
    for (std::size_t i = 0; i < 4; ++i) {
        V += weights[i] * form.D(t - arrivals[i]);
        slope += weights[i] * form.slope(t - arrivals[i]);
    }
    CHECK(V == doctest::Approx(form.theta).epsilon(1e-12));
    for (std::size_t i = 0; i < 4; ++i) {
        CAPTURE(i);
        CHECK(found.projections[0][0].weights[i] ==
              doctest::Approx(-form.D(t - arrivals[i]) / slope).epsilon(1e-10));
        CHECK(found.times[0][i][0] ==
              doctest::Approx(weights[i] * form.slope(t - arrivals[i]) / slope).epsilon(1e-10));
    }
    CHECK(found.populations[1].at("V_th")[0] == doctest::Approx(1.0 / slope).epsilon(1e-10));
}

TEST_SUITE("learning/first_spike_forms") {
    TEST_CASE("without leak and decay the sum of the causal weights decides") {
        double w = 0.0;
        double wa = 0.0;
        for (std::size_t i = 0; i < 4; ++i) {
            w += weights[i];
            wa += weights[i] * arrivals[i];
        }
        check(
            {endless, endless, tau, 3.5, [](double x) { return x / tau; }, [](double) { return 1.0 / tau; }},
            (3.5 * tau + wa) / w);
    }
    TEST_CASE("without leak the exponential of the spike time is a quotient") {
        double w = 0.0;
        double wE = 0.0;
        for (std::size_t i = 0; i < 4; ++i) {
            w += weights[i];
            wE += weights[i] * std::exp(arrivals[i] / tau);
        }
        check({endless, tau, tau, 2.4, [](double x) { return -std::expm1(-x / tau); },
               [](double x) { return std::exp(-x / tau) / tau; }},
              tau * std::log(wE / (w - 2.4)));
    }
    TEST_CASE("a membrane twice as slow as the synapse is a quadratic equation") {
        double A = 0.0;
        double B = 0.0;
        for (std::size_t i = 0; i < 4; ++i) {
            A += weights[i] * std::exp(arrivals[i] / tau);
            B += weights[i] * std::exp(arrivals[i] / (2 * tau));
        }
        const double theta = 0.8;
        check({2 * tau, tau, 2 * tau, theta,
               [](double x) { return std::exp(-x / (2 * tau)) - std::exp(-x / tau); },
               [](double x) { return (std::exp(-x / tau) - 0.5 * std::exp(-x / (2 * tau))) / tau; }},
              2 * tau * std::log(2 * A / (B + std::sqrt(B * B - 4 * A * theta))));
    }
    TEST_CASE("a membrane as slow as the synapse: the clock finds the root of the double exponential") {
        check({tau, tau, tau, 1.1, [](double x) { return x / tau * std::exp(-x / tau); },
               [](double x) { return (1.0 - x / tau) * std::exp(-x / tau) / tau; }},
              0.0);
    }
    TEST_CASE("any two time constants: the implicit function theorem") {
        check({20e-3, tau, 20e-3, 0.45,
               [](double x) { return (std::exp(-x / 20e-3) - std::exp(-x / tau)) * tau / (20e-3 - tau); },
               [](double x) {
                   return (std::exp(-x / tau) / tau - std::exp(-x / 20e-3) / 20e-3) * tau / (20e-3 - tau);
               }},
              0.0);
    }
}

}  // namespace
}  // namespace saltus::learning
