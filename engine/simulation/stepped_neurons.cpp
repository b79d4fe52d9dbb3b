#include "stepped_neurons.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <type_traits>

#include "saltus/engine/errors.hpp"
#include "stepped_passes.hpp"

namespace saltus::stepped {

namespace {

constexpr double fixed_scale = 4096.0;
constexpr double fixed_weight_scale = 64.0;

/// What a rule asks of the parameters of one population, and what it makes of them.
template <class T, class P>
class Maker {
  public:
    static constexpr bool has_leak = requires(P p) { p.tau_m; };
    static constexpr bool has_current = requires(P p) { p.tau_syn; };
    static constexpr bool spikes = neurons::Spiking<P>;
    static constexpr bool has_memory = !std::is_same_v<P, neurons::Threshold>;

    Maker(const Population& population, const neurons::PerNeuron<P>& model, const NeuronRule& rule,
          const SteppedRules& rules, const Layout& layout)
        : population_(population), model_(model), rule_(rule), rules_(rules), layout_(layout) {
        check_sharing();
        dt_ = step();
        c_.dt = static_cast<T>(dt_);
        c_.height = static_cast<T>(rule.height_per_second ? rule.spike_height / rules.dt.seconds()
                                                          : rule.spike_height);
        set_inputs();
        if constexpr (has_current) set_current();
        set_membrane();
        if constexpr (spikes) set_threshold();
        set_starts();
    }

    Coefficients<T> c_;
    std::vector<T> V_0, I_0;

  private:
    [[nodiscard]] P neuron(std::size_t i) const {
        return model_[model_.size() == 1 ? 0 : layout_.outside(static_cast<NeuronIndex>(i))];
    }
    /// f of each neuron's parameters.
    template <class F>
    [[nodiscard]] std::vector<T> each(F&& f) const {
        std::vector<T> values(population_.size());
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (i > 0 && model_.size() == 1) {
                values[i] = values[0];
            } else {
                values[i] = static_cast<T>(f(neuron(i)));
            }
        }
        return values;
    }
    /// Calls f(p, outside index) for every set of parameters.
    template <class F>
    void for_each(F&& f) const {
        for (std::size_t j = 0; j < model_.size(); ++j) f(model_[j], j);
    }

    [[nodiscard]] NetworkError refused(const std::string& field, std::size_t j, const std::string& expected,
                                       double found, const std::string& cure) const {
        return {population_.name, field,
                (model_.size() > 1 ? "neuron " + std::to_string(j) + ": " : "") + quoted(rules_.name) +
                    " expects " + expected + ", found " + shown(found) + "." + (cure.empty() ? "" : " ") +
                    cure};
    }
    static bool near(double x, double expected) {  // as numpy.isclose has it
        return std::abs(x - expected) <= 1e-8 + 1e-5 * std::abs(expected);
    }
    void expect(const std::string& field, std::size_t j, double found, double expected, const std::string& as,
                const std::string& cure = {}) const {
        if (!near(found, expected)) throw refused(field, j, as + " = " + shown(expected), found, cure);
    }

    void check_sharing() const {
        if (rule_.shared == Shared::nothing) return;
        for_each([&](const P& p, std::size_t j) {
            const P first = model_[0];
            const auto same = [&](const char* field, double x, double y) {
                if (x != y)
                    throw refused(field, j, "one value for the whole population, " + shown(y), x,
                                  "It has no parameters of single neurons here.");
            };
            if constexpr (spikes) {
                const bool is_scaled = has_current && rule_.w_in == InputGain::scales_threshold;
                if (rule_.shared != Shared::all_but_threshold && !is_scaled) same("V_th", p.V_th, first.V_th);
            }
            if (rule_.shared == Shared::threshold) return;
            if constexpr (has_leak) same("tau_m", p.tau_m, first.tau_m);
            if constexpr (has_current) same("tau_syn", p.tau_syn, first.tau_syn);
            if constexpr (spikes) same("V_reset", p.V_reset, first.V_reset);
            if constexpr (has_memory) same("R", p.R, first.R);
        });
    }

    /// Length of a step in seconds.
    [[nodiscard]] double step() const {
        double dt = rules_.dt.seconds();
        if constexpr (has_leak) {
            if (rule_.R != Resistance::sets_step) return dt;
            dt = INFINITY;
            for_each([&](const P& p, std::size_t j) {
                if (!(p.R > -1.0)) throw refused("R", j, "> -1", p.R, "The step is tau_m / (1 + R).");
                dt = std::min(dt, p.tau_m / (1.0 + p.R));
            });
        }
        return dt;
    }

