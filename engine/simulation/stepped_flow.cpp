// Grid neurons with the closed form of their model between steps, as NEST and Brian 2 have them: V at a step
// is exact for what has arrived at steps before it. A refractory period of k steps keeps V for k steps, and
// what arrives at those is lost to V.
#include <cmath>

#include "saltus/engine/errors.hpp"
#include "stepped_neurons.hpp"

namespace saltus::stepped {

namespace {

template <class P>
struct FlowNeurons {
    std::vector<P> parameters;  // one for all, or one each
    std::vector<typename P::Constants> constants;
    std::vector<std::uint32_t> refractory;  // steps

    [[nodiscard]] const P& parameter(std::size_t i) const {
        return parameters[parameters.size() == 1 ? 0 : i];
    }
};

template <class T, class P>
class FlowState final : public NeuronState<T> {
  public:
    FlowState(const FlowNeurons<P>& group, const NeuronRule& rule, double dt)
        : group_(group), rule_(rule), dt_(dt), states_(group.constants.size()), rest_(states_.size()) {
        restart();
    }

    void restart() override {
        for (std::size_t i = 0; i < states_.size(); ++i) {
            states_[i] = initial(group_.parameter(i), group_.constants[i]);
            rest_[i] = 0;
        }
        first_ = true;
    }

    void step(std::span<T> x, std::vector<StepEntry<T>>& sent) override {
        const bool arrive_first = rule_.arrival == Arrival::before_test;
        for (std::size_t i = 0; i < states_.size(); ++i) {
            auto& state = states_[i];
            const auto& c = group_.constants[i];
            const bool refractory = rest_[i] > 0;
            if (refractory) --rest_[i];
            if (!first_) state = refractory ? refractory_flow(c, state, dt_) : flow(c, state, dt_);
            if (arrive_first) take(i, refractory, static_cast<double>(x[i]));
            double z = 0.0;
            if constexpr (neurons::Spiking<P>) {
                if (!refractory) z = spikes(group_.parameter(i), state);
            }
            if (!arrive_first) take(i, refractory, static_cast<double>(x[i]));
            if constexpr (neurons::Spiking<P>) {
                if (z > 0.0) {
                    reset(i, z);
                    sent.push_back({static_cast<NeuronIndex>(i), static_cast<T>(z)});
                }
            } else {
                sent.push_back({static_cast<NeuronIndex>(i), static_cast<T>(state.V)});
            }
        }
        first_ = false;
    }

    [[nodiscard]] double potential(NeuronIndex i) const override { return states_[i].V; }
    [[nodiscard]] double current(NeuronIndex i) const override {
        if constexpr (requires { group_.constants[i].constant_I; }) {
            return states_[i].I + group_.constants[i].constant_I;
        } else if constexpr (requires { states_[i].I; }) {
            return states_[i].I;
        } else {
            return 0.0 * static_cast<double>(i);
        }
    }

  private:
    void take(std::size_t i, bool refractory, double x) {
        if (x == 0.0) return;
        const auto arrival = [&] {
            if constexpr (neurons::separates_signs<P>) {
                return neurons::SignedSum{x > 0.0 ? x : 0.0, x > 0.0 ? 0.0 : x};
            } else {
                return x;
            }
        }();
        if (refractory) {
            refractory_arrive(group_.constants[i], states_[i], arrival);
        } else {
            arrive(group_.constants[i], states_[i], arrival);
        }
    }

    [[nodiscard]] double spikes(const P& p, const typename P::State& state) const {
        const double V_th = threshold(p, state);
        const bool fires = rule_.fires_at_threshold ? state.V >= V_th : state.V > V_th;
        if (!fires) return 0.0;
        return p.reset == neurons::Reset::subtract_repeated ? std::floor(state.V / V_th) : 1.0;
    }

    void reset(std::size_t i, double z) {
        const P& p = group_.parameter(i);
        auto& state = states_[i];
        if (p.reset == neurons::Reset::to_value) {
            state.V = p.V_reset;
        } else if (p.reset != neurons::Reset::none) {
            state.V -= z * threshold(p, state);
        }
        adapt(p, state);
        rest_[i] = group_.refractory[group_.refractory.size() == 1 ? 0 : i];
    }

    const FlowNeurons<P>& group_;
    const NeuronRule& rule_;
    double dt_;
    std::vector<typename P::State> states_;
    std::vector<std::uint32_t> rest_;  // steps for which the neuron is refractory yet
    bool first_ = true;
};

template <class T, class P>
class FlowGroup final : public NeuronGroup<T> {
  public:
    FlowGroup(FlowNeurons<P> group, const NeuronRule& rule, double dt)
        : group_(std::move(group)), rule_(rule), dt_(dt) {}

    [[nodiscard]] std::unique_ptr<NeuronState<T>> start() const override {
        return std::make_unique<FlowState<T, P>>(group_, rule_, dt_);
    }
    [[nodiscard]] bool has_current() const override {
        return requires(typename P::State state) {
            state.I;
        };
    }
    [[nodiscard]] bool sends_counts() const override { return true; }
    [[nodiscard]] bool takes_constant() const override { return true; }

  private:
    FlowNeurons<P> group_;
    NeuronRule rule_;
    double dt_;
};

template <class P>
void check_signs(const Population& population, const neurons::PerNeuron<P>& parameters) {
    if constexpr (requires(P p) { p.tau_syn_ex; }) {
        for (const P& p : parameters) {
            if (p.tau_syn_ex == p.tau_syn_in) continue;
            throw LimitError("population " + quoted(population.name) +
                             ": tau_syn_ex and tau_syn_in differ, and the stepped clock adds up what excites "
                             "and what inhibits. Use the exact clock.");
        }
    }
}

}  // namespace

template <class T>
std::unique_ptr<const NeuronGroup<T>> make_flow_group(const Population& population, const NeuronRule& rule,
                                                      Duration dt, const Layout& layout,
                                                      const std::vector<T>& constant) {
    return std::visit(
        [&]<class M>(const M& model) -> std::unique_ptr<const NeuronGroup<T>> {
            if constexpr (neurons::HasNeurons<M>) {
                using P = typename M::value_type;
                check_signs(population, model);
                FlowNeurons<P> group;
                for (NeuronIndex i = 0; i < population.size(); ++i) {
                    const P& p = model[model.size() == 1 ? 0 : layout.outside(i)];
                    if (model.size() > 1 || i == 0) group.parameters.push_back(p);
                    group.constants.push_back(
                        neurons::constants(p, constant.empty() ? 0.0 : static_cast<double>(constant[i])));
                    if constexpr (neurons::Spiking<P>) {
                        const double steps = std::round(p.t_ref.seconds() / dt.seconds());
                        if (model.size() > 1 || i == 0)
                            group.refractory.push_back(static_cast<std::uint32_t>(steps));
                    }
                }
                return std::make_unique<FlowGroup<T, P>>(std::move(group), rule, dt.seconds());
            } else {
                throw LimitError("population " + quoted(population.name) + ": a source has no neurons.");
            }
        },
        population.model);
}

template std::unique_ptr<const NeuronGroup<float>> make_flow_group(const Population&, const NeuronRule&,
                                                                   Duration, const Layout&,
                                                                   const std::vector<float>&);
template std::unique_ptr<const NeuronGroup<double>> make_flow_group(const Population&, const NeuronRule&,
                                                                    Duration, const Layout&,
                                                                    const std::vector<double>&);

}  // namespace saltus::stepped
