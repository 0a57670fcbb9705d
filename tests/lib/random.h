// Repeatable randomness: a test prints its seed, and HOLDFAST_SEED sets the seed.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <random>
#include <span>
#include <string>

#include "catalog/base/bytes.h"

namespace holdfast::test {

class Random {
 public:
  // Seeded by HOLDFAST_SEED or anew.
  Random() : Random(chosen_seed()) { std::cout << "seed: HOLDFAST_SEED=" << seed_ << std::endl; }
  explicit Random(std::uint64_t seed) : seed_(seed), engine_(seed) {}

  std::uint64_t seed() const { return seed_; }
  std::uint64_t next() { return engine_(); }
  std::uint64_t below(std::uint64_t end) {
    return std::uniform_int_distribution<std::uint64_t>(0, end - 1)(engine_);
  }
  std::uint64_t between(std::uint64_t first, std::uint64_t last) { return first + below(last - first + 1); }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  template <class T>
  const T& pick(std::span<const T> choices) {
    return choices[below(choices.size())];
  }
  std::mt19937_64& engine() { return engine_; }

  void fill(ByteSpan bytes) {
    while (bytes.size() >= 8) {
      const std::uint64_t value = engine_();
      std::memcpy(bytes.data(), &value, 8);
      bytes = bytes.subspan(8);
    }
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(engine_());
  }

 private:
  static std::uint64_t chosen_seed() {
    const char* set = std::getenv("HOLDFAST_SEED");
    return set != nullptr ? std::stoull(set) : std::random_device{}();
  }

  std::uint64_t seed_;
  std::mt19937_64 engine_;
};

// Returns the number of rounds: `in_suite`, or `in_full` when HOLDFAST_LONG is set.
inline std::size_t tries(std::size_t in_suite, std::size_t in_full) {
  return std::getenv("HOLDFAST_LONG") != nullptr ? in_full : in_suite;
}

}  // namespace holdfast::test