    /// dt / tau, or what stands for it.
    [[nodiscard]] T fraction(double tau) const {
        switch (rule_.leak) {
            case Leak::quotient:
                return static_cast<T>(dt_) / static_cast<T>(tau);
            case Leak::reciprocal:
                return static_cast<T>(dt_) * (T{1} / static_cast<T>(tau));
            case Leak::in_double:
                return static_cast<T>(dt_ / tau);
            case Leak::exponential:
                break;
        }
        return static_cast<T>(-std::expm1(-dt_ / tau));
    }
    [[nodiscard]] T kept(double tau) const {
        if (rule_.leak == Leak::in_double) return static_cast<T>(1.0 - dt_ / tau);
        if (rule_.leak == Leak::exponential) return static_cast<T>(std::exp(-dt_ / tau));
        return T{1} - fraction(tau);
    }

    void set_inputs() {
        if constexpr (has_memory) {
            for_each([&](const P& p, std::size_t j) {
                check_resistance(p, j);
                if constexpr (requires { p.I_e; }) {
                    if (p.I_e != 0.0)
                        throw refused("I_e", j, "0", p.I_e, "Give the neuron a bias in its place.");
                }
                if constexpr (requires(P q) { q.t_ref = Duration(); }) {
                    if (p.t_ref != Duration())
                        throw refused("t_ref", j, "0", p.t_ref.seconds(), "It has no refractory period.");
                }
            });
        }
        const bool by_R = rule_.R == Resistance::multiplies && !has_current && has_memory;
        if (rule_.input_gain == 1.0 && !rule_.input_times_leak && !by_R &&
            !(rule_.in_thresholds && !has_current)) {
            return;
        }
        c_.input_gain = each([&](const P& p) {
            T gain = static_cast<T>(rule_.input_gain);
            if constexpr (has_leak) {
                if (rule_.input_times_leak) gain *= fraction(p.tau_m);
            }
            if constexpr (has_memory && !has_current) {
                if (by_R) gain *= static_cast<T>(p.R);
            }
            if constexpr (spikes && !has_current) {
                if (rule_.in_thresholds) gain /= static_cast<T>(p.V_th);
            }
            return gain;
        });
    }

    void check_resistance(const P& p, std::size_t j) const {
        if (rule_.R == Resistance::one) expect("R", j, p.R, 1.0, "1");
        if (rule_.R == Resistance::one_over_dt) {
            expect("R", j, p.R, 1.0 / dt_, "1 / dt",
                   "With a step of 1 / R it can be run: dt = " + shown(1.0 / p.R) + " s.");
        }
        if constexpr (has_leak) {
            const double T_m = p.tau_m / dt_;
            if (rule_.R == Resistance::tau_over_dt) expect("R", j, p.R, T_m, "tau_m / dt");
            if (rule_.R == Resistance::one_or_tau_over_dt && !near(p.R, 1.0))
                expect("R", j, p.R, T_m, "1, or tau_m / dt");
            if (divides() && !(T_m > 1.0))
                throw refused("tau_m", j, "more than a step, " + shown(dt_), p.tau_m, "");
            const double expected = rule_.rest == Rest::V_reset ? reset_of(p) : 0.0;
            if (rule_.rest == Rest::V_reset && p.E_L != expected)
                throw refused("E_L", j, "V_reset = " + shown(expected), p.E_L, "");
            if (rule_.rest == Rest::must_be_zero && p.E_L != 0.0) throw refused("E_L", j, "0", p.E_L, "");
        }
        if constexpr (has_current) {
            if (rule_.w_in == InputGain::tau_syn_over_dt)
                expect("w_in", j, p.w_in, p.tau_syn / dt_, "tau_syn / dt");
        }
    }
    static double reset_of(const P& p) {
        if constexpr (spikes) {
            return p.V_reset;
        } else {
            return 0.0 * p.V_0;
        }
    }
    [[nodiscard]] bool divides() const {
        return rule_.membrane == Membrane::relax_by_division || rule_.membrane == Membrane::decay_by_division;
    }

