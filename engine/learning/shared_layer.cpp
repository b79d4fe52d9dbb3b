#include "shared_layer.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "../simulation/kernels.hpp"

namespace saltus::learning {

namespace {

using neurons::detail::response;

constexpr std::size_t lanes = SharedLayer::lanes;
using Lanes = std::array<double, lanes>;
using Factors = SharedLayer::Run::Factors;

/// I += rows; then all lanes go on to the next instant. Returns how many may have crossed on the way, and
/// marks them.
SALTUS_VECTOR_VERSIONS
double step_forward(const double* __restrict weights, const std::uint32_t* __restrict sources, std::size_t count,
                    std::size_t stride, const Factors& f, double b, double g, double u_th,
                    const double* __restrict u, double* __restrict I, double* __restrict u1,
                    double* __restrict I1, double* __restrict hot) {
    for (std::size_t k = 0; k < count; ++k) {
        const double* __restrict row = weights + sources[k] * stride;
        for (std::size_t l = 0; l < lanes; ++l) I[l] += row[l];
    }
    double any = 0.0;
    for (std::size_t l = 0; l < lanes; ++l) {
        const double slope = g * I[l] - b * u[l];
        const double u_end = u[l] * f.m + I[l] * f.gk;
        const double I_end = I[l] * f.s;
        const double slope_end = g * I_end - b * u_end;
        const double rises = slope > 0.0 ? 1.0 : 0.0;
        const double falls = slope_end < 0.0 ? 1.0 : 0.0;
        const double reaches = u[l] + slope * f.x >= u_th ? 1.0 : 0.0;
        const double is_there = u_end >= u_th ? 1.0 : 0.0;
        u1[l] = u_end;
        I1[l] = I_end;
        hot[l] = std::max(is_there, rises * falls * reaches);
        any += hot[l];
    }
    return any;
}

/// All lanes go back from the next instant to this one.
SALTUS_VECTOR_VERSIONS
void step_back(const Factors& f, const double* __restrict c, double* __restrict p, double* __restrict q) {
    for (std::size_t l = 0; l < lanes; ++l) {
        q[l] = q[l] * f.s + f.gk * p[l] + c[l] * f.gK;
        p[l] = p[l] * f.m + c[l] * f.F;
    }
}

/// What the arrivals of an instant are worth: to the weights, and to their times.
SALTUS_VECTOR_VERSIONS
void add_arrivals(const double* __restrict weights, const std::uint32_t* __restrict sources, std::size_t count,
                  std::size_t stride, double J, double a, double g, const double* __restrict p,
                  const double* __restrict q, double* __restrict by_weight, double* __restrict by_time) {
    for (std::size_t k = 0; k < count; ++k) {
        double* __restrict row = by_weight + sources[k] * stride;
        for (std::size_t l = 0; l < lanes; ++l) row[l] += J * q[l];
    }
    if (!by_time) return;
    for (std::size_t k = 0; k < count; ++k) {
        const double* __restrict row = weights + sources[k] * stride;
        Lanes e;
        for (std::size_t l = 0; l < lanes; ++l) e[l] = row[l] * (a * q[l] - g * p[l]);
        by_time[k] += ((e[0] + e[4]) + (e[1] + e[5])) + ((e[2] + e[6]) + (e[3] + e[7]));
    }
}

}  // namespace

void ArrivalTimes::clear() {
    time.clear();
    source.clear();
    instant.clear();
    begin.clear();
}

void ArrivalTimes::add(double t, std::uint32_t from) {
    if (instant.empty() || t > instant.back()) {
        instant.push_back(t);
        begin.push_back(static_cast<std::uint32_t>(time.size()));
    }
    time.push_back(t);
    source.push_back(from);
}

SharedLayer::SharedLayer(const LinearNeuron& neuron, std::uint32_t sources, std::uint32_t size, bool once,
                         const ClassLoss* readout)
    : n_(neuron),
      E_(neuron.d / neuron.b),
      u_th_(neuron.V_th - E_),
      u_reset_(neuron.V_reset - E_),
      u_0_(neuron.V_0 - E_),
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

void SharedLayer::set_weights(std::span<const double> weights) {
    for (std::size_t i = 0; i < sources_; ++i) {
        for (std::size_t j = 0; j < size_; ++j) weights_[i * stride_ + j] = n_.J * weights[i * size_ + j];
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
    for (std::size_t k = 0; k < n; ++k) {
        const double next = k + 1 < n ? arrivals.instant[k + 1] : run.end;
        const double x = next - arrivals.instant[k];
        Factors& f = run.factors[k];
        f = {x, std::exp(-n_.b * x), std::exp(-n_.a * x), n_.g * response(n_.a, n_.b, x)};
        if (!integrates_) continue;
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
    run.first_spike.clear();
    const double before = arrivals.instant.empty() ? run.end : arrivals.instant.front();  // at rest
    run.values.assign(integrates_ || peaks_ ? stride_ : 0, E_ * response(mu_, 0.0, before));
    if (peaks_) run.peaks.assign(stride_, {u_0_});
    for (std::size_t first = 0; first < stride_; first += lanes) {
        run.first_spike.push_back(static_cast<std::uint32_t>(run.spikes.size()));
        Lanes u;
        Lanes I{};
        u.fill(u_0_);
        for (std::size_t k = 0; k < arrivals.instant.size(); ++k) {
            const Factors& f = run.factors[k];
            Lanes u1;
            Lanes I1;
            Lanes hot;
            const double any =
                step_forward(weights_.data() + first, arrivals.source.data() + arrivals.begin[k],
                             arrivals.begin[k + 1] - arrivals.begin[k], stride_, f, n_.b, n_.g, u_th_, u.data(),
                             I.data(), u1.data(), I1.data(), hot.data());
            if (any > 0.0) {
                for (std::size_t l = 0; l < lanes; ++l) {
                    const auto neuron = static_cast<std::uint32_t>(first + l);
                    if (hot[l] > 0.0 && neuron < size_)
                        look(run, static_cast<std::uint32_t>(k), neuron, u[l], I[l], u1[l], I1[l]);
                }
            }
            for (std::size_t l = 0; integrates_ && l < lanes; ++l)
                run.values[first + l] += E_ * f.E + u[l] * f.F + I[l] * f.gK;
            for (std::size_t l = 0; peaks_ && l < lanes; ++l) {
                peak(run, static_cast<std::uint32_t>(k), static_cast<std::uint32_t>(first + l), u[l], I[l],
                     u1[l], n_.g * I1[l] - n_.b * u1[l]);
            }
            u = u1;
            I = I1;
        }
    }
    run.first_spike.push_back(static_cast<std::uint32_t>(run.spikes.size()));
    if (peaks_) {
        for (std::size_t i = 0; i < stride_; ++i) run.values[i] = E_ + run.peaks[i].u;
    }
    run.values.resize(std::min<std::size_t>(run.values.size(), size_));
}

/// The spikes of one neuron between an instant, at which it is at (u, I), and the next; (u1, I1) there is
/// corrected.
void SharedLayer::look(Run& run, std::uint32_t instant, std::uint32_t neuron, double& u, double& I, double& u1,
                       double& I1) const {
    const double length = run.factors[instant].x;
    double at = 0.0;
    neurons::CubaLif::State state{u + E_, I};
    bool fired = false;
    for (;;) {
        const double s = neurons::next_crossing(constants_, state, n_.V_th, length - at);
        if (!(at + s <= length)) break;
        state = neurons::flow(constants_, state, s);
        at += s;
        run.spikes.push_back({run.arrivals.instant[instant] + at, n_.slope(n_.V_th, state.I), state.I, at,
                              neuron, instant});
        state.V = n_.V_reset;
        fired = true;
        if (!once_) continue;
        constexpr double far_below = -1e30;
        u1 = far_below;
        return;
    }
    if (!fired) return;
    const neurons::CubaLif::State last = neurons::flow(constants_, state, length - at);
    u1 = last.V - E_;
    I1 = last.I;
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

void SharedLayer::backward(Run& run, std::span<double> by_weight, bool times, double largest_factor) const {
    const ArrivalTimes& arrivals = run.arrivals;
    run.bounded = 0;
    run.arrival_errors.assign(times ? arrivals.time.size() : 0, 0.0);
    const auto instants = static_cast<std::uint32_t>(arrivals.instant.size());
    for (std::size_t group = 0; group * lanes < stride_; ++group) {
        const std::size_t first = group * lanes;
        std::uint32_t spike = run.first_spike[group + 1];
        Lanes p{};
        Lanes q{};
        Lanes c{};
        // Nothing that comes after the last spike matters to a layer of spikes.
        std::uint32_t stop = spike > run.first_spike[group] ? run.spikes[spike - 1].instant + 1 : 0;
        if (integrates_ || peaks_) stop = instants;
        for (std::size_t l = 0; integrates_ && l < lanes; ++l)
            c[l] = first + l < size_ ? run.value_errors[first + l] : 0.0;

        for (std::uint32_t k = stop; k-- > 0;) {
            const Factors& f = run.factors[k];
            const Lanes p1 = p;
            const Lanes q1 = q;
            step_back(f, c.data(), p.data(), q.data());
            while (spike > run.first_spike[group] && run.spikes[spike - 1].instant == k) {
                const std::uint32_t neuron = run.spikes[spike - 1].neuron;
                const std::size_t l = neuron - first;
                Adjoint at{p1[l], q1[l]};
                double from = f.x;
                for (; spike > run.first_spike[group] && run.spikes[spike - 1].instant == k &&
                       run.spikes[spike - 1].neuron == neuron;
                     --spike) {
                    const Spike& s = run.spikes[spike - 1];
                    pass_back(n_, 0.0, 0.0, from - s.since, 0.0, 0.0, at, nullptr);
                    from = s.since;
                    const double after = once_ ? 0.0 : at.p * n_.slope(n_.V_reset, s.I);
                    const double e = run.spike_errors[spike - 1] - after;
                    at.p = 0.0;
                    if (e == 0.0) continue;
                    double factor = s.slope > 0.0 ? 1.0 / s.slope : std::numeric_limits<double>::infinity();
                    if (factor > largest_factor || std::isinf(factor)) {
                        ++run.bounded;
                        factor = std::isinf(largest_factor) ? 0.0 : largest_factor;
                    }
                    at.p = -e * factor;
                }
                pass_back(n_, 0.0, 0.0, from, 0.0, 0.0, at, nullptr);
                p[l] = at.p;
                q[l] = at.q;
            }
            for (std::size_t l = 0; peaks_ && l < lanes && first + l < size_; ++l) {
                const Run::Peak& peak = run.peaks[first + l];
                if (peak.instant != k || run.value_errors[first + l] == 0.0) continue;
                Adjoint at{p1[l], q1[l]};
                pass_back(n_, 0.0, 0.0, f.x - peak.since, 0.0, 0.0, at, nullptr);
                at.p += run.value_errors[first + l];
                pass_back(n_, 0.0, 0.0, peak.since, 0.0, 0.0, at, nullptr);
                p[l] = at.p;
                q[l] = at.q;
                if (times && peak.slope > 0.0 && peak.since == f.x && k + 1 < instants)
                    run.arrival_errors[arrivals.begin[k + 2] - 1] += run.value_errors[first + l] * peak.slope;
            }
            const std::uint32_t begin = arrivals.begin[k];
            add_arrivals(weights_.data() + first, arrivals.source.data() + begin, arrivals.begin[k + 1] - begin,
                         stride_, n_.J, n_.a, n_.g, p.data(), q.data(), by_weight.data() + first,
                         times ? run.arrival_errors.data() + begin : nullptr);
        }
    }
}

}  // namespace saltus::learning
