// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/core/memory.hpp>
#include <eigengrad/data/standardize.hpp>
#include <eigengrad/io/safetensors.hpp>
#include <eigengrad/nn/batch_norm.hpp>
#include <eigengrad/nn/conv2d.hpp>
#include <eigengrad/nn/flatten.hpp>
#include <eigengrad/nn/layer_norm.hpp>
#include <eigengrad/nn/linear.hpp>
#include <eigengrad/nn/relu.hpp>
#include <eigengrad/nn/residual.hpp>

#include "support/contents.hpp"
#include "support/message_of.hpp"
#include "support/reader_test.hpp"

namespace eigengrad::EIGENGRAD_ISA::io {
namespace {

using eigengrad::testing::contents;
using eigengrad::testing::message_of;

class Safetensors : public testing::ReaderTest {
 protected:
  Safetensors() : ReaderTest("f.safetensors") {}

  /// The header's length, the header, and the data.
  static std::string bytes_of(const std::string& header, const std::string& data) {
    std::string length(8, '\0');
    for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> (8 * i) & 255U);
    return length + header + data;
  }
  /// What is said of a file with that header and so many bytes of data.
  std::string problem_of(const std::string& header, std::size_t data) const {
    return problem_with(bytes_of(header, std::string(data, '\0')), [](const auto& file) { load_state<float>(file); });
  }
};

template <class T>
nn::Sequential<T> network(std::uint64_t seed) {
  manual_seed(seed);
  return nn::Sequential<T>{
      nn::Conv2d<T>{3, 4, {.kernel = 3}},
      nn::BatchNorm2d<T>{4},
      nn::ReLU<T>{},
      nn::Residual<T>{nn::Sequential<T>{nn::Conv2d<T>{4, 4, {.kernel = 3, .padding = 1}}, nn::BatchNorm2d<T>{4}}},
      nn::Flatten<T>{},
      nn::LayerNorm<T>{144},
      nn::Linear<T>{144, 5}};
}
template <class T>
bool same(nn::Sequential<T>& a, nn::Sequential<T>& b) {
  const auto first = nn::state(a);
  const auto second = nn::state(b);
  return std::equal(first.begin(), first.end(), second.begin(), second.end(),
                    [](const auto& x, const auto& y) { return x.first == y.first && equal(x.second, y.second); });
}

TEST_F(Safetensors, WritesWhatTheFormatSays) {
  save_state<float>(path(), {{"w", Tensor<float>({1, 2}, {1.0F, -2.0F})}, {"b", Tensor<float>({}, {0.5F})}},
                    {{"note", "a \"quoted\" text"}});
  const std::string header =
      R"({"__metadata__":{"note":"a \"quoted\" text"},"b":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)"
      R"("w":{"dtype":"F32","shape":[1,2],"data_offsets":[4,12]}})";
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  const std::string data("\x00\x00\x00\x3F\x00\x00\x80\x3F\x00\x00\x00\xC0", 12);
  EXPECT_EQ(contents(path()), bytes_of(padded, data));
  EXPECT_FALSE(std::filesystem::exists(path("f.safetensors.part")));
}

TEST_F(Safetensors, ANetworkComesBack) {
  const auto round_trip = [&]<class T>(T) {
    nn::Sequential<T> net = network<T>(1);
    Rng rng(1);
    net.forward(Tensor<T>::randn({4, 8, 8, 3}, rng));  // the running statistics change
    nn::Sequential<T> other = network<T>(2);
    EXPECT_FALSE(same(net, other));
    save(path(), net, {{"author", "nobody"}});
    const auto parameters = other.parameters();
    EXPECT_TRUE(load(path(), other).empty());
    EXPECT_TRUE(same(net, other));
    EXPECT_EQ(other.parameters(), parameters);
  };
  round_trip(1.0F);
  round_trip(1.0);
  const Metadata metadata = load_metadata(path());
  EXPECT_EQ(metadata.at("author"), "nobody");
  EXPECT_EQ(metadata.at("eigengrad"), "0.1.0");
  EXPECT_EQ(metadata.at("layers").substr(0, 40), "0 Conv2d 3->4 3x3\n1 BatchNorm2d 4\n2 ReLU");
}