    void set_current() {
        c_.a_s = each([&](const P& p) { return fraction(p.tau_syn); });
        c_.b_s = each([&](const P& p) { return kept(p.tau_syn); });
        c_.E_I = each([&](const P& p) { return rule_.current_rests_at_E_L ? p.E_L : 0.0; });
        const bool weighs = rule_.w_in == InputGain::multiplies;
        const bool is_low_pass = rule_.current == Current::low_pass;
        c_.w_in = each([&](const P& p) { return weighs ? p.w_in : 1.0; });
        c_.gain = each([&](const P& p) {
            double gain = rule_.R == Resistance::multiplies ? p.R : 1.0;
            if (is_low_pass && weighs) gain *= p.w_in;
            if constexpr (spikes) {
                if (rule_.in_thresholds) gain /= p.V_th;
            }
            return gain;
        });
        if (rule_.membrane == Membrane::fixed_point)
            c_.d_I =
                each([&](const P& p) { return fixed_scale - std::round(fixed_scale * dt_ / p.tau_syn); });
    }

    void set_membrane() {
        if constexpr (has_leak) {
            c_.a = each([&](const P& p) { return fraction(p.tau_m); });
            c_.b = each([&](const P& p) { return kept(p.tau_m); });
            c_.tau_m = each(
                [&](const P& p) { return rule_.membrane == Membrane::substep ? p.tau_m : p.tau_m / dt_; });
            if (rule_.membrane != Membrane::decay || rule_.rest == Rest::added) {
                c_.E = each([&](const P& p) {
                    if (rule_.rest == Rest::E_L || rule_.rest == Rest::added) return p.E_L;
                    return rule_.rest == Rest::V_reset ? reset_of(p) : 0.0;
                });
            }
            if (rule_.membrane == Membrane::fixed_point)
                c_.d_V =
                    each([&](const P& p) { return fixed_scale - std::round(fixed_scale * dt_ / p.tau_m); });
        } else {
            const double retention = has_memory ? rule_.retention : 0.0;
            if (retention != 1.0) c_.b = each([&](const P&) { return retention; });
        }
    }

    void set_threshold() {
        c_.V_th = each([&](const P& p) {
            if (rule_.in_thresholds) return T{1};
            if (rule_.membrane == Membrane::fixed_point) {
                const double on_grid = std::trunc(fixed_weight_scale * p.V_th) / fixed_weight_scale;
                return static_cast<T>(on_grid + 0.01 / fixed_scale) * static_cast<T>(fixed_scale);
            }
            return static_cast<T>(p.V_th);
        });
        c_.V_reset = each([&](const P& p) { return rule_.reset == Reset::to_V_reset ? reset_of(p) : 0.0; });
        if (rule_.counts || rule_.in_thresholds) {
            for_each([&](const P& p, std::size_t j) {
                if (!(p.V_th > 0.0))
                    throw refused("V_th", j, "> 0", p.V_th, "Spikes are counted in thresholds.");
            });
        }
        scale_threshold();
    }

    void scale_threshold() {
        if constexpr (has_current) {
            if (rule_.w_in == InputGain::scales_threshold) {
                divide_threshold("w_in", [&](const P& p) {
                    return static_cast<T>(p.w_in) * (static_cast<T>(dt_) / static_cast<T>(p.tau_syn));
                });
            }
        } else if constexpr (has_leak) {
            if (rule_.R == Resistance::scales_threshold) {
                divide_threshold("R", [&](const P& p) {
                    return static_cast<T>(p.R) * static_cast<T>(dt_) / static_cast<T>(p.tau_m);
                });
            }
        }
    }
    /// By f of the parameters, if that is not 1 everywhere: by its smallest value, or, with a current, by
    /// that of each neuron, and then all must have come out the same where the threshold is shared.
    template <class F>
    void divide_threshold(const char* field, F&& f) {
        T smallest = f(model_[0]);
        bool all_one = true;
        for_each([&](const P& p, std::size_t) {
            smallest = std::min(smallest, f(p));
            all_one = all_one && near(static_cast<double>(f(p)), 1.0);
        });
        if (all_one) return;
        if (!(smallest > T{0})) {
            throw NetworkError(population_.name, field,
                               quoted(rules_.name) + " divides the threshold by it: expected > 0, found " +
                                   shown(static_cast<double>(smallest)) + " dt / tau.");
        }
        const std::vector<T> factors =
            each([&](const P& p) { return static_cast<double>(has_current ? f(p) : smallest); });
        for (std::size_t i = 0; i < factors.size(); ++i) c_.V_th[i] /= factors[i];
        if (rule_.shared == Shared::nothing) return;
        for (std::size_t i = 1; i < factors.size(); ++i) {
            if (c_.V_th[i] == c_.V_th[0]) continue;
            throw refused(field, layout_.outside(static_cast<NeuronIndex>(i)),
                          "one threshold for the whole population, and divides it by " + std::string(field) +
                              " dt / tau: " + shown(static_cast<double>(c_.V_th[0])),
                          static_cast<double>(c_.V_th[i]), "");
        }
    }

