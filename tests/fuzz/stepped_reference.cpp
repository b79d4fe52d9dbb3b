#include "stepped_reference.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <type_traits>

namespace saltus::fuzz {

namespace {

using namespace stepped;

/// The models that tools which step have.
template <class P>
concept Steps = std::is_same_v<P, neurons::If> || std::is_same_v<P, neurons::Lif> ||
    std::is_same_v<P, neurons::CubaLif> || std::is_same_v<P, neurons::Integrator> ||
    std::is_same_v<P, neurons::Li> || std::is_same_v<P, neurons::CubaLi> ||
    std::is_same_v<P, neurons::Threshold>;

template <class P>
const NeuronRule& rule_of(const SteppedRules& rules) {
    if constexpr (requires(P p) { p.tau_syn; }) return rules.with_current;
    if constexpr (requires(P p) { p.tau_m; }) return rules.with_leak;
    return rules.without_leak;
}

/// What a neuron does in one step: takes x, returns the amplitude that it sends, 0 for none.
template <class T>
class PlainNeuron {
  public:
    virtual ~PlainNeuron() = default;
    virtual T step(T x) = 0;
    [[nodiscard]] virtual double potential() const = 0;
    [[nodiscard]] virtual double current() const = 0;
};

bool close_to(double x, double y) {
    return std::abs(x - y) <= 1e-8 + 1e-5 * std::abs(y);
}

/// Rules with a sum for each step.
template <class T, class P>
class GridNeuron final : public PlainNeuron<T> {
  public:
    static constexpr bool has_leak = requires(P p) { p.tau_m; };
    static constexpr bool has_current = requires(P p) { p.tau_syn; };
    static constexpr bool spikes = neurons::Spiking<P>;
    static constexpr bool has_memory = !std::is_same_v<P, neurons::Threshold>;

    /// `all`: of its population.
    GridNeuron(const P& p, const neurons::PerNeuron<P>& all, const NeuronRule& rule,
               const SteppedRules& rules)
        : p_(p), rule_(rule) {
        dt_ = rules.dt.seconds();
        if constexpr (has_leak) {
            if (rule.R == Resistance::sets_step) {
                dt_ = INFINITY;
                for (const P& other : all) dt_ = std::min(dt_, other.tau_m / (1.0 + other.R));
            }
            if (rule.R == Resistance::one_or_tau_over_dt) {
                rule_.membrane =
                    close_to(all[0].R, 1.0) ? Membrane::relax_by_division : Membrane::decay_by_division;
            }
        }
        height_ = static_cast<T>(rule.height_per_second ? rule.spike_height / rules.dt.seconds()
                                                        : rule.spike_height);
        if constexpr (spikes) {
            theta_ = threshold();
            divide_threshold(all);
            V_reset_ = static_cast<T>(rule.reset == Reset::to_V_reset ? p_.V_reset : 0.0);
        }
        V_ = static_cast<T>(start());
        I_ = static_cast<T>(E_I());
    }

    T step(T x) override {
        x = x * gain();
        T u = x;
        if (rule_.membrane == Membrane::fixed_point) {
            if constexpr (has_current) fixed_point(x);
            shown_ = V_;
            return send();
        }
        if constexpr (has_current) u = current_step(x);
        if constexpr (has_leak) {
            if (rule_.membrane == Membrane::substep) return substep(u);
        }
        if (rule_.reset_time == ResetTime::next_step_first) late_reset();
        V_ = membrane(u);
        if (rule_.reset_time == ResetTime::next_step) late_reset();
        shown_ = V_;
        return send();
    }
    [[nodiscard]] double potential() const override {
        const T V = rule_.record_before_reset ? shown_ : V_;
        return in_units(V);
    }
    [[nodiscard]] double current() const override { return in_units(I_); }

  private:
    [[nodiscard]] double in_units(T x) const {
        return static_cast<double>(x) / (rule_.membrane == Membrane::fixed_point ? 4096.0 : 1.0);
    }