TEST_F(Safetensors, FiguresOfTheDataComeBackWithTheNetworkAndAlone) {
  const Tensor<float> x({2, 2}, {3, -0.5F, 7, -1.5F});
  data::Standardize scaling{x};
  save(path(), scaling);
  EXPECT_EQ(load_metadata(path()).at("layers"), "Standardize 2");
  data::Standardize<float> alone{2};
  load(path(), alone);
  EXPECT_TRUE(equal(alone(x), Tensor<float>({2, 2}, {-1, 1, 1, -1})));
  EXPECT_TRUE(equal(alone.inverse(alone(x)), x));

  nn::Sequential net{scaling, nn::Linear<float>{2, 3}};
  save(path(), net);
  EXPECT_EQ(load_metadata(path()).at("layers"), "0 Standardize 2\n1 Linear 2->3");
  nn::Sequential other{data::Standardize<float>{2}, nn::Linear<float>{2, 3}};
  load(path(), other);
  EXPECT_TRUE(same(net, other));
  EXPECT_TRUE(equal(other.forward(x, Mode::inference), net.forward(x, Mode::inference)));
}

TEST_F(Safetensors, ReadsWhatPythonHasWritten) {
  const std::filesystem::path file = std::filesystem::path(EIGENGRAD_GOLDEN_DIR) / "numbers.safetensors";
  EXPECT_EQ(load_metadata(file), (Metadata{{"made by", "Python"}}));
  const nn::State<double> state = load_state<double>(file, {.convert = true});
  EXPECT_EQ(state.size(), 17U);
  const Tensor<double> with_sign({2, 3}, {-2, -1, 0, 1, 2, 3});
  const Tensor<double> without({2, 3}, {0, 1, 2, 3, 4, 200});
  const Tensor<double> floats({2, 3}, {-2.0, -0.5, 0.0, 1.0, 1.5, 192.0});
  EXPECT_TRUE(equal(state.at("BOOL"), Tensor<double>({2, 3}, {0, 1, 0, 1, 0, 0})));
  for (const std::string name : {"I8", "I16", "I32", "I64"}) EXPECT_TRUE(equal(state.at(name), with_sign)) << name;
  for (const std::string name : {"U8", "U16", "U32", "U64"}) EXPECT_TRUE(equal(state.at(name), without)) << name;
  for (const std::string name : {"F16", "BF16", "F32", "F64", "F8_E4M3", "F8_E5M2"})
    EXPECT_TRUE(equal(state.at(name), floats)) << name;
  EXPECT_EQ(state.at("scalar").item(), 7.5);
  EXPECT_EQ(state.at("nothing").shape(), Shape({0, 4}));
  EXPECT_NE(message_of([&] { load_state<double>(file); }).find("is of type U64, expected F64; {.convert = true}"),
            std::string::npos);
  EXPECT_NE(message_of([&] { load_state<Index>(file, {.convert = true}); }).find("is of type F64, expected I64"),
            std::string::npos);
}