    void set_starts() {
        V_0 = each([&](const P& p) -> double {
            if constexpr (has_leak) {
                if (rule_.start == Start::E_L) return p.E_L;
            }
            if (rule_.start == Start::V_reset) return spikes ? reset_or_zero(p) : 0.0;
            if constexpr (has_memory) {
                if (rule_.start == Start::V_0) return p.V_0;
            }
            return 0.0;
        });
        I_0.assign(V_0.size(), T{0});
        if constexpr (has_current) {
            if (rule_.current_rests_at_E_L) I_0 = c_.E_I;
        }
    }
    static double reset_or_zero(const P& p) {
        if constexpr (spikes) {
            return p.V_reset;
        } else {
            return 0.0 * p.V_0;
        }
    }

    const Population& population_;
    const neurons::PerNeuron<P>& model_;
    const NeuronRule& rule_;
    const SteppedRules& rules_;
    const Layout& layout_;
    double dt_ = 0.0;
};

template <class T>
class GridGroup;

template <class T>
class GridState final : public NeuronState<T> {
  public:
    explicit GridState(const GridGroup<T>& group) : group_(group) { restart(); }

    void restart() override;
    void step(std::span<T> x, std::vector<StepEntry<T>>& sent) override;
    [[nodiscard]] double potential(NeuronIndex i) const override;
    [[nodiscard]] double current(NeuronIndex i) const override;

  private:
    const GridGroup<T>& group_;
    std::vector<T> V_;
    std::vector<T> I_;
    std::vector<T> shown_;    // V before the reset, where the rule records that
    std::vector<T> pending_;  // substep: time to wait; resets in the next step: spikes whose reset is due
};

template <class T>
class GridGroup final : public NeuronGroup<T> {
  public:
    template <class P>
    GridGroup(Maker<T, P> maker, const NeuronRule& the_rule)
        : rule(the_rule),
          c(std::move(maker.c_)),
          V_0(std::move(maker.V_0)),
          I_0(std::move(maker.I_0)),
          with_current(Maker<T, P>::has_current),
          spikes(Maker<T, P>::spikes) {}

    [[nodiscard]] std::unique_ptr<NeuronState<T>> start() const override {
        return std::make_unique<GridState<T>>(*this);
    }
    [[nodiscard]] bool has_current() const override { return with_current; }
    [[nodiscard]] bool sends_counts() const override { return rule.counts; }
    [[nodiscard]] std::optional<LinearStep> linear() const override;

