// Who reads images: a few of the threads that serve the tree, which are spared handing the request over, and
// beyond these threads of its own; so that a slow repository never keeps `ls` or a command waiting
// (contract, "Images"; law 20).
//
// Threads: the image readers, owned here.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <semaphore>
#include <thread>
#include <vector>

namespace holdfast::mount {

class Readers {
 public:
  // `borrowed`: so many of the threads that call do what they ask for themselves.
  Readers(unsigned threads, unsigned borrowed);
  ~Readers();  // after all that was posted is done

  using Task = std::function<void()>;
  void post(Task task);
  // In the calling thread, if it may be borrowed; else as post() has it.
  void perform(Task task);

 private:
  void work();

  std::counting_semaphore<> borrowable_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable posted_;
  std::deque<Task> tasks_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace holdfast::mount
