#include "catalog/model/recipient.h"

#include <algorithm>

namespace holdfast {

std::optional<Recipient> parse_recipient(std::string_view text) {
  const auto end = text.find_first_of(" :");
  if (end == std::string_view::npos) return std::nullopt;
  const auto when = from_word<NoticeWhen>(text.substr(0, end));
  const std::string_view url = text.substr(end + 1);
  const auto host = url.starts_with("https://") ? 8U : url.starts_with("http://") ? 7U : 0U;
  const bool printable = std::ranges::all_of(url, [](char c) { return c > ' ' && c <= '~'; });
  if (!when || host == 0 || url.size() == host || !printable) return std::nullopt;
  return Recipient{*when, std::string{url}};
}

}  // namespace holdfast
