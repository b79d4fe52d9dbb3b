#include <algorithm>
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
std::vector<P> parameters_of(const std::string& population, const neurons::PerNeuron<P>& all,
                             NeuronRange range) {
    if (all.size() == 1) return {all[0]};
    std::vector<P> parameters;
    parameters.reserve(range.size());
    for (NeuronIndex i = range.begin; i < range.end; ++i) {
        parameters.push_back(all[i]);
        if constexpr (requires(P p) { p.V_0; }) {
            if (std::isfinite(parameters.back().V_0)) continue;
            throw NetworkError(population, "V_0",
                               "neuron " + std::to_string(i) + ": expected a finite number, found " +
                                   std::to_string(parameters.back().V_0) + ".");
        }
    }
    return parameters;
}

/// Parameters of the neurons of a block, one if all share them.
template <class P>
std::vector<P> parameters_of(const Network& network, const BlockPlan& plan) {
    const auto of_piece = [&](const Piece& piece) {
        const auto& model = network.populations()[piece.population].model;
        return parameters_of(piece.name, std::get<neurons::PerNeuron<P>>(model), piece.range);
    };
    std::vector<P> all = of_piece(plan.pieces.front());
    if (plan.pieces.size() == 1) return all;
    all.resize(plan.pieces.front().range.size(), all.front());
    all.reserve(plan.size());
    for (std::size_t k = 1; k < plan.pieces.size(); ++k) {
        const std::vector<P> parameters = of_piece(plan.pieces[k]);
        for (std::uint32_t i = 0; i < plan.pieces[k].range.size(); ++i)
            all.push_back(parameters[parameters.size() == 1 ? 0 : i]);
    }
    return all;
}

/// Constant signal of the neurons of a block, or none.
std::vector<double> signal_of(const BlockPlan& plan, std::span<const std::vector<double>> signals) {
    std::vector<double> all;
    for (const Piece& piece : plan.pieces) {
        const std::vector<double>& signal = signals[piece.population];
        if (signal.empty()) continue;
        all.resize(plan.size());
        std::copy(signal.begin() + piece.range.begin, signal.begin() + piece.range.end,
                  all.begin() + piece.first);
    }
    return all;
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

bool share_frame(const Population& a, std::span<const double> signal_a, const Population& b,
                 std::span<const double> signal_b) {
    return std::visit(
        [&]<class M>(const M& model) {
            if constexpr (neurons::HasNeurons<M>) {
                using P = typename M::value_type;
                if constexpr (HasFrame<P>) {
                    const M* const other = std::get_if<M>(&b.model);
                    if (!other) return false;
                    // The neurons of each share what one frame has to share: one of each stands for all.
                    const auto constants = [](const P& p, std::span<const double> signal) {
                        return neurons::constants(p, signal.empty() ? 0.0 : signal.front());
                    };
                    const P first = model[0];
                    const P second = (*other)[0];
                    return FrameOf<P>::type::suits({first, second},
                                                   {constants(first, signal_a), constants(second, signal_b)});
                }
            }
            return false;
        },
        a.model);
}

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
                                  std::span<const std::vector<double>> signals,
                                  std::span<const SpikeTrain> inputs, Time end) {
    const Piece& first = plan.pieces.front();  // the others are like it
    const Population& population = network.populations()[first.population];
    return std::visit(
        [&]<class M>(const M& model) -> std::unique_ptr<Block> {
            if constexpr (std::is_same_v<M, neurons::Input>) {
                return std::make_unique<TrainBlock>(plan, inputs[first.population]);
            } else if constexpr (std::is_same_v<M, neurons::SpikeSource>) {
                return std::make_unique<TrainBlock>(plan, model.spikes);
            } else if constexpr (std::is_same_v<M, neurons::PoissonSource>) {
                return std::make_unique<PoissonBlock>(plan, model);
            } else if constexpr (std::is_same_v<M, neurons::RegularSource>) {
                return std::make_unique<RegularBlock>(plan, model);
            } else {
                using P = typename M::value_type;
                const std::vector<P> parameters = parameters_of<P>(network, plan);
                const std::vector<double> signal = signal_of(plan, signals);
                if constexpr (HasFrame<P>) {
                    if (plan.in_frame) {
                        using Frame = typename FrameOf<P>::type;
                        return std::make_unique<FrameBlock<Frame>>(
                            plan, Frame(parameters, constants_of(parameters, signal), plan.size()));
                    }
                }
                const Layout layout =
                    plan.size() == population.size() ? layout_of(network, first.population) : Layout();
                return std::make_unique<NeuronBlock<P>>(
                    plan, layout, PopulationState<P>(parameters, plan.size(), signal, layout, end));
            }
        },
        population.model);
}

}  // namespace saltus
