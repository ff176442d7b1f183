// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include <eigengrad/autodiff/node.hpp>
#include <eigengrad/core/layer.hpp>
#include <eigengrad/core/memory.hpp>
#include <eigengrad/core/tensor.hpp>

// Variable: a tensor that remembers how it was computed, so that derivatives follow by themselves.
//
//   autodiff::Variable<double> x({2}, {3.0, 4.0});          // requires_grad: something to differentiate by
//   auto y = sum(x * x) + 1.0;                              // 26, and a graph of three operations
//   y.backward();
//   x.grad();                                               // [6, 8]
//
// Reverse mode in one page. A program computes a number L in many small steps. Each step is one operation
// y = f(a, b) of which two things are known: its value, and how a small change of y would have come from its
// inputs: if dy stands for dL/dy, then by the chain rule
//     dL/da += (dy/da)^T dy        dL/db += (dy/db)^T dy
// No matrix dy/da is ever built; each operation has a function that turns dy into these products: the same that
// layers call (ops/). "+=" because a may be used more than once, and every use contributes.
//
// Going forward, an operation makes a Node: its value, its inputs, its backward function. Going backward, dL/dL
// = 1 is put on the last node, and then every node, once all that used it have contributed, hands its inputs
// their share. That order needs a count of the uses, and nothing else: BackwardPass below is the algorithm. What it
// walks over stands in autodiff/node.hpp.
//
// Gradients of gradients: a backward function is written for "an array X". With X = Tensor it computes; with
// X = Variable it records, and what comes out can be differentiated again (grad(...) with create_graph).
//
// Nothing here recurses, forward, backward or in destruction: a chain of a million operations is fine. Nodes and
// values live in the pool of the tensors.
//
// Threads: graphs may share leaves, or any part, and be built and differentiated by several threads at the same time;
// gradients that meet in a leaf add up, in no particular order. Whoever reads grad() waits for those that add to it.

namespace eigengrad::EIGENGRAD_ISA::autodiff {

/// While it lives, operations of this thread record nothing: their results are constants.
class NoGradGuard {
 public:
  NoGradGuard() : outer_(std::exchange(active_, true)) {}
  NoGradGuard(const NoGradGuard&) = delete;
  NoGradGuard& operator=(const NoGradGuard&) = delete;
  ~NoGradGuard() { active_ = outer_; }

  static bool active() { return active_; }

 private:
  static inline thread_local bool active_ = false;
  bool outer_;
};

struct BackwardOptions {
  bool retain_graph = false;  ///< keep what the graph remembers, for another backward
};

namespace detail {

/// One walk from a node back to all it was computed from.
template <class T, class X>
class BackwardPass {
 public:
  /// Counts the uses of every node that is reached.
  /// Errors   StateError, and nothing has changed, if a part of the graph has been freed
  explicit BackwardPass(const NodePtr<T>& root) : BackwardPass() {
    first_ = last_ = reach(*root);
    for (Visit<T>* visit = first_; visit != nullptr; visit = visit->next) {
      for (const NodePtr<T>& input : visit->node->inputs()) {
        if (!input->requires_grad) continue;
        Visit<T>* from = find(*input);
        if (from == nullptr) from = last_ = last_->next = reach(*input);
        ++from->uses;
      }
    }
  }
  BackwardPass(const BackwardPass&) = delete;
  BackwardPass& operator=(const BackwardPass&) = delete;
  ~BackwardPass() {
    while (first_ != nullptr) {
      Node<T>* node = first_->node;
      first_->uses = 0;
      first_->template gradient<X>() = X();
      first_->ready = nullptr;
      first_ = std::exchange(first_->next, nullptr);
      if (node->first_pass.load(std::memory_order_relaxed) == this) {
        node->first_pass.store(nullptr, std::memory_order_relaxed);
      }
      node->leave(frees_ && !node->is_leaf());
      NodePtr<T>::let_go(node);
    }
  }

  /// Sends the gradient `seed` of the first node through the graph. complete(node, gradient) is called for every
  /// node as soon as nobody can contribute to it any more.
  template <class F>
  void run(X seed, const F& complete) {
    first_->template gradient<X>() = std::move(seed);
    for (Visit<T>* queue = first_; queue != nullptr;) {
      Visit<T>* visit = std::exchange(queue, queue->ready);
      X gradient = std::move(visit->template gradient<X>());
      complete(visit->node, gradient);
      if (visit->node->is_leaf()) continue;
      visit->node->backward(std::move(gradient), *this);
      for (const NodePtr<T>& input : visit->node->inputs()) {
        if (!input->requires_grad) continue;
        Visit<T>* from = find(*input);
        if (--from->uses > 0) continue;
        from->ready = std::exchange(queue, from);
      }
    }
  }

