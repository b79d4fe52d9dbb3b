#include "saltus/engine/communication.hpp"
#include "saltus/engine/errors.hpp"

#ifdef SALTUS_WITH_MPI

#include <mpi.h>

#include <algorithm>
#include <climits>
#include <exception>
#include <string>
#include <type_traits>

namespace saltus {

namespace {

/// Starts MPI with the first use and ends it with the process, unless somebody else has started it.
class MpiSession {
  public:
    MpiSession() {
        int initialized = 0;
        MPI_Initialized(&initialized);
        if (initialized) return;
        int provided = 0;
        MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
        mine_ = true;
    }
    ~MpiSession() {
        int finalized = 0;
        MPI_Finalized(&finalized);
        if (mine_ && !finalized) MPI_Finalize();
    }
    MpiSession(const MpiSession&) = delete;
    MpiSession& operator=(const MpiSession&) = delete;

  private:
    bool mine_ = false;
};

class MpiCommunication final : public Communication {
  public:
    MpiCommunication() {
        static const MpiSession session;
        MPI_Comm_dup(MPI_COMM_WORLD, &world_);
        int rank = 0;
        int size = 1;
        MPI_Comm_rank(world_, &rank);
        MPI_Comm_size(world_, &size);
        rank_ = static_cast<std::uint32_t>(rank);
        counts_.resize(static_cast<std::size_t>(size));
        offsets_.resize(counts_.size());
    }
    ~MpiCommunication() override {
        // The other ranks wait for this one and would do so for ever.
        if (std::uncaught_exceptions() > exceptions_ && counts_.size() > 1) MPI_Abort(world_, 1);
        MPI_Comm_free(&world_);
    }
    MpiCommunication(const MpiCommunication&) = delete;
    MpiCommunication& operator=(const MpiCommunication&) = delete;

    [[nodiscard]] std::uint32_t rank() const override { return rank_; }
    [[nodiscard]] std::uint32_t size() const override { return static_cast<std::uint32_t>(counts_.size()); }

    void exchange(std::span<const Spike> mine, std::vector<Spike>& all) override {
        static_assert(std::is_trivially_copyable_v<Spike>);
        const std::size_t before = all.size();
        const std::size_t total = share_counts(mine.size_bytes());
        all.resize(before + total / sizeof(Spike));
        MPI_Allgatherv(mine.data(), counts_[rank_], MPI_BYTE, all.data() + before, counts_.data(),
                       offsets_.data(), MPI_BYTE, world_);
    }

    void exchange(const Peers& peers, std::span<const std::vector<Spike>> spikes,
                  std::vector<Spike>& received) override {
        requests_.resize(peers.receivers.size());
        for (std::size_t k = 0; k < peers.receivers.size(); ++k) {
            send(spikes[k].data(), spikes[k].size() * sizeof(Spike), peers.receivers[k], requests_[k]);
        }
        for (const std::uint32_t sender : peers.senders) {
            receive(sender, [&](std::size_t bytes) {
                received.resize(received.size() + bytes / sizeof(Spike));
                return received.data() + received.size() - bytes / sizeof(Spike);
            });
        }
        finish_sending();
    }

    [[nodiscard]] std::vector<std::vector<std::byte>> swap(
        std::vector<std::vector<std::byte>> bytes) override {
        std::vector<std::vector<std::byte>> received(bytes.size());
        requests_.resize(bytes.size());
        for (std::uint32_t rank = 0; rank < bytes.size(); ++rank) {
            send(bytes[rank].data(), bytes[rank].size(), rank, requests_[rank]);
        }
        for (std::uint32_t rank = 0; rank < bytes.size(); ++rank) {
            receive(rank, [&](std::size_t n) {
                received[rank].resize(n);
                return received[rank].data();
            });
        }
        finish_sending();
        return received;
    }

    [[nodiscard]] std::int64_t smallest(std::int64_t mine) override {
        std::int64_t smallest = mine;
        MPI_Allreduce(&mine, &smallest, 1, MPI_INT64_T, MPI_MIN, world_);
        return smallest;
    }

