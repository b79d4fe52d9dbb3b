#include <cmath>
#include <string>

#include "block.hpp"
#include "frame_block.hpp"
#include "neuron_block.hpp"
#include "saltus/engine/errors.hpp"
#include "source_block.hpp"

namespace saltus {

namespace {

template <class P>
struct FrameOf;
template <>
struct FrameOf<neurons::If> {
    using type = DeltaFrame<neurons::If>;
};
template <>
struct FrameOf<neurons::Lif> {
    using type = DeltaFrame<neurons::Lif>;
};
template <>
struct FrameOf<neurons::CubaLif> {
    using type = ExpFrame;
};
template <class P>
concept HasFrame = requires {
    typename FrameOf<P>::type;
};

/// Parameters of the neurons of `range`, one if all share them.
template <class P>
std::vector<P> part(const std::string& population, const neurons::PerNeuron<P>& all, NeuronRange range) {
    if (all.size() == 1) return {all[0]};
    std::vector<P> part;
    part.reserve(range.size());
    for (NeuronIndex i = range.begin; i < range.end; ++i) {
        part.push_back(all[i]);
        if constexpr (requires(P p) { p.V_0; }) {
            if (std::isfinite(part.back().V_0)) continue;
            throw NetworkError(population, "V_0",
                               "neuron " + std::to_string(i) + ": expected a finite number, found " +
                                   std::to_string(part.back().V_0) + ".");
        }
    }
    return part;
}

template <class P>
std::vector<typename P::Constants> constants_of(const std::vector<P>& parameters,
                                                std::span<const double> signal) {
    const std::size_t n = std::max(parameters.size(), signal.size());
    std::vector<typename P::Constants> constants;
    for (std::size_t i = 0; i < n; ++i) {
        constants.push_back(
            neurons::constants(parameters[parameters.size() == 1 ? 0 : i], signal.empty() ? 0.0 : signal[i]));
    }
    return constants;
}

}  // namespace

bool suits_frame(const Population& population, std::span<const double> signal) {
    return std::visit(
        [&]<class M>(const M& model) {
            if constexpr (neurons::HasNeurons<M>) {
                if constexpr (HasFrame<typename M::value_type>) {
                    using P = typename M::value_type;
                    const std::vector<P> all = model.same_but_start()
                                                   ? std::vector<P>{model[0]}
                                                   : std::vector<P>(model.begin(), model.end());
                    return FrameOf<P>::type::suits(all, constants_of(all, signal));
                }
            }
            return false;
        },
        population.model);
}

std::unique_ptr<Block> make_block(const Network& network, const BlockPlan& plan,
                                  std::span<const double> signal, const SpikeTrain* input, Time end) {
    static const SpikeTrain nothing;
    const Population& population = network.populations()[plan.population];
    if (!signal.empty()) signal = signal.subspan(plan.range.begin, plan.range.size());
    return std::visit(
        [&]<class M>(const M& model) -> std::unique_ptr<Block> {
            if constexpr (std::is_same_v<M, neurons::Input>) {
                return std::make_unique<TrainBlock>(plan, input ? *input : nothing);
            } else if constexpr (std::is_same_v<M, neurons::SpikeSource>) {
                return std::make_unique<TrainBlock>(plan, model.spikes);
            } else if constexpr (std::is_same_v<M, neurons::PoissonSource>) {
                return std::make_unique<PoissonBlock>(plan, model);
            } else if constexpr (std::is_same_v<M, neurons::RegularSource>) {
                return std::make_unique<RegularBlock>(plan, model);
            } else {
                using P = typename M::value_type;
                const std::vector<P> parameters = part(population.name, model, plan.range);
                if constexpr (HasFrame<P>) {
                    if (plan.in_frame) {
                        using Frame = typename FrameOf<P>::type;
                        return std::make_unique<FrameBlock<Frame>>(
                            plan, Frame(parameters, constants_of(parameters, signal), plan.range.size()));
                    }
                }
                const Layout layout =
                    plan.range.size() == population.size() ? layout_of(network, plan.population) : Layout();
                return std::make_unique<NeuronBlock<P>>(
                    plan, layout,
                    PopulationState<P>(parameters, plan.range.size(),
                                       std::vector<double>(signal.begin(), signal.end()), layout, end));
            }
        },
        population.model);
}

}  // namespace saltus