    [[nodiscard]] T a_of(double tau) const {
        if (rule_.leak == Leak::quotient) return static_cast<T>(dt_) / static_cast<T>(tau);
        if (rule_.leak == Leak::reciprocal) return static_cast<T>(dt_) * (T{1} / static_cast<T>(tau));
        if (rule_.leak == Leak::in_double) return static_cast<T>(dt_ / tau);
        return static_cast<T>(-std::expm1(-dt_ / tau));
    }
    [[nodiscard]] T b_of(double tau) const {
        if (rule_.leak == Leak::in_double) return static_cast<T>(1.0 - dt_ / tau);
        if (rule_.leak == Leak::exponential) return static_cast<T>(std::exp(-dt_ / tau));
        return T{1} - a_of(tau);
    }

    [[nodiscard]] T gain() const {
        T gain = static_cast<T>(rule_.input_gain);
        if constexpr (has_leak) {
            if (rule_.input_times_leak) gain *= a_of(p_.tau_m);
        }
        if constexpr (!has_current) {
            if constexpr (has_memory) {
                if (rule_.R == Resistance::multiplies) gain *= static_cast<T>(p_.R);
            }
            if constexpr (spikes) {
                if (rule_.in_thresholds) gain /= static_cast<T>(p_.V_th);
            }
        }
        return gain;
    }

    [[nodiscard]] double E_I() const {
        if constexpr (has_current) return rule_.current_rests_at_E_L ? p_.E_L : 0.0;
        return 0.0;
    }

    /// I takes its step; u of the membrane.
    T current_step(T x) {
        const T a = a_of(p_.tau_syn);
        const T b = b_of(p_.tau_syn);
        const bool weighs = rule_.w_in == InputGain::multiplies;
        double by = rule_.R == Resistance::multiplies ? p_.R : 1.0;
        if (weighs && rule_.current == Current::low_pass) by *= p_.w_in;
        if constexpr (spikes) {
            if (rule_.in_thresholds) by /= p_.V_th;
        }
        const T factor = static_cast<T>(by);
        const T before = I_;
        switch (rule_.current) {
            case Current::relax:
                I_ = I_ + a * ((static_cast<T>(E_I()) - I_) + static_cast<T>(weighs ? p_.w_in : 1.0) * x);
                return factor * I_;
            case Current::decay:
                return I_ = b * I_ + x;
            case Current::add_then_decay:
                return I_ = (I_ + x) * b;
            case Current::use_then_decay:
                I_ = (before + x) - a * (before + x);
                return before + x;
            case Current::low_pass:
                break;
        }
        I_ = b * before + a * x;
        return factor * before;
    }

    [[nodiscard]] T membrane(T u) const {
        if constexpr (has_leak) {
            const T a = a_of(p_.tau_m);
            const T tau = static_cast<T>(p_.tau_m / dt_);
            T E = T{0};
            if (rule_.rest == Rest::E_L || rule_.rest == Rest::added) E = static_cast<T>(p_.E_L);
            if constexpr (spikes) {
                if (rule_.rest == Rest::V_reset) E = static_cast<T>(p_.V_reset);
            }
            if (rule_.membrane == Membrane::relax) return V_ + a * ((u + E) - V_);
            if (rule_.membrane == Membrane::relax_by_division) return V_ + (u - (V_ - E)) / tau;
            if (rule_.membrane == Membrane::decay_by_division) return (V_ - (V_ - E) / tau) + u;
            const T decayed = b_of(p_.tau_m) * V_ + u;
            return rule_.rest == Rest::added ? decayed + E : decayed;
        } else {
            return static_cast<T>(has_memory ? rule_.retention : 0.0) * V_ + u;
        }
    }

    /// The part of a step that is left after a spike, whose instant is carried over.
    T substep(T u) {
        const T dt = static_cast<T>(dt_);
        const T tau = static_cast<T>(p_.tau_m);
        pending_ -= dt;
        const T d = std::clamp(dt - pending_, T{0}, dt);
        V_ = V_ - (u - V_) * std::expm1(-d / tau);
        shown_ = V_;
        T sent = T{0};
        const T above = V_ - theta_;
        if (rule_.fires_at_threshold ? above >= T{0} : above > T{0}) {
            pending_ = dt + tau * std::log1p(-above / (u - theta_));
            V_ = V_reset_;
            sent = height_;
        }
        V_ = bounded(V_);
        return sent;
    }

