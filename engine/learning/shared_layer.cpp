#include "shared_layer.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "../exponential.hpp"
#include "../simulation/kernels.hpp"

namespace saltus::learning {

namespace {

using neurons::detail::response;

constexpr std::size_t lanes = SharedLayer::lanes;
using Factors = SharedLayer::Run::Factors;
constexpr double most_exponent = 500.0;  // up to here quotients of exponentials are finite
constexpr double far_below = -1e30;      // V of a neuron that has fired once

/// What comes when: rows of `stride` values, a multiple of lanes and the number of neurons, of the sources
/// that arrive at each instant.
template <class T>
struct Rows {
    T* first;
    std::size_t stride;
    const std::uint32_t* source;
    const std::uint32_t* begin;

    Rows(T* values, std::size_t the_stride, const ArrivalTimes& arrivals)
        : first(values), stride(the_stride), source(arrivals.source.data()), begin(arrivals.begin.data()) {}
    [[gnu::always_inline]] T* of(std::uint32_t arrival) const { return first + source[arrival] * stride; }
};
struct Coefficients {
    double a, b, g, u_th, u_reset, g_k_max;
};

double smaller(double a, double b) {
    return a < b ? a : b;
}
double larger(double a, double b) {
    return a > b ? a : b;
}

/// Of time constants that are apart, and exponents that kernels::exponential takes.
SALTUS_VECTOR_VERSIONS
void find_factors(std::size_t n, const Coefficients& coefficients, Factors* __restrict factors) {
    const Coefficients c = coefficients;
    const double per_difference = c.g / (c.b - c.a);
#pragma omp simd
    for (std::size_t k = 0; k < n; ++k) {
        Factors& f = factors[k];
        f.m = kernels::exponential(-c.b * f.x);
        f.s = kernels::exponential(-c.a * f.x);
        f.gk = (f.s - f.m) * per_difference;
    }
}

/// Lanes of neurons, by the first of each.
struct Groups {
    const std::uint32_t* first;
    std::size_t count;

