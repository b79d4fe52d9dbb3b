#include "to_nir_chains.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "saltus/engine/errors.hpp"
#include "to_nir_stages.hpp"

namespace saltus::converters {

namespace {

constexpr std::uint64_t most_matrix_entries = std::uint64_t{1} << 28;
constexpr std::size_t most_chains = 100'000;  // network_from_nir reads no more
constexpr std::size_t longest_name = 1024;    // io reads no more

std::string suffix_of(const Stage& stage) {
    if (std::holds_alternative<Delay>(stage)) return "_delay";
    if (std::holds_alternative<Scale>(stage)) return "_scale";
    if (std::holds_alternative<Pooling>(stage)) return "_pool";
    if (std::holds_alternative<Flatten>(stage)) return "_flatten";
    return "";
}

bool changes_values(const Stage& stage) {
    return !std::holds_alternative<Flatten>(stage) && !std::holds_alternative<Delay>(stage);
}

bool any_bias(const Stage& stage) {
    const Weights bias = bias_of(stage);
    return bias.visit([](auto b) { return std::any_of(b.begin(), b.end(), [](auto x) { return x != 0; }); });
}

/// `factor` holds one number for all or one per element.
Weights times(const Weights& weights, const std::vector<double>& factor) {
    std::vector<double> values(weights.size());
    for (std::size_t i = 0; i < values.size(); ++i)
        values[i] = weights[i] * factor[factor.size() == 1 ? 0 : i];
    return Weights(values);
}

/// The stages with biases that act on their target as a node as they act on it as a population.
std::vector<Stage> with_biases_times(std::vector<Stage> stages, const std::vector<double>& factor,
                                     const std::string& where) {
    if (factor.empty() || std::none_of(stages.begin(), stages.end(), any_bias)) return stages;
    const auto last = std::find_if(stages.rbegin(), stages.rend(), changes_values);
    const bool possible =
        std::all_of(factor.begin(), factor.end(), [](double f) { return std::isfinite(f); });
    const bool only_last = std::none_of(std::next(last), stages.rend(), any_bias);
    const bool per_neuron = std::holds_alternative<Dense>(*last) && only_last;
    if (!possible || (factor.size() > 1 && !per_neuron)) {
        throw NetworkError(
            where, "bias",
            "a neuron of NIR weighs a bias as it weighs a spike, the target of this one does not (its J "
            "and its gain of a constant signal differ), and no other bias makes up for it.");
    }
    for (Stage& stage : stages) {
        if (any_bias(stage)) set_bias(stage, times(bias_of(stage), factor));
    }
    return stages;
}

/// Builds the chains of one projection.
class ChainBuilder {
  public:
    ChainBuilder(const Network& network, std::size_t index)
        : projection_(network.projections()[index]),
          target_(network.populations()[projection_.target]),
          where_(network.projection_name(projection_)),
          key_("/" + std::to_string(index) + "/") {
        chains_.push_back({projection_.source, projection_.target, {}});
        shape_ = network.populations()[projection_.source].shape;
        if (shape_.empty()) shape_ = {1};
    }

    std::vector<Chain> chains(const std::vector<double>& bias_factor) {
        const std::vector<Stage> stages = with_biases_times(projection_.stages, bias_factor, where_);
        for (std::size_t k = 0; k < stages.size(); ++k) add(stages[k], std::to_string(k));
        const Shape wanted = target_.shape.empty() ? Shape{1} : target_.shape;
        if (shape_ != wanted) reshape(wanted.size() == 1, wanted, std::to_string(stages.size()));
        return std::move(chains_);
    }

    /// A second edge between the same nodes is none in NIR.
    static void make_distinct_from_edge(Chain& chain, const Shape& shape, std::size_t index) {
        const Scale one{"", Weights(std::vector<float>(element_count(shape), 1.0f))};
        chain.links.push_back({one, shape, "", "_again", "/" + std::to_string(index) + "/again"});
    }

  private:
    void add(const Stage& stage, const std::string& place) {
        if (const auto* flatten = std::get_if<Flatten>(&stage); flatten && flatten->in_shape != shape_) {
            if (flatten->out_shape != shape_)
                reshape(flatten->out_shape.size() == 1, flatten->out_shape, place);
            return;
        }
        const auto* dense = std::get_if<Dense>(&stage);
        if (!takes_shape(stage, shape_)) {
            if (dense && adds_constants(*dense) && ends_in_matrix(chains_.back())) {
                bring(*dense, place);
                return;
            }
            const bool flat = std::holds_alternative<Sparse>(stage) || std::holds_alternative<Rule>(stage) ||
                              (dense && dense->blocks == 1);
            reshape(flat, {static_cast<std::uint32_t>(stage_size(stage).input)}, place);
        }
        const bool named = is_node_name(stage_name(stage));
        const std::string key = named ? stage_name(stage) : key_ + place;
        if (const auto* sparse = std::get_if<Sparse>(&stage)) {
            fork(*sparse, named, key);
        } else if (const auto* rule = std::get_if<Rule>(&stage)) {
            check_matrices(rule->inputs, rule->outputs, 1);
            fork(Sparse::of(*rule), named, key);
        } else {
            append({stage, shape_, named ? stage_name(stage) : "", suffix_of(stage), key});
        }
    }

