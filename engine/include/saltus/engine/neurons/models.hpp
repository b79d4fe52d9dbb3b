// The closed set of models. Adding one is a header beside this file, a line in `Model`, a test, and a line of
// documentation (CONTRIBUTING.md walks through it).
//
// A model P is a struct of the parameters of one neuron with P::name (NIR's, where NIR has it), P::State,
// P::Constants, and these functions on them:
//   constants(p, x)                    what the loops need, from the parameters and the constant signal x
//   initial(p, c)                      state at the start
//   flow(c, state, s)                  state s seconds later without input: the closed form
//   arrive(c, state, w)                spikes of summed weight w arrive; a SignedSum if P::separates_signs
//   refractory_flow, refractory_arrive the same during the refractory period
//   next_crossing(c, state, V_th, h)   seconds to the threshold, infinity if not within h
//   stands_still(c)                    the state never moves between arrivals
// and, where the threshold is part of the state,
//   threshold(p, state)                what V must reach; else V_th
//   adapt(p, state)                    a spike has been sent and V reset; else nothing happens
#pragma once

#include <string_view>
#include <variant>

#include "saltus/engine/neurons/cuba_li.hpp"
#include "saltus/engine/neurons/cuba_lif.hpp"
#include "saltus/engine/neurons/if.hpp"
#include "saltus/engine/neurons/if_exp.hpp"
#include "saltus/engine/neurons/integrator.hpp"
#include "saltus/engine/neurons/li.hpp"
#include "saltus/engine/neurons/lif.hpp"
#include "saltus/engine/neurons/lif_adaptive.hpp"
#include "saltus/engine/neurons/lif_alpha.hpp"
#include "saltus/engine/neurons/lif_exp2.hpp"
#include "saltus/engine/neurons/per_neuron.hpp"
#include "saltus/engine/neurons/qif.hpp"
#include "saltus/engine/neurons/ramp_if.hpp"
#include "saltus/engine/neurons/signed_sum.hpp"
#include "saltus/engine/neurons/sources.hpp"
#include "saltus/engine/neurons/threshold.hpp"

namespace saltus::neurons {

template <class P>
concept Spiking = requires(const P& p) {
    p.V_th;
};

template <Spiking P>
[[nodiscard]] double threshold(const P& p, const typename P::State&) noexcept {
    return p.V_th;
}
template <Spiking P>
void adapt(const P&, typename P::State&) noexcept {}

using Model = std::variant<Input, PoissonSource, RegularSource, SpikeSource, PerNeuron<If>, PerNeuron<Lif>,
                           PerNeuron<CubaLif>, PerNeuron<IfExp>, PerNeuron<LifExp2>, PerNeuron<LifAlpha>,
                           PerNeuron<LifAdaptive>, PerNeuron<Qif>, PerNeuron<RampIf>, PerNeuron<Integrator>,
                           PerNeuron<Li>, PerNeuron<CubaLi>, PerNeuron<Threshold>>;

/// M holds parameters of neurons that receive spikes; the others are sources.
template <class M>
concept HasNeurons = requires {
    typename M::value_type;
};

/// "IF", "LIF", ... as NIR calls it, where NIR has it.
[[nodiscard]] std::string_view model_name(const Model& model);

/// Emits spikes, as a source does.
[[nodiscard]] bool is_spiking(const Model& model);
/// Its spikes do not depend on what arrives: an input or a generator.
[[nodiscard]] bool is_source(const Model& model);
/// What excites its neurons and what inhibits them act apart.
[[nodiscard]] bool keeps_signs_apart(const Model& model);

}  // namespace saltus::neurons
