// A layer of equal CubaLif or CubaLi neurons that all receive the same spikes at the same times: each source
// reaches every neuron, without delay. The flow from one arrival to the next then has the same factors for
// all, and a synaptic event is one addition. The formulas are those of linear_neuron.hpp and neuron_tape.hpp,
// and so are the results, to rounding (tests/unit/engine/learning).
//
// With u = V - E, from one arrival to the next, x later:
//   u1 = u e^{-bx} + I g k(x),   I1 = I e^{-ax}
// A neuron that is below the threshold at both ends has crossed between them only if it rose first and fell
// last; V'' < 0 while V rises and I > 0, and V does not turn from rising to falling if I <= 0, so u + u' x is
// a bound, and so is max(u, 0) + g I max k. Only where both reach the threshold is the crossing
// looked for: of neurons that are above it at the next arrival by Halley's method, many at once, else as the
// model does it (cuba_lif.hpp). The exponentials at a spike are kept for the way back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "linear_neuron.hpp"
#include "saltus/engine/learning/losses.hpp"

namespace saltus::learning {

/// Arrivals in the order of time, with the instants at which they come.
struct ArrivalTimes {
    std::vector<std::uint32_t> source;  // of each arrival
    std::vector<double> instant;        // [s] distinct times
    std::vector<std::uint32_t> begin;   // of each instant: its first arrival; and their number

    void clear();
    void add(double t, std::uint32_t from);
    /// After the last.
    void close() { begin.push_back(static_cast<std::uint32_t>(source.size())); }
};

class SharedLayer {
  public:
    static constexpr std::size_t lanes = 8;

    struct Spike {
        double time;  // [s]
        double slope;
        double I;
        double since;  // the instant before it
        double m;      // e^{-b since}
        double s;      // e^{-a since}
        std::uint32_t neuron;
        std::uint32_t instant;
    };

    /// What one sample leaves of a layer, and what its way back needs.
    struct Run {
        ArrivalTimes arrivals;
        double end = 0.0;
        std::vector<Spike> spikes;           // by instant
        std::vector<double> spike_errors;    // dL/dt of each, from outside
        std::vector<double> pulls;           // of each neuron, or none: NeuronSeeds::pull
        std::vector<double> arrival_errors;  // dL/dt of each arrival, from within
        std::vector<double> values;          // readout: of each neuron
        std::vector<double> value_errors;    // dL/d of each
        std::uint64_t bounded = 0;

        struct Factors {
            double x = 0.0;
            double m = 0.0;   // e^{-bx}
            double s = 0.0;   // e^{-ax}
            double gk = 0.0;  // g k(x)
            double F = 0.0;   // of the loss's integral, times its weight at the instant
            double gK = 0.0;
            double E = 0.0;  // integral of the weight
        };
        std::vector<Factors> factors;  // of each instant
        struct Peak {
            double u = 0.0;
            std::uint32_t instant = 0;
            double since = 0.0;
            double slope = 0.0;  // where an arrival is: V' before it
        };
        std::vector<Peak> peaks;  // of each neuron

        // Of each neuron, at an instant and the next: V - E and I, p and q.
        std::vector<double> now[2];
        std::vector<double> next[2];
        std::vector<double> above;  // not negative where a neuron may have crossed
        std::vector<char> fired;    // of each neuron that fires once

        // On the way back: neurons that anything is worth to, by lanes of them.
        std::vector<char> counts;          // of each neuron
        std::vector<std::uint32_t> lanes;  // the first neurons of those lanes in which one counts

        /// Neurons that cross after an instant: u and I there, how long it is to the next instant and the
        /// exponentials of that; then the crossing, as in Spike, what u comes to after it, and whether it
        /// has been found.
        struct Crossings {
            std::vector<std::uint32_t> neuron, instant, spike;
            std::vector<double> u, I, length, end_m, end_s;
            std::vector<double> since, m, s, after, found;
            // Neurons that may have crossed, but are below the threshold at the next instant.
            std::vector<std::uint32_t> falling;
            std::vector<double> falling_u, falling_I, top;
        } crossings;
    };

    /// A neuron's parameters; once: each fires at most once. `readout` is null unless the loss is one of
    /// potentials.
    SharedLayer(const LinearNeuron& neuron, std::uint32_t sources, std::uint32_t size, bool once,
                const ClassLoss* readout);

    [[nodiscard]] std::uint32_t size() const { return size_; }
    [[nodiscard]] std::uint32_t sources() const { return sources_; }
    /// Values of a row of weights, the last of which are 0.
    [[nodiscard]] std::size_t stride() const { return stride_; }
    [[nodiscard]] std::size_t weight_count() const { return stride_ * sources_; }
    /// From source i to neuron j: weights[i source_stride + j neuron_stride].
    void set_weights(std::span<const double> weights, std::size_t source_stride, std::size_t neuron_stride);

    /// From run.arrivals to run.spikes or run.values.
    void forward(Run& run) const;
    /// From run.spike_errors or run.value_errors to dL/dw, which is added to `by_weight` [source][stride],
    /// and, if `times`, to run.arrival_errors.
    void backward(Run& run, std::span<double> by_weight, bool times, double largest_factor) const;

  private:
    void prepare(Run& run) const;
    void find_who_counts(Run& run) const;
    void cross_all(Run& run, std::uint32_t instant) const;
    void look(Run& run, std::uint32_t instant, std::uint32_t neuron, double u, double I, double at,
              double& u1, double I1) const;
    void wait(Run& run, std::uint32_t instant, std::uint32_t neuron) const;
    void find_all(Run& run) const;
    void find_slowly(Run::Crossings& all, std::size_t l) const;
    [[nodiscard]] Spike spike(const Run& run, std::uint32_t instant, std::uint32_t neuron, double since,
                              double m, double s, double I) const;
    [[nodiscard]] double first_crossing(const neurons::CubaLif::State& state,
                                        const neurons::CubaLif::State& end, double length) const;
    [[nodiscard]] double response_of(double m, double s, double x) const;
    [[nodiscard]] double crossing(const neurons::CubaLif::State& state, const neurons::CubaLif::State& end,
                                  double length) const;
    void pass_between(const Run::Factors& f, const Spike* from, const Spike* to, Adjoint& at) const;
    void cross(Run& run, const Spike& spike, double error, double largest_factor, Adjoint& at) const;
    void peak(Run& run, std::uint32_t instant, std::uint32_t neuron, double u, double I, double u1,
              double slope1) const;

    LinearNeuron n_;
    double E_;
    double u_th_;
    double u_reset_;
    double u_0_;
    double g_k_max_;
    bool apart_;  // a and b differ so much that e^{-as} - e^{-bs} has all digits that V needs
    std::uint32_t sources_;
    std::uint32_t size_;
    std::size_t stride_;
    bool once_;
    bool integrates_ = false;
    bool peaks_ = false;
    double mu_ = 0.0;
    neurons::CubaLif::Constants constants_;
    std::vector<double> weights_;  // J w
};

}  // namespace saltus::learning
