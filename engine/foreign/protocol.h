// The messages between Holdfast and the confined program that reads version 1 images with libqcow. Both ends
// are built together and run on one machine, so the messages are plain structures.
//
//   reader → an Answer, when it has opened the image or failed to
//   parent → a Request
//   reader → an Answer, and the bytes of the request if its code is 0
//
// The reader exits when the parent closes the socket.
#pragma once

#include <array>
#include <cstdint>

namespace holdfast::foreign::protocol {

// The descriptors of the reader; it has no others.
constexpr int kImage = 0;
constexpr int kSocket = 1;

constexpr std::uint32_t kLongestRead = 65536;  // the largest cluster of version 1

struct Request {
  std::uint64_t offset = 0;  // on the disk
  std::uint64_t length = 0;  // 1 to kLongestRead
};

struct Answer {
  std::uint32_t code = 0;     // an errno; 0: success
  std::uint32_t version = 0;  // the image's; only in the first answer
  std::uint64_t size = 0;     // the disk's; only in the first answer
  std::array<char, 240> reason{};
};

}  // namespace holdfast::foreign::protocol