TEST_F(Safetensors, LoadingIsAllOrNothing) {
  nn::Sequential<float> net = network<float>(1);
  nn::Sequential<float> before = net;
  nn::Sequential<float> other{nn::Linear{3, 4}, nn::Linear{4, 5}};
  save(path(), other);
  const std::string message = message_of([&] { load(path(), net); });
  EXPECT_NE(message.find("does not fit Sequential: missing: 1.running_mean, 1.running_var, "), std::string::npos)
      << message;
  EXPECT_NE(message.find("; of another shape: 0.weight has shape (4, 3), expected (4, 3, 3, 3)"), std::string::npos)
      << message;
  EXPECT_TRUE(same(net, before));

  const auto differences = load(path(), net, {.strict = false});
  EXPECT_EQ(differences.mismatched.size(), 3U);  // 0.weight, 1.weight, 1.bias
  EXPECT_FALSE(same(net, before));               // but 0.bias fits
  EXPECT_TRUE(equal(net.parameters()[1]->value, other.parameters()[1]->value));

  nn::Sequential<double> wider{nn::Linear<double>{3, 4}, nn::Linear<double>{4, 5}};
  EXPECT_NE(message_of([&] { load(path(), wider); }).find("is of type F32, expected F64"), std::string::npos);
  EXPECT_TRUE(load(path(), wider, {.convert = true}).empty());
  EXPECT_EQ(wider.parameters()[0]->value(2, 1), static_cast<double>(other.parameters()[0]->value(2, 1)));
}

// In the memory that is there: a network that fills it can be loaded.
TEST_F(Safetensors, TakesNoMemoryForASecondNetwork) {
  nn::Sequential<float> net{nn::Linear{1000, 1000}, nn::Linear{1000, 1000}};
  save(path(), net);
  memory::trim();
  const auto before = memory::stats();
  const float* place = net.parameters()[0]->value.data();
  load(path(), net);
  EXPECT_LT(memory::stats().most_used_bytes, before.used_bytes + before.used_bytes / 20);
  EXPECT_EQ(net.parameters()[0]->value.data(), place);
  // A state that shares the memory keeps its numbers.
  const nn::State<float> kept = nn::state(net);
  nn::Sequential<float> other{nn::Linear{1000, 1000}, nn::Linear{1000, 1000}};
  save(path(), other);
  load(path(), net);
  EXPECT_FALSE(equal(kept.at("0.weight"), net.parameters()[0]->value));
}

TEST_F(Safetensors, AFileThatIsCutShortIsRefused) {
  nn::Sequential<float> net{nn::Linear{6, 5}, nn::BatchNorm1d{5}, nn::Linear{5, 2}};
  save(path(), net);
  const std::string whole = contents(path());
  nn::Sequential<float> other{nn::Linear{6, 5}, nn::BatchNorm1d{5}, nn::Linear{5, 2}};
  const nn::State<float> before = nn::state(other);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    write(whole.substr(0, length));
    EXPECT_THROW(load(path(), other), IoError) << length;
    EXPECT_TRUE(equal(nn::state(other).at("0.weight"), before.at("0.weight"))) << length;
  }
  write(whole + "x");
  EXPECT_THROW(load(path(), other), IoError);
}

// Either what the file now says, or an error; the numbers of the network are then as before.
TEST_F(Safetensors, EveryByteMayBeWrong) {
  nn::Sequential<float> net{nn::Linear{3, 2}, nn::BatchNorm1d{2}};
  save(path(), net);
  const std::string whole = contents(path());
  const std::size_t header = 8 + static_cast<unsigned char>(whole[0]) + 256U * static_cast<unsigned char>(whole[1]);
  int refused = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int flip : {1, 0x20, 0x80, 0xFF}) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ flip);
      write(bytes);
      nn::Sequential<float> other{nn::Linear{3, 2}, nn::BatchNorm1d{2}};
      const Tensor<float> before = other.parameters()[0]->value;
      try {
        load(path(), other);
      } catch (const IoError&) {
        ++refused;
        EXPECT_LT(at, header);
        EXPECT_TRUE(equal(other.parameters()[0]->value, before)) << at;
      }
    }
  }
  EXPECT_GT(refused, static_cast<int>(3 * header));
}

