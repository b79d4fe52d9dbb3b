#include "plan.hpp"

#include <algorithm>
#include <exception>
#include <map>
#include <numeric>
#include <optional>
#include <tuple>
#include <utility>

#include "layout.hpp"
#include "memory.hpp"
#include "saltus/engine/connectivity.hpp"
#include "saltus/engine/errors.hpp"

namespace saltus {

namespace {

/// Windows are cut for progress and for interrupting a run where the network sets no bound.
constexpr std::int64_t longest_window_fs = 100'000'000'000'000;  // 100 ms
/// Neurons per block at least, where a population is cut: below, a block costs more than it helps.
constexpr std::uint32_t fewest_neurons = 64;

/// More than any machine has: a mistake, which would end in a failure of the operating system.
constexpr std::uint32_t most_threads = 1024;

std::uint32_t checked_threads(std::uint32_t threads) {
    if (threads == 0 || threads > most_threads) {
        throw UsageError("threads: expected 1 to " + std::to_string(most_threads) + ", found " +
                         std::to_string(threads) + ".");
    }
    return threads;
}

template <class P>
void refuse_endless_firing(const std::string& name, const neurons::PerNeuron<P>& parameters) {
    for (std::size_t i = 0; i < (parameters.same_but_start() ? 1 : parameters.size()); ++i) {
        const P p = parameters[i];
        if (p.reset == neurons::Reset::none) continue;
        const bool subtracts = p.reset != neurons::Reset::to_value;
        if (subtracts && p.V_th <= 0.0) {
            throw NetworkError(
                name, "V_th",
                "expected > 0 for a reset by subtraction, found " + std::to_string(p.V_th) + ".");
        }
        if (!subtracts && p.V_reset >= p.V_th && p.t_ref == Duration()) {
            throw NetworkError(
                name, "V_reset",
                "expected below the threshold " + std::to_string(p.V_th) + ", found " +
                    std::to_string(p.V_reset) +
                    ": the neuron would fire without end at one instant. Give it a refractory period.");
        }
    }
}

void check(const Population& population) {
    std::visit(
        [&]<class M>(const M& model) {
            if constexpr (neurons::HasNeurons<M>) {
                if constexpr (neurons::Spiking<typename M::value_type>) {
                    refuse_endless_firing(population.name, model);
                }
            }
        },
        population.model);
}

/// A chain of one set of synapses, or none (then neurons are connected one to one), and delays that all
/// share.
struct PlainChain {
    Stage synapses;
    Duration delay;
};
std::optional<PlainChain> plain_chain(const Projection& projection, const Network& network) {
    std::optional<Stage> synapses;
    Duration delay;
    for (const Stage& stage : projection.stages) {
        if (const auto* d = std::get_if<Delay>(&stage)) {
            if (!std::all_of(d->delays.begin(), d->delays.end(),
                             [&](Duration x) { return x == d->delays[0]; })) {
                return std::nullopt;
            }
            delay = delay + d->delays[0];
        } else if (!std::holds_alternative<Flatten>(stage)) {
            const auto* dense = std::get_if<Dense>(&stage);
            const bool suits = std::holds_alternative<Sparse>(stage) || std::holds_alternative<Rule>(stage) ||
                               (dense && dense->blocks == 1);
            if (!suits || synapses) return std::nullopt;
            synapses = stage;
        }
    }
    if (!synapses) {
        const std::uint32_t n = network.populations()[projection.source].size();
        Rule rule;
        rule.kind = Rule::Kind::one_to_one;
        rule.inputs = n;
        rule.outputs = n;
        synapses = rule;
    }
    return PlainChain{*synapses, delay};
}

/// A Poisson population whose trains go one to one, with one weight and delay.
const neurons::PoissonSource* own_trains(const Projection& projection, const PlainChain& chain,
                                         const Network& network) {
    const auto* rule = std::get_if<Rule>(&chain.synapses);
    const auto* source = std::get_if<neurons::PoissonSource>(&network.populations()[projection.source].model);
    const bool suits = rule && rule->kind == Rule::Kind::one_to_one &&
                       rule->weight.kind == Distribution::Kind::constant &&
                       rule->delay.kind == Distribution::Kind::constant;
    return suits ? source : nullptr;
}

/// A longer chain is expanded, whatever its rule says.
void refuse_procedural(const Projection& projection, const Network& network) {
    for (const Stage& stage : projection.stages) {
        const auto* rule = std::get_if<Rule>(&stage);
        if (!rule || !rule->procedural) continue;
        throw NetworkError(network.projection_name(projection), "procedural",
                           "expected the rule alone, found a chain of " +
                               std::to_string(projection.stages.size()) + " stages. Leave it off.");
    }
}

LimitError too_many(const std::string& projection, const SynapseTable::Expected& part, NeuronRange range) {
    return LimitError("projection " + quoted(projection) + ": about " + shown(part.synapses) +
                      " synapses onto " + std::to_string(range.size()) +
                      " neurons that one thread looks after, more than " +
                      std::to_string(SynapseTable::most_synapses) + ". Use more threads or ranks.");
}

/// How the projections into one population are delivered, and how far it can be cut.
struct Target {
    std::vector<const Projection*> projections;  // in order
    std::vector<std::optional<PlainChain>> chains;
    std::vector<const neurons::PoissonSource*> trains;  // of each projection that is drawn where it arrives
    bool divisible = true;
    bool in_frame = false;
    std::uint32_t grain = 1;  // blocks begin at its multiples
    std::uint32_t alike = 0;  // the first population, by name, whose neurons it may share blocks with
};

/// The synapses of a projection if a block keeps them in a table.
const Stage* kept_synapses(const std::optional<PlainChain>& chain) {
    if (!chain || std::holds_alternative<Dense>(chain->synapses)) return nullptr;
    const auto* rule = std::get_if<Rule>(&chain->synapses);
    return rule && rule->procedural ? nullptr : &chain->synapses;
}

/// As many synapses as are kept of these, in the mean, or more.
double most_synapses_of(const Stage& kept, NeuronRange range) {
    if (const auto* rule = std::get_if<Rule>(&kept)) return SynapseTable::expected(*rule, range).synapses;
    return static_cast<double>(std::get<Sparse>(kept).table->targets.size());
}

/// Projections from one population into pieces of a block, one each, that are delivered as one.
struct Bundle {
    struct Strand {
        const Piece* piece;
        std::size_t projection;  // number among those into its population
    };
    std::uint32_t source_order = 0;
    std::uint32_t nth = 0;  // of the projections from there into one population
    std::vector<Strand> strands;
    std::optional<SynapseTable::Kind> kind;  // if pieces may share a table
    double synapses = 0.0;                   // of the table at most
};

/// What leads into a block, in the order in which coincident arrivals are added.
std::vector<Bundle> bundles_of(const BlockPlan& plan, const std::vector<Target>& targets,
                               const std::vector<std::uint32_t>& order) {
    std::vector<Bundle> bundles;
    for (const Piece& piece : plan.pieces) {
        const Target& target = targets[piece.population];
        std::uint32_t nth = 0;
        for (std::size_t k = 0; k < target.projections.size(); ++k) {
            const bool again = k > 0 && target.projections[k - 1]->source == target.projections[k]->source;
            nth = again ? nth + 1 : 0;
            Bundle bundle;
            bundle.source_order = order[target.projections[k]->source];
            bundle.nth = nth;
            bundle.strands.push_back({&piece, k});
            const Stage* const kept = kept_synapses(target.chains[k]);
            if (plan.pieces.size() > 1 && kept && !target.trains[k]) {
                bundle.kind = SynapseTable::kind_of(*kept, target.chains[k]->delay);
                bundle.synapses = most_synapses_of(*kept, piece.range);
                const auto same = std::find_if(bundles.begin(), bundles.end(), [&](const Bundle& other) {
                    return other.source_order == bundle.source_order && other.nth == nth &&
                           other.kind == bundle.kind &&
                           other.synapses + bundle.synapses < 0.9 * SynapseTable::most_synapses;
                });
                if (same != bundles.end()) {
                    same->strands.push_back(bundle.strands.front());
                    same->synapses += bundle.synapses;
                    continue;
                }
            }
            bundles.push_back(std::move(bundle));
        }
    }
    std::stable_sort(bundles.begin(), bundles.end(), [](const Bundle& a, const Bundle& b) {
        return std::tie(a.source_order, a.nth) < std::tie(b.source_order, b.nth);
    });
    return bundles;
}

/// Before anything is drawn: it would take long, and systems end a process that asks for more than they have.
void refuse_more_than_memory(const Network& network, const std::vector<Target>& targets,
                             const std::vector<Plan::Place>& places) {
    SynapseTable::Expected all;
    SynapseTable::Expected largest;
    const Projection* of_largest = nullptr;
    for (std::uint32_t q = 0; q < targets.size(); ++q) {
        for (std::size_t k = 0; k < targets[q].projections.size(); ++k) {
            const auto& chain = targets[q].chains[k];
            const Rule* rule = chain ? std::get_if<Rule>(&chain->synapses) : nullptr;
            if (!rule || rule->procedural) continue;
            const Projection* const projection = targets[q].projections[k];
            SynapseTable::Expected here;
            for (const Plan::Place& place : places) {
                for (const Piece& piece : place.plan.pieces) {
                    if (piece.population != q) continue;
                    const auto part = SynapseTable::expected(*rule, piece.range);
                    if (part.synapses > 1.1 * static_cast<double>(SynapseTable::most_synapses))
                        throw too_many(network.projection_name(*projection), part, piece.range);
                    here.synapses += part.synapses;
                    here.bytes += part.bytes;
                }
            }
            all.bytes += here.bytes;
            if (of_largest && here.bytes <= largest.bytes) continue;
            largest = here;
            of_largest = projection;
        }
    }
    const std::uint64_t memory = most_memory();
    if (all.bytes > static_cast<double>(memory)) {
        throw LimitError(
            "projection " + quoted(network.projection_name(*of_largest)) + ": its " +
            shown(largest.synapses) + " synapses of this process take " + shown_bytes(largest.bytes) +
            " or more, those of all projections " + shown_bytes(all.bytes) + ", and there are " +
            shown_bytes(static_cast<double>(memory)) + " of memory. Use more ranks, or procedural synapses.");
    }
}

}  // namespace

Plan::Plan(const Network& the_network, const Parallelism& the_parallelism)
    : network(the_network), parallelism(the_parallelism) {
    const auto populations = network.populations();
    const Network::Lookahead lookahead = network.lookahead();
    window_fs = std::min(lookahead.window.femtoseconds(), longest_window_fs);
    levels =
        1 + (lookahead.level.empty() ? 0 : *std::max_element(lookahead.level.begin(), lookahead.level.end()));
    by_name.resize(populations.size());
    std::iota(by_name.begin(), by_name.end(), 0u);
    std::sort(by_name.begin(), by_name.end(),
              [&](std::uint32_t a, std::uint32_t b) { return populations[a].name < populations[b].name; });
    order.resize(populations.size());
    for (std::uint32_t k = 0; k < by_name.size(); ++k) order[by_name[k]] = k;
    for (const Population& population : populations) check(population);

    // Arrivals at one instant are added in the order of the names of their sources, and of what the
    // projections hold where a pair has several: not of building.
    std::vector<Target> targets(populations.size());
    for (const Projection& projection : network.projections()) {
        const Population& source = populations[projection.source];
        if (!neurons::is_spiking(source.model)) {
            throw NetworkError(network.projection_name(projection), "",
                               quoted(source.name) + " (" + std::string(neurons::model_name(source.model)) +
                                   ") sends a continuous signal, and the exact clock carries spikes only.");
        }
        targets[projection.target].projections.push_back(&projection);
    }
    signal.resize(populations.size());
    std::vector<std::vector<std::shared_ptr<const Route>>> routes(populations.size());
    for (std::uint32_t q = 0; q < populations.size(); ++q) {
        Target& target = targets[q];
        std::stable_sort(target.projections.begin(), target.projections.end(),
                         [&](const Projection* a, const Projection* b) {
                             if (a->source != b->source) return order[a->source] < order[b->source];
                             return a != b && digest(*a) < digest(*b);
                         });
        const bool as_outside = layout_of(network, q).block() == 1;
        for (const Projection* projection : target.projections) {
            std::optional<PlainChain> chain = plain_chain(*projection, network);
            if (chain && !as_outside && std::holds_alternative<Dense>(chain->synapses)) chain.reset();
            std::shared_ptr<const Route> route;
            if (!chain || projection->has_bias()) {
                route = std::make_shared<const Route>(*projection, populations[projection->source].size(),
                                                      network.projection_name(*projection));
            }
            if (projection->has_bias()) {
                signal[q].resize(populations[q].size(), 0.0);
                route->add_constant_signal(signal[q]);
            }
            if (!chain) {
                refuse_procedural(*projection, network);
                target.divisible = false;
            }
            target.chains.push_back(std::move(chain));
            routes[q].push_back(std::move(route));
        }
        target.divisible = target.divisible && as_outside && !populations[q].is_source();
        const bool driven =
            std::any_of(signal[q].begin(), signal[q].end(), [](double x) { return x != 0.0; });
        if (!driven) signal[q].clear();
        if (driven && std::holds_alternative<neurons::PerNeuron<neurons::Threshold>>(populations[q].model)) {
            throw NetworkError(
                populations[q].name, "",
                "a Threshold that receives a constant signal sends a continuous one, and the exact "
                "clock carries spikes only.");
        }
        target.in_frame = target.divisible && suits_frame(populations[q], signal[q]);
    }

    // A Poisson population that only drives neurons of their own in frames sends no spikes.
    std::vector<bool> sends(populations.size(), false);
    for (std::uint32_t q = 0; q < populations.size(); ++q) {
        for (std::size_t k = 0; k < targets[q].projections.size(); ++k) {
            const Projection& projection = *targets[q].projections[k];
            const auto& chain = targets[q].chains[k];
            targets[q].trains.push_back(targets[q].in_frame && chain ? own_trains(projection, *chain, network)
                                                                     : nullptr);
            if (targets[q].trains.back())
                targets[q].grain = PoissonGroup::neurons_per_group;
            else
                sends[projection.source] = true;
        }
    }

    // Populations that are alike share blocks: a spike that reaches several of them is one arrival there.
    for (auto q = by_name.begin(); q != by_name.end(); ++q) {
        const auto first = std::find_if(by_name.begin(), q, [&](std::uint32_t other) {
            return targets[other].in_frame && targets[*q].in_frame && targets[other].alike == other &&
                   lookahead.level[other] == lookahead.level[*q] &&
                   share_frame(populations[other], signal[other], populations[*q], signal[*q]);
        });
        targets[*q].alike = first == q ? *q : *first;
    }

    for (std::uint32_t q = 0; q < populations.size(); ++q) {
        if (targets[q].projections.size() > Arrival::most_routes) {
            throw LimitError("population " + quoted(populations[q].name) + ": " +
                             std::to_string(targets[q].projections.size()) +
                             " projections lead to it, more than " + std::to_string(Arrival::most_routes) +
                             ".");
        }
        for (const Projection* projection : targets[q].projections) {
            longest_delay_fs = std::max(longest_delay_fs, projection->max_delay().femtoseconds());
        }
    }

    const std::uint32_t threads = checked_threads(parallelism.threads);
    const std::uint32_t ranks = parallelism.communication->size();
    const std::uint32_t slots = threads * ranks;
    std::uint32_t next_slot = 0;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> open;  // of (alike, slot): the last place
    for (const std::uint32_t q : by_name) {
        const std::uint32_t size = populations[q].size();
        const auto* poisson = std::get_if<neurons::PoissonSource>(&populations[q].model);
        std::uint32_t parts = 1;
        if (targets[q].divisible) {
            const std::uint32_t grain = std::max(targets[q].grain, fewest_neurons);
            parts = std::min(slots, (size + grain - 1) / grain);
        }
        const std::uint32_t first_slot = parts == slots ? 0 : next_slot;
        next_slot = (first_slot + parts) % slots;
        for (std::uint32_t part = 0; part < parts; ++part) {
            const std::uint32_t slot = (first_slot + part) % slots;
            const auto bound = [&](std::uint32_t k) {
                if (k == parts) return size;
                const std::uint32_t grain = targets[q].grain;
                const auto even = static_cast<std::uint32_t>(std::uint64_t{size} * k / parts);
                return std::min(size, (even + grain / 2) / grain * grain);
            };
            // Targets are 16 bits wide, counted from the block's first neuron.
            const std::uint32_t most = targets[q].divisible ? SynapseTable::most_targets : UINT32_MAX;
            for (std::uint32_t begin = bound(part); begin < bound(part + 1);) {
                const std::uint32_t end = bound(part + 1) - begin > most ? begin + most : bound(part + 1);
                if (ranks > 1) all_parts.push_back({slot / threads, order[q], {begin, end}});
                if (slot / threads == parallelism.communication->rank()) {
                    Piece piece{q, order[q], populations[q].name, {begin, end}};
                    const auto last = open.find({targets[q].alike, slot});
                    if (last != open.end() &&
                        places[last->second].plan.size() + piece.range.size() <= SynapseTable::most_targets) {
                        BlockPlan& shared = places[last->second].plan;
                        piece.first = shared.size();
                        shared.pieces.push_back(std::move(piece));
                    } else {
                        Place place;
                        place.plan.pieces.push_back(std::move(piece));
                        place.plan.window_fs = window_fs;
                        place.plan.longest_delay_fs = longest_delay_fs;
                        place.plan.in_frame = targets[q].in_frame;
                        place.plan.from.resize(populations.size());
                        place.level = lookahead.level[q];
                        place.thread = slot % threads;
                        place.sends = !poisson || sends[q];
                        open[{targets[q].alike, slot}] = places.size();
                        places.push_back(std::move(place));
                    }
                }
                begin = end;
            }
        }
    }

    refuse_more_than_memory(network, targets, places);
    const auto incoming_of = [&](const Bundle& bundle) -> Incoming {
        const Piece& piece = *bundle.strands.front().piece;
        const std::size_t k = bundle.strands.front().projection;
        const Target& target = targets[piece.population];
        const std::optional<PlainChain>& chain = target.chains[k];
        if (target.trains[k]) {
            const auto before = target.trains.begin() + static_cast<std::ptrdiff_t>(k);
            const Rule& rule = std::get<Rule>(chain->synapses);
            const Duration delay = chain->delay + delay_range(rule).low;
            return {OwnTrains{.source = *target.trains[k],
                              .size = populations[target.projections[k]->source].size(),
                              .range = piece.range,
                              .first = piece.first,
                              .number = static_cast<std::uint32_t>(std::count_if(
                                  target.trains.begin(), before, [](const auto* t) { return t != nullptr; })),
                              .weight = rule.weight.value,
                              .delay_fs = delay.femtoseconds()}};
        }
        if (!chain) {
            const auto& route = routes[piece.population][k];
            const Sparse* synapses = route->synapses();
            if (!synapses) return {route};
            const Stage stage = *synapses;
            return {SynapseTable({{&stage, Duration(), piece.range}})};
        }
        if (const auto* dense = std::get_if<Dense>(&chain->synapses)) {
            return {DenseRows{dense->weights, dense->outputs, piece.range, piece.first,
                              chain->delay.femtoseconds()}};
        }
        if (!kept_synapses(chain)) {
            return {ProceduralRows{std::get<Rule>(chain->synapses), chain->delay.femtoseconds(), piece.range,
                                   piece.first}};
        }
        std::vector<SynapseTable::Part> parts;
        for (const Bundle::Strand& strand : bundle.strands) {
            const auto& each = targets[strand.piece->population].chains[strand.projection];
            parts.push_back({&each->synapses, each->delay, strand.piece->range, strand.piece->first});
        }
        return {SynapseTable(parts)};
    };
    const auto fill = [&](Place& place) {
        for (const Bundle& bundle : bundles_of(place.plan, targets, order)) {
            place.plan.incoming.push_back(incoming_of(bundle));
            if (std::holds_alternative<OwnTrains>(place.plan.incoming.back().synapses)) continue;
            place.plan.from[bundle.source_order].push_back(
                static_cast<std::uint32_t>(place.plan.incoming.size() - 1));
        }
    };
    std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic, 1) num_threads(static_cast <int>(threads)) if (threads > 1)
    for (std::size_t k = 0; k < places.size(); ++k) {
        try {
            fill(places[k]);
        } catch (...) {
#pragma omp critical
            failure = std::current_exception();
        }
    }
    if (failure) std::rethrow_exception(failure);
}

void Plan::address_spikes() {
    if (parallelism.communication->size() == 1) return;
    Marks wanted;
    for (const std::uint32_t q : by_name) wanted.emplace_back(network.populations()[q].size(), false);
    for (const Place& place : places) {
        for (std::uint32_t k = 0; k < wanted.size(); ++k) {
            for (const std::uint32_t r : place.plan.from[k]) {
                if (const auto* table = std::get_if<SynapseTable>(&place.plan.incoming[r].synapses))
                    table->each_source([&](NeuronIndex source) { wanted[k][source] = true; });
                else
                    wanted[k].assign(wanted[k].size(), true);
            }
        }
    }
    addresses = Addresses(*parallelism.communication, all_parts, wanted);
    all_parts = {};
}

std::uint64_t Plan::synapse_bytes() const {
    std::uint64_t bytes = 0;
    for (const Place& place : places) {
        for (const Incoming& incoming : place.plan.incoming) {
            if (const auto* table = std::get_if<SynapseTable>(&incoming.synapses)) bytes += table->bytes();
        }
    }
    return bytes;
}

}  // namespace saltus
