// The catalog: one file, one writer at a time, readers that never wait for the writer.
//
// Any thread may call. read() and write() run the function in one transaction on a connection of
// its own; stores are made inside the function and live no longer. The function does not call the
// catalog again: it would wait for itself. A write whose function returns an error is rolled back as a
// whole. SQLITE_BUSY never comes out of here: writers queue, first come, first served.
#pragma once

#include <memory>
#include <string>
#include <type_traits>

#include "catalog/base/waits.h"
#include "catalog/db/connection.h"

namespace holdfast {

class Catalog {
 public:
  // Opens or creates the file, and brings its schema up to this program's, after a copy was made of one that
  // is older (upkeep.h). EBUSY: another process has it. New ids (catalog/base/id.h) are greater than all in
  // it.
  static Result<std::unique_ptr<Catalog>> open(const std::string& path);
  ~Catalog();

  template <class F>
  auto read(F&& function) -> std::invoke_result_t<F, db::Connection&> {
    HF_TRY(Lease lease, borrow_reader());
    HF_TRY(auto transaction, db::Transaction::begin(*lease.connection, db::Transaction::Kind::read));
    return function(*lease.connection);
  }

  template <class F>
  auto write(F&& function) -> std::invoke_result_t<F, db::Connection&> {
    HF_TRY(Lease lease, borrow_writer());
    const NoWaits no_waits;
    HF_TRY(auto transaction, db::Transaction::begin(*lease.connection, db::Transaction::Kind::write));
    auto result = function(*lease.connection);
    if (result) HF_CHECK(transaction.commit());
    return result;
  }

 private:
  struct State;
  // A connection on loan; goes back when the lease goes.
  struct Lease {
    State* owner = nullptr;
    std::unique_ptr<db::Connection> connection;
    bool writer = false;
    Lease(State* owner, std::unique_ptr<db::Connection> connection, bool writer);
    Lease(Lease&&) noexcept;
    Lease& operator=(Lease&&) = delete;
    ~Lease();
  };

  explicit Catalog(std::unique_ptr<State> state);
  Result<Lease> borrow_reader();
  Result<Lease> borrow_writer();

  std::unique_ptr<State> state_;
};

}  // namespace holdfast