    explicit Groups(const std::vector<std::uint32_t>& all) : first(all.data()), count(all.size()) {}
};

/// Where the neurons are at an instant, and at the next; above is not negative where one may have crossed
/// in between.
struct Flow {
    double* u;
    double* I;
    double* u1;
    double* I1;
    double* above;
};

/// From instant `first` on, I += rows and all neurons go on to the next instant, up to the first between
/// which and the next one may have crossed, or `end`: returns it. u and I have changed places with u1 and I1
/// once for each instant before it.
SALTUS_VECTOR_VERSIONS
std::uint32_t advance(const Rows<const double>& rows, const Factors* factors, const Coefficients& n,
                      std::uint32_t first, std::uint32_t end, const Flow& flow) {
    const std::size_t stride = rows.stride;
    double* __restrict u = flow.u;
    double* __restrict I = flow.I;
    double* __restrict u1 = flow.u1;
    double* __restrict I1 = flow.I1;
    double* __restrict above = flow.above;
    const double b = n.b;
    const double g = n.g;
    const double u_th = n.u_th;
    const double g_k_max = n.g_k_max;
    for (std::uint32_t k = first; k < end; ++k) {
        const std::uint32_t arrivals_end = rows.begin[k + 1];
        std::uint32_t a = rows.begin[k];
        for (; a + 1 < arrivals_end; ++a) {
            const double* __restrict row = rows.of(a);
            for (std::size_t l = 0; l < stride; ++l) I[l] += row[l];
        }
        const Factors f = factors[k];
        // Where it would be at the next instant if it went on as it begins.
        const double tangent_u = 1.0 - b * f.x;
        const double tangent_I = g * f.x;
        double high = -std::numeric_limits<double>::infinity();
        const auto go_on = [&](std::size_t l) __attribute__((always_inline)) {
            u1[l] = u[l] * f.m + I[l] * f.gk;
            I1[l] = I[l] * f.s;
            return larger(u[l] * tangent_u + I[l] * tangent_I, u1[l]);
        };
        if (a < arrivals_end) {  // the last one on the way
            const double* __restrict row = rows.of(a);
#pragma omp simd reduction(max : high)
            for (std::size_t l = 0; l < stride; ++l) {
                I[l] += row[l];
                high = larger(go_on(l), high);
            }
        } else {
#pragma omp simd reduction(max : high)
            for (std::size_t l = 0; l < stride; ++l) high = larger(go_on(l), high);
        }
        if (high >= u_th) {
            high = -1.0;
#pragma omp simd reduction(max : high)
            for (std::size_t l = 0; l < stride; ++l) {
                const double slope = g * I[l] - b * u[l];
                const double slope_end = g * I1[l] - b * u1[l];
                const double bound =
                    smaller(u[l] + slope * f.x, larger(u[l], 0.0) + larger(I[l], 0.0) * g_k_max);
                // Not negative where it rises first, falls last, and the bound reaches the threshold.
                const double turns = smaller(smaller(slope, -slope_end), bound - u_th);
                above[l] = larger(u1[l] - u_th, turns);
                high = larger(above[l], high);
            }
            if (high >= 0.0) return k;
        }
        std::swap(u, u1);
        std::swap(I, I1);
    }
    return end;
}

std::size_t whole_lanes(std::size_t count) {
    return (count + lanes - 1) / lanes * lanes;
}

double size(double a) {
    return larger(a, -a);
}
double within(double x, double end) {
    return smaller(larger(x, 0.0), end);
}

/// Of the search for the threshold, x after an instant.
struct Step {
    double length;
    double slope;
    double curvature;
};
[[gnu::always_inline]] inline Step halley(const Coefficients& c, double per_difference, double u, double g,
                                          double x) {
    const double e_a = kernels::exponential(-c.a * x);
    const double e_b = kernels::exponential(-c.b * x);
    const double V = u * e_b + g * (e_a - e_b) * per_difference;
    const double slope = g * e_a - c.b * V;
    const double curvature = -c.a * g * e_a - c.b * slope;
    const double excess = V - c.u_th;
    return {-2.0 * excess * slope / (2.0 * slope * slope - excess * curvature), slope, curvature};
}

/// The largest u of neurons that rise at an instant and fall at the next.
SALTUS_VECTOR_VERSIONS
void find_tops(std::size_t n, const Coefficients& coefficients, const double* __restrict u,
               const double* __restrict I, double* __restrict top) {
    const Coefficients c = coefficients;
    const double per_difference = 1.0 / (c.b - c.a);
#pragma omp simd
    for (std::size_t l = 0; l < n; ++l) {
        const double g = c.g * I[l];
        const double x =
            kernels::logarithm(1.0 + (c.b - c.a) * (g - c.b * u[l]) / (c.a * g)) * per_difference;
        const double e_a = kernels::exponential(-c.a * x);
        const double e_b = kernels::exponential(-c.b * x);
        top[l] = u[l] * e_b + g * (e_a - e_b) * per_difference;
    }
}

/// Where neurons cross the threshold that are below it at an instant, and what u comes to at the next after a
/// reset there. found is not negative where that is certain: an error in V that is small beside the slope,
/// and a bend that is, too, leave no doubt that a root is near, and no other comes before it while V rises.
SALTUS_VECTOR_VERSIONS
void find_crossings(std::size_t n, const Coefficients& coefficients, const double* __restrict length,
                    const double* __restrict end_m, const double* __restrict end_s,
                    const double* __restrict u, const double* __restrict I, double* __restrict since,
                    double* __restrict m, double* __restrict s, double* __restrict after,
                    double* __restrict found) {
    const Coefficients c = coefficients;
    const double per_difference = 1.0 / (c.b - c.a);
#pragma omp simd
    for (std::size_t l = 0; l < n; ++l) {
        const double g = c.g * I[l];
        // The parabola at the start, its root by a continued fraction.
        const double rise = g - c.b * u[l];
        const double half_bend = 0.5 * (-c.a * g - c.b * rise);
        const double height = c.u_th - u[l];
        double x = height / (rise + half_bend * height / rise);
        x = height / (rise + half_bend * x);
        x = within(height / (rise + half_bend * x), length[l]);
        x = within(x + halley(c, per_difference, u[l], g, x).length, length[l]);
        x = within(x + halley(c, per_difference, u[l], g, x).length, length[l]);
        const Step last = halley(c, per_difference, u[l], g, x);
        const double miss =
            larger(size(last.length) - 1e-6 * x, size(last.length * last.curvature) - 1e-6 * last.slope);
        x = within(x + last.length, length[l]);
        const double e_a = kernels::exponential(-c.a * x);
        const double e_b = kernels::exponential(-c.b * x);
        const double left_a = end_s[l] / e_a;
        const double left_b = end_m[l] / e_b;
        since[l] = x;
        m[l] = e_b;
        s[l] = e_a;
        after[l] = c.u_reset * left_b + g * e_a * (left_a - left_b) * per_difference;
        found[l] = -miss;
    }
}

/// From the next instant to this one; c: what a unit of V is worth to a loss.
[[gnu::always_inline]] inline void step_back(const Groups& groups, const Factors& f,
                                             const double* __restrict c, double* __restrict p,
                                             double* __restrict q) {
    for (std::size_t j = 0; j < groups.count; ++j) {
        double* __restrict p_of = p + groups.first[j];
        double* __restrict q_of = q + groups.first[j];
#pragma omp simd
        for (std::size_t l = 0; l < lanes; ++l) {
            q_of[l] = q_of[l] * f.s + f.gk * p_of[l];
            p_of[l] = p_of[l] * f.m;
        }
        if (!c) continue;
        const double* __restrict c_of = c + groups.first[j];
#pragma omp simd
        for (std::size_t l = 0; l < lanes; ++l) {
            q_of[l] += c_of[l] * f.gK;
            p_of[l] += c_of[l] * f.F;
        }
    }
}

/// What comes of the arrivals at instant k: by_weight += J q, and, if asked for, what moving each is worth,
/// the sum over the neurons of J w (a q - g p), in a fixed order.
[[gnu::always_inline]] inline void pass_arrivals(const Rows<const double>& rows,
                                                 const Rows<double>& by_weight, const Groups& groups,
                                                 const Coefficients& n, double J, std::uint32_t k,
                                                 const double* __restrict p, const double* __restrict q,
                                                 double* __restrict by_time) {
    for (std::uint32_t a = rows.begin[k]; a < rows.begin[k + 1]; ++a) {
        double* __restrict to = by_weight.of(a);
        for (std::size_t j = 0; j < groups.count; ++j) {
            double* __restrict to_of = to + groups.first[j];
            const double* __restrict q_of = q + groups.first[j];
#pragma omp simd
            for (std::size_t l = 0; l < lanes; ++l) to_of[l] += J * q_of[l];
        }
        if (!by_time) continue;
        const double* __restrict row = rows.of(a);
        double e[lanes] = {};
        for (std::size_t j = 0; j < groups.count; ++j) {
            const double* __restrict row_of = row + groups.first[j];
            const double* __restrict p_of = p + groups.first[j];
            const double* __restrict q_of = q + groups.first[j];
#pragma omp simd
            for (std::size_t l = 0; l < lanes; ++l) e[l] += row_of[l] * (n.a * q_of[l] - n.g * p_of[l]);
        }
        by_time[a] += ((e[0] + e[4]) + (e[1] + e[5])) + ((e[2] + e[6]) + (e[3] + e[7]));
    }
}

/// The adjoint after instant `end` - 1 to that before instant `first`, where no spike is between them.
SALTUS_VECTOR_VERSIONS
void go_back(const Rows<const double>& rows, const Rows<double>& by_weight, const Groups& groups,
             const Factors* factors, const Coefficients& n, double J, std::uint32_t first, std::uint32_t end,
             const double* __restrict c, double* __restrict p, double* __restrict q, double* by_time) {
    for (std::uint32_t k = end; k-- > first;) {
        step_back(groups, factors[k], c, p, q);
        pass_arrivals(rows, by_weight, groups, n, J, k, p, q, by_time);
    }
}

/// The same for an instant after which neurons fire.
SALTUS_VECTOR_VERSIONS
void step_back_all(const Groups& groups, const Factors& f, const double* __restrict c, double* __restrict p,
                   double* __restrict q) {
    step_back(groups, f, c, p, q);
}
SALTUS_VECTOR_VERSIONS
void pass_all_arrivals(const Rows<const double>& rows, const Rows<double>& by_weight, const Groups& groups,
                       const Coefficients& n, double J, std::uint32_t k, const double* __restrict p,
                       const double* __restrict q, double* by_time) {
    pass_arrivals(rows, by_weight, groups, n, J, k, p, q, by_time);
}

}  // namespace

void ArrivalTimes::clear() {
    source.clear();
    instant.clear();
    begin.clear();
}

void ArrivalTimes::add(double t, std::uint32_t from) {
    if (instant.empty() || t > instant.back()) {
        instant.push_back(t);
        begin.push_back(static_cast<std::uint32_t>(source.size()));
    }
    source.push_back(from);
}

SharedLayer::SharedLayer(const LinearNeuron& neuron, std::uint32_t sources, std::uint32_t size, bool once,
                         const ClassLoss* readout)
    : n_(neuron),
      E_(neuron.d / neuron.b),
      u_th_(neuron.V_th - E_),
      u_reset_(neuron.V_reset - E_),
      u_0_(neuron.V_0 - E_),
      g_k_max_(neuron.g * neurons::detail::largest_response(neuron.a, neuron.b)),
      apart_(std::abs(neuron.a - neuron.b) >= 0.1 * std::max(neuron.a, neuron.b)),
      sources_(sources),
      size_(size),
      stride_((size + lanes - 1) / lanes * lanes),
      once_(once),
      constants_{neuron.a, neuron.b, E_, neuron.g, neuron.J, 0.0},
      weights_(stride_ * sources, 0.0) {
    if (!readout) return;
    integrates_ = readout->kind == ClassLoss::Kind::mean_potential;
    peaks_ = readout->kind == ClassLoss::Kind::largest_potential;
    mu_ = readout->decay > 0.0 ? 1.0 / readout->decay : 0.0;
}

void SharedLayer::set_weights(std::span<const double> weights, std::size_t source_stride,
                              std::size_t neuron_stride) {
    for (std::size_t i = 0; i < sources_; ++i) {
        for (std::size_t j = 0; j < size_; ++j)
            weights_[i * stride_ + j] = n_.J * weights[i * source_stride + j * neuron_stride];
    }
}

void SharedLayer::prepare(Run& run) const {
    // Before the first arrival neurons move only if they do not rest.
    ArrivalTimes& arrivals = run.arrivals;
    if (u_0_ != 0.0 && (arrivals.instant.empty() || arrivals.instant.front() > 0.0)) {
        arrivals.instant.insert(arrivals.instant.begin(), 0.0);
        arrivals.begin.insert(arrivals.begin.begin(), 0u);
    }
    const std::size_t n = arrivals.instant.size();
    run.factors.resize(n);
    double longest = 0.0;
    for (std::size_t k = 0; k < n; ++k) {
        const double next = k + 1 < n ? arrivals.instant[k + 1] : run.end;
        run.factors[k].x = next - arrivals.instant[k];
        longest = larger(longest, run.factors[k].x);
    }
    if (apart_ && std::max(n_.a, n_.b) * longest < most_exponent) {
        find_factors(n, {n_.a, n_.b, n_.g, u_th_, u_reset_, g_k_max_}, run.factors.data());
    } else {
        for (Factors& f : run.factors) {
            f.m = std::exp(-n_.b * f.x);
            f.s = std::exp(-n_.a * f.x);
            f.gk = n_.g * response(n_.a, n_.b, f.x);
        }
    }
    for (std::size_t k = 0; integrates_ && k < n; ++k) {
        Factors& f = run.factors[k];
        const double x = f.x;
        const PotentialIntegral integral(n_, mu_, x);
        const double weight = std::exp(-mu_ * arrivals.instant[k]);
        f.F = weight * integral.F;
        f.gK = weight * n_.g * integral.K;
        f.E = weight * response(mu_, 0.0, x);
    }
}

void SharedLayer::forward(Run& run) const {
    prepare(run);
    const ArrivalTimes& arrivals = run.arrivals;
    run.spikes.clear();
    const double before = arrivals.instant.empty() ? run.end : arrivals.instant.front();  // at rest
    run.values.assign(integrates_ || peaks_ ? stride_ : 0, E_ * response(mu_, 0.0, before));
    if (peaks_) run.peaks.assign(stride_, {u_0_});
    auto& [u, I] = run.now;
    auto& [u1, I1] = run.next;
    u.assign(stride_, u_0_);
    I.assign(stride_, 0.0);
    u1.resize(stride_);
    I1.resize(stride_);
    run.above.resize(stride_);
    run.fired.assign(once_ ? size_ : 0, 0);
    const Rows<const double> rows(weights_.data(), stride_, arrivals);
    const auto instants = static_cast<std::uint32_t>(arrivals.instant.size());
    for (std::uint32_t k = 0; k < instants; ++k) {
        // What a readout sums has to be seen at each instant.
        const std::uint32_t end = integrates_ || peaks_ ? k + 1 : instants;
        const std::uint32_t stop =
            advance(rows, run.factors.data(), {n_.a, n_.b, n_.g, u_th_, u_reset_, g_k_max_}, k, end,
                    {u.data(), I.data(), u1.data(), I1.data(), run.above.data()});
        if ((std::min(stop + 1, end) - k - 1) % 2 != 0) {
            u.swap(u1);
            I.swap(I1);
        }
        k = std::min(stop, end - 1);
        if (stop < end) cross_all(run, k);
        const Factors& f = run.factors[k];
        for (std::size_t i = 0; integrates_ && i < stride_; ++i)
            run.values[i] += E_ * f.E + u[i] * f.F + I[i] * f.gK;
        for (std::uint32_t i = 0; peaks_ && i < size_; ++i)
            peak(run, k, i, u[i], I[i], u1[i], n_.g * I1[i] - n_.b * u1[i]);
        u.swap(u1);
        I.swap(I1);
        if (once_ && run.spikes.size() == size_) break;  // nobody is left to fire
    }
    find_all(run);
    for (std::size_t i = 0; peaks_ && i < stride_; ++i) run.values[i] = E_ + run.peaks[i].u;
    run.values.resize(std::min<std::size_t>(run.values.size(), size_));
}

/// Of a state that is below the threshold, and the one `length` later that is not: seconds until it crosses.
double SharedLayer::crossing(const neurons::CubaLif::State& state, const neurons::CubaLif::State& end,
                             double length) const {
    const double rise = n_.slope(state.V, state.I);
    const double rise_end = n_.slope(end.V, end.I);
    double start = 0.0;
    if (rise > 0.0 && rise_end > 0.0) {  // the cubic through both ends, of time over V
        const double height = end.V - state.V;
        const double y = (n_.V_th - state.V) / height;
        start = y * y * (3.0 - 2.0 * y) * length + y * (1.0 - y) * height * ((1.0 - y) / rise - y / rise_end);
        if (!(start > 0.0 && start < length)) start = 0.0;
    }
    return neurons::crossing_between(constants_, state, n_.V_th, 0.0, length, start);
}

/// e^{-as} and e^{-bs} of a time x, and g times the response to a current.
double SharedLayer::response_of(double m, double s, double x) const {
    return n_.g * (apart_ ? (s - m) / (n_.b - n_.a) : response(n_.a, n_.b, x));
}

/// Of the neurons that may cross after an instant: those that do not are passed over, those of whom it is not
/// clear are looked at one by one, the others wait for find_all. That is now where a neuron goes on from its
/// reset, else at the end of the sample.
void SharedLayer::cross_all(Run& run, std::uint32_t instant) const {
    const Factors& f = run.factors[instant];
    auto& [u, I] = run.now;
    auto& [u1, I1] = run.next;
    Run::Crossings& all = run.crossings;
    const bool together = apart_ && std::max(n_.a, n_.b) * f.x < most_exponent;
    all.falling.clear();
    for (std::uint32_t i = 0; i < size_; ++i) {
        if (!(run.above[i] >= 0.0)) continue;
        if (once_ && run.fired[i] != 0) {  // what kept it down has decayed
            u1[i] = far_below;
        } else if (!together || u[i] >= u_th_) {
            look(run, instant, i, u[i], I[i], 0.0, u1[i], I1[i]);
        } else if (u1[i] >= u_th_) {
            wait(run, instant, i);
        } else {
            all.falling.push_back(i);
        }
    }
    if (!all.falling.empty()) {  // below the threshold at both ends: their top tells
        const std::size_t n = all.falling.size();
        for (std::vector<double>* values : {&all.falling_u, &all.falling_I, &all.top})
            values->resize(std::max(whole_lanes(n), values->size()));
        for (std::size_t l = 0; l < n; ++l) {
            all.falling_u[l] = u[all.falling[l]];
            all.falling_I[l] = I[all.falling[l]];
        }
        find_tops(whole_lanes(n), {n_.a, n_.b, n_.g, u_th_, u_reset_, g_k_max_}, all.falling_u.data(),
                  all.falling_I.data(), all.top.data());
        const double doubt = 1e-9 * std::max(std::abs(u_th_), 1.0);
        for (std::size_t l = 0; l < n; ++l) {
            const std::uint32_t i = all.falling[l];
            if (all.top[l] < u_th_ - doubt) continue;
            if (all.top[l] > u_th_ + doubt) {
                wait(run, instant, i);
            } else {
                look(run, instant, i, u[i], I[i], 0.0, u1[i], I1[i]);
            }
        }
    }
    if (!once_) find_all(run);
}

/// A neuron that certainly crosses after an instant.
void SharedLayer::wait(Run& run, std::uint32_t instant, std::uint32_t neuron) const {
    const Factors& f = run.factors[instant];
    Run::Crossings& all = run.crossings;
    all.neuron.push_back(neuron);
    all.instant.push_back(instant);
    all.spike.push_back(static_cast<std::uint32_t>(run.spikes.size()));
    all.u.push_back(run.now[0][neuron]);
    all.I.push_back(run.now[1][neuron]);
    all.length.push_back(f.x);
    all.end_m.push_back(f.m);
    all.end_s.push_back(f.s);
    if (!once_) return;
    run.next[0][neuron] = far_below;
    run.fired[neuron] = 1;
    run.spikes.emplace_back();  // its place in the order
}

void SharedLayer::find_all(Run& run) const {
    Run::Crossings& all = run.crossings;
    const std::size_t n = all.neuron.size();
    if (n == 0) return;
    for (std::vector<double>* values : {&all.u, &all.I, &all.length, &all.end_m, &all.end_s})
        values->resize(whole_lanes(n), values->back());
    for (std::vector<double>* values : {&all.since, &all.m, &all.s, &all.after, &all.found})
        values->resize(whole_lanes(n));
    find_crossings(whole_lanes(n), {n_.a, n_.b, n_.g, u_th_, u_reset_, g_k_max_}, all.length.data(),
                   all.end_m.data(), all.end_s.data(), all.u.data(), all.I.data(), all.since.data(),
                   all.m.data(), all.s.data(), all.after.data(), all.found.data());
    for (std::size_t l = 0; l < n; ++l) {
        const std::uint32_t i = all.neuron[l];
        const std::uint32_t instant = all.instant[l];
        const bool found = all.found[l] >= 0.0;
        if (once_) {
            if (!found) find_slowly(all, l);
            run.spikes[all.spike[l]] =
                spike(run, instant, i, all.since[l], all.m[l], all.s[l], all.I[l] * all.s[l]);
            continue;
        }
        double& u1 = run.next[0][i];
        const double I1 = run.next[1][i];
        if (!found) {
            look(run, instant, i, all.u[l], all.I[l], 0.0, u1, I1);
            continue;
        }
        const double I_then = all.I[l] * all.s[l];
        run.spikes.push_back(spike(run, instant, i, all.since[l], all.m[l], all.s[l], I_then));
        u1 = all.after[l];
        look(run, instant, i, u_reset_, I_then, all.since[l], u1, I1);
    }
    for (std::vector<std::uint32_t>* values : {&all.neuron, &all.instant, &all.spike}) values->clear();
    for (std::vector<double>* values : {&all.u, &all.I, &all.length, &all.end_m, &all.end_s}) values->clear();
}

/// As the model does it, where many at once are not certain.
void SharedLayer::find_slowly(Run::Crossings& all, std::size_t l) const {
    const neurons::CubaLif::State state{all.u[l] + E_, all.I[l]};
    const double x = first_crossing(state, neurons::flow(constants_, state, all.length[l]), all.length[l]);
    all.since[l] = std::min(x, all.length[l]);
    all.m[l] = std::exp(-n_.b * all.since[l]);
    all.s[l] = std::exp(-n_.a * all.since[l]);
}

/// A spike `since` after an instant.
SharedLayer::Spike SharedLayer::spike(const Run& run, std::uint32_t instant, std::uint32_t neuron,
                                      double since, double m, double s, double I) const {
    return {run.arrivals.instant[instant] + since, n_.slope(n_.V_th, I), I, since, m, s, neuron, instant};
}

/// Seconds from a state below the threshold to the first crossing, if it comes no later than the end of an
/// interval of that length.
double SharedLayer::first_crossing(const neurons::CubaLif::State& state, const neurons::CubaLif::State& end,
                                   double length) const {
    if (end.V >= n_.V_th) return crossing(state, end, length);
    if (n_.slope(state.V, state.I) > 0.0 && n_.slope(end.V, end.I) < 0.0 &&
        std::max(state.V - E_, 0.0) + std::max(state.I, 0.0) * g_k_max_ >= u_th_)
        return neurons::next_crossing(constants_, state, n_.V_th, length);
    return neurons::detail::never;
}

/// The spikes of one neuron between `at` after an instant, when it is at (u, I), and the next instant, when
/// it is at (u1, I1) if it does not cross; u1 is corrected.
void SharedLayer::look(Run& run, std::uint32_t instant, std::uint32_t neuron, double u, double I, double at,
                       double& u1, double I1) const {
    const double length = run.factors[instant].x;
    neurons::CubaLif::State state{u + E_, I};
    neurons::CubaLif::State end{u1 + E_, I1};
    for (;;) {
        const double left = length - at;
        const double s = first_crossing(state, end, left);
        if (!(s <= left)) break;
        at += s;
        state = {n_.V_reset, state.I * std::exp(-n_.a * s)};
        run.spikes.push_back(
            spike(run, instant, neuron, at, std::exp(-n_.b * at), std::exp(-n_.a * at), state.I));
        if (once_) {
            u1 = far_below;
            run.fired[neuron] = 1;
            return;
        }
        end.V = neurons::flow(constants_, state, length - at).V;
        u1 = end.V - E_;
    }
}

void SharedLayer::peak(Run& run, std::uint32_t instant, std::uint32_t neuron, double u, double I, double u1,
                       double slope1) const {
    Run::Peak& peak = run.peaks[neuron];
    const double length = run.factors[instant].x;
    const double slope = n_.g * I - n_.b * u;
    if (slope > 0.0 && slope1 < 0.0) {
        if (u + slope * length <= peak.u) return;
        const double rho = slope / (n_.a * n_.g * I);
        const double z = (n_.b - n_.a) * rho;
        const double s = std::abs(z) < 1e-8 ? rho * (1.0 - 0.5 * z) : std::log1p(z) / (n_.b - n_.a);
        const double top = u * std::exp(-n_.b * s) + n_.g * I * response(n_.a, n_.b, s);
        if (top > peak.u) peak = {top, instant, s, 0.0};
    } else if (u1 > peak.u) {
        peak = {u1, instant, length, instant + 1 < run.factors.size() ? slope1 : 0.0};
    }
}

/// A neuron counts if one of its spikes, or its value, is worth something.
void SharedLayer::find_who_counts(Run& run) const {
    run.counts.assign(stride_, integrates_ || peaks_ ? 1 : 0);
    for (std::size_t s = 0; s < run.spikes.size(); ++s) {
        const std::uint32_t i = run.spikes[s].neuron;
        if (run.spike_errors[s] != 0.0 || (!run.pulls.empty() && run.pulls[i] != 0.0)) run.counts[i] = 1;
    }
    run.lanes.clear();
    for (std::uint32_t first = 0; first < stride_; first += lanes) {
        const auto begin = run.counts.begin() + first;
        if (std::any_of(begin, begin + lanes, [](char c) { return c != 0; })) run.lanes.push_back(first);
    }
}

void SharedLayer::backward(Run& run, std::span<double> by_weight, bool times, double largest_factor) const {
    const ArrivalTimes& arrivals = run.arrivals;
    const auto instants = static_cast<std::uint32_t>(arrivals.instant.size());
    run.bounded = 0;
    run.arrival_errors.assign(times ? arrivals.source.size() : 0, 0.0);
    find_who_counts(run);
    const Groups groups(run.lanes);
    // Just after an instant, and before it.
    auto& [p1, q1] = run.next;
    auto& [p, q] = run.now;
    p.assign(stride_, 0.0);
    q.assign(stride_, 0.0);
    if (integrates_) run.value_errors.resize(stride_, 0.0);
    const double* of_values = integrates_ ? run.value_errors.data() : nullptr;
    double* by_time = times ? run.arrival_errors.data() : nullptr;
    const Rows<const double> rows(weights_.data(), stride_, arrivals);
    const Rows<double> to_weights(by_weight.data(), stride_, arrivals);
    const Coefficients c{n_.a, n_.b, n_.g, u_th_, u_reset_, g_k_max_};
    std::size_t spike = run.spikes.size();
    const auto pass_over = [&] {
        while (spike > 0 && run.counts[run.spikes[spike - 1].neuron] == 0) --spike;
    };
    pass_over();
    // Nothing that comes after the last spike that counts matters to a layer of spikes.
    std::uint32_t k = spike > 0 ? run.spikes[spike - 1].instant + 1 : 0;
    if (integrates_ || peaks_) k = instants;
    while (k > 0) {
        std::uint32_t quiet = spike > 0 ? run.spikes[spike - 1].instant + 1 : 0;
        if (peaks_) quiet = k;
        go_back(rows, to_weights, groups, run.factors.data(), c, n_.J, quiet, k, of_values, p.data(),
                q.data(), by_time);
        k = quiet;
        if (k == 0) break;
        --k;
        const Factors& f = run.factors[k];
        p1 = p;
        q1 = q;
        step_back_all(groups, f, of_values, p.data(), q.data());
        while (spike > 0 && run.spikes[spike - 1].instant == k) {
            const std::uint32_t i = run.spikes[spike - 1].neuron;
            Adjoint at{p1[i], q1[i]};
            const Spike* later = nullptr;
            for (; spike > 0 && run.spikes[spike - 1].instant == k && run.spikes[spike - 1].neuron == i;
                 --spike) {
                const Spike& s = run.spikes[spike - 1];
                pass_between(f, &s, later, at);
                later = &s;
                cross(run, s, run.spike_errors[spike - 1], largest_factor, at);
            }
            pass_between(f, nullptr, later, at);
            p[i] = at.p;
            q[i] = at.q;
            pass_over();
        }
        for (std::uint32_t i = 0; peaks_ && i < size_; ++i) {
            const Run::Peak& peak = run.peaks[i];
            if (peak.instant != k || run.value_errors[i] == 0.0) continue;
            Adjoint at{p1[i], q1[i]};
            pass_back(n_, 0.0, 0.0, f.x - peak.since, 0.0, 0.0, at, nullptr);
            at.p += run.value_errors[i];
            pass_back(n_, 0.0, 0.0, peak.since, 0.0, 0.0, at, nullptr);
            p[i] = at.p;
            q[i] = at.q;
            if (times && peak.slope > 0.0 && peak.since == f.x && k + 1 < instants)
                run.arrival_errors[arrivals.begin[k + 2] - 1] += run.value_errors[i] * peak.slope;
        }
        pass_all_arrivals(rows, to_weights, groups, c, n_.J, k, p.data(), q.data(), by_time);
    }
}

/// From a spike, or the next instant, back to one before it, or the instant.
void SharedLayer::pass_between(const Factors& f, const Spike* from, const Spike* to, Adjoint& at) const {
    const double x = (to ? to->since : f.x) - (from ? from->since : 0.0);
    double m = to ? to->m : f.m;
    double s = to ? to->s : f.s;
    if (from) {
        const bool finite = std::max(n_.a, n_.b) * f.x < most_exponent;
        m = finite ? m / from->m : std::exp(-n_.b * x);
        s = finite ? s / from->s : std::exp(-n_.a * x);
    }
    at.q = at.q * s + response_of(m, s, x) * at.p;
    at.p *= m;
}

/// A spike at which the adjoint is `at` just after it, and then just before.
void SharedLayer::cross(Run& run, const Spike& s, double error, double largest_factor, Adjoint& at) const {
    const double e = error - (once_ ? 0.0 : at.p * n_.slope(n_.V_reset, s.I));
    at.p = run.pulls.empty() ? 0.0 : run.pulls[s.neuron];
    if (e == 0.0) return;
    double factor = s.slope > 0.0 ? 1.0 / s.slope : std::numeric_limits<double>::infinity();
    if (factor > largest_factor || std::isinf(factor)) {
        ++run.bounded;
        factor = std::isinf(largest_factor) ? 0.0 : largest_factor;
    }
    at.p -= e * factor;
}

}  // namespace saltus::learning
