// Exceptions through destructors, between threads and out of them; the library's containers, sorting and text.
#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <deque>
#include <exception>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

struct Trace {
  std::string name;
  std::vector<std::string> &log;
  Trace(std::string n, std::vector<std::string> &l) : name(std::move(n)), log(l) { log.push_back("+" + name); }
  ~Trace() { log.push_back("-" + name); }
};

struct Wrong : std::runtime_error {
  int depth;
  Wrong(int d) : std::runtime_error("depth " + std::to_string(d)), depth(d) {}
};

static int dive(int depth, std::vector<std::string> &log) {
  Trace trace("d" + std::to_string(depth), log);
  if (depth == 5) throw Wrong(depth);
  try {
    return dive(depth + 1, log) + 1;
  } catch (const std::logic_error &) {
    return -1;  // never: the exception is of another family
  }
}

static void exceptions() {
  std::vector<std::string> log;
  try {
    dive(0, log);
  } catch (const Wrong &e) {
    std::printf("caught %s\n", e.what());
  }
  for (auto &line : log) std::printf("%s ", line.c_str());
  std::puts("");
  try {
    try {
      throw 42;
    } catch (int n) {
      std::throw_with_nested(std::out_of_range("was " + std::to_string(n)));
    }
  } catch (const std::exception &e) {
    std::printf("%s\n", e.what());
    try {
      std::rethrow_if_nested(e);
    } catch (int n) {
      std::printf("inside: %d\n", n);
    }
  }
  try {
    std::vector<int>(3).at(7);
  } catch (const std::out_of_range &) {
    std::puts("out of range");
  }
}

template <class T>
class Queue {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<T> items;
  bool closed = false;

 public:
  void put(T item) {
    {
      std::lock_guard lock(mutex);
      items.push_back(std::move(item));
    }
    changed.notify_one();
  }
  void close() {
    {
      std::lock_guard lock(mutex);
      closed = true;
    }
    changed.notify_all();
  }
  bool take(T &out) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return closed || !items.empty(); });
    if (items.empty()) return false;
    out = std::move(items.front());
    items.pop_front();
    return true;
  }
};

static void threads() {
  Queue<int> queue;
  std::mutex mutex;
  std::map<int, long> results;
  std::vector<std::thread> workers;
  for (int i = 0; i < 4; i++)
    workers.emplace_back([&] {
      for (int n; queue.take(n);) {
        long sum = 0;
        for (long k = 1; k <= 20000 + n; k++) sum += k * k % (n + 3);
        std::lock_guard lock(mutex);
        results[n] = sum;
      }
    });
  for (int n = 0; n < 64; n++) queue.put(n);
  queue.close();
  for (auto &worker : workers) worker.join();
  std::printf("%zu results, sum %ld\n", results.size(),
              std::accumulate(results.begin(), results.end(), 0L, [](long a, auto &r) { return a + r.second; }));
  auto failing = std::async(std::launch::async, [](int n) -> int { throw Wrong(n); }, 9);
  try {
    failing.get();
  } catch (const Wrong &e) {
    std::printf("from a thread: %s\n", e.what());
  }
  thread_local int mine = 1;
  std::thread([] { mine = 2; }).join();
  std::printf("thread-local %d\n", mine);
}

int main(int argc, char **argv) {
  exceptions();
  threads();
  std::vector<double> values(1000);
  for (size_t i = 0; i < values.size(); i++) values[i] = (i * 7919 % 1000) / 8.0;
  std::sort(values.begin(), values.end(), [](double a, double b) { return a > b; });
  std::ostringstream out;
  out.precision(3);
  out << std::fixed << values.front() << ' ' << values[500] << ' ' << std::hex << 48879 << ' ' << argc - 1;
  for (int i = 1; i < argc; i++) out << ' ' << argv[i];
  std::printf("%s\n", out.str().c_str());
  return argc > 1 ? std::stoi(argv[1]) : 0;
}