    [[nodiscard]] std::uint64_t sum(std::uint64_t mine) override {
        std::uint64_t sum = mine;
        MPI_Allreduce(&mine, &sum, 1, MPI_UINT64_T, MPI_SUM, world_);
        return sum;
    }

    [[nodiscard]] std::vector<std::vector<std::byte>> gather(std::span<const std::byte> mine) override {
        // In pieces: MPI counts in int.
        std::vector<std::vector<std::byte>> parts(rank_ == 0 ? counts_.size() : 0);
        constexpr std::size_t piece = std::size_t{1} << 26;
        for (std::size_t begin = 0;; begin += piece) {
            const std::size_t left = begin < mine.size() ? mine.size() - begin : 0;
            const std::size_t total = share_counts(std::min(piece, left));
            if (total == 0) return parts;
            std::vector<std::byte> all(rank_ == 0 ? total : 0);
            MPI_Gatherv(left == 0 ? nullptr : mine.data() + begin, counts_[rank_], MPI_BYTE, all.data(),
                        counts_.data(), offsets_.data(), MPI_BYTE, 0, world_);
            for (std::size_t rank = 0; rank < parts.size(); ++rank) {
                const auto from = all.begin() + offsets_[rank];
                parts[rank].insert(parts[rank].end(), from, from + counts_[rank]);
            }
        }
    }

  private:
    static constexpr int tag = 0;  // messages of one rank to another keep their order

    void send(const void* data, std::size_t bytes, std::uint32_t rank, MPI_Request& request) {
        if (bytes > INT_MAX) {
            throw LimitError("2 GiB or more for rank " + std::to_string(rank) +
                             ", and MPI does not send them at once. Use more ranks.");
        }
        MPI_Isend(data, static_cast<int>(bytes), MPI_BYTE, static_cast<int>(rank), tag, world_, &request);
    }
    /// `place` makes room for so many bytes.
    template <class F>
    void receive(std::uint32_t rank, F&& place) {
        MPI_Message message;
        MPI_Status status;
        MPI_Mprobe(static_cast<int>(rank), tag, world_, &message, &status);
        int bytes = 0;
        MPI_Get_count(&status, MPI_BYTE, &bytes);
        MPI_Mrecv(place(static_cast<std::size_t>(bytes)), bytes, MPI_BYTE, &message, MPI_STATUS_IGNORE);
    }
    void finish_sending() {
        MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE);
    }

    /// Counts and offsets of all ranks; returns the sum.
    std::size_t share_counts(std::size_t bytes) {
        const auto mine = static_cast<std::uint64_t>(bytes);
        std::vector<std::uint64_t> all(counts_.size());
        MPI_Allgather(&mine, 1, MPI_UINT64_T, all.data(), 1, MPI_UINT64_T, world_);
        std::uint64_t total = 0;
        for (std::size_t rank = 0; rank < all.size(); ++rank) {
            offsets_[rank] = static_cast<int>(std::min<std::uint64_t>(total, INT_MAX));
            counts_[rank] = static_cast<int>(std::min<std::uint64_t>(all[rank], INT_MAX));
            total += all[rank];
        }
        if (total > INT_MAX) {  // found by all ranks alike
            throw LimitError(
                "a window of time has more than 2 GiB of spikes, and MPI does not exchange them at once.");
        }
        return total;
    }

    MPI_Comm world_ = MPI_COMM_NULL;
    std::uint32_t rank_ = 0;
    int exceptions_ = std::uncaught_exceptions();
    std::vector<int> counts_;
    std::vector<int> offsets_;
    std::vector<MPI_Request> requests_;
};

}  // namespace

std::shared_ptr<Communication> mpi_communication() {
    return std::make_shared<MpiCommunication>();
}

}  // namespace saltus

#else

namespace saltus {

std::shared_ptr<Communication> mpi_communication() {
    throw LimitError(
        "this build of Saltus is without MPI. Install an MPI (for example libmpich-dev) and configure with "
        "-DSALTUS_MPI=ON.");
}

}  // namespace saltus

#endif
