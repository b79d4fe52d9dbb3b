#include "addresses.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "saltus/engine/errors.hpp"

namespace saltus {

namespace {

/// Bits of one rank's neurons, part by part, eight to a byte.
class Request {
  public:
    explicit Request(std::vector<std::byte> bytes = {}) : bytes_(std::move(bytes)) {}

    void push(bool bit) {
        if (n_ % 8 == 0) bytes_.push_back(std::byte{0});
        if (bit) bytes_.back() |= std::byte{1} << n_ % 8;
        ++n_;
    }
    [[nodiscard]] bool operator[](std::size_t k) const {
        return (bytes_[k / 8] & std::byte{1} << k % 8) != std::byte{0};
    }
    [[nodiscard]] std::vector<std::byte>& bytes() { return bytes_; }

  private:
    std::vector<std::byte> bytes_;
    std::size_t n_ = 0;
};

}  // namespace

Addresses::Addresses(Communication& communication, const std::vector<Part>& parts, const Marks& wanted)
    : own_(wanted.size()) {
    const std::uint32_t ranks = communication.size();
    const std::uint32_t me = communication.rank();
    std::vector<Request> requests(ranks);
    std::size_t neurons = 0;  // of this rank
    std::vector<std::uint64_t> wanted_of(ranks, 0);
    for (const Part& part : parts) {
        for (NeuronIndex j = part.range.begin; j < part.range.end; ++j) {
            const bool want = wanted[part.population][j];
            requests[part.rank].push(want);
            wanted_of[part.rank] += want;
        }
        if (part.rank != me) continue;
        own_[part.population].push_back({part.range, neurons});
        neurons += part.range.size();
    }
    std::vector<std::vector<std::byte>> bytes(ranks);
    for (std::uint32_t r = 0; r < ranks; ++r) bytes[r].swap(requests[r].bytes());
    const std::size_t expected = (neurons + 7) / 8;
    bytes = communication.swap(std::move(bytes));
    bool same = true;
    for (std::uint32_t r = 0; r < ranks; ++r) {
        same = same && bytes[r].size() == expected;
        requests[r] = Request(std::move(bytes[r]));
    }
    if (communication.smallest(same ? 1 : 0) == 0)
        throw UsageError("the ranks were given different networks. Build the same on all.");

    begins_.assign(neurons + 1, 0);
    for (std::uint32_t r = 0; r < ranks; ++r) {
        for (std::size_t k = 0; r != me && k < neurons; ++k) begins_[k + 1] += requests[r][k];
    }
    const auto sending = static_cast<std::uint64_t>(
        std::count_if(begins_.begin(), begins_.end(), [](std::size_t n) { return n > 0; }));
    std::partial_sum(begins_.begin(), begins_.end(), begins_.begin());
    const std::uint64_t wishes = communication.sum(begins_.back());
    everywhere_ = 2 * wishes > communication.sum(sending) * (ranks - 1);
    if (everywhere_) {
        *this = Addresses();
        return;
    }
    entries_.resize(begins_.back());
    std::vector<std::size_t> next(begins_.begin(), begins_.end() - 1);
    for (std::uint32_t r = 0; r < ranks; ++r) {
        if (r == me) continue;
        bool any = false;
        for (std::size_t k = 0; k < neurons; ++k) {
            if (!requests[r][k]) continue;
            entries_[next[k]++] = static_cast<std::uint32_t>(peers_.receivers.size());
            any = true;
        }
        if (any) peers_.receivers.push_back(r);
        if (wanted_of[r] > 0) peers_.senders.push_back(r);
    }
}

std::span<const std::uint32_t> Addresses::of(const Spike& spike) const {
    for (const Own& own : own_[spike.population]) {
        if (spike.neuron < own.range.begin || spike.neuron >= own.range.end) continue;
        const std::size_t k = own.first + (spike.neuron - own.range.begin);
        return std::span(entries_).subspan(begins_[k], begins_[k + 1] - begins_[k]);
    }
    return {};
}

}  // namespace saltus
