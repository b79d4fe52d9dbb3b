#include "any_network.hpp"

namespace saltus::properties {

namespace {

rc::Gen<PopulationChoice> any_population() {
    return rc::gen::exec([] {
        PopulationChoice choice;
        choice.kind = static_cast<Kind>(*rc::gen::inRange(0, 1 + static_cast<int>(Kind::ramp)));
        // Populations are cut into blocks of 64 neurons or more.
        choice.size = *rc::gen::weightedOneOf<std::uint32_t>(
            {{1, rc::gen::inRange(1u, 151u)},
             {1, rc::gen::element(1u, 3u, 63u, 64u, 65u, 127u, 128u, 129u)}});
        choice.driven = *rc::gen::element(false, true);
        choice.per_neuron = *rc::gen::element(false, true);
        choice.t_ref = *rc::gen::element(0u, 1u, 8u);
        choice.reset = static_cast<neurons::Reset>(*rc::gen::element(0, 0, 0, 1, 2));
        choice.seed = *rc::gen::inRange<std::uint64_t>(0, 1000);
        return choice;
    });
}
rc::Gen<ProjectionChoice> any_projection() {
    return rc::gen::exec([] {
        ProjectionChoice choice;
        choice.source = *rc::gen::inRange(0u, 5u);
        choice.target = *rc::gen::inRange(0u, 5u);
        choice.wiring = static_cast<Wiring>(*rc::gen::inRange(0, 1 + static_cast<int>(Wiring::sparse_chain)));
        choice.delays = static_cast<Delays>(*rc::gen::inRange(0, 1 + static_cast<int>(Delays::none)));
        choice.amplitudes =
            static_cast<Amplitudes>(*rc::gen::inRange(0, 1 + static_cast<int>(Amplitudes::anywhere)));
        choice.seed = *rc::gen::inRange<std::uint64_t>(0, 1000);
        return choice;
    });
}

}  // namespace

rc::Gen<NetworkChoice> any_network() {
    return rc::gen::exec([] {
        NetworkChoice choice;
        const auto populations = *rc::gen::inRange<std::size_t>(1, 6);
        choice.populations =
            *rc::gen::container<std::vector<PopulationChoice>>(populations, any_population());
        const auto projections = *rc::gen::inRange<std::size_t>(0, 8);
        choice.projections =
            *rc::gen::container<std::vector<ProjectionChoice>>(projections, any_projection());
        choice.seed = *rc::gen::inRange<std::uint64_t>(0, 1000);
        return choice;
    });
}

}  // namespace saltus::properties
