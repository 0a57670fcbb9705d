// Holds something for its own life, and gives it back at its end.
#pragma once

#include <functional>
#include <utility>

namespace holdfast {

// Runs a function once, when it is destroyed or assigned to; an empty guard holds nothing. Moves, and is
// never copied. Any thread may destroy it, one at a time. The function must not throw, and what it refers to
// must outlive the guard.
class [[nodiscard]] Guard {
 public:
  Guard() = default;
  explicit Guard(std::function<void()> give_back) : give_back_(std::move(give_back)) {}
  ~Guard() { end(); }
  Guard(Guard&& other) noexcept : give_back_(std::exchange(other.give_back_, nullptr)) {}
  Guard& operator=(Guard&& other) noexcept {
    if (this != &other) {
      end();
      give_back_ = std::exchange(other.give_back_, nullptr);
    }
    return *this;
  }

  explicit operator bool() const { return give_back_ != nullptr; }

 private:
  void end() {
    if (give_back_) std::exchange(give_back_, nullptr)();
  }

  std::function<void()> give_back_;
};

}  // namespace holdfast
