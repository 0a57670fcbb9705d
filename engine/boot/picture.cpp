#include "engine/boot/picture.h"

#include <cstdio>
#include <cstring>

namespace holdfast::boot {
namespace {

constexpr std::size_t kBytesOfPixel = 3;
constexpr std::size_t kMostPixels = 64 * 1024 * 1024;
constexpr std::size_t kCursor = 64;  // pixels of a cursor in text mode; it has 9 × 2
constexpr std::size_t kOneOf = 200;  // one pixel in so many may differ in pictures that look alike

}  // namespace

Result<Picture> read_pixmap(std::string_view file) {
  const std::string head{file.substr(0, 64)};
  Picture picture;
  int begin = 0;
  const int fields = std::sscanf(head.c_str(), "P6 %zu %zu 255%n", &picture.width, &picture.height, &begin);
  const std::size_t pixels = picture.width * picture.height;
  const std::size_t offset = static_cast<std::size_t>(begin) + 1;
  if (fields != 2 || begin == 0 || picture.width > kMostPixels || picture.height > kMostPixels ||
      pixels == 0 || pixels > kMostPixels || file.size() != offset + pixels * kBytesOfPixel)
    return fail(EPROTO, "QEMU's picture of the screen is no pixmap");
  picture.pixels = file.substr(offset);
  return picture;
}

bool is_blank(const Picture& picture) {
  std::size_t others = 0;
  for (std::size_t at = 0; at < picture.pixels.size(); at += kBytesOfPixel)
    others += std::memcmp(&picture.pixels[at], &picture.pixels[0], kBytesOfPixel) != 0;
  return others <= kCursor;
}

bool look_alike(const Picture& a, const Picture& b) {
  if (a.width != b.width || a.height != b.height) return false;
  std::size_t different = 0;
  for (std::size_t at = 0; at < a.pixels.size(); at += kBytesOfPixel)
    different += std::memcmp(&a.pixels[at], &b.pixels[at], kBytesOfPixel) != 0;
  return different <= a.width * a.height / kOneOf;
}

}  // namespace holdfast::boot
