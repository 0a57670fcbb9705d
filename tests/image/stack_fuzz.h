#pragma once

#include <cstddef>
#include <cstdint>

// Reads the bytes as an image in every way. It is the entry of libFuzzer (tests/long/image-fuzz) and of the
// corpus test.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
