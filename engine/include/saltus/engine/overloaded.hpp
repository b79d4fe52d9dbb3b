// Several functions as one, which takes what any of them takes: for std::visit.
#pragma once

namespace saltus {

template <class... Fs>
struct Overloaded : Fs... {
    using Fs::operator()...;
};
template <class... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

}  // namespace saltus
