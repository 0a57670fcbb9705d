#pragma once

#include <cstddef>
#include <cstdint>

// Answers a QMP client and a guest agent's client with the input, and asks all that a capture asks first.
// Each line of the input is what a command returns; a line that begins with '!' is sent as it is, before an
// answer. It is the entry of libFuzzer (tests/long/fuzz) and of the corpus test.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size);
