#include "catalog/catalog.h"

#include <utility>
#include <vector>

#include "catalog/base/id.h"
#include "catalog/base/mutex.h"
#include "catalog/turns.h"
#include "catalog/upkeep.h"

namespace holdfast {
namespace {

constexpr int kReadersAtMost = 8;

using Connections = std::vector<std::unique_ptr<db::Connection>>;

// The greatest id of an earlier life that anybody can have seen. Revisions of executions and jobs are left
// out, because every final change of one also changes its flow or adds an event.
Result<Id> greatest_id(db::Connection& connection) {
  HF_TRY(auto found, connection.prepare(R"sql(
    SELECT max(used) FROM (
      SELECT max(revision) AS used FROM machines
      UNION ALL SELECT max(revision) FROM repositories
      UNION ALL SELECT max(revision) FROM flows
      UNION ALL SELECT max(revision) FROM groups
      UNION ALL SELECT max(revision) FROM schedules
      UNION ALL SELECT max(revision) FROM policies
      UNION ALL SELECT max(revision) FROM settings
      UNION ALL SELECT max(revision) FROM definition_changes
      UNION ALL SELECT max(id) FROM schedule_occurrences
      UNION ALL SELECT max(revision) FROM points
      UNION ALL SELECT max(id) FROM copies
      UNION ALL SELECT max(id) FROM copy_disks
      UNION ALL SELECT max(id) FROM pins
      UNION ALL SELECT max(id) FROM verdicts
      UNION ALL SELECT max(id) FROM disks
      UNION ALL SELECT max(id) FROM executions
      UNION ALL SELECT max(id) FROM jobs
      UNION ALL SELECT max(id) FROM chains
      UNION ALL SELECT max(id) FROM layers
      UNION ALL SELECT max(id) FROM points
      UNION ALL SELECT max(id) FROM point_disks
      UNION ALL SELECT max(id) FROM leftovers
      UNION ALL SELECT max(id) FROM events
      UNION ALL SELECT max(id) FROM log_lines))sql"));
  HF_CHECK(found.step());
  return found.integer(0);
}

}  // namespace

// Connections on loan and at rest.
struct Catalog::State {
  std::string path;
  CatalogLock ours;

  Turns writers;
  std::unique_ptr<db::Connection> writer;  // null while on loan or lost

  Mutex mutex;
  CondVar reader_back;
  int readers_out HF_GUARDED_BY(mutex) = 0;
  // Destroyed before the writer, because the last connection to close empties the log.
  Connections readers HF_GUARDED_BY(mutex);

  void give_back_writer(std::unique_ptr<db::Connection> connection) {
    writer = std::move(connection);
    writers.end();
  }

  void give_back_reader(std::unique_ptr<db::Connection> connection) {
    {
      const MutexLock lock(mutex);
      --readers_out;
      if (connection) readers.push_back(std::move(connection));
    }
    reader_back.notify_one();
  }
};

Catalog::Lease::Lease(State* lender, std::unique_ptr<db::Connection> lent, bool is_writer)
    : owner(lender), connection(std::move(lent)), writer(is_writer) {}

Catalog::Lease::Lease(Lease&& other) noexcept
    : owner(std::exchange(other.owner, nullptr)),
      connection(std::move(other.connection)),
      writer(other.writer) {}

Catalog::Lease::~Lease() {
  if (owner == nullptr) return;
  // A connection that is still in a transaction could not roll back: its file or its log is in trouble. The
  // next borrower opens a new one.
  if (connection && connection->in_transaction()) connection.reset();
  if (writer)
    owner->give_back_writer(std::move(connection));
  else
    owner->give_back_reader(std::move(connection));
}

Catalog::Catalog(std::unique_ptr<State> state) : state_(std::move(state)) {}
Catalog::~Catalog() = default;

Result<std::unique_ptr<Catalog>> Catalog::open(const std::string& path) {
  auto state = std::make_unique<State>();
  state->path = path;
  HF_TRY(state->ours, CatalogLock::take(path));
  HF_TRY(state->writer, db::Connection::open(path, db::Mode::read_write));
  HF_CHECK(bring_to(*state->writer, path, newest_version()));
  HF_TRY(const Id greatest, greatest_id(*state->writer));
  new_ids_start_above(greatest);
  return std::unique_ptr<Catalog>{new Catalog(std::move(state))};
}

Result<Catalog::Lease> Catalog::borrow_reader() {
  Lease lease{state_.get(), nullptr, false};
  {
    const MutexLock lock(state_->mutex);
    while (state_->readers_out >= kReadersAtMost) state_->reader_back.wait(state_->mutex);
    ++state_->readers_out;
    if (!state_->readers.empty()) {
      lease.connection = std::move(state_->readers.back());
      state_->readers.pop_back();
    }
  }
  if (!lease.connection) {
    HF_TRY(lease.connection, db::Connection::open(state_->path, db::Mode::read_only));
  }
  return lease;
}

Result<Catalog::Lease> Catalog::borrow_writer() {
  state_->writers.wait_for(state_->writers.draw());
  Lease lease{state_.get(), std::move(state_->writer), true};
  if (!lease.connection) {
    HF_TRY(lease.connection, db::Connection::open(state_->path, db::Mode::read_write));
  }
  return lease;
}

}  // namespace holdfast
