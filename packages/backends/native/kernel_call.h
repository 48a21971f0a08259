// What kernels are made of: threads, buffers, the call. Part of multigrad.cc, which includes it.

#ifndef MULTIGRAD_KERNEL_CALL_H_
#define MULTIGRAD_KERNEL_CALL_H_

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace multigrad {

using std::ptrdiff_t;
using std::size_t;

// ---------------------------------------------------------------- threads

// Shares out [0, count) in pieces. Whoever is free takes the next one, so that the calling thread never waits for another
// to wake up, only for pieces that are under way.
class Pool {
 public:
  explicit Pool(size_t threads) {
    for (size_t i = 1; i < threads; ++i) workers_.emplace_back([this] { Work(); });
  }

  ~Pool() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    for (auto &worker : workers_) worker.join();
  }

  void Run(size_t count, const std::function<void(size_t, size_t)> &body) {
    const size_t pieces = std::min(count, kPieces * (workers_.size() + 1));
    if (workers_.empty() || pieces <= 1) {
      body(0, count);
      return;
    }
    // One job at a time, also where worker threads of Node call.
    std::lock_guard<std::mutex> alone(running_);
    std::unique_lock<std::mutex> lock(mutex_);
    body_ = &body;
    count_ = count;
    pieces_ = left_ = pieces;
    next_ = 0;
    wake_.notify_all();
    TakePieces(lock);
    done_.wait(lock, [this] { return left_ == 0; });
  }

 private:
  // As many for each thread: one that starts late leaves the others to those that are awake.
  static constexpr size_t kPieces = 4;

  void Work() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return ending_ || next_ < pieces_; });
      if (ending_) return;
      TakePieces(lock);
    }
  }

  void TakePieces(std::unique_lock<std::mutex> &lock) {
    while (next_ < pieces_) {
      const size_t piece = next_++;
      const auto *body = body_;
      const size_t begin = count_ * piece / pieces_, end = count_ * (piece + 1) / pieces_;
      lock.unlock();
      (*body)(begin, end);
      lock.lock();
      if (--left_ == 0) done_.notify_one();
    }
  }

  std::vector<std::thread> workers_;
  std::mutex running_, mutex_;
  std::condition_variable wake_, done_;
  const std::function<void(size_t, size_t)> *body_ = nullptr;
  size_t count_ = 0, pieces_ = 0, next_ = 0, left_ = 0;
  bool ending_ = false;
};

// ---------------------------------------------------------------- what kernels see

// One version of each loop for each width of vectors, chosen when the addon is loaded.
#if defined(__x86_64__)
#define WIDE __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define WIDE
#endif

// Says that numbers of one loop do not meet those of another turn, though an output may be an input's own buffer.
#if defined(__clang__)
#define EACH_ALONE _Pragma("clang loop vectorize(assume_safety)")
#else
#define EACH_ALONE _Pragma("GCC ivdep")
#endif

// A float32 tensor's buffer.
struct View {
  float *values;
  size_t size;
};

// Inputs, the numbers that describe the call, and room for outputs.
struct Call {
  Pool &pool;
  std::vector<View> inputs;
  std::vector<double> numbers;
  std::vector<View> outputs;
  // What is wrong with the inputs, where something is: the outputs do not count then.
  std::string failure;

  size_t Count(size_t index) const { return static_cast<size_t>(numbers[index]); }
};

// How the windows of a pooling or a convolution lie on images.
struct Window {
  size_t batch, height, width, channels, outHeight, outWidth, kernelHeight, kernelWidth;
  size_t strideHeight, strideWidth;
  ptrdiff_t top, left;
};

static Window WindowOf(const Call &call) {
  const auto n = [&](size_t i) { return call.Count(i); };
  return {n(0), n(1), n(2), n(3), n(4), n(5), n(6), n(7), n(8), n(9),
          static_cast<ptrdiff_t>(call.numbers[10]), static_cast<ptrdiff_t>(call.numbers[11])};
}

}  // namespace multigrad

#endif  // MULTIGRAD_KERNEL_CALL_H_
