// Parameters of the neurons of a population: one entry that all share, or one for each.
//
// In most large networks neurons differ in nothing but where they start. Then only that is kept, or not even
// that: V_0 is computed when it is asked for. Entries that are listed are shared by all copies until one of
// them is changed.
#pragma once

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace saltus::neurons {

template <class P>
class PerNeuron {
  public:
    using value_type = P;
    using Start = std::function<double(std::size_t)>;

    PerNeuron() = default;
    explicit PerNeuron(std::size_t n, const P& p = {}) : listed_(std::make_shared<std::vector<P>>(n, p)) {}
    PerNeuron(std::initializer_list<P> listed) : listed_(std::make_shared<std::vector<P>>(listed)) {}
    /// n neurons with the parameters p but for V_0, which is start(i) for neuron i, however often it is
    /// asked.
    PerNeuron(std::size_t n, const P& p, Start start)
        : common_(p), size_(n), start_(std::make_shared<const Start>(std::move(start))) {}

    [[nodiscard]] std::size_t size() const { return start_ ? size_ : listed_ ? listed_->size() : 0; }
    [[nodiscard]] bool empty() const { return size() == 0; }
    /// What holds for one neuron holds for all, V_0 apart.
    [[nodiscard]] bool same_but_start() const { return start_ || size() == 1; }

    [[nodiscard]] P operator[](std::size_t i) const {
        if (!start_) return (*listed_)[i];
        P p = common_;
        if constexpr (requires { p.V_0; }) p.V_0 = (*start_)(i);
        return p;
    }
    [[nodiscard]] P at(std::size_t i) const {
        if (i >= size()) throw std::out_of_range("PerNeuron::at");
        return (*this)[i];
    }
    [[nodiscard]] P& operator[](std::size_t i) { return own()[i]; }

    void push_back(const P& p) { own().push_back(p); }
    void reserve(std::size_t n) { own().reserve(n); }

    class Iterator {
      public:
        using iterator_category = std::forward_iterator_tag;
        using value_type = P;
        using difference_type = std::ptrdiff_t;
        using pointer = const P*;
        using reference = P;

        Iterator() = default;
        Iterator(const PerNeuron* all, std::size_t i) : all_(all), i_(i) {}
        P operator*() const { return (*all_)[i_]; }
        Iterator& operator++() {
            ++i_;
            return *this;
        }
        Iterator operator++(int) {
            const Iterator before = *this;
            ++i_;
            return before;
        }
        friend bool operator==(const Iterator&, const Iterator&) = default;

      private:
        const PerNeuron* all_ = nullptr;
        std::size_t i_ = 0;
    };
    [[nodiscard]] Iterator begin() const { return {this, 0}; }
    [[nodiscard]] Iterator end() const { return {this, size()}; }
    [[nodiscard]] auto begin() { return own().begin(); }
    [[nodiscard]] auto end() { return own().end(); }

  private:
    /// The list, and nobody else's.
    std::vector<P>& own() {
        if (start_) {
            listed_ =
                std::make_shared<std::vector<P>>(std::as_const(*this).begin(), std::as_const(*this).end());
            start_ = nullptr;
        } else if (!listed_) {
            listed_ = std::make_shared<std::vector<P>>();
        } else if (listed_.use_count() > 1) {
            listed_ = std::make_shared<std::vector<P>>(*listed_);
        }
        return *listed_;
    }

    P common_{};
    std::size_t size_ = 0;
    std::shared_ptr<const Start> start_;
    std::shared_ptr<std::vector<P>> listed_;
};

}  // namespace saltus::neurons