    void fixed_point(T x) {
        const auto kept = [&](double tau) {
            return static_cast<std::int64_t>(4096.0 - std::round(4096.0 * dt_ / tau));
        };
        const auto times = [](T state, std::int64_t factor) {
            if (!(std::abs(state) < 1e12)) return static_cast<T>(NAN);  // out of range: the caller stops
            return static_cast<T>(static_cast<std::int64_t>(state) * factor / 4096);
        };
        I_ = times(I_, kept(p_.tau_syn)) + std::trunc(T{4096} * x);
        V_ = times(V_, kept(p_.tau_m)) + I_;
    }

    [[nodiscard]] T threshold() const {
        if (rule_.in_thresholds) return T{1};
        if (rule_.membrane != Membrane::fixed_point) return static_cast<T>(p_.V_th);
        return static_cast<T>(std::trunc(64.0 * p_.V_th) / 64.0 + 0.01 / 4096.0) * T{4096};
    }
    /// By R dt / tau_m, the smallest of the population, or by the neuron's w_in dt / tau_syn, unless that is
    /// 1 for all.
    void divide_threshold(const neurons::PerNeuron<P>& all) {
        const auto divide = [&](auto&& factor, bool by_smallest) {
            T smallest = factor(all[0]);
            bool ones = true;
            for (const P& other : all) {
                smallest = std::min(smallest, factor(other));
                ones = ones && close_to(static_cast<double>(factor(other)), 1.0);
            }
            if (!ones) theta_ = theta_ / (by_smallest ? smallest : factor(p_));
        };
        if constexpr (has_current) {
            if (rule_.w_in != InputGain::scales_threshold) return;
            divide(
                [&](const P& q) {
                    return static_cast<T>(q.w_in) * (static_cast<T>(dt_) / static_cast<T>(q.tau_syn));
                },
                false);
        } else if constexpr (has_leak) {
            if (rule_.R != Resistance::scales_threshold) return;
            divide(
                [&](const P& q) {
                    return static_cast<T>(q.R) * static_cast<T>(dt_) / static_cast<T>(q.tau_m);
                },
                true);
        }
    }

    [[nodiscard]] double start() const {
        if constexpr (has_leak) {
            if (rule_.start == Start::E_L) return p_.E_L;
        }
        if constexpr (spikes) {
            if (rule_.start == Start::V_reset) return p_.V_reset;
        }
        if constexpr (has_memory) {
            if (rule_.start == Start::V_0) return p_.V_0;
        }
        return 0.0;
    }

    void late_reset() {
        if constexpr (spikes) {
            if (rule_.reset == Reset::subtract) {
                V_ = V_ - pending_ * theta_;
            } else if (pending_ > T{0}) {
                V_ = V_reset_;
            }
        }
    }
    [[nodiscard]] bool over() const { return rule_.fires_at_threshold ? V_ >= theta_ : V_ > theta_; }
    [[nodiscard]] T bounded(T V) const {
        if (rule_.floor == Floor::zero) return V < T{0} ? T{0} : V;
        if (rule_.floor == Floor::minus_threshold) return (V + theta_ < T{0} ? T{0} : V + theta_) - theta_;
        return V;
    }

    /// Threshold and reset.
    T send() {
        if constexpr (!spikes) {
            return V_;
        } else {
            if (rule_.reset_time == ResetTime::before_and_after) V_ = V_ - pending_ * theta_;
            T z = over() ? T{1} : T{0};
            if (rule_.counts) z = std::trunc(std::max(V_ / theta_, T{0}));
            if (rule_.reset_time == ResetTime::before_and_after) {
                V_ = V_ - (z - pending_) * theta_;
                pending_ = over() ? T{1} : T{0};
            } else if (rule_.reset_time != ResetTime::same_step) {
                pending_ = z;
            } else if (rule_.reset == Reset::subtract) {
                V_ = V_ - z * theta_;
            } else if (z > T{0}) {
                V_ = V_reset_;
            }
            V_ = bounded(V_);
            return z * height_;
        }
    }

    P p_;
    NeuronRule rule_;
    double dt_;
    T height_{};
    T theta_{};
    T V_reset_{};
    T V_{};
    T I_{};
    T pending_{};  // spikes whose reset is due; substep: time to wait
    T shown_{};
};

/// The closed form of the model between steps; a refractory period is a whole number of them.
template <class T, class P>
class FlowNeuron final : public PlainNeuron<T> {
  public:
    FlowNeuron(const P& p, const NeuronRule& rule, Duration dt, double constant)
        : p_(p), rule_(rule), dt_(dt.seconds()), c_(constants(p, constant)), state_(initial(p, c_)) {}