  /// Adds to the gradient of an input of the node that is at work.
  void give(Node<T>& input, X share) { accumulate(find(input)->template gradient<X>(), std::move(share)); }

  /// At the end of the pass every operation forgets what its backward needs, unless another pass still needs it.
  void free() { frees_ = true; }

 private:
  using Others = std::unordered_map<const Node<T>*, Visit<T>, std::hash<const Node<T>*>, std::equal_to<>,
                                    detail::PoolAllocator<std::pair<const Node<T>* const, Visit<T>>>>;

  BackwardPass() = default;

  /// What this pass knows of a node; nullptr if it has not reached it.
  Visit<T>* find(Node<T>& node) {
    if (node.first_pass.load(std::memory_order_relaxed) == this) return &node.visit;
    if (others_.empty()) return nullptr;
    const auto found = others_.find(&node);
    return found == others_.end() ? nullptr : &found->second;
  }

  Visit<T>* reach(Node<T>& node) {
    const bool alone = node.enter();
    if (node.freed()) {
      node.leave(false);
      throw StateError(
          "backward: this graph has been freed by a backward before; the first one needs {.retain_graph = true}");
    }
    Visit<T>* visit = &node.visit;
    if (alone)
      node.first_pass.store(this, std::memory_order_relaxed);
    else
      visit = visit_of_my_own(node);
    node.references.fetch_add(1, std::memory_order_relaxed);
    return visit;
  }

  /// A place in the table, at a node where another pass was first. If there is no memory for it, this one was never
  /// there.
  Visit<T>* visit_of_my_own(Node<T>& node) {
    try {
      return &others_.try_emplace(&node, Visit<T>{&node}).first->second;
    } catch (...) {
      node.leave(false);
      throw;
    }
  }

  Visit<T>* first_ = nullptr;
  Visit<T>* last_ = nullptr;
  bool frees_ = false;
  Others others_;  // of nodes at which another pass was first
};

}  // namespace detail

/// A tensor in a graph of operations. Copies stand for the same value.
/// Errors   StateError in every use but assignment, if it stands for no value
template <class T>
class Variable {
 public:
  using Scalar = T;

  /// Stands for no value, as a variable does that has been moved from.
  Variable() = default;
  // NOLINTBEGIN(google-explicit-constructor): constants mix with variables
  Variable(Tensor<T> constant) : node_(new detail::Node<T>(std::move(constant), false)) {}
  template <class N>
  requires std::is_arithmetic_v<N> Variable(N constant) : Variable(Tensor<T>({}, {static_cast<T>(constant)})) {}
  // NOLINTEND(google-explicit-constructor)
  /// Something to differentiate by: backward adds to its grad().
  Variable(const Shape& shape, std::initializer_list<T> values) : Variable(leaf(Tensor<T>(shape, values))) {}
  static Variable leaf(Tensor<T> value) { return of(new detail::Node<T>(std::move(value), true)); }
  /// Stands for a parameter, as a leaf of PyTorch does, and so may be made once, before the loop of training: every
  /// operation reads the value that the parameter has at that moment, and keeps it for its backward; backward adds to
  /// the parameter's gradient. The parameter must live as long as the variable and the graphs it is in.
  /// A frozen parameter is a constant.
  explicit Variable(Parameter<T>& parameter) : node_(new detail::Node<T>(Tensor<T>(), true, &parameter)) {
    node_->follows_parameter = true;
  }
  /// The variable of a node that an operation has made.
  static Variable of(detail::Node<T>* node) {
    Variable result;
    result.node_ = detail::NodePtr<T>(node);
    return result;
  }

  /// True if it stands for a value.
  bool defined() const { return node_.get() != nullptr; }
  const Tensor<T>& value() const { return node().follows_parameter ? node().parameter->value : node().value; }
  const Shape& shape() const { return value().shape(); }
  T item() const { return value().item(); }
  bool requires_grad() const {
    return node().follows_parameter ? node().parameter->requires_grad : node().requires_grad;
  }

  /// The sum of the gradients that backward has brought to this leaf; empty if there was none.
  const Tensor<T>& grad() const { return node().parameter != nullptr ? node().parameter->grad : node().grad; }
  void zero_grad() { (node().parameter != nullptr ? node().parameter->grad : node().grad) = Tensor<T>(); }

  /// The same value as a constant.
  Variable detach() const { return Variable(value()); }

