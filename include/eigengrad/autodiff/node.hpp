// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <utility>

#include <eigengrad/core/fork.hpp>
#include <eigengrad/core/layer.hpp>
#include <eigengrad/core/memory.hpp>
#include <eigengrad/core/tensor.hpp>

// What the graph of autodiff/variable.hpp is made of: nodes, counted references to them, and the place where a backward
// pass writes what it knows of a node.
//
// A node's value and inputs never change while somebody may read them, so any number of threads may compute with it.
// Passes of several threads, and a pass within another's backward function, may be at one node at the same time: the
// first to come has the node's own Visit, the others keep one in a table of theirs. A graph that is freed forgets its
// inputs when the last pass has left.

namespace eigengrad::EIGENGRAD_ISA::autodiff {

template <class T>
class Variable;

namespace detail {

template <class T>
class Node;
template <class T>
struct Visit;
template <class T, class X>
class BackwardPass;

/// A counted reference to a node.
template <class T>
class NodePtr {
 public:
  NodePtr() = default;
  explicit NodePtr(Node<T>* node) noexcept : node_(node) {
    if (node_ != nullptr) node_->references.fetch_add(1, std::memory_order_relaxed);
  }
  NodePtr(const NodePtr& other) noexcept : NodePtr(other.node_) {}
  NodePtr(NodePtr&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  NodePtr& operator=(NodePtr other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~NodePtr() {
    if (node_ != nullptr) let_go(node_);
  }

  Node<T>* get() const { return node_; }
  Node<T>* operator->() const { return node_; }
  Node<T>& operator*() const { return *node_; }

  /// Gives up one reference.
  static void let_go(Node<T>* node) noexcept {
    if (node->references.fetch_sub(1, std::memory_order_acq_rel) == 1) destroy(node);
  }

 private:
  /// Destroying a node lets go of its inputs, which may be the last to hold theirs. They queue up here.
  static void destroy(Node<T>* node) noexcept {
    static thread_local Visit<T>* queue = nullptr;
    static thread_local bool busy = false;
    node->visit.next = std::exchange(queue, &node->visit);
    if (std::exchange(busy, true)) return;
    while (queue != nullptr) delete std::exchange(queue, queue->next)->node;
    busy = false;
  }

  Node<T>* node_ = nullptr;
};

/// What a backward pass knows of a node that it has reached.
template <class T>
struct Visit {
  Node<T>* node;
  Tensor<T> tensor = {};      // the gradient that has come together so far, of a pass on tensors
  Variable<T> variable = {};  // and of one on variables
  Index uses = 0;             // that have not contributed yet
  Visit* next = nullptr;      // of all nodes that are reached; in destruction, of those that nobody holds
  Visit* ready = nullptr;     // of the nodes whose gradient is complete

  template <class X>
  X& gradient() {
    if constexpr (std::same_as<X, Tensor<T>>)
      return tensor;
    else
      return variable;
  }
};

/// Adds to a gradient that is there, or becomes it.
template <class T>
void accumulate(Tensor<T>& sum, Tensor<T> more) {
  if (sum.empty())
    sum = std::move(more);
  else
    sum.mutable_array() += more.array();
}
template <class T>
void accumulate(Variable<T>& sum, Variable<T> more) {
  sum = sum.defined() ? add(sum, more) : std::move(more);
}

/// The lock of a gradient that several threads may add to: one of a few, chosen by its address.
inline std::mutex& gradient_lock(const void* whose) {
  auto& locks = detail::gradient_mutexes;  // which a fork takes
  return locks[reinterpret_cast<std::uintptr_t>(whose) / detail::kAlignment % locks.size()];
}

/// A value in the graph. As it stands a leaf: a constant, or something to differentiate by.
template <class T>
class Node {
 public:
  Node(Tensor<T> of_value, bool differentiate, Parameter<T>* takes_gradient = nullptr)
      : value(std::move(of_value)), parameter(takes_gradient), requires_grad(differentiate) {}
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  virtual ~Node() = default;

  static void* operator new(std::size_t bytes) { return detail::pool_allocate(bytes); }
  static void operator delete(void* memory) { detail::pool_free(memory); }

  virtual bool is_leaf() const { return true; }
  virtual std::span<const NodePtr<T>> inputs() const { return {}; }
  /// Gives the inputs their share of dy, the gradient with respect to this value.
  virtual void backward(Tensor<T>, BackwardPass<T, Tensor<T>>&) {}
  virtual void backward(Variable<T>, BackwardPass<T, Variable<T>>&) {}
  /// Drops what backward needs.
  virtual void forget() {}

  /// Adds a gradient to that of this leaf, or of the parameter that it stands for.
  void collect(Tensor<T> gradient) {
    const std::lock_guard lock(gradient_lock(parameter != nullptr ? static_cast<const void*>(parameter) : this));
    if (parameter != nullptr)
      parameter->add_grad(std::move(gradient));
    else
      accumulate(grad, std::move(gradient));
  }

  /// Lets a pass in. True if no other is here; false too if the node has been freed, which `freed` tells.
  bool enter() { return passes.fetch_add(1, std::memory_order_acq_rel) == 0; }
  bool freed() const { return passes.load(std::memory_order_acquire) >= kFreed; }
  /// Lets a pass out, which may free the node. The last one out of a node that has been freed makes it forget, once.
  void leave(bool free) {
    std::uint32_t state = 1;
    if (free && passes.compare_exchange_strong(state, kFreed | kForgotten, std::memory_order_acq_rel)) return forget();
    if (free) passes.fetch_or(kFreed, std::memory_order_relaxed);
    state = kFreed;
    if (passes.fetch_sub(1, std::memory_order_acq_rel) == kFreed + 1 &&
        passes.compare_exchange_strong(state, kFreed | kForgotten, std::memory_order_acq_rel)) {
      forget();
    }
  }

  const Tensor<T> value;
  Tensor<T> grad;                 // of a leaf, over all passes
  Parameter<T>* const parameter;  // takes the gradient instead, if the leaf stands for one
  const bool requires_grad;
  bool follows_parameter = false;  // has no value but the parameter's, and is in no graph
  std::atomic<std::uint32_t> references{0};

  // Passes of several threads, or one within another, may be here at once. The first has `visit` to itself.
  std::atomic<std::uint32_t> passes{0};
  std::atomic<const void*> first_pass{nullptr};
  Visit<T> visit{this};

 private:
  static constexpr std::uint32_t kFreed = 1U << 30;
  static constexpr std::uint32_t kForgotten = 1U << 31;
};

}  // namespace detail
}  // namespace eigengrad::EIGENGRAD_ISA::autodiff
