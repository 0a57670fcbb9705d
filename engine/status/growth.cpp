#include "engine/status/growth.h"

namespace holdfast {
namespace {

constexpr std::chrono::days kFarthest{3652};
constexpr std::chrono::days kSoon{7};

}  // namespace

std::optional<Time> full_at(const std::optional<RepositorySizes::Growth>& growth, std::uint64_t room,
                            Time now) {
  if (!growth || growth->bytes <= 0) return std::nullopt;
  using Milliseconds = std::chrono::duration<double, std::milli>;
  const Milliseconds left =
      Milliseconds(now - growth->since) * static_cast<double>(room) / static_cast<double>(growth->bytes);
  if (left > kFarthest) return std::nullopt;
  return now + std::chrono::duration_cast<std::chrono::milliseconds>(left);
}

std::optional<Warning> warning_of_room(const Repository& repository, std::uint64_t room,
                                       std::optional<Time> full, Time now) {
  if (repository.definition.read_only) return std::nullopt;
  const std::string path = "repositories/" + repository.name;
  const std::string fix =
      fmt::format("give {} more room, or its flows a policy that keeps fewer points", path);
  if (room == 0)
    return Warning{.object = path,
                   .reason = "full",
                   .message = fmt::format("it has no room for backups: only its reserve of {} % is free",
                                          repository.definition.reserve_percent),
                   .fix = fix,
                   .weight = Warning::Weight::error};
  if (!full || *full > now + kSoon) return std::nullopt;
  return Warning{
      .object = path,
      .reason = "fills",
      .message = fmt::format("it is full at about {}, if it grows as in the last days", iso_time(*full)),
      .fix = fix};
}

}  // namespace holdfast