    /// Flattens the signal; no node does anything else to its shape.
    void reshape(bool to_flat, const Shape& wanted, const std::string& place) {
        if (!to_flat) {
            throw NetworkError(where_, "shape",
                               "NIR has no node that gives a signal of shape " + to_string(shape_) +
                                   " the shape " + to_string(wanted) + ". Give the population the shape " +
                                   to_string(shape_) + ".");
        }
        append({Flatten{"", shape_, {static_cast<std::uint32_t>(element_count(shape_))}, 0, -1}, shape_, "",
                "_flatten", key_ + place + "/flatten"});
    }

    /// A number for each neuron, and the signal as it is: what SONATA's synapses bring besides spikes.
    [[nodiscard]] bool adds_constants(const Dense& dense) const {
        const auto one = [](auto weights) {
            return std::all_of(weights.begin(), weights.end(), [](auto w) { return w == 1; });
        };
        return dense.inputs == 1 && dense.outputs == 1 && shape_ == Shape{dense.blocks} &&
               dense.weights.visit(one);
    }

    [[nodiscard]] static bool ends_in_matrix(const Chain& chain) {
        if (chain.links.empty()) return false;
        const Stage& last = chain.links.back().stage;
        const bool delayed = std::holds_alternative<Delay>(last) && chain.links.size() > 1;
        return std::holds_alternative<Dense>(delayed ? chain.links[chain.links.size() - 2].stage : last);
    }

    /// As the bias of the matrix without delay, or of one of zeros where all synapses have delays.
    void bring(const Dense& constants, const std::string& place) {
        if (std::holds_alternative<Delay>(chains_.front().links.back().stage)) {
            Chain zeros = chains_.front();
            zeros.links.pop_back();
            Link& link = zeros.links.back();
            auto& matrix = std::get<Dense>(link.stage);
            matrix.weights = Weights(std::vector<float>(matrix.weights.size(), 0.0F));
            link.name.clear();
            link.key = key_ + place + "/constants";
            chains_.insert(chains_.begin(), std::move(zeros));
        }
        set_bias(chains_.front().links.back().stage, constants.bias);
    }

    /// A bias acts once for each way from its node to the target, so only the first of several ways to it
    /// brings it.
    void append(Link link) {
        shape_ = shape_after(link.stage, link.in, where_);
        for (std::size_t c = 0; c < chains_.size(); ++c) {
            if (c == 1) set_bias(link.stage, {});
            chains_[c].links.push_back(link);
        }
    }

    void check_matrices(std::uint64_t inputs, std::uint64_t outputs, std::size_t delays) const {
        if (inputs * outputs > most_matrix_entries / delays) {
            throw LimitError(where_ + ": NIR has no sparse connections, and " + std::to_string(delays) +
                             " matrices (one for each delay) of " + std::to_string(inputs) + " x " +
                             std::to_string(outputs) + " have more than " +
                             std::to_string(most_matrix_entries) + " entries.");
        }
    }

    void fork(const Sparse& sparse, bool named, const std::string& key) {
        const std::vector<Duration> delays = delays_of(sparse);
        check_matrices(sparse.inputs, sparse.outputs, delays.size());
        if (chains_.size() * delays.size() > most_chains) {
            throw LimitError(where_ + ": synapses of more than " + std::to_string(most_chains) +
                             " different delays, each of which is a chain of nodes in NIR.");
        }
        const Shape in = shape_;
        shape_ = {sparse.outputs};
        std::vector<Chain> forked;
        for (std::size_t d = 0; d < delays.size(); ++d) {
            const std::string part = key + (d == 0 ? "" : "/" + std::to_string(d));
            const Link matrix_link{dense_from_sparse(sparse, delays[d]), in, named ? sparse.name : "", "",
                                   part};
            const Link delay_link{Delay{"", sparse.outputs, {delays[d]}}, shape_, "", "_delay",
                                  part + "/delay"};
            for (Chain chain : chains_) {
                chain.links.push_back(matrix_link);
                if (delays[d] > Duration()) chain.links.push_back(delay_link);
                forked.push_back(std::move(chain));
            }
        }
        chains_ = std::move(forked);
    }

    const Projection& projection_;
    const Population& target_;
    std::string where_;
    std::string key_;  // of what has no name
    Shape shape_;      // of the signal so far
    std::vector<Chain> chains_;
};

/// A link in its chain.
struct Place {
    std::size_t chain;
    std::size_t position;
};

class Numbering {
  public:
    explicit Numbering(std::vector<Chain>& chains) : chains_(chains) {
        for (std::size_t c = 0; c < chains.size(); ++c) {
            for (std::size_t k = 0; k < chains[c].links.size(); ++k) join({c, k});
        }
        while (split_where_needed()) {
        }
    }