    NeuronRule rule;
    Coefficients<T> c;
    std::vector<T> V_0;
    std::vector<T> I_0;
    bool with_current;
    bool spikes;
};

/// The passes of stepped_passes.hpp, by their formulas.
template <class T>
std::optional<LinearStep> GridGroup<T>::linear() const {
    if (rule.membrane == Membrane::substep || rule.membrane == Membrane::fixed_point) return std::nullopt;
    const std::size_t n = V_0.size();
    LinearStep step;
    step.rule = rule;
    step.height = static_cast<double>(c.height);
    for (std::vector<double>* entries : {&step.I_I, &step.I_x, &step.u_I}) entries->assign(n, 0.0);
    for (std::vector<double>* entries : {&step.u_x, &step.V_V, &step.V_u}) entries->assign(n, 1.0);
    const auto at = [](const std::vector<T>& values, std::size_t i) {
        return static_cast<double>(values[i]);
    };
    for (std::size_t i = 0; i < n; ++i) {
        if (with_current) {
            const double a = at(c.a_s, i);
            const double b = at(c.b_s, i);
            const double gain = at(c.gain, i);
            switch (rule.current) {
                case Current::relax:
                    step.I_I[i] = 1.0 - a;
                    step.I_x[i] = a * at(c.w_in, i);
                    step.u_I[i] = gain * step.I_I[i];
                    step.u_x[i] = gain * step.I_x[i];
                    break;
                case Current::decay:
                    step.I_I[i] = step.u_I[i] = b;
                    step.I_x[i] = 1.0;
                    break;
                case Current::add_then_decay:
                    step.I_I[i] = step.I_x[i] = step.u_I[i] = step.u_x[i] = b;
                    break;
                case Current::use_then_decay:
                    step.I_I[i] = step.I_x[i] = 1.0 - a;
                    step.u_I[i] = 1.0;
                    break;
                case Current::low_pass:
                    step.I_I[i] = b;
                    step.I_x[i] = a;
                    step.u_I[i] = gain;
                    step.u_x[i] = 0.0;
                    break;
            }
        }
        if (!c.input_gain.empty()) {
            step.I_x[i] *= at(c.input_gain, i);
            step.u_x[i] *= at(c.input_gain, i);
        }
        switch (rule.membrane) {
            case Membrane::relax:
                step.V_u[i] = at(c.a, i);
                step.V_V[i] = 1.0 - step.V_u[i];
                break;
            case Membrane::relax_by_division:
                step.V_u[i] = 1.0 / at(c.tau_m, i);
                step.V_V[i] = 1.0 - step.V_u[i];
                break;
            case Membrane::decay_by_division:
                step.V_V[i] = 1.0 - 1.0 / at(c.tau_m, i);
                break;
            case Membrane::decay:
            case Membrane::substep:
            case Membrane::fixed_point:
            case Membrane::closed_form:
                if (!c.b.empty()) step.V_V[i] = at(c.b, i);
                break;
        }
        if (!spikes) continue;
        step.V_th.push_back(at(c.V_th, i));
        step.V_reset.push_back(at(c.V_reset, i));
    }
    return step;
}

template <class T>
void GridState<T>::restart() {
    V_ = group_.V_0;
    if (group_.with_current) I_ = group_.I_0;
    if (group_.rule.record_before_reset) shown_ = V_;
    if (group_.rule.reset_time != ResetTime::same_step || group_.rule.membrane == Membrane::substep)
        pending_.assign(V_.size(), T{0});
}

template <class T>
void GridState<T>::step(std::span<T> x, std::vector<StepEntry<T>>& sent) {
    const NeuronRule& rule = group_.rule;
    const Coefficients<T>& c = group_.c;
    const std::size_t n = V_.size();
    if (!c.input_gain.empty())
        for (std::size_t i = 0; i < n; ++i) x[i] *= c.input_gain[i];
    if (rule.membrane == Membrane::fixed_point) {
        fixed_point_pass(c, I_.data(), V_.data(), x.data(), n);
    } else {
        if (group_.with_current) current_pass(rule.current, c, I_.data(), x.data(), n);
        if (rule.membrane == Membrane::substep) {
            substep_pass(rule, c, V_.data(), pending_.data(),
                         rule.record_before_reset ? shown_.data() : nullptr, x.data(), n, sent);
            return;
        }
        const bool resets = group_.spikes && rule.reset_time != ResetTime::same_step;
        if (resets && rule.reset_time == ResetTime::next_step_first)
            late_reset(rule, c, V_.data(), pending_.data(), n);
        membrane_pass(rule.membrane, c, V_.data(), x.data(), n);
        if (resets && rule.reset_time == ResetTime::next_step)
            late_reset(rule, c, V_.data(), pending_.data(), n);
    }
    if (rule.record_before_reset) shown_ = V_;
    if (group_.spikes) {
        fire_pass(rule, c, V_.data(), pending_.data(), n, sent);
    } else {
        for (std::size_t i = 0; i < n; ++i) {
            if (V_[i] != T{0}) sent.push_back({static_cast<NeuronIndex>(i), V_[i]});
        }
    }
}

template <class T>
double GridState<T>::potential(NeuronIndex i) const {
    const auto V = static_cast<double>(group_.rule.record_before_reset ? shown_[i] : V_[i]);
    return group_.rule.membrane == Membrane::fixed_point ? V / fixed_scale : V;
}

template <class T>
double GridState<T>::current(NeuronIndex i) const {
    if (I_.empty()) return 0.0;
    const auto I = static_cast<double>(I_[i]);
    return group_.rule.membrane == Membrane::fixed_point ? I / fixed_scale : I;
}

void check_rule(const NeuronRule& rule, const std::string& name) {
    const auto refuse = [&](const std::string& text) {
        return UsageError("rules " + quoted(name) + ": " + text);
    };
    if (rule.counts && (rule.reset != Reset::subtract || rule.reset_time != ResetTime::same_step)) {
        throw refuse("several spikes a step need a reset by subtraction in the same step.");
    }
    if (rule.reset_time == ResetTime::before_and_after && rule.reset != Reset::subtract) {
        throw refuse("a reset before and after the test is possible by subtraction only.");
    }
    if (rule.membrane == Membrane::substep && (rule.reset == Reset::subtract || rule.counts)) {
        throw refuse("substep has a reset to a value only.");
    }
    const bool resets_late =
        rule.reset_time == ResetTime::next_step || rule.reset_time == ResetTime::next_step_first;
    if ((rule.membrane == Membrane::substep && rule.reset_time != ResetTime::same_step) ||
        (rule.membrane == Membrane::fixed_point && resets_late)) {
        throw refuse("substep and fixed_point have a reset in the same step only.");
    }
}

/// The membrane that R asks for.
template <class P>
NeuronRule settled(NeuronRule rule, const neurons::PerNeuron<P>& model) {
    if constexpr (requires(P p) { p.tau_m; }) {
        if (rule.R == Resistance::one_or_tau_over_dt) {
            const bool one = std::abs(model[0].R - 1.0) <= 1e-8 + 1e-5;
            rule.membrane = one ? Membrane::relax_by_division : Membrane::decay_by_division;
        }
    } else if (rule.membrane == Membrane::relax || rule.membrane == Membrane::relax_by_division ||
               rule.membrane == Membrane::decay_by_division) {
        rule.membrane = Membrane::decay;
    }
    return rule;
}

}  // namespace