    T step(T x) override {
        const bool rests = left_ > 0;
        if (rests) --left_;
        if (!first_) state_ = rests ? refractory_flow(c_, state_, dt_) : flow(c_, state_, dt_);
        first_ = false;
        if (rule_.arrival == Arrival::before_test) take(x, rests);
        double z = 0.0;
        if constexpr (neurons::Spiking<P>) {
            if (!rests && (rule_.fires_at_threshold ? state_.V >= p_.V_th : state_.V > p_.V_th))
                z = p_.reset == neurons::Reset::subtract_repeated ? std::floor(state_.V / p_.V_th) : 1.0;
        }
        if (rule_.arrival == Arrival::after_test) take(x, rests);
        if constexpr (neurons::Spiking<P>) {
            if (z > 0.0) {
                state_.V = p_.reset == neurons::Reset::to_value ? p_.V_reset : state_.V - z * p_.V_th;
                left_ = std::lround(p_.t_ref.seconds() / dt_);
            }
            return static_cast<T>(z);
        }
        return static_cast<T>(state_.V);
    }
    [[nodiscard]] double potential() const override { return state_.V; }
    [[nodiscard]] double current() const override {
        if constexpr (requires { c_.constant_I; }) return state_.I + c_.constant_I;
        return 0.0;
    }

  private:
    void take(T x, bool rests) {
        if (x == T{0}) return;
        if (rests) {
            refractory_arrive(c_, state_, static_cast<double>(x));
        } else {
            arrive(c_, state_, static_cast<double>(x));
        }
    }