TEST_F(Safetensors, HostileHeadersAreRefusedWithAReason) {
  const std::string good = R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  const auto tensor = [](const std::string& name, const std::string& shape, const std::string& offsets) {
    return "\"" + name + R"(":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
  };
  EXPECT_EQ(problem_of("{" + good + "}", 7), "at byte 8: header: the tensors end at 8, but there are 7 bytes of them");
  EXPECT_EQ(problem_of(" {" + good + "}", 8), "at byte 8: header: does not begin with {");
  EXPECT_EQ(problem_of("{" + good + ",}", 8), "at byte 63: header: is not JSON");
  EXPECT_EQ(problem_of("{" + good + "}{", 8), "at byte 63: header: is not JSON");
  EXPECT_EQ(problem_of("{" + good + "," + good + "}", 8), "at byte 8: header: the name a comes twice");
  EXPECT_EQ(problem_of("{" + tensor("a", "[2]", "[0,8]") + "," + tensor("b", "[2]", "[4,12]") + "}", 12),
            "at byte 8: header: tensor b begins at 4, expected 8: the tensors do not follow each other");
  EXPECT_EQ(problem_of("{" + tensor("a", "[2]", "[4,12]") + "}", 12),
            "at byte 8: header: tensor a begins at 4, expected 0: the tensors do not follow each other");
  EXPECT_EQ(problem_of("{" + tensor("a", "[3]", "[0,8]") + "}", 8),
            "at byte 8: header: tensor a: shape (3,) of F32 does not fill 8 bytes");
  EXPECT_EQ(problem_of("{" + tensor("a", "[2]", "[8,0]") + "}", 8),
            "at byte 8: header: tensor a: data_offsets are no begin and end");
  EXPECT_EQ(problem_of("{" + tensor("a", "[2]", "[0]") + "}", 8),
            "at byte 8: header: tensor a: data_offsets are no begin and end");
  EXPECT_EQ(problem_of("{" + tensor("a", "[2]", "[0,8,9]") + "}", 8),
            "at byte 8: header: tensor a: data_offsets has more than 2 numbers");
  EXPECT_EQ(problem_of("{" + tensor("a", "[1,1,1,1,1,1,2]", "[0,8]") + "}", 8),
            "at byte 8: header: tensor a: shape has more than 6 numbers");
  EXPECT_EQ(problem_of("{" + tensor("a", "[-2]", "[0,8]") + "}", 8),
            "at byte 8: header: tensor a: a number below 0 is not expected here");
  EXPECT_EQ(problem_of("{" + tensor("a", "[2.5]", "[0,8]") + "}", 8),
            "at byte 8: header: tensor a: a number that is not whole is not expected here");
  EXPECT_EQ(problem_of("{" + tensor("a", "[18446744073709551615]", "[0,8]") + "}", 8),
            "at byte 8: header: tensor a: a size is too large");
  EXPECT_EQ(problem_of("{" + tensor("a", "[4294967296,4294967296,4294967296]", "[0,8]") + "}", 8).substr(0, 28),
            "at byte 8: header: tensor a:");
  EXPECT_EQ(problem_of("{" + tensor("a", "[[2]]", "[0,8]") + "}", 8),
            "at byte 8: header: tensor a: a list is not expected here");
  EXPECT_EQ(problem_of("{" + tensor("a", "{}", "[0,8]") + "}", 8),
            "at byte 8: header: tensor a: an object is not expected here");
  EXPECT_EQ(problem_of("{" + tensor("a", "2", "[0,8]") + "}", 8),
            "at byte 8: header: tensor a: a number is not expected here");
  EXPECT_EQ(problem_of(R"({"a":{"dtype":"F4","shape":[2],"data_offsets":[0,8]}})", 8),
            "at byte 8: header: tensor a: the number type F4 is not known");
  EXPECT_EQ(problem_of(R"({"a":{"dtype":"F32","shape":[2]}})", 8),
            "at byte 8: header: tensor a: dtype, shape or data_offsets is missing");
  EXPECT_EQ(problem_of(R"({"a":{"dtype":"F32","shape":[2],"shape":[2]}})", 8),
            "at byte 8: header: tensor a: shape comes twice");
  EXPECT_EQ(problem_of(R"({"a":{"dtype":"F32","sizes":[2]}})", 8),
            "at byte 8: header: tensor a: sizes is not expected in a tensor");
  EXPECT_EQ(problem_of(R"({"a":null})", 0), "at byte 8: header: tensor a: null is not expected here");
  EXPECT_EQ(problem_of(R"({"a":3})", 0), "at byte 8: header: tensor a: a number is not expected here");
  EXPECT_EQ(problem_of(R"({"__metadata__":{"a":1}})", 0),
            "at byte 8: header: tensor __metadata__: a number is not expected here");
  EXPECT_EQ(problem_of(R"({"__metadata__":{"a":"1","a":"2"}})", 0),
            "at byte 8: header: the name a of the metadata comes twice");
  EXPECT_EQ(problem_of(R"({"__metadata__":[]})", 0).substr(0, 18), "at byte 8: header:");
  EXPECT_EQ(problem_of("{\"a\xFF\":{}}", 0), "at byte 12: header: is not JSON");
  std::string deep = "{\"a\":{\"shape\":";
  deep += std::string(1000000, '[');
  EXPECT_EQ(problem_of(deep, 0), "at byte 8: header: tensor a: a list is not expected here");
}

