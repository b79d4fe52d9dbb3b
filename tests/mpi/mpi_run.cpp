// A balanced network on the ranks of mpirun. What happens on the last rank is the argument:
//   runs      everything goes well; rank 0 prints the fingerprint, the spikes, the synaptic events
//   refused   it is given a spike that cannot be
//   throws    its callback throws
//   dies      it is killed
// The communication outlives every error here, so that nothing but the run itself can tell the other ranks.
#include <csignal>
#include <iostream>
#include <stdexcept>
#include <string>

#include "saltus/engine/network_builder.hpp"
#include "saltus/engine/simulate.hpp"

namespace {

using namespace saltus;

constexpr Duration ms(std::int64_t n) {
    return Duration(n * 1'000'000'000'000);
}

Network balanced_network() {
    NetworkBuilder build(1);
    build.input("in", {10});
    build.source("drive", {500}, "poisson", {{"rate", 2000.0}});
    const Parameters parameters{{"tau_m", 20e-3}, {"V_th", 20e-3}, {"V_reset", 10e-3}, {"t_ref", 2e-3}};
    build.population("exc", {400}, "lif_delta", parameters);
    build.population("inh", {100}, "lif_delta", parameters);
    build.connect("in", "exc", Connection{.rule = "all_to_all", .weight = Distribution::constant(1e-3)});
    const Distribution delay = Distribution::uniform(1e-3, 5e-3);
    for (const std::string post : {"exc", "inh"}) {
        build.connect(
            "drive", post,
            Connection{
                .rule = "fixed_indegree", .k = 4, .weight = Distribution::constant(0.3e-3), .delay = delay});
        build.connect("exc", post,
                      Connection{.rule = "fixed_indegree",
                                 .k = 40,
                                 .weight = Distribution::uniform(0.1e-3, 0.9e-3),
                                 .delay = delay});
        build.connect("inh", post,
                      Connection{.rule = "fixed_indegree",
                                 .k = 10,
                                 .weight = Distribution::constant(-2.5e-3),
                                 .delay = delay});
    }
    return build.network();
}

int run(const std::string& what, const std::shared_ptr<Communication>& communication) {
    const bool last = communication->rank() + 1 == communication->size();
    const Network network = balanced_network();
    SpikeTrain spikes;
    for (NeuronIndex j = 0; j < 10; ++j) spikes.add(Time(ms(3 + j)), last && what == "refused" ? 10 : j);
    SimulationOptions options{.duration = ms(60)};
    options.on_progress = [&](const Progress&) {
        if (last && what == "throws") throw std::runtime_error("the callback fails.");
        if (last && what == "dies") std::raise(SIGKILL);
        return true;
    };
    const SimulationResult result = simulate(network, {{"in", spikes}}, options, {1, communication});
    if (communication->rank() == 0) {
        std::cout << fingerprint(result) << ' ' << result.neuron_spikes << ' ' << result.synaptic_events
                  << '\n';
    }
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const auto communication = mpi_communication();
    try {
        return run(argc > 1 ? argv[1] : "runs", communication);
    } catch (const std::exception& error) {
        // One write, or the messages of several ranks are mixed.
        std::cerr << "rank " + std::to_string(communication->rank()) + ": " + error.what() + "\n";
        (void)communication->sum(0);  // all ranks have left the run, or this one would wait here
        return 1;
    }
}
