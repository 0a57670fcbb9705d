#include "engine/sources/qmp/quiesce.h"

#include "catalog/base/log.h"

namespace holdfast::source::qmp {
namespace {

Result<std::unique_ptr<Agent>> reach_agent(Monitor& monitor, std::chrono::milliseconds patience) {
  HF_TRY(const AgentSocket socket, find_agent(monitor));
  if (socket.path.empty()) return fail(ENXIO, "{}", socket.why_not);
  HF_TRY(const Peer peer, monitor.peer());
  return Agent::connect(peer, socket.path, patience);
}

}  // namespace

Result<std::unique_ptr<Agent>> agent_for(Monitor& monitor, Quiesce wanted,
                                         std::chrono::milliseconds patience) {
  if (wanted == Quiesce::never) return nullptr;
  auto agent = reach_agent(monitor, patience);
  if (agent) return agent;
  if (wanted == Quiesce::required)
    return within(std::move(agent).error(),
                  "the guest at {} can't be quiesced, which its machine's \"quiesce\" requires",
                  monitor.socket());
  log::info("the guest at {} is not quiesced: {}", monitor.socket(), agent.error().message);
  return nullptr;
}

Result<> bring_to_rest(Agent& agent) {
  HF_TRY(const std::uint64_t frozen, agent.freeze());
  if (frozen == 0) return fail(EIO, "the guest's agent has found no file system to freeze");
  return {};
}

Result<> check_at_rest(Agent& agent) {
  HF_TRY(const bool frozen, agent.is_frozen());
  if (frozen) return {};
  return fail(EIO, "the guest has thawed its file systems before the disks were frozen");
}

Result<> thaw_leftover(Monitor& monitor, std::chrono::milliseconds patience) {
  auto agent = reach_agent(monitor, patience);
  if (!agent && agent.error().code == ENXIO) {
    log::warning("the guest at {} may have been left frozen, and is not thawed: {}", monitor.socket(),
                 agent.error().message);
    return {};
  }
  if (!agent) return tl::make_unexpected(std::move(agent).error());
  return (*agent)->thaw();
}

}  // namespace holdfast::source::qmp
