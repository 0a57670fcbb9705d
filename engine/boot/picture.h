// Pictures of a guest's screen.
#pragma once

#include <string>
#include <string_view>

#include "catalog/base/error.h"

namespace holdfast::boot {

struct Picture {
  std::size_t width = 0, height = 0;
  std::string pixels;  // three bytes each
};

// Reads a portable pixmap as QEMU writes it. EPROTO: it is none.
Result<Picture> read_pixmap(std::string_view file);

// Whether nothing is on the screen but one colour, and perhaps a cursor.
bool is_blank(const Picture& picture);
// Whether the pictures differ by no more than a blinking cursor or a clock does.
bool look_alike(const Picture& a, const Picture& b);

}  // namespace holdfast::boot
