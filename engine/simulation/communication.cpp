#include "saltus/engine/communication.hpp"

#include <algorithm>

#include "saltus/engine/errors.hpp"
#include "saltus/engine/network.hpp"

namespace saltus {

namespace {

class LocalCommunication final : public Communication {
  public:
    [[nodiscard]] std::uint32_t rank() const override { return 0; }
    [[nodiscard]] std::uint32_t size() const override { return 1; }
    void exchange(std::span<const Spike> mine, std::vector<Spike>& all) override {
        all.insert(all.end(), mine.begin(), mine.end());
    }
    void exchange(const Peers&, std::span<const std::vector<Spike>>, std::vector<Spike>&) override {}
    [[nodiscard]] std::vector<std::vector<std::byte>> swap(
        std::vector<std::vector<std::byte>> bytes) override {
        return bytes;
    }
    [[nodiscard]] std::int64_t smallest(std::int64_t mine) override { return mine; }
    [[nodiscard]] std::uint64_t sum(std::uint64_t mine) override { return mine; }
    [[nodiscard]] std::vector<std::vector<std::byte>> gather(std::span<const std::byte> mine) override {
        return {{mine.begin(), mine.end()}};
    }
};

}  // namespace

std::shared_ptr<Communication> local_communication() {
    return std::make_shared<LocalCommunication>();
}

DryRunCommunication::DryRunCommunication(std::uint32_t ranks, const Network& network) : ranks_(ranks) {
    if (ranks == 0) throw UsageError("ranks: expected at least 1, found 0.");
    std::vector<std::pair<std::string, std::uint32_t>> named;
    for (const Population& population : network.populations())
        named.emplace_back(population.name, population.size());
    std::sort(named.begin(), named.end());
    for (const auto& [name, size] : named) sizes_.push_back(size);
    // Later spikes arrive after their window as well. No instant has the spikes of all ranks, as none would
    // have.
    constexpr std::int64_t spread_fs = 10'000'000'000;  // 10 us
    spread_fs_ = static_cast<std::uint64_t>(std::min(network.lookahead().window.femtoseconds(), spread_fs));
}

void DryRunCommunication::append_like(std::uint32_t rank, std::span<const Spike> mine,
                                      std::vector<Spike>& all) const {
    __extension__ using Wide = unsigned __int128;
    const std::uint64_t fraction =
        rank * 0x9E3779B97F4A7C15u;  // of 2^64: multiples of the golden ratio spread evenly
    const Duration later(static_cast<std::int64_t>((Wide{fraction} * spread_fs_) >> 64));
    for (const Spike& spike : mine) {
        const std::uint64_t size = sizes_[spike.population];
        const std::uint64_t neuron = spike.neuron + rank * (size / ranks_);
        // A population of fewer neurons than ranks is on one rank only.
        if (rank > 0 && (size < ranks_ || neuron >= size)) continue;
        all.push_back({spike.time + later, spike.population, static_cast<NeuronIndex>(neuron)});
    }
}

void DryRunCommunication::exchange(std::span<const Spike> mine, std::vector<Spike>& all) {
    const std::size_t before = all.size();
    for (std::uint32_t rank = 0; rank < ranks_; ++rank) append_like(rank, mine, all);
    ++traffic_.exchanges;
    traffic_.sent += mine.size();
    traffic_.received += all.size() - before - mine.size();
}

void DryRunCommunication::exchange(const Peers& peers, std::span<const std::vector<Spike>> spikes,
                                   std::vector<Spike>& received) {
    const std::size_t before = received.size();
    for (std::size_t k = 0; k < peers.receivers.size(); ++k) {
        append_like(peers.receivers[k], spikes[k], received);
        traffic_.sent += spikes[k].size();
    }
    ++traffic_.exchanges;
    traffic_.received += received.size() - before;
    traffic_.messages += peers.receivers.size();
}

std::vector<std::vector<std::byte>> DryRunCommunication::swap(std::vector<std::vector<std::byte>> bytes) {
    for (auto& of_rank : bytes) of_rank.resize(bytes[0].size());
    return bytes;
}

std::vector<std::vector<std::byte>> DryRunCommunication::gather(std::span<const std::byte> mine) {
    return {{mine.begin(), mine.end()}};
}

}  // namespace saltus
