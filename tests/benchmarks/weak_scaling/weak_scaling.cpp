// Weak scaling without a cluster: what rank 0 of many holds, computes, sends and receives, and the wall time
// that follows on a machine whose network is described by two numbers.
//
// Network A with constant drive grows with the ranks: 10,000 neurons (8,000 excitatory, 2,000 inhibitory) and
// 10^7 delta synapses a rank, 800 + 200 inputs of each neuron, delay 1.5 ms. Rank 0 builds its own part;
// DryRunCommunication lets every other rank be like it. Each number of ranks runs in a process of its
// own, so that its memory can be told: weak_scaling RANKS prints one JSON object; weak_scaling alone starts
// 1, 4, ..., 16384 and closes with a table in Markdown.
#include <sys/resource.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <iostream>
#include <memory>
#include <string>

#include "saltus/engine/network_builder.hpp"
#include "saltus/engine/simulate.hpp"

namespace {

using namespace saltus;

constexpr double biology_s = 0.1;
constexpr std::uint32_t neurons_per_rank = 10'000;

// The network of the cluster. Spikes that go to all ranks: an Allgather of the counts and an Allgatherv of
// the spikes; else a message to each rank that may have targets. And the Allreduce that agrees on the next
// window. A collective takes log2(ranks) steps.
constexpr double latency_s = 2e-6;         // of a step
constexpr double message_s = 0.5e-6;       // to send a message or to receive one, beside its bytes
constexpr double bytes_per_second = 10e9;  // that one rank receives

/// Of this process and its one thread: what its neighbours on the machine do does not count.
double cpu_seconds() {
    return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}
double peak_mib() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

Network network_a(std::uint32_t ranks) {
    NetworkBuilder build(1);
    const auto population = [&](const std::string& name, std::uint32_t size) {
        build.population(name, {size}, "lif_delta",
                         {{"tau_m", 20e-3},
                          {"E_L", 0.0},
                          {"V_th", 20e-3},
                          {"V_reset", 10e-3},
                          {"t_ref", 2e-3},
                          {"I_e", 30e-3},
                          {"V_0", Distribution::uniform(0.0, 20e-3)}});
    };
    population("exc", 8'000 * ranks);
    population("inh", 2'000 * ranks);
    for (const std::string post : {"exc", "inh"}) {
        const auto connect = [&](const std::string& pre, std::uint64_t k, double weight) {
            build.connect(pre, post,
                          {.rule = "fixed_indegree",
                           .k = k,
                           .autapses = pre != post,
                           .weight = Distribution::constant(weight),
                           .delay = Distribution::constant(1.5e-3)});
        };
        connect("exc", 800, 0.2e-3);
        connect("inh", 200, -1e-3);
    }
    return build.network();
}

int measure(std::uint32_t ranks) {
    const double begin = cpu_seconds();
    const Network network = network_a(ranks);
    const auto communication = std::make_shared<DryRunCommunication>(ranks, network);
    const ExactSimulation simulation(network, {1, communication});
    const double build_s = cpu_seconds() - begin;
    const double built_mib = peak_mib();

    const double start = cpu_seconds();
    const SimulationResult result =
        simulation.run({}, {.duration = duration_from_seconds(biology_s), .record_spikes = false});
    const double compute_s = (cpu_seconds() - start) / biology_s;
    // A single rank exchanges nothing: what it sends is what it fires.
    const auto windows = static_cast<double>(result.windows);
    const auto& traffic = communication->traffic();
    const auto fired = static_cast<double>(result.neuron_spikes);
    const auto sent = static_cast<double>(traffic.sent);
    const double received = static_cast<double>(traffic.received) / windows;
    const double messages = static_cast<double>(traffic.messages) / windows;
    const double bytes = received * sizeof(Spike);
    const double collectives = ranks == 1 ? 0.0 : traffic.messages == 0 ? 3.0 : 1.0;
    const double exchange_s =
        windows / biology_s *
        (collectives * latency_s * std::log2(ranks) + 2.0 * messages * message_s + bytes / bytes_per_second);
    std::printf(
        "{\"benchmark\": \"weak_scaling\", \"ranks\": %u, \"rate_hz\": %.2f, \"windows\": %.0f, "
        "\"fired_per_window\": %.2f, \"sent_per_window\": %.2f, \"messages_per_window\": %.1f, "
        "\"received_per_window\": %.1f, \"bytes_per_window\": %.0f, "
        "\"synaptic_events\": %llu, \"synapse_mib\": %.1f, \"peak_mib_built\": %.1f, \"peak_mib\": %.1f, "
        "\"build_s\": %.2f, \"compute_s\": %.3f, \"exchange_s\": %.4f}\n",
        ranks, fired / biology_s / neurons_per_rank, windows, fired / windows, sent / windows, messages,
        received, bytes, static_cast<unsigned long long>(result.synaptic_events),
        static_cast<double>(simulation.synapse_bytes()) / 1048576.0, built_mib, peak_mib(), build_s,
        compute_s, exchange_s);
    return 0;
}

/// Value of a number in a line of JSON that measure() has printed.
double number(const std::string& line, const std::string& name) {
    const std::string key = "\"" + name + "\": ";
    const std::size_t at = line.find(key);
    return at == std::string::npos ? 0.0 : std::strtod(line.c_str() + at + key.size(), nullptr);
}

int sweep(const std::string& program) {
    std::string table =
        "| ranks | synapses | fired | messages | received | KiB received | synapse MiB | peak MiB | build s "
        "| "
        "compute s | exchange s | predicted s |\n|---|---|---|---|---|---|---|---|---|---|---|---|\n";
    for (std::uint32_t ranks = 1; ranks <= 16384; ranks *= 4) {
        const std::unique_ptr<FILE, int (*)(FILE*)> pipe(
            popen(("'" + program + "' " + std::to_string(ranks)).c_str(), "r"), pclose);
        char buffer[1024] = {};
        if (!pipe || !std::fgets(buffer, sizeof buffer, pipe.get())) {
            std::cerr << "weak_scaling: " << ranks << " ranks gave no result.\n";
            return 1;
        }
        const std::string line = buffer;
        std::cout << line << std::flush;
        char row[512];
        std::snprintf(row, sizeof row,
                      "| %u | %.0e | %.0f | %.0f | %.0f | %.1f | %.0f | %.0f | %.1f | %.2f | %.3f | %.2f |\n",
                      ranks, 1e7 * ranks, number(line, "fired_per_window"),
                      number(line, "messages_per_window"), number(line, "received_per_window"),
                      number(line, "bytes_per_window") / 1024.0, number(line, "synapse_mib"),
                      number(line, "peak_mib"), number(line, "build_s"), number(line, "compute_s"),
                      number(line, "exchange_s"), number(line, "compute_s") + number(line, "exchange_s"));
        table += row;
    }
    std::cout << "\nSpikes and KiB are of one rank and window of 1.5 ms; build is CPU seconds, compute CPU "
                 "seconds per "
                 "second of biology, of which "
              << biology_s << " s were computed. Assumed of the network: a collective takes "
              << latency_s * 1e6
              << " us * log2(ranks), three a window where spikes go to all ranks, else one; a message "
              << message_s * 1e6 << " us at either end; a rank receives " << bytes_per_second / 1e9
              << " GB/s.\n\n"
              << table;
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 1) return sweep(argv[0]);
    const long ranks = std::strtol(argv[1], nullptr, 10);
    if (argc > 2 || ranks < 1 || ranks > 100'000) {
        std::cerr << "usage: weak_scaling [RANKS]\n";
        return 2;
    }
    return measure(static_cast<std::uint32_t>(ranks));
}
