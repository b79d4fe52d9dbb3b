// What the copy of a process (hdf5_process.hpp) has opened, and how its objects are asked.
#pragma once

#include <deque>
#include <tuple>
#include <utility>
#include <variant>

#include "hdf5.hpp"
#include "hdf5_process.hpp"

namespace saltus::io::hdf5 {

class Opened {
  public:
    /// Number of an object that is kept.
    template <class T>
    [[nodiscard]] std::uint64_t keep(T object) {
        objects_.emplace_back(std::move(object));
        return objects_.size() - 1;
    }
    template <class T>
    [[nodiscard]] const T& at(std::uint64_t number) const {
        const auto& object = objects_.at(static_cast<std::size_t>(number));
        if constexpr (std::is_same_v<T, Object>) {
            return std::visit([](const Object& any) -> const Object& { return any; }, object);
        } else {
            return std::get<T>(object);
        }
    }

  private:
    std::deque<std::variant<Group, Dataset>> objects_;
};

/// f(opened, object, arguments...), computed in the copy, for the object that `self` stands for.
template <class T, class R, class... A>
[[nodiscard]] R Object::ask(const T& self, R (*f)(Opened&, const T&, const A&...), const A&... arguments) {
    using F = R (*)(Opened&, const T&, const A&...);
    Message question;
    question.put(f);
    question.put(*self.there_);
    (question.put(arguments), ...);
    const auto task = [](Opened& opened, Message& in, Message& out) {
        const auto asked = in.take<F>();
        const auto& object = opened.at<T>(in.take<std::uint64_t>());
        const std::tuple<A...> given{in.take<A>()...};
        out.put(std::apply([&](const A&... a) { return asked(opened, object, a...); }, given));
    };
    Message answer = self.origin_->process->ask(task, question);
    try {
        return answer.take<R>();
    } catch (const std::out_of_range&) {
        throw self.error("is damaged: the HDF5 library gives no answer that makes sense.");
    }
}

}  // namespace saltus::io::hdf5
