#pragma once

#include <cstddef>
#include <cstdint>

// Reads the bytes as an image in every way that there is: libFuzzer's entry (tests/long/image-fuzz), and the
// suite's for its corpus.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
