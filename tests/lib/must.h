// Steps of a test that are not what it tests: a failure ends the test with its sentence.
#pragma once

#include <stdexcept>
#include <type_traits>
#include <utility>

#include "catalog/base/error.h"

namespace holdfast::test {

template <class T, class E>
T must(tl::expected<T, E> result) {
  if (!result) throw std::runtime_error(result.error().message);
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

}  // namespace holdfast::test
