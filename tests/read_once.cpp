// SPDX-FileCopyrightText: The eigengrad authors
// SPDX-License-Identifier: MIT

// What CMakeLists.txt lists for it is compiled here and read by the test programs.