    P p_;
    NeuronRule rule_;
    double dt_;
    typename P::Constants c_;
    typename P::State state_;
    std::int64_t left_ = 0;  // steps of the refractory period
    bool first_ = true;
};

template <class T>
using PlainNeurons = std::vector<std::unique_ptr<PlainNeuron<T>>>;

template <class T>
PlainNeurons<T> neurons_of(const Population& population, const SteppedRules& rules,
                           const std::vector<T>& constant) {
    PlainNeurons<T> all;
    std::visit(
        [&]<class M>(const M& model) {
            if constexpr (neurons::HasNeurons<M>) {
                using P = typename M::value_type;
                if constexpr (Steps<P>) {
                    const NeuronRule& rule = rule_of<P>(rules);
                    for (std::uint32_t i = 0; i < population.size(); ++i) {
                        const P p = model[model.size() == 1 ? 0 : i];
                        const double x = constant.empty() ? 0.0 : static_cast<double>(constant[i]);
                        if (rule.membrane == Membrane::closed_form) {
                            all.push_back(std::make_unique<FlowNeuron<T, P>>(p, rule, rules.dt, x));
                        } else {
                            all.push_back(std::make_unique<GridNeuron<T, P>>(p, model, rule, rules));
                        }
                    }
                }
            }
        },
        population.model);
    return all;
}

bool closed_form(const Population& population, const SteppedRules& rules) {
    return std::visit(
        [&]<class M>(const M&) {
            if constexpr (neurons::HasNeurons<M>)
                return rule_of<typename M::value_type>(rules).membrane == Membrane::closed_form;
            return false;
        },
        population.model);
}

bool has_current(const Population& population) {
    return std::holds_alternative<neurons::PerNeuron<neurons::CubaLif>>(population.model) ||
           std::holds_alternative<neurons::PerNeuron<neurons::CubaLi>>(population.model);
}

/// Populations with each after all that it hears without delay.
std::vector<std::uint32_t> in_order(const PlainNetwork& network) {
    std::vector<std::uint32_t> order;
    std::vector<bool> done(network.populations.size(), false);
    while (order.size() < done.size()) {
        for (std::uint32_t q = 0; q < done.size(); ++q) {
            const bool waits = std::any_of(
                network.projections.begin(), network.projections.end(), [&](const PlainProjection& p) {
                    const bool at_once = std::any_of(p.synapses.begin(), p.synapses.end(),
                                                     [](const PlainSynapse& s) { return s.steps == 0; });
                    return p.target == q && !done[p.source] && at_once;
                });
            if (done[q] || waits) continue;
            done[q] = true;
            order.push_back(q);
        }
    }
    return order;
}

template <class T>
std::vector<PlainRecord> run(const PlainNetwork& network, const SteppedRules& rules,
                             const std::vector<std::vector<double>>& signals, std::uint32_t steps) {
    const std::size_t populations = network.populations.size();
    std::vector<PlainNeurons<T>> neurons(populations);
    std::vector<std::vector<T>> always(populations);  // constant signal of those with a closed form
    for (const PlainProjection& p : network.projections) {
        if (p.bias.empty() || !closed_form(network.populations[p.target], rules)) continue;
        always[p.target].resize(network.populations[p.target].size());
        for (std::size_t i = 0; i < p.bias.size(); ++i) always[p.target][i] += static_cast<T>(p.bias[i]);
    }
    for (std::size_t q = 0; q < populations; ++q)
        neurons[q] = neurons_of<T>(network.populations[q], rules, always[q]);

    const std::vector<std::uint32_t> order = in_order(network);
    std::vector<PlainRecord> records(populations);
    std::vector<std::vector<std::vector<T>>> sent(populations);  // [population][step][neuron]
    for (std::uint32_t t = 0; t < steps; ++t) {
        bool finite = true;
        for (const std::uint32_t q : order) {
            const std::size_t n = network.populations[q].size();
            std::vector<T> out(n);
            if (neurons[q].empty()) {
                for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<T>(signals[q][t * n + i]);
                sent[q].push_back(std::move(out));
                continue;
            }
            std::vector<T> x(n);
            for (const PlainProjection& p : network.projections) {
                if (p.target != q || p.bias.empty() || t < p.bias_step || !always[q].empty()) continue;
                for (std::size_t i = 0; i < n; ++i) x[i] += static_cast<T>(p.bias[i]);
            }
            for (const PlainProjection& p : network.projections) {
                if (p.target != q) continue;
                // By the step in which it was sent, as it comes; several delays are summed on their own
                // first.
                std::uint32_t shortest = UINT32_MAX;
                std::uint32_t longest = 0;
                for (const PlainSynapse& s : p.synapses) {
                    shortest = std::min(shortest, s.steps);
                    longest = std::max(longest, s.steps);
                }
                std::vector<T> apart(n);
                std::vector<T>& sum = shortest < longest ? apart : x;
                for (std::uint32_t d = std::min(longest, t) + 1; d-- > 0;) {
                    for (const PlainSynapse& s : p.synapses) {
                        if (s.steps != d) continue;
                        const T amplitude = sent[p.source][t - d][s.source];
                        if (amplitude != T{0}) sum[s.target] += amplitude * static_cast<T>(s.weight);
                    }
                }
                if (shortest < longest)
                    for (std::size_t i = 0; i < n; ++i) x[i] += apart[i];
            }
            for (std::size_t i = 0; i < n; ++i) {
                out[i] = neurons[q][i]->step(x[i]);
                records[q].sent.push_back(static_cast<double>(out[i]));
                records[q].potentials.push_back(neurons[q][i]->potential());
                if (has_current(network.populations[q]))
                    records[q].currents.push_back(neurons[q][i]->current());
                finite = finite && std::isfinite(out[i]) && std::isfinite(neurons[q][i]->potential()) &&
                         std::isfinite(neurons[q][i]->current());
            }
            sent[q].push_back(std::move(out));
        }
        if (finite) continue;
        for (std::size_t q = 0; q < populations; ++q) {
            const std::size_t before = std::size_t{t} * network.populations[q].size();
            for (std::vector<double>* values :
                 {&records[q].sent, &records[q].potentials, &records[q].currents})
                values->resize(std::min(values->size(), before));
        }
        break;
    }
    return records;
}

}  // namespace

std::vector<PlainRecord> plain_steps(const PlainNetwork& network, const SteppedRules& rules,
                                     const std::vector<std::vector<double>>& signals, std::uint32_t steps) {
    return rules.precision == Precision::float32 ? run<float>(network, rules, signals, steps)
                                                 : run<double>(network, rules, signals, steps);
}

}  // namespace saltus::fuzz
