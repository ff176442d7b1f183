// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/data/dataset.hpp>
#include <eigengrad/data/table.hpp>

#include "support/message_of.hpp"

namespace eigengrad::EIGENGRAD_ISA::data {
namespace table_test {
namespace {

using testing::message_of;

Table<float> houses() {
  return {Tensor<float>({2, 3}, {1, 2, 3, 4, 5, 6}),
          {"area", "rooms", "price"},
          {{"town", {Tensor<Index>({2}, {1, 0}), {"Bern", "Ulm"}}}}};
}

TEST(Table, GivesColumnsByName) {
  const auto table = houses();
  EXPECT_EQ(table.rows(), 2);
  EXPECT_EQ(table.names(), (std::vector<std::string>{"area", "rooms", "price"}));
  EXPECT_TRUE(table.columns().shares_memory(table.columns()));
  EXPECT_TRUE(equal(table.columns({"price", "area"}), Tensor<float>({2, 2}, {3, 1, 6, 4})));
  EXPECT_TRUE(equal(table.columns({"price"}), Tensor<float>({2, 1}, {3, 6})));
  EXPECT_TRUE(equal(table.columns_except({"rooms"}), Tensor<float>({2, 2}, {1, 3, 4, 6})));
  EXPECT_EQ(table.columns_except({"area", "price", "rooms"}).shape(), (Shape{2, 0}));
}

TEST(Table, IsADataSetInTwoWords) {
  const auto table = houses();
  const TensorDataset regression{table.columns_except({"price"}), table.columns({"price"})};
  EXPECT_EQ(regression.size(), 2);
  const auto [labels, names] = table.labels("town");
  const TensorDataset classification{table.columns(), labels};
  EXPECT_EQ(classification.targets()(0), 1);
  EXPECT_EQ(names[1], "Ulm");
}

TEST(Table, NumbersClassesByTheNamesGiven) {
  const auto table = houses();
  EXPECT_TRUE(equal(table.labels("town", {"Ulm", "Genf", "Bern"}), Tensor<Index>({2}, {0, 2})));
  EXPECT_TRUE(equal(table.labels("town").labels, Tensor<Index>({2}, {1, 0})));
  EXPECT_EQ(message_of([&] {
              table.labels("town", {"Bern", "Ulm?"});
            }),
            "Table: labels \"town\" have a class that is not given: what is given has no class \"Ulm\"; "
            "the nearest is \"Ulm?\"; it has \"Bern\", \"Ulm?\"");
}

TEST(Table, ListsTheNamesThatThereAre) {
  const auto table = houses();
  EXPECT_EQ(message_of([&] {
              table.columns({"area", "pirce"});
            }),
            "Table: has no column \"pirce\"; the nearest is \"price\"; it has \"area\", \"rooms\", \"price\"");
  EXPECT_EQ(message_of([&] { table.columns({"Area"}); }),
            "Table: has no column \"Area\"; the nearest is \"area\"; it has \"area\", \"rooms\", \"price\"");
  EXPECT_EQ(message_of([&] { table.columns_except({"id"}); }),
            "Table: has no column \"id\"; it has \"area\", \"rooms\", \"price\"");
  EXPECT_EQ(message_of([&] { table.labels("area"); }), "Table: has no labels \"area\"; it has \"town\"");
  const Table<float> none{Tensor<float>(Shape{0, 0}), {}};
  EXPECT_EQ(message_of([&] { none.columns({"a"}); }), "Table: has no column \"a\"; it has none");
}

TEST(Table, DoesNotListThousandsOfNames) {
  std::vector<std::string> names;
  for (int i = 0; i < 1000; ++i) names.push_back("column" + std::to_string(i));
  const Table<float> wide{Tensor<float>(Shape{1, 1000}), names};
  const std::string message = message_of([&] { wide.columns({"column12345"}); });
  EXPECT_NE(message.find("the nearest is \"column123\"; it has \"column0\", "), std::string::npos) << message;
  EXPECT_NE(message.find("\"column19\", ... (1000)"), std::string::npos) << message;
  EXPECT_LT(message.size(), 400U);
}

TEST(Table, ShortensTextsInMessages) {
  EXPECT_EQ(detail::in_quotes("a\nb\x7F"), "\"a?b?\"");
  EXPECT_EQ(detail::in_quotes(std::string(40, 'x')), '"' + std::string(40, 'x') + '"');
  EXPECT_EQ(detail::in_quotes(std::string(41, 'x')), '"' + std::string(40, 'x') + "...\"");
  EXPECT_EQ(detail::in_quotes(std::string(39, 'x') + "\xC3\xBC" + "y"), '"' + std::string(39, 'x') + "...\"");
  EXPECT_EQ(detail::in_quotes("\xC3\xBC"), "\"\xC3\xBC\"");
}

TEST(Table, RefusesPartsThatDoNotFit) {
  EXPECT_EQ(message_of([] {
              Table<float>{Tensor<float>(Shape{2, 3}), {"a", "b"}};
            }),
            "Table: numbers have shape (2, 3), expected (rows, 2), a column for each name");
  EXPECT_EQ(message_of([] {
              Table<float>{Tensor<float>(Shape{2, 1}), {"a"}, {{"town", {Tensor<Index>(Shape{3}), {}}}}};
            }),
            "Table: labels \"town\" have shape (3,), expected (2,)");
}

}  // namespace
}  // namespace table_test
}  // namespace eigengrad::EIGENGRAD_ISA::data
