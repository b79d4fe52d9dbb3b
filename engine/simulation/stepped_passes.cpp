#include "stepped_passes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels.hpp"

namespace saltus::stepped {

namespace {

#define SALTUS_INLINE [[gnu::always_inline]] inline

template <class T>
SALTUS_INLINE void scale(const std::vector<T>& factors, T* __restrict x, std::size_t n) {
    const T* __restrict const f = factors.data();
    for (std::size_t i = 0; i < n; ++i) x[i] *= f[i];
}

template <class T>
SALTUS_INLINE void take_current(Current form, const Coefficients<T>& c, T* __restrict I, T* __restrict x,
                                std::size_t n) {
    const T* __restrict const a = c.a_s.data();
    const T* __restrict const b = c.b_s.data();
    const T* __restrict const gain = c.gain.data();
    switch (form) {
        case Current::relax: {
            const T* __restrict const E_I = c.E_I.data();
            const T* __restrict const w = c.w_in.data();
            for (std::size_t i = 0; i < n; ++i) {
                I[i] = I[i] + a[i] * ((E_I[i] - I[i]) + w[i] * x[i]);
                x[i] = gain[i] * I[i];
            }
            break;
        }
        case Current::decay:
            for (std::size_t i = 0; i < n; ++i) x[i] = I[i] = b[i] * I[i] + x[i];
            break;
        case Current::add_then_decay:
            for (std::size_t i = 0; i < n; ++i) x[i] = I[i] = (I[i] + x[i]) * b[i];
            break;
        case Current::use_then_decay:
            for (std::size_t i = 0; i < n; ++i) {
                x[i] = I[i] + x[i];
                I[i] = x[i] - a[i] * x[i];
            }
            break;
        case Current::low_pass:
            for (std::size_t i = 0; i < n; ++i) {
                const T before = gain[i] * I[i];
                I[i] = b[i] * I[i] + a[i] * x[i];
                x[i] = before;
            }
            break;
    }
}

template <class T>
SALTUS_INLINE void take_step(Membrane form, const Coefficients<T>& c, T* __restrict V, const T* __restrict u,
                             std::size_t n) {
    const T* __restrict const E = c.E.data();
    const T* __restrict const a = c.a.data();
    const T* __restrict const b = c.b.data();
    const T* __restrict const tau = c.tau_m.data();
    switch (form) {
        case Membrane::relax:
            for (std::size_t i = 0; i < n; ++i) V[i] = V[i] + a[i] * ((u[i] + E[i]) - V[i]);
            break;
        case Membrane::relax_by_division:
            for (std::size_t i = 0; i < n; ++i) V[i] = V[i] + (u[i] - (V[i] - E[i])) / tau[i];
            break;
        case Membrane::decay:
            if (c.b.empty()) {
                for (std::size_t i = 0; i < n; ++i) V[i] = V[i] + u[i];
            } else if (c.E.empty()) {
                for (std::size_t i = 0; i < n; ++i) V[i] = b[i] * V[i] + u[i];
            } else {
                for (std::size_t i = 0; i < n; ++i) V[i] = (b[i] * V[i] + u[i]) + E[i];
            }
            break;
        case Membrane::decay_by_division:
            for (std::size_t i = 0; i < n; ++i) V[i] = (V[i] - (V[i] - E[i]) / tau[i]) + u[i];
            break;
        case Membrane::substep:
        case Membrane::fixed_point:
        case Membrane::closed_form:
            break;
    }
}

/// trunc(x), 0 for x < 0. Without a branch, for vector instructions.
SALTUS_INLINE float whole(float x) {
    constexpr float large = 8388608;  // from here on floats are whole
    const float below = x < large ? x : 0.0f;
    const float counted = below > 0.0f ? below : 0.0f;
    return static_cast<float>(static_cast<std::int32_t>(counted)) + (x - below);
}
SALTUS_INLINE double whole(double x) {
    return std::trunc(x > 0.0 ? x : 0.0);
}

template <class T>
SALTUS_INLINE void raise_to_floor(Floor floor, const T* __restrict V_th, T* __restrict V, std::size_t n) {
    if (floor == Floor::zero) {
        for (std::size_t i = 0; i < n; ++i) V[i] = V[i] < T{0} ? T{0} : V[i];
    } else if (floor == Floor::minus_threshold) {
        for (std::size_t i = 0; i < n; ++i) {
            const T above = V[i] + V_th[i];
            V[i] = (above < T{0} ? T{0} : above) - V_th[i];
        }
    }
}

enum class Way { to_value, subtract, counts, later, before_and_after };

template <Way way, bool reached, class T>
SALTUS_INLINE void fire(const NeuronRule& rule, const Coefficients<T>& c, T* __restrict V,
                        T* __restrict pending, std::size_t n, std::vector<StepEntry<T>>& sent) {
    const T* __restrict const V_th = c.V_th.data();
    const T* __restrict const V_reset = c.V_reset.data();
    constexpr std::size_t block = 64;
    constexpr std::size_t word = sizeof(std::uint64_t);  // of flags that are looked at together
    std::array<T, block> z;
    std::array<std::uint8_t, block> fired{};
    for (std::size_t first = 0; first < n; first += block) {
        const std::size_t count = std::min(block, n - first);
        std::uint32_t any = 0;
        for (std::size_t k = 0; k < count; ++k) {
            const std::size_t i = first + k;
            const T theta = V_th[i];
            const T to = way == Way::to_value ? V_reset[i] : T{0};
            T v = V[i];
            if constexpr (way == Way::before_and_after) v = v - pending[i] * theta;
            const bool over = reached ? v >= theta : v > theta;
            T spikes = over ? T{1} : T{0};
            if constexpr (way == Way::counts) spikes = whole(v / theta);
            if constexpr (way == Way::to_value) v = over ? to : v;
            if constexpr (way == Way::subtract || way == Way::counts) v = v - spikes * theta;
            if constexpr (way == Way::later) pending[i] = spikes;
            if constexpr (way == Way::before_and_after) {
                v = v - (spikes - pending[i]) * theta;
                pending[i] = (reached ? v >= theta : v > theta) ? T{1} : T{0};
            }
            V[i] = v;
            z[k] = spikes;
            const bool sends = way == Way::counts ? spikes > T{0} : over;
            fired[k] = static_cast<std::uint8_t>(sends);
            any |= static_cast<std::uint32_t>(sends);
        }
        if (any == 0) continue;
        for (std::size_t start = 0; start < count; start += word) {
            std::uint64_t flags = 0;
            std::memcpy(&flags, fired.data() + start, word);
            if (flags == 0) continue;
            for (std::size_t k = start; k < std::min(start + word, count); ++k) {
                if (z[k] > T{0}) sent.push_back({static_cast<NeuronIndex>(first + k), z[k] * c.height});
            }
        }
    }
    raise_to_floor(rule.floor, V_th, V, n);
}

template <Way way, class T>
SALTUS_INLINE void fire_at(const NeuronRule& rule, const Coefficients<T>& c, T* V, T* pending, std::size_t n,
                           std::vector<StepEntry<T>>& sent) {
    if (rule.fires_at_threshold) {
        fire<way, true>(rule, c, V, pending, n, sent);
    } else {
        fire<way, false>(rule, c, V, pending, n, sent);
    }
}

template <class T>
SALTUS_INLINE void fire_by_rule(const NeuronRule& rule, const Coefficients<T>& c, T* V, T* pending,
                                std::size_t n, std::vector<StepEntry<T>>& sent) {
    if (rule.reset_time == ResetTime::next_step || rule.reset_time == ResetTime::next_step_first) {
        fire_at<Way::later>(rule, c, V, pending, n, sent);
    } else if (rule.reset_time == ResetTime::before_and_after) {
        fire_at<Way::before_and_after>(rule, c, V, pending, n, sent);
    } else if (rule.reset != Reset::subtract) {
        fire_at<Way::to_value>(rule, c, V, pending, n, sent);
    } else if (rule.counts) {
        fire_at<Way::counts>(rule, c, V, pending, n, sent);
    } else {
        fire_at<Way::subtract>(rule, c, V, pending, n, sent);
    }
}

/// Toward zero, after a product with a factor in 1/4096.
template <class T>
T shifted(T state, T factor) {
    if (std::isnan(state)) return state;     // inputs whose sum was none
    constexpr T largest = 1125899906842624;  // 2^50: the product stays within an int64
    const auto bounded = static_cast<std::int64_t>(std::clamp(state, -largest, largest));
    const std::int64_t product = bounded * static_cast<std::int64_t>(factor);
    return static_cast<T>(product / 4096);
}

}  // namespace

// Functions that exist in several versions cannot be templates.

SALTUS_VECTOR_VERSIONS
void current_pass(Current form, const Coefficients<float>& c, float* I, float* x, std::size_t n) {
    take_current(form, c, I, x, n);
}
SALTUS_VECTOR_VERSIONS
void current_pass(Current form, const Coefficients<double>& c, double* I, double* x, std::size_t n) {
    take_current(form, c, I, x, n);
}
SALTUS_VECTOR_VERSIONS
void membrane_pass(Membrane form, const Coefficients<float>& c, float* V, const float* u, std::size_t n) {
    take_step(form, c, V, u, n);
}
SALTUS_VECTOR_VERSIONS
void membrane_pass(Membrane form, const Coefficients<double>& c, double* V, const double* u, std::size_t n) {
    take_step(form, c, V, u, n);
}
SALTUS_VECTOR_VERSIONS
void fire_pass(const NeuronRule& rule, const Coefficients<float>& c, float* V, float* pending, std::size_t n,
               std::vector<StepEntry<float>>& sent) {
    fire_by_rule(rule, c, V, pending, n, sent);
}
SALTUS_VECTOR_VERSIONS
void fire_pass(const NeuronRule& rule, const Coefficients<double>& c, double* V, double* pending,
               std::size_t n, std::vector<StepEntry<double>>& sent) {
    fire_by_rule(rule, c, V, pending, n, sent);
}

template <class T>
void late_reset(const NeuronRule& rule, const Coefficients<T>& c, T* V, const T* pending, std::size_t n) {
    if (rule.reset == Reset::subtract) {
        for (std::size_t i = 0; i < n; ++i) V[i] = V[i] - pending[i] * c.V_th[i];
    } else {
        for (std::size_t i = 0; i < n; ++i) V[i] = pending[i] > T{0} ? c.V_reset[i] : V[i];
    }
}

template <class T>
void substep_pass(const NeuronRule& rule, const Coefficients<T>& c, T* V, T* rest, T* shown, const T* u,
                  std::size_t n, std::vector<StepEntry<T>>& sent) {
    for (std::size_t i = 0; i < n; ++i) {
        rest[i] -= c.dt;
        const T part = std::clamp(c.dt - rest[i], T{0}, c.dt);
        V[i] = V[i] - (u[i] - V[i]) * std::expm1(-part / c.tau_m[i]);
        if (shown) shown[i] = V[i];
        const T over = V[i] - c.V_th[i];
        if (rule.fires_at_threshold ? over >= T{0} : over > T{0}) {
            rest[i] = c.dt + c.tau_m[i] * std::log1p(-over / (u[i] - c.V_th[i]));
            V[i] = c.V_reset[i];
            sent.push_back({static_cast<NeuronIndex>(i), c.height});
        }
    }
    raise_to_floor(rule.floor, c.V_th.data(), V, n);
}

template <class T>
void fixed_point_pass(const Coefficients<T>& c, T* I, T* V, const T* x, std::size_t n) {
    constexpr T one = 4096;
    for (std::size_t i = 0; i < n; ++i) {
        I[i] = shifted(I[i], c.d_I[i]) + std::trunc(one * x[i]);
        V[i] = shifted(V[i], c.d_V[i]) + I[i];
    }
}

template void late_reset(const NeuronRule&, const Coefficients<float>&, float*, const float*, std::size_t);
template void late_reset(const NeuronRule&, const Coefficients<double>&, double*, const double*, std::size_t);
template void substep_pass(const NeuronRule&, const Coefficients<float>&, float*, float*, float*,
                           const float*, std::size_t, std::vector<StepEntry<float>>&);
template void substep_pass(const NeuronRule&, const Coefficients<double>&, double*, double*, double*,
                           const double*, std::size_t, std::vector<StepEntry<double>>&);
template void fixed_point_pass(const Coefficients<float>&, float*, float*, const float*, std::size_t);
template void fixed_point_pass(const Coefficients<double>&, double*, double*, const double*, std::size_t);

}  // namespace saltus::stepped
