// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <eigengrad/core/random.hpp>
#include <eigengrad/data/csv.hpp>

#include "support/reader_test.hpp"

namespace eigengrad::EIGENGRAD_ISA::data {
namespace csv_test {
namespace {

using namespace std::string_literals;
using testing::message_of;

class Csv : public testing::ReaderTest {
 protected:
  Csv() : ReaderTest("t.csv") {}

  template <class T = float>
  Table<T> table_of(const std::string& bytes, const CsvOptions& options = {}) const {
    write(bytes);
    return read_csv<T>(path(), options);
  }
  std::string problem_of(const std::string& bytes, const CsvOptions& options = {}) const {
    return problem_with(bytes, [&](const auto& file) { read_csv(file, options); });
  }
};

using Names = std::vector<std::string>;

TEST_F(Csv, ReadsColumnsOfNumbers) {
  const auto table = table_of("area,rooms\n70.5,3\n-2,4e2\n");
  EXPECT_EQ(table.names(), (Names{"area", "rooms"}));
  EXPECT_TRUE(equal(table.columns(), Tensor<float>({2, 2}, {70.5F, 3, -2, 400})));
}

TEST_F(Csv, ReadsTheColumnsThatAreChosenInTheirOrder) {
  const auto table = table_of("id,area,town,price\nx1,70,,1\n,80,Ulm,2\n", {.columns = {"price", "area"}});
  EXPECT_EQ(table.names(), (Names{"price", "area"}));
  EXPECT_TRUE(equal(table.columns(), Tensor<float>({2, 2}, {1, 70, 2, 80})));
}

TEST_F(Csv, ReadsClassesAndTheirNames) {
  const auto table = table_of("a,species,b\n1,virginica,2\n3,setosa,4\n5,virginica,6\n", {.labels = {"species"}});
  EXPECT_TRUE(equal(table.columns(), Tensor<float>({3, 2}, {1, 2, 3, 4, 5, 6})));
  const auto [labels, names] = table.labels("species");
  EXPECT_TRUE(equal(labels, Tensor<Index>({3}, {1, 0, 1})));
  EXPECT_EQ(names, (Names{"setosa", "virginica"}));
}

TEST_F(Csv, ReadsAColumnAsNumbersAndAsClasses) {
  const auto table = table_of("a,b\n7,x\n3,y\n", {.columns = {"a"}, .labels = {"b", "a"}});
  EXPECT_TRUE(equal(table.columns(), Tensor<float>({2, 1}, {7, 3})));
  EXPECT_TRUE(equal(table.labels("a").labels, Tensor<Index>({2}, {1, 0})));
  EXPECT_EQ(table.labels("b").class_names, (Names{"x", "y"}));
}

TEST_F(Csv, OrdersClassesThatAreNumbersAsNumbers) {
  std::string text = "x,digit\n";
  for (const int digit : {11, 3, 0, 10, 2, -1}) text += "0," + std::to_string(digit) + "\n";
  const auto table = table_of(text, {.labels = {"digit"}});
  EXPECT_EQ(table.labels("digit").class_names, (Names{"-1", "0", "2", "3", "10", "11"}));
  EXPECT_TRUE(equal(table.labels("digit").labels, Tensor<Index>({6}, {5, 3, 1, 4, 2, 0})));
  EXPECT_EQ(table_of("0\n1\n01\n001\n0\n", {.labels = {"0"}}).labels("0").class_names, (Names{"0", "001", "01", "1"}));
  const auto mixed = table_of(text + "0,x\n", {.labels = {"digit"}});
  EXPECT_EQ(mixed.labels("digit").class_names, (Names{"-1", "0", "10", "11", "2", "3", "x"}));
}

TEST_F(Csv, NamesColumnsByTheirNumberWithoutAHeader) {
  const auto table = table_of("1,2,a\n3,4,b\n", {.labels = {"2"}, .header = false});
  EXPECT_EQ(table.names(), (Names{"0", "1"}));
  EXPECT_TRUE(equal(table.columns(), Tensor<float>({2, 2}, {1, 2, 3, 4})));
  EXPECT_TRUE(equal(table.labels("2").labels, Tensor<Index>({2}, {0, 1})));
}

TEST_F(Csv, HasNoRowsIfTheFileHasNamesAlone) {
  for (const char* text : {"a,b,c", "a,b,c\n", "\r\na,b,c\r\n\r\n"}) {
    const auto table = table_of(text, {.labels = {"c"}});
    EXPECT_EQ(table.columns().shape(), (Shape{0, 2})) << text;
    EXPECT_EQ(table.labels("c").labels.shape(), Shape{0});
  }
}

/// The same table, written in the ways of many programs.
TEST_F(Csv, TakesEveryWayToWriteATable) {
  const Tensor<float> expected({2, 2}, {1, 2.5, 3, 4});
  for (const std::string& text : {"a,b c\n1,2.5\n3,4"s, "a,b c\r\n1,2.5\r\n3,4\r\n"s, "a,b c\r1,2.5\r3,4\r"s,
                                  "\xEF\xBB\xBF"
                                  "a,b c\n1,2.5\n3,4\n"s,
                                  "\xEF\xBB\xBF\"a\",b c\n1,2.5\n3,4\n"s, "a,\"b c\"\n\"1\",\"2.5\"\n\"3\",4\n"s,
                                  "\n\na,b c\n\n1,2.5\n  \n3,4\n\n"s, " a\t, b c \n 1 ,\t2.5\n3  , \"4\" "s,
                                  "a,b c\n+1,25e-1\n0.3E+1,4."s, "a,b c\n1,2.5\r\n3,4\r"s}) {
    const auto table = table_of(text);
    EXPECT_EQ(table.names(), (Names{"a", "b c"})) << text;
    EXPECT_TRUE(equal(table.columns(), expected)) << text;
  }
  for (const char delimiter : {';', '\t', '|', ' '}) {
    const std::string d(1, delimiter);
    const auto table = table_of("a" + d + "\"b c\"\n1" + d + "2.5\n3" + d + "\"4\"\n", {.delimiter = delimiter});
    EXPECT_EQ(table.names(), (Names{"a", "b c"})) << d;
    EXPECT_TRUE(equal(table.columns(), expected)) << d;
  }
}

TEST_F(Csv, TakesAnythingInQuotes) {
  const auto table = table_of("\"a,\"\"x\"\"\r\nb\",c\n1,\" p,\nq \"\n2,\"\"\"\"\n3,\"p\rq\"\n", {.labels = {"c"}});
  EXPECT_EQ(table.names(), Names{"a,\"x\"\r\nb"});
  EXPECT_EQ(table.labels("c").class_names, (Names{" p,\nq ", "\"", "p\rq"}));
}

TEST_F(Csv, LetsColumnsThatAreNotChosenHoldAnything) {
  const auto table = table_of("a,b\n1,\n2,nan\n3,\"x\ny\"\n4,\xFF\xFE\n", {.columns = {"a"}});
  EXPECT_TRUE(equal(table.columns(), Tensor<float>({4, 1}, {1, 2, 3, 4})));
}

TEST_F(Csv, RoundsNumbersOnce) {
  const auto doubles = table_of<double>("a\n0.1\n1e-400\n-1e-400\n1.7976931348623157e308\n4.9e-324\n");
  const double most = std::numeric_limits<double>::max(), least = std::numeric_limits<double>::denorm_min();
  EXPECT_TRUE(equal(doubles.columns(), Tensor<double>({5, 1}, {0.1, 0, 0, most, least})));
  EXPECT_TRUE(equal(table_of("a\n0e999\n0e-999\n-0\n000\n").columns(), Tensor<float>::zeros({4, 1})));
  // As a double it lies between two floats, and would be rounded a second time in the wrong direction.
  const auto floats =
      table_of("a\n1.00000005960464477540\n1e-50\n0." + std::string(60, '0') + "1\n1e-99999999999999999999\n-5" +
               std::string(60, '0') + "e-999\n0." + std::string(60, '0') + "1e+5\n");
  EXPECT_TRUE(equal(floats.columns(), Tensor<float>({6, 1}, {std::nextafter(1.0F, 2.0F), 0, 0, 0, 0, 0})));
}

struct Malformed {
  const char* what;
  std::string bytes;
  std::string problem;
  CsvOptions options = {};
};

const std::string kHint = "; .columns chooses columns, .labels those of classes";

/// Every way to be wrong is told with its place.
TEST_F(Csv, TellsWhereAFileIsWrong) {
  const CsvOptions a{.columns = {"a"}}, ab{.columns = {"a", "b"}}, ab_c{.columns = {"a", "b"}, .labels = {"c"}};
  const CsvOptions no_header{.header = false};
  const std::string mark = "\xEF\xBB\xBF", zero(1, '\0');
  const std::vector<Malformed> cases = {
      {"empty file", "", "line 1: is the end, expected the names of the columns"},
      {"mark alone", mark, "line 1: is the end, expected the names of the columns"},
      {"blank lines", "\n \n\t", "line 3: is the end, expected the names of the columns"},
      {"nothing without header", "\n", "line 2: is the end, expected a row", no_header},

      {"two names", "a,b,a\n1,2,3\n", "line 1: has two columns \"a\", number 1 and 3"},
      {"two empty names", ",a,\n", "line 1: has two columns \"\", number 1 and 3"},
      {"no such column",
       "id;area;price\n1;2;3\n",
       "line 1: has no column \"aera\"; the nearest is \"area\"; it has \"id\", \"area\", \"price\"",
       {.columns = {"aera"}, .delimiter = ';'}},
      {"other delimiter", "a;b\n1;2\n", "line 1: has no column \"a\"; it has \"a;b\"", a},
      {"no such labels", "a\n1\n", "line 1: has no column \"species\"; it has \"a\"", {.labels = {"species"}}},
      {"no such number",
       "1,2\n",
       "line 1: has no column \"2\"; it has \"0\", \"1\"",
       {.columns = {"2"}, .header = false}},

      {"missing", "a,b\n1,2\n3,\n", "line 3, column \"b\": is empty, expected a number", ab},
      {"missing first", "a,b\n,2\n", "line 2, column \"a\": is empty, expected a number", ab},
      {"blank", "a,b\n1, \t \n", "line 2, column \"b\": is empty, expected a number", ab},
      {"empty quotes", "a\n\"\"\n", "line 2, column \"a\": is empty, expected a number", a},
      {"missing, all chosen", "a,b\n1,\n", "line 2, column \"b\": is empty, expected a number" + kHint},
      {"missing class", "a,b,c\n1,2,x\n1,2,\"\"\n", "line 3, column \"c\": is empty, expected the name of a class",
       ab_c},

      {"few cells", "a,b,c\n1,2,3\n4,5\n", "line 3: ends after cell 2 of 3"},
      {"few cells at the end", "a,b\n1,2\n3", "line 3: ends after cell 1 of 2", ab},
      {"many cells", "a,b\n1,2\n3,4,5\n", "line 3: goes on after cell 2 of 2"},
      {"comma at the end", "a,b\n1,2,\n", "line 2: goes on after cell 2 of 2"},
      {"few cells without header", "1,2\n3\n", "line 2: ends after cell 1 of 2", no_header},

      {"text", "a,b\n1,x\n", "line 2, column \"b\": is \"x\", expected a number", ab},
      {"text, all chosen", "a,b\n1,x\n", "line 2, column \"b\": is \"x\", expected a number" + kHint},
      {"text without header", "1,x\n", "line 1, column \"1\": is \"x\", expected a number" + kHint, no_header},
      {"NA", "a\nNA\n", "line 2, column \"a\": is \"NA\", expected a number", a},
      {"comma as point", "a\n\"1,5\"\n", "line 2, column \"a\": is \"1,5\", expected a number", a},
      {"text behind", "a\n1.5kg\n", "line 2, column \"a\": is \"1.5kg\", expected a number", a},
      {"two numbers", "a\n1 2\n", "line 2, column \"a\": is \"1 2\", expected a number", a},
      {"space in quotes", "a\n\" 1\"\n", "line 2, column \"a\": is \" 1\", expected a number", a},
      {"hexadecimal", "a\n0x10\n", "line 2, column \"a\": is \"0x10\", expected a number", a},
      {"sign alone", "a\n+\n", "line 2, column \"a\": is \"+\", expected a number", a},
      {"two signs", "a\n+-1\n", "line 2, column \"a\": is \"+-1\", expected a number", a},
      {"point alone", "a\n.\n", "line 2, column \"a\": is \".\", expected a number", a},
      {"half an exponent", "a\n1e\n", "line 2, column \"a\": is \"1e\", expected a number", a},
      {"exponent and text", "a\n1e999x\n", "line 2, column \"a\": is \"1e999x\", expected a number", a},
      {"line end in a number", "a,b\n1,\"2\n3\"\n", "line 3, column \"b\": is \"2?3\", expected a number", ab},
      {"long text", "a\n" + std::string(100, 'x') + "\n",
       "line 2, column \"a\": is \"" + std::string(40, 'x') + "...\", expected a number", a},

      {"nan", "a\nnan\n", "line 2, column \"a\": is \"nan\", expected a finite number", a},
      {"NaN", "a\n-NaN\n", "line 2, column \"a\": is \"-NaN\", expected a finite number", a},
      {"inf", "a\n+inf\n", "line 2, column \"a\": is \"+inf\", expected a finite number", a},
      {"infinity", "a\n-Infinity\n", "line 2, column \"a\": is \"-Infinity\", expected a finite number", a},
      {"too large", "a\n1e39\n", "line 2, column \"a\": is \"1e39\", more than a float holds", a},
      {"too small", "a\n-1e+39\n", "line 2, column \"a\": is \"-1e+39\", more than a float holds", a},
      {"absurd", "a\n1e99999999999999999999\n",
       "line 2, column \"a\": is \"1e99999999999999999999\", more than a float holds", a},
      {"many digits and a small power", "a\n" + std::string(39, '9') + "0e-1\n",
       "line 2, column \"a\": is \"" + std::string(39, '9') + "0...\", more than a float holds", a},
      {"many digits", "a\n" + std::string(39, '9') + "\n",
       "line 2, column \"a\": is \"" + std::string(39, '9') + "\", more than a float holds", a},

      {"open quote", "a,b\n1,\"2\n3,4\n", "line 2, column \"b\": has a quote at its beginning and none at its end", ab},
      {"open quote at the beginning", "\"a\n1\n", "line 1, column 1: has a quote at its beginning and none at its end"},
      {"open quote at the end", "a,b\n1,2\n3,\"",
       "line 3, column \"b\": has a quote at its beginning and none at its end", ab},
      {"open quote after lines in quotes",
       "a,b\n\"1\n\n\",\"",
       "line 4, column \"b\": has a quote at its beginning and none at its end",
       {.columns = {"b"}}},
      {"open quote in a name", "a,\"b\n1,2\n", "line 1, column 2: has a quote at its beginning and none at its end"},
      {"open quote after CR", "a\r1\r\"2", "line 3, column \"a\": has a quote at its beginning and none at its end", a},
      {"open quote after blank lines", "a\n\n\r\n\"2",
       "line 4, column \"a\": has a quote at its beginning and none at its end", a},
      {"quote in a cell",
       "a,b\n1,2\n5\" pipe,4\n",
       "line 3, column \"a\": has a quote and none at its beginning; a quote in quotes is written twice",
       {.columns = {"b"}}},
      {"text behind a quote", "a,b\n\"1\"2,4\n", "line 2, column \"a\": has text behind the quote at its end", ab},
      {"quote behind a quote", "a,b\n\"1\" \"2\",4\n", "line 2, column \"a\": has text behind the quote at its end",
       ab},
      {"quote in a name", "a,b\"\n",
       "line 1, column 2: has a quote and none at its beginning; a quote in quotes is "
       "written twice"},

      {"byte 0", "a,b\n1,2\n3,4" + zero + "\n", "line 3, column \"b\": has a byte of value 0, expected text in UTF-8",
       ab},
      {"byte 0 in quotes", "a,b\n1,\"\n" + zero + "\"\n",
       "line 3, column \"b\": has a byte of value 0, expected text in UTF-8", a},
      {"byte 0 in a name", "a,b" + zero + "\n", "line 1, column 2: has a byte of value 0, expected text in UTF-8"},
      {"UTF-16",
       "\xFF\xFE"
       "a" +
           zero + "\n" + zero,
       "line 1, column 1: has a byte of value 0, expected text in UTF-8"},

      {"line after CRLF", "a\r\n1\r\n\r\nx\r\n", "line 4, column \"a\": is \"x\", expected a number", a},
      {"line after CR", "a\r1\r\rx\r", "line 4, column \"a\": is \"x\", expected a number", a},
      {"quote after CR", "a\r1\r5\"",
       "line 3, column \"a\": has a quote and none at its beginning; a quote in quotes is written twice", a},
      {"quote after CR and a line in quotes", "a\r\"x\n\"y",
       "line 3, column \"a\": has text behind the quote at its end", a},
      {"byte 0 after CR", "a\r" + zero, "line 2, column \"a\": has a byte of value 0, expected text in UTF-8", a},
      {"few cells before CR", "a,b\r1\r", "line 2: ends after cell 1 of 2", ab},
      {"nothing but CR", "\r", "line 2: is the end, expected the names of the columns"},
      {"line after lines in quotes", "a,b\n1,\"\n\n\"\nx,\n", "line 5, column \"a\": is \"x\", expected a number", a},
      {"line after all ends", "a\n1\r\n2\r3\n\n4\rx", "line 7, column \"a\": is \"x\", expected a number", a},
  };
  for (const Malformed& each : cases) EXPECT_EQ(problem_of(each.bytes, each.options), each.problem) << each.what;
}

TEST_F(Csv, RefusesOptionsThatCannotBe) {
  for (const char delimiter : {'"', '\n', '\r', '\0'}) {
    write("a\n1\n");
    EXPECT_EQ(message_of([&] { read_csv(path(), {.delimiter = delimiter}); }),
              "read_csv: delimiter is a quote, a line end or a byte of value 0");
  }
  write("a,b\n1,2\n");
  EXPECT_EQ(message_of([&] {
              read_csv(path(), {.columns = {"b", "a", "b"}});
            }),
            "read_csv: column \"b\" is chosen twice");
  EXPECT_EQ(message_of([&] { read_csv(path(), {.labels = {"b", "b"}}); }), "read_csv: column \"b\" is chosen twice");
  EXPECT_EQ(message_of([&] { read_csv(path("none.csv")); }).rfind(path("none.csv").string() + ": cannot be read", 0),
            0U);
}

TEST_F(Csv, RefusesMoreColumnsThanTablesHave) {
  EXPECT_EQ(problem_of(std::string((1 << 20), ',')), "line 1: has more than 1048576 cells");
}

/// A quote that is forgotten makes the rest of the file one cell: that is told before all of it is in memory.
TEST_F(Csv, RefusesCellsWithoutEnd) {
  const std::string rest(17 << 20, '\n');
  EXPECT_EQ(problem_of("a,b\n1,2\n3,\"" + rest),
            "line 3, column \"b\": is longer than 16777216 bytes; is a quote missing?");
  EXPECT_EQ(problem_of("a,b\n1," + std::string(17 << 20, 'x')), "line 2, column \"b\": is longer than 16777216 bytes");
}

/// Numbers, line ends and quotes lie across the ends of the blocks in which a file is read.
TEST_F(Csv, ReadsAcrossBlocks) {
  constexpr Index kRows = 60'000;
  for (const char* line_end : {"\n", "\r\n", "\r"}) {
    std::string text = joined("a,b", line_end);
    for (Index row = 0; row < kRows; ++row) text += joined(row, ",\"", row % 7, "\"", line_end);
    ASSERT_GT(text.size(), std::size_t{2} << 18);
    const auto table = table_of<double>(text, {.labels = {"b"}});
    ASSERT_EQ(table.rows(), kRows);
    const auto& [labels, names] = table.labels("b");
    EXPECT_EQ(names, (Names{"0", "1", "2", "3", "4", "5", "6"}));
    Index wrong = 0;
    for (Index row = 0; row < kRows; ++row)
      wrong += table.columns()(row, 0) != static_cast<double>(row) || labels(row) != row % 7;
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(problem_of(text + "x,1", {.columns = {"a"}}), "line 60002, column \"a\": is \"x\", expected a number");
  }
}

/// What any program may write is read as it is.
TEST_F(Csv, ReadsRandomTables) {
  Rng rng(5);
  const auto choose = [&](Index count) { return rng.below(count); };
  const auto one_of = [&](const Names& texts) { return texts[static_cast<std::size_t>(rng.below(std::ssize(texts)))]; };
  const Names parts = {"a", " ", "\"", ",", ";", "\n", "\r", "\xC3\xBC", "x", "\t", "0"};
  const Names line_ends = {"\n", "\r\n", "\r"};
  for (int repeat = 0; repeat < 300; ++repeat) {
    const Index columns = 1 + choose(4), rows = choose(6);
    const char delimiter = choose(2) == 0 ? ',' : ';';
    const std::string line_end = one_of(line_ends);
    const auto in_quotes = [](const std::string& cell) {
      std::string result = "\"";
      for (const char c : cell) result += c == '"' ? "\"\"" : std::string(1, c);
      return result + "\"";
    };
    std::string text = choose(2) == 0 ? "" : "\xEF\xBB\xBF";
    Names names, classes;
    for (Index column = 0; column < columns; ++column) {
      std::string name = std::to_string(column);
      for (Index i = choose(4); i > 0; --i) name += one_of(parts);
      names.push_back(name);
      text += in_quotes(name) + (column + 1 < columns ? std::string(1, delimiter) : line_end);
    }
    Tensor<double> numbers(Shape{rows, columns - 1});
    double* number = numbers.mutable_data();
    for (Index row = 0; row < rows; ++row) {
      std::string name = "n";
      for (Index i = choose(5); i > 0; --i) name += one_of(parts);
      classes.push_back(name);
      text += in_quotes(name);
      for (Index column = 1; column < columns; ++column) {
        *number = std::ldexp(rng.normal(), static_cast<int>(choose(100)) - 50);
        const std::string written = to_general(*number++, 17);
        text += delimiter + (choose(2) == 0 ? written : in_quotes(written));
      }
      if (row + 1 < rows || choose(2) == 0) text += line_end;
    }
    const auto table = table_of<double>(text, {.labels = {names[0]}, .delimiter = delimiter});
    EXPECT_EQ(table.names(), (Names{names.begin() + 1, names.end()})) << text;
    EXPECT_TRUE(equal(table.columns(), numbers)) << text;
    const auto& [labels, class_names] = table.labels(names[0]);
    ASSERT_EQ(labels.numel(), rows) << text;
    for (Index row = 0; row < rows; ++row)
      EXPECT_EQ(class_names[static_cast<std::size_t>(labels(row))], classes[static_cast<std::size_t>(row)]) << text;
  }
}

}  // namespace
}  // namespace csv_test
}  // namespace eigengrad::EIGENGRAD_ISA::data
