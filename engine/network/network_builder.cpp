#include "saltus/engine/network_builder.hpp"

#include <algorithm>
#include <array>

#include "named_models.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/random.hpp"

namespace saltus {

namespace {

/// FNV-1a, 64 bits (Fowler, Noll, Vo).
std::uint64_t hash_of(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return hash;
}

std::uint64_t seed_of(std::uint64_t seed, std::string_view name, std::uint64_t index) {
    return CounterRandom(seed, hash_of(name)).bits(index);
}

constexpr std::array rule_kinds{Rule::Kind::all_to_all,         Rule::Kind::one_to_one,
                                Rule::Kind::fixed_indegree,     Rule::Kind::fixed_outdegree,
                                Rule::Kind::fixed_total_number, Rule::Kind::bernoulli};

Rule::Kind rule_kind(const std::string& edge, std::string_view name) {
    if (name == "pairwise_bernoulli") return Rule::Kind::bernoulli;
    std::vector<std::string> names;
    for (const Rule::Kind kind : rule_kinds) {
        if (rule_name(kind) == name) return kind;
        names.emplace_back(rule_name(kind));
    }
    throw NetworkError(edge, "rule", "no rule is called " + quoted(name) + "." + did_you_mean(name, names));
}

/// The argument that a rule needs is there, and no other.
void check_arguments(const std::string& edge, Rule::Kind kind, const Connection& c) {
    const auto check = [&](const char* field, bool given, bool needed) {
        if (given == needed) return;
        throw NetworkError(
            edge, field,
            std::string(rule_name(kind)) + (needed ? " needs it, found none." : " has no such argument."));
    };
    check("k", c.k.has_value(), kind == Rule::Kind::fixed_indegree || kind == Rule::Kind::fixed_outdegree);
    check("N", c.N.has_value(), kind == Rule::Kind::fixed_total_number);
    check("p", c.p.has_value(), kind == Rule::Kind::bernoulli);
}

}  // namespace

void NetworkBuilder::input(const std::string& name, Shape shape) {
    add({name, std::move(shape), neurons::Input{}});
}

void NetworkBuilder::source(const std::string& name, Shape shape, std::string_view kind,
                            Parameters parameters, std::optional<std::uint64_t> seed) {
    check_population({name, shape, neurons::Input{}});
    const std::uint64_t size = element_count(shape);
    set_seeds(name, parameters);
    add({name, std::move(shape),
         named_source(name, size, kind, parameters, seed.value_or(seed_of(seed_, name, 0)))});
}

void NetworkBuilder::source(const std::string& name, Shape shape, SpikeTrain spikes) {
    if (spikes.times.size() == spikes.neurons.size()) spikes.sort();
    add({name, std::move(shape), neurons::SpikeSource{std::move(spikes)}});
}

void NetworkBuilder::population(const std::string& name, Shape shape, std::string_view model,
                                Parameters parameters) {
    check_population({name, shape, neurons::Input{}});  // before anything is drawn for so many neurons
    const std::uint64_t size = element_count(shape);
    set_seeds(name, parameters);
    add({name, std::move(shape), named_model(name, size, model, std::move(parameters))});
}

void NetworkBuilder::set_seeds(const std::string& population, Parameters& parameters) const {
    for (Parameter& p : parameters) p.seed = seed_of(seed_, population + "." + p.name, 0);
}

void NetworkBuilder::connect(std::string_view pre, std::string_view post, const Connection& c) {
    Projection projection{index_of(pre), index_of(post), {}};
    const std::string edge = std::string(pre) + " -> " + std::string(post);
    Rule rule;
    rule.kind = rule_kind(edge, c.rule);
    check_arguments(edge, rule.kind, c);
    rule.inputs = populations_[projection.source].size();
    rule.outputs = populations_[projection.target].size();
    rule.number = c.k.value_or(c.N.value_or(0));
    rule.probability = c.p.value_or(0.0);
    rule.autapses = c.autapses;
    rule.multapses = c.multapses;
    rule.procedural = c.procedural;
    rule.seed = c.seed.value_or(seed_of(seed_, edge, 1 + connections_of_[edge]));
    rule.weight = c.weight;
    rule.delay = c.delay;
    if (!c.autapses && projection.source != projection.target) {
        throw NetworkError(edge, "autapses", "they exist within one population only. Leave them on.");
    }
    projection.stages.emplace_back(std::move(rule));
    add(std::move(projection));
    ++connections_of_[edge];
}

void NetworkBuilder::connect(std::string_view pre, std::string_view post, const ConnectionList& c) {
    Projection projection{index_of(pre), index_of(post), {}};
    const std::string edge = std::string(pre) + " -> " + std::string(post);
    std::vector<Duration> delays;
    delays.reserve(c.delay.size());
    for (std::size_t s = 0; s < c.delay.size(); ++s) {
        const std::string field = c.delay.size() == 1 ? "delay" : "delay[" + std::to_string(s) + "]";
        delays.push_back(checked_duration(edge, field, c.delay[s]));
    }
    const bool one_weight = c.weight.size() == 1 && c.pre.size() != 1;
    Sparse sparse = Sparse::of(
        edge, populations_[projection.source].size(), populations_[projection.target].size(), c.pre, c.post,
        one_weight ? std::vector<double>(c.pre.size(), c.weight[0]) : c.weight, delays);
    sparse.name.clear();
    projection.stages.emplace_back(std::move(sparse));
    add(std::move(projection));
}

void NetworkBuilder::connect(std::string_view pre, std::string_view post, const ConnectionMatrix& c) {
    Projection projection{index_of(pre), index_of(post), {}};
    const std::string edge = std::string(pre) + " -> " + std::string(post);
    const std::uint32_t inputs = populations_[projection.source].size();
    const std::uint32_t outputs = populations_[projection.target].size();
    if (c.rows != inputs || c.columns != outputs) {
        throw NetworkError(edge, "weight",
                           "expected a matrix of " + std::to_string(inputs) + " x " +
                               std::to_string(outputs) + ", source by target, found " +
                               std::to_string(c.rows) + " x " + std::to_string(c.columns) + ".");
    }
    projection.stages.emplace_back(Dense{"", 1, inputs, outputs, Weights(c.weight), {}});
    const Duration delay = checked_duration(edge, "delay", c.delay);
    if (delay != Duration()) projection.stages.emplace_back(Delay{"", outputs, {delay}});
    add(std::move(projection));
}

void NetworkBuilder::connect(std::string_view pre, std::string_view post, std::vector<Stage> stages) {
    add(Projection{index_of(pre), index_of(post), std::move(stages)});
}

Network NetworkBuilder::network() const {
    return {populations_, projections_};
}

std::uint32_t NetworkBuilder::index_of(std::string_view population) const {
    std::vector<std::string> names;
    for (std::size_t q = 0; q < populations_.size(); ++q) {
        if (populations_[q].name == population) return static_cast<std::uint32_t>(q);
        names.push_back(populations_[q].name);
    }
    throw NetworkError(std::string(population), "",
                       "no population is called so." + did_you_mean(population, names));
}

void NetworkBuilder::add(Population population) {
    for (const Population& other : populations_) {
        if (other.name == population.name)
            throw NetworkError(population.name, "", "two populations have this name.");
    }
    check_population(population);
    populations_.push_back(std::move(population));
}

void NetworkBuilder::add(Projection projection) {
    check_projection(populations_, projection);
    projections_.push_back(std::move(projection));
}

}  // namespace saltus
