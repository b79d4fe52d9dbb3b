// The neurons of one population on the stepped clock: parameters and rule made ready once, states one per
// run. Indices are those inside a run (layout.hpp).
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "layout.hpp"
#include "saltus/engine/stepped.hpp"
#include "stepped_chain.hpp"

namespace saltus::stepped {

/// The state of a population in one run.
template <class T>
class NeuronState {
  public:
    virtual ~NeuronState() = default;
    /// Back to the start.
    virtual void restart() = 0;
    /// One step: x is the input of each neuron, and is used up. Appends what each neuron sends that is not
    /// silent; of a population without threshold its potentials.
    virtual void step(std::span<T> x, std::vector<StepEntry<T>>& sent) = 0;
    [[nodiscard]] virtual double potential(NeuronIndex i) const = 0;
    /// 0 where the model has none.
    [[nodiscard]] virtual double current(NeuronIndex i) const = 0;
};

/// A step of neurons as the linear map that it is between two thresholds, each entry of every neuron:
///
///   I' = I_I I + I_x x,   u = u_I I + u_x x,   V' = V_V V + V_u u,   both plus a constant
struct LinearStep {
    std::vector<double> I_I, I_x, u_I, u_x, V_V, V_u;
    std::vector<double> V_th, V_reset;  // empty: does not spike
    double height = 1.0;
    NeuronRule rule{};
};

template <class T>
class NeuronGroup {
  public:
    virtual ~NeuronGroup() = default;
    [[nodiscard]] virtual std::unique_ptr<NeuronState<T>> start() const = 0;
    [[nodiscard]] virtual bool has_current() const = 0;
    /// Amplitudes are numbers of spikes.
    [[nodiscard]] virtual bool sends_counts() const = 0;
    /// Nothing of rules whose steps are not linear: substep, fixed_point, closed_form.
    [[nodiscard]] virtual std::optional<LinearStep> linear() const { return std::nullopt; }
    /// The constant signal is part of the model, and not of x.
    [[nodiscard]] virtual bool takes_constant() const { return false; }
};

/// Neurons of the population by its rule. `constant` is the constant signal that it receives, empty for none;
/// only closed forms look at it. Throws NetworkError that names population and field for parameters that the
/// rule refuses, LimitError for models that it does not have.
template <class T>
[[nodiscard]] std::unique_ptr<const NeuronGroup<T>> make_group(const Population& population,
                                                               const SteppedRules& rules,
                                                               const Layout& layout,
                                                               const std::vector<T>& constant);

/// The same where the rule is the closed form of the model.
template <class T>
[[nodiscard]] std::unique_ptr<const NeuronGroup<T>> make_flow_group(const Population& population,
                                                                    const NeuronRule& rule, Duration dt,
                                                                    const Layout& layout,
                                                                    const std::vector<T>& constant);

}  // namespace saltus::stepped