    std::vector<const Link*> nodes() {
        std::vector<const Link*> result;
        std::map<std::size_t, std::size_t> number;
        for (Chain& chain : chains_) {
            for (Link& link : chain.links) {
                const auto [at, is_new] = number.emplace(link.node, result.size());
                if (is_new) result.push_back(&with_bias(link.node));
                link.node = at->second;
            }
        }
        return result;
    }

  private:
    using Way = std::vector<std::size_t>;

    Link& at(const Place& place) { return chains_[place.chain].links[place.position]; }
    const Link& at(const Place& place) const { return chains_[place.chain].links[place.position]; }

    /// Puts a link to those of its key and contents.
    void join(const Place& place) {
        Link& link = at(place);
        std::vector<std::size_t>& known = of_key_[link.key];
        const auto same = std::find_if(known.begin(), known.end(), [&](std::size_t g) {
            const Link& first = at(groups_[g].front());
            return first.in == link.in && same_without_bias(first.stage, link.stage);
        });
        if (same == known.end()) {
            known.push_back(groups_.size());
            link.node = groups_.size();
            groups_.push_back({place});
        } else {
            link.node = *same;
            groups_[*same].push_back(place);
        }
    }

    [[nodiscard]] Way before(const Place& place) const {
        const Chain& chain = chains_[place.chain];
        Way way{chain.source};
        for (std::size_t k = 0; k < place.position; ++k) way.push_back(chain.links[k].node);
        return way;
    }
    [[nodiscard]] Way after(const Place& place) const {
        const Chain& chain = chains_[place.chain];
        Way way;
        for (std::size_t k = place.position + 1; k < chain.links.size(); ++k)
            way.push_back(chain.links[k].node);
        way.push_back(chain.target);
        return way;
    }

    [[nodiscard]] bool is_one_node(const std::vector<Place>& group) const {
        std::set<Way> beginnings;
        std::set<std::pair<Way, Way>> pairs;
        std::map<Way, std::size_t> biased;  // for each end, the links that bring a bias
        Weights bias;
        for (const Place& place : group) {
            const Way end = after(place);
            beginnings.insert(before(place));
            pairs.emplace(before(place), end);
            std::size_t& count = biased[end];
            const Weights own = bias_of(at(place).stage);
            if (own.empty()) continue;
            if (bias.empty()) bias = own;
            if (!same_weights(bias, own)) return false;
            ++count;
        }
        if (pairs.size() != group.size() || pairs.size() != beginnings.size() * biased.size()) return false;
        const std::size_t expected = bias.empty() ? 0 : 1;
        return std::all_of(biased.begin(), biased.end(),
                           [&](const auto& end) { return end.second == expected; });
    }

    /// Makes nodes of their own from the links of groups that are no node. Splitting one can part others.
    bool split_where_needed() {
        bool changed = false;
        for (std::size_t g = 0; g < groups_.size(); ++g) {
            if (groups_[g].size() == 1 || is_one_node(groups_[g])) continue;
            std::vector<Place> rest(groups_[g].begin() + 1, groups_[g].end());
            groups_[g].resize(1);
            for (const Place& place : rest) {
                at(place).node = groups_.size();
                groups_.push_back({place});
            }
            changed = true;
        }
        return changed;
    }

    [[nodiscard]] const Link& with_bias(std::size_t g) const {
        for (const Place& place : groups_[g]) {
            if (!bias_of(at(place).stage).empty()) return at(place);
        }
        return at(groups_[g].front());
    }

    std::vector<Chain>& chains_;
    std::vector<std::vector<Place>> groups_;
    std::map<std::string, std::vector<std::size_t>> of_key_;
};

}  // namespace

bool is_node_name(const std::string& name) {
    return !name.empty() && name.size() <= longest_name && name != "." &&
           name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

std::vector<Chain> chains_of(const Network& network, const std::vector<std::vector<double>>& bias_factor) {
    std::vector<Chain> chains;
    std::set<std::pair<std::uint32_t, std::uint32_t>> edges;
    for (std::size_t i = 0; i < network.projections().size(); ++i) {
        const Projection& projection = network.projections()[i];
        for (Chain& chain : ChainBuilder(network, i).chains(bias_factor[projection.target])) {
            if (chain.links.empty() && !edges.emplace(chain.source, chain.target).second) {
                const Shape& shape = network.populations()[chain.source].shape;
                ChainBuilder::make_distinct_from_edge(chain, shape, i);
            }
            if (chains.size() == most_chains) {
                throw LimitError("more than " + std::to_string(most_chains) +
                                 " projections and delays in NIR.");
            }
            chains.push_back(std::move(chain));
        }
    }
    return chains;
}

std::vector<const Link*> number_nodes(std::vector<Chain>& chains) {
    return Numbering(chains).nodes();
}

}  // namespace saltus::converters
