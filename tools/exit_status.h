// Exit statuses that all calls of the holdfast command share.
#pragma once

namespace holdfast {

inline constexpr int kWrongCommandLine = 2;

}  // namespace holdfast
