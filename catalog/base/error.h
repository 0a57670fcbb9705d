// Errors are values: an errno and one sentence for a person.
//
// An Error is made where the failing call is, names the object and the values, and is mapped to a
// reply and to an `error` file in exactly one place (fsd). Nothing in the project throws on purpose;
// an exception that a library throws is turned into an Error at the call.
#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace holdfast {

struct Error {
  int code = EIO;       // an errno value
  std::string message;  // one sentence: what is wrong, and what would be right
  // Stored data was found to be wrong or absent (law 21). False if it could not be looked at.
  bool damage = false;

  bool operator==(const Error&) const = default;
};

template <class T = void>
using Result = tl::expected<T, Error>;

// fail(EINVAL, "'{}' is no size", text)
template <class... Args>
tl::unexpected<Error> fail(int code, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

// For stored data that does not match its checksum, is absent, or contradicts itself.
template <class... Args>
tl::unexpected<Error> fail_damaged(int code, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(
      Error{.code = code, .message = fmt::format(format, std::forward<Args>(args)...), .damage = true});
}

// The text of an errno, as strerror has it, safe in any thread.
std::string describe_errno(int code);

// For a system call that has just failed: the sentence ends in what errno says.
template <class... Args>
tl::unexpected<Error> fail_errno(fmt::format_string<Args...> format, Args&&... args) {
  const int code = errno;
  return tl::unexpected<Error>(
      Error{code, fmt::format(format, std::forward<Args>(args)...) + ": " + describe_errno(code)});
}

// Hands an error on with words before it: "reading a.qcow2: …".
template <class... Args>
tl::unexpected<Error> within(Error error, fmt::format_string<Args...> format, Args&&... args) {
  error.message = fmt::format(format, std::forward<Args>(args)...) + ": " + error.message;
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace holdfast

// Names that can't meet, also where one of these stands in a lambda inside another.
#define HF_CONCAT_(a, b) a##b
#define HF_CONCAT(a, b) HF_CONCAT_(a, b)
#define HF_UNIQUE HF_CONCAT(hf_result_, __COUNTER__)

// HF_TRY(auto size, file.size());  HF_TRY(member_, make());   hands the error to the caller.
#define HF_TRY(declaration, expression) HF_TRY_(HF_UNIQUE, declaration, expression)
#define HF_TRY_(result, declaration, expression)                      \
  auto result = (expression);                                         \
  if (!result) return tl::make_unexpected(std::move(result).error()); \
  declaration = std::move(*result)

// HF_CHECK(file.sync());   for results whose value is not wanted.
#define HF_CHECK(expression) HF_CHECK_(HF_UNIQUE, expression)
#define HF_CHECK_(result, expression)                                   \
  do {                                                                  \
    auto result = (expression);                                         \
    if (!result) return tl::make_unexpected(std::move(result).error()); \
  } while (false)