TEST_F(Safetensors, AHeaderThatCannotBeIsRefusedBeforeItIsRead) {
  const auto message = [&] { return message_of([&] { load_state<float>(path()); }); };
  write("");
  EXPECT_EQ(message(), path().string() + ": at byte 0: is no safetensors file: has 0 bytes");
  write(std::string("\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F{}", 10));
  EXPECT_EQ(message(), path().string() +
                           ": at byte 0: is no safetensors file: a header of 9223372036854775807 bytes, "
                           "expected at most 2");
  {
    std::ofstream file(path(), std::ios::binary);
    file << std::string("\x01\xE1\xF5\x05\0\0\0\0{", 9);  // 100,000,001
  }
  std::filesystem::resize_file(path(), 200'000'000);
  EXPECT_NE(message().find("a header of 100000001 bytes, expected at most 100000000"), std::string::npos) << message();
}

TEST_F(Safetensors, WhatIsNoFileIsRefusedAtOnce) {
  nn::Sequential<float> net{nn::Linear{2, 2}};
  EXPECT_EQ(message_of([&] { load(path("none"), net); }),
            path("none").string() + ": cannot be read: No such file or directory");
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  std::filesystem::create_directory(path("folder"));
  for (const std::string name : {"fifo", "folder"}) {
    EXPECT_THROW(load(path(name), net), IoError);
    EXPECT_THROW(save(path(name), net), IoError);
  }
  EXPECT_THROW(save(path("none/f"), net), IoError);
}

// A limit on the size of files stands for a full disk.
TEST_F(Safetensors, AFullDiskLeavesTheOldFile) {
  nn::Sequential<float> net{nn::Linear{100, 100}};
  save_state<float>(path(), {{"old", Tensor<float>::ones({1})}});
  const std::string old = contents(path());
  const ::pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const ::rlimit limit{2000, 2000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      save(path(), net);
    } catch (const IoError&) {
      std::_Exit(7);
    }
    std::_Exit(1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_EQ(contents(path()), old);
  EXPECT_FALSE(std::filesystem::exists(path("f.safetensors.part")));
}

TEST_F(Safetensors, NamesAndMetadataAreUtf8) {
  EXPECT_THROW(save_state<float>(path(), {{"\xFF", Tensor<float>::ones({1})}}), ValueError);
  EXPECT_THROW(save_state<float>(path(), {}, {{"a", "\xC3"}}), ValueError);
  EXPECT_FALSE(std::filesystem::exists(path()));
  save_state<float>(path(), {{"größe", Tensor<float>::ones({1})}}, {{"名", "値"}});
  EXPECT_TRUE(load_state<float>(path()).contains("größe"));
  EXPECT_EQ(load_metadata(path()).at("名"), "値");
}

}  // namespace
}  // namespace eigengrad::EIGENGRAD_ISA::io
