// Exit statuses that all calls of the holdfast command share.
#pragma once

namespace holdfast {

inline constexpr int kNotGood = 1;  // done, or looked at, and not good
inline constexpr int kWrongCommandLine = 2;
inline constexpr int kNoSuchThing = 4;
inline constexpr int kRefused = 5;  // permission, in use, no room
inline constexpr int kInterrupted = 130;

}  // namespace holdfast
