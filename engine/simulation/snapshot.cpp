#include "saltus/engine/snapshot.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>

#include "poisson.hpp"
#include "saltus/engine/digest.hpp"
#include "saltus/engine/errors.hpp"
#include "saltus/engine/simulate.hpp"
#include "snapshot_check.hpp"

namespace saltus {

namespace {

void add(Digest& digest, const Weights& weights) {
    weights.visit([&](auto values) { digest.numbers(values); });
}

void add(Digest&, const neurons::Input&) {}
void add(Digest& digest, const neurons::PoissonSource& source) {
    digest.numbers(source.rate);
    digest.word(source.seed);
    digest.number(source.start);
    digest.number(source.stop);
}
void add(Digest& digest, const neurons::RegularSource& source) {
    digest.numbers(source.interval);
    digest.numbers(source.first);
    digest.number(source.stop);
}
void add(Digest& digest, const neurons::SpikeSource& source) {
    digest.numbers(source.spikes.times);
    digest.numbers(source.spikes.neurons);
}
template <class P>
void add(Digest& digest, const neurons::PerNeuron<P>& parameters) {
    digest.word(parameters.size());
    for (const P& p : parameters) {
        if constexpr (requires { p.tau_m; }) digest.number(p.tau_m);
        if constexpr (requires { p.tau_syn; }) digest.number(p.tau_syn);
        if constexpr (requires { p.tau_syn_ex; }) digest.number(p.tau_syn_ex);
        if constexpr (requires { p.tau_syn_in; }) digest.number(p.tau_syn_in);
        if constexpr (requires { p.th_tau; }) digest.number(p.th_tau);
        if constexpr (requires { p.th_jump; }) digest.number(p.th_jump);
        if constexpr (requires { p.t_min; }) {
            digest.number(p.t_min);
            digest.number(p.t_max);
            digest.number(p.slope);
        }
        if constexpr (requires { p.R; }) digest.number(p.R);
        if constexpr (requires { p.E_L; }) digest.number(p.E_L);
        if constexpr (requires { p.I_e; }) digest.number(p.I_e);
        if constexpr (requires { p.w_in; }) digest.number(p.w_in);
        if constexpr (requires { p.J; }) digest.number(p.J);
        if constexpr (requires { p.V_0; }) digest.number(p.V_0);
        if constexpr (requires { p.V_th; }) digest.number(p.V_th);
        if constexpr (requires { p.V_reset; }) digest.number(p.V_reset);
        if constexpr (requires { p.t_ref; }) digest.number(p.t_ref);
        if constexpr (requires { p.reset; }) digest.number(p.reset);
    }
}

void add(Digest& digest, const Dense& s) {
    digest.numbers(std::array{s.blocks, s.inputs, s.outputs});
    add(digest, s.weights);
    add(digest, s.bias);
}
void add(Digest& digest, const Sparse& s) {
    digest.numbers(s.table->rows);
    for (const Sparse::Segment& segment : s.table->segments) {
        digest.number(segment.delay);
        digest.word(segment.begin);
    }
    digest.numbers(s.table->targets);
    add(digest, s.weights);
}
void add(Digest& digest, const Rule& s) {
    digest.number(s.kind);
    digest.numbers(std::array{std::uint64_t{s.inputs}, std::uint64_t{s.outputs}, s.number, s.seed,
                              std::uint64_t{s.autapses}, std::uint64_t{s.multapses}});
    digest.number(s.probability);
    for (const Distribution& d : {s.weight, s.delay}) {
        digest.number(d.kind);
        digest.numbers(std::array{d.value, d.sd, d.low, d.high, d.step});
    }
}
void add(Digest& digest, const Convolution& s) {
    digest.numbers(std::array{s.in_channels, s.out_channels, s.groups});
    for (const auto& pair : {s.in_size, s.out_size, s.kernel, s.stride, s.padding, s.dilation})
        digest.numbers(pair);
    add(digest, s.weights);
    add(digest, s.bias);
}
void add(Digest& digest, const Pooling& s) {
    digest.number(s.kind);
    digest.word(s.channels);
    for (const auto& pair : {s.in_size, s.out_size, s.kernel, s.stride, s.padding}) digest.numbers(pair);
}
void add(Digest& digest, const Scale& s) {
    add(digest, s.factors);
}
void add(Digest& digest, const Flatten& s) {
    digest.numbers(s.out_shape);
}
void add(Digest& digest, const Delay& s) {
    digest.numbers(s.delays);
}
void add(Digest& digest, const Projection& projection) {
    for (const Stage& stage : projection.stages) {
        digest.word(stage.index());
        std::visit([&](const auto& s) { add(digest, s); }, stage);
    }
}

}  // namespace

std::uint64_t digest(const Network& network) {
    Digest digest;
    for (const Population& population : network.populations()) {
        digest.text(population.name);
        digest.numbers(population.shape);
        digest.word(population.model.index());
        std::visit([&](const auto& model) { add(digest, model); }, population.model);
    }
    for (const Projection& projection : network.projections()) {
        digest.numbers(std::array{projection.source, projection.target});
        add(digest, projection);
    }
    return digest.value();
}

std::uint64_t digest(const Projection& projection) {
    Digest digest;
    add(digest, projection);
    return digest.value();
}

std::uint64_t digest(const std::vector<InputSpikes>& inputs, const SimulationOptions& options) {
    Digest digest;
    digest.number(options.duration);
    digest.number(options.record_spikes);
    for (const std::string& population : options.recorded) digest.text(population);
    for (const InputSpikes& input : inputs) {
        digest.text(input.population);
        digest.numbers(input.spikes.times);
        digest.numbers(input.spikes.neurons);
    }
    return digest.value();
}

void check_resumable(const Snapshot& snapshot, const Network& network, std::uint64_t inputs_digest) {
    const auto refuse = [](const std::string& text) { throw SnapshotError("snapshot: " + text); };
    const auto populations = network.populations();
    if (snapshot.network != digest(network)) {
        refuse(
            "it was taken of another network. Resume with the network, the conventions and the parameters "
            "of the run that it was taken of.");
    }
    if (snapshot.inputs != inputs_digest) {
        refuse(
            "it was taken of a run with other inputs, another duration or other populations recorded. Resume "
            "with the same.");
    }
    const std::size_t n = populations.size();
    if (snapshot.populations.size() != n || snapshot.spikes.size() != n ||
        snapshot.spike_counts.size() != n) {
        refuse("expected " + std::to_string(n) + " populations, found " +
               std::to_string(snapshot.populations.size()) + ".");
    }
    if (snapshot.time < Time()) refuse("its time lies before 0.");
    for (std::size_t q = 0; q < n; ++q) {
        const std::uint32_t size = populations[q].size();
        const PopulationSnapshot& population = snapshot.populations[q];
        const auto check_column = [&](const std::string& name, std::size_t found) {
            if (found != size) {
                refuse("population " + quoted(populations[q].name) + ", " + name + ": expected " +
                       std::to_string(size) + " values, found " + std::to_string(found) + ".");
            }
        };
        for (const auto& [name, column] : population.reals) check_column(name, column.size());
        for (const auto& [name, column] : population.ticks) check_column(name, column.size());
        for (const NeuronEvent& event : population.events) {
            if (event.neuron >= size || event.time < snapshot.time) {
                refuse("population " + quoted(populations[q].name) + ": an event of neuron " +
                       std::to_string(event.neuron) + " at " + to_string(event.time.since_start()) +
                       " cannot be: the population has " + std::to_string(size) +
                       " neurons and the snapshot is of " + to_string(snapshot.time.since_start()) + ".");
            }
        }
        if (population.frame_origin < 0 || population.frame_origin > snapshot.time.femtoseconds()) {
            refuse("population " + quoted(populations[q].name) + ": its frame begins after the snapshot.");
        }
        for (const auto& groups : population.trains) {
            for (const TrainPosition& at : groups) {
                if (at.chunk < 0 || at.position < 0 ||
                    at.position >= static_cast<std::int64_t>(PoissonGroup::chunk) || at.base < 0) {
                    refuse("population " + quoted(populations[q].name) +
                           ": a position in a Poisson train cannot be.");
                }
            }
        }
        for (const NeuronIndex neuron : snapshot.spikes[q].neurons) {
            if (neuron >= size)
                refuse("population " + quoted(populations[q].name) + ": a spike of neuron " +
                       std::to_string(neuron) + ", which does not exist.");
        }
    }
    std::vector<std::uint32_t> sizes;  // in the order of names
    std::vector<std::uint32_t> by_name(n);
    std::iota(by_name.begin(), by_name.end(), 0u);
    std::sort(by_name.begin(), by_name.end(),
              [&](std::uint32_t a, std::uint32_t b) { return populations[a].name < populations[b].name; });
    for (const std::uint32_t q : by_name) sizes.push_back(populations[q].size());
    for (const Spike& spike : snapshot.in_flight) {
        if (spike.population >= n || spike.neuron >= sizes[spike.population] || spike.time >= snapshot.time ||
            spike.time < Time()) {
            refuse(
                "a spike on its way is of a neuron that does not exist, or of no time before the snapshot.");
        }
    }
}

}  // namespace saltus