  /// Adds the gradients of this number to the grad() of all leaves it was computed from, and frees the graph.
  /// Errors   ShapeError for more than one element; StateError for a constant or a graph that has been freed
  void backward(const BackwardOptions& options = {}) const {
    if (value().numel() != 1) {
      throw ShapeError(error_text("backward: of a variable of shape ", shape(),
                                  ", expected one element; give the gradient by it: backward(dy)"));
    }
    backward(Tensor<T>::ones(shape()), options);
  }
  /// The same from dy, the gradient with respect to this value.
  /// Shapes   dy as the value
  void backward(Tensor<T> dy, const BackwardOptions& options = {}) const {
    if (!requires_grad()) {
      throw StateError("backward: of a constant; nothing it was computed from requires a gradient");
    }
    detail::check::same_shape("backward", "gradient", dy.shape(), shape());
    detail::BackwardPass<T, Tensor<T>> pass(in_graph());
    pass.run(std::move(dy), [](detail::Node<T>* node, Tensor<T>& gradient) {
      if (node->is_leaf()) node->collect(std::move(gradient));
    });
    if (!options.retain_graph) pass.free();
  }

  detail::Node<T>& node() const {
    if (!defined()) throw StateError("Variable: it stands for no value: made without one, or moved from");
    return *node_;
  }
  /// What an operation keeps of this variable: its node or, of a parameter, a leaf with the value of the moment.
  detail::NodePtr<T> in_graph() const {
    if (!node().follows_parameter) return node_;
    return detail::NodePtr<T>(new detail::Node<T>(value(), requires_grad(), node_->parameter));
  }

  // Found by their arguments, so that constants on either side become variables. The functions are in functions.hpp.
  friend Variable operator-(const Variable& x) { return neg(x); }
  friend Variable operator+(const Variable& a, const Variable& b) { return add(a, b); }
  friend Variable operator-(const Variable& a, const Variable& b) { return sub(a, b); }
  friend Variable operator*(const Variable& a, const Variable& b) { return mul(a, b); }
  friend Variable operator/(const Variable& a, const Variable& b) { return div(a, b); }

 private:
  detail::NodePtr<T> node_;
};

namespace detail {

template <class X, class T>
decltype(auto) as(const NodePtr<T>& node) {
  if constexpr (std::same_as<X, Tensor<T>>)
    return (node->value);
  else
    return Variable<T>::of(node.get());
}

/// Takes the shares of the inputs, and does not ask for those that nobody wants.
template <class X, class T>
class Shares {
 public:
  Shares(std::span<const NodePtr<T>> inputs, BackwardPass<T, X>& pass) : inputs_(inputs), pass_(pass) {}

  template <class F>
  void operator()(std::size_t i, const F& share) const {
    if (wanted(i)) pass_.give(*inputs_[i], X(share()));
  }
  bool wanted(std::size_t i) const { return inputs_[i]->requires_grad; }

 private:
  std::span<const NodePtr<T>> inputs_;
  BackwardPass<T, X>& pass_;
};

/// The result of an operation on N inputs. f(dy, y, inputs..., give) calls give(i, share) for each input i, where
/// share() computes its gradient; dy, y and the inputs are all Tensors or all Variables.
template <class T, class F, std::size_t N>
class Operation final : public Node<T> {
 public:
  Operation(Tensor<T> result, F f, std::array<NodePtr<T>, N> arguments)
      : Node<T>(std::move(result), true), f_(std::move(f)), inputs_(std::move(arguments)) {}

  bool is_leaf() const override { return false; }
  std::span<const NodePtr<T>> inputs() const override { return inputs_; }
  void backward(Tensor<T> dy, BackwardPass<T, Tensor<T>>& pass) override { call(std::move(dy), this->value, pass); }
  void backward(Variable<T> dy, BackwardPass<T, Variable<T>>& pass) override {
    call(std::move(dy), Variable<T>::of(this), pass);
  }
  void forget() override { inputs_ = {}; }

 private:
  template <class X>
  void call(X dy, const X& y, BackwardPass<T, X>& pass) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      f_(std::move(dy), y, as<X>(inputs_[I])..., Shares<X, T>(inputs_, pass));
    }
    (std::make_index_sequence<N>{});
  }

  F f_;
  std::array<NodePtr<T>, N> inputs_;
};

}  // namespace detail

/// The result of an operation: a node with a backward function, or a constant if no input requires a gradient.
/// f(dy, y, inputs..., give) as detail::Operation says; several threads may call it at once.
template <class T, class F, class... Inputs>
Variable<T> record(Tensor<T> value, F f, const Inputs&... inputs) {
  if (NoGradGuard::active() || !(inputs.requires_grad() || ...)) return Variable<T>(std::move(value));
  using Result = detail::Operation<T, F, sizeof...(Inputs)>;
  return Variable<T>::of(new Result(std::move(value), std::move(f), {inputs.in_graph()...}));
}

}  // namespace eigengrad::EIGENGRAD_ISA::autodiff