template <class T>
std::unique_ptr<const NeuronGroup<T>> make_group(const Population& population, const SteppedRules& rules,
                                                 const Layout& layout, const std::vector<T>& constant) {
    return std::visit(
        [&]<class M>(const M& model) -> std::unique_ptr<const NeuronGroup<T>> {
            if constexpr (neurons::HasNeurons<M>) {
                using P = typename M::value_type;
                constexpr bool current =
                    std::is_same_v<P, neurons::CubaLif> || std::is_same_v<P, neurons::CubaLi>;
                constexpr bool leak = std::is_same_v<P, neurons::Lif> || std::is_same_v<P, neurons::Li>;
                constexpr bool plain = std::is_same_v<P, neurons::If> ||
                                       std::is_same_v<P, neurons::Integrator> ||
                                       std::is_same_v<P, neurons::Threshold>;
                const NeuronRule& rule = current ? rules.with_current
                                         : plain ? rules.without_leak
                                                 : rules.with_leak;
                check_rule(rule, rules.name);
                if (rule.membrane == Membrane::closed_form)
                    return make_flow_group(population, rule, rules.dt, layout, constant);
                if constexpr (current || leak || plain) {
                    const NeuronRule final_rule = settled(rule, model);
                    const auto refuse = [&](const std::string& text) {
                        return LimitError("population " + quoted(population.name) + ": " +
                                          quoted(rules.name) + " has " + text + " only.");
                    };
                    if (final_rule.membrane == Membrane::fixed_point && !current)
                        throw refuse("fixed point arithmetic for CubaLIF");
                    constexpr bool has_spike_time = neurons::Spiking<P> && !plain;
                    if (final_rule.membrane == Membrane::substep && !has_spike_time)
                        throw refuse("spikes within a step for LIF and CubaLIF");
                    return std::make_unique<GridGroup<T>>(
                        Maker<T, P>(population, model, final_rule, rules, layout), final_rule);
                }
                throw LimitError("population " + quoted(population.name) + ": " +
                                 std::string(neurons::model_name(population.model)) + " is no model of " +
                                 quoted(rules.name) + ". The rules of nest and brian2 have it.");
            } else {
                throw LimitError("population " + quoted(population.name) + ": a source has no neurons.");
            }
        },
        population.model);
}

template std::unique_ptr<const NeuronGroup<float>> make_group(const Population&, const SteppedRules&,
                                                              const Layout&, const std::vector<float>&);
template std::unique_ptr<const NeuronGroup<double>> make_group(const Population&, const SteppedRules&,
                                                               const Layout&, const std::vector<double>&);

}  // namespace saltus::stepped
