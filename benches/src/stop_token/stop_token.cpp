// C++'s std::stop_token, an operation at a time, for benches/src/stop_token/foreign.rs.

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

namespace {

std::uint64_t calls = 0;

// Captures nothing; its like in Rust is `called`.
struct Count {
    void operator()() const noexcept {
        __atomic_store_n(&calls, __atomic_load_n(&calls, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
    }
};

template <std::size_t words>
struct Owning {
    std::uint64_t owned[words];
    void operator()() const noexcept { asm volatile("" ::"r"(this) : "memory"); }
};

template <class T>
void black_box(const T& value) {
    asm volatile("" ::"r"(&value) : "memory");
}

template <class Callback>
void register_on_heap(const std::stop_token& token, std::uint64_t times, Callback callback) {
    for (; times != 0; times--) {
        black_box(callback);
        black_box(*std::make_unique<std::stop_callback<Callback>>(token, callback));
    }
}

// A source that is cancelled with its parent.
struct Child {
    struct Cancel {
        std::stop_source source;
        void operator()() noexcept { source.request_stop(); }
    };
    std::stop_source source;
    std::stop_callback<Cancel> link;
    explicit Child(const std::stop_token& parent) : link(parent, Cancel{source}) {}
};

// A source and what hangs on it.
struct Crowd {
    std::stop_source source;
    std::vector<std::unique_ptr<std::stop_callback<Count>>> callbacks;
    std::vector<std::unique_ptr<Child>> children;
};

}  // namespace

extern "C" {

// libstdc++ spares the atomics of a process that never had a second thread.
void std_start_a_thread() { std::thread([] {}).join(); }

Crowd* std_new(std::uint64_t callbacks, std::uint64_t children) {
    auto crowd = std::make_unique<Crowd>();
    for (; callbacks != 0; callbacks--)
        crowd->callbacks.push_back(std::make_unique<std::stop_callback<Count>>(crowd->source.get_token(), Count{}));
    for (; children != 0; children--)
        crowd->children.push_back(std::make_unique<Child>(crowd->source.get_token()));
    return crowd.release();
}

// A chain: each source is the parent of the next.
Crowd* std_chain(std::uint64_t levels) {
    auto crowd = std::make_unique<Crowd>();
    auto token = crowd->source.get_token();
    for (; levels > 1; levels--) {
        crowd->children.push_back(std::make_unique<Child>(token));
        token = crowd->children.back()->source.get_token();
    }
    return crowd.release();
}

void std_drop(Crowd* crowd) { delete crowd; }

void std_cancel(Crowd* crowd) { crowd->source.request_stop(); }

void std_drop_children(Crowd* crowd) { crowd->children.clear(); }

void std_poll(const Crowd* crowd, std::uint64_t times) {
    auto token = crowd->source.get_token();
    for (; times != 0; times--)
        if (token.stop_requested()) std::abort();
}

void std_register_on_stack(const Crowd* crowd, std::uint64_t times) {
    auto token = crowd->source.get_token();
    for (; times != 0; times--) {
        std::stop_callback<Count> callback(token, Count{});
        black_box(callback);
    }
}

// With a closure of so many words.
void std_register_on_heap(const Crowd* crowd, std::uint64_t words, std::uint64_t times) {
    auto token = crowd->source.get_token();
    switch (words) {
        case 0: return register_on_heap(token, times, Count{});
        case 2: return register_on_heap(token, times, Owning<2>{});
        default: return register_on_heap(token, times, Owning<8>{});
    }
}

void std_new_and_drop(std::uint64_t times) {
    for (; times != 0; times--) {
        std::stop_source source;
        black_box(source);
    }
}

void std_clone_and_drop(const Crowd* crowd, std::uint64_t times) {
    auto token = crowd->source.get_token();
    for (; times != 0; times--) {
        auto clone = token;
        black_box(clone);
    }
}

// On the heap, as one would have it whose place in memory must not change.
void std_child(const Crowd* crowd, std::uint64_t times) {
    auto token = crowd->source.get_token();
    for (; times != 0; times--) black_box(*std::make_unique<Child>(token));
}
}
