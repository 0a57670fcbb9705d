// What goes over the socket between Holdfast and the confined program that reads version 1 images with
// libqcow: both ends are built together and run on one machine, so these are plain structures.
//
//   reader → an Answer, when it has opened the image, or can't
//   parent → a Request      reader → an Answer, and after one without a code the bytes that were asked for
//
// The end of the parent's side ends the reader.
#pragma once

#include <array>
#include <cstdint>

namespace holdfast::foreign::protocol {

// How the reader finds its descriptors; it has no others.
constexpr int kImage = 0;
constexpr int kSocket = 1;

constexpr std::uint32_t kLongestRead = 65536;  // the largest cluster that version 1 has

struct Request {
  std::uint64_t offset = 0;  // of the disk
  std::uint64_t length = 0;  // 1 to kLongestRead
};

struct Answer {
  std::uint32_t code = 0;     // an errno; 0: it went well
  std::uint32_t version = 0;  // of the image, in the first answer
  std::uint64_t size = 0;     // of the disk, in the first answer
  std::array<char, 240> reason{};
};

}  // namespace holdfast::foreign::protocol
